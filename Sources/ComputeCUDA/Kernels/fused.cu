// Forward pass of a tile through all layers of a network in one kernel, adjoint pass in another: activations and adjoints stay in
// shared memory and registers, and global memory sees the pre-activations z once in each pass. Derivation and letters:
// Sources/Networks/README.md; the arithmetic between products is that of network.cu, against which this is tested, and so is
// the layout of z (L, P, K, W).
//
// Products 0, 1, ... are those of the hidden layers with W x W weights: all layers but the first, or all where the first takes
// Fourier features. Product p computes z of layer p + 1 (p, with features); its weights are at base + p (W^2 + W) of the
// parameters, followed by its biases; base is 3 W, or 0.
//
// Block b takes tiles b, b + blocks, ... and adds to gradient sums of its own, which gather adds in the order of blocks: the same
// bits every time. A block's sums are those of all products' weights in the order of parameter_of, of their biases (products, W),
// of the parameters before base, and of the last layer.

struct Shape {
    int products, outputs, base;
    __device__ __forceinline__ Shape(int hidden_layers, int outputs, bool has_features)
        : products(has_features ? hidden_layers : hidden_layers - 1), outputs(outputs), base(has_features ? 0 : 3 * W) {}
    // Offsets in the parameters: weights and biases of a product, weights and biases of the last layer. Product -1 is the first layer.
    __device__ __forceinline__ int weights(int product) const { return base + product * (W * W + W); }
    __device__ __forceinline__ int biases(int product) const { return weights(product) + W * W; }
    __device__ __forceinline__ int last() const { return weights(products); }
    // Offsets in a block's sums.
    __device__ __forceinline__ int bias_sums(int product) const {
        return product < 0 ? first_sums() + 2 * W : products * W * W + product * W;
    }
    __device__ __forceinline__ int first_sums() const { return products * (W * W + W); }
};

// Value k of a column of a product's matrix.
struct Weights {
    const float *weights;
    bool is_forward;
    __device__ __forceinline__ float operator()(int column, int k) const {
        return weights[is_forward ? k * W + column : column * W + k];
    }
};

// Packs the weights of all products as columns for the forward pass, (W outputs, W inputs), or for the adjoint pass.
extern "C" __global__ void pack(const float *parameters, int hidden_layers, int has_features, int is_forward,
                                unsigned *packed) {
    const Shape shape(hidden_layers, 0, has_features);
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < shape.products * W * W; i += gridDim.x * blockDim.x) {
        const int product = i / (W * W);
        packed[i] = packed_word(Weights{parameters + shape.weights(product), is_forward != 0}, i % (W * W));
    }
}

// Reads two neighbouring columns of a stack, as factors or as floats.
static __device__ __forceinline__ void put(unsigned *stack, int row, int column, float left, float right, bool as_factors) {
    if (as_factors)
        put_factors(stack, row, column, left, right);
    else
        *(float2 *)(stack + word_of(row, column)) = {left, right};
}

// From sums z without biases: writes z to global memory, with tanh z in the value channel, and a to shared memory, as factors or floats.
static __device__ __forceinline__ void activate(float (&c)[M][N][4], const Place &place, const float *biases, float *z,
                                                unsigned *stack, bool as_factors, int first_point, int points) {
    const int left = points - first_point - place.point;
    z += (long long)(first_point + place.point) * K * W + place.column;
#pragma unroll
    for (int n = 0; n < N; n++) {
        const int column = place.column + 8 * n;
        const float bias[2] = {biases[column], biases[column + 1]};
#pragma unroll
        for (int own = 0; own < own_points; own++) {
            // Keeps the compiler from interleaving all points, for which there are not enough registers.
            if (own % 2 == 0 || K < 6) __syncwarp();
            const int offset = Place::offset(own);
            float channels[2][K], activated[2][K];
#pragma unroll
            for (int j = 0; j < 2; j++) {
#pragma unroll
                for (int k = 0; k < K; k++) channels[j][k] = sum_of(c, own, k, n, j);
                channels[j][0] = tanhf(channels[j][0] + bias[j]);
                chain_rule(channels[j], activated[j]);
            }
#pragma unroll
            for (int k = 0; k < K; k++) {
                if (offset < left) *(float2 *)(z + (offset * K + k) * W + 8 * n) = {channels[0][k], channels[1][k]};
                put(stack, place.row(own, k), column, activated[0][k], activated[1][k], as_factors);
            }
        }
    }
}

