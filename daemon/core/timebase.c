#include "plate/timebase.h"

#include <errno.h>
#include <math.h>

/* A knot about once a second; sooner while the true rate is still being found. */
#define KNOT_S 1.0
#define FIRST_KNOT_SAMPLES 8
/* Half of what the axis is off is taken back in the next stretch: quick, and half deaf to the jitter of one stamp. */
#define PHASE_GAIN 0.5
#define SLOPE_LIMIT 0.2
/* Without a device clock, a silence shorter than this is a burst, not a hole. */
#define HOST_HOLE_S 0.25
/* Stamps taken when a line is printed come late by a few milliseconds now and then. */
#define JITTER_S 0.025
#define SUSPECT_STAMPS 4
/* How far the device's count and the host's time may differ over the time that a port was away. */
#define REOPEN_SLACK_S 1.0
#define REOPEN_SLACK 0.05
/* A window of the earliest arrival: long against a busy machine's delays, short against how far a rate can be wrong. */
#define EARLY_S 1.0
#define HOST_RATE_S 1.0
#define HOST_BASE_S 0.5 /* the earliest arrival of the first so many seconds is where the rate is measured from */
#define HOST_RATE_LIMIT 0.25
/* The host's lower envelope: USB adapters hold data for up to 16 ms, so the earliest of many arrivals counts. */
#define WINDOW_S 5.0
#define DRIFT_LIMIT 1e-3
#define RATE_GAIN 0.08 /* of the drift's rate, by what a window is off; more in the first ones */
#define FIRST_RATE_GAIN 0.5

int plate_timebase_init(struct plate_timebase *tb, const struct plate_timebase_config *cfg)
{
    if (!(cfg->nominal_rate_Hz > 0) || !isfinite(cfg->nominal_rate_Hz) || !(cfg->tick_s >= 0)) return -EINVAL;
    *tb = (struct plate_timebase){.cfg = *cfg, .period_s = 1 / cfg->nominal_rate_Hz};
    return 0;
}

static uint64_t samples_in(const struct plate_timebase *tb, double s)
{
    return (uint64_t)fmax(1, floor(s / tb->period_s + 0.5));
}

void plate_timebase_start(struct plate_timebase *tb, double start_s, int64_t host_ns, int64_t utc_ns)
{
    struct plate_timebase_config cfg = tb->cfg;
    double period_s = tb->period_s; /* what was learned before the recording stays */
    *tb = (struct plate_timebase){.cfg = cfg, .start_s = start_s, .period_s = period_s, .started = true};
    tb->knot = (struct plate_clock){.t_s = start_s, .period_s = period_s, .host_ns = host_ns, .utc_ns = utc_ns};
    tb->last_host_ns = tb->host0_ns = host_ns;
    tb->early.s = tb->early_before.s = INFINITY;
    tb->knot_interval = tb->next_knot_at = cfg.tick_s > 0 ? FIRST_KNOT_SAMPLES : samples_in(tb, KNOT_S);
}

/* A step that is too long is a hole at once if no jitter is so large; else only if the stamps that follow stay late. */
static uint64_t slots_by_stamp(struct plate_timebase *tb, const struct plate_frame *f)
{
    double p = tb->period_s, stamp_s = (double)f->ticks * tb->cfg.tick_s, prev_s = (double)tb->prev_ticks * tb->cfg.tick_s;
    if (!tb->suspected) {
        double late_s = stamp_s - prev_s - p;
        if (late_s <= 0.5 * p) return 1;
        if (tb->reopened || late_s > JITTER_S) return 1 + (uint64_t)floor(late_s / p + 0.25);
        tb->suspect_ref_s = prev_s;
        tb->suspect_late_s = late_s;
        tb->suspected = tb->suspect_told = 0;
    }
    tb->suspected++;
    if (stamp_s - prev_s > 0.5 * p) tb->suspect_told++; /* else it is catching up, which tells nothing yet */
    tb->suspect_late_s = fmin(tb->suspect_late_s, stamp_s - tb->suspect_ref_s - tb->suspected * p);
    if (tb->suspect_late_s < 0.75 * p) tb->suspected = 0;
    if (!tb->suspected || tb->suspect_told < SUSPECT_STAMPS) return 1;
    tb->suspected = 0;
    return 1 + (uint64_t)floor(tb->suspect_late_s / p + 0.25);
}

