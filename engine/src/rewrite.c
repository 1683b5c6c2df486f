#include "rewrite.h"

#include "collect.h"
#include "index.h"
#include "sector.h"
#include "write.h"

static uint32_t find(struct nkv_store *store,
                     bool (*is_wanted)(const struct nkv_store *store,
                                       const struct nkv_entry *entry),
                     uint32_t *cursor, struct nkv_entry *entry)
{
    struct nkv_index_walk walk = nkv_index_walk_from(store, *cursor);
    uint32_t slot;

    while ((slot = nkv_index_walk_next(store, &walk)) != NKV_NONE) {
        uint32_t address = nkv_slot_address(store, slot, 0);
        if (nkv_slot_hash(store, slot) < *cursor)
            continue;
        if (nkv_entry_read(store, address, entry) == NKV_OK &&
            is_wanted(store, entry))
            break;
    }
    if (slot != NKV_NONE)
        *cursor = nkv_slot_hash(store, slot);
    return slot;
}

enum nkv_status
nkv_rewrite_next(struct nkv_store *store,
                 bool (*is_wanted)(const struct nkv_store *store,
                                   const struct nkv_entry *entry),
                 uint32_t *cursor, bool *more)
{
    uint8_t key[NKV_KEY_SIZE_MAX];
    struct nkv_change change = {.kind = NKV_CHANGE_REWRITE};
    struct nkv_entry entry;
    enum nkv_status status;

    *more = find(store, is_wanted, cursor, &entry) != NKV_NONE;
    if (!*more)
        return NKV_OK;
    status = nkv_entry_read_key(store, &entry, key);
    change.key = (struct nkv_span){key, entry.key_size};
    if (status == NKV_OK)
        status = nkv_write(store, &change);
    if (status != NKV_DATA_LOSS && status != NKV_NOT_FOUND)
        /* The cursor stays: another key may have this hash. */
        return status;
    *more = ++*cursor != 0;
    return NKV_OK;
}

/* The ids that must go before the ids that are given out change side. */
static bool is_on_wrong_side(const struct nkv_store *store,
                             const struct nkv_entry *entry)
{
    return nkv_id_is_on_top(entry->id) != nkv_id_is_on_top(store->next_id);
}

static enum nkv_status rewrite_and_collect(struct nkv_store *store)
{
    uint32_t cursor = 0;
    bool more = true;
    enum nkv_status status = NKV_OK;

    while (status == NKV_OK && more)
        status = nkv_rewrite_next(store, is_on_wrong_side, &cursor, &more);
    for (uint32_t i = 0; i < 2 * nkv_sector_count(store) && status == NKV_OK;
         i++)
        status = nkv_collect_best(store);
    return status == NKV_RESOURCE_EXHAUSTED && !more ? NKV_OK : status;
}

enum nkv_status nkv_rewrite_for_wrap(struct nkv_store *store)
{
    bool on_top = nkv_id_is_on_top(store->next_id);
    bool leaving_bottom = store->next_id >> 23 == 1;
    bool *has_others = on_top ? &store->has_old_ids : &store->has_top_ids;
    enum nkv_status status;

    if (!*has_others || (!on_top && !leaving_bottom))
        return NKV_OK;
    /* What is rewritten comes back here: once is enough. */
    *has_others = false;
    status = rewrite_and_collect(store);
    *has_others = status != NKV_OK;
    return status;
}
