/* Putting and deleting. */
#include "access.h"
#include "flash_io.h"
#include "index.h"
#include "lookup.h"
#include "repair.h"
#include "tombstones.h"
#include "write.h"

#include <string.h>

/* Whether the entry on flash is intact and has this value. */
static enum nkv_status has_value(struct nkv_store *store,
                                 struct nkv_entry *entry, struct nkv_span value,
                                 bool *same)
{
    uint32_t address = entry->address + NKV_UNIT + entry->key_size;
    enum nkv_status status = NKV_OK;

    *same = !entry->is_tombstone && entry->value_size == value.size;
    if (*same)
        status = nkv_flash_equals(store, address, value.data,
                                  (uint32_t)value.size, same);
    if (*same)
        status = nkv_entry_verify(store, entry, NULL);
    *same = *same && status == NKV_OK;
    return status == NKV_DATA_LOSS ? NKV_OK : status;
}

/* Gives up slots with a key's hash whose entries are damaged in all copies:
 * they are this key's, of which there will be something newer, or of a key that
 * is lost. */
static void drop_unreadable(struct nkv_store *store, struct nkv_span key)
{
    uint32_t hash = nkv_hash(key);
    uint32_t slot = nkv_index_from(store, hash);
    struct nkv_entry entry;

    while (nkv_slot_has_hash(store, slot, hash)) {
        if (nkv_intact_copy(store, slot, &entry) != NKV_DATA_LOSS) {
            slot++;
            continue;
        }
        nkv_drop_slot(store, slot);
        slot = nkv_index_from(store, hash);
    }
}

static enum nkv_status put(struct nkv_store *store, struct nkv_span key,
                           struct nkv_span value)
{
    const struct nkv_change change = {NKV_CHANGE_PUT, key, value};
    struct nkv_entry entry;
    uint32_t slot;
    bool same = false, present;
    enum nkv_status status = nkv_find(store, key, NKV_WANT_ANY, &slot, &entry);

    if (status == NKV_DATA_LOSS && store->is_trusting)
        return status;
    present = status == NKV_OK && !entry.is_tombstone;
    if (status == NKV_OK)
        status = has_value(store, &entry, value, &same);
    else if (status == NKV_DATA_LOSS)
        drop_unreadable(store, key);
    if (status != NKV_OK && status != NKV_NOT_FOUND && status != NKV_DATA_LOSS)
        return status;
    if (same && !store->is_unsure)
        return NKV_OK;
    if (!present && store->keys >= store->config->max_keys)
        return NKV_RESOURCE_EXHAUSTED;
    /* Tombstones may hold more than their share after a mount with a smaller
     * table. */
    status = store->keys + store->tombstones + 1 < store->slots
                 ? NKV_OK
                 : nkv_tombstones_make_room(store);
    return status == NKV_OK ? nkv_write(store, &change) : status;
}

static enum nkv_status delete_key(struct nkv_store *store, struct nkv_span key)
{
    const struct nkv_change change = {.kind = NKV_CHANGE_DELETE, .key = key};
    struct nkv_entry entry;
    uint32_t slot;
    enum nkv_status status =
        nkv_find(store, key, NKV_WANT_VALUE, &slot, &entry);

    if (status == NKV_DATA_LOSS && store->is_trusting)
        return status;
    if (status == NKV_DATA_LOSS) {
        /* It may be what is to be deleted. */
        drop_unreadable(store, key);
        slot = NKV_NONE;
        status = NKV_OK;
    }
    if (status == NKV_NOT_FOUND && store->is_unsure)
        /* Not in the index, but maybe on flash. */
        status = NKV_OK;
    if (status != NKV_OK)
        return status;
    /* A tombstone takes the slot of what it deletes: it is one too many for new
     * keys only. */
    status = nkv_tombstones_make_room(store);
    return status == NKV_OK ||
                   (status == NKV_RESOURCE_EXHAUSTED && slot != NKV_NONE)
               ? nkv_write(store, &change)
               : status;
}

enum nkv_status nkv_put(struct nkv_store *store, struct nkv_span key,
                        struct nkv_span value)
{
    enum nkv_status status = nkv_enter(store, NKV_ACCESS_FULL);

    if (status == NKV_OK)
        status = nkv_check_key(key);
    if (status == NKV_OK &&
        (value.size > NKV_VALUE_SIZE_MAX ||
         nkv_entry_size(store, (uint32_t)key.size, (uint32_t)value.size) >
             store->sector_bytes))
        status = NKV_INVALID_ARGUMENT;
    if (status == NKV_OK) {
        status = put(store, key, value);
        if (status != NKV_OK && nkv_verify_after_all(store))
            status = put(store, key, value);
    }
    return nkv_leave(store, status);
}

enum nkv_status nkv_delete(struct nkv_store *store, struct nkv_span key)
{
    enum nkv_status status = nkv_enter(store, NKV_ACCESS_FULL);

    if (status == NKV_OK)
        status = nkv_check_key(key);
    if (status == NKV_OK) {
        status = delete_key(store, key);
        if (status != NKV_OK && status != NKV_NOT_FOUND &&
            nkv_verify_after_all(store))
            status = delete_key(store, key);
    }
    return nkv_leave(store, status);
}
