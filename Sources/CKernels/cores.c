// Questions to the system in C: the macros around cpu_set_t and the variadic fcntl have no Swift form.
#define _GNU_SOURCE
#include "include/cores.h"
#include <fcntl.h>
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

int open_file_lock(int handle) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
#if defined(F_OFD_SETLK)
    return fcntl(handle, F_OFD_SETLK, &whole);
#else
    return fcntl(handle, F_SETLK, &whole);
#endif
}
