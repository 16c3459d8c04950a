/* plate/correction.h - what is put right after it was said: a set's side, a warm-up, a rep that does not count, ...
 * Pure: no I/O, no clock, no allocation. Values; any thread.
 *
 * A correction is a mark of kind `correct`, whose value is one of
 *   set N side left|right|both|none       set N warmup true|false       set N rep M discarded true|false
 *   involved left|right|none              body_mass_kg NUMBER           (of the whole recording)
 * The mark's plate, if it has one, is the plate of the rep. Nothing that was said before is changed: the station says the
 * correction, and then anew what follows from it. What was said first is read together with the corrections. */
#pragma once
#include "rep.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum plate_field { PLATE_FIELD_SIDE, PLATE_FIELD_WARMUP, PLATE_FIELD_DISCARDED, PLATE_FIELD_INVOLVED, PLATE_FIELD_BODY_MASS };
PLATE_API extern const char *const plate_field_words[]; /* in that order, closed by NULL */

enum { PLATE_VALUE_SIZE = 24 };
struct plate_correction {
    int32_t correction;                                  /* its number in the recording, from 1; the station gives it */
    int32_t field;                                       /* enum plate_field */
    char plate[PLATE_NAME_SIZE];                         /* of a rep; empty: of all plates */
    int32_t set, rep;                                    /* 0: the recording; 0: the whole set */
    char value[PLATE_VALUE_SIZE], was[PLATE_VALUE_SIZE]; /* as text; the station knows what was */
};

/* The value of a `correct` mark. -EINVAL: none of the forms above; *ret is untouched. `plate` may be "". */
PLATE_API int plate_correction_parse(const char *text, const char *plate, struct plate_correction *ret);
/* The other way round. The length, or -ENOBUFS. */
PLATE_API int plate_correction_text(const struct plate_correction *c, char *buffer, size_t size);

PLATE_API bool plate_correction_speaks_of(const struct plate_correction *c, const struct plate_rep *rep);
/* Makes of a rep as it was said first what it is after the correction, if that speaks of it. `fixed`: the side that the rep's
 * plate carries, which nothing corrects (PLATE_SIDE_NONE: none). *discarded stays or becomes what the correction says. */
PLATE_API void plate_correction_apply(const struct plate_correction *c, const struct plate_protocol_targets *targets,
                                      enum plate_side fixed, struct plate_rep *rep, bool *discarded);

#ifdef __cplusplus
}
#endif
