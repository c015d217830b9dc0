// In C because a signal handler may do next to nothing, and Swift does not say which of its operations allocate or lock.
#define _GNU_SOURCE
#include "cleanup_files.h"
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// A handler may not wait for a lock, so each entry says itself whether its path is complete.
enum { max_files = 16 };
enum state { is_free, is_changing, is_complete };
static struct {
    _Atomic int state;
    char path[PATH_MAX];
} files[max_files];

// Threads that are making a file which is not in the list yet, and the signals that each of them had blocked before.
static _Atomic int making;
static _Thread_local sigset_t blocked_before;

void cleanup_files_hold(void) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &blocked_before);
    atomic_fetch_add(&making, 1);
}

void cleanup_files_release(void) {
    atomic_fetch_sub(&making, 1);
    pthread_sigmask(SIG_SETMASK, &blocked_before, NULL);
}

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

static _Atomic pid_t child;

void cleanup_child_set(int process) { atomic_store(&child, process); }

void cleanup_files_remove(void) {
    // First: it may make a file again.
    const pid_t process = atomic_load(&child);
    if (process > 0) kill(process, SIGKILL);
    for (int i = 0; i < max_files; i++)
        if (atomic_load(&files[i].state) == is_complete) unlink(files[i].path);
}

void end_by_signal(int number) {
    // Another thread may be between making a file and adding it; a second is long for that.
    for (int tries = 0; tries < 1000 && atomic_load(&making) > 0; tries++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
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
