/*
 * Pieces of memory, and integers in them.
 *
 * What is on flash and on the wire is little-endian and unaligned; it is read
 * and written through these functions only.
 */
#ifndef NORKV_BYTES_H
#define NORKV_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* Bytes to read: borrowed, never freed. data may be NULL when size is 0. */
struct nkv_span {
    const uint8_t *data;
    size_t size;
};

/* Room to write into: borrowed, never freed. */
struct nkv_buffer {
    uint8_t *data;
    size_t capacity;
};

static inline uint16_t nkv_load_le16(const uint8_t *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t nkv_load_le32(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 |
           (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static inline void nkv_store_le16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static inline void nkv_store_le32(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    to[2] = (uint8_t)(value >> 16);
    to[3] = (uint8_t)(value >> 24);
}

#endif
