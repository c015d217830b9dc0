// Activation of K = CHANNELS channels at one feature of one point, and its adjoint. Derivation: Sources/Networks/README.md.

constexpr int K = CHANNELS;

// Computes a from z, whose value channel holds t = tanh z.
static __device__ void chain_rule(const float (&z)[K], float (&a)[K]) {
    const float t = z[0], d = 1 - t * t;
    a[0] = t;
    if constexpr (K > 1) {
        a[1] = d * z[1];
        a[2] = d * z[2];
    }
    if constexpr (K > 3) {
        const float e = -2 * t * d;
        a[3] = d * z[3] + e * z[1] * z[1];
        a[4] = d * z[4] + e * z[1] * z[2];
        a[5] = d * z[5] + e * z[2] * z[2];
    }
}

// Adjoint of the chain rule, in place: turns adjoints of a into adjoints of z.
static __device__ void chain_rule_adjoint(const float (&z)[K], float (&bar)[K]) {
    const float t = z[0], d = 1 - t * t, e = -2 * t * d;
    float value = bar[0] * d;
    if constexpr (K > 1) {
        value += e * (bar[1] * z[1] + bar[2] * z[2]);
        bar[1] *= d;
        bar[2] *= d;
    }
    if constexpr (K > 3) {
        const float f = d * (6 * t * t - 2);
        value += e * (bar[3] * z[3] + bar[4] * z[4] + bar[5] * z[5]);
        value += f * (bar[3] * z[1] * z[1] + bar[4] * z[1] * z[2] + bar[5] * z[2] * z[2]);
        bar[1] += e * (2 * bar[3] * z[1] + bar[4] * z[2]);
        bar[2] += e * (bar[4] * z[1] + 2 * bar[5] * z[2]);
        bar[3] *= d;
        bar[4] *= d;
        bar[5] *= d;
    }
    bar[0] = value;
}
