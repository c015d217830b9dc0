// In C because a signal handler may do next to nothing, and Swift does not say which of its operations allocate or lock.
#define _GNU_SOURCE
#include "crash_guard.h"
#include "cleanup_files.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

// Fixed buffers: a handler may not allocate, and the heap may be what is broken.
static char message[2048];
static char removed_file[4096];
static int exit_status = 65;
static _Thread_local volatile sig_atomic_t inside;
static int is_reading;

// Limits of a call that reads a file: computing time of its thread, so that a slow disk does not count, and address space
// beyond what the process has.
static const time_t call_seconds = 6;
static const rlim_t call_bytes = (rlim_t)1 << 30;
// Known values extend the time by this rate.
static const size_t bytes_per_second = 20000000;

static void copy(char *to, const char *from, size_t size) {
    size_t length = from ? strlen(from) : 0;
    if (length >= size) length = size - 1;
    if (length) memcpy(to, from, length);
    to[length] = 0;
}

// The kernel's own SIGXCPU, not that of limit_time: the command stops as if it had been asked to.
static void end_computing_time(void) {
    static const char reason[] = "note: the computing time that is allowed ('ulimit -t') is nearly used up\n";
    static volatile sig_atomic_t was_told;
    if (was_told) return;
    was_told = 1;
    ssize_t written = write(2, reason, sizeof reason - 1);
    (void)written;
    kill(getpid(), SIGTERM);
}

// What Swift's runtime does at a trap (SIGILL, SIGTRAP): it prints where.
static struct sigaction of_runtime[2];

static void end(const char *text, int status) {
    ssize_t written = write(2, text, strlen(text));
    (void)written;
    cleanup_files_remove();
    _exit(status);
}

static void end_library(void) {
    if (removed_file[0]) unlink(removed_file);
    // libhdf5 also dies of an error where it closes a good file.
    if (is_reading && errno == EIO)
        end("error: a file could not be read: Input/output error; the disk or its connection is failing\n", 74);
    end(message, exit_status);
}

// What failed may have called others since, and errno is theirs.
static int memory_is_refused(void) {
    const size_t size = 1 << 22;
    void *place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) return errno == ENOMEM;
    munmap(place, size);
    return 0;
}

// libhdf5 leaves by exit(-1) where memory is refused in one place.
static void handle_exit(void) {
    if (inside) end_library();
}

static void handle(int number, siginfo_t *info, void *context) {
    (void)context;
    if (number == SIGXCPU && info->si_code != SI_TIMER) return end_computing_time();
    if (inside) end_library();
    // Swift's runtime and C++ end the process by an abort where memory is refused, or use the null pointer or trap on it. Commands
    // plan theirs; this is for what a plan does not foresee.
    if (errno == ENOMEM || memory_is_refused())
        end("error: the system refused memory; raise the limit ('ulimit -v', 'ulimit -d', a control group)\n", 71);
    // libproj, for one, ends in an abort where it cannot read its database.
    if (number == SIGABRT)
        end("error: a library ended this command; check whether the disk can be read, and report it if it can\n", 70);
    cleanup_files_remove();
    if (number == SIGILL || number == SIGTRAP) sigaction(number, &of_runtime[number == SIGTRAP], NULL);
    else signal(number, SIG_DFL);
    raise(number);
}

void crash_guard_install(void) {
    // A stack of its own: an infinite recursion in the library has used up the other.
    static char stack[65536];
    stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternative, NULL);
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGXCPU};
    // The parent process may have blocked them (Swift's Process does, from some threads), and the mask is inherited.
    sigset_t handled;
    sigemptyset(&handled);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        sigaction(signals[i], &action, NULL);
        sigaddset(&handled, signals[i]);
    }
    sigprocmask(SIG_UNBLOCK, &handled, NULL);
    sigaction(SIGILL, &action, &of_runtime[0]);
    sigaction(SIGTRAP, &action, &of_runtime[1]);
    atexit(handle_exit);
}

void crash_guard_context(const char *text, int status, const char *remove) {
    copy(message, text, sizeof message);
    copy(removed_file, remove, sizeof removed_file);
    exit_status = status;
    is_reading = remove == NULL;
}

// Starts a timer of the calling thread's computing time, whose signal goes to that thread; 0 stops it.
static void limit_time(time_t seconds) {
    static _Thread_local timer_t timer;
    static _Thread_local int made;
    if (!made) {
        struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGXCPU};
        event._sigev_un._tid = gettid();
        made = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0 ? 1 : -1;
    }
    struct itimerspec after = {.it_value = {.tv_sec = seconds}};
    if (made > 0) timer_settime(timer, 0, &after, NULL);
}

static rlim_t mapped_bytes(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) return 0;
    if (fscanf(file, "%lu", &pages) != 1) pages = 0;
    fclose(file);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

// The soft limit before the call; calls do not nest, and other threads wait for their turn.
static struct rlimit outer;
static int is_limited;

void crash_guard_enter(size_t bytes) {
    inside = 1;
    if (!is_reading) return;
    limit_time(call_seconds + (time_t)(bytes / bytes_per_second));
    rlim_t mapped = mapped_bytes();
    rlim_t allowed = mapped + call_bytes + bytes;
    is_limited = mapped > 0 && getrlimit(RLIMIT_AS, &outer) == 0;
    if (is_limited && (outer.rlim_cur == RLIM_INFINITY || outer.rlim_cur > allowed)) {
        struct rlimit limit = {.rlim_cur = allowed, .rlim_max = outer.rlim_max};
        setrlimit(RLIMIT_AS, &limit);
    }
}

void crash_guard_leave(void) {
    if (is_limited) setrlimit(RLIMIT_AS, &outer);
    is_limited = 0;
    if (is_reading) limit_time(0);
    inside = 0;
}
