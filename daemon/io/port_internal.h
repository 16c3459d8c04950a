/* io/port_internal.h - what port.c and its sources share; private to daemon/io. */
#pragma once
#include "port.h"

/* Fills the words (ret_error NULL is fine) and returns -error, so that a failure is one line. */
__attribute__((format(printf, 3, 4))) int port_fail(struct port_error *ret_error, int error, const char *format, ...);
/* Opens `path` for nothing but its lock and takes it: the fd, or -errno in words. The lock goes with the fd. */
int port_lock(const char *path, struct port_error *ret_error);
/* What a read or write that returned `n` (errno valid if < 0) means to port_read and port_write. */
ssize_t port_result(int fd, ssize_t n);
