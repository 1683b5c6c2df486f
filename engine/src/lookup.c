#include "lookup.h"

#include "index.h"
#include "sector.h"

#include <string.h>

static bool is_key(const struct nkv_entry *entry, const uint8_t *found,
                   struct nkv_span key)
{
    return entry->key_size == key.size &&
           memcmp(found, key.data, key.size) == 0;
}

/*
 * Reads the first copy of a slot with a sound header and compares its key.
 * NKV_NOT_FOUND: another key. NKV_DATA_LOSS: a copy is damaged, none is this
 * key's.
 */
static enum nkv_status match(struct nkv_store *store, uint32_t slot,
                             struct nkv_span key, struct nkv_entry *entry)
{
    uint8_t found[NKV_KEY_SIZE_MAX];
    enum nkv_status result = NKV_DATA_LOSS;

    for (uint32_t copy = 0; copy < nkv_slot_copies(store, slot); copy++) {
        enum nkv_status status =
            nkv_entry_read_with_key(store, nkv_slot_address(store, slot, copy),
                                    (uint32_t)key.size, entry, found);
        if (status == NKV_OK && is_key(entry, found, key))
            return NKV_OK;
        /* The verified key decides: what was read first may be misread. */
        if (status == NKV_OK)
            status = nkv_entry_verify(store, entry, found);
        if (status == NKV_OK)
            return is_key(entry, found, key) ? NKV_OK : NKV_NOT_FOUND;
        if (status != NKV_DATA_LOSS && status != NKV_NOT_FOUND)
            result = status;
    }
    return result;
}

enum nkv_status nkv_find(struct nkv_store *store, struct nkv_span key,
                         enum nkv_wanted wanted, uint32_t *slot,
                         struct nkv_entry *entry)
{
    enum nkv_status result = NKV_NOT_FOUND;

    *slot = nkv_index_first(store, nkv_hash(key));
    for (; *slot != NKV_NONE; *slot = nkv_index_next(store, *slot)) {
        enum nkv_status status;
        if (wanted == NKV_WANT_VALUE && nkv_slot_is_tombstone(store, *slot))
            continue;
        status = match(store, *slot, key, entry);
        if (status == NKV_OK)
            return NKV_OK;
        if (status != NKV_NOT_FOUND)
            result = status;
    }
    return result;
}

uint32_t nkv_find_address(const struct nkv_store *store, struct nkv_span key,
                          uint32_t address)
{
    uint32_t slot = nkv_index_first(store, nkv_hash(key));

    while (slot != NKV_NONE &&
           nkv_slot_find_address(store, slot, address) == NKV_NONE)
        slot = nkv_index_next(store, slot);
    return slot;
}

/* Gives up a copy that is damaged while another is intact: its sector takes no
 * more entries, and the copy is made anew elsewhere in idle time. */
static void give_up_copy(struct nkv_store *store, uint32_t slot, uint32_t copy,
                         uint32_t size)
{
    uint32_t address = nkv_slot_address(store, slot, copy);

    nkv_sector_add_live(store, address, -(int32_t)size);
    nkv_sector_set_state(store, nkv_sector_of(store, address),
                         NKV_SECTOR_DAMAGED);
    nkv_slot_remove_address(store, slot, copy);
    store->counters[NKV_COUNT_CORRUPT]++;
    store->lacks_copies = true;
}

enum nkv_status nkv_read_copy(struct nkv_store *store, uint32_t slot,
                              uint32_t copy, struct nkv_entry *entry)
{
    enum nkv_status status = NKV_DATA_LOSS;

    for (int i = 0; i < NKV_READ_TRIES && status == NKV_DATA_LOSS; i++) {
        status =
            nkv_entry_read(store, nkv_slot_address(store, slot, copy), entry);
        if (status == NKV_OK)
            status = nkv_entry_verify(store, entry, NULL);
        if (status == NKV_NOT_FOUND)
            status = NKV_DATA_LOSS;
    }
    return status;
}

