// CUDA C++ on the host: the stand-in for NVRTC puts this before a kernel's source and the launchers after it. A thread is a
// fiber; blocks run one after the other, so shared memory may be static. C++, because CUDA C++ is.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

struct EmulatedIndex {
    int x, y, z;
};
// The interface between the scheduler in stand_ins.cpp and a kernel.
struct Emulator {
    EmulatedIndex thread, block, block_size, grid_size;
    void *shared;
    // Barriers of the block and of the warp.
    void (*barrier)();
    void (*warp_barrier)();
    // 64 words for each thread of the warp.
    uint32_t (*warp_words)[64];
    // Whether asynchronous copies and products complete at once, or only when they are waited for. A GPU may do either.
    bool is_eager;
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
using std::min;
struct uint2 {
    unsigned x, y;
};
struct uint4 {
    unsigned x, y, z, w;
};
struct float2 {
    float x, y;
};
struct float4 {
    float x, y, z, w;
};
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

static inline unsigned __byte_perm(unsigned low, unsigned high, unsigned selector) {
    const uint64_t bytes = (uint64_t)high << 32 | low;
    unsigned result = 0;
    for (int i = 0; i < 4; i++) result |= (unsigned)(bytes >> 8 * (selector >> 4 * i & 7) & 255) << 8 * i;
    return result;
}

// The instructions that Kernels/tensor_cores.cu has in PTX. Fragments are those of NVIDIA's Parallel Thread Execution ISA, "Matrix fragments for
// mma.m16n8k8" and "... m16n8k16": each thread supplies its fragment to the warp, and takes its own sums.
static inline unsigned *shared_words() { return (unsigned *)emulator->shared; }
static inline void prefetch(const float *) {}

// Each thread's words for this product; other threads may still read those of the previous one.
static inline int emulated_fragments(const unsigned (&a)[4], const unsigned (&b)[2]) {
    uint32_t *own = emulator->warp_words[emulated_lane()];
    const int turn = 8 + 8 * (own[63] = (own[63] ^ 1) & 1);
    memcpy(own + turn, a, 16);
    memcpy(own + turn + 4, b, 8);
    emulator->warp_barrier();
    return turn;
}
static inline float emulated_tf32(uint32_t word) { return __uint_as_float(word & 0xffffe000u); }
static inline void multiply_tf32(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    const int turn = emulated_fragments(a, b), group = emulated_lane() / 4, in_group = emulated_lane() % 4;
    const auto words = emulator->warp_words;
    for (int i = 0; i < 4; i++) {
        const int row = group + (i < 2 ? 0 : 8), column = in_group * 2 + (i & 1);
        for (int k = 0; k < 8; k++) {
            // a0: (group, k) a1: (group + 8, k) a2: (group, k + 4) a3: (group + 8, k + 4); b0: (k, group) b1: (k + 4, group).
            const uint32_t left = words[row % 8 * 4 + k % 4][turn + row / 8 + k / 4 * 2];
            const uint32_t right = words[column * 4 + k % 4][turn + 4 + k / 4];
            c[i] += emulated_tf32(left) * emulated_tf32(right);
        }
    }
}
static inline float emulated_bf16(uint32_t two, int which) { return __uint_as_float(which ? two & 0xffff0000u : two << 16); }
static inline void multiply_bf16(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    const int turn = emulated_fragments(a, b), group = emulated_lane() / 4, in_group = emulated_lane() % 4;
    const auto words = emulator->warp_words;
    for (int i = 0; i < 4; i++) {
        const int row = group + (i < 2 ? 0 : 8), column = in_group * 2 + (i & 1);
        for (int k = 0; k < 16; k++) {
            // Two numbers per register, the first in the lower half. a0, a1: (group, 2 t + i) a2, a3: (group + 8, 2 t + i)
            // a4, a5: (group, 2 t + i + 8) a6, a7: (group + 8, 2 t + i + 8); b0, b1: (2 t + i, group) b2, b3: (2 t + i + 8, group).
            const uint32_t left = words[row % 8 * 4 + k % 8 / 2][turn + row / 8 + k / 8 * 2];
            const uint32_t right = words[column * 4 + k % 8 / 2][turn + 4 + k / 8];
            c[i] += emulated_bf16(left, k % 2) * emulated_bf16(right, k % 2);
        }
    }
}
// Rounding to nearest: ties away from zero like cvt.rna, ties to even like cvt.rn.
static inline unsigned round_tf32(float value) {
    const unsigned bits = __float_as_uint(value);
    return (bits & 0x7f800000u) == 0x7f800000u ? bits : (bits + 0x1000u) & 0xffffe000u;
}
static inline unsigned emulated_to_bf16(float value) {
    const unsigned bits = __float_as_uint(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
    return (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}
static inline unsigned round_bf16(float upper, float lower) { return emulated_to_bf16(upper) << 16 | emulated_to_bf16(lower); }

// A thread's asynchronous copies.
static std::vector<std::pair<unsigned *, const unsigned *>> emulated_copies[1024];
static inline int emulated_thread() { return threadIdx.x + threadIdx.y * blockDim.x; }
static inline void copy_beside(unsigned *shared, const unsigned *global) {
    if (emulator->is_eager)
        memcpy(shared, global, 16);
    else
        emulated_copies[emulated_thread()].emplace_back(shared, global);
}
static inline void await_copies() {
    for (auto &copy : emulated_copies[emulated_thread()]) memcpy(copy.first, copy.second, 16);
    emulated_copies[emulated_thread()].clear();
}

// The instructions that Kernels/warpgroup_products.cu has in PTX: warpgroup products, which read factors from shared memory through
// a descriptor. NVIDIA's Parallel Thread Execution ISA, "Matrix descriptor", "Shared memory matrix layout" and "Register fragments and shared memory
// matrix layout" of wgmma.mma_async.
struct EmulatedProducts {
    float *sums;
    uint64_t a, b;
    bool by_rows;
    int group;
};
static std::vector<EmulatedProducts> emulated_products[1024];
static int emulated_groups[1024];

// Byte offset in shared memory; a block's own begins after a kilobyte reserved by the system.
static inline unsigned shared_address(const unsigned *word) {
    return (unsigned)((const char *)word - (const char *)emulator->shared) + 1024;
}
// A factor of a given number of bytes. `outer` counts rows or columns of the sums, of which there are 64. The swizzle acts on addresses:
// bits 4 to 6 are XORed with bits 7 to 9. By rows, a row of 128 bytes is a value of k and holds all 64.
static inline const void *emulated_place(uint64_t descriptor, bool by_rows, int outer, int k, int bytes) {
    const unsigned start = (descriptor & 0x3fff) << 4, next_eight = (descriptor >> 32 & 0x3fff) << 4;
    const int row = by_rows ? k : outer, inner = by_rows ? outer : k;
    unsigned address = start + row / 8 * next_eight + row % 8 * 128 + inner * bytes;
    // NaN if the descriptor means something else: another swizzle mode, or an unaligned base.
    static const uint32_t wrong = 0xffffffff;
    if (descriptor >> 62 != 1 || descriptor >> 49 & 7) return &wrong;
    address ^= (address >> 7 & 7) << 4;
    return (const char *)emulator->shared + address - 1024;
}
static inline float emulated_factor(uint64_t descriptor, bool by_rows, int outer, int k) {
#ifdef BF16X3
    uint16_t half;
    memcpy(&half, emulated_place(descriptor, by_rows, outer, k, 2), 2);
    return __uint_as_float((uint32_t)half << 16);
#else
    uint32_t word;
    memcpy(&word, emulated_place(descriptor, by_rows, outer, k, 4), 4);
    return emulated_tf32(word);
#endif
}
static inline void emulated_run(const EmulatedProducts &products) {
#ifdef BF16X3
    const int depth = 16;
#else
    const int depth = 8;
#endif
    const int lane = emulated_lane(), warp = threadIdx.x / 32 % 4;
    for (int half = 0; half < 2; half++) {
        float left[16];
        for (int k = 0; k < depth; k++)
            left[k] = emulated_factor(products.a, products.by_rows, 16 * warp + lane / 4 + 8 * half, k);
        for (int n = 0; n < 8; n++)
            for (int j = 0; j < 2; j++) {
                float sum = 0;
                for (int k = 0; k < depth; k++)
                    sum += left[k] * emulated_factor(products.b, products.by_rows, 8 * n + lane % 4 * 2 + j, k);
                products.sums[4 * n + 2 * half + j] += sum;
            }
    }
}
template <bool by_rows> static inline void begin(float (&c)[8][4], uint64_t a, uint64_t b) {
    const int thread = emulated_thread();
    const EmulatedProducts products = {&c[0][0], a, b, by_rows, emulated_groups[thread]};
    if (emulator->is_eager)
        emulated_run(products);
    else
        emulated_products[thread].push_back(products);
}
static inline void hand_over(float (&)[8][4]) {}
static inline void arrive() {}
static inline void show() {}
static inline void commit() { emulated_groups[emulated_thread()]++; }
template <int count> static inline void await_products() {
    const int thread = emulated_thread(), last = emulated_groups[thread] - count;
    auto &all = emulated_products[thread];
    size_t done = 0;
    while (done < all.size() && all[done].group < last) emulated_run(all[done++]);
    all.erase(all.begin(), all.begin() + done);
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
