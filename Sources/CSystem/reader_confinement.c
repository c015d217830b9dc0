// In C because system calls without a function of their own are variadic. The numbers of linux/landlock.h are written here: older
// systems have no such header, and a program that was built there may run on a newer kernel.
#define _GNU_SOURCE
#include "reader_confinement.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Landlock: the same numbers on all processors (landlock(7)).
enum { create_ruleset = 444, add_rule = 445, restrict_self = 446, version_flag = 1, beneath_path = 1 };
enum { read_file = 1 << 2, read_folder = 1 << 3 };

struct rights {
    uint64_t files, ports, scopes;
};

int reader_landlock_version(void) {
    long version = syscall(create_ruleset, NULL, 0, version_flag);
    return version > 0 ? (int)version : 0;
}

int reader_seccomp_exists(void) {
    const uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

// All that a version can forbid.
static struct rights all_rights(int version) {
    static const int kinds_of_access[] = {0, 13, 14, 15, 15, 16};
    struct rights rights = {.files = (1u << kinds_of_access[version < 5 ? version : 5]) - 1};
    if (version >= 4) rights.ports = 3; // to bind and to connect
    if (version >= 6) rights.scopes = 3; // abstract sockets and signals
    return rights;
}

static void allow_reading(int rules, const char *path) {
    struct {
        uint64_t access;
        int32_t place;
    } __attribute__((packed)) rule = {read_file, open(path, O_PATH | O_CLOEXEC)};
    struct stat info;
    if (rule.place < 0) return;
    if (fstat(rule.place, &info) == 0 && S_ISDIR(info.st_mode)) rule.access |= read_folder;
    syscall(add_rule, rules, beneath_path, &rule, 0);
    close(rule.place);
}

// Decompressors of the user's choice, and the libraries that they need.
static void allow_plugins(int rules) {
    const char *variable = getenv("HDF5_PLUGIN_PATH");
    char *folders = variable ? strdup(variable) : NULL;
    if (!folders) return;
    char *rest = NULL;
    for (char *folder = strtok_r(folders, ":", &rest); folder; folder = strtok_r(NULL, ":", &rest))
        allow_reading(rules, folder);
    free(folders);
    static const char *const libraries[] = {"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"};
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) allow_reading(rules, libraries[i]);
}

static void confine_files(const char *path) {
    int version = reader_landlock_version();
    if (version == 0) return;
    struct rights rights = all_rights(version);
    int rules = (int)syscall(create_ruleset, &rights, sizeof rights, 0);
    if (rules < 0) return;
    allow_reading(rules, path);
    // Where the guard of a call reads how much memory there is, and Swift the arguments.
    allow_reading(rules, "/proc/self");
    allow_plugins(rules);
    syscall(restrict_self, rules, 0);
    close(rules);
}

#if defined __x86_64__
enum { own_architecture = AUDIT_ARCH_X86_64 };
#elif defined __aarch64__
enum { own_architecture = AUDIT_ARCH_AARCH64 };
#else
enum { own_architecture = 0 };
#endif

// What reading, computing and answering need, whatever the values. (SYS_open and the like exist on x86-64 alone.)
static const int harmless[] = {
#ifdef SYS_open
    SYS_access, SYS_arch_prctl, SYS_getdents, SYS_lstat, SYS_poll, SYS_readlink, SYS_stat, SYS_time,
#endif
    SYS_brk, SYS_clock_getres, SYS_clock_gettime, SYS_clock_nanosleep, SYS_close, SYS_dup, SYS_exit, SYS_exit_group, SYS_faccessat,
    SYS_fadvise64, SYS_fstat, SYS_fstatfs, SYS_futex, SYS_getcwd, SYS_getdents64, SYS_getegid, SYS_geteuid, SYS_getgid, SYS_getpid,
    SYS_getppid, SYS_getrandom, SYS_getrusage, SYS_gettid, SYS_gettimeofday, SYS_getuid, SYS_lseek, SYS_madvise,
    SYS_membarrier, SYS_mmap, SYS_mprotect, SYS_mremap, SYS_munmap, SYS_nanosleep, SYS_newfstatat, SYS_ppoll, SYS_pread64, SYS_preadv,
    SYS_read, SYS_readlinkat, SYS_readv, SYS_recvfrom, SYS_restart_syscall, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
    SYS_sched_getaffinity, SYS_sched_yield, SYS_sendto, SYS_set_robust_list, SYS_set_tid_address, SYS_sigaltstack,
    SYS_statfs, SYS_statx, SYS_sysinfo, SYS_timer_create, SYS_timer_delete, SYS_timer_gettime, SYS_timer_settime, SYS_uname,
    SYS_write, SYS_writev,
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef SYS_getrlimit
    SYS_getrlimit, SYS_setrlimit,
#endif
};

