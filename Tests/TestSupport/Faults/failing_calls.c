// Loaded into a command with LD_PRELOAD (Faults.swift): makes its n-th call of a kind fail, or kills it there, and counts these calls.
// In C because the dynamic linker takes the names of the C library from it. The variables:
//
//     PINN_FAULT_CALL    the kind, a word of `kinds`
//     PINN_FAULT_ERRNO   the error's number; 0: SIGKILL in place of the call
//     PINN_FAULT_AT      which call, from 1; 0: none
//     PINN_FAULT_ONWARD  set: that call and all after it
//     PINN_FAULT_COUNT   a file of eight bytes for each kind, the number of calls so far, shared with the processes that the command
//                        starts
//
// Calls count from the beginning of main, for libraries start as the system has them; allocations from where the command handles
// SIGABRT, for before that nobody could say anything. Calls that the C library makes of itself (the write behind fflush) are not seen.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { allocating, opening, reading, writing, synchronizing, renaming, mapping, closing, threading, spawning, kind_count };
static const char *const kinds[kind_count] = {
    "allocate", "open", "read", "write", "synchronize", "rename", "map", "close", "thread", "spawn",
};

static enum kind failing_kind = kind_count;
static int error_number;
static uint64_t first;
static int is_onward;
static _Atomic uint64_t own_counts[kind_count];
static _Atomic uint64_t *counts = own_counts;
static _Atomic int has_begun, handles_aborts;

static void configure(void) {
    const char *call = getenv("PINN_FAULT_CALL");
    for (int kind = 0; kind < kind_count; kind++)
        if (call && strcmp(call, kinds[kind]) == 0) failing_kind = kind;
    const char *number = getenv("PINN_FAULT_ERRNO"), *at = getenv("PINN_FAULT_AT"), *path = getenv("PINN_FAULT_COUNT");
    error_number = number ? atoi(number) : EIO;
    first = at ? strtoull(at, NULL, 10) : 0;
    is_onward = getenv("PINN_FAULT_ONWARD") != NULL;
    // Nothing fails before has_begun is set, so these are the functions of the C library.
    int handle = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (handle < 0) return;
    void *shared = mmap(NULL, sizeof own_counts, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    close(handle);
    if (shared != MAP_FAILED) counts = shared;
}

// Whether this call is to fail; then errno is set.
static int fails(enum kind kind) {
    if (!atomic_load(&has_begun)) return 0;
    uint64_t place = atomic_fetch_add(&counts[kind], 1) + 1;
    if (kind != failing_kind || first == 0 || (is_onward ? place < first : place != first)) return 0;
    if (error_number == 0) syscall(SYS_kill, getpid(), SIGKILL);
    errno = error_number;
    return 1;
}

// The function of the C library that this one stands before.
#define NEXT(name) \
    static __typeof__(name) *next; \
    if (!next) next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

// A function with these parameters, which returns `failed` where it fails.
#define FAILING(kind, result, failed, name, parameters, arguments) \
    result name parameters { \
        NEXT(name); \
        return fails(kind) ? failed : next arguments; \
    }

static int (*command)(int, char **, char **);
static int begin(int argument_count, char **arguments, char **environment) {
    configure();
    atomic_store(&has_begun, 1);
    return command(argument_count, arguments, environment);
}

int __libc_start_main(
    int (*start)(int, char **, char **), int argument_count, char **arguments, void (*init)(void), void (*fini)(void),
    void (*loader_fini)(void), void *stack_end
) {
    NEXT(__libc_start_main);
    command = start;
    return next(begin, argument_count, arguments, init, fini, loader_fini, stack_end);
}

// Not by dlsym, which may allocate itself.
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);

