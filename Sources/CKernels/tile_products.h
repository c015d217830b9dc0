// Register-blocked products for the shapes of a training step; the plain form is in Tests/ComputeTests/ProductsTests.swift.
// OpenBLAS packs both operands at every call; weights are packed once a step here, and a stack is used as it lies.
//
// A block is BLOCK_ROWS x 2 vectors of the result: its accumulators, two vectors of b and one broadcast of a fill the
// register file. What limits it is instructions, above all where another thread shares the core: 12 fused
// multiply-adds need 20 (8 loads) on AVX2, and loops are unrolled so that little comes on top. Measured for 192 x 128 x 128 on
// a busy Zen 3 core whose registers alone reach 111 GFLOP/s: 88 (multiply) and 79 (add_transposed); with one step a turn 71 and
// 66; OpenBLAS 62.

enum {
    PANEL = 2 * LANES,
    /// A block for what does not fill BLOCK_ROWS; with both, every multiple of LANES is covered.
    SMALL_ROWS = BLOCK_ROWS * 2 / 3,
    /// Rows that add_transposed sums in registers: two of their lines each, and the block's own, stay in 32 KB.
    DEPTH = 96
};

static void pack(const float *weights, size_t width, int transposed, float *packed) {
    for (size_t j = 0; j < width; j += PANEL) {
        const size_t columns = width - j < PANEL ? width - j : PANEL;
        for (size_t k = 0; k < width; k++) {
            for (size_t column = j; column < j + columns; column++)
                *packed++ = transposed ? weights[column * width + k] : weights[k * width + column];
        }
    }
}

/// c (BLOCK_ROWS, vectors) = a · panel (width, vectors). A block of one vector waits for its few accumulators, whatever is
/// unrolled.
INLINE void multiply_block(const float *a, const float *panel, size_t width, size_t stride, int vectors, float *c) {
    const int unrolled = vectors == 2 ? UNROLLED : 1;
    vector sum[BLOCK_ROWS][2];
    for (int i = 0; i < BLOCK_ROWS; i++) sum[i][0] = sum[i][1] = (vector){0};
    // Rows by threes: an address is a register, a multiple 0, 1 or 2 of the stride, and a constant.
    const float *three[BLOCK_ROWS / 3];
    for (int g = 0; g < BLOCK_ROWS / 3; g++) three[g] = a + 3 * g * stride;
    for (size_t k = 0; k < width; k += unrolled) {
#pragma clang loop unroll(full)
        for (int u = 0; u < unrolled; u++) {
            vector b[2];
            for (int v = 0; v < vectors; v++) b[v] = load(panel + (u * vectors + v) * LANES);
#pragma clang loop unroll(full)
            for (int i = 0; i < BLOCK_ROWS; i++) {
                const float value = three[i / 3][(i % 3) * stride + u];
                for (int v = 0; v < vectors; v++) sum[i][v] += value * b[v];
            }
        }
        for (int g = 0; g < BLOCK_ROWS / 3; g++) three[g] += unrolled;
        panel += unrolled * vectors * LANES;
    }
    for (int i = 0; i < BLOCK_ROWS; i++) {
        for (int v = 0; v < vectors; v++) store(c + i * stride + v * LANES, sum[i][v]);
    }
}

static void multiply(const float *a, const float *packed, size_t rows, size_t width, size_t stride, float *c) {
    size_t j = 0;
    for (; j + PANEL <= width; j += PANEL) {
        // While a panel is used the next one comes from the third-level cache, a piece with every block of rows.
        const char *next = (const char *)(packed + (j + PANEL) * width);
        const size_t piece = PANEL * width * sizeof(float) / ((rows + BLOCK_ROWS - 1) / BLOCK_ROWS);
        for (size_t i = 0; i < rows; i += BLOCK_ROWS) {
            for (size_t line = 0; line < piece; line += 64) __builtin_prefetch(next + line);
            next += piece;
            multiply_block(a + i * stride, packed + j * width, width, stride, 2, c + i * stride + j);
        }
    }
    for (size_t i = 0; j < width && i < rows; i += BLOCK_ROWS)
        multiply_block(a + i * stride, packed + j * width, width, stride, 1, c + i * stride + j);
}

/// c (block_rows, vectors) += aᵀ · b over so many rows of both; fresh: =.
INLINE void add_block(const float *a, const float *b, size_t rows, size_t stride, int block_rows, int vectors, int fresh,
                      float *c, size_t width) {
    vector sum[BLOCK_ROWS][2];
    for (int i = 0; i < block_rows; i++) {
        sum[i][0] = sum[i][1] = (vector){0};
        __builtin_prefetch(c + i * width, 1);
    }
#pragma clang loop unroll_count(4)
    for (size_t k = 0; k < rows; k++) {
        vector bk[2];
        for (int v = 0; v < vectors; v++) bk[v] = load(b + v * LANES);
#pragma clang loop unroll(full)
        for (int i = 0; i < block_rows; i++) {
            for (int v = 0; v < vectors; v++) sum[i][v] += a[i] * bk[v];
        }
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

INLINE void add_panel(const float *a, const float *b, size_t rows, size_t stride, int vectors, int fresh, float *c,
                      size_t width) {
    // The width in blocks of three thirds and of two: one third left over takes two small blocks in place of a whole one.
    const size_t small_blocks = 2 * (width % BLOCK_ROWS / (BLOCK_ROWS / 3)) % 3;
    const size_t small_from = width - small_blocks * SMALL_ROWS;
    for (size_t i = 0; i < small_from; i += BLOCK_ROWS)
        add_block(a + i, b, rows, stride, BLOCK_ROWS, vectors, fresh, c + i * width, width);
    for (size_t i = small_from; i < width; i += SMALL_ROWS)
        add_block(a + i, b, rows, stride, SMALL_ROWS, vectors, fresh, c + i * width, width);
}

static void add_transposed(const float *a, const float *b, size_t rows, size_t width, size_t stride, int fresh,
                           float *c) {
    for (size_t first = 0; first < rows; first += DEPTH) {
        const size_t depth = rows - first < DEPTH ? rows - first : DEPTH;
        const float *a_here = a + first * stride;
        const float *b_here = b + first * stride;
        const int starts = fresh && first == 0;
        size_t j = 0;
        for (; j + PANEL <= width; j += PANEL) add_panel(a_here, b_here + j, depth, stride, 2, starts, c + j, width);
        if (j < width) add_panel(a_here, b_here + j, depth, stride, 1, starts, c + j, width);
    }
}
