// Register-blocked products for the shapes of a training step; the plain form is in Tests/ComputeTests/ProductsTests.swift.
// OpenBLAS packs both operands at every call; weights are packed once a step here, and a stack is used as it lies.
//
// A block of the result stays in registers: BLOCK_ROWS / 2 rows of four vectors, or BLOCK_ROWS of what is left of a row.
// What limits it is instructions, above all where another thread shares the core, so the block is wide (19 for 12 fused
// multiply-adds on AVX2; six rows of two vectors need 20 and more loads), and loops are unrolled so that little comes
// on top. ComputeCPU/README.md has the measurements.

enum {
    WIDE = 4,
    PANEL = WIDE * LANES,
    /// Rows that add_transposed sums in registers: their lines of both operands stay in the first-level cache.
    DEPTH = 96
};

/// Vectors of the panel that begins at column j.
static inline size_t panel_vectors(size_t width, size_t j) { return width - j < PANEL ? (width - j) / LANES : WIDE; }

/// Calls a block's function with the number of vectors as a constant.
#define FOR_VECTORS(vectors, function, ...)                                                                           \
    switch (vectors) {                                                                                                \
    case 1: function(__VA_ARGS__, BLOCK_ROWS, 1); break;                                                              \
    case 2: function(__VA_ARGS__, BLOCK_ROWS, 2); break;                                                              \
    case 3: function(__VA_ARGS__, BLOCK_ROWS / 2, 3); break;                                                          \
    default: function(__VA_ARGS__, BLOCK_ROWS / 2, WIDE);                                                             \
    }

static void pack(const float *weights, size_t width, int transposed, float *packed) {
    for (size_t j = 0; j < width; j += PANEL) {
        const size_t end = j + panel_vectors(width, j) * LANES;
        for (size_t k = 0; k < width; k++) {
            for (size_t column = j; column < end; column++)
                *packed++ = transposed ? weights[column * width + k] : weights[k * width + column];
        }
    }
}

/// sum (block_rows, vectors) += values · b, the values by threes: three[i / 3][(i % 3) apart]. Whichever side is shorter is
/// held in registers while the other one passes.
INLINE void add_products(vector sum[BLOCK_ROWS][WIDE], const float *const three[BLOCK_ROWS / 3], size_t apart,
                         const float *b, int block_rows, int vectors) {
    if (vectors > 2) {
        float value[BLOCK_ROWS / 2];
        for (int i = 0; i < block_rows; i++) value[i] = three[i / 3][(i % 3) * apart];
        for (int v = 0; v < vectors; v++) {
            const vector bv = load(b + v * LANES);
            for (int i = 0; i < block_rows; i++) sum[i][v] += value[i] * bv;
        }
    } else {
        vector bs[2];
        for (int v = 0; v < vectors; v++) bs[v] = load(b + v * LANES);
        // Left to itself the compiler keeps this loop, and the sums in memory: an iteration of two 4 x 32 networks on AVX-512
        // took 2.2 times as long.
#pragma clang loop unroll(full)
        for (int i = 0; i < block_rows; i++) {
            const float value = three[i / 3][(i % 3) * apart];
            for (int v = 0; v < vectors; v++) sum[i][v] += value * bs[v];
        }
    }
}

/// c (block_rows, vectors) = a · panel (width, vectors).
INLINE void multiply_block(const float *a, const float *panel, size_t width, size_t stride, float *c, int block_rows,
                           int vectors) {
    // What is left of a row is little work, and has no registers for the broadcasts that the compiler would gather.
    const int unrolled = vectors == WIDE ? UNROLLED : 1;
    vector sum[BLOCK_ROWS][WIDE];
    for (int i = 0; i < block_rows; i++) {
        for (int v = 0; v < vectors; v++) sum[i][v] = (vector){0};
    }
    for (size_t k = 0; k < width; k += unrolled) {
#pragma clang loop unroll(full)
        for (int u = 0; u < unrolled; u++) {
            // By threes: an address is a register, a multiple 0, 1 or 2 of the stride, and a constant.
            const float *three[BLOCK_ROWS / 3];
            for (int g = 0; g < BLOCK_ROWS / 3; g++) three[g] = a + 3 * g * stride + u;
            add_products(sum, three, stride, panel + u * vectors * LANES, block_rows, vectors);
        }
        a += unrolled;
        panel += unrolled * vectors * LANES;
    }
    for (int i = 0; i < block_rows; i++) {
        for (int v = 0; v < vectors; v++) store(c + i * stride + v * LANES, sum[i][v]);
    }
}

