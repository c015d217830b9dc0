// What the operating system offers in C alone: signal handlers, variadic calls and macros, a function that runs before main.
// Nothing here changes the environment before main: a static Swift runtime finds its arguments next to the environment that
// the kernel gave (Scripts/bundle --check tests it).
#ifndef CSYSTEM_H
#define CSYSTEM_H
#include "cleanup_files.h"
#include "cores.h"
#include "crash_guard.h"
#include "file_lock.h"
#include "file_room.h"
#include "file_windows.h"
#include "parent.h"
#include "program_arguments.h"
#include "reader_confinement.h"
#include "reader_process.h"
#endif
