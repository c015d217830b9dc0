// Kernels in C: loops that need a choice of instruction set at run time or an instruction that Swift
// has no name for (CRC-32C), a signal handler, and a process that is started with nothing open. Everything else is Swift.
#ifndef CKERNELS_H
#define CKERNELS_H
#include <stddef.h>
#include <stdint.h>
#include "adam.h"
#include "checksum.h"
#include "tile_kernels.h"
#include "cores.h"
#include "crash_guard.h"
#include "reader_process.h"
#endif
