/* HDF5 trusts what it reads: a damaged file can make it run over its own memory, or round in circles. That ends plate-trace
 * in a line that says so, as all that fails. */
#include "trace.h"
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEAST_S = 120 };

static const char *guarded;

static void say(const char *text) { (void)!write(STDERR_FILENO, text, strlen(text)); }

static void give_up(int number)
{
    say("plate-trace: ");
    say(guarded);
    say(number == SIGXCPU ? ": reading it does not come to an end" : ": HDF5 fails in the middle of it");
    say(": it is damaged; restore it from a copy (plate-trace verify says where)\n");
    _exit(1);
}

void trace_guard(const char *path)
{
    static char stack[65536]; /* a reader that recurses without end leaves no room on its own */
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU};
    struct sigaction action = {.sa_handler = give_up, .sa_flags = SA_ONSTACK};
    struct stat st;
    struct rlimit cpu_s;
    guarded = path;
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        struct sigaction before;
        if (sigaction(fatal[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL) /* a sanitizer's own stays */
            sigaction(fatal[i], &action, NULL);
    }
    /* The slowest verb takes a second for 3 MB. */
    if (stat(path, &st) < 0 || getrlimit(RLIMIT_CPU, &cpu_s) < 0) return;
    const rlim_t most_s = LEAST_S + (rlim_t)st.st_size / 100000;
    if (cpu_s.rlim_cur == RLIM_INFINITY || cpu_s.rlim_cur > most_s) cpu_s.rlim_cur = most_s;
    setrlimit(RLIMIT_CPU, &cpu_s);
}

void trace_guard_renew(void)
{
    struct rlimit cpu_s;
    struct rusage used;
    if (getrlimit(RLIMIT_CPU, &cpu_s) < 0 || cpu_s.rlim_cur == RLIM_INFINITY || getrusage(RUSAGE_SELF, &used) < 0) return;
    const rlim_t most_s = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + LEAST_S;
    if (cpu_s.rlim_max != RLIM_INFINITY && most_s > cpu_s.rlim_max) return;
    cpu_s.rlim_cur = most_s;
    setrlimit(RLIMIT_CPU, &cpu_s);
}
