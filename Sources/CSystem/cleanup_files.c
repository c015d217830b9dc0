// In C because a signal handler may do next to nothing, and Swift does not say which of its operations allocate or lock.
#define _GNU_SOURCE
#include "cleanup_files.h"
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

// A handler may not wait for a lock, so each entry says itself whether its path is complete.
enum { max_files = 16 };
enum state { is_free, is_changing, is_complete };
static struct {
    _Atomic int state;
    char path[PATH_MAX];
} files[max_files];

void cleanup_file_add(const char *path) {
    if (strlen(path) >= sizeof files->path) return;
    for (int i = 0; i < max_files; i++) {
        int expected = is_free;
        if (!atomic_compare_exchange_strong(&files[i].state, &expected, is_changing)) continue;
        strcpy(files[i].path, path);
        atomic_store(&files[i].state, is_complete);
        return;
    }
}

void cleanup_file_remove(const char *path) {
    for (int i = 0; i < max_files; i++)
        if (atomic_load(&files[i].state) == is_complete && strcmp(files[i].path, path) == 0) {
            atomic_store(&files[i].state, is_free);
            return;
        }
}

void cleanup_files_remove(void) {
    for (int i = 0; i < max_files; i++)
        if (atomic_load(&files[i].state) == is_complete) unlink(files[i].path);
}

void end_by_signal(int number) {
    cleanup_files_remove();
    signal(number, SIG_DFL);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, number);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    raise(number);
}

void install_file_cleanup(void) {
    const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = end_by_signal}, present;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], NULL, &present) == 0 && present.sa_handler == SIG_DFL)
            sigaction(signals[i], &action, NULL);
    sigaction(SIGQUIT, &action, NULL);
    // The parent process may have blocked it, and the mask is inherited.
    sigset_t quit;
    sigemptyset(&quit);
    sigaddset(&quit, SIGQUIT);
    sigprocmask(SIG_UNBLOCK, &quit, NULL);
}
