// The same as tile_products.cu with Hopper's warpgroup products (wgmma, sm_90a), which read factors from shared memory
// directly: this takes no registers, and by count (README.md) feeds more products per clock than loading fragments.
//
// A block has 192 rows: 32 B points and their K channels, B = 6 / K. Number a thread's six rows of a column 0...5: row i is channel
// i % K of its point i / K. Rows i = 2 m and 2 m + 1 are its share of the sums of rows 64 m...64 m + 63, so that activations are
// computed in registers here too. A warpgroup has 64 of the W columns, W a multiple of 64.
//
// Tensor cores read pieces of 8 rows of 128 bytes, whose 16-byte parts are permuted by row (the 128-byte swizzle). So a stack is cut
// into slabs of as many columns as fill 128 bytes, row after row: 32 columns of words in tf32; in bf16x3 64 columns of the upper
// halves, followed by slabs of the lower halves, since the instructions read the two separately.
//
// Sources: NVIDIA, Parallel Thread Execution ISA, "Asynchronous warpgroup level matrix multiply-accumulate operation using
// wgmma.mma_async": register fragments and shared memory layouts, matrix descriptor. Sums of a thread, for lane = 4 g + t of warp w of
// four: (16 w + g + 8 (i / 2), 8 n + 2 t + i % 2).

constexpr int W = WIDTH, B = 6 / K, M = 3, N = 8;
constexpr int tile_points = 32 * B, rows = 192, threads = 2 * W;
constexpr int chunk = 32, chunks = W / chunk;
static_assert(W == 64 || W == 128, "a shape that nobody asked for");

// Layout of shared memory [words]; FusedShape.swift has the same numbers.
constexpr int stack_words = rows * W, ring_words = 2 * chunk * W;
// Words of a slab of a stack, and of a group of 8 rows.
constexpr int slab = rows * 32, group_words = 8 * 32;
constexpr int column_parts = 4;

#ifndef EMULATED_DEVICE
#define SUMS_OF(c) \
    "+f"(c[0][0]), "+f"(c[0][1]), "+f"(c[0][2]), "+f"(c[0][3]), "+f"(c[1][0]), "+f"(c[1][1]), "+f"(c[1][2]), "+f"(c[1][3]), \
        "+f"(c[2][0]), "+f"(c[2][1]), "+f"(c[2][2]), "+f"(c[2][3]), "+f"(c[3][0]), "+f"(c[3][1]), "+f"(c[3][2]), "+f"(c[3][3]), \
        "+f"(c[4][0]), "+f"(c[4][1]), "+f"(c[4][2]), "+f"(c[4][3]), "+f"(c[5][0]), "+f"(c[5][1]), "+f"(c[5][2]), "+f"(c[5][3]), \
        "+f"(c[6][0]), "+f"(c[6][1]), "+f"(c[6][2]), "+f"(c[6][3]), "+f"(c[7][0]), "+f"(c[7][1]), "+f"(c[7][2]), "+f"(c[7][3])
#define SUM_NAMES \
    "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, " \
    "%25, %26, %27, %28, %29, %30, %31}"
// Starts adding to 64 x 64 sums the products of 32 bytes of each row: `by_rows` where a descriptor's rows are values of k.
template <bool by_rows> static __device__ __forceinline__ void begin(float (&c)[N][4], unsigned long long a, unsigned long long b) {
#ifdef BF16X3
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, 1, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 " SUM_NAMES ", %32, %33, p, 1, 1, %34, %34;\n}"
                 : SUMS_OF(c)
                 : "l"(a), "l"(b), "n"(by_rows ? 1 : 0));
#else
    static_assert(!by_rows, "tf32 is taken along rows only");
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, 1, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n64k8.f32.tf32.tf32 " SUM_NAMES ", %32, %33, p, 1, 1;\n}"
                 : SUMS_OF(c)
                 : "l"(a), "l"(b));
#endif
}
// From here on the sums belong to the tensor cores, until they are awaited.
static __device__ __forceinline__ void hand_over(float (&c)[N][4]) { asm volatile("" : SUMS_OF(c)::"memory"); }
static __device__ __forceinline__ void arrive() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
static __device__ __forceinline__ void commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
// Waits until at most N groups of the thread's products are in flight.
template <int count> static __device__ __forceinline__ void await_products() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(count) : "memory");
}
// Makes the thread's writes to shared memory visible to the tensor cores, after a barrier.
static __device__ __forceinline__ void show() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
static __device__ __forceinline__ unsigned shared_address(const unsigned *word) { return (unsigned)__cvta_generic_to_shared(word); }
#endif

