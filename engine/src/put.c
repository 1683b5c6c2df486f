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

/* Whether a value has to be written. NKV_ALREADY_EXISTS: it is there. */
static enum nkv_status check_put(struct nkv_store *store,
                                 const struct nkv_change *change)
{
    struct nkv_entry entry;
    uint32_t slot;
    bool same = false, present;
    enum nkv_status status =
        nkv_find(store, &change->key, NKV_WANT_ANY, &slot, &entry);

    if (status == NKV_DATA_LOSS && store->is_trusting)
        return status;
    present = status == NKV_OK && !entry.is_tombstone;
    if (status == NKV_OK)
        status = has_value(store, &entry, change->value, &same);
    else if (status == NKV_DATA_LOSS)
        drop_unreadable(store, change->key);
    if (status != NKV_OK && status != NKV_NOT_FOUND && status != NKV_DATA_LOSS)
        return status;
    if (same && !store->is_unsure)
        return NKV_ALREADY_EXISTS;
    return present || store->keys < store->config->max_keys
               ? NKV_OK
               : NKV_RESOURCE_EXHAUSTED;
}

/* Whether a tombstone has to be written. *needs_slot: one that the index has no
 * slot for yet. */
static enum nkv_status check_delete(struct nkv_store *store,
                                    const struct nkv_change *change,
                                    bool *needs_slot)
{
    struct nkv_entry entry;
    uint32_t slot;
    enum nkv_status status =
        nkv_find(store, &change->key, NKV_WANT_VALUE, &slot, &entry);

    if (status == NKV_DATA_LOSS && store->is_trusting)
        return status;
    *needs_slot = status != NKV_OK;
    if (status == NKV_DATA_LOSS) {
        /* It may be what is to be deleted. */
        drop_unreadable(store, change->key);
        return NKV_OK;
    }
    /* Not in the index, but maybe on flash. */
    return status == NKV_NOT_FOUND && store->is_unsure ? NKV_OK : status;
}

/* Room in the index. A tombstone takes the slot of what it deletes: it is one
 * too many for new keys only. Tombstones may hold more than their share after a
 * mount with a smaller table. */
static enum nkv_status make_slot(struct nkv_store *store,
                                 const struct nkv_change *change,
                                 bool needs_slot)
{
    enum nkv_status status;

    if (change->kind == NKV_CHANGE_PUT &&
        store->keys + store->tombstones + 1 < store->slots)
        return NKV_OK;
    status = nkv_tombstones_make_room(store);
    return status == NKV_RESOURCE_EXHAUSTED && !needs_slot ? NKV_OK : status;
}

static NKV_APART enum nkv_status check(struct nkv_store *store,
                                       const struct nkv_change *change,
                                       bool *needs_slot)
{
    *needs_slot = true;
    return change->kind == NKV_CHANGE_PUT
               ? check_put(store, change)
               : check_delete(store, change, needs_slot);
}

/* What a fast mount took on trust may be the reason why there is no room, or
 * damage. */
static enum nkv_status apply(struct nkv_store *store,
                             const struct nkv_change *change)
{
    enum nkv_status status;
    bool needs_slot;

    do {
        status = check(store, change, &needs_slot);
        if (status == NKV_OK)
            status = make_slot(store, change, needs_slot);
        if (status == NKV_OK)
            status = nkv_write(store, change);
    } while ((status == NKV_RESOURCE_EXHAUSTED || status == NKV_DATA_LOSS) &&
             nkv_verify_after_all(store));
    return status == NKV_ALREADY_EXISTS ? NKV_OK : status;
}

static enum nkv_status check_sizes(const struct nkv_store *store,
                                   const struct nkv_change *change)
{
    bool fits =
        change->value.size <= NKV_VALUE_SIZE_MAX &&
        nkv_entry_size(store, (uint32_t)change->key.size,
                       (uint32_t)change->value.size) <= store->sector_bytes;

    return fits ? nkv_check_key(change->key) : NKV_INVALID_ARGUMENT;
}

static enum nkv_status change_key(struct nkv_store *store,
                                  const struct nkv_change *change)
{
    enum nkv_status status = nkv_enter(store, NKV_ACCESS_FULL);

    if (status == NKV_OK)
        status = check_sizes(store, change);
    if (status == NKV_OK)
        status = apply(store, change);
    return nkv_leave(store, status);
}

enum nkv_status nkv_put(struct nkv_store *store, struct nkv_span key,
                        struct nkv_span value)
{
    const struct nkv_change change = {NKV_CHANGE_PUT, key, value};

    return change_key(store, &change);
}

enum nkv_status nkv_delete(struct nkv_store *store, struct nkv_span key)
{
    const struct nkv_change change = {.kind = NKV_CHANGE_DELETE, .key = key};

    return change_key(store, &change);
}
