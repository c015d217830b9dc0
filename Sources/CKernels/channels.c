// Elementwise layer rules. C, because the loops need a run-time choice of instruction set in one portable binary
// (target_clones) and `restrict`; the same loops in Swift run at SSE2 (measured: 8 % of a whole step).
#include "include/channels.h"
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#define DISPATCHED __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define DISPATCHED
#endif
#define INLINE static inline __attribute__((always_inline))
// The rows of a stack do not overlap. The compiler's own check at run time does not see that when rows are read and
// written in place, and falls back to scalars: ten times slower, measured.
#define ROWS_ARE_APART _Pragma("clang loop vectorize(assume_safety)")

// tanh |x| = -m / (2 + m) with m = expm1(-2 |x|); largest error 2.498 units in the last place over all floats (tested).
INLINE float hyperbolic_tangent(float x) {
    float y = -2.0f * __builtin_fabsf(x);
    y = y < -40.0f ? -40.0f : y;
    // n = round(y / ln 2) by the addition that drops the fraction; its low bits make 2^n.
    const float magic = 12582912.0f;
    float shifted = y * 1.44269504f + magic;
    float n = shifted - magic;
    float r = y - n * 0.693359375f + n * 2.12194440e-4f;
    uint32_t bits;
    memcpy(&bits, &shifted, 4);
    bits = (bits << 23) + 0x3f800000u;
    float power;
    memcpy(&power, &bits, 4);
    // expm1 on [-ln 2 / 2, ln 2 / 2], Taylor to r^7.
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r * r + r;
    float m = power * p + (power - 1.0f);
    return __builtin_copysignf(-m / (2.0f + m), x);
}

INLINE void enter(const float *x, const float *y, size_t points, size_t channels, size_t width,
                  const float *restrict weights, float slope_x, float slope_y, float *restrict z) {
    for (size_t p = 0; p < points; p++) {
        float *restrict zp = z + p * channels * width;
        const float px = x[p], py = y[p];
        for (size_t j = 0; j < width; j++) zp[j] = weights[j] * px + weights[width + j] * py;
        if (channels >= 3) {
            for (size_t j = 0; j < width; j++) zp[width + j] = weights[j] * slope_x;
            for (size_t j = 0; j < width; j++) zp[2 * width + j] = weights[width + j] * slope_y;
        }
        if (channels == 6) memset(zp + 3 * width, 0, 3 * width * sizeof(float));
    }
}

DISPATCHED void channels_enter(const float *x, const float *y, size_t points, size_t channels, size_t width,
                               const float *weights, float slope_x, float slope_y, float *z) {
    enter(x, y, points, channels, width, weights, slope_x, slope_y, z);
}

// One point's channels; t is tanh of the value channel.
#define ACTIVATED_CHANNELS(t)                                                                                         \
    const float d = 1.0f - (t) * (t);                                                                                 \
    ap[j] = (t);                                                                                                      \
    if (channels >= 3) {                                                                                              \
        const float zx = zp[width + j], zy = zp[2 * width + j];                                                       \
        ap[width + j] = d * zx;                                                                                       \
        ap[2 * width + j] = d * zy;                                                                                   \
        if (channels == 6) {                                                                                          \
            const float e = -2.0f * (t) * d;                                                                          \
            ap[3 * width + j] = d * zp[3 * width + j] + e * zx * zx;                                                  \
            ap[4 * width + j] = d * zp[4 * width + j] + e * zx * zy;                                                  \
            ap[5 * width + j] = d * zp[5 * width + j] + e * zy * zy;                                                  \
        }                                                                                                             \
    }

INLINE void activate(float *restrict z, const float *restrict bias, float *restrict a, size_t points, size_t channels,
                     size_t width) {
    for (size_t p = 0; p < points; p++) {
        float *restrict zp = z + p * channels * width;
        float *restrict ap = a + p * channels * width;
        ROWS_ARE_APART
        for (size_t j = 0; j < width; j++) {
            const float t = hyperbolic_tangent(zp[j] + bias[j]);
            zp[j] = t;
            ACTIVATED_CHANNELS(t)
        }
    }
}

