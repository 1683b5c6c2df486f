/* Reading values. */
#include "access.h"
#include "flash_io.h"
#include "lookup.h"
#include "repair.h"

/* The usual case, a whole value into enough room: each byte is read once, and
 * verified where it was put. */
static enum nkv_status read_whole(struct nkv_store *store, struct nkv_span key,
                                  struct nkv_entry *entry, uint8_t *to)
{
    const struct nkv_content content = {
        .entry = entry,
        .key = key.data,
        .value = to,
    };
    enum nkv_status status =
        nkv_flash_read(store, entry->address + NKV_UNIT + entry->key_size, to,
                       entry->value_size);

    return status == NKV_OK
               ? nkv_content_pass(store, &content, NKV_PASS_VERIFY, NULL)
               : status;
}

/* Any part of a value, of an entry that is intact: the bytes that are given are
 * those that were verified. */
static enum nkv_status read_part(struct nkv_store *store,
                                 struct nkv_entry *entry, uint32_t offset,
                                 struct nkv_buffer to, size_t *size)
{
    uint32_t rest = entry->value_size - offset;
    struct nkv_window window = {to.data, NKV_UNIT + entry->key_size + offset,
                                rest < to.capacity ? rest
                                                   : (uint32_t)to.capacity};
    enum nkv_status status = NKV_DATA_LOSS;

    if (offset > entry->value_size)
        return NKV_OUT_OF_RANGE;
    for (int i = 0; i < NKV_READ_TRIES && status == NKV_DATA_LOSS; i++)
        status = nkv_entry_verify(store, entry, &window);
    if (status != NKV_OK)
        return status;
    *size = window.size;
    return window.size < rest ? NKV_RESOURCE_EXHAUSTED : NKV_OK;
}

static enum nkv_status get(struct nkv_store *store, struct nkv_span key,
                           uint32_t offset, struct nkv_buffer to,
                           struct nkv_value *value)
{
    struct nkv_entry entry;
    uint32_t slot;
    enum nkv_status status =
        nkv_find(store, &key, NKV_WANT_VALUE, &slot, &entry);

    if (status == NKV_OK && offset == 0 && to.data != NULL &&
        to.capacity >= entry.value_size &&
        read_whole(store, key, &entry, to.data) == NKV_OK)
        value->size = entry.value_size;
    else if (status == NKV_OK)
        status = read_part(store, &entry, offset, to, &value->size);
    if (status == NKV_DATA_LOSS && slot != NKV_NONE) {
        status = nkv_intact_copy(store, slot, &entry);
        if (status == NKV_OK)
            status = read_part(store, &entry, offset, to, &value->size);
    }
    if (status == NKV_OK || status == NKV_RESOURCE_EXHAUSTED ||
        status == NKV_OUT_OF_RANGE) {
        value->total_size = entry.value_size;
        value->version = entry.id;
    }
    return status;
}

enum nkv_status nkv_get(struct nkv_store *store, struct nkv_span key,
                        uint32_t offset, struct nkv_buffer to,
                        struct nkv_value *value)
{
    struct nkv_value found = {0};
    enum nkv_status status = nkv_enter(store, NKV_ACCESS_READ_ONLY);

    if (status == NKV_OK)
        status = nkv_check_key(key);
    if (status == NKV_OK)
        status = get(store, key, offset, to, &found);
    if (status == NKV_DATA_LOSS && nkv_verify_after_all(store)) {
        enum nkv_status again = get(store, key, offset, to, &found);
        /* That a key is lost is told once. */
        if (again != NKV_NOT_FOUND)
            status = again;
    }
    if (value != NULL)
        *value = found;
    return nkv_leave(store, status);
}

enum nkv_status nkv_describe(struct nkv_store *store, struct nkv_span key,
                             struct nkv_value *value)
{
    struct nkv_value found;
    /* Verifies the entry, and delivers none of it. */
    enum nkv_status status =
        nkv_get(store, key, 0, (struct nkv_buffer){NULL, 0}, &found);

    if (status == NKV_RESOURCE_EXHAUSTED)
        status = NKV_OK;
    if (status == NKV_OK)
        *value = found;
    return status;
}
