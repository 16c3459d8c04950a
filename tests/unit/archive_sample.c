/* archive_sample live|sealed OUT.h5: writes the recording of store_fixture.h, for archive_h5py.py.
 * A live one is left as a killed writer leaves it. */
#include "archive.h"
#include "store_fixture.h"
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    const bool live = strcmp(argv[1], "live") == 0;
    struct fixture *f = malloc(sizeof *f);
    struct archive_error why = {""};
    struct archive_writer *w;
    if (!f) return 1;
    fixture_fill(f);
    int rc = archive_create(argv[2], live ? ARCHIVE_LIVE : ARCHIVE_SEALED, &f->recording, &w, &why);
    for (unsigned i = 1; rc == 0 && i < f->records; i++) rc = archive_write(w, &f->record[i].h, &f->record[i].u, &why);
    if (rc == 0) rc = live ? archive_flush(w) : archive_close(w, &why);
    if (rc) fprintf(stderr, "archive_sample: %s: %s\n", argv[2], why.text);
    if (live) _exit(rc ? 1 : 0);
    fixture_done(f);
    free(f);
    return rc ? 1 : 0;
}
