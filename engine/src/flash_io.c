#include "flash_io.h"

#include <string.h>

enum nkv_status nkv_flash_status(enum nkv_status status)
{
    return status >= NKV_NOT_FOUND && status <= NKV_ABORTED &&
                   status != NKV_PERMISSION_DENIED
               ? NKV_INTERNAL
               : status;
}

enum nkv_status nkv_flash_read(struct nkv_store *store, uint32_t address,
                               uint8_t *to, uint32_t size)
{
    enum nkv_status status = NKV_OK;

    for (int i = NKV_READ_TRIES; i > 0 && size > 0; i--) {
        status = nkv_flash_status(
            store->flash->read(store->flash->context, address, to, size));
        if (status == NKV_OK)
            break;
        store->counters[NKV_COUNT_READ_ERRORS]++;
    }
    return status;
}

enum nkv_status nkv_flash_equals(struct nkv_store *store, uint32_t address,
                                 const uint8_t *bytes, uint32_t size,
                                 bool *same)
{
    uint8_t chunk[NKV_CHUNK];
    enum nkv_status status = NKV_OK;

    *same = true;
    for (uint32_t n; *same && size > 0; size -= n) {
        n = size < NKV_CHUNK ? size : NKV_CHUNK;
        status = nkv_flash_read(store, address, chunk, n);
        *same = status == NKV_OK && memcmp(chunk, bytes, n) == 0;
        address += n;
        bytes += n;
    }
    return status;
}

enum nkv_status nkv_flash_program(struct nkv_store *store, uint32_t address,
                                  const uint8_t *from, uint32_t size)
{
    const struct nkv_flash *flash = store->flash;
    bool same;
    enum nkv_status status;

    if (store->access == NKV_ACCESS_NONE)
        return NKV_UNAVAILABLE;
    status =
        nkv_flash_status(flash->program(flash->context, address, from, size));
    store->counters[NKV_COUNT_BYTES_PROGRAMMED] += size;
    if (status == NKV_OK) {
        status = nkv_flash_equals(store, address, from, size, &same);
        if (status == NKV_OK && !same)
            status = NKV_DATA_LOSS;
    }
    if (status != NKV_OK)
        store->counters[NKV_COUNT_PROGRAM_ERRORS]++;
    return status;
}

enum nkv_status nkv_flash_skip(struct nkv_store *store, uint32_t address,
                               uint32_t limit, uint8_t byte, uint32_t *end)
{
    uint8_t unit[NKV_UNIT];

    while (address < limit) {
        uint32_t n = limit - address < NKV_UNIT ? limit - address : NKV_UNIT;
        enum nkv_status status = nkv_flash_read(store, address, unit, n);
        if (status != NKV_OK && status != NKV_DATA_LOSS)
            return status;
        for (uint32_t i = 0; i < n && status == NKV_OK; i++)
            if (unit[i] != byte)
                status = NKV_DATA_LOSS;
        if (status != NKV_OK)
            break;
        address += n;
    }
    *end = address;
    return NKV_OK;
}
