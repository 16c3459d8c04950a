/* Where it gives up on a damaged file, HDF5 1.10 forgets what it had allocated. Nothing of ours is listed. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void) { return "leak:libhdf5\n"; }