static double host_s(const struct plate_timebase *tb, int64_t host_ns) { return (double)(host_ns - tb->host0_ns) * 1e-9; }

static double due_by(const struct plate_timebase *tb, const struct plate_timebase_arrival *a, uint64_t sample)
{
    return a->s + ((double)sample - (double)a->sample) * tb->period_s;
}

/* Since the last sample came, or, while the port was away, since it should have come: no later than it did. */
static double silence_s(const struct plate_timebase *tb, int64_t host_ns)
{
    double since_read_s = (double)(host_ns - tb->last_host_ns) * 1e-9;
    if (!tb->reopened || tb->next_sample == 0) return since_read_s;
    double due_s = fmin(due_by(tb, &tb->early, tb->next_sample - 1), due_by(tb, &tb->early_before, tb->next_sample - 1));
    return fmax(since_read_s, host_s(tb, host_ns) - due_s);
}

static void note_arrival(struct plate_timebase *tb, uint64_t sample, double arrival_s)
{
    if (arrival_s - tb->early_since_s > EARLY_S) {
        tb->early_before = tb->early;
        tb->early.s = INFINITY;
        tb->early_since_s = arrival_s;
    }
    if (arrival_s <= due_by(tb, &tb->early, sample)) tb->early = (struct plate_timebase_arrival){sample, arrival_s};
}

/* How many samples fit between the last read and this one. */
static uint64_t slots_by_host(const struct plate_timebase *tb, double silent_s)
{
    return (uint64_t)fmax(1, floor(silent_s / tb->period_s + 0.5));
}

static bool counted(const struct plate_timebase *tb, const struct plate_frame *f)
{
    return f->has_seq || (f->has_ticks && tb->clocked);
}

/* Have the device's counters begun again? A board that was powered up unseen may have counted beyond where it was: then what it
 * counted does not fit the time that has passed. */
static bool started_anew(const struct plate_timebase *tb, const struct plate_frame *f, double silent_s)
{
    if (f->restarted || (f->has_seq && f->seq <= tb->prev_seq) || (f->has_ticks && f->ticks < tb->prev_ticks)) return true;
    if (!tb->reopened || tb->rate_mismatch || !counted(tb, f)) return false;
    double counted_s =
        f->has_seq ? (double)(f->seq - tb->prev_seq) * tb->period_s : (double)(f->ticks - tb->prev_ticks) * tb->cfg.tick_s;
    return fabs(counted_s - silent_s) > REOPEN_SLACK_S + REOPEN_SLACK * silent_s;
}

/* How many sample slots lie between the last sample and this one (1: none missing), and why. */
static uint64_t slots(struct plate_timebase *tb, const struct plate_frame *f, bool anew, double silent_s, struct plate_gap *gap)
{
    gap->estimated = true;
    if (anew) {
        gap->reason = tb->reopened ? PLATE_GAP_UNPLUG : PLATE_GAP_RESTART;
        return silent_s > 1.5 * tb->period_s ? slots_by_host(tb, silent_s) : 1;
    }
    if (f->has_seq) {
        gap->reason = tb->reopened ? PLATE_GAP_UNPLUG : PLATE_GAP_SEQUENCE;
        gap->estimated = false;
        return f->seq - tb->prev_seq;
    }
    gap->reason = tb->reopened ? PLATE_GAP_UNPLUG : PLATE_GAP_TIME;
    if (f->has_ticks && tb->clocked) return slots_by_stamp(tb, f);
    return tb->reopened || silent_s > HOST_HOLE_S + 1.5 * tb->period_s ? slots_by_host(tb, silent_s) : 1;
}

