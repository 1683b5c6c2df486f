#include "flash_io.h"

#include <string.h>

static bool all_are(const uint8_t *bytes, uint32_t size, uint8_t byte)
{
    for (uint32_t i = 0; i < size; i++)
        if (bytes[i] != byte)
            return false;
    return true;
}

static void count(struct nkv_store *store, enum nkv_counter counter)
{
    store->counters[counter]++;
}

enum nkv_status nkv_flash_read(struct nkv_store *store, uint32_t address,
                               uint8_t *to, uint32_t size)
{
    const struct nkv_flash *flash = store->flash;
    enum nkv_status status = NKV_OK;

    for (int i = 0; i < NKV_READ_TRIES; i++) {
        status = flash->read(flash->context, address, to, size);
        if (status == NKV_OK)
            break;
        count(store, NKV_COUNT_READ_ERRORS);
    }
    return status;
}

static enum nkv_status read_back(struct nkv_store *store, uint32_t address,
                                 const uint8_t *expected, uint32_t size)
{
    uint8_t chunk[NKV_CHUNK];

    for (uint32_t done = 0; done < size;) {
        uint32_t n = size - done < NKV_CHUNK ? size - done : NKV_CHUNK;
        enum nkv_status status =
            nkv_flash_read(store, address + done, chunk, n);
        if (status != NKV_OK)
            return status;
        if (memcmp(chunk, expected + done, n) != 0)
            return NKV_DATA_LOSS;
        done += n;
    }
    return NKV_OK;
}

enum nkv_status nkv_flash_program(struct nkv_store *store, uint32_t address,
                                  const uint8_t *from, uint32_t size)
{
    const struct nkv_flash *flash = store->flash;
    enum nkv_status status =
        flash->program(flash->context, address, from, size);

    store->counters[NKV_COUNT_BYTES_PROGRAMMED] += size;
    if (status == NKV_OK)
        status = read_back(store, address, from, size);
    if (status != NKV_OK)
        count(store, NKV_COUNT_PROGRAM_ERRORS);
    return status;
}

enum nkv_status nkv_flash_erase(struct nkv_store *store, uint32_t sector)
{
    const struct nkv_flash *flash = store->flash;
    uint32_t start = nkv_sector_start(store, sector);
    uint32_t limit = start + store->sector_bytes, end;
    enum nkv_status status = flash->erase(flash->context, sector);

    count(store, NKV_COUNT_ERASES);
    if (status == NKV_OK)
        status = nkv_flash_skip(store, start, limit, 0xFF, &end);
    if (status == NKV_OK && end != limit)
        status = NKV_DATA_LOSS;
    if (status != NKV_OK)
        count(store, NKV_COUNT_ERASE_ERRORS);
    return status;
}

enum nkv_status nkv_flash_skip(struct nkv_store *store, uint32_t address,
                               uint32_t limit, uint8_t byte, uint32_t *end)
{
    uint8_t chunk[NKV_CHUNK];

    for (*end = address; *end < limit;) {
        uint32_t n = limit - *end < NKV_CHUNK ? limit - *end : NKV_CHUNK;
        enum nkv_status status = nkv_flash_read(store, *end, chunk, n);
        if (status != NKV_OK && status != NKV_DATA_LOSS)
            return status;
        for (uint32_t i = 0; i < n; i += NKV_UNIT, *end += NKV_UNIT)
            if (status != NKV_OK || !all_are(chunk + i, NKV_UNIT, byte))
                return NKV_OK;
    }
    return NKV_OK;
}
