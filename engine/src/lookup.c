#include "lookup.h"

#include "index.h"

#include <string.h>

/* Whether the entry at an address is a key's. NKV_NOT_FOUND: another key's. */
static enum nkv_status match_copy(struct nkv_store *store, uint32_t address,
                                  const struct nkv_span *key, uint32_t hash,
                                  struct nkv_entry *entry)
{
    enum nkv_status status = NKV_DATA_LOSS;

    for (int i = 0; i < NKV_READ_TRIES && status == NKV_DATA_LOSS; i++) {
        status = nkv_entry_match(store, address, key, hash, entry);
        if (status == NKV_NOT_FOUND)
            status = NKV_DATA_LOSS;
    }
    return status == NKV_ALREADY_EXISTS ? NKV_NOT_FOUND : status;
}

/*
 * Reads the first copy of a slot with a sound header and compares its key.
 * NKV_NOT_FOUND: another key. NKV_DATA_LOSS: a copy is damaged, none is this
 * key's.
 */
static enum nkv_status match(struct nkv_store *store, uint32_t slot,
                             const struct nkv_span *key, uint32_t hash,
                             struct nkv_entry *entry)
{
    enum nkv_status result = NKV_DATA_LOSS;

    for (uint32_t copy = 0; copy < nkv_slot_copies(store, slot); copy++) {
        enum nkv_status status = match_copy(
            store, nkv_slot_address(store, slot, copy), key, hash, entry);
        if (status == NKV_OK || status == NKV_NOT_FOUND)
            return status;
        if (status != NKV_DATA_LOSS)
            result = status;
    }
    return result;
}

enum nkv_status nkv_find(struct nkv_store *store, const struct nkv_span *key,
                         enum nkv_wanted wanted, uint32_t *slot,
                         struct nkv_entry *entry)
{
    enum nkv_status result = NKV_NOT_FOUND;
    uint32_t hash = nkv_hash(*key), at = nkv_index_from(store, hash);

    *slot = NKV_NONE;
    for (; nkv_slot_has_hash(store, at, hash); at++) {
        enum nkv_status status;
        if (wanted == NKV_WANT_VALUE && nkv_slot_is_tombstone(store, at))
            continue;
        status = match(store, at, key, hash, entry);
        if (status == NKV_NOT_FOUND)
            continue;
        *slot = at;
        result = status;
        if (status == NKV_OK)
            break;
    }
    return result;
}

uint32_t nkv_find_address(const struct nkv_store *store, uint32_t hash,
                          uint32_t address)
{
    for (uint32_t slot = nkv_index_from(store, hash);
         nkv_slot_has_hash(store, slot, hash); slot++)
        if (nkv_slot_find_address(store, slot, address) != NKV_NONE)
            return slot;
    return NKV_NONE;
}

enum nkv_status nkv_slot_read(struct nkv_store *store, uint32_t slot,
                              struct nkv_entry *entry)
{
    return nkv_slot_is_used(store, slot)
               ? nkv_entry_read(store, nkv_slot_address(store, slot, 0), entry)
               : NKV_NOT_FOUND;
}

enum nkv_status nkv_read_verified(struct nkv_store *store, uint32_t address,
                                  struct nkv_entry *entry)
{
    enum nkv_status status = NKV_DATA_LOSS;

    for (int i = 0; i < NKV_READ_TRIES && status == NKV_DATA_LOSS; i++) {
        status = nkv_entry_read(store, address, entry);
        if (status == NKV_OK)
            status = nkv_entry_verify(store, entry, NULL);
        if (status == NKV_NOT_FOUND)
            status = NKV_DATA_LOSS;
    }
    return status;
}

uint32_t nkv_copy_size(const struct nkv_store *store,
                       const struct nkv_entry *entry)
{
    return entry->size % store->flash->program_unit == 0
               ? entry->size
               : nkv_entry_size(store, entry->key_size, entry->value_size);
}

