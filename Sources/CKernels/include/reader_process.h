#ifndef CKERNELS_READER_PROCESS_H
#define CKERNELS_READER_PROCESS_H
#include <sys/types.h>

/// Starts this program once more as `command mark path`, its stdin a socket whose other end is given back; -1 with errno
/// where that fails. It inherits nothing else that is open, and says nothing: stdout and stderr lead nowhere. In C because
/// Swift does not see the call that closes what is open.
int reader_process_start(const char *command, const char *mark, const char *path, pid_t *process);

/// The started process, first thing: it dies with the thread that started it, leaves no core dump, writes no file, and
/// leaves Ctrl-C and the like to that process. False where this is no process that was started so (a user typed the mark).
/// In C because prctl is variadic.
int reader_process_confine(void);
#endif