enum { room = 256 };
struct program {
    struct sock_filter lines[room];
    unsigned short count;
};

_Static_assert(2 * sizeof harmless / sizeof *harmless + 7 * 7 < room, "as many lines as a filter of these calls has");

static void add(struct program *program, uint16_t code, uint32_t value, uint8_t if_true, uint8_t if_false) {
    program->lines[program->count++] = (struct sock_filter){code, if_true, if_false, value};
}

static void load(struct program *program, size_t place) { add(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)place, 0, 0); }
static void give_back(struct program *program, uint32_t action) { add(program, BPF_RET | BPF_K, action, 0, 0); }

enum test { equals = BPF_JEQ, is_below = BPF_JGE, has_any = BPF_JSET };

// A call that is allowed where `argument & mask` compares so; the lower half of an argument comes first.
static void allow_if(struct program *program, int call, int argument, uint32_t mask, enum test test, uint32_t value) {
    add(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 5);
    load(program, offsetof(struct seccomp_data, args) + (size_t)argument * sizeof(uint64_t));
    add(program, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
    add(program, BPF_JMP | (uint16_t)test | BPF_K, value, test == is_below, test != is_below);
    give_back(program, SECCOMP_RET_ALLOW);
    give_back(program, SECCOMP_RET_ERRNO | EPERM);
}

static void confine_calls(void) {
    if (own_architecture == 0) return;
    struct program program = {.count = 0};
    load(&program, offsetof(struct seccomp_data, arch));
    add(&program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)own_architecture, 1, 0);
    give_back(&program, SECCOMP_RET_KILL_PROCESS);
    load(&program, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        add(&program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)harmless[i], 0, 1);
        give_back(&program, SECCOMP_RET_ALLOW);
    }
    const uint32_t any = UINT32_MAX, writing = O_ACCMODE | O_CREAT | O_TRUNC, self = (uint32_t)getpid();
#ifdef SYS_open
    allow_if(&program, SYS_open, 1, writing, equals, 0);
#endif
    allow_if(&program, SYS_openat, 2, writing, equals, 0);
    // Threads. (Of clone3, whose flags a filter cannot see, the C library is told that there is none, and it takes clone.)
    allow_if(&program, SYS_clone, 0, any, has_any, CLONE_THREAD);
    allow_if(&program, SYS_tgkill, 0, any, equals, self);
    allow_if(&program, SYS_kill, 0, any, equals, self);
    allow_if(&program, SYS_prlimit64, 0, any, equals, 0);
    // Beyond F_SETLKW a descriptor is given an owner, to whom it sends signals.
    allow_if(&program, SYS_fcntl, 1, any, is_below, F_SETLKW + 1);
    give_back(&program, SECCOMP_RET_ERRNO | ENOSYS);
    const struct sock_fprog filter = {program.count, program.lines};
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

// libhdf5 writes the local time into the text of an error, and finding it replaces errno, which tells why a reading failed. A zone
// without a file is looked up once.
static void fix_time_zone(void) {
    setenv("TZ", "UTC0", 1);
    tzset();
}

void reader_confinement_begin(const char *path) {
    fix_time_zone();
    // Both ask for it: else a program that runs with other rights could be started.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return;
    confine_files(path);
    confine_calls();
}
