/* CRC-32 as in zlib and HDLC's frame check: "123456789" gives CBF43926. */
#ifndef NORKV_CRC32_H
#define NORKV_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of what gave crc, followed by data. The CRC of nothing is 0. */
uint32_t nkv_crc32(uint32_t crc, const uint8_t *data, size_t size);

#endif
