// The gradient of a matrix by warp products, from stacks in the layout of tile_products.cu or, for whole words, of warpgroup_products.cu.

// Each warp computes pieces (W / 2, 32) of a matrix's gradient.
constexpr int GM = W / 32, GN = 4;

// Layout of the gradient sums of a matrix, (GM, GN, threads, 4): a thread's four sums are contiguous, followed by those of its
// neighbour. Returns the parameter of an index, by rows of W.
static __device__ __forceinline__ int parameter_of(int place) {
    const int i = place % 4, thread = place / 4 % threads, n = place / 4 / threads % GN, m = place / 4 / threads / GN;
    const int lane = thread % 32, warp = thread / 32;
    return (warp % 2 * (W / 2) + 16 * m + 8 * (i / 2) + lane / 4) * W + warp / 2 * 32 + 8 * n + lane % 4 * 2 + i % 2;
}

// Adds a^T bar over all rows to sums (W, W) in that layout; sets them for the block's first tile. Where registers do not suffice,
// the matrix's rows are computed in two halves, which reads bar twice: the caller keeps 96 numbers in registers.
#if defined(WARPGROUPS)
constexpr int gradient_passes = 2;
#elif defined(BF16X3)
constexpr int gradient_passes = W == 128 ? 2 : 1;
#else
constexpr int gradient_passes = W == 128 && K < 6 ? 2 : 1;
#endif
static __device__ __forceinline__ void add_gradient(const unsigned *a, const unsigned *bar, float *sums, bool is_first) {
    constexpr int m_count = GM / gradient_passes;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
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
        const unsigned *a_row = a, *bar_row = bar;
#pragma unroll 1
        for (int row = 0; row < rows; row += 16, a_row += 16 * row_words, bar_row += 16 * row_words) {
            Right b[GN];
#pragma unroll
            for (int n = 0; n < GN; n++) {
                unsigned words[4];
#pragma unroll
                for (int i = 0; i < 4; i++) words[i] = bar_row[word_of(summed_row(t, i), warp / 2 * 32 + 8 * n + g)];
                b[n] = Right(words);
            }
#pragma unroll
            for (int m = 0; m < m_count; m++) {
                unsigned words[4], others[4];
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    // Constant offsets after the swizzle take no register.
                    const unsigned *from = a_row + m / 2 * words_to_next_32;
                    words[i] = from[word_of(summed_row(t, i), first + m % 2 * 16)];
                    others[i] = from[word_of(summed_row(t, i), first + m % 2 * 16 + 8)];
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