// The matrix descriptor (64 bits) of rows of 128 bytes, 8 of them in 1024 bytes.
static __device__ __forceinline__ unsigned long long descriptor(const unsigned *words) {
    const unsigned long long swizzle_128 = 1ull << 62, next_eight = (unsigned long long)(4 * group_words >> 4) << 32;
    // The leading-dimension offset is unused: pieces are one row of 128 bytes wide. All begin at a multiple of 1024 bytes, or inside
    // its first row.
    return swizzle_128 | next_eight | 1ull << 16 | (shared_address(words) & 0x3ffff) >> 4;
}

// Word of a row of 128 bytes, permuted by row.
static __device__ __forceinline__ int swapped(int row, int word) { return row * 32 + (word ^ row % 8 * 4); }
// Index of an element of a stack by row and column, unless it is split in two.
static __device__ __forceinline__ int word_of(int row, int column) { return column / 32 * slab + swapped(row, column % 32); }

// Factors of two neighbouring columns.
static __device__ __forceinline__ void put_factors(unsigned *stack, int row, int column, float left, float right) {
    const unsigned words[2] = {factor(left), factor(right)};
#ifdef BF16X3
    unsigned *to = stack + column / 64 * slab + swapped(row, column % 64 / 2);
    to[0] = __byte_perm(words[0], words[1], 0x7632);
    to[stack_words / 2] = __byte_perm(words[0], words[1], 0x5410);
#else
    *(uint2 *)(stack + word_of(row, column)) = {words[0], words[1]};
#endif
}

// A thread's points, and where its sums lie in the tile.
constexpr int own_points = B;
struct Place {
    int g, t, part, first_row, column, point;
    __device__ __forceinline__ Place() {
        const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
        g = lane / 4;
        t = lane % 4;
        part = warp % 4;
        first_row = 16 * part + g;
        column = 64 * (warp / 4) + 2 * t;
        point = 8 * part + g;
    }
    // Distance of a thread's point from its first point.
    static __device__ __forceinline__ int offset(int own) { return 32 * own; }
    __device__ __forceinline__ int row(int own, int k) const {
        const int number = own * K + k;
        return first_row + 64 * (number / 2) + 8 * (number % 2);
    }
};
static __device__ __forceinline__ float &sum_of(float (&c)[M][N][4], int own, int k, int n, int j) {
    const int number = own * K + k;
    return c[number / 2][n][2 * (number % 2) + j];
}
// The point of a row, and its channel.
static __device__ __forceinline__ int number_of(int row) { return row / 64 * 2 + row / 8 % 2; }
static __device__ __forceinline__ int point_of(int row) { return 32 * (number_of(row) / K) + row % 64 / 16 * 8 + row % 8; }
static __device__ __forceinline__ int channel_of(int row) { return number_of(row) % K; }

// A barrier after which the tensor cores, too, see what was written to shared memory.
static __device__ __forceinline__ void publish() {
    show();
    __syncthreads();
}

// Index of a word of a packed matrix (W columns, W values of k), in chunks of (W, 32 words): 32 values of k, or the upper or lower
// halves of 64.
template <class Weights> static __device__ __forceinline__ unsigned packed_word(const Weights &weights, int place) {
    const int number = place / (chunk * W), column = place % (chunk * W) / chunk, word = place % chunk;
#ifdef BF16X3
    const int k = number / 2 * 64 + 2 * word;
    return __byte_perm(factor(weights(column, k)), factor(weights(column, k + 1)), number % 2 == 0 ? 0x7632 : 0x5410);
#else
    return factor(weights(column, number * chunk + word));
#endif
}

struct Ring {
    unsigned *stages;
    int turn;
    __device__ __forceinline__ unsigned *stage(int turn) const { return stages + turn * chunk * W; }
    // Starts copying a chunk of a matrix to the free slot.
    __device__ __forceinline__ void fetch(const unsigned *matrix, int number, int to) const {
#pragma unroll
        for (int i = threadIdx.x; i < W * chunk / 4; i += threads) {
            const int column = i / (chunk / 4), word = i % (chunk / 4) * 4;
            copy_beside(stage(to) + swapped(column, word), matrix + number * chunk * W + 4 * i);
        }
    }
};

// Starts adding the products of a slab of the stack and a chunk; a row holds 4 times 32 bytes.
static __device__ __forceinline__ void begin_slab(float (&c)[M][N][4], unsigned long long a, unsigned long long b) {
#pragma unroll
    for (int step = 0; step < 4; step++)
#pragma unroll
        for (int m = 0; m < M; m++) begin<false>(c[m], a + (4 * 8 * group_words >> 4) * m + 2 * step, b + 2 * step);
}

