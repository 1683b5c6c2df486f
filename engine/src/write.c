#include "write.h"

#include "append.h"
#include "collect.h"
#include "index.h"
#include "lookup.h"
#include "rewrite.h"
#include "room.h"
#include "tombstones.h"

/* Lengths of the entry to write, from the change or from what is there. */
static void shape(const struct nkv_change *change, const struct nkv_entry *old,
                  struct nkv_content *content)
{
    *content = (struct nkv_content){
        .key = change->key,
        .value = change->value,
        .source = NKV_NONE,
    };
    if (change->kind == NKV_CHANGE_REWRITE) {
        content->entry = *old;
        content->source = old->address;
        return;
    }
    content->entry.key_size = (uint8_t)change->key.size;
    content->entry.value_size = (uint16_t)change->value.size;
    content->entry.is_tombstone = change->kind == NKV_CHANGE_DELETE;
}

static uint32_t take_id(struct nkv_store *store)
{
    uint32_t id = store->next_id;

    store->next_id = id + 1 == 0 ? 1 : id + 1;
    nkv_note_side(store, id);
    return id;
}

/* Makes the index refer to a new entry of a key, which had the slot with old or
 * NKV_NONE. */
static enum nkv_status index_entry(struct nkv_store *store, uint32_t slot,
                                   const struct nkv_entry *old,
                                   const struct nkv_content *content)
{
    if (slot == NKV_NONE) {
        slot = nkv_index_insert(store, nkv_hash(content->key));
        if (slot == NKV_NONE)
            return NKV_RESOURCE_EXHAUSTED;
    } else {
        uint32_t *count = nkv_slot_is_tombstone(store, slot)
                              ? &store->tombstones
                              : &store->keys;
        --*count;
        nkv_forget_addresses(store, slot, old->size);
    }
    nkv_remember_address(store, slot, content->entry.address,
                         content->entry.size);
    nkv_slot_set_tombstone(store, slot, content->entry.is_tombstone);
    if (content->entry.is_tombstone)
        store->tombstones++;
    else
        store->keys++;
    store->newest_id = content->entry.id;
    store->has_entries = true;
    return NKV_OK;
}

enum nkv_status nkv_add_copy(struct nkv_store *store, uint32_t slot,
                             const struct nkv_entry *entry)
{
    struct nkv_sector_set taken;
    struct nkv_entry copy;
    enum nkv_status status;

    nkv_sectors_of_slot(store, slot, &taken);
    status = nkv_append_copy(store, entry, &taken, NKV_FOR_WRITING, &copy);
    if (status == NKV_OK)
        nkv_remember_address(store, slot, copy.address, copy.size);
    return status;
}

enum nkv_status nkv_complete_copies(struct nkv_store *store, uint32_t slot,
                                    const struct nkv_entry *entry)
{
    enum nkv_status status = NKV_OK;

    while (status == NKV_OK && nkv_slot_copies(store, slot) < store->copies)
        status = nkv_add_copy(store, slot, entry);
    return status;
}

/*
 * Adds the other copies to an entry just written, with collection if their room
 * is not free yet. The change has been made: when a copy cannot be written, the
 * statistics tell, and idle steps try again.
 */
static void write_other_copies(struct nkv_store *store, struct nkv_span key)
{
    enum nkv_status status = NKV_OK;
    struct nkv_entry entry;
    uint32_t slot;

    if (store->copies == 1)
        return;
    for (uint32_t i = 0; i <= nkv_sector_count(store); i++) {
        /* Collection may have moved the entry. */
        status = nkv_find(store, key, NKV_WANT_ANY, &slot, &entry);
        if (status == NKV_OK)
            status = nkv_complete_copies(store, slot, &entry);
        if (status != NKV_RESOURCE_EXHAUSTED)
            break;
        status = nkv_collect_best(store);
        if (status != NKV_OK)
            break;
    }
    if (status != NKV_OK)
        store->lacks_copies = true;
}

/* Finds the key as it is now and writes the first copy of its new entry. */
static enum nkv_status write_first_copy(struct nkv_store *store,
                                        const struct nkv_change *change,
                                        enum nkv_purpose purpose)
{
    const struct nkv_sector_set none = {.count = 0};
    struct nkv_content content;
    struct nkv_entry old;
    uint32_t slot;
    enum nkv_status status =
        nkv_find(store, change->key, NKV_WANT_ANY, &slot, &old);

    if (status != NKV_OK &&
        (status != NKV_NOT_FOUND || change->kind == NKV_CHANGE_REWRITE))
        return status;
    if (change->kind == NKV_CHANGE_REWRITE)
        status = nkv_intact_copy(store, slot, &old);
    if (status == NKV_DATA_LOSS)
        return status;
    /* Not changed while all keys were written once over, on average: it will
     * not change soon. */
    if (slot != NKV_NONE && purpose == NKV_FOR_WRITING_APART &&
        store->next_id - old.id > store->keys)
        purpose = NKV_FOR_WRITING_COLD;
    shape(change, &old, &content);
    status = nkv_entry_seal(store, &content, take_id(store));
    if (status == NKV_OK)
        status = nkv_append_anywhere(store, &content, &none, purpose,
                                     &content.entry.address);
    if (status != NKV_OK)
        return status;
    if (!nkv_sector(store, nkv_sector_of(store, content.entry.address))
             ->holds_cold)
        store->head = nkv_sector_of(store, content.entry.address);
    return index_entry(store, slot, &old, &content);
}

