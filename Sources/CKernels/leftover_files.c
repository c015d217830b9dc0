#define _GNU_SOURCE
#include "leftover_files.h"
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

// A handler may not wait for a lock, so each place says itself whether its path is whole.
enum { most_files = 16 };
enum state { is_free, is_changing, is_whole };
static struct {
    _Atomic int state;
    char path[PATH_MAX];
} files[most_files];

void leftover_file_add(const char *path) {
    if (strlen(path) >= sizeof files->path) return;
    for (int i = 0; i < most_files; i++) {
        int expected = is_free;
        if (!atomic_compare_exchange_strong(&files[i].state, &expected, is_changing)) continue;
        strcpy(files[i].path, path);
        atomic_store(&files[i].state, is_whole);
        return;
    }
}

void leftover_file_drop(const char *path) {
    for (int i = 0; i < most_files; i++)
        if (atomic_load(&files[i].state) == is_whole && strcmp(files[i].path, path) == 0) {
            atomic_store(&files[i].state, is_free);
            return;
        }
}

void leftover_files_remove(void) {
    for (int i = 0; i < most_files; i++)
        if (atomic_load(&files[i].state) == is_whole) unlink(files[i].path);
}

void end_by_signal(int number) {
    leftover_files_remove();
    signal(number, SIG_DFL);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, number);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    raise(number);
}

void end_by_signals_without_leftovers(void) {
    const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = end_by_signal}, present;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], NULL, &present) == 0 && present.sa_handler == SIG_DFL)
            sigaction(signals[i], &action, NULL);
    sigaction(SIGQUIT, &action, NULL);
    // Who starts the command may have blocked it, and the mask is inherited.
    sigset_t quit;
    sigemptyset(&quit);
    sigaddset(&quit, SIGQUIT);
    sigprocmask(SIG_UNBLOCK, &quit, NULL);
}
