// Stands in for a reader that a file has taken over: confined as a reader is, it tries what one must not, and tells what it could do.
// Arguments: the file that it may read, another one, and one that does not exist. Not part of the commands.
#define _GNU_SOURCE
#include "reader_confinement.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *what, int could) { printf("%s %s\n", what, could ? "done" : "refused"); }
static void *work(void *nothing) { return nothing; }

static int spawned(void) {
    pid_t process;
    char *const arguments[] = {"true", NULL};
    return posix_spawn(&process, "/bin/true", NULL, NULL, arguments, NULL) == 0;
}

static int forked(void) {
    pid_t process = fork();
    if (process == 0) _exit(0);
    return process > 0;
}

static int threaded(void) {
    pthread_t thread;
    return pthread_create(&thread, NULL, work, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

int main(int count, char **arguments) {
    if (count != 4) return 64;
    const char *own = arguments[1], *other = arguments[2], *none = arguments[3];
    const pid_t parent = getppid();
    char bytes[8];
    struct iovec piece = {bytes, sizeof bytes};
    struct rlimit limit;
    setvbuf(stdout, NULL, _IONBF, 0);
    printf("landlock %d\nseccomp %d\n", reader_landlock_version(), reader_seccomp_exists());
    reader_confinement_begin(own);

    tell("read-own", open(own, O_RDONLY) >= 0);
    tell("read-status", open("/proc/self/statm", O_RDONLY) >= 0);
    tell("start-thread", threaded());
    tell("signal-itself", kill(getpid(), 0) == 0);

    tell("read-other", open(other, O_RDONLY) >= 0);
    tell("read-through-proc", open("/proc/self/root/etc/passwd", O_RDONLY) >= 0);
    tell("read-parent", open("/proc/1/environ", O_RDONLY) >= 0);
    tell("read-folder", open("/", O_RDONLY | O_DIRECTORY) >= 0);
    tell("write-own", open(own, O_WRONLY) >= 0);
    tell("empty-own", open(own, O_RDONLY | O_TRUNC) >= 0);
    tell("make-file", open(none, O_RDONLY | O_CREAT, 0600) >= 0);
    tell("make-folder", mkdir(none, 0700) == 0);
    tell("shorten", truncate(own, 0) == 0);
    tell("rename", rename(own, none) == 0);
    tell("remove", unlink(other) == 0);
    tell("change-mode", chmod(own, 0) == 0);
    tell("connect", socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
    tell("start-program", spawned());
    tell("start-process", forked());
    tell("become-program", execl("/bin/true", "true", NULL) == 0);
    tell("signal-another", kill(parent, 0) == 0);
    tell("own-signals-of-another", fcntl(0, F_SETOWN, parent) == 0);
    tell("trace", ptrace(PTRACE_SEIZE, parent, NULL, NULL) == 0);
    tell("read-memory", process_vm_readv(parent, &piece, 1, &piece, 1, 0) >= 0 || errno == EFAULT);
    tell("limit-another", prlimit(parent, RLIMIT_CORE, NULL, &limit) == 0);
    return 0;
}
