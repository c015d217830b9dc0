// In C because prctl is variadic, and Swift does not see memfd_create and posix_spawn_file_actions_addclosefrom_np.
#define _GNU_SOURCE
#include "reader_process.h"
#include "parent.h"
#include "reader_confinement.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

// What a terminal or a batch system sends to all processes of a job: the command decides, its reader follows.
static const int signals_of_job[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
enum { signal_count = sizeof signals_of_job / sizeof *signals_of_job };

int reader_process_make_memory(void) {
    int memory = memfd_create("product values", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory >= 0) fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK);
    return memory;
}

int reader_process_start(const char *command, const char *mark, const char *path, int memory, pid_t *process) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    posix_spawn_file_actions_adddup2(&actions, memory, reader_process_memory);
    posix_spawn_file_actions_addclosefrom_np(&actions, reader_process_memory + 1);
    // Blocked until it ignores them: Ctrl-C may come before.
    sigset_t blocked;
    sigemptyset(&blocked);
    for (int i = 0; i < signal_count; i++) sigaddset(&blocked, signals_of_job[i]);
    posix_spawnattr_setsigmask(&attributes, &blocked);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    // By the name of the command: a bundle chooses by it (Scripts/bundle-commands.c), and links of a user's have others.
    char *const arguments[] = {(char *)command, (char *)mark, (char *)path, NULL};
    int status = posix_spawn(process, "/proc/self/exe", &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(ends[1]);
    if (status == 0) return ends[0];
    close(ends[0]);
    errno = status;
    return -1;
}

int reader_process_confine(const char *path) {
    int kind = 0;
    socklen_t size = sizeof kind;
    if (getsockopt(0, SOL_SOCKET, SO_TYPE, &kind, &size) != 0 || kind != SOCK_STREAM) return 0;
    die_with_parent();
    for (int i = 0; i < signal_count; i++) signal(signals_of_job[i], SIG_IGN);
    // Swift's runtime catches these to print a backtrace: nobody would see it, and a reader that was told to die would live on.
    const int fatal_signals[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV};
    for (size_t i = 0; i < sizeof fatal_signals / sizeof *fatal_signals; i++) signal(fatal_signals[i], SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    const struct rlimit zero = {0, 0};
    setrlimit(RLIMIT_FSIZE, &zero);
    setrlimit(RLIMIT_CORE, &zero);
    // A core dump that is piped to a program knows no limit.
    prctl(PR_SET_DUMPABLE, 0);
    reader_confinement_begin(path);
    return 1;
}
