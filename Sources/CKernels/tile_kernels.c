// Which table of tile kernels this processor runs. C, because the choice needs __builtin_cpu_supports.
#include "include/tile_kernels.h"

extern const struct tile_kernels tile_kernels_baseline;
#if defined(__x86_64__)
extern const struct tile_kernels tile_kernels_avx2, tile_kernels_avx512;
#endif

size_t tile_kernels_count(void) {
#if defined(__x86_64__)
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    return avx512 ? 3 : avx2 ? 2 : 1;
#else
    return 1;
#endif
}

const struct tile_kernels *tile_kernels_at(size_t number) {
#if defined(__x86_64__)
    static const struct tile_kernels *const slowest_first[] = {
        &tile_kernels_baseline, &tile_kernels_avx2, &tile_kernels_avx512};
    return slowest_first[tile_kernels_count() - 1 - number];
#else
    (void)number;
    return &tile_kernels_baseline;
#endif
}
