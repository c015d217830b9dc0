// CRC-32C by the processor's instruction where there is one (about 10 GB/s), by a table elsewhere.
#include "include/checksum.h"
#include <string.h>

#define POLYNOMIAL 0x82f63b78u

static uint32_t by_table(uint32_t crc, const uint8_t *bytes, size_t count) {
    static uint32_t table[256];
    static volatile int ready; // filled with the same numbers by whoever comes first
    if (!ready) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ POLYNOMIAL : c >> 1;
            table[i] = c;
        }
        ready = 1;
    }
    while (count--) crc = (crc >> 8) ^ table[(crc ^ *bytes++) & 0xff];
    return crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *bytes, size_t count) {
    uint64_t c = crc;
    for (; count >= 8; count -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        c = _mm_crc32_u64(c, word);
    }
    while (count--) c = _mm_crc32_u8((uint32_t)c, *bytes++);
    return (uint32_t)c;
}
#endif

uint32_t crc32c(uint32_t checksum, const void *bytes, size_t count) {
    uint32_t crc = ~checksum;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~by_instruction(crc, bytes, count);
#endif
    return ~by_table(crc, bytes, count);
}