DISPATCHED void channels_activate(float *z, const float *bias, float *a, size_t points, size_t channels, size_t width) {
    switch (channels) {
    case 1: activate(z, bias, a, points, 1, width); break;
    case 3: activate(z, bias, a, points, 3, width); break;
    default: activate(z, bias, a, points, 6, width); break;
    }
}

INLINE void reactivate(const float *restrict z, float *restrict a, size_t points, size_t channels, size_t width) {
    for (size_t p = 0; p < points; p++) {
        const float *restrict zp = z + p * channels * width;
        float *restrict ap = a + p * channels * width;
        ROWS_ARE_APART
        for (size_t j = 0; j < width; j++) {
            const float t = zp[j];
            ACTIVATED_CHANNELS(t)
        }
    }
}

DISPATCHED void channels_reactivate(const float *z, float *a, size_t points, size_t channels, size_t width) {
    switch (channels) {
    case 1: reactivate(z, a, points, 1, width); break;
    case 3: reactivate(z, a, points, 3, width); break;
    default: reactivate(z, a, points, 6, width); break;
    }
}

INLINE void activate_adjoint(const float *restrict z, float *restrict bar, float *restrict bias_bar, size_t points,
                             size_t channels, size_t width) {
    for (size_t p = 0; p < points; p++) {
        const float *restrict zp = z + p * channels * width;
        float *restrict bp = bar + p * channels * width;
        ROWS_ARE_APART
        for (size_t j = 0; j < width; j++) {
            const float t = zp[j];
            const float d = 1.0f - t * t;
            float value = bp[j] * d;
            if (channels >= 3) {
                const float e = -2.0f * t * d;
                const float zx = zp[width + j], zy = zp[2 * width + j];
                const float bx = bp[width + j], by = bp[2 * width + j];
                float to_x = bx * d, to_y = by * d;
                float by_e = bx * zx + by * zy;
                if (channels == 6) {
                    const float f = d * (6.0f * t * t - 2.0f); // tanh'''
                    const float bxx = bp[3 * width + j], bxy = bp[4 * width + j], byy = bp[5 * width + j];
                    by_e += bxx * zp[3 * width + j] + bxy * zp[4 * width + j] + byy * zp[5 * width + j];
                    value += f * (bxx * zx * zx + bxy * zx * zy + byy * zy * zy);
                    to_x += e * (2.0f * bxx * zx + bxy * zy);
                    to_y += e * (bxy * zx + 2.0f * byy * zy);
                    bp[3 * width + j] = bxx * d;
                    bp[4 * width + j] = bxy * d;
                    bp[5 * width + j] = byy * d;
                }
                value += e * by_e;
                bp[width + j] = to_x;
                bp[2 * width + j] = to_y;
            }
            bp[j] = value;
            bias_bar[j] += value;
        }
    }
}

DISPATCHED void channels_activate_adjoint(const float *z, float *bar, float *bias_bar, size_t points, size_t channels,
                                          size_t width) {
    switch (channels) {
    case 1: activate_adjoint(z, bar, bias_bar, points, 1, width); break;
    case 3: activate_adjoint(z, bar, bias_bar, points, 3, width); break;
    default: activate_adjoint(z, bar, bias_bar, points, 6, width); break;
    }
}

DISPATCHED void channels_enter_adjoint(const float *x, const float *y, size_t points, size_t channels, size_t width,
                                       const float *bar, float slope_x, float slope_y, float *weights_bar) {
    float *restrict to_x = weights_bar;
    float *restrict to_y = weights_bar + width;
    for (size_t p = 0; p < points; p++) {
        const float *restrict bp = bar + p * channels * width;
        const float px = x[p], py = y[p];
        for (size_t j = 0; j < width; j++) to_x[j] += bp[j] * px;
        for (size_t j = 0; j < width; j++) to_y[j] += bp[j] * py;
        if (channels >= 3) {
            for (size_t j = 0; j < width; j++) to_x[j] += bp[width + j] * slope_x;
            for (size_t j = 0; j < width; j++) to_y[j] += bp[2 * width + j] * slope_y;
        }
    }
}

const char *channels_instruction_set(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return "AVX-512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "AVX2";
    return "SSE2";
#else
    return "portable";
#endif
}
