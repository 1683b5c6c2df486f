/* Reading values. */
#include "access.h"
#include "flash_io.h"
#include "lookup.h"

static enum nkv_status find_value(struct nkv_store *store, struct nkv_span key,
                                  uint32_t *slot, struct nkv_entry *entry)
{
    enum nkv_status status = nkv_check_readable(store);

    if (status == NKV_OK)
        status = nkv_check_key(key);
    if (status == NKV_OK)
        status = nkv_find(store, key, NKV_WANT_VALUE, slot, entry);
    return status;
}

static void describe(const struct nkv_entry *entry, struct nkv_value *value)
{
    *value = (struct nkv_value){
        .total_size = entry->value_size,
        .version = entry->id,
    };
}

/* The usual case, a whole value into enough room: each byte is read once, and
 * verified where it was put. */
static enum nkv_status read_whole(struct nkv_store *store, struct nkv_span key,
                                  const struct nkv_entry *entry, uint8_t *to)
{
    const struct nkv_content content = {
        .entry = *entry,
        .key = key,
        .value = {to, entry->value_size},
        .source = NKV_NONE,
    };
    enum nkv_status status = NKV_OK;

    if (entry->value_size > 0)
        status =
            nkv_flash_read(store, entry->address + NKV_UNIT + entry->key_size,
                           to, entry->value_size);
    return status == NKV_OK ? nkv_entry_verify_content(store, &content)
                            : status;
}

/* Any part of a value of a verified entry. */
static enum nkv_status read_part(struct nkv_store *store,
                                 const struct nkv_entry *entry, uint32_t offset,
                                 struct nkv_buffer to, size_t *size)
{
    uint32_t rest = entry->value_size - offset;
    enum nkv_status status = NKV_OK;

    *size = rest < to.capacity ? rest : to.capacity;
    if (*size > 0)
        status = nkv_flash_read(
            store, entry->address + NKV_UNIT + entry->key_size + offset,
            to.data, (uint32_t)*size);
    return status == NKV_OK && *size < rest ? NKV_RESOURCE_EXHAUSTED : status;
}

enum nkv_status nkv_get(struct nkv_store *store, struct nkv_span key,
                        uint32_t offset, struct nkv_buffer to,
                        struct nkv_value *value)
{
    struct nkv_entry entry;
    struct nkv_value found = {0};
    uint32_t slot;
    enum nkv_status status = find_value(store, key, &slot, &entry);
    bool whole = status == NKV_OK && offset == 0 &&
                 to.capacity >= entry.value_size &&
                 read_whole(store, key, &entry, to.data) == NKV_OK;

    if (status == NKV_OK && !whole)
        status = nkv_intact_copy(store, slot, &entry);
    if (status == NKV_OK) {
        describe(&entry, &found);
        if (offset > entry.value_size)
            status = NKV_OUT_OF_RANGE;
        else if (whole)
            found.size = entry.value_size;
        else
            status = read_part(store, &entry, offset, to, &found.size);
    }
    if (value != NULL)
        *value = found;
    return status;
}

enum nkv_status nkv_describe(struct nkv_store *store, struct nkv_span key,
                             struct nkv_value *value)
{
    struct nkv_entry entry;
    uint32_t slot;
    enum nkv_status status = find_value(store, key, &slot, &entry);

    if (status == NKV_OK)
        status = nkv_intact_copy(store, slot, &entry);
    if (status == NKV_OK)
        describe(&entry, value);
    return status;
}
