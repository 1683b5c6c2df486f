#include "tombstones.h"

#include "collect.h"
#include "index.h"
#include "lookup.h"
#include "scan.h"
#include "sector.h"

static void unmark_all(struct nkv_store *store)
{
    for (uint32_t slot = 0; slot < store->slots; slot++)
        nkv_slot_set_mark(store, slot, false);
}

/* Marks the tombstone, if any, that a value with this key makes necessary. */
static enum nkv_status mark_needed_by(struct nkv_store *store,
                                      struct nkv_span key, bool *needed)
{
    struct nkv_entry indexed;
    uint32_t slot;
    enum nkv_status status = NKV_OK;

    *needed = false;
    /* The common case, a key without tombstone, costs no read. */
    for (slot = nkv_index_first(store, nkv_hash(key)); slot != NKV_NONE;
         slot = nkv_index_next(store, slot))
        *needed |= nkv_slot_is_tombstone(store, slot);
    if (!*needed)
        return NKV_OK;
    status = nkv_find(store, key, NKV_WANT_ANY, &slot, &indexed);
    *needed = status == NKV_OK && indexed.is_tombstone;
    if (*needed)
        nkv_slot_set_mark(store, slot, true);
    return status == NKV_NOT_FOUND ? NKV_OK : status;
}

static enum nkv_status mark_from_sector(struct nkv_store *store,
                                        uint32_t sector, uint32_t *needed_by)
{
    struct nkv_scan scan = nkv_scan_begin(store, sector, 0);
    struct nkv_entry entry;
    struct nkv_span key;
    enum nkv_status status;

    scan.trusting = nkv_sector(store, sector)->state == NKV_SECTOR_OPEN;
    while ((status = nkv_scan_next_entry(store, &scan, &entry, &key)) ==
           NKV_OK) {
        bool needed = false;
        if (!entry.is_tombstone)
            status = mark_needed_by(store, key, &needed);
        if (status != NKV_OK)
            return status;
        if (needed && nkv_sector(store, sector)->state != NKV_SECTOR_FAILED)
            *needed_by = sector;
    }
    return status == NKV_NOT_FOUND ? NKV_OK : status;
}

/* Drops the tombstone in a slot unless it is the newest entry. */
static enum nkv_status drop(struct nkv_store *store, uint32_t slot,
                            bool *dropped)
{
    struct nkv_entry entry;
    enum nkv_status status =
        nkv_entry_read(store, nkv_slot_address(store, slot, 0), &entry);

    *dropped = false;
    if (status != NKV_OK)
        return status == NKV_NOT_FOUND || status == NKV_DATA_LOSS ? NKV_OK
                                                                  : status;
    if (entry.id == store->newest_id)
        return NKV_OK;
    nkv_forget_addresses(store, slot, entry.size);
    nkv_index_remove(store, slot);
    store->tombstones--;
    *dropped = true;
    return NKV_OK;
}

static enum nkv_status drop_unmarked(struct nkv_store *store, uint32_t *dropped)
{
    for (uint32_t slot = 0; slot < store->slots;) {
        bool went = false;
        enum nkv_status status = NKV_OK;
        if (nkv_slot_is_used(store, slot) &&
            nkv_slot_is_tombstone(store, slot) &&
            !nkv_slot_is_marked(store, slot))
            status = drop(store, slot, &went);
        if (status != NKV_OK)
            return status;
        if (went)
            ++*dropped;
        else
            slot++;
    }
    return NKV_OK;
}

enum nkv_status nkv_tombstones_sweep(struct nkv_store *store, uint32_t *dropped,
                                     uint32_t *needed_by)
{
    *dropped = 0;
    *needed_by = NKV_NONE;
    unmark_all(store);
    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        enum nkv_sector_state state = nkv_sector(store, i)->state;
        enum nkv_status status = NKV_OK;
        if (state == NKV_SECTOR_DIRTY)
            (void)nkv_sector_erase(store, i);
        else if (state != NKV_SECTOR_ERASED)
            status = mark_from_sector(store, i, needed_by);
        /* An older value may hide where nothing can be read. */
        if (status != NKV_OK)
            return status;
    }
    return drop_unmarked(store, dropped);
}

uint32_t nkv_tombstones_find_newest(struct nkv_store *store)
{
    for (uint32_t slot = 0; slot < store->slots; slot++) {
        struct nkv_entry entry;
        if (nkv_slot_is_used(store, slot) &&
            nkv_slot_is_tombstone(store, slot) &&
            !nkv_slot_is_marked(store, slot) &&
            nkv_entry_read(store, nkv_slot_address(store, slot, 0), &entry) ==
                NKV_OK &&
            entry.id == store->newest_id)
            return slot;
    }
    return NKV_NONE;
}

enum nkv_status nkv_tombstones_make_room(struct nkv_store *store)
{
    uint32_t room = NKV_TOMBSTONES(store->config->max_keys);
    enum nkv_status status = NKV_OK;

    /* Each round erases a sector with older values or drops a tombstone; one
     * may fail, and twice round is more than enough. */
    for (uint32_t i = 0;
         store->tombstones >= room && i < 2 * nkv_sector_count(store); i++) {
        uint32_t dropped, needed_by;
        status = nkv_tombstones_sweep(store, &dropped, &needed_by);
        if (status != NKV_OK || store->tombstones < room)
            break;
        if (needed_by == NKV_NONE)
            return NKV_RESOURCE_EXHAUSTED;
        status = nkv_collect_sector(store, needed_by);
        if (status == NKV_RESOURCE_EXHAUSTED)
            break;
    }
    if (store->tombstones < room)
        return NKV_OK;
    return status == NKV_OK ? NKV_RESOURCE_EXHAUSTED : status;
}
