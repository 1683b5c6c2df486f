#include "repair.h"

#include "collect.h"
#include "copies.h"
#include "index.h"
#include "lookup.h"
#include "read_flash.h"
#include "sector.h"
#include "sum_up.h"
#include "tombstones.h"
#include "victim.h"

static void erase_empty(struct nkv_store *store)
{
    for (uint32_t i = 0; i < store->sector_count; i++)
        if (nkv_sector_is_spoilt(store, i) && nkv_sector_live(store, i) == 0)
            (void)nkv_sector_erase(store, i);
}

/* Reads the flash anew, without one sector or, NKV_NONE, all of it. When it
 * cannot be read, what lies where is not known any more. */
static enum nkv_status reread(struct nkv_store *store, uint32_t excluded)
{
    enum nkv_status status;

    store->victim = NKV_NONE;
    store->spare = NKV_NONE;
    store->excluded = excluded;
    status = nkv_read_flash(store);
    store->excluded = NKV_NONE;
    if (status != NKV_OK)
        store->access = NKV_ACCESS_NONE;
    store->lacks_copies = nkv_copies_missing(store) > 0;
    return status;
}

bool nkv_verify_after_all(struct nkv_store *store)
{
    if (!store->is_trusting)
        return false;
    store->is_trusting = false;
    return reread(store, NKV_NONE) == NKV_OK;
}

/*
 * A sum over the copies of all values: of their ids, each times its key's hash.
 * Ids alone may make up for each other: those of keys that are missed without a
 * sector for those of deleted keys that are back.
 */
static enum nkv_status sum_up_copies(struct nkv_store *store, uint32_t *sum)
{
    *sum = 0;
    for (uint32_t slot = 0; slot < store->slots; slot++) {
        struct nkv_entry entry;
        if (nkv_slot_read(store, slot, &entry) == NKV_OK && !entry.is_tombstone)
            *sum += entry.id * nkv_slot_hash(store, slot) *
                    nkv_slot_copies(store, slot);
    }
    return NKV_OK;
}

/*
 * Erases a sector if all that is current in it lies elsewhere too: without it
 * there are as many keys, and the same copies of the same values, as their sum
 * tells. Or, by values, the same values, be it in fewer copies or with older
 * ids.
 */
static enum nkv_status erase_if_surplus(struct nkv_store *store,
                                        uint32_t sector, nkv_sum *sum_up,
                                        uint32_t sum)
{
    uint32_t keys = store->keys, newest_id = store->newest_id, others;

    if (reread(store, sector) != NKV_OK || store->keys != keys ||
        (sum_up == sum_up_copies && store->newest_id != newest_id) ||
        sum_up(store, &others) != NKV_OK || others != sum ||
        /* Tombstones that only this sector needs are forgotten by now. */
        nkv_sector_erase(store, sector) != NKV_OK)
        return reread(store, NKV_NONE);
    return NKV_OK;
}

/* Whether a sector may be what a cut collection left: of tombstones in it there
 * is another copy, or the old value beside one might come back in the erase.
 * Without a look at its copies and ids: where entries were about to get new ids
 * it is damaged; where copies were missing there is another of all in it. */
static bool may_be_left(const struct nkv_store *store, uint32_t sector,
                        bool by_values)
{
    const struct nkv_sector *its = nkv_sector(store, sector);

    if (its->state == NKV_SECTOR_RETIRED)
        return false;
    for (uint32_t slot = 0; slot < store->slots; slot++)
        if (nkv_slot_copies(store, slot) == 1 &&
            nkv_slot_find_sector(store, slot, sector) != NKV_NONE &&
            (by_values || (nkv_slot_is_tombstone(store, slot) &&
                           !nkv_slot_is_marked(store, slot))))
            return by_values && its->state == NKV_SECTOR_DAMAGED;
    return by_values || its->flags & NKV_FLAG_COPIED || its->live_units == 0;
}

/* Looks for a sector that a collection left, and erases it. */
static enum nkv_status erase_what_is_left(struct nkv_store *store,
                                          nkv_sum *sum_up)
{
    uint32_t sum;
    enum nkv_status status = sum_up(store, &sum);

    for (uint32_t i = 0; i < store->sector_count && status == NKV_OK &&
                         store->erased_sectors == 0;
         i++)
        if (may_be_left(store, i, sum_up != sum_up_copies))
            status = erase_if_surplus(store, i, sum_up, sum);
    return status;
}

enum nkv_status nkv_recover_erased_sector(struct nkv_store *store)
{
    enum nkv_status status;

    if (store->erased_sectors > 0)
        return NKV_OK;
    /* Nothing is erased that was taken on trust. */
    store->is_trusting = false;
    status = reread(store, NKV_NONE);
    return status == NKV_OK ? erase_what_is_left(store, sum_up_copies) : status;
}

void nkv_repair(struct nkv_store *store)
{
    uint32_t needed_by;

    erase_empty(store);
    /* By values only here: in a session a copy is not given up because the
     * other sectors fail. */
    if (nkv_recover_erased_sector(store) == NKV_OK &&
        store->erased_sectors == 0)
        (void)erase_what_is_left(store, nkv_sum_up_values);
    for (uint32_t i = 0; i < store->sector_count; i++)
        if (nkv_sector_is_spoilt(store, i))
            (void)nkv_collect_sector(store, i);
    /* Nothing is surplus or damaged: a collection or its erase failed. */
    if (store->erased_sectors == 0)
        (void)nkv_collect_best(store, 0);
    if (store->lacks_copies && nkv_copies_complete(store) != NKV_OK &&
        nkv_verify_after_all(store))
        (void)nkv_copies_complete(store);
    /* What was in doubt is erased; new entries may lie there. */
    store->distrusted_count = 0;
    /* What was erased may have been all that some tombstones were kept for. */
    if (store->counters[NKV_COUNT_ERASES] > 0)
        (void)nkv_tombstones_sweep(store, &needed_by);
    erase_empty(store);
    if (store->lacks_copies)
        (void)nkv_copies_complete(store);
}
