#ifndef CKERNELS_CRASH_GUARD_H
#define CKERNELS_CRASH_GUARD_H
#include <stddef.h>

/// Makes a crash inside of libnetcdf or libhdf5 an error with a message. Both die of SIGSEGV or SIGABRT on some damaged
/// files, and libhdf5 also after a write that failed. In C because a signal handler may do next to nothing, and Swift
/// does not say which of its operations allocate.
void crash_guard_install(void);

/// The file that the library works on from here: what is printed, the exit status, and a file to be removed (or NULL).
void crash_guard_context(const char *message, int status, const char *remove);

/// Around every call into the library, one at a time: only there is a crash taken for the library's. A call about a file that is
/// read ends the process in the same way after 6 s of computing, and gets no more than 1 GB of memory: a few changed
/// bytes can make both libraries loop, or ask for any size. `bytes` of values that the call is known to give come on top.
void crash_guard_enter(size_t bytes);
void crash_guard_leave(void);
#endif
