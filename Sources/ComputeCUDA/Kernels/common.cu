// Kernels that do not depend on the channel count: coordinates and windows, sums of slices, Adam's update.

// A window along one axis across one border: kind 0 is constant 1; 1 rises; 2 falls (Decomposition.swift, Division.window).
struct Axis {
    double value, first, second;
};
static __device__ Axis edge(int kind, double border, double overlap, double x) {
    if (kind == 0) return {1, 0, 0};
    const double t = (x - border) / overlap + 0.5;
    const double s = t * t * t * (10 - 15 * t + 6 * t * t);
    const double first = 30 * t * t * (1 - t) * (1 - t) / overlap;
    const double second = 60 * t * (1 - t) * (1 - 2 * t) / (overlap * overlap);
    if (kind == 1) return {s, first, second};
    return {1 - s, -first, -second};
}

// Coordinates (P) for the networks of a subdomain, from those of the square, and the channels (6, capacity) of its window in the
// equation's coordinates; no window where a single subdomain covers the points. Padding beyond `count`, which fills the last
// slice, repeats the last point. In double, as on the CPU: second derivatives of windows magnify rounding errors.
extern "C" __global__ void locate(const float *square_x, const float *square_y, int count, int points, double center_x,
                                  double center_y, double slope_x, double slope_y, int has_window, int kind_x,
                                  double border_x, double overlap_x, int kind_y, double border_y, double overlap_y,
                                  double input_slope_x, double input_slope_y, float *x, float *y, float *window,
                                  long long capacity) {
    for (int point = blockIdx.x * blockDim.x + threadIdx.x; point < points; point += gridDim.x * blockDim.x) {
        const int from = point < count ? point : count - 1;
        const double at_x = square_x[from], at_y = square_y[from];
        x[point] = (float)((at_x - center_x) * slope_x);
        y[point] = (float)((at_y - center_y) * slope_y);
        if (!has_window) continue;
        const Axis a = edge(kind_x, border_x, overlap_x, at_x), b = edge(kind_y, border_y, overlap_y, at_y);
        const double sx = input_slope_x, sy = input_slope_y;
        window[point] = (float)(a.value * b.value);
        window[capacity + point] = (float)(a.first * b.value * sx);
        window[2 * capacity + point] = (float)(a.value * b.first * sy);
        window[3 * capacity + point] = (float)(a.second * b.value * (sx * sx));
        window[4 * capacity + point] = (float)(a.first * b.first * (sx * sy));
        window[5 * capacity + point] = (float)(a.value * b.second * (sy * sy));
    }
}

// Adds the sums of slices (S, count), in their order.
extern "C" __global__ void sum_slices(const float *slices, int slice_count, long long count, float *sum) {
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < count;
         i += (long long)gridDim.x * blockDim.x) {
        float total = slices[i];
        for (int slice = 1; slice < slice_count; slice++) total += slices[slice * count + i];
        sum[i] = total;
    }
}

// Adds the sums of blocks (B, count), in their order, in double.
extern "C" __global__ void sum_blocks(const double *blocks, int block_count, int count, double *sum) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
        double total = 0;
        for (int block = 0; block < block_count; block++) total += blocks[(long long)block * count + i];
        sum[i] = total;
    }
}

// Adam's update as in CKernels/adam.c, each operation rounded separately. `flag` is set where a gradient element is not finite.
extern "C" __global__ void adam(float *parameters, float *first, float *second, const float *gradient, long long count,
                                float keep_first, float take_first, float keep_second, float take_second, float rate,
                                float epsilon, int *flag) {
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < count;
         i += (long long)gridDim.x * blockDim.x) {
        const float slope = gradient[i];
        if (!isfinite(slope)) *flag = 1;
        const float m = __fadd_rn(__fmul_rn(first[i], keep_first), __fmul_rn(slope, take_first));
        const float square = __fmul_rn(__fmul_rn(slope, slope), take_second);
        const float v = __fadd_rn(__fmul_rn(second[i], keep_second), square);
        first[i] = m;
        second[i] = v;
        const float below = __fadd_rn(sqrtf(v), epsilon);
        parameters[i] = __fadd_rn(parameters[i], -__fdiv_rn(__fmul_rn(m, rate), below));
    }
}

// Keeps a step's sums of squares and its flag, (count + 1) doubles, and clears the flag for the next step.
extern "C" __global__ void keep_totals(const double *totals, int count, int *flag, double *kept) {
    for (int i = threadIdx.x; i < count; i += blockDim.x) kept[i] = totals[i];
    if (threadIdx.x == 0) {
        kept[count] = *flag;
        *flag = 0;
    }
}

// The bits of the nearest bfloat16, ties to even; NaN stays NaN.
static __device__ unsigned bfloat16(float value) {
    const unsigned bits = __float_as_uint(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (bits >> 16) | 0x40u;
    return (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}

// A float as the sum of two bfloat16: 16 of its 24 bits. The second is zero where the first is infinite, so that the sum stays infinite.
extern "C" __global__ void split(const float *from, long long count, unsigned short *high, unsigned short *low) {
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < count;
         i += (long long)gridDim.x * blockDim.x) {
        const unsigned upper = bfloat16(from[i]);
        const bool is_finite = (upper & 0x7f80u) != 0x7f80u;
        high[i] = (unsigned short)upper;
        low[i] = is_finite ? (unsigned short)bfloat16(from[i] - __uint_as_float(upper << 16)) : (unsigned short)0;
    }
}
