/* Reading values. */
#include "access.h"
#include "flash_io.h"
#include "lookup.h"

static enum nkv_status find_value(struct nkv_store *store, struct nkv_span key,
                                  struct nkv_entry *entry)
{
    uint32_t slot;
    enum nkv_status status = nkv_check_readable(store);

    if (status == NKV_OK)
        status = nkv_check_key(key);
    if (status == NKV_OK)
        status = nkv_find(store, key, NKV_WANT_VALUE, &slot, entry);
    if (status == NKV_OK)
        status = nkv_intact_copy(store, slot, entry);
    return status;
}

static void describe(const struct nkv_entry *entry, struct nkv_value *value)
{
    *value = (struct nkv_value){
        .total_size = entry->value_size,
        .version = entry->id,
    };
}

enum nkv_status nkv_get(struct nkv_store *store, struct nkv_span key,
                        uint32_t offset, struct nkv_buffer to,
                        struct nkv_value *value)
{
    struct nkv_entry entry;
    struct nkv_value found = {0};
    uint32_t rest;
    enum nkv_status status = find_value(store, key, &entry);

    if (status == NKV_OK)
        describe(&entry, &found);
    if (status == NKV_OK && offset > entry.value_size)
        status = NKV_OUT_OF_RANGE;
    if (status == NKV_OK) {
        rest = entry.value_size - offset;
        found.size = rest < to.capacity ? rest : to.capacity;
        if (found.size > 0)
            status = nkv_flash_read(
                store, entry.address + NKV_UNIT + entry.key_size + offset,
                to.data, (uint32_t)found.size);
        if (status == NKV_OK && found.size < rest)
            status = NKV_RESOURCE_EXHAUSTED;
    }
    if (value != NULL)
        *value = found;
    return status;
}

enum nkv_status nkv_describe(struct nkv_store *store, struct nkv_span key,
                             struct nkv_value *value)
{
    struct nkv_entry entry;
    enum nkv_status status = find_value(store, key, &entry);

    if (status == NKV_OK)
        describe(&entry, value);
    return status;
}
