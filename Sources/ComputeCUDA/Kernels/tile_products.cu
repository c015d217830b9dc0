// A block's tile of points in shared memory, and the products of its stack with W x W matrices, W = WIDTH, a multiple of 32.
//
// G = POINT_GROUPS groups of warps have 96 rows each: 16 B points and their K channels, B = 6 / K. Within a group the order of rows is
// points 0..15 of channel 0, the same points of channel 1, ..., then the next 16 points. So a thread's sums of an mma's 16 rows belong
// to two points, and the six mma of a warp give it all channels of its points: activations are computed in registers.
// A warp has 16 G of the W columns.
//
// A matrix with rows of a multiple of 32 words is stored in shared memory with columns permuted by row (`swizzle`), so that four words
// of 8 neighbouring rows, or one word of 4 rows and 8 columns, are all in different banks.

constexpr int W = WIDTH, G = POINT_GROUPS, B = 6 / K, M = B * K, N = 2 * G;
constexpr int tile_points = 16 * B * G, rows = 16 * M * G, threads = 2 * W;
constexpr int chunk = 32, chunks = W / chunk;
static_assert(M == 6 && W % 32 == 0 && G <= 2, "a shape that nobody asked for");

// Layout of shared memory [words]; FusedShape.swift has the same numbers.
constexpr int stack_words = rows * W, ring_words = 2 * chunk * W;
// Number of warps whose sums over points make up a column's sum.
constexpr int column_parts = G;

static __device__ __forceinline__ int swizzle(int row) { return (row & 1) << 4 | (row & 2) << 2; }
// Index of an element of a stack by row and column.
static __device__ __forceinline__ int word_of(int row, int column) { return row * W + (column ^ swizzle(row)); }

// Distance of neighbouring rows, and of columns that are 32 apart [words].
constexpr int row_words = W, words_to_next_32 = 32;
// The rows of 16 whose factors a thread supplies to a sum over rows, chosen so that a warp's loads are in different banks.
static __device__ __forceinline__ int summed_row(int t, int i) { return t + 4 * i; }

// Factors of two neighbouring columns.
static __device__ __forceinline__ void put_factors(unsigned *stack, int row, int column, float left, float right) {
    *(uint2 *)(stack + word_of(row, column)) = {factor(left), factor(right)};
}

// A thread's points, and the place of its sums in the tile: (m, n, i) belongs to row `first_row + 16 m + 8 (i / 2)` and column `column + 8 n + i % 2`.
constexpr int own_points = 2 * B;
struct Place {
    int g, t, part, first_row, column, point;
    __device__ __forceinline__ Place() {
        const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, columns = W / (16 * G);
        g = lane / 4;
        t = lane % 4;
        part = warp / columns;
        first_row = 96 * part + g;
        column = 16 * G * (warp % columns) + 2 * t;
        point = 16 * B * part + g;
    }
    // Distance of a thread's point from its first point.
    static __device__ __forceinline__ int offset(int own) { return 8 * own; }
    __device__ __forceinline__ int row(int own, int k) const { return first_row + 16 * (own / 2 * K + k) + 8 * (own % 2); }
};
static __device__ __forceinline__ float &sum_of(float (&c)[M][N][4], int own, int k, int n, int j) {
    return c[own / 2 * K + k][n][2 * (own % 2) + j];
}
// The point of a row, and its channel.
static __device__ __forceinline__ int point_of(int row) {
    return 16 * (row / 96 * B + row % 96 / 16 / K) + row % 16;
}
static __device__ __forceinline__ int channel_of(int row) { return row % 96 / 16 % K; }

// A barrier after which all threads see what was written to shared memory.
static __device__ __forceinline__ void publish() { __syncthreads(); }

// A word of a packed matrix (W columns, W values of k).
template <class Weights> static __device__ __forceinline__ unsigned packed_word(const Weights &weights, int place) {
    return factor(weights(place / W, place % W));
}

static __device__ __forceinline__ void read4(const unsigned *from, unsigned (&to)[4]) {
    const uint4 words = *(const uint4 *)from;
    to[0] = words.x;
    to[1] = words.y;
    to[2] = words.z;
    to[3] = words.w;
}

// Matrices come to shared memory in chunks of 32 values of k, (W, 32), each copied while the previous one is in use.
struct Ring {
    unsigned *stages;
    int turn;
    __device__ __forceinline__ unsigned *stage(int turn) const { return stages + turn * chunk * W; }
    // Starts copying a chunk of a matrix (W columns, W values of k) to the free slot.
    __device__ __forceinline__ void fetch(const unsigned *matrix, int number, int to) const {
#pragma unroll
        for (int i = threadIdx.x; i < W * chunk / 4; i += threads) {
            const int column = i / (chunk / 4), k = i % (chunk / 4) * 4;
            copy_beside(stage(to) + column * chunk + (k ^ swizzle(column)), matrix + column * W + number * chunk + k);
        }
    }
};

// c = the stack (rows, W) times a matrix (W columns, W values of k) whose first chunk was fetched; fetches the first of `next`, unless
// it is null. Begins with a barrier, so that earlier writes to the stack are visible.
static __device__ __forceinline__ void product(const unsigned *stack, Ring &ring, const unsigned *matrix, const unsigned *next,
                                               const Place &place, float (&c)[M][N][4]) {
    clear(c);
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
                    stack + (place.first_row + 16 * m) * W + ((number * chunk + k + 4 * place.t) ^ swapped);
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