// From adjoints of a and from z: adjoints of z in place, and a to shared memory, as factors or floats.
static __device__ __forceinline__ void activate_adjoint(float (&c)[M][N][4], const Place &place, const float *z, unsigned *stack,
                                                        bool as_factors, int first_point, int points) {
    const int left = points - first_point - place.point;
    z += (long long)(first_point + place.point) * K * W + place.column;
#pragma unroll
    for (int n = 0; n < N; n++) {
        const int column = place.column + 8 * n;
#pragma unroll
        for (int own = 0; own < own_points; own++) {
            // Keeps the compiler from interleaving all points, for which there are not enough registers.
            if (own % 2 == 0 || K < 6) __syncwarp();
            const int offset = Place::offset(own);
            float channels[2][K], activated[2][K], bars[2][K];
#pragma unroll
            for (int k = 0; k < K; k++) {
                float2 both = {0, 0};
                if (offset < left) both = *(const float2 *)(z + (offset * K + k) * W + 8 * n);
                channels[0][k] = both.x;
                channels[1][k] = both.y;
            }
#pragma unroll
            for (int j = 0; j < 2; j++) {
                chain_rule(channels[j], activated[j]);
#pragma unroll
                for (int k = 0; k < K; k++) bars[j][k] = sum_of(c, own, k, n, j);
                chain_rule_adjoint(channels[j], bars[j]);
#pragma unroll
                for (int k = 0; k < K; k++) sum_of(c, own, k, n, j) = bars[j][k];
            }
#pragma unroll
            for (int k = 0; k < K; k++) {
                put(stack, place.row(own, k), column, activated[0][k], activated[1][k], as_factors);
            }
        }
    }
}

// Copies the features (P, K, W) of a tile to shared memory, as factors; zeros beyond the points.
static __device__ __forceinline__ void load_features(const float *features, unsigned *stack, int first_point, int points) {
    for (int i = threadIdx.x; i < rows * W / 4; i += threads) {
        const int row = i / (W / 4), column = i % (W / 4) * 4, point = first_point + point_of(row);
        float4 four = {0, 0, 0, 0};
        if (point < points) four = *(const float4 *)(features + ((long long)point * K + channel_of(row)) * W + column);
        put_factors(stack, row, column, four.x, four.y);
        put_factors(stack, row, column + 2, four.z, four.w);
    }
}

// Outputs (P, K, O) from activations in shared memory, in single precision.
static __device__ __forceinline__ void leave(const unsigned *stack, const float *last, int outputs, float *to, int first_point,
                                             int points) {
    for (int i = threadIdx.x; i < rows * outputs; i += threads) {
        const int row = i / outputs, output = i % outputs, point = first_point + point_of(row), k = channel_of(row);
        if (point >= points) continue;
        float sum = 0;
#pragma unroll 4
        for (int feature = 0; feature < W; feature += 4) {
            const float4 a = *(const float4 *)(stack + word_of(row, feature));
            const float *weights = last + feature * outputs + output;
            sum += a.x * weights[0] + a.y * weights[outputs] + a.z * weights[2 * outputs] + a.w * weights[3 * outputs];
        }
        to[((long long)point * K + k) * outputs + output] = k == 0 ? sum + last[W * outputs + output] : sum;
    }
}

static __device__ __forceinline__ void set_or_add(float *sum, float value, bool is_first) {
    *sum = is_first ? value : *sum + value;
}

