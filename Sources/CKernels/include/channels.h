#ifndef CKERNELS_CHANNELS_H
#define CKERNELS_CHANNELS_H
#include <stddef.h>

// Layer rules on stacks of channels. A stack is (points, channels, width) in row-major order, channels are 1 (value),
// 3 (value, d/dx, d/dy) or 6 (value, x, y, xx, xy, yy). The rules are those of Compute/ReferenceBackend.swift.

/// z = channels of the first layer's W x, without bias. weights: (2, width); slopes: d(input)/d(coordinate).
void channels_enter(const float *x, const float *y, size_t points, size_t channels, size_t width, const float *weights,
                    float slope_x, float slope_y, float *z);

/// Adds the bias to z's value channel, leaves tanh in its place, and writes the activated channels to a.
void channels_activate(float *z, const float *bias, float *a, size_t points, size_t channels, size_t width);

/// The activated channels once more, from a z that channels_activate has been through: no tanh is computed again.
void channels_reactivate(const float *z, float *a, size_t points, size_t channels, size_t width);

/// bar: on entry the adjoint of the activated channels, on exit that of z. Adds the adjoint of the bias.
void channels_activate_adjoint(const float *z, float *bar, float *bias_bar, size_t points, size_t channels, size_t width);

/// Adds to the adjoint of the first layer's weights (2, width).
void channels_enter_adjoint(const float *x, const float *y, size_t points, size_t channels, size_t width,
                            const float *bar, float slope_x, float slope_y, float *weights_bar);

/// The instruction set that the kernels run with here.
const char *channels_instruction_set(void);
#endif
