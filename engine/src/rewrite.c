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

static bool is_not_on_top(const struct nkv_store *store,
                          const struct nkv_entry *entry)
{
    (void)store;
    return !nkv_id_is_on_top(entry->id);
}

enum nkv_status nkv_rewrite_before_wrap(struct nkv_store *store)
{
    uint32_t cursor = 0;
    bool more = true;
    enum nkv_status status = NKV_OK;

    /* What is rewritten here comes back here: once is enough. */
    store->has_old_ids = false;
    while (status == NKV_OK && more)
        status = nkv_rewrite_next(store, is_not_on_top, &cursor, &more);
    for (uint32_t i = 0; i < 2 * nkv_sector_count(store) && status == NKV_OK;
         i++)
        status = nkv_collect_best(store);
    if (status == NKV_RESOURCE_EXHAUSTED && !more)
        status = NKV_OK;
    store->has_old_ids = status != NKV_OK;
    return status;
}
