/* filter_dump < cases > results: the filter as a program, for filter_scipy.py. Doubles; a case is order, cutoff_Hz, rate_Hz, n,
 * then n samples; its result the group delay at zero frequency, then n samples. */
#include <stdio.h>

#include "plate/filter.h"

static int put(double v) { return fwrite(&v, sizeof v, 1, stdout) == 1 ? 0 : 1; }

int main(void)
{
    double head[4];
    while (fread(head, sizeof head, 1, stdin) == 1) {
        struct plate_filter f;
        if (plate_filter_init(&f, (unsigned)head[0], head[1], head[2]) < 0) {
            fprintf(stderr, "filter_dump: order %g, %g of %g Hz: refused\n", head[0], head[1], head[2]);
            return 1;
        }
        if (put(plate_filter_delay(&f))) return 1;
        for (double n = head[3], x; n > 0 && fread(&x, sizeof x, 1, stdin) == 1; n--)
            if (put(plate_filter_push(&f, x))) return 1;
    }
    return 0;
}
