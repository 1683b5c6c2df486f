/*
 * Entry formats: a magic number and the checksum that goes with it.
 *
 * A store reads every format it is given and writes the first.
 */
#ifndef NORKV_FORMAT_H
#define NORKV_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/*
 * A checksum algorithm of up to 4 bytes. The state is one 32-bit number that
 * the store keeps on its stack. Padding is fed like any other byte.
 */
struct nkv_checksum {
    /* Bytes of the checksum field that count, from the low end: 1 to 4. 0: the
     * algorithm computes nothing (see field_is_free). */
    uint8_t size;
    /* With size 0: true accepts any value in the field, false demands 0. */
    uint8_t field_is_free;
    /* The state before the first byte. */
    uint32_t initial;
    /* The state after size more bytes. NULL when size is 0. */
    uint32_t (*update)(uint32_t state, const uint8_t *data, size_t size);
    /* The checksum of a state. NULL: the state is the checksum. */
    uint32_t (*finish)(uint32_t state);
};

/* CRC-16/CCITT: poly 0x1021, init 0xFFFF, "123456789" gives 0x29B1. */
extern const struct nkv_checksum nkv_checksum_crc16;
/* No checksum; the field must be 0. A torn entry cannot be told from a whole
 * one. */
extern const struct nkv_checksum nkv_checksum_none;
/* No checksum; any value in the field passes. Written as 0. */
extern const struct nkv_checksum nkv_checksum_ignore;

struct nkv_format {
    /* Starts each entry; anything but 0xFFFFFFFF. */
    uint32_t magic;
    const struct nkv_checksum *checksum;
};

#endif
