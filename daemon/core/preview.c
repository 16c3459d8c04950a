#include "plate/preview.h"

#include <errno.h>
#include <math.h>

int plate_preview_init(struct plate_preview *p, int64_t interval_us)
{
    if (interval_us <= 0) return -EINVAL;
    *p = (struct plate_preview){.interval_us = interval_us};
    return 0;
}

static void begin(struct plate_preview *p, int64_t index, uint64_t sample)
{
    p->bin = (struct plate_preview_bin){.index = index,
                                        .sample = sample,
                                        .missing = p->begun && sample > p->next_sample ? sample - p->next_sample : 0,
                                        .Fz_min_N = NAN,
                                        .Fz_max_N = NAN};
    p->forces = p->cops_x = p->cops_y = 0;
}

static void add(double v, double *sum, uint64_t *n)
{
    if (!isfinite(v)) return;
    *sum += v;
    ++*n;
}

static void finish(const struct plate_preview *p, struct plate_preview_bin *ret)
{
    *ret = p->bin;
    ret->Fz_mean_N = p->forces ? p->bin.Fz_mean_N / (double)p->forces : NAN;
    ret->cop_x_mm = p->cops_x ? p->bin.cop_x_mm / (double)p->cops_x : NAN;
    ret->cop_y_mm = p->cops_y ? p->bin.cop_y_mm / (double)p->cops_y : NAN;
}

bool plate_preview_push(struct plate_preview *p, uint64_t sample, double t_s, const struct plate_force *f,
                        struct plate_preview_bin *ret)
{
    bool complete = false;
    int64_t index = (int64_t)floor(round(t_s * 1e6) / (double)p->interval_us);

    if (p->bin.samples == 0 || index != p->bin.index) {
        complete = p->bin.samples > 0;
        if (complete) finish(p, ret);
        begin(p, index, sample);
    } else if (sample > p->next_sample)
        p->bin.missing += sample - p->next_sample;
    p->bin.samples++;
    p->bin.Fz_min_N = fmin(p->bin.Fz_min_N, f->Fz_N); /* of two, the one that is a number */
    p->bin.Fz_max_N = fmax(p->bin.Fz_max_N, f->Fz_N);
    add(f->Fz_N, &p->bin.Fz_mean_N, &p->forces);
    add(f->cop_x_mm, &p->bin.cop_x_mm, &p->cops_x);
    add(f->cop_y_mm, &p->bin.cop_y_mm, &p->cops_y);
    p->next_sample = sample + 1;
    p->begun = true;
    return complete;
}

bool plate_preview_end(struct plate_preview *p, struct plate_preview_bin *ret)
{
    bool under_way = p->bin.samples > 0;

    if (under_way) finish(p, ret);
    plate_preview_init(p, p->interval_us);
    return under_way;
}
