#include "repair.h"

#include "collect.h"
#include "copies.h"
#include "read_flash.h"
#include "sector.h"
#include "tombstones.h"

/* Whether a sector waits for its erase, for whatever reason. */
static bool is_spoilt(const struct nkv_store *store, uint32_t sector)
{
    uint8_t state = nkv_sector(store, sector)->state;

    return state == NKV_SECTOR_DIRTY || state == NKV_SECTOR_DAMAGED;
}

static void erase_empty(struct nkv_store *store)
{
    for (uint32_t i = 0; i < store->sector_count; i++)
        if (is_spoilt(store, i) && nkv_sector_live(store, i) == 0)
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
 * Erases a sector if all that is current in it lies elsewhere too: without it
 * there are the same copies of the same values, since every other change would
 * make ids smaller or bring keys back.
 */
static enum nkv_status erase_if_surplus(struct nkv_store *store,
                                        uint32_t sector)
{
    uint32_t keys = store->keys, sum = store->copy_sum;
    uint32_t newest_id = store->newest_id;
    enum nkv_status status = reread(store, sector);

    if (status == NKV_OK && store->keys == keys && store->copy_sum == sum &&
        store->newest_id == newest_id)
        (void)nkv_sector_erase(store, sector);
    else
        status = reread(store, NKV_NONE);
    return status;
}

enum nkv_status nkv_recover_erased_sector(struct nkv_store *store)
{
    enum nkv_status status = NKV_OK;

    if (store->erased_sectors > 0)
        return NKV_OK;
    /* Nothing is erased that was taken on trust. */
    store->is_trusting = false;
    status = reread(store, NKV_NONE);
    for (uint32_t i = 0; i < store->sector_count && status == NKV_OK &&
                         store->erased_sectors == 0;
         i++)
        if ((nkv_sector(store, i)->flags & NKV_FLAG_SURPLUS ||
             nkv_sector_live(store, i) == 0) &&
            nkv_sector(store, i)->state != NKV_SECTOR_RETIRED)
            status = erase_if_surplus(store, i);
    return status;
}

void nkv_repair(struct nkv_store *store)
{
    uint32_t needed_by;

    erase_empty(store);
    (void)nkv_recover_erased_sector(store);
    for (uint32_t i = 0; i < store->sector_count; i++)
        if (is_spoilt(store, i))
            (void)nkv_collect_sector(store, i);
    if (store->lacks_copies && nkv_copies_complete(store) != NKV_OK &&
        nkv_verify_after_all(store))
        (void)nkv_copies_complete(store);
    /* What was in doubt is erased; new entries may lie there. */
    store->distrusted_count = 0;
    /* What was erased may have been all that some tombstones were kept for. */
    if (store->counters[NKV_COUNT_ERASES] > 0)
        (void)nkv_tombstones_sweep(store, &needed_by);
    erase_empty(store);
}
