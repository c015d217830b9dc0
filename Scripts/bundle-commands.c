// All commands in one program, linked by Scripts/bundle: each alone is 60 MB, nearly all of it the static Swift runtime. The
// command is chosen by the name under which the program was started (bin has a link for each), or by the first argument:
// `pinn pinn-train --help`.
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define COMMAND(name, module) int module##_main(int, char **);
#include "commands.h"
#undef COMMAND

static const struct {
    const char *name;
    int (*main)(int, char **);
} commands[] = {
#define COMMAND(name, module) {name, module##_main},
#include "commands.h"
#undef COMMAND
};
enum { count = sizeof commands / sizeof commands[0] };

static int find(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    for (int i = 0; i < count; i++)
        if (strcmp(name, commands[i].name) == 0) return i;
    return -1;
}

/// A user's own link (~/bin/train) may have another name; then a link on the way to the program has the command's.
static int find_along_links(const char *start) {
    char path[PATH_MAX], target[PATH_MAX];
    if (strlen(start) >= sizeof path) return -1;
    strcpy(path, start);
    for (int links = 0; links < 40; links++) {
        int found = find(path);
        if (found >= 0) return found;
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length < 0) return -1;
        target[length] = 0;
        char *slash = strrchr(path, '/');
        size_t folder = target[0] == '/' || !slash ? 0 : (size_t)(slash - path) + 1;
        if (folder + (size_t)length >= sizeof path) return -1;
        memcpy(path + folder, target, (size_t)length + 1);
    }
    return -1;
}

int main(int argc, char **argv) {
    // A cluster's modules point to the database of another version of PROJ; ours lies next to its library.
    unsetenv("PROJ_DATA");
    unsetenv("PROJ_LIB");
    int found = argc > 0 ? find(argv[0]) : -1;
    const char *started = (const char *)getauxval(AT_EXECFN);
    if (found < 0 && started) found = find_along_links(started);
    if (found < 0 && argc > 1 && (found = find(argv[1])) >= 0) {
        // Executes itself again under the command's name: the Swift runtime reads the arguments from the kernel, not from argv.
        execv("/proc/self/exe", argv + 1);
        fprintf(stderr, "%s: /proc/self/exe: %s\n", argv[1], strerror(errno));
        return 71;
    }
    if (found >= 0) return commands[found].main(argc, argv);
    fputs("pinn: start it by a command's name:", stderr);
    for (int i = 0; i < count; i++) fprintf(stderr, " %s", commands[i].name);
    fputs("\n", stderr);
    return 64;
}
