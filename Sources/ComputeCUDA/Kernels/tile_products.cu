// A block's tile of points in shared memory, and the products of its stack with W x W matrices, W = WIDTH, a multiple of 32.
//
// G = POINT_GROUPS groups of warps have 96 rows each: 16 B points and their K channels, B = 6 / K. Within a group rows go by 16:
// points 0..15 of channel 0, the same points of channel 1, ..., then the next 16 points. So the sums of an mma's 16 rows that one thread
// has are of two points, and the six mma's of a warp give it all channels of its points: activations never leave the registers to be made.
// A warp has 16 G of the W columns.
//
// A matrix of rows of 32 words or a multiple lies in shared memory with its columns swapped by row (`swizzle`): four words of 8
// neighbouring rows, or one word of 4 rows and 8 columns, are all in different banks.

constexpr int W = WIDTH, G = POINT_GROUPS, B = 6 / K, M = B * K, N = 2 * G;
constexpr int tile_points = 16 * B * G, rows = 16 * M * G, threads = 2 * W;
constexpr int chunk = 32, chunks = W / chunk;
static_assert(M == 6 && W % 32 == 0 && G <= 2, "a shape that nobody asked for");

// What shared memory is used for [words]; FusedShape.swift knows them too.
constexpr int stack_words = rows * W, ring_words = 2 * chunk * W;

static __device__ __forceinline__ int swizzle(int row) { return (row & 1) << 4 | (row & 2) << 2; }

// Where a thread's sums lie in the tile: (m, n, i) is of row `row + 16 m + 8 (i / 2)` and column `column + 8 n + i % 2`.
struct Place {
    int g, t, group, row, column, point;
    __device__ __forceinline__ Place() {
        const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, columns = W / (16 * G);
        g = lane / 4;
        t = lane % 4;
        group = warp / columns;
        row = 96 * group + g;
        column = 16 * G * (warp % columns) + 2 * t;
        point = 16 * B * group + g;
    }
};
// The point of a row, and its channel.
static __device__ __forceinline__ int point_of(int row) {
    return 16 * (row / 96 * B + row % 96 / 16 / K) + row % 16;
}
static __device__ __forceinline__ int channel_of(int row) { return row % 96 / 16 % K; }

static __device__ __forceinline__ void read4(const unsigned *from, unsigned (&to)[4]) {
    const uint4 words = *(const uint4 *)from;
    to[0] = words.x;
    to[1] = words.y;
    to[2] = words.z;
    to[3] = words.w;
}

// Matrices of factors come to shared memory by chunks of 32 values of k, (W, 32), each while the one before is in use.
struct Ring {
    unsigned *stages;
    int turn;
    __device__ __forceinline__ unsigned *stage(int turn) const { return stages + turn * chunk * W; }
    // The place that is not in use takes a chunk of a matrix (W columns, W values of k).
    __device__ __forceinline__ void fetch(const unsigned *matrix, int number, int to) const {
#pragma unroll
        for (int i = threadIdx.x; i < W * chunk / 4; i += threads) {
            const int column = i / (chunk / 4), k = i % (chunk / 4) * 4;
            copy_beside(stage(to) + column * chunk + (k ^ swizzle(column)), matrix + column * W + number * chunk + k);
        }
    }
};

// c = the stack (rows, W) times a matrix (W columns, W values of k) whose first chunk was fetched; fetches the first of `next`, unless
// it is null. Begins with a barrier: what was written to the stack before is there.
static __device__ __forceinline__ void product(const unsigned *stack, Ring &ring, const unsigned *matrix, const unsigned *next,
                                               const Place &place, float (&c)[M][N][4]) {
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
        for (int n = 0; n < N; n++)
#pragma unroll
            for (int i = 0; i < 4; i++) c[m][n][i] = 0;
    const int swapped = swizzle(place.g), first_column = place.column - 2 * place.t + place.g;
#pragma unroll 1
    for (int number = 0; number < chunks; number++) {
        await_copies();
        __syncthreads();
        if (number + 1 < chunks)
            ring.fetch(matrix, number + 1, ring.turn ^ 1);
        else if (next)
            ring.fetch(next, 0, ring.turn ^ 1);
        const unsigned *weights = ring.stage(ring.turn) + first_column * chunk;
#pragma unroll
        for (int k = 0; k < chunk; k += 16) {
            Right b[N];
#pragma unroll
            for (int n = 0; n < N; n++) {
                unsigned words[4];
                read4(weights + 8 * n * chunk + ((k + 4 * place.t) ^ swapped), words);
                b[n] = Right(words);
            }
#pragma unroll
            for (int m = 0; m < M; m++) {
                const unsigned *from =
                    stack + (place.row + 16 * m) * W + ((number * chunk + k + 4 * place.t) ^ swapped);
                unsigned words[4], others[4];
                read4(from, words);
                read4(from + 8 * W, others);
                const Left a(words, others);
#pragma unroll
                for (int n = 0; n < N; n++) multiply(c[m][n], a, b[n]);
            }
        }
        ring.turn ^= 1;
    }
}

