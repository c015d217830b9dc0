#ifndef CKERNELS_LEFTOVER_FILES_H
#define CKERNELS_LEFTOVER_FILES_H

/// A file that is to be removed where a signal ends the process, and one that no longer is. Paths that are too long, and more
/// files than any command writes at a time, are let be.
void leftover_file_add(const char *path);
void leftover_file_drop(const char *path);

/// Removes them all; may be called by a signal handler.
void leftover_files_remove(void);

/// Ends the process by a signal, as its default action does, without what it was writing. In C because a signal handler may do
/// next to nothing, and Swift does not say which of its operations allocate.
void end_by_signal(int number);

/// From here on, those of the signals that would end the process at once do it so; Ctrl-\ (SIGQUIT), for which Swift's runtime
/// would print where it was, as well.
void end_by_signals_without_leftovers(void);
#endif
