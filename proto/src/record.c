#include <norkv/record.h>

#include "varint.h"

#include <stdbool.h>
#include <string.h>

static size_t varint_size(size_t number)
{
    size_t size = 1;

    while (number >= 0x80) {
        number >>= 7;
        size++;
    }
    return size;
}

/* Takes a number of no more than limit off bytes; false: there is none. One
 * that is longer than it need be is none: records have one form only. */
static bool take_varint(struct nkv_span *bytes, size_t limit, size_t *number)
{
    size_t size = 0;
    uint8_t byte;

    *number = 0;
    do {
        if (size == bytes->size || size == 3) {
            return false;
        }
        byte = bytes->data[size];
        *number |= (size_t)(byte & 0x7F) << (7 * size);
        size++;
    } while ((byte & 0x80) != 0);
    bytes->data += size;
    bytes->size -= size;
    return *number <= limit && varint_size(*number) == size;
}

static bool take_bytes(struct nkv_span *bytes, size_t size,
                       struct nkv_span *taken)
{
    if (size > bytes->size) {
        return false;
    }
    *taken = (struct nkv_span){bytes->data, size};
    bytes->data += size;
    bytes->size -= size;
    return true;
}

size_t nkv_record_size(size_t key_size, size_t value_size)
{
    return varint_size(key_size) + varint_size(value_size) + key_size +
           value_size;
}

size_t nkv_record_head(uint8_t head[NKV_RECORD_HEAD_MAX], struct nkv_span key,
                       size_t value_size)
{
    size_t size = nkv_varint_put(head, key.size);

    size += nkv_varint_put(head + size, value_size);
    memcpy(head + size, key.data, key.size);
    return size + key.size;
}

enum nkv_status nkv_record_next(struct nkv_span *records,
                                struct nkv_record *record)
{
    struct nkv_span rest = *records;
    size_t key_size;
    size_t value_size;

    if (rest.size == 0) {
        return NKV_NOT_FOUND;
    }
    if (!take_varint(&rest, NKV_RECORD_KEY_MAX, &key_size) || key_size == 0 ||
        !take_varint(&rest, NKV_RECORD_VALUE_MAX, &value_size) ||
        !take_bytes(&rest, key_size, &record->key) ||
        !take_bytes(&rest, value_size, &record->value)) {
        return NKV_DATA_LOSS;
    }
    *records = rest;
    return NKV_OK;
}

uint64_t nkv_fnv64(uint64_t hash, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ data[i]) * UINT64_C(0x100000001B3);
    }
    return hash;
}

void nkv_digest_add(struct nkv_digest *digest, struct nkv_span key,
                    struct nkv_span value)
{
    uint8_t head[NKV_RECORD_HEAD_MAX];
    size_t size = nkv_record_head(head, key, value.size);

    digest->sum += nkv_fnv64(nkv_fnv64(NKV_FNV64_START, head, size), value.data,
                             value.size);
    digest->records++;
    digest->bytes += key.size + value.size;
}