/// c (rows, vectors) = a · panel (width, vectors).
INLINE void multiply_panel(const float *a, const float *panel, size_t rows, size_t width, size_t stride, float *c,
                           int block_rows, int vectors) {
    // While a panel is used the next one comes from the third-level cache, a piece with every block of rows.
    const char *next = (const char *)(panel + vectors * LANES * width);
    const size_t piece = PANEL * width * sizeof(float) / ((rows + block_rows - 1) / block_rows);
    for (size_t i = 0; i < rows; i += block_rows) {
        for (size_t line = 0; line < piece; line += 64) __builtin_prefetch(next + line);
        next += piece;
        multiply_block(a + i * stride, panel, width, stride, c + i * stride, block_rows, vectors);
    }
}

static void multiply(const float *a, const float *packed, size_t rows, size_t width, size_t stride, float *c) {
    for (size_t j = 0; j < width; j += PANEL) {
        FOR_VECTORS(panel_vectors(width, j), multiply_panel, a, packed + j * width, rows, width, stride, c + j)
    }
}

/// c (block_rows, vectors) += aᵀ · b over so many rows of both; fresh: =.
INLINE void add_block(const float *a, const float *b, size_t rows, size_t stride, int fresh, float *c, size_t width,
                      int block_rows, int vectors) {
    vector sum[BLOCK_ROWS][WIDE];
    for (int i = 0; i < block_rows; i++) {
        for (int v = 0; v < vectors; v++) sum[i][v] = (vector){0};
        for (int v = 0; v < vectors; v += 64 / (4 * LANES)) __builtin_prefetch(c + i * width + v * LANES, 1);
    }
#pragma clang loop unroll_count(4)
    for (size_t k = 0; k < rows; k++) {
        const float *three[BLOCK_ROWS / 3];
        for (int g = 0; g < BLOCK_ROWS / 3; g++) three[g] = a + 3 * g;
        add_products(sum, three, 1, b, block_rows, vectors);
        a += stride;
        b += stride;
    }
    for (int i = 0; i < block_rows; i++) {
        for (int v = 0; v < vectors; v++) {
            float *to = c + i * width + v * LANES;
            store(to, fresh ? sum[i][v] : load(to) + sum[i][v]);
        }
    }
}

/// c (width, vectors) += aᵀ · b over so many rows of both.
INLINE void add_panel(const float *a, const float *b, size_t rows, size_t stride, int fresh, float *c, size_t width,
                      int block_rows, int vectors) {
    // The width in blocks of three thirds and of two: one third left over takes two small blocks in place of a whole one.
    const int small_rows = block_rows / 3 * 2;
    const size_t small_blocks = 2 * (width % block_rows / (block_rows / 3)) % 3;
    const size_t small_from = width - small_blocks * small_rows;
    for (size_t i = 0; i < small_from; i += block_rows)
        add_block(a + i, b, rows, stride, fresh, c + i * width, width, block_rows, vectors);
    for (size_t i = small_from; i < width; i += small_rows)
        add_block(a + i, b, rows, stride, fresh, c + i * width, width, small_rows, vectors);
}

static void add_transposed(const float *a, const float *b, size_t rows, size_t width, size_t stride, int fresh,
                           float *c) {
    for (size_t first = 0; first < rows; first += DEPTH) {
        const size_t depth = rows - first < DEPTH ? rows - first : DEPTH;
        const int starts = fresh && first == 0;
        for (size_t j = 0; j < width; j += PANEL) {
            FOR_VECTORS(panel_vectors(width, j), add_panel, a + first * stride, b + first * stride + j, depth, stride,
                        starts, c + j, width)
        }
    }
}
