#include "plate/types.h"
#include "plate_revision.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const side_names[] = {"none", "left", "right", "both"};
static const char *const phase_names[] = {"rest", "drive", "hold", "lower"};
static const char *const gap_reason_names[] = {"sequence", "time", "restart", "unplug", "overrun", "disk"};
_Static_assert(sizeof gap_reason_names / sizeof *gap_reason_names == PLATE_GAP_REASONS, "a name for every reason");

#define NAME_OF(names, i) ((size_t)(i) < sizeof(names) / sizeof *(names) ? (names)[i] : NULL)

const char *plate_side_name(enum plate_side side) { return NAME_OF(side_names, side); }
const char *plate_phase_name(enum plate_phase phase) { return NAME_OF(phase_names, phase); }
const char *plate_gap_reason_name(enum plate_gap_reason reason) { return NAME_OF(gap_reason_names, reason); }
const char *plate_version(void) { return PLATE_VERSION; }
const char *plate_build(void) { return *PLATE_REVISION ? PLATE_VERSION " (git " PLATE_REVISION ")" : PLATE_VERSION; }

int plate_side_parse(const char *text, enum plate_side *ret)
{
    for (size_t i = 0; text && i < sizeof side_names / sizeof *side_names; i++)
        if (strcmp(text, side_names[i]) == 0) {
            *ret = (enum plate_side)i;
            return 0;
        }
    return -EINVAL;
}

bool plate_name_valid(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t n = name ? strspn(name, allowed) : 0;
    return n > 0 && n < PLATE_NAME_SIZE && name[n] == 0;
}

int plate_number_parse(const char *text, double *ret)
{
    char *end;
    if (!*text || strspn(text, "0123456789+-.eE") != strlen(text)) return -EINVAL;
    const double v = strtod(text, &end);
    if (*end || !isfinite(v)) return -EINVAL;
    *ret = v;
    return 0;
}