// c = the stack (rows, W) times a matrix whose first chunk was fetched; fetches the first of `next`, unless it is null. Begins with a
// barrier, so that earlier writes to the stack are visible. Products of a chunk are in flight while the next one is copied.
static __device__ __forceinline__ void product(const unsigned *stack, Ring &ring, const unsigned *matrix, const unsigned *next,
                                               const Place &place, float (&c)[M][N][4]) {
    clear(c);
#pragma unroll
    for (int m = 0; m < M; m++) hand_over(c[m]);
    const int first_column = (place.column - 2 * place.t) * 32;
#pragma unroll
    for (int number = 0; number < chunks; number++) {
        await_copies();
        publish();
        arrive();
        const unsigned long long weights = descriptor(ring.stage(ring.turn) + first_column);
#ifdef BF16X3
        const unsigned *upper = stack + number / 2 * slab;
        if (number % 2 == 0) begin_slab(c, descriptor(upper + stack_words / 2), weights);
        begin_slab(c, descriptor(upper), weights);
#else
        begin_slab(c, descriptor(stack + number * slab), weights);
#endif
        commit();
        // After the barrier all threads have read the other slot.
        await_products<1>();
        __syncthreads();
        if (number + 1 < chunks)
            ring.fetch(matrix, number + 1, ring.turn ^ 1);
        else if (next)
            ring.fetch(next, 0, ring.turn ^ 1);
        ring.turn ^= 1;
    }
    await_products<0>();
#pragma unroll
    for (int m = 0; m < M; m++) hand_over(c[m]);
}

#ifndef BF16X3
// The gradient in tf32 uses mma_gradient.cu: wgmma takes tf32 along rows only, and the gradient sums over rows. Distance of
// neighbouring rows, and of columns that are 32 apart [words].
constexpr int row_words = 32, words_to_next_32 = slab;
// The rows of 16 whose factors a thread supplies to a sum over rows, chosen so that a warp's loads are in different banks.
static __device__ __forceinline__ int summed_row(int t, int i) { return 2 * t + i % 2 + 8 * (i / 2); }
#else
// Layout of the gradient sums of a matrix, (W / 64, N, threads, 4). Returns the parameter of an index, by rows of W.
static __device__ __forceinline__ int parameter_of(int place) {
    const int i = place % 4, thread = place / 4 % threads, n = place / 4 / threads % N, block = place / 4 / threads / N;
    const int lane = thread % 32, warp = thread / 32;
    return (16 * warp + 8 * (i / 2) + lane / 4) * W + 64 * block + 8 * n + lane % 4 * 2 + i % 2;
}

// Adds a^T bar over all rows to sums (W, W) in that layout; sets them for the block's first tile. A warpgroup has 64 rows of
// the gradient. The factors were made visible to the tensor cores.
static __device__ __forceinline__ void add_gradient(const unsigned *a, const unsigned *bar, float *sums, bool is_first) {
    float4 *own = (float4 *)sums + threadIdx.x;
    const unsigned *left = a + threadIdx.x / 128 * slab;
#pragma unroll
    for (int block = 0; block < W / 64; block++, own += N * threads, bar += slab) {
        float c[N][4];
#pragma unroll
        for (int n = 0; n < N; n++) {
            const float4 sum = is_first ? float4{0, 0, 0, 0} : own[n * threads];
            c[n][0] = sum.x;
            c[n][1] = sum.y;
            c[n][2] = sum.z;
            c[n][3] = sum.w;
        }
        hand_over(c);
        arrive();
        // 16 rows at once.
        const unsigned long long upper_a = descriptor(left), lower_a = descriptor(left + stack_words / 2);
        const unsigned long long upper_bar = descriptor(bar), lower_bar = descriptor(bar + stack_words / 2);
#pragma unroll
        for (int step = 0; step < rows / 16; step++) {
            const int further = (4 * 2 * group_words >> 4) * step;
            begin<true>(c, lower_a + further, upper_bar + further);
            begin<true>(c, upper_a + further, lower_bar + further);
            begin<true>(c, upper_a + further, upper_bar + further);
        }
        commit();
        await_products<0>();
        hand_over(c);
#pragma unroll
        for (int n = 0; n < N; n++) own[n * threads] = {c[n][0], c[n][1], c[n][2], c[n][3]};
    }
}
#endif
