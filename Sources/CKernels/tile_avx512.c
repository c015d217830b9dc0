// The tile kernels for AVX-512. C, because one portable binary must hold code for instruction sets that the machine it
// is built on may lack.
#if defined(__x86_64__)
#define TABLE tile_kernels_avx512
#define NAME "AVX-512"
#define LANES 16
#define BLOCK_ROWS 12
#define UNROLLED 4
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))), apply_to = function)
#include "tile_bodies.h"
#pragma clang attribute pop
#endif