// The gradient of a matrix is dealt to the warps by pieces (W / 2, 32).
constexpr int GM = W / 32, GN = 4;

// A thread's sums of the gradient of a matrix, (GM, GN, threads, 4): four of a thread lie together, and those of its neighbours beside
// them. The parameter of a place, by rows of W.
static __device__ __forceinline__ int parameter_of(int place) {
    const int i = place % 4, thread = place / 4 % threads, n = place / 4 / threads % GN, m = place / 4 / threads / GN;
    const int lane = thread % 32, warp = thread / 32;
    return (warp % 2 * (W / 2) + 16 * m + 8 * (i / 2) + lane / 4) * W + warp / 2 * 32 + 8 * n + lane % 4 * 2 + i % 2;
}

// Adds a^T bar over all rows to sums (W, W) that lie as said; sets them where they are the block's first. The widest matrices, but in
// tf32 for six channels, go one half of the rows after the other, which reads bar twice: the caller keeps 96 numbers in registers.
#ifdef BF16X3
constexpr int gradient_passes = W == 128 ? 2 : 1;
#else
constexpr int gradient_passes = W == 128 && K < 6 ? 2 : 1;
#endif
static __device__ __forceinline__ void add_gradient(const unsigned *a, const unsigned *bar, float *sums, bool is_first) {
    constexpr int m_count = GM / gradient_passes;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4, swapped = swizzle(t);
#pragma unroll 1
    for (int pass = 0; pass < gradient_passes; pass++) {
        const int first = warp % 2 * (W / 2) + 16 * pass * m_count + g;
        float4 *own = (float4 *)sums + pass * m_count * GN * threads + threadIdx.x;
        float c[m_count][GN][4];
#pragma unroll
        for (int m = 0; m < m_count; m++)
#pragma unroll
            for (int n = 0; n < GN; n++) {
                const float4 sum = is_first ? float4{0, 0, 0, 0} : own[(m * GN + n) * threads];
                c[m][n][0] = sum.x;
                c[m][n][1] = sum.y;
                c[m][n][2] = sum.z;
                c[m][n][3] = sum.w;
            }
        const unsigned *a_row = a + t * W, *bar_row = bar + t * W + warp / 2 * 32;
#pragma unroll 1
        for (int row = 0; row < rows; row += 16, a_row += 16 * W, bar_row += 16 * W) {
            Right b[GN];
#pragma unroll
            for (int n = 0; n < GN; n++) {
                unsigned words[4];
#pragma unroll
                for (int i = 0; i < 4; i++) words[i] = bar_row[4 * i * W + ((8 * n + g) ^ swapped)];
                b[n] = Right(words);
            }
#pragma unroll
            for (int m = 0; m < m_count; m++) {
                unsigned words[4], others[4];
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    // What is added behind the exchange of columns takes no register.
                    const unsigned *from = a_row + 4 * i * W + m / 2 * 32;
                    words[i] = from[(first + m % 2 * 16) ^ swapped];
                    others[i] = from[(first + m % 2 * 16 + 8) ^ swapped];
                }
                const Left left(words, others);
#pragma unroll
                for (int n = 0; n < GN; n++) multiply(c[m][n], left, b[n]);
            }
        }
#pragma unroll
        for (int m = 0; m < m_count; m++)
#pragma unroll
            for (int n = 0; n < GN; n++)
                own[(m * GN + n) * threads] = {c[m][n][0], c[m][n][1], c[m][n][2], c[m][n][3]};
    }
}
