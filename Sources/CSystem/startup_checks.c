// Checks of a shell's or batch system's limits that could not be reported later, made before any library is initialised. In C
// because only a function in .preinit_array runs that early. OpenBLAS starts a thread per core as soon as it is loaded; where memory
// is limited, such a thread asks for 128 MB over and over, and where it cannot be started, it ends the process as if by Ctrl-C.
// Nothing here uses these threads, and no limit says how many processes others will have. And a file that is opened while standard
// input, output or error is closed takes its number: messages would be written into a data file. Swift asks /proc for the arguments
// of a process, and finds none where that is not mounted: they are noted here.
#define _GNU_SOURCE
#include "program_arguments.h"
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

// A command has up to 20 files open, including those that it was started with; with one less its message may be lost.
enum { free_descriptors = 16 };
// What starting takes beyond the libraries, which are mapped already.
static const size_t free_bytes = (size_t)64 << 20;

// Less overflows in libhdf5. A thread's stack has this limit as well, from the beginning of the program.
static const rlim_t stack_bytes = (rlim_t)256 << 10;

static char one_thread[] = "OPENBLAS_NUM_THREADS=1";
static const size_t name_length = sizeof "OPENBLAS_NUM_THREADS=" - 1;

static void refuse(const char *message) {
    ssize_t written = write(2, message, strlen(message));
    (void)written;
    _exit(71); // EX_OSERR
}

static rlim_t limit_of(__rlimit_resource_t resource) {
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

static void open_standard_descriptors(void) {
    for (int number = 0; number <= 2; number++)
        // open takes the lowest free number.
        if (fcntl(number, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
}

static void require_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= 256) return;
    limit.rlim_cur = limit.rlim_max < 256 ? limit.rlim_max : 256;
    setrlimit(RLIMIT_NOFILE, &limit);
    int ends[free_descriptors];
    int count = 0;
    while (count < free_descriptors && pipe(ends + count) == 0) count += 2;
    for (int i = 0; i < count; i++) close(ends[i]);
    if (count < free_descriptors)
        refuse("error: too few files may be open in this shell ('ulimit -n'); allow 256 or more, for instance with: ulimit -n 1024\n");
}

static void require_memory(void) {
    void *room = mmap(NULL, free_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        refuse("error: this shell leaves no memory to start in ('ulimit -v', 'ulimit -d'); allow 1000000 kB or more\n");
    munmap(room, free_bytes);
}

// Starts this program again, by the path that it was started with: a bundle chooses its command by that.
static void restart(char **arguments, char **environment) {
    const char *path = (const char *)getauxval(AT_EXECFN);
    if (path) execve(path, arguments, environment);
}

static void require_stack(char **arguments, char **environment) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= stack_bytes) return;
    if (limit.rlim_max < stack_bytes)
        refuse("error: this shell leaves too little stack ('ulimit -s'); allow 1024 kB or more\n");
    limit.rlim_cur = limit.rlim_max < 32 * stack_bytes ? limit.rlim_max : 32 * stack_bytes;
    if (setrlimit(RLIMIT_STACK, &limit) == 0) restart(arguments, environment);
}

// 'ulimit -t' sets both limits on computing time to one value, at which the process is killed without a word. With the soft one below
// it, SIGXCPU comes first (crash_guard.c).
static void leave_time_to_stop(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_CPU, &limit) != 0 || limit.rlim_max == RLIM_INFINITY || limit.rlim_cur < limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max > 50 ? limit.rlim_max / 10 * 9 : limit.rlim_max > 10 ? limit.rlim_max - 5 : limit.rlim_max / 2;
    setrlimit(RLIMIT_CPU, &limit);
}

// Libraries see the environment that the kernel gave, whatever is set later.
static void start_with_one_thread(char **arguments, char **environment) {
    size_t count = 0;
    while (environment[count]) count++;
    char *all[count + 2];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(environment[i], one_thread) == 0) return;
        if (strncmp(environment[i], one_thread, name_length) != 0) all[kept++] = environment[i];
    }
    all[kept] = one_thread;
    all[kept + 1] = NULL;
    restart(arguments, all);
}

static char **given_arguments;

char *const *program_arguments(void) { return given_arguments; }

static void check(int count, char **arguments, char **environment) {
    (void)count;
    given_arguments = arguments;
    open_standard_descriptors();
    require_descriptors();
    require_stack(arguments, environment);
    leave_time_to_stop();
    if (limit_of(RLIMIT_AS) != RLIM_INFINITY || limit_of(RLIMIT_DATA) != RLIM_INFINITY) require_memory();
    start_with_one_thread(arguments, environment);
}

__attribute__((section(".preinit_array"), used)) static void (*const check_first)(int, char **, char **) = check;
