/* filter_dump ORDER CUTOFF_HZ RATE_HZ < doubles > doubles: the filter as a program, for filter_scipy.py.
 * Prints the group delay at zero frequency on standard error. */
#include <stdio.h>
#include <stdlib.h>

#include "plate/filter.h"

int main(int argc, char **argv)
{
    struct plate_filter f;
    if (argc != 4 ||
        plate_filter_init(&f, (unsigned)strtoul(argv[1], NULL, 10), strtod(argv[2], NULL), strtod(argv[3], NULL)) < 0) {
        fprintf(stderr, "filter_dump: usage: filter_dump ORDER CUTOFF_HZ RATE_HZ\n");
        return 2;
    }
    fprintf(stderr, "%.17g\n", plate_filter_delay(&f));
    for (double x; fread(&x, sizeof x, 1, stdin) == 1;) {
        double y = plate_filter_push(&f, x);
        if (fwrite(&y, sizeof y, 1, stdout) != 1) return 1;
    }
    return 0;
}
