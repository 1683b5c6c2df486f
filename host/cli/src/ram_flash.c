#include "ram_flash.h"

#include <stdbool.h>
#include <string.h>

static bool is_inside(const struct nkv_ram_flash *ram, uint32_t offset,
                      size_t size)
{
    return offset <= ram->size && size <= ram->size - offset;
}

static enum nkv_status read(void *context, uint32_t offset, void *to,
                            size_t size)
{
    const struct nkv_ram_flash *ram = context;

    if (!is_inside(ram, offset, size)) {
        return NKV_OUT_OF_RANGE;
    }
    memcpy(to, ram->bytes + offset, size);
    return NKV_OK;
}

static bool is_erased(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0xff) {
            return false;
        }
    }
    return true;
}

static enum nkv_status program(void *context, uint32_t offset, const void *from,
                               size_t size)
{
    struct nkv_ram_flash *ram = context;

    if (!is_inside(ram, offset, size)) {
        return NKV_OUT_OF_RANGE;
    }
    if (!is_erased(ram->bytes + offset, size)) {
        return NKV_INTERNAL;
    }
    memcpy(ram->bytes + offset, from, size);
    return NKV_OK;
}

static enum nkv_status erase(void *context, uint32_t sector)
{
    struct nkv_ram_flash *ram = context;

    if (sector >= ram->size / ram->sector_size) {
        return NKV_OUT_OF_RANGE;
    }
    memset(ram->bytes + (size_t)sector * ram->sector_size, 0xff,
           ram->sector_size);
    return NKV_OK;
}

void nkv_ram_flash_connect(struct nkv_ram_flash *ram, struct nkv_flash *flash)
{
    flash->context = ram;
    flash->read = read;
    flash->program = program;
    flash->erase = erase;
}
