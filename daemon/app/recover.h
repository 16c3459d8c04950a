/* app/recover.h - brings to safety what a plated left that did not stop cleanly: journal and ring become a sealed archive.
 * For plate-trace recover and for plated at its start, on one thread, before anybody writes. */
#pragma once
#include "archive.h"
#include <stddef.h>

/* Seals a recording, all its parts: `path` is an unsealed archive, its journal or its ring; the others are found. Idempotent.
 * *ret_account says in a line a part what was done. -EBUSY: plated is still writing. -ENODATA: nothing begins in this ring. */
int recover_path(const char *path, char *ret_account, size_t account_size, char *ret_error, size_t error_size);
/* Every journal of `folder`, and what begins in the ring at `ring_path` ("" or absent: none). *ret_archives: how many. A
 * journal that another live plated writes is passed over. `pulse` (may be NULL) beats while something is sealed. What cannot be
 * recovered stays as it is; the first reason comes back.
 */
int recover_folder(const char *folder, const char *ring_path, const struct archive_pulse *pulse, unsigned *ret_archives,
                   char *ret_error, size_t error_size);
