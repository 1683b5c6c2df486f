/* Putting and deleting. */
#include "access.h"
#include "flash_io.h"
#include "index.h"
#include "lookup.h"
#include "tombstones.h"
#include "write.h"

#include <string.h>

/* Whether the entry on flash is intact and has this value. */
static enum nkv_status has_value(struct nkv_store *store,
                                 const struct nkv_entry *entry,
                                 struct nkv_span value, bool *same)
{
    uint32_t address = entry->address + NKV_UNIT + entry->key_size;
    uint8_t chunk[NKV_CHUNK];
    enum nkv_status status;

    *same = false;
    if (entry->is_tombstone || entry->value_size != value.size)
        return NKV_OK;
    for (uint32_t done = 0; done < value.size;) {
        uint32_t rest = (uint32_t)value.size - done;
        uint32_t n = rest < NKV_CHUNK ? rest : NKV_CHUNK;
        status = nkv_flash_read(store, address + done, chunk, n);
        if (status != NKV_OK)
            return status == NKV_DATA_LOSS ? NKV_OK : status;
        if (memcmp(chunk, value.data + done, n) != 0)
            return NKV_OK;
        done += n;
    }
    status = nkv_entry_verify(store, entry, NULL);
    *same = status == NKV_OK;
    return status == NKV_DATA_LOSS ? NKV_OK : status;
}

static enum nkv_status check_write(const struct nkv_store *store,
                                   struct nkv_span key, size_t value_size)
{
    enum nkv_status status = nkv_check_writable(store);

    if (status == NKV_OK)
        status = nkv_check_key(key);
    if (status == NKV_OK &&
        (value_size > NKV_VALUE_SIZE_MAX ||
         nkv_entry_size(store, (uint32_t)key.size, (uint32_t)value_size) >
             store->sector_bytes))
        status = NKV_INVALID_ARGUMENT;
    return status;
}

/* A slot for one more key. Tombstones may hold more than their share after a
 * mount with a smaller table. */
static enum nkv_status make_slot(struct nkv_store *store)
{
    return store->keys + store->tombstones + 1 < store->slots
               ? NKV_OK
               : nkv_tombstones_make_room(store);
}

enum nkv_status nkv_put(struct nkv_store *store, struct nkv_span key,
                        struct nkv_span value)
{
    const struct nkv_change change = {NKV_CHANGE_PUT, key, value};
    struct nkv_entry entry;
    uint32_t slot;
    bool same = false, present;
    enum nkv_status status = check_write(store, key, value.size);

    if (status != NKV_OK)
        return status;
    status = nkv_find(store, key, NKV_WANT_ANY, &slot, &entry);
    present = status == NKV_OK && !entry.is_tombstone;
    if (status == NKV_OK)
        status = has_value(store, &entry, value, &same);
    else if (status == NKV_DATA_LOSS)
        nkv_drop_unreadable(store, key);
    if (status != NKV_OK && status != NKV_NOT_FOUND && status != NKV_DATA_LOSS)
        return status;
    if (same && !store->has_failed_write)
        return NKV_OK;
    if (!present && store->keys >= store->config->max_keys)
        return NKV_RESOURCE_EXHAUSTED;
    status = make_slot(store);
    return status == NKV_OK ? nkv_write(store, &change) : status;
}

enum nkv_status nkv_delete(struct nkv_store *store, struct nkv_span key)
{
    const struct nkv_change change = {.kind = NKV_CHANGE_DELETE, .key = key};
    struct nkv_entry entry;
    uint32_t slot;
    enum nkv_status status = check_write(store, key, 0);

    if (status == NKV_OK)
        status = nkv_find(store, key, NKV_WANT_VALUE, &slot, &entry);
    if (status == NKV_NOT_FOUND && store->has_failed_write)
        /* Not in the index, but maybe on flash. */
        status = NKV_OK;
    if (status == NKV_OK)
        status = nkv_tombstones_make_room(store);
    return status == NKV_OK ? nkv_write(store, &change) : status;
}

uint32_t nkv_value_size_max(const struct nkv_store *store, size_t key_size)
{
    uint32_t alignment = nkv_entry_size(store, 0, 0);
    uint32_t room = store->sector_bytes / alignment * alignment;
    uint32_t overhead = NKV_UNIT + (uint32_t)key_size;

    if (key_size > NKV_KEY_SIZE_MAX || overhead > room)
        return 0;
    room -= overhead;
    return room < NKV_VALUE_SIZE_MAX ? room : (uint32_t)NKV_VALUE_SIZE_MAX;
}
