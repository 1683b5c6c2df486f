#include "write.h"

#include "append.h"
#include "collect.h"
#include "index.h"
#include "lookup.h"
#include "rewrite.h"
#include "room.h"

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
    store->has_old_ids |= !nkv_id_is_on_top(id);
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

enum nkv_status nkv_complete_copies(struct nkv_store *store, uint32_t slot,
                                    const struct nkv_entry *entry)
{
    while (nkv_slot_copies(store, slot) < store->copies) {
        struct nkv_sector_set taken;
        struct nkv_entry copy;
        enum nkv_status status;
        nkv_sectors_of_slot(store, slot, &taken);
        status = nkv_append_copy(store, entry, &taken, NKV_FOR_WRITING, &copy);
        if (status != NKV_OK)
            return status;
        nkv_remember_address(store, slot, copy.address, copy.size);
    }
    return NKV_OK;
}

/* Adds the other copies to an entry just written, with collection if their room
 * is not free yet. */
static enum nkv_status write_other_copies(struct nkv_store *store,
                                          struct nkv_span key)
{
    enum nkv_status status = NKV_OK;
    struct nkv_entry entry;
    uint32_t slot;

    if (store->copies == 1)
        return NKV_OK;
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
    /* The change has been made. The statistics tell what is missing, and it is
     * added when there is room. */
    return status == NKV_RESOURCE_EXHAUSTED ? NKV_OK : status;
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

    if (status != NKV_OK && status != NKV_NOT_FOUND)
        return status;
    if (change->kind == NKV_CHANGE_REWRITE)
        status = nkv_intact_copy(store, slot, &old);
    if (status == NKV_DATA_LOSS)
        return status;
    shape(change, &old, &content);
    status = nkv_entry_seal(store, &content, take_id(store));
    if (status == NKV_OK)
        status = nkv_append_anywhere(store, &content, &none, purpose,
                                     &content.entry.address);
    if (status != NKV_OK)
        return status;
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
    if (status != NKV_OK) {
        store->replaced = NKV_NONE;
        return status;
    }
    return nkv_room_finish(store);
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
    uint32_t size;
    enum nkv_status status = NKV_OK;

    if (store->has_old_ids && nkv_id_is_on_top(store->next_id))
        status = nkv_rewrite_before_wrap(store);
    if (status == NKV_OK)
        status = entry_size(store, change, &size);
    if (status != NKV_OK)
        return status;
    status = nkv_room_make(store, size);
    if (status == NKV_OK)
        status = write_first_copy(store, change, NKV_FOR_WRITING);
    else if (status == NKV_RESOURCE_EXHAUSTED)
        status = replace(store, change, size);
    return status == NKV_OK ? write_other_copies(store, change->key) : status;
}