void nkv_forget_copy(struct nkv_store *store, uint32_t slot, uint32_t copy,
                     uint32_t size)
{
    uint32_t address = nkv_slot_address(store, slot, copy);
    struct nkv_entry entry;

    /* Copies written for another program unit may have another size. */
    if ((store->copies > 1 || size == 0) &&
        nkv_entry_read(store, address, &entry) == NKV_OK)
        size = nkv_copy_size(store, &entry);
    nkv_sector_add_live(store, address, -(int32_t)size);
    for (; copy + 1 < store->copies; copy++)
        nkv_slot_set_address(store, slot, copy,
                             nkv_slot_address(store, slot, copy + 1));
    nkv_slot_set_address(store, slot, copy, NKV_NONE);
}

static void mark_damaged(struct nkv_store *store, uint32_t address)
{
    uint32_t sector = nkv_sector_of(store, address);

    if (nkv_sector(store, sector)->state != NKV_SECTOR_RETIRED)
        nkv_sector_set_state(store, sector, NKV_SECTOR_DAMAGED);
}

void nkv_give_up_copy(struct nkv_store *store, uint32_t slot, uint32_t copy)
{
    mark_damaged(store, nkv_slot_address(store, slot, copy));
    nkv_forget_copy(store, slot, copy, 0);
    store->counters[NKV_COUNT_CORRUPT]++;
    store->lacks_copies = true;
}

/* Counts the copies of an entry that is damaged in all of them, once. */
static void note_loss(struct nkv_store *store, uint32_t slot)
{
    if (nkv_slot_is_marked(store, slot))
        return;
    nkv_slot_set_mark(store, slot, true);
    store->counters[NKV_COUNT_CORRUPT] += nkv_slot_copies(store, slot);
}

enum nkv_status nkv_intact_copy(struct nkv_store *store, uint32_t slot,
                                struct nkv_entry *entry)
{
    enum nkv_status result = NKV_DATA_LOSS;
    uint32_t copies = nkv_slot_copies(store, slot);

    for (uint32_t copy = 0; copy < copies; copy++) {
        enum nkv_status status = nkv_read_verified(
            store, nkv_slot_address(store, slot, copy), entry);
        if (status == NKV_OK) {
            while (copy-- > 0 && result == NKV_DATA_LOSS)
                nkv_give_up_copy(store, slot, copy);
            return NKV_OK;
        }
        if (status != NKV_DATA_LOSS)
            result = status;
    }
    if (result == NKV_DATA_LOSS)
        note_loss(store, slot);
    return result;
}

void nkv_forget_addresses(struct nkv_store *store, uint32_t slot, uint32_t size)
{
    for (uint32_t copy = nkv_slot_copies(store, slot); copy-- > 0;)
        nkv_forget_copy(store, slot, copy, size);
}

/* What counts slots of this one's kind. */
static uint32_t *count_of(struct nkv_store *store, uint32_t slot)
{
    return nkv_slot_is_tombstone(store, slot) ? &store->tombstones
                                              : &store->keys;
}

void nkv_forget_slot(struct nkv_store *store, uint32_t slot, uint32_t size)
{
    --*count_of(store, slot);
    nkv_forget_addresses(store, slot, size);
    nkv_index_remove(store, slot);
}

void nkv_drop_slot(struct nkv_store *store, uint32_t slot)
{
    note_loss(store, slot);
    for (uint32_t copy = nkv_slot_copies(store, slot); copy-- > 0;)
        mark_damaged(store, nkv_slot_address(store, slot, copy));
    nkv_forget_slot(store, slot, 0);
    store->counters[NKV_COUNT_LOST]++;
}

bool nkv_remember_address(struct nkv_store *store, uint32_t slot,
                          const struct nkv_entry *entry)
{
    uint32_t copy = nkv_slot_copies(store, slot);

    if (copy == store->copies)
        return false;
    nkv_slot_set_address(store, slot, copy, entry->address);
    nkv_sector_add_live(store, entry->address,
                        (int32_t)nkv_copy_size(store, entry));
    return true;
}

void nkv_slot_take(struct nkv_store *store, uint32_t slot,
                   const struct nkv_entry *entry, uint32_t old_size)
{
    if (nkv_slot_is_used(store, slot)) {
        --*count_of(store, slot);
        nkv_forget_addresses(store, slot, old_size);
    }
    (void)nkv_remember_address(store, slot, entry);
    nkv_slot_set_tombstone(store, slot, entry->is_tombstone);
    nkv_slot_set_mark(store, slot, false);
    ++*count_of(store, slot);
}
