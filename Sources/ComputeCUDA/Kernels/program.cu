// Evaluates an equation at every point. The code generated for the program (ProgramText.swift) stands in front: struct Point with
// the numbers of inputs and outputs, gather and scatter of the inputs, and straight-line code for values and adjoint.
//
// `fields` holds the networks' outputs, network after network, each (P, K, O) with room for `capacity` points; `columns` holds the
// columns of the set, `stride` floats apart.

extern "C" __global__ void values(const float *fields, long long capacity, const float *columns, long long stride,
                                  int count, float *results, long long result_stride) {
    for (int point = blockIdx.x * blockDim.x + threadIdx.x; point < count; point += gridDim.x * blockDim.x) {
        float in[Point::inputs], out[Point::outputs];
        Point::gather(fields, capacity, columns, stride, point, in);
        Point::values(in, out);
        for (int output = 0; output < Point::outputs; output++) results[output * result_stride + point] = out[output];
    }
}

// Adds each output's sum of squares r² over the points to the block's own sums (blocks, `sum_stride`), and sets the adjoints of the
// networks' outputs from `twice` = 2 c for every output. Padding from `count` to `points` fills the last slice and has zero adjoints.
// Blocks of program_threads threads.
constexpr int program_threads = 128;
extern "C" __global__ void residuals(const float *fields, float *bars, long long capacity, const float *columns,
                                     long long stride, int count, int points, const float *twice, double *sums,
                                     int sum_stride) {
    __shared__ double shared[Point::outputs][program_threads];
    double squares[Point::outputs] = {};
    for (int point = blockIdx.x * blockDim.x + threadIdx.x; point < points; point += gridDim.x * blockDim.x) {
        float bar[Point::inputs] = {};
        if (point < count) {
            float in[Point::inputs], out[Point::outputs], factors[Point::outputs];
            Point::gather(fields, capacity, columns, stride, point, in);
            for (int output = 0; output < Point::outputs; output++) factors[output] = twice[output];
            Point::adjoint(in, factors, out, bar);
            for (int output = 0; output < Point::outputs; output++)
                squares[output] += (double)out[output] * (double)out[output];
        }
        Point::scatter(bar, bars, capacity, point);
    }
    for (int output = 0; output < Point::outputs; output++) shared[output][threadIdx.x] = squares[output];
    __syncthreads();
    for (int output = threadIdx.x; output < Point::outputs; output += program_threads) {
        double sum = 0;
        for (int thread = 0; thread < program_threads; thread++) sum += shared[output][thread];
        sums[(long long)blockIdx.x * sum_stride + output] += sum;
    }
}
