#ifndef CSYSTEM_CLEANUP_FILES_H
#define CSYSTEM_CLEANUP_FILES_H

/// Adds a file to those that are removed when a signal ends the process, or takes it from them. A path of PATH_MAX or more, and
/// a seventeenth file, are not added.
void cleanup_file_add(const char *path);
void cleanup_file_remove(const char *path);

/// Around making a file and adding it: no signal is handled in between.
void cleanup_files_hold(void);
void cleanup_files_release(void);

/// A program that this one runs, which is killed before the files are removed; 0: none.
void cleanup_child_set(int process);

/// Removes them all; may be called by a signal handler.
void cleanup_files_remove(void);

/// Removes the files and ends the process by the signal's default action.
void end_by_signal(int number);

/// Handles SIGINT, SIGTERM and SIGHUP by `end_by_signal`, where their default action would end the process, and SIGQUIT, for which
/// Swift's runtime would print a backtrace.
void install_file_cleanup(void);
#endif
