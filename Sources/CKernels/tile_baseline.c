// The tile kernels for every processor: SSE2 on x86-64, which has 16 registers of 4 floats; pairs of registers elsewhere,
// as on arm64, which has 32. C, for the same reason as its neighbours, which are made from the same text.
#define TABLE tile_kernels_baseline
#define BLOCK_ROWS 6
#define UNROLLED 4
#if defined(__x86_64__)
#define NAME "SSE2"
#define LANES 4
#else
#define NAME "portable"
#define LANES 8
#endif
#include "tile_bodies.h"