bool plate_timebase_number(struct plate_timebase *tb, const struct plate_frame *f, int64_t host_ns, uint64_t *ret_sample,
                           struct plate_gap *ret_gap)
{
    struct plate_gap gap = {.sample = tb->next_sample};
    bool anew = !tb->have_prev;
    if (tb->have_prev) {
        double silent_s = silence_s(tb, host_ns);
        anew = started_anew(tb, f, silent_s);
        gap.count = slots(tb, f, anew, silent_s, &gap) - 1;
    }
    uint64_t sample = tb->next_sample + gap.count;
    if (tb->reopened && (anew || !counted(tb, f))) { /* what is left of a period is no reason to measure the next hole wrong */
        tb->early_since_s = host_s(tb, host_ns);
        tb->early = (struct plate_timebase_arrival){sample, tb->early_since_s};
        tb->early_before.s = INFINITY;
    }
    if (f->has_ticks) {
        double stamp_s = (double)f->ticks * tb->cfg.tick_s;
        if (anew || !tb->clocked) { /* the device's clock starts anew: it goes on from where the axis is */
            tb->tick_offset_s = plate_clock_t_s(&tb->knot, sample) - tb->drift_s - stamp_s;
            tb->have_base = tb->window_open = false;
            tb->windows = 0;
            tb->drift_rate = tb->drift_pending_s = 0;
        }
        tb->clocked = tb->have_anchor = true;
        tb->anchor_sample = sample;
        tb->anchor_s = stamp_s + tb->tick_offset_s;
        if (!tb->have_base) {
            tb->have_base = true;
            tb->base_sample = sample;
            tb->base_s = tb->anchor_s;
        }
        tb->prev_ticks = f->ticks;
    }
    if (f->has_seq) tb->prev_seq = f->seq;
    tb->have_prev = true;
    tb->reopened = false;
    tb->last_host_ns = host_ns;
    tb->next_sample = sample + 1;
    *ret_sample = sample;
    if (gap.count == 0) return false;
    *ret_gap = gap;
    return true;
}

/* Follows the earliest arrivals of each window: the host's clock against the device's. */
static void follow_host(struct plate_timebase *tb, int64_t host_ns)
{
    double dev_s = tb->anchor_s, late_s = host_s(tb, host_ns) - dev_s;
    if (!tb->window_open) {
        tb->window_open = true;
        tb->window_start_s = tb->window_min_at_s = dev_s;
        tb->window_min_s = late_s;
    }
    if (late_s < tb->window_min_s) {
        tb->window_min_s = late_s;
        tb->window_min_at_s = dev_s;
    }
    if (dev_s - tb->window_start_s < WINDOW_S) return;
    tb->window_open = false;
    double then_s = tb->drift_s + tb->drift_pending_s - tb->drift_rate * (dev_s - tb->window_min_at_s);
    if (tb->windows++ == 0) {
        tb->first_min_s = tb->window_min_s - then_s;
        tb->first_min_after_s = tb->window_min_at_s - tb->window_start_s;
        tb->first_rate = tb->drift_rate;
    } else {
        double rate = (tb->window_min_s - tb->last_min_s) / fmax(1e-3, tb->window_min_at_s - tb->last_min_at_s);
        double jitter = 0.03 / WINDOW_S; /* 30 ms of latency come or gone between two windows is no drift */
        tb->rate_mismatch = fabs(rate) > DRIFT_LIMIT + jitter;
        if (tb->rate_mismatch)
            tb->windows = 0;
        else {
            /* The first window was over before the rate was known: what had drifted by its minimum is no latency. */
            double first_s = tb->first_min_s - (tb->drift_rate - tb->first_rate) * tb->first_min_after_s;
            double err_s = tb->window_min_s - first_s - then_s, gain = fmax(RATE_GAIN, FIRST_RATE_GAIN / tb->windows);
            tb->drift_rate = fmax(-DRIFT_LIMIT, fmin(DRIFT_LIMIT, tb->drift_rate + gain * err_s / WINDOW_S));
            tb->drift_pending_s += 0.5 * err_s;
        }
    }
    tb->last_min_s = tb->window_min_s;
    tb->last_min_at_s = tb->window_min_at_s;
}

static void follow_device(struct plate_timebase *tb, int64_t host_ns)
{
    if (tb->clocked) {
        if (tb->have_anchor) follow_host(tb, host_ns);
        return;
    }
    /* No device clock: the arrival that is earliest against the axis is the anchor. */
    uint64_t last = tb->next_sample - 1;
    double arrival_s = host_s(tb, host_ns);
    if (tb->have_anchor && tb->anchor_sample >= last) return;
    double late_s = arrival_s - (double)last * tb->period_s;
    if (!tb->have_anchor || late_s <= tb->anchor_late_s) {
        tb->have_anchor = true;
        tb->anchor_sample = last;
        tb->anchor_s = arrival_s;
        tb->anchor_late_s = late_s;
        if (!tb->have_base || (double)last * tb->period_s < HOST_BASE_S) {
            tb->have_base = true;
            tb->base_sample = last;
            tb->base_s = arrival_s;
            tb->tick_offset_s = plate_clock_t_s(&tb->knot, last) - arrival_s;
        }
    }
}

