/* Protobuf's varints: seven bits a byte, the least significant first. */
#ifndef NORKV_VARINT_H
#define NORKV_VARINT_H

#include <stddef.h>
#include <stdint.h>

enum { NKV_VARINT64_SIZE_MAX = 10 };

/* Writes a number in as few bytes as it needs, and returns how many. */
static inline size_t nkv_varint_put(uint8_t *to, size_t number)
{
    size_t size = 0;

    while (number > 0x7F) {
        to[size++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    to[size++] = (uint8_t)number;
    return size;
}

#endif
