// Forward and adjoint pass of a tile through a network with K channels, except for the matrix products. Compiled once for each K,
// with channels.cu in front.
// Derivation and letters: Sources/Networks/README.md. Stacks are point-major (P, K, W). The arithmetic is that of CKernels/tile_channels.h.
//
// Sums over points are taken in slices: slice s of S has the points of [s P / S, (s + 1) P / S). Each slice adds to its own sums,
// `stride` floats apart, always in the same order, and sum_slices adds these in order: the same bits every time.

constexpr int slice_threads = 8;

// First element and stride of a thread of a one-dimensional grid.
static __device__ long long first() { return (long long)blockIdx.x * blockDim.x + threadIdx.x; }
static __device__ long long step() { return (long long)gridDim.x * blockDim.x; }

// Channels of one feature at a point, `width` floats apart.
static __device__ void load(const float *from, int width, float (&to)[K]) {
    for (int k = 0; k < K; k++) to[k] = from[(long long)k * width];
}
static __device__ void store(const float (&from)[K], float *to, int width) {
    for (int k = 0; k < K; k++) to[(long long)k * width] = from[k];
}

// z (P, K, W) of the first layer from coordinates (P) and weights (2, W), without the biases.
extern "C" __global__ void enter(const float *x, const float *y, const float *weights, float slope_x, float slope_y,
                                 float *z, int points, int width) {
    for (long long i = first(); i < (long long)points * width; i += step()) {
        const long long point = i / width;
        const int feature = (int)(i % width);
        const float along_x = weights[feature], along_y = weights[width + feature];
        float channels[K] = {};
        channels[0] = x[point] * along_x + y[point] * along_y;
        if constexpr (K > 1) {
            channels[1] = slope_x * along_x;
            channels[2] = slope_y * along_y;
        }
        store(channels, z + point * K * width + feature, width);
    }
}

// Fourier features (P, K, F): sines of angles; frequencies (3, F) holds frequencies along x and y, and phases.
extern "C" __global__ void encode(const float *x, const float *y, const float *frequencies, float slope_x, float slope_y,
                                  float *features, int points, int count) {
    for (long long i = first(); i < (long long)points * count; i += step()) {
        const long long point = i / count;
        const int feature = (int)(i % count);
        const float along_x = frequencies[feature], along_y = frequencies[count + feature];
        const float angle = along_x * x[point] + along_y * y[point] + frequencies[2 * count + feature];
        float sine, cosine;
        sincosf(angle, &sine, &cosine);
        const float dx = along_x * slope_x, dy = along_y * slope_y;
        float a[K];
        a[0] = sine;
        if constexpr (K > 1) {
            a[1] = dx * cosine;
            a[2] = dy * cosine;
        }
        if constexpr (K > 3) {
            a[3] = -dx * dx * sine;
            a[4] = -dx * dy * sine;
            a[5] = -dy * dy * sine;
        }
        store(a, features + point * K * count + feature, count);
    }
}

// Computes a from z and the biases; leaves tanh z in z's value channel.
extern "C" __global__ void activate(float *z, const float *bias, float *a, int points, int width) {
    for (long long i = first(); i < (long long)points * width; i += step()) {
        const int feature = (int)(i % width);
        const long long place = i / width * K * width + feature;
        float channels[K], activated[K];
        load(z + place, width, channels);
        channels[0] = tanhf(channels[0] + bias[feature]);
        z[place] = channels[0];
        chain_rule(channels, activated);
        store(activated, a + place, width);
    }
}

// Recomputes a from what activate left in z.
extern "C" __global__ void reactivate(const float *z, float *a, int points, int width) {
    for (long long i = first(); i < (long long)points * width; i += step()) {
        const long long place = i / width * K * width + i % width;
        float channels[K], activated[K];
        load(z + place, width, channels);
        chain_rule(channels, activated);
        store(activated, a + place, width);
    }
}

// Adds the sums of a block's threads along y to those of its slice.
static __device__ void add_to_slice(float sum, float *slice, int feature, int width) {
    __shared__ float sums[slice_threads][32];
    sums[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0 && feature < width) {
        float total = sums[0][threadIdx.x];
        for (int thread = 1; thread < slice_threads; thread++) total += sums[thread][threadIdx.x];
        slice[feature] += total;
    }
    __syncthreads();
}

// Adjoints of z from those of a, in place, and the slices' sums of the biases' adjoints. Blocks of (32, slice_threads) threads,
// grid (W / 32, S).
extern "C" __global__ void activate_adjoint(const float *z, float *bar, float *bias_sums, long long stride, int points,
                                            int width) {
    const int feature = blockIdx.x * 32 + threadIdx.x;
    const int begin = (int)((long long)blockIdx.y * points / gridDim.y);
    const int end = (int)((long long)(blockIdx.y + 1) * points / gridDim.y);
    float sum = 0;
    if (feature < width) {
        for (int point = begin + threadIdx.y; point < end; point += slice_threads) {
            const long long place = (long long)point * K * width + feature;
            float channels[K], bars[K];
            load(z + place, width, channels);
            load(bar + place, width, bars);
            chain_rule_adjoint(channels, bars);
            store(bars, bar + place, width);
            sum += bars[0];
        }
    }
    add_to_slice(sum, bias_sums + blockIdx.y * stride, feature, width);
}

