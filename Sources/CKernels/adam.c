// Adam's update. C, because Swift's squareRoot calls libm lane by lane where it may have to set errno: 0.5 ms a step of an
// 8 x 128 network against 0.05 ms, one percent of a step of 1,024 points.
#include "include/adam.h"

typedef float vector __attribute__((vector_size(32), aligned(4)));

void adam_step(float *parameters, float *first, float *second, const float *gradient, size_t count,
               struct adam_factors by) {
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const vector slope = *(const vector *)(gradient + i);
        const vector m = *(vector *)(first + i) * by.keep_first + slope * by.take_first;
        const vector v = *(vector *)(second + i) * by.keep_second + slope * slope * by.take_second;
        *(vector *)(first + i) = m;
        *(vector *)(second + i) = v;
        *(vector *)(parameters + i) -= m * by.rate / (__builtin_elementwise_sqrt(v) + by.epsilon);
    }
    for (; i < count; i++) {
        first[i] = first[i] * by.keep_first + gradient[i] * by.take_first;
        second[i] = second[i] * by.keep_second + gradient[i] * gradient[i] * by.take_second;
        parameters[i] -= first[i] * by.rate / (__builtin_elementwise_sqrt(second[i]) + by.epsilon);
    }
}
