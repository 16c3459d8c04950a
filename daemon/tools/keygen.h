/* tools/keygen.h - `platectl keygen`: a new pair of keys, and what to do with it. */
#pragma once
#include <stdbool.h>

int keygen_run(const char *name, bool json); /* the exit code */