static void measure_rate(struct plate_timebase *tb)
{
    if (tb->anchor_sample <= tb->base_sample) return;
    double n = (double)(tb->anchor_sample - tb->base_sample), s = tb->anchor_s - tb->base_s;
    if (tb->clocked) {
        if (n < FIRST_KNOT_SAMPLES / 2) return;
        tb->period_s = s / n;
        if (s < 10 * KNOT_S) return;
        /* A moving baseline: its far end comes half the way, so that a changing rate is followed. */
        tb->base_s += s / 2;
        tb->base_sample += (uint64_t)(n / 2);
        tb->base_s += (floor(n / 2) - n / 2) * tb->period_s;
    } else if (s >= HOST_RATE_S) {
        double period_s = s / n, off = period_s * tb->cfg.nominal_rate_Hz - 1;
        tb->rate_mismatch = fabs(off) > HOST_RATE_LIMIT;
        tb->period_s = tb->rate_mismatch ? 1 / tb->cfg.nominal_rate_Hz : period_s;
        tb->tick_offset_s = tb->start_s - (tb->base_s - (double)tb->base_sample * tb->period_s);
    }
}

bool plate_timebase_read_done(struct plate_timebase *tb, int64_t host_ns, int64_t utc_ns, struct plate_clock *ret_knot)
{
    if (!tb->started || tb->next_sample == 0) return false;
    note_arrival(tb, tb->next_sample - 1, host_s(tb, host_ns));
    follow_device(tb, host_ns);
    /* A stamp that may be a hole is not measured by: the samples missing would be taken for a slower device. */
    if (tb->next_sample < tb->next_knot_at || !tb->have_anchor || tb->suspected) return false;
    measure_rate(tb);
    double interval_s = (double)(tb->next_sample - tb->knot.sample) * tb->period_s;
    double step_s = fmax(-DRIFT_LIMIT * interval_s, fmin(DRIFT_LIMIT * interval_s, tb->drift_pending_s));
    tb->drift_pending_s -= step_s;
    tb->drift_s += tb->drift_rate * interval_s + step_s;

    uint64_t full = samples_in(tb, KNOT_S);
    tb->knot_interval = tb->knot_interval * 2 < full ? tb->knot_interval * 2 : full;
    struct plate_clock next = {.sample = tb->next_sample, .host_ns = host_ns, .utc_ns = utc_ns, .device_ticks = tb->prev_ticks};
    next.t_s = plate_clock_t_s(&tb->knot, next.sample);
    double offset_s = tb->clocked ? tb->drift_s : tb->tick_offset_s;
    double want_s = tb->anchor_s + offset_s + ((double)next.sample - (double)tb->anchor_sample) * tb->period_s;
    if (!tb->clocked && tb->rate_mismatch) want_s = next.t_s;
    double bend = PHASE_GAIN * (want_s - next.t_s) / (double)tb->knot_interval;
    double most = SLOPE_LIMIT * tb->period_s;
    next.period_s = tb->period_s * (1 + tb->drift_rate) + fmax(-most, fmin(most, bend));
    tb->next_knot_at = next.sample + tb->knot_interval;
    tb->knot = next;
    if (!tb->clocked) tb->have_anchor = false;
    *ret_knot = next;
    return true;
}

void plate_timebase_reopened(struct plate_timebase *tb) { tb->reopened = true; }

bool plate_timebase_by_host(const struct plate_timebase *tb, const struct plate_frame *f, int64_t host_ns)
{
    return tb->reopened && tb->have_prev && (!counted(tb, f) || started_anew(tb, f, silence_s(tb, host_ns)));
}

double plate_timebase_rate_Hz(const struct plate_timebase *tb)
{
    return tb->have_base && (double)(tb->next_sample - tb->base_sample) * tb->period_s >= 1 ? 1 / tb->period_s : 0;
}

bool plate_timebase_rate_mismatch(const struct plate_timebase *tb) { return tb->rate_mismatch; }
