#ifndef CSYSTEM_CRASH_GUARD_H
#define CSYSTEM_CRASH_GUARD_H
#include <stddef.h>

/// Makes a crash inside of libnetcdf or libhdf5 an error with a message. Both die of SIGSEGV or SIGABRT on some damaged
/// files, and libhdf5 also after a write that failed.
void crash_guard_install(void);

/// Sets what a crash from here on prints, its exit status, and the file that it removes (or NULL, while a file is read).
void crash_guard_context(const char *message, int status, const char *remove);

/// Called before and after every call into the library, one at a time: only in between is a crash attributed to the library. While a
/// file is read, a call also ends the process after 6 s of computing, and gets no more than 1 GB of memory: a few changed
/// bytes can make both libraries loop, or ask for any size. `bytes`, which the call is known to return, are added to both limits.
void crash_guard_enter(size_t bytes);
void crash_guard_leave(void);
#endif
