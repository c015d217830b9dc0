// The same as tile_products.cu with Hopper's products of warpgroups (wgmma, sm_90a), which take factors from shared memory
// themselves: no registers for them, and by count (README.md) more of them in a clock than loads of fragments bring.
//
// A block has 192 rows: 32 B points and their K channels, B = 6 / K. Number a thread's six rows of a column 0...5: number i is of channel
// i % K of its point i / K. Rows i = 2 m and 2 m + 1 are those that it has of the sums of rows 64 m...64 m + 63, so that activations
// never leave the registers to be made, as there. Of W columns, a multiple of 64, a warpgroup has 64.
//
// Tensor cores read pieces of 8 rows of 128 bytes, the 16 bytes of a row swapped by the row (the 128-byte swizzle). So a stack is cut
// into slabs of as many columns as fill 128 bytes, rows below one another: 32 columns of words, or of bf16x3 64 columns of the
// upper halves, and in the slabs behind them those of the lower ones, which the instructions take from different places.
//
// Sources: NVIDIA, Parallel Thread Execution ISA, "Asynchronous warpgroup level matrix multiply-accumulate operation using
// wgmma.mma_async": register fragments and shared memory layouts, matrix descriptor. Sums of a thread, for lane = 4 g + t of warp w of
// four: (16 w + g + 8 (i / 2), 8 n + 2 t + i % 2).

constexpr int W = WIDTH, B = 6 / K, M = 3, N = 8;
constexpr int tile_points = 32 * B, rows = 192, threads = 2 * W;
constexpr int chunk = 32, chunks = W / chunk;
static_assert(W == 64 || W == 128, "a shape that nobody asked for");

// What shared memory is used for [words]; FusedShape.swift knows them too.
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
// Begins to add 64 x 64 sums of products of 32 bytes a row: `by_rows` where a descriptor's rows are values of k.
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
// Sums are the tensor cores' from here on, until they are awaited.
static __device__ __forceinline__ void hand_over(float (&c)[N][4]) { asm volatile("" : SUMS_OF(c)::"memory"); }
static __device__ __forceinline__ void arrive() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
static __device__ __forceinline__ void commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
// Until no more than so many of the thread's groups of products are under way.
template <int count> static __device__ __forceinline__ void await_products() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(count) : "memory");
}
// What the thread wrote to shared memory is seen by tensor cores, after a barrier.
static __device__ __forceinline__ void show() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
static __device__ __forceinline__ unsigned shared_address(const unsigned *word) { return (unsigned)__cvta_generic_to_shared(word); }
#endif

// Where rows of 128 bytes begin, 8 of them in 1024 bytes, as the 64 bits that an instruction takes.
static __device__ __forceinline__ unsigned long long descriptor(const unsigned *words) {
    const unsigned long long swizzle_128 = 1ull << 62, next_eight = (unsigned long long)(4 * group_words >> 4) << 32;
    // What lies between pieces side by side has no meaning here: there is one. All begin at a multiple of 1024 bytes, or inside
    // of its first row.
    return swizzle_128 | next_eight | 1ull << 16 | (shared_address(words) & 0x3ffff) >> 4;
}

// Words of a row of 128 bytes, swapped by the row.
static __device__ __forceinline__ int swapped(int row, int word) { return row * 32 + (word ^ row % 8 * 4); }
// Where the number of a row and a column lies, unless it is split in two.
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
    // Points between one of its own and its first.
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

// A barrier behind which tensor cores, too, see what was written to shared memory.
static __device__ __forceinline__ void publish() {
    show();
    __syncthreads();
}

// A word of a packed matrix (W columns, W values of k): by chunks of (W, 32 words), which are 32 values of k, or the upper or the lower
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
    // The place that is not in use takes a chunk of a matrix.
    __device__ __forceinline__ void fetch(const unsigned *matrix, int number, int to) const {
#pragma unroll
        for (int i = threadIdx.x; i < W * chunk / 4; i += threads) {
            const int column = i / (chunk / 4), word = i % (chunk / 4) * 4;
            copy_beside(stage(to) + swapped(column, word), matrix + number * chunk * W + 4 * i);
        }
    }
};

// Begins to add the products of a slab of the stack and a stage, of which a row holds 4 times 32 bytes.
static __device__ __forceinline__ void begin_slab(float (&c)[M][N][4], unsigned long long a, unsigned long long b) {
#pragma unroll
    for (int step = 0; step < 4; step++)
#pragma unroll
        for (int m = 0; m < M; m++) begin<false>(c[m], a + (4 * 8 * group_words >> 4) * m + 2 * step, b + 2 * step);
}

// c = the stack (rows, W) times a matrix whose first chunk was fetched; fetches the first of `next`, unless it is null. Begins with a
// barrier: what was written to the stack before is there. Products of a chunk are under way while the next one comes.
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
        // The other place has been read, by all after the barrier.
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
// The gradient is mma_gradient.cu's: tf32 is taken along rows only, and rows are what it sums over. Words between rows, and between
// columns that are 32 apart.
constexpr int row_words = 32, words_to_next_32 = slab;
// Of 16 rows, those whose factors a thread brings to a sum over rows: loads of a warp are in different banks.
static __device__ __forceinline__ int summed_row(int t, int i) { return 2 * t + i % 2 + 8 * (i / 2); }
#else
// A thread's sums of the gradient of a matrix, (W / 64, N, threads, 4), by rows of W: the parameter of a place.
static __device__ __forceinline__ int parameter_of(int place) {
    const int i = place % 4, thread = place / 4 % threads, n = place / 4 / threads % N, block = place / 4 / threads / N;
    const int lane = thread % 32, warp = thread / 32;
    return (16 * warp + 8 * (i / 2) + lane / 4) * W + 64 * block + 8 * n + lane % 4 * 2 + i % 2;
}

// Adds a^T bar over all rows to sums (W, W) that lie as said; sets them where they are the block's first. A warpgroup has 64 rows of
// the gradient. Factors were published.
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
