// The tile kernels for AVX2 with fused multiply-add. C, because one portable binary must hold code for instruction sets
// that the machine it is built on may lack.
#if defined(__x86_64__)
#define TABLE tile_kernels_avx2
#define NAME "AVX2"
#define LANES 8
#define BLOCK_ROWS 6
#define UNROLLED 8
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "tile_bodies.h"
#pragma clang attribute pop
#endif
