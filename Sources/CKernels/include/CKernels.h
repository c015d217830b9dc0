// Numerical kernels in C: loops that choose an instruction set at run time, or need an instruction that Swift has no name for.
#ifndef CKERNELS_H
#define CKERNELS_H
#include <stddef.h>
#include <stdint.h>
#include "adam.h"
#include "checksum.h"
#include "tile_kernels.h"
#endif
