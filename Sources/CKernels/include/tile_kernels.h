#ifndef CKERNELS_TILE_KERNELS_H
#define CKERNELS_TILE_KERNELS_H
#include <stddef.h>

// The hot loops of a tile: products of a stack with a layer's weights, and the layer's rules on its channels. Each
// instruction set has a table of its own; all tables compute the same (Tests/ComputeTests hold them against plain loops).
//
// A stack is (points, channels, width), row-major; a row is one channel of one point. Channels are 1 (value), 3 (value,
// x, y) or 6 (value, x, y, xx, xy, yy), the rules those of Compute/ReferenceBackend.swift. Rows stand `stride` floats apart
// (tile_stride). A stack has room for a multiple of block_rows rows; what stands in rows beyond the given ones is not
// used. Widths are multiples of `lanes`; the caller pads with zeros.

struct tile_kernels {
    const char *name;
    /// Floats of a vector.
    size_t lanes;
    /// Rows of a register block.
    size_t block_rows;

    /// Lays square weights (width, width) out in panels for `multiply`; transposed: those of the transpose.
    void (*pack)(const float *weights, size_t width, int transposed, float *packed);
    /// c (rows, width) = a (rows, width) · packed weights.
    void (*multiply)(const float *a, const float *packed, size_t rows, size_t width, size_t stride, float *c);
    /// c (width, width) += aᵀ · b for stacks a and b; c is dense. fresh: c = aᵀ · b, whatever c held.
    void (*add_transposed)(const float *a, const float *b, size_t rows, size_t width, size_t stride, int fresh,
                           float *c);

    /// z = channels of the first layer's W x, without bias. weights: (2, width); slopes: d(input)/d(coordinate).
    void (*enter)(const float *x, const float *y, size_t points, size_t channels, size_t width, size_t stride,
                  const float *weights, float slope_x, float slope_y, float *z);
    /// a = channels of sin(x b_x + y b_y + phase), features that are not trained. waves: (3, width), b_x, b_y and phase.
    void (*encode)(const float *x, const float *y, size_t points, size_t channels, size_t width, size_t stride,
                   const float *waves, float slope_x, float slope_y, float *a);
    /// Adds the bias to z's value channel, leaves tanh in its place, and writes the activated channels to a.
    void (*activate)(float *z, const float *bias, float *a, size_t points, size_t channels, size_t width, size_t stride);
    /// The activated channels once more, from a z that `activate` has been through: no tanh is computed again.
    void (*reactivate)(const float *z, float *a, size_t points, size_t channels, size_t width, size_t stride);
    /// bar: on entry the adjoint of the activated channels, on exit that of z. Adds the adjoint of the bias.
    void (*activate_adjoint)(const float *z, float *bar, float *bias_bar, size_t points, size_t channels, size_t width,
                             size_t stride);
    /// Adds to the adjoint of the first layer's weights (2, width).
    void (*enter_adjoint)(const float *x, const float *y, size_t points, size_t channels, size_t width, size_t stride,
                          const float *bar, float slope_x, float slope_y, float *weights_bar);
};

/// How many instruction sets this processor has kernels for, and their tables, the fastest first.
size_t tile_kernels_count(void);
const struct tile_kernels *tile_kernels_at(size_t number);

/// Floats between rows: the width, and a line more where rows would otherwise stand an even number of cache lines apart
/// and crowd into few sets of the first-level cache (measured: 66 to 79 GFLOP/s for add_transposed at width 128).
static inline size_t tile_stride(size_t width) { return width % 32 == 0 ? width + 16 : width; }
#endif
