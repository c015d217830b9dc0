#ifndef CKERNELS_ADAM_H
#define CKERNELS_ADAM_H
#include <stddef.h>

/// How much of the old moments and of the new gradient stays, and the corrected rate and ε (Optimizers/Adam.swift).
struct adam_factors {
    float keep_first, take_first, keep_second, take_second, rate, epsilon;
};

/// One step of Adam on `count` parameters and their moments.
void adam_step(float *parameters, float *first, float *second, const float *gradient, size_t count,
               struct adam_factors by);
#endif
