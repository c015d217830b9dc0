#ifndef CKERNELS_PRODUCTS_H
#define CKERNELS_PRODUCTS_H
#include <stddef.h>

// Products of a layer's stack with its weights, for stacks of a few hundred rows that lie in cache. All widths are multiples
// of products_panel_width(); the caller pads with zeros.

/// Columns of a panel: two vectors of the instruction set that is used here.
size_t products_panel_width(void);

/// Lays square weights (width, width) out in panels for products_multiply: (width / panel, width, panel).
/// transposed: the panels are those of the transpose.
void products_pack(const float *weights, size_t width, int transposed, float *packed);

/// c (rows, n) = a (rows, k) · b, where packed holds the panels of b (k, n).
void products_multiply(const float *a, const float *packed, size_t rows, size_t k, size_t n, float *c);

/// c (m, n) += aᵀ · b, where a is (rows, m) and b is (rows, n).
void products_add_transposed(const float *a, const float *b, size_t rows, size_t m, size_t n, float *c);
#endif
