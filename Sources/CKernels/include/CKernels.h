// Kernels in C: loops that need a choice of instruction set at run time or an instruction that Swift
// has no name for (CRC-32C), signal handlers, a process that is started with nothing open, and limits that are looked at before
// any library begins (early_limits.c). Everything else is Swift. Nothing here changes the environment before main: a static Swift
// runtime finds its arguments beside the one that the kernel gave (Scripts/bundle --check would have none).
#ifndef CKERNELS_H
#define CKERNELS_H
#include <stddef.h>
#include <stdint.h>
#include "adam.h"
#include "checksum.h"
#include "tile_kernels.h"
#include "cores.h"
#include "crash_guard.h"
#include "leftover_files.h"
#include "reader_process.h"
#endif