static int allocation_fails(void) { return atomic_load(&handles_aborts) && fails(allocating); }
void *malloc(size_t size) { return allocation_fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t number, size_t size) { return allocation_fails() ? NULL : __libc_calloc(number, size); }
void *realloc(void *old, size_t size) { return allocation_fails() ? NULL : __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { return allocation_fails() ? NULL : __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **place, size_t alignment, size_t size) {
    int before = errno;
    void *made = memalign(alignment, size);
    if (!made) return ENOMEM;
    errno = before;
    *place = made;
    return 0;
}

int sigaction(int number, const struct sigaction *action, struct sigaction *old) {
    NEXT(sigaction);
    int status = next(number, action, old);
    if (number == SIGABRT && action && atomic_load(&has_begun)) atomic_store(&handles_aborts, 1);
    return status;
}

static mode_t mode_of(int flags, va_list arguments) {
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}
#define FAILING_OPEN(name, parameters, arguments) \
    int name parameters { \
        NEXT(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = mode_of(flags, rest); \
        va_end(rest); \
        return fails(opening) ? -1 : next arguments; \
    }
FAILING_OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
FAILING_OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
FAILING_OPEN(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
FAILING_OPEN(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
FAILING(opening, FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode))
FAILING(opening, FILE *, NULL, fopen64, (const char *path, const char *mode), (path, mode))
FAILING(opening, FILE *, NULL, fdopen, (int handle, const char *mode), (handle, mode))
FAILING(opening, DIR *, NULL, opendir, (const char *path), (path))

// A socket between processes has no disk behind it.
static int is_socket(int handle) {
    int type;
    socklen_t size = sizeof type;
    int before = errno;
    int is_one = getsockopt(handle, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
    errno = before;
    return is_one;
}

ssize_t read(int handle, void *to, size_t size) {
    NEXT(read);
    return !is_socket(handle) && fails(reading) ? -1 : next(handle, to, size);
}
FAILING(reading, ssize_t, -1, pread, (int handle, void *to, size_t size, off_t at), (handle, to, size, at))
FAILING(reading, ssize_t, -1, pread64, (int handle, void *to, size_t size, off64_t at), (handle, to, size, at))

// Not on standard error, where the test looks.
ssize_t write(int handle, const void *from, size_t size) {
    NEXT(write);
    return handle != 2 && !is_socket(handle) && fails(writing) ? -1 : next(handle, from, size);
}
FAILING(writing, ssize_t, -1, pwrite, (int handle, const void *from, size_t size, off_t at), (handle, from, size, at))
FAILING(writing, ssize_t, -1, pwrite64, (int handle, const void *from, size_t size, off64_t at), (handle, from, size, at))
FAILING(writing, int, -1, ftruncate, (int handle, off_t size), (handle, size))
FAILING(writing, int, -1, ftruncate64, (int handle, off64_t size), (handle, size))
int fputs(const char *text, FILE *file) {
    NEXT(fputs);
    return file != stderr && fails(writing) ? EOF : next(text, file);
}
int fflush(FILE *file) {
    NEXT(fflush);
    return file && file != stderr && fails(writing) ? EOF : next(file);
}

FAILING(synchronizing, int, -1, fsync, (int handle), (handle))
FAILING(synchronizing, int, -1, fdatasync, (int handle), (handle))
FAILING(renaming, int, -1, rename, (const char *from, const char *to), (from, to))
FAILING(renaming, int, -1, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
FAILING(renaming, int, -1, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags))
FAILING(renaming, int, -1, link, (const char *from, const char *to), (from, to))
FAILING(renaming, int, -1, linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags))

FAILING(mapping, void *, MAP_FAILED, mmap, (void *at, size_t size, int protection, int flags, int handle, off_t offset),
    (at, size, protection, flags, handle, offset))
FAILING(mapping, void *, MAP_FAILED, mmap64, (void *at, size_t size, int protection, int flags, int handle, off64_t offset),
    (at, size, protection, flags, handle, offset))

// Closed all the same, as Linux does.
int close(int handle) {
    NEXT(close);
    int status = next(handle);
    return fails(closing) ? -1 : status;
}
int fclose(FILE *file) {
    NEXT(fclose);
    int status = next(file);
    return fails(closing) ? EOF : status;
}

// These return the error's number.
FAILING(threading, int, errno, pthread_create,
    (pthread_t * thread, const pthread_attr_t *attributes, void *(*work)(void *), void *argument),
    (thread, attributes, work, argument))
FAILING(spawning, int, errno, posix_spawn,
    (pid_t * process, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
        char *const arguments[], char *const environment[]),
    (process, path, actions, attributes, arguments, environment))
FAILING(spawning, int, -1, socketpair, (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends))
