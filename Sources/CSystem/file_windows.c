// In C because a signal handler may do next to nothing, and Swift does not say which of its operations allocate or lock.
#define _GNU_SOURCE
#include "file_windows.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

// Far fewer than the mappings that a process may have (65,530); two streamed chunks take up to 40.
enum { slot_count = 8192 };
enum { slot_free = 0, slot_changing = 1 };

// A handler may not wait for a lock, so a slot is published by its begin.
static struct {
    _Atomic uintptr_t begin; // or slot_free, slot_changing
    _Atomic uintptr_t end;
    _Atomic uintptr_t fault;
} windows[slot_count];

static uintptr_t page_size;
static struct sigaction previous;
static int is_installed;

static int recover(uintptr_t address) {
    for (int slot = 0; slot < slot_count; slot++) {
        uintptr_t begin = atomic_load(&windows[slot].begin);
        uintptr_t end = atomic_load(&windows[slot].end);
        // Read again: the slot may have passed to another window in between.
        if (begin <= slot_changing || address < begin || address >= end || atomic_load(&windows[slot].begin) != begin)
            continue;
        uintptr_t page = address & ~(page_size - 1);
        if (mmap((void *)page, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
            return 0;
        uintptr_t none = 0;
        atomic_compare_exchange_strong(&windows[slot].fault, &none, address);
        return 1;
    }
    return 0;
}

static void handle(int number, siginfo_t *info, void *context) {
    int error = errno;
    // Only the kernel's own signals have an address.
    if (info->si_code > 0 && recover((uintptr_t)info->si_addr)) {
        errno = error;
        return;
    }
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(number, info, context);
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(number);
    } else {
        signal(number, SIG_DFL);
        raise(number);
    }
}

static void install(void) {
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    is_installed = sigaction(SIGBUS, &action, &previous) == 0;
}

int file_window_register(const void *begin, size_t bytes) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    if (!is_installed) return -1;
    // From where the last one was found: windows come and go in order.
    static _Atomic unsigned next;
    for (int tried = 0; tried < slot_count; tried++) {
        int slot = (int)(atomic_fetch_add(&next, 1) % slot_count);
        uintptr_t expected = slot_free;
        if (!atomic_compare_exchange_strong(&windows[slot].begin, &expected, slot_changing)) continue;
        atomic_store(&windows[slot].end, (uintptr_t)begin + bytes);
        atomic_store(&windows[slot].fault, 0);
        atomic_store(&windows[slot].begin, (uintptr_t)begin);
        return slot;
    }
    return -1;
}

const void *file_window_fault(int slot) { return (const void *)atomic_load(&windows[slot].fault); }

void file_window_unregister(int slot) { atomic_store(&windows[slot].begin, slot_free); }