enum nkv_status nkv_intact_copy(struct nkv_store *store, uint32_t slot,
                                struct nkv_entry *entry)
{
    enum nkv_status result = NKV_DATA_LOSS;
    uint32_t copies = nkv_slot_copies(store, slot);

    for (uint32_t copy = 0; copy < copies; copy++) {
        enum nkv_status status = nkv_read_copy(store, slot, copy, entry);
        if (status == NKV_OK && result == NKV_DATA_LOSS)
            while (copy-- > 0)
                give_up_copy(store, slot, copy, entry->size);
        if (status == NKV_OK)
            return NKV_OK;
        if (status != NKV_DATA_LOSS)
            result = status;
    }
    return result;
}

enum nkv_status nkv_check_copies(struct nkv_store *store, uint32_t slot)
{
    struct nkv_entry intact, entry;
    enum nkv_status status = nkv_intact_copy(store, slot, &intact);

    if (status != NKV_OK)
        return status;
    for (uint32_t copy = nkv_slot_copies(store, slot); copy-- > 1;) {
        status = nkv_read_copy(store, slot, copy, &entry);
        if (status == NKV_DATA_LOSS)
            give_up_copy(store, slot, copy, intact.size);
        else if (status != NKV_OK)
            return status;
    }
    return NKV_OK;
}

void nkv_forget_addresses(struct nkv_store *store, uint32_t slot, uint32_t size)
{
    for (uint32_t copy = store->copies; copy-- > 0;) {
        uint32_t address = nkv_slot_address(store, slot, copy);
        struct nkv_entry entry;
        if (address == NKV_NONE)
            continue;
        /* Copies written for another program unit have another size. */
        if (store->copies == 1 ||
            nkv_entry_read(store, address, &entry) != NKV_OK)
            entry.size = size;
        nkv_sector_add_live(store, address, -(int32_t)entry.size);
        nkv_slot_set_address(store, slot, copy, NKV_NONE);
    }
}

void nkv_drop_slot(struct nkv_store *store, uint32_t slot)
{
    if (nkv_slot_is_tombstone(store, slot))
        store->tombstones--;
    else
        store->keys--;
    for (uint32_t copy = 0; copy < nkv_slot_copies(store, slot); copy++)
        nkv_sector_set_state(
            store, nkv_sector_of(store, nkv_slot_address(store, slot, copy)),
            NKV_SECTOR_DAMAGED);
    nkv_forget_addresses(store, slot, 0);
    nkv_index_remove(store, slot);
    store->counters[NKV_COUNT_CORRUPT]++;
}

void nkv_drop_unreadable(struct nkv_store *store, struct nkv_span key)
{
    uint32_t slot = nkv_index_first(store, nkv_hash(key));

    while (slot != NKV_NONE) {
        struct nkv_entry entry;
        if (nkv_intact_copy(store, slot, &entry) != NKV_DATA_LOSS) {
            slot = nkv_index_next(store, slot);
            continue;
        }
        nkv_drop_slot(store, slot);
        slot = nkv_index_first(store, nkv_hash(key));
    }
}

bool nkv_remember_address(struct nkv_store *store, uint32_t slot,
                          uint32_t address, uint32_t size)
{
    uint32_t copy = nkv_slot_find_address(store, slot, NKV_NONE);

    if (copy == NKV_NONE)
        return false;
    nkv_slot_set_address(store, slot, copy, address);
    nkv_sector_add_live(store, address, (int32_t)size);
    return true;
}

void nkv_sectors_of_slot(const struct nkv_store *store, uint32_t slot,
                         struct nkv_sector_set *set)
{
    set->count = 0;
    for (uint32_t copy = 0; copy < store->copies; copy++) {
        uint32_t address = nkv_slot_address(store, slot, copy);
        if (address != NKV_NONE)
            set->sectors[set->count++] = nkv_sector_of(store, address);
    }
}