// Sums each thread's columns over the tile's points and sets, or adds to, the block's sums (W). Begins with a barrier, so that
// the columns of the previous sums have been read.
static __device__ __forceinline__ void add_columns(float (&own)[N][2], const Place &place, float *columns, float *sums,
                                                   bool is_first) {
    __syncthreads();
#pragma unroll
    for (int n = 0; n < N; n++)
#pragma unroll
        for (int j = 0; j < 2; j++) {
            float sum = own[n][j];
#pragma unroll
            for (int mask = 4; mask < 32; mask *= 2) sum += __shfl_xor_sync(~0u, sum, mask);
            if (place.g == 0) columns[place.part * W + place.column + 8 * n + j] = sum;
        }
    __syncthreads();
    if (threadIdx.x < W) {
        float sum = columns[threadIdx.x];
        for (int part = 1; part < column_parts; part++) sum += columns[part * W + threadIdx.x];
        set_or_add(sums + threadIdx.x, sum, is_first);
    }
}

// The sum over the tile's rows of an output's adjoints (P, K, O) times a feature's activations; without a stack, over value rows alone.
static __device__ __forceinline__ float sum_rows(const unsigned *stack, int feature, const float *output_bars, int outputs,
                                                 int output, int first_point, int points) {
    float sum = 0;
    // Unrolled, so that several loads are in flight.
#pragma unroll 2
    for (int row = 0; row < rows; row += 8) {
        // 8 consecutive rows are neighbouring points of one channel.
        const int point = first_point + point_of(row), k = channel_of(row);
        if (!stack && k > 0) continue;
        const float *from = output_bars + ((long long)point * K + k) * outputs + output;
#pragma unroll
        for (int i = 0; i < 8; i++) {
            const float value = point + i < points ? from[i * K * outputs] : 0;
            sum += stack ? __uint_as_float(stack[word_of(row + i, feature)]) * value : value;
        }
    }
    return sum;
}

// Prefetches a tile of a layer's z, which is contiguous.
static __device__ __forceinline__ void prefetch_tile(const float *z, int first_point, int points) {
    const int count = min(tile_points, points - first_point) * K * W;
    for (int i = 32 * threadIdx.x; i < count; i += 32 * threads) prefetch(z + (long long)first_point * K * W + i);
}

// Forward pass: z of all layers and outputs (P, K, O). Layers of z are z_stride floats apart; features is null where there are none.
// Shared memory: a stack and the ring of chunks.
extern "C" __global__ void __launch_bounds__(threads, 1)
    fused_forward(const float *x, const float *y, const float *features, float slope_x, float slope_y, const float *parameters,
                  const unsigned *packed, float *z, long long z_stride, float *outputs, int points, int hidden_layers,
                  int output_count) {
    const Place place;
    const Shape shape(hidden_layers, output_count, features != nullptr);
    unsigned *stack = shared_words();
    Ring ring = {stack + stack_words, 0};
    float c[M][N][4];
    if (shape.products > 0) ring.fetch(packed, 0, 0);
    for (int first_point = blockIdx.x * tile_points; first_point < points; first_point += gridDim.x * tile_points) {
        if (features) {
            // All threads have finished the outputs of the previous tile.
            __syncthreads();
            load_features(features, stack, first_point, points);
        } else {
#pragma unroll
            for (int own = 0; own < own_points; own++) {
                // As in activate.
                __syncwarp();
                const int point = first_point + place.point + Place::offset(own);
                float at_x = 0, at_y = 0;
                if (point < points) {
                    at_x = x[point];
                    at_y = y[point];
                }
#pragma unroll
                for (int n = 0; n < N; n++)
#pragma unroll
                    for (int j = 0; j < 2; j++) {
                        const int column = place.column + 8 * n + j;
                        const float along_x = parameters[column], along_y = parameters[W + column];
#pragma unroll
                        for (int k = 0; k < K; k++)
                            sum_of(c, own, k, n, j) = k == 0   ? at_x * along_x + at_y * along_y
                                                      : k == 1 ? slope_x * along_x
                                                      : k == 2 ? slope_y * along_y
                                                               : 0;
                    }
            }
            __syncthreads();
            activate(c, place, parameters + shape.biases(-1), z, stack, shape.products > 0, first_point, points);
        }
        for (int number = 0; number < shape.products; number++) {
            const bool is_last = number + 1 == shape.products;
            const bool is_end = first_point + gridDim.x * tile_points >= points;
            const unsigned *next = !is_last ? packed + (number + 1) * W * W : is_end ? nullptr : packed;
            product(stack, ring, packed + number * W * W, next, place, c);
            // All threads have read the stack.
            __syncthreads();
            activate(c, place, parameters + shape.biases(number), z + (features ? number : number + 1) * z_stride, stack,
                     !is_last, first_point, points);
        }
        __syncthreads();
        leave(stack, parameters + shape.last(), output_count, outputs, first_point, points);
    }
}

