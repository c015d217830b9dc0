// In C because cpu_set_t is counted by macros, which Swift does not see.
#define _GNU_SOURCE
#include "cores.h"
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#endif

int available_cores(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}
