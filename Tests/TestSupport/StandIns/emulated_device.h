// CUDA C++ as C++ for the host: the stand-in for NVRTC puts this before a kernel's text and the launchers behind it. A thread is a
// fiber; blocks follow one another, so what a block shares may be static. C++, because what it stands in for is.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

struct EmulatedIndex {
    int x, y, z;
};
// What the scheduler in stand_ins.cpp and a kernel share.
struct Emulator {
    EmulatedIndex thread, block, block_size, grid_size;
    void *shared;
    // Returns when all threads of the block have come to it, and those of the warp.
    void (*barrier)();
    void (*warp_barrier)();
    // A place of 64 words for each thread of the warp.
    uint32_t (*warp_words)[64];
};
static Emulator *emulator;
extern "C" void emulator_connect(Emulator *shared) { emulator = shared; }

#define threadIdx (emulator->thread)
#define blockIdx (emulator->block)
#define blockDim (emulator->block_size)
#define gridDim (emulator->grid_size)
#define __global__
#define __device__
#define __constant__ static const
#define __shared__ static
#define __restrict__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define EMULATED_DEVICE 1
#define warpSize 32

// No contraction anywhere on the host, so these are the plain operations.
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fdiv_rn(float a, float b) { return a / b; }
using std::isfinite;
static inline void __syncthreads() { emulator->barrier(); }
static inline void __syncwarp(unsigned = ~0u) { emulator->warp_barrier(); }
static inline float __uint_as_float(unsigned bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}
static inline unsigned __float_as_uint(float value) {
    unsigned bits;
    memcpy(&bits, &value, 4);
    return bits;
}
static inline int emulated_lane() { return (threadIdx.x + threadIdx.y * blockDim.x) % 32; }
static inline float __shfl_xor_sync(unsigned, float value, int mask) {
    memcpy(&emulator->warp_words[emulated_lane()][0], &value, 4);
    emulator->warp_barrier();
    float other;
    memcpy(&other, &emulator->warp_words[emulated_lane() ^ mask][0], 4);
    emulator->warp_barrier();
    return other;
}

// Launchers: from the addresses of a kernel's parameters, and the parameters' sizes.
template <class... A, size_t... I>
static void emulated_call(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*(A *)arguments[I]...);
}
template <class... A> static void emulated_launch(void (*kernel)(A...), void **arguments) {
    emulated_call(kernel, arguments, std::index_sequence_for<A...>{});
}
template <class... A> static int emulated_sizes(void (*)(A...), size_t *sizes) {
    const size_t all[] = {sizeof(A)..., 0};
    for (size_t i = 0; i < sizeof...(A); i++) sizes[i] = all[i];
    return (int)sizeof...(A);
}
