#include "crash_guard.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Fixed buffers: a handler may not allocate, and the heap may be what is broken.
static char message[2048];
static char leftover[4096];
static int exit_status = 65;
static _Thread_local volatile sig_atomic_t inside;

static void copy(char *to, const char *from, size_t size) {
    size_t length = from ? strlen(from) : 0;
    if (length >= size) length = size - 1;
    if (length) memcpy(to, from, length);
    to[length] = 0;
}

static void handle(int number) {
    if (inside) {
        ssize_t written = write(2, message, strlen(message));
        (void)written;
        if (leftover[0]) unlink(leftover);
        _exit(exit_status);
    }
    signal(number, SIG_DFL);
    raise(number);
}

void crash_guard_install(void) {
    // A stack of its own: a recursion without end in the library has used up the other.
    static char stack[65536];
    stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternative, NULL);
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
}

void crash_guard_context(const char *text, int status, const char *remove) {
    copy(message, text, sizeof message);
    copy(leftover, remove, sizeof leftover);
    exit_status = status;
}

void crash_guard_enter(void) { inside = 1; }
void crash_guard_leave(void) { inside = 0; }