/* The store is full, but what the new entry replaces is at least as large. */
static enum nkv_status replace(struct nkv_store *store,
                               const struct nkv_change *change, uint32_t size)
{
    struct nkv_entry old;
    uint32_t slot;
    enum nkv_status status =
        nkv_find(store, change->key, NKV_WANT_ANY, &slot, &old);

    if (status != NKV_OK || size > old.size)
        return NKV_RESOURCE_EXHAUSTED;
    status = nkv_room_make_by_replacing(store, &old);
    if (status != NKV_OK)
        return status;
    status = write_first_copy(store, change, NKV_FOR_COLLECTING);
    /* Written is written: what fails in finishing is made up for later. */
    if (status == NKV_OK)
        (void)nkv_room_finish(store);
    store->replaced = NKV_NONE;
    return status;
}

/*
 * The store is full, but once the new entry is written, in the last erased
 * sector, another sector holds nothing any more: only what the entry replaces,
 * or the tombstone that was kept for its id.
 */
static enum nkv_status swap_sectors(struct nkv_store *store,
                                    const struct nkv_change *change)
{
    uint32_t dropped, needed_by;
    enum nkv_status status;

    if (store->erased_sectors == 0 ||
        !nkv_room_appears_after(store, change->key))
        return NKV_RESOURCE_EXHAUSTED;
    status = write_first_copy(store, change, NKV_FOR_COLLECTING);
    store->spare = NKV_NONE;
    if (status != NKV_OK)
        return status;
    /* The change is made; what fails from here on is made up for later. */
    if (store->tombstones > 0)
        (void)nkv_tombstones_sweep(store, &dropped, &needed_by);
    (void)nkv_collect_best(store);
    return NKV_OK;
}

/* Makes room and writes the first copy there. When programming fails, the
 * sectors that failed are out of the way, and room is made again. */
static enum nkv_status write_in_room(struct nkv_store *store,
                                     const struct nkv_change *change,
                                     uint32_t size)
{
    enum nkv_status status = NKV_OK;

    for (int i = 0; i < NKV_APPEND_TRIES; i++) {
        enum nkv_status room = nkv_room_make(store, size);
        if (room != NKV_OK)
            return status == NKV_OK ? room : status;
        status = write_first_copy(store, change, NKV_FOR_WRITING_APART);
        if (status == NKV_OK)
            break;
    }
    return status;
}

/* The same, with the last resorts of a full store. */
static enum nkv_status write_somewhere(struct nkv_store *store,
                                       const struct nkv_change *change,
                                       uint32_t size)
{
    enum nkv_status status = write_in_room(store, change, size);

    if (status == NKV_RESOURCE_EXHAUSTED && nkv_collecting(store)) {
        /* What a collection under way was going to free counts too. */
        (void)nkv_room_finish(store);
        status = write_in_room(store, change, size);
    }
    if (status == NKV_RESOURCE_EXHAUSTED)
        status = replace(store, change, size);
    if (status == NKV_RESOURCE_EXHAUSTED)
        status = swap_sectors(store, change);
    return status;
}

/* Static wear levelling, beside writes that had to collect anyway. */
static void sweep_in_turn(struct nkv_store *store, uint32_t collections_before)
{
    uint32_t sector;

    if (store->counters[NKV_COUNT_COLLECTIONS] == collections_before ||
        store->erased_sectors == 0 || nkv_collecting(store) ||
        !nkv_room_is_ample(store))
        return;
    sector = nkv_sector_choose_in_turn(store);
    if (sector != NKV_NONE)
        (void)nkv_collect_sector(store, sector);
}

static enum nkv_status entry_size(struct nkv_store *store,
                                  const struct nkv_change *change,
                                  uint32_t *size)
{
    struct nkv_entry old = {0};
    uint32_t slot, value_size = (uint32_t)change->value.size;

    if (change->kind == NKV_CHANGE_REWRITE) {
        enum nkv_status status =
            nkv_find(store, change->key, NKV_WANT_ANY, &slot, &old);
        if (status != NKV_OK)
            return status;
        value_size = old.value_size;
    }
    *size = nkv_entry_size(store, (uint32_t)change->key.size, value_size);
    return *size > store->sector_bytes ? NKV_RESOURCE_EXHAUSTED : NKV_OK;
}

enum nkv_status nkv_write(struct nkv_store *store,
                          const struct nkv_change *change)
{
    uint32_t size, collections = store->counters[NKV_COUNT_COLLECTIONS];
    enum nkv_status status = nkv_rewrite_for_wrap(store);

    if (status == NKV_OK)
        status = entry_size(store, change, &size);
    if (status == NKV_OK)
        status = write_somewhere(store, change, size);
    if (status != NKV_OK) {
        /* What failed may be on flash all the same. */
        store->has_failed_write |= status != NKV_RESOURCE_EXHAUSTED;
        return status;
    }
    write_other_copies(store, change->key);
    sweep_in_turn(store, collections);
    return NKV_OK;
}
