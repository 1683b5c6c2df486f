#include "entry_image.h"

#include <string.h>

uint16_t nkv_image_crc16(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xFFFF;

    for (size_t i = 0; i < size; i++) {
        crc ^= (uint32_t)data[i] << 8;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
        }
        crc &= 0xFFFF;
    }
    return (uint16_t)crc;
}

static uint32_t sum_update(uint32_t state, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        state += data[i];
    }
    return state;
}

const struct nkv_checksum nkv_checksum_sum = {
    .size = 4,
    .update = sum_update,
};

size_t nkv_image_size(const struct nkv_image *image)
{
    size_t alignment = (image->alignment_units + 1u) * 16u;
    size_t value = image->is_tombstone ? 0 : image->value.size;
    size_t size = 16 + image->key.size + value;

    return (size + alignment - 1) / alignment * alignment;
}

static void put_checksum(const struct nkv_image *image, uint8_t *to,
                         size_t size)
{
    if (image->checksum == NKV_IMAGE_CRC16) {
        nkv_image_seal(to, size);
    } else if (image->checksum == NKV_IMAGE_SUM) {
        nkv_store_le32(to + 4, sum_update(0, to, size));
    }
}

size_t nkv_image_write(const struct nkv_image *image, uint8_t *to)
{
    size_t size = nkv_image_size(image);

    memset(to, 0, size);
    nkv_store_le32(to, image->magic);
    to[8] = image->alignment_units;
    to[9] = (uint8_t)image->key.size;
    nkv_store_le16(to + 10,
                   image->is_tombstone ? 0xFFFF : (uint16_t)image->value.size);
    nkv_store_le32(to + 12, image->id);
    memcpy(to + 16, image->key.data, image->key.size);
    if (!image->is_tombstone && image->value.size > 0) {
        memcpy(to + 16 + image->key.size, image->value.data, image->value.size);
    }
    put_checksum(image, to, size);
    return size;
}

void nkv_image_seal(uint8_t *to, size_t size)
{
    nkv_store_le32(to + 4, 0);
    nkv_store_le32(to + 4, nkv_image_crc16(to, size));
}

size_t nkv_image_intact(const uint8_t *from, size_t room, uint32_t magic)
{
    uint8_t copy[65536 + 4096];
    struct nkv_image image = {0};
    size_t size, end;

    if (room < 32 || nkv_load_le32(from) != magic || from[9] == 0 ||
        from[9] > 63) {
        return 0;
    }
    image.alignment_units = from[8];
    image.key.size = from[9];
    image.value.size = nkv_load_le16(from + 10);
    image.is_tombstone = image.value.size == 0xFFFF;
    size = nkv_image_size(&image);
    if (size > room) {
        return 0;
    }
    memcpy(copy, from, size);
    nkv_store_le32(copy + 4, 0);
    if (nkv_image_crc16(copy, size) != nkv_load_le16(from + 4)) {
        return 0;
    }
    end = 16 + image.key.size + (image.is_tombstone ? 0 : image.value.size);
    while (end < size && from[end] == 0) {
        end++;
    }
    return end == size ? size : 0;
}
