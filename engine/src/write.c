#include "write.h"

#include "ahead.h"
#include "append.h"
#include "collect.h"
#include "copies.h"
#include "index.h"
#include "lookup.h"
#include "repair.h"
#include "replace.h"
#include "room.h"

static void note_written(struct nkv_store *store, const struct nkv_entry *entry)
{
    uint32_t sector = nkv_sector_of(store, entry->address);

    if (!(nkv_sector(store, sector)->flags & NKV_FLAG_COLD))
        store->head = sector;
    if (!store->has_entries)
        store->oldest_id = entry->id;
    store->newest_id = entry->id;
    store->has_entries = true;
}

enum nkv_status nkv_write_first_copy(struct nkv_store *store,
                                     const struct nkv_change *change,
                                     enum nkv_purpose purpose)
{
    struct nkv_entry entry;
    struct nkv_content content = {
        .entry = &entry, .key = change->key.data, .value = change->value.data};
    uint32_t slot, old_size = 0;
    enum nkv_status status =
        nkv_find(store, &change->key, NKV_WANT_ANY, &slot, &entry);

    if (change->kind == NKV_CHANGE_REWRITE && status == NKV_OK)
        status = nkv_intact_copy(store, slot, &entry);
    else if (change->kind != NKV_CHANGE_REWRITE && status == NKV_NOT_FOUND)
        status = NKV_OK;
    if (status != NKV_OK)
        return status;
    if (slot != NKV_NONE) {
        old_size = nkv_copy_size(store, &entry);
        /* Not changed while all keys were written once over, on average: it
         * will not change soon. */
        if (purpose == NKV_FOR_WRITING_APART &&
            store->next_id - entry.id > store->keys)
            purpose = NKV_FOR_WRITING_COLD;
    }
    if (change->kind == NKV_CHANGE_REWRITE) {
        content = nkv_content_on_flash(&entry);
    } else {
        entry.key_size = (uint8_t)change->key.size;
        entry.value_size = (uint16_t)change->value.size;
        entry.is_tombstone = change->kind == NKV_CHANGE_DELETE;
    }
    entry.magic = store->formats->magic;
    entry.id = nkv_take_id(store);
    status = nkv_content_seal(store, &content);
    if (status == NKV_OK)
        status = nkv_append_anywhere(store, &content, NKV_NONE, purpose);
    if (status != NKV_OK)
        return status;
    if (slot == NKV_NONE)
        slot = nkv_index_insert(store, nkv_hash(change->key));
    if (slot == NKV_NONE)
        return NKV_RESOURCE_EXHAUSTED;
    nkv_slot_take(store, slot, &entry, old_size);
    note_written(store, &entry);
    return NKV_OK;
}

static NKV_APART enum nkv_status entry_size(struct nkv_store *store,
                                            const struct nkv_change *change,
                                            uint32_t *size)
{
    struct nkv_entry old;
    uint32_t slot, value_size = (uint32_t)change->value.size;

    if (change->kind == NKV_CHANGE_REWRITE) {
        enum nkv_status status =
            nkv_find(store, &change->key, NKV_WANT_ANY, &slot, &old);
        if (status != NKV_OK)
            return status;
        value_size = old.value_size;
    }
    *size = nkv_entry_size(store, (uint32_t)change->key.size, value_size);
    return *size > store->sector_bytes ? NKV_RESOURCE_EXHAUSTED : NKV_OK;
}

/* Makes room and writes the first copy there. When programming fails, the
 * sectors that failed are out of the way, and room is made again. */
static enum nkv_status write_somewhere(struct nkv_store *store,
                                       const struct nkv_change *change,
                                       uint32_t size)
{
    enum nkv_status status = NKV_RESOURCE_EXHAUSTED;

    for (int i = 0; i < NKV_APPEND_TRIES; i++) {
        bool has_room = nkv_room_make(store, size) == NKV_OK;
        if (has_room)
            status = nkv_write_first_copy(store, change, NKV_FOR_WRITING_APART);
        if (has_room && status == NKV_OK)
            return NKV_OK;
        /* A collection that failed may have filled the last erased one. */
        if ((!has_room && store->erased_sectors > 0) ||
            nkv_recover_erased_sector(store) != NKV_OK)
            break;
    }
    /* What was taken on trust is verified before the last resort. */
    return status == NKV_RESOURCE_EXHAUSTED && !store->is_trusting
               ? nkv_write_by_replacing(store, change, size)
               : status;
}

enum nkv_status nkv_write(struct nkv_store *store,
                          const struct nkv_change *change)
{
    uint32_t *steps = &store->counters[NKV_COUNT_STEPS];
    uint32_t *longest = &store->counters[NKV_COUNT_LONGEST_WRITE];
    uint32_t size, before = *steps;
    enum nkv_status status = entry_size(store, change, &size);

    if (status == NKV_OK)
        status = write_somewhere(store, change, size);
    if (status == NKV_OK) {
        nkv_copies_write(store, change->key);
        if (*steps == before)
            nkv_work_ahead(store, size);
    } else if (status != NKV_RESOURCE_EXHAUSTED) {
        /* What failed may be on flash all the same. */
        store->is_unsure = true;
    }
    if (*steps - before > *longest)
        *longest = *steps - before;
    return status;
}

enum nkv_status nkv_write_key_of(struct nkv_store *store,
                                 const struct nkv_entry *entry,
                                 enum nkv_change_kind kind)
{
    uint8_t key[NKV_KEY_SIZE_MAX];
    const struct nkv_change change = {.kind = kind,
                                      .key = {key, entry->key_size}};
    enum nkv_status status = nkv_entry_read_key(store, entry, key);

    return status == NKV_OK ? nkv_write(store, &change) : status;
}
