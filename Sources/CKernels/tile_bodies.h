// The tile kernels, once for each instruction set: the file that includes this one says TABLE, NAME, LANES (floats of a
// vector), BLOCK_ROWS, and how far the product's loop is UNROLLED (a divisor of LANES).
#include "include/tile_kernels.h"
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#include "tile_channels.h"
#include "tile_products.h"

const struct tile_kernels TABLE = {
    .name = NAME,
    .lanes = LANES,
    .block_rows = BLOCK_ROWS,
    .pack = pack,
    .multiply = multiply,
    .add_transposed = add_transposed,
    .enter = enter,
    .encode = encode,
    .activate = activate,
    .reactivate = reactivate,
    .activate_adjoint = activate_adjoint,
    .enter_adjoint = enter_adjoint,
};
