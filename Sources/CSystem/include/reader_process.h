#ifndef CSYSTEM_READER_PROCESS_H
#define CSYSTEM_READER_PROCESS_H
#include <sys/types.h>

/// Starts this program again as `command mark path` and returns the other end of the socket that is its stdin; -1 with errno
/// on failure. It inherits no other open file, and its stdout and stderr are discarded.
int reader_process_start(const char *command, const char *mark, const char *path, pid_t *process);

/// To be called first in the started process: it dies with the thread that started it, leaves no core dump, writes no file, and
/// leaves Ctrl-C and the like to its parent. 0 where this process was not started so (a user typed the mark).
int reader_process_confine(void);
#endif
