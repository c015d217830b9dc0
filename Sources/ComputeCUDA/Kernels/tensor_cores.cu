// Products on tensor cores (sm_80 and later), in tf32 or, where BF16X3 is defined, in bf16x3.
//
// A factor is a word of 32 bits, rounded once when it is written: in tf32 a float with a mantissa of 10 bits; in bf16x3 two
// bfloat16 that add up to it, the larger in the upper half. x y = x1 y1 + x1 y2 + x2 y1; the term left out is 2^-16 of x y.
//
// The few instructions that C++ cannot express come first. Where EMULATED_DEVICE is defined, the test's stand-ins implement them
// from the same pages: NVIDIA, Parallel Thread Execution ISA, "Matrix fragments for mma.m16n8k8" and "... m16n8k16". Elements
// of a thread, for lane = 4 g + t, a (rows, k) and b (k, columns):
//   m16n8k8, tf32    a: (g, t) (g + 8, t) (g, t + 4) (g + 8, t + 4)          b: (t, g) (t + 4, g)
//   m16n8k16, bf16   a: (g, 2 t ..) (g + 8, 2 t ..) (g, 2 t + 8 ..) (g + 8, 2 t + 8 ..)   b: (2 t .., g) (2 t + 8 .., g)   .. two numbers
//   sums             c: (g, 2 t) (g, 2 t + 1) (g + 8, 2 t) (g + 8, 2 t + 1)

#ifndef EMULATED_DEVICE
#ifdef BF16X3
#ifndef WARPGROUPS
static __device__ __forceinline__ void multiply_bf16(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif
static __device__ __forceinline__ unsigned round_bf16(float upper, float lower) {
    unsigned word;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(upper), "f"(lower));
    return word;
}
#else
static __device__ __forceinline__ void multiply_tf32(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
static __device__ __forceinline__ unsigned round_tf32(float value) {
    unsigned word;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(word) : "f"(value));
    return word;
}
#endif
// Copies 16 bytes to shared memory asynchronously; complete after the thread has waited, and visible to all after a barrier.
static __device__ __forceinline__ void copy_beside(unsigned *shared, const unsigned *global) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"((unsigned)__cvta_generic_to_shared(shared)), "l"(global)
                 : "memory");
}
static __device__ __forceinline__ void await_copies() { asm volatile("cp.async.wait_all;" ::: "memory"); }
// Prefetches a cache line of global memory.
static __device__ __forceinline__ void prefetch(const float *line) { asm volatile("prefetch.global.L2 [%0];" ::"l"(line)); }
static __device__ __forceinline__ unsigned *shared_words() {
    // What tensor cores read from shared memory is swizzled by its address.
    extern __shared__ __align__(1024) unsigned words[];
    return words;
}
#endif

template <int rows, int columns> static __device__ __forceinline__ void clear(float (&c)[rows][columns][4]) {
#pragma unroll
    for (int m = 0; m < rows; m++)
#pragma unroll
        for (int n = 0; n < columns; n++)
#pragma unroll
            for (int i = 0; i < 4; i++) c[m][n][i] = 0;
}

static __device__ __forceinline__ unsigned factor(float value) {
#ifdef BF16X3
    const unsigned upper = round_bf16(value, 0.f);
    return upper | round_bf16(0.f, value - __uint_as_float(upper));
#else
    return round_tf32(value);
#endif
}

#if !defined(WARPGROUPS) || !defined(BF16X3)
// Factors of 16 values of k as the instructions take them: 16 rows on the left, 8 columns on the right. The order of k does not
// matter to a sum as long as both sides agree: a thread supplies any four values of k of rows (or columns) g and g + 8.
struct Left {
#ifdef BF16X3
    unsigned upper[4], lower[4];
#else
    unsigned words[2][4];
#endif
    // Row g and row g + 8.
    __device__ __forceinline__ Left(const unsigned (&row)[4], const unsigned (&other)[4]) {
#ifdef BF16X3
#pragma unroll
        for (int i = 0; i < 2; i++) {
            upper[2 * i] = __byte_perm(row[2 * i], row[2 * i + 1], 0x7632);
            upper[2 * i + 1] = __byte_perm(other[2 * i], other[2 * i + 1], 0x7632);
            lower[2 * i] = __byte_perm(row[2 * i], row[2 * i + 1], 0x5410);
            lower[2 * i + 1] = __byte_perm(other[2 * i], other[2 * i + 1], 0x5410);
        }
#else
#pragma unroll
        for (int i = 0; i < 2; i++) {
            words[i][0] = row[2 * i];
            words[i][1] = other[2 * i];
            words[i][2] = row[2 * i + 1];
            words[i][3] = other[2 * i + 1];
        }
#endif
    }
};

struct Right {
#ifdef BF16X3
    unsigned upper[2], lower[2];
#else
    unsigned words[2][2];
#endif
    Right() = default;
    __device__ __forceinline__ Right(const unsigned (&column)[4]) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
#ifdef BF16X3
            upper[i] = __byte_perm(column[2 * i], column[2 * i + 1], 0x7632);
            lower[i] = __byte_perm(column[2 * i], column[2 * i + 1], 0x5410);
#else
            words[i][0] = column[2 * i];
            words[i][1] = column[2 * i + 1];
#endif
        }
    }
};

// Adds 16 products to each of the 16 x 8 sums.
static __device__ __forceinline__ void multiply(float (&c)[4], const Left &a, const Right &b) {
#ifdef BF16X3
    multiply_bf16(c, a.lower, b.upper);
    multiply_bf16(c, a.upper, b.lower);
    multiply_bf16(c, a.upper, b.upper);
#else
    multiply_tf32(c, a.words[0], b.words[0]);
    multiply_tf32(c, a.words[1], b.words[1]);
#endif
}
#endif
