#include "stamp.h"

#include <math.h>

/* A step is believed at once up to so many times the one before; at any rate such a short one. */
#define STEP_RATIO 8
#define SURE_STEP_S 0.05
/* A wrap that would need so long a silence is a restart; two stamps that far apart do not agree. */
#define PLAUSIBLE_STEP_S 60.0

void stamp_init(struct stamp *s, double tick_s, unsigned bits, uint64_t scale)
{
    *s = (struct stamp){.wrap_ticks = bits ? ((uint64_t)1 << bits) * scale : 0,
                        .sure_ticks = (uint64_t)fmin(SURE_STEP_S / tick_s, 0x1p58),
                        .plausible_ticks = (uint64_t)fmin(PLAUSIBLE_STEP_S / tick_s, 0x1p58)};
    stamp_reopened(s);
}

void stamp_reopened(struct stamp *s)
{
    s->step = s->plausible_ticks;
    s->reopened = true;
}

/* Ticks from one reading to the next, over the wrap if that is the likelier; UINT64_MAX: it went back. */
static uint64_t ticks_from(const struct stamp *s, uint64_t from, uint64_t to)
{
    if (to >= from) return to - from;
    uint64_t over = s->wrap_ticks - from + to;
    return s->wrap_ticks > 0 && over <= s->wrap_ticks / 2 && over <= s->plausible_ticks ? over : UINT64_MAX;
}

bool stamp_place(struct stamp *s, uint64_t raw, struct plate_frame *f)
{
    uint64_t step = s->timed ? ticks_from(s, s->raw, raw) : 0, most = s->step * STEP_RATIO, last = step;
    if (most < s->sure_ticks) most = s->sure_ticks;
    if (most > s->plausible_ticks) most = s->plausible_ticks;
    f->restarted = false;
    if (s->wrap_ticks > 0 && raw >= s->wrap_ticks) return false;
    if (!s->timed) {
        s->ticks = raw;
        last = s->plausible_ticks;
    } else if (s->begins || (s->reopened && step == UINT64_MAX)) {
        f->restarted = true;
        s->ticks = raw;
        last = s->plausible_ticks;
    } else if (step <= most) {
        s->ticks += step;
    } else if (s->doubted && (last = ticks_from(s, s->doubt_raw, raw)) <= s->plausible_ticks) {
        f->restarted = step == UINT64_MAX;
        s->ticks = f->restarted ? raw : s->ticks + step;
    } else {
        s->doubted = true;
        s->doubt_raw = raw;
        return false;
    }
    s->timed = true;
    s->begins = s->reopened = s->doubted = false;
    s->raw = raw;
    s->step = last;
    f->has_ticks = true;
    f->ticks = s->ticks;
    return true;
}

bool stamp_near(const struct stamp *s, uint64_t raw, uint64_t most, uint64_t *ret_ticks)
{
    if (!s->timed || s->begins || (s->wrap_ticks > 0 && raw >= s->wrap_ticks)) return false;
    uint64_t on = raw - s->raw, back = s->raw - raw;
    if (s->wrap_ticks > 0 && raw < s->raw) on += s->wrap_ticks;
    if (s->wrap_ticks > 0 && raw > s->raw) back += s->wrap_ticks;
    if (on > most && (back > most || back > s->ticks)) return false;
    *ret_ticks = on <= most ? s->ticks + on : s->ticks - back;
    return true;
}