// Adjoint pass: each block's gradient sums, from the adjoints of the outputs (P, K, O) and from z. Sums of blocks are sum_stride
// floats apart, and all are set. Shared memory: two stacks, the ring of chunks, the columns.
extern "C" __global__ void __launch_bounds__(threads, 1)
    fused_adjoint(const float *x, const float *y, const float *features, float slope_x, float slope_y, const float *parameters,
                  const unsigned *packed, const float *z, long long z_stride, const float *output_bars, float *sums,
                  long long sum_stride, int points, int hidden_layers, int output_count) {
    const Place place;
    const Shape shape(hidden_layers, output_count, features != nullptr);
    const int outputs = shape.outputs;
    // The products whose adjoints go on to a layer below.
    const int lowest = features ? 1 : 0;
    unsigned *a = shared_words(), *bar = a + stack_words;
    Ring ring = {bar + stack_words, 0};
    float *columns = (float *)(bar + stack_words + ring_words);
    float c[M][N][4], sums_of_columns[N][2];
    sums += blockIdx.x * sum_stride;
    const unsigned *top = packed + (shape.products - 1) * W * W;
    if (shape.products > lowest) ring.fetch(top, 0, 0);

    for (int tile = blockIdx.x; tile * tile_points < points; tile += gridDim.x) {
        const int first_point = tile * tile_points;
        const bool is_first = tile == blockIdx.x, is_end = (tile + gridDim.x) * tile_points >= points;

        // The last layer, in single precision.
        const float *last = parameters + shape.last();
        clear(c);
#pragma unroll 1
        for (int output = 0; output < outputs; output++) {
            float weights[N][2];
#pragma unroll
            for (int n = 0; n < N; n++)
#pragma unroll
                for (int j = 0; j < 2; j++) weights[n][j] = last[(place.column + 8 * n + j) * outputs + output];
#pragma unroll
            for (int own = 0; own < own_points; own++)
#pragma unroll
                for (int k = 0; k < K; k++) {
                    const int point = first_point + place.point + Place::offset(own);
                    const float value = point < points ? output_bars[((long long)point * K + k) * outputs + output] : 0;
#pragma unroll
                    for (int n = 0; n < N; n++)
#pragma unroll
                        for (int j = 0; j < 2; j++) sum_of(c, own, k, n, j) += value * weights[n][j];
                }
        }
        activate_adjoint(c, place, z + (hidden_layers - 1) * z_stride, a, false, first_point, points);
        __syncthreads();
        float *last_sums = sums + shape.first_sums() + shape.base;
        for (int i = threadIdx.x; i < W * outputs; i += threads)
            set_or_add(last_sums + i % W * outputs + i / W,
                       sum_rows(a, i % W, output_bars, outputs, i / W, first_point, points), is_first);
        for (int output = threadIdx.x; output < outputs; output += threads)
            set_or_add(last_sums + W * outputs + output,
                       sum_rows(nullptr, 0, output_bars, outputs, output, first_point, points), is_first);

        for (int number = shape.products - 1;; number--) {
            // `bar` now holds adjoints of z of product `number`'s layer (-1: the first layer). Its biases:
#pragma unroll
            for (int n = 0; n < N; n++)
#pragma unroll
                for (int j = 0; j < 2; j++) {
                    sums_of_columns[n][j] = 0;
#pragma unroll
                    for (int own = 0; own < own_points; own++) sums_of_columns[n][j] += sum_of(c, own, 0, n, j);
                }
            add_columns(sums_of_columns, place, columns, sums + shape.bias_sums(number), is_first);
            if (number < 0) break;
#pragma unroll
            for (int own = 0; own < own_points; own++)
#pragma unroll
                for (int k = 0; k < K; k++)
#pragma unroll
                    for (int n = 0; n < N; n++)
                        put_factors(bar, place.row(own, k), place.column + 8 * n, sum_of(c, own, k, n, 0),
                                    sum_of(c, own, k, n, 1));
            if (number < lowest) {
                load_features(features, a, first_point, points);
            } else {
                const float *below = z + (features ? number - 1 : number) * z_stride;
                prefetch_tile(below, first_point, points);
                if (number == lowest && !is_end)
                    prefetch_tile(z + (hidden_layers - 1) * z_stride, (tile + gridDim.x) * tile_points, points);
                const unsigned *next = number > lowest ? packed + (number - 1) * W * W : is_end ? nullptr : top;
                product(bar, ring, packed + number * W * W, next, place, c);
                activate_adjoint(c, place, below, a, true, first_point, points);
            }
            publish();
            add_gradient(a, bar, sums + number * W * W, is_first);
            if (number < lowest) break;
        }
        if (features) {
            // All threads have read the stacks.
            __syncthreads();
            continue;
        }

        // Weights of the first layer.
#pragma unroll
        for (int axis = 0; axis < 2; axis++) {
            const float *coordinates = axis == 0 ? x : y;
            const float slope = axis == 0 ? slope_x : slope_y;
#pragma unroll
            for (int n = 0; n < N; n++) sums_of_columns[n][0] = sums_of_columns[n][1] = 0;
#pragma unroll
            for (int own = 0; own < own_points; own++) {
                const int point = first_point + place.point + Place::offset(own);
                const float at = point < points ? coordinates[point] : 0;
#pragma unroll
                for (int n = 0; n < N; n++)
#pragma unroll
                    for (int j = 0; j < 2; j++) {
                        sums_of_columns[n][j] += at * sum_of(c, own, 0, n, j);
                        if constexpr (K > 1) sums_of_columns[n][j] += slope * sum_of(c, own, 1 + axis, n, j);
                    }
            }
            add_columns(sums_of_columns, place, columns, sums + shape.first_sums() + axis * W, is_first);
        }
    }
}

// Adds the sums of blocks, in their order, to those of the network's parameters.
extern "C" __global__ void gather(const float *sums, int blocks, long long sum_stride, int hidden_layers, int output_count,
                                  int has_features, float *gradient) {
    const Shape shape(hidden_layers, output_count, has_features);
    const int matrices = shape.products * W * W, count = shape.last() + (W + 1) * output_count;
    for (int place = blockIdx.x * blockDim.x + threadIdx.x; place < count; place += gridDim.x * blockDim.x) {
        float total = sums[place];
        for (int block = 1; block < blocks; block++) total += sums[block * sum_stride + place];
        const int bias = place - matrices, first = place - shape.first_sums();
        const int parameter = bias < 0             ? shape.weights(place / (W * W)) + parameter_of(place % (W * W))
                              : first < 0          ? shape.biases(bias / W) + bias % W
                              : first < shape.base ? first
                                                   : place;
        gradient[parameter] += total;
    }
}
