#ifndef CSYSTEM_READER_PROCESS_H
#define CSYSTEM_READER_PROCESS_H
#include <sys/types.h>

/// The descriptor under which a reader inherits the memory that it shares.
enum { reader_process_memory = 3 };

/// Makes memory without any room yet, and returns its descriptor; -1 with errno on failure. It grows by ftruncate, and never shrinks:
/// a reader gone wrong cannot take from the command what that reads.
int reader_process_make_memory(void);

/// Starts this program again as `command mark path` and returns the other end of the socket that is its stdin; -1 with errno
/// on failure. It inherits `memory` and no other open file, and its stdout and stderr are discarded.
int reader_process_start(const char *command, const char *mark, const char *path, int memory, pid_t *process);

/// To be called first in the started process: it dies with the thread that started it, leaves no core dump, can do nothing but read
/// the file at `path` (reader_confinement.h), and leaves Ctrl-C and the like to its parent. 0 where this process was not started
/// so (a user typed the mark).
int reader_process_confine(const char *path);
#endif
