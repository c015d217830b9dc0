#ifndef CKERNELS_CHECKSUM_H
#define CKERNELS_CHECKSUM_H
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli; RFC 3720) of bytes, continued from `checksum` (0 to begin with).
uint32_t crc32c(uint32_t checksum, const void *bytes, size_t count);
#endif
