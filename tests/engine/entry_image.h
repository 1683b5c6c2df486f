/* Entries made and read by hand, without the engine's code. */
#ifndef NORKV_TESTS_ENTRY_IMAGE_H
#define NORKV_TESTS_ENTRY_IMAGE_H

#include <norkv/bytes.h>
#include <norkv/format.h>
#include <stdbool.h>

/* CRC-16/CCITT, bit by bit. */
uint16_t nkv_image_crc16(const uint8_t *data, size_t size);

/* The custom checksum of pw_kvs's own tests: the sum of all bytes. */
extern const struct nkv_checksum nkv_checksum_sum;

enum nkv_image_checksum { NKV_IMAGE_CRC16, NKV_IMAGE_NONE, NKV_IMAGE_SUM };

struct nkv_image {
    uint32_t magic;
    uint32_t id;
    struct nkv_span key;
    struct nkv_span value;
    bool is_tombstone;
    /* The entry's size is a multiple of (alignment_units + 1) * 16. */
    uint8_t alignment_units;
    enum nkv_image_checksum checksum;
};

/* Bytes of the entry, padding included. */
size_t nkv_image_size(const struct nkv_image *image);

/* Writes the entry; returns its size. */
size_t nkv_image_write(const struct nkv_image *image, uint8_t *to);

/* Writes again the CRC-16 of the entry of size bytes at to. */
void nkv_image_seal(uint8_t *to, size_t size);

/* The size of the intact CRC-16 entry at from, with this magic, which has room
 * bytes left to the end of its sector; 0: there is none. */
size_t nkv_image_intact(const uint8_t *from, size_t room, uint32_t magic);

#endif