// The slices' sums of the adjoints of the first layer's weights (2, W), from those of z. Blocks and grid as above.
extern "C" __global__ void enter_adjoint(const float *x, const float *y, const float *bar, float slope_x, float slope_y,
                                         float *weight_sums, long long stride, int points, int width) {
    const int feature = blockIdx.x * 32 + threadIdx.x;
    const int begin = (int)((long long)blockIdx.y * points / gridDim.y);
    const int end = (int)((long long)(blockIdx.y + 1) * points / gridDim.y);
    float along_x = 0, along_y = 0;
    if (feature < width) {
        for (int point = begin + threadIdx.y; point < end; point += slice_threads) {
            const long long place = (long long)point * K * width + feature;
            along_x += x[point] * bar[place];
            along_y += y[point] * bar[place];
            if constexpr (K > 1) {
                along_x += slope_x * bar[place + width];
                along_y += slope_y * bar[place + 2 * (long long)width];
            }
        }
    }
    float *slice = weight_sums + blockIdx.y * stride;
    add_to_slice(along_x, slice, feature, width);
    add_to_slice(along_y, slice + width, feature, width);
}

// Adds the last layer's biases to the value channel of the outputs (P, K, O).
extern "C" __global__ void add_bias(float *outputs, const float *bias, int points, int count) {
    for (long long i = first(); i < (long long)points * count; i += step())
        outputs[i / count * K * count + i % count] += bias[i % count];
}

// The slices' sums of the adjoints of the last layer's biases. Blocks of (32, slice_threads) threads, grid (O / 32, S).
extern "C" __global__ void bias_adjoint(const float *bars, float *bias_sums, long long stride, int points, int count) {
    const int output = blockIdx.x * 32 + threadIdx.x;
    const int begin = (int)((long long)blockIdx.y * points / gridDim.y);
    const int end = (int)((long long)(blockIdx.y + 1) * points / gridDim.y);
    float sum = 0;
    if (output < count)
        for (int point = begin + threadIdx.y; point < end; point += slice_threads)
            sum += bars[(long long)point * K * count + output];
    add_to_slice(sum, bias_sums + blockIdx.y * stride, output, count);
}

// One term of Leibniz's rule: channel `product` takes `factor` times channel f of the window times channel g of the network.
struct Term {
    int product, f, g;
    float factor;
};
__constant__ Term leibniz[15] = {{0, 0, 0, 1}, {1, 1, 0, 1}, {1, 0, 1, 1}, {2, 2, 0, 1}, {2, 0, 2, 1},
                                 {3, 3, 0, 1}, {3, 1, 1, 2}, {3, 0, 3, 1}, {4, 4, 0, 1}, {4, 1, 2, 1},
                                 {4, 2, 1, 1}, {4, 0, 4, 1}, {5, 5, 0, 1}, {5, 2, 2, 2}, {5, 0, 5, 1}};
constexpr int terms = K == 1 ? 1 : K == 3 ? 5 : 15;

// The window's channels (6, `capacity`) times the outputs (P, K, O) by Leibniz's rule, set or added to a sum of the same shape.
extern "C" __global__ void blend(const float *window, long long capacity, const float *outputs, float *sum, int is_first,
                                 int points, int count) {
    for (long long i = first(); i < (long long)points * count; i += step()) {
        const long long point = i / count, place = point * K * count + i % count;
        float to[K] = {}, from[K];
        if (!is_first) load(sum + place, count, to);
        load(outputs + place, count, from);
        for (int term = 0; term < terms; term++)
            to[leibniz[term].product] +=
                leibniz[term].factor * window[leibniz[term].f * capacity + point] * from[leibniz[term].g];
        store(to, sum + place, count);
    }
}

// Adjoint of blend: the outputs' adjoints from those of the sum.
extern "C" __global__ void blend_adjoint(const float *window, long long capacity, const float *sum_bars, float *bars,
                                         int points, int count) {
    for (long long i = first(); i < (long long)points * count; i += step()) {
        const long long point = i / count, place = point * K * count + i % count;
        float to[K] = {}, from[K];
        load(sum_bars + place, count, from);
        for (int term = 0; term < terms; term++)
            to[leibniz[term].g] +=
                leibniz[term].factor * window[leibniz[term].f * capacity + point] * from[leibniz[term].product];
        store(to, bars + place, count);
    }
}
