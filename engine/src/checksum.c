#include <norkv/format.h>

/* CRC-16/CCITT a nibble at a time: a table of 32 bytes, small enough for the
 * smallest parts and twice as fast as bit by bit. */
static uint32_t crc16_update(uint32_t state, const uint8_t *data, size_t size)
{
    static const uint16_t table[16] = {
        0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7,
        0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C, 0xD1AD, 0xE1CE, 0xF1EF,
    };
    uint32_t crc = state;

    for (size_t i = 0; i < size; i++) {
        crc = crc << 4 ^ table[(crc >> 12 ^ data[i] >> 4) & 15];
        crc = crc << 4 ^ table[(crc >> 12 ^ data[i]) & 15];
    }
    return crc & 0xFFFF;
}

const struct nkv_checksum nkv_checksum_crc16 = {
    .size = 2,
    .initial = 0xFFFF,
    .update = crc16_update,
};

const struct nkv_checksum nkv_checksum_none = {.size = 0};

const struct nkv_checksum nkv_checksum_ignore = {
    .size = 0,
    .field_is_free = 1,
};
