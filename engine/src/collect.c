#include "collect.h"

#include "append.h"
#include "index.h"
#include "lookup.h"
#include "recover.h"
#include "scan.h"

bool nkv_collecting(const struct nkv_store *store)
{
    return store->victim != NKV_NONE;
}

bool nkv_collection_pays(const struct nkv_store *store)
{
    for (uint32_t i = 0; i < nkv_sector_count(store); i++)
        if (nkv_sector(store, i)->state != NKV_SECTOR_FAILED &&
            nkv_sector_stale(store, i) >= store->sector_bytes / NKV_PAYS)
            return true;
    return nkv_collecting(store);
}

void nkv_collect_begin(struct nkv_store *store, uint32_t sector)
{
    if (nkv_collecting(store))
        return;
    store->victim = sector;
    store->victim_offset = 0;
    store->spare = NKV_NONE;
}

static void end(struct nkv_store *store)
{
    store->victim = NKV_NONE;
    store->spare = NKV_NONE;
}

static enum nkv_status relocate(struct nkv_store *store, uint32_t slot,
                                const struct nkv_entry *entry)
{
    struct nkv_sector_set taken;
    struct nkv_entry copy;
    enum nkv_status status;

    nkv_sectors_of_slot(store, slot, &taken);
    status = nkv_append_copy(store, entry, &taken, NKV_FOR_COLLECTING, &copy);
    if (status != NKV_OK)
        return status;
    nkv_slot_set_address(store, slot,
                         nkv_slot_find_address(store, slot, entry->address),
                         copy.address);
    nkv_sector_add_live(store, entry->address, -(int32_t)entry->size);
    nkv_sector_add_live(store, copy.address, (int32_t)copy.size);
    store->counters[NKV_COUNT_RELOCATED]++;
    return NKV_OK;
}

/* Copies the victim's next current entry. NKV_NOT_FOUND: there is none. */
static enum nkv_status relocate_next(struct nkv_store *store)
{
    uint32_t start = nkv_sector_start(store, store->victim);
    struct nkv_scan scan =
        nkv_scan_begin(store, store->victim, store->victim_offset);
    struct nkv_entry entry;
    struct nkv_span key;
    enum nkv_status status;

    while ((status = nkv_scan_next_entry(store, &scan, &entry, &key)) ==
           NKV_OK) {
        uint32_t slot = nkv_find_address(store, key, entry.address);
        bool stays = slot == NKV_NONE || entry.address == store->replaced;
        if (!stays)
            status = relocate(store, slot, &entry);
        if (status != NKV_OK)
            return status;
        store->victim_offset = scan.position - start;
        if (!stays)
            return NKV_OK;
    }
    /* It cannot be read to its end: leave it alone. */
    if (status != NKV_NOT_FOUND)
        nkv_sector_set_state(store, store->victim, NKV_SECTOR_FAILED);
    return status;
}

/* Forgets a copy that can no longer be read. */
static void drop_unreadable(struct nkv_store *store, uint32_t slot,
                            uint32_t copy)
{
    if (nkv_slot_copies(store, slot) == 1) {
        nkv_drop_slot(store, slot);
        return;
    }
    nkv_slot_remove_address(store, slot, copy);
    store->counters[NKV_COUNT_CORRUPT]++;
    store->lacks_copies = true;
}

/*
 * Deals with what the index says lies in the victim although the walk did not
 * come across it: damage next to it may have hidden it, or it has gone bad
 * since it was written.
 */
static enum nkv_status save_or_drop(struct nkv_store *store, uint32_t slot,
                                    uint32_t copy)
{
    struct nkv_entry entry;
    enum nkv_status status = nkv_read_copy(store, slot, copy, &entry);

    if (status == NKV_OK)
        return relocate(store, slot, &entry);
    if (status != NKV_DATA_LOSS)
        return status;
    drop_unreadable(store, slot, copy);
    return NKV_OK;
}

static enum nkv_status empty_victim(struct nkv_store *store)
{
    for (uint32_t slot = 0; slot < store->slots;) {
        uint32_t copy = NKV_NONE;
        enum nkv_status status = NKV_OK;
        if (nkv_slot_is_used(store, slot))
            copy = nkv_slot_find_sector(store, slot, store->victim);
        if (copy == NKV_NONE)
            slot++;
        else
            status = save_or_drop(store, slot, copy);
        if (status != NKV_OK)
            return status;
    }
    nkv_sector(store, store->victim)->live_units = 0;
    return NKV_OK;
}

static enum nkv_status finish(struct nkv_store *store)
{
    enum nkv_status status = nkv_sector_erase(store, store->victim);

    store->counters[NKV_COUNT_COLLECTIONS]++;
    end(store);
    /* If the victim could not be erased, its copies are given up again. */
    if (store->erased_sectors == 0)
        (void)nkv_recover_erased_sector(store);
    return status;
}

static bool replaced_is_in_victim(const struct nkv_store *store)
{
    return store->replaced != NKV_NONE &&
           nkv_sector_of(store, store->replaced) == store->victim;
}

enum nkv_status nkv_collect_step(struct nkv_store *store)
{
    enum nkv_status status = relocate_next(store);

    if (status == NKV_OK)
        return NKV_OK;
    if (status == NKV_NOT_FOUND && replaced_is_in_victim(store)) {
        /* It may be current after all: the next walk begins anew. */
        store->victim_offset = 0;
        return NKV_NOT_FOUND;
    }
    if (status == NKV_NOT_FOUND) {
        status = NKV_OK;
        if (nkv_sector_live(store, store->victim) > 0)
            status = empty_victim(store);
        if (status == NKV_OK)
            return finish(store);
    }
    end(store);
    /* A target that failed half way has left copies of what the victim still
     * holds: they are given up for an erased sector. */
    if (store->erased_sectors == 0)
        (void)nkv_recover_erased_sector(store);
    return status;
}

static enum nkv_status run(struct nkv_store *store)
{
    enum nkv_status status = NKV_OK;

    while (status == NKV_OK && nkv_collecting(store))
        status = nkv_collect_step(store);
    return status;
}

enum nkv_status nkv_collect_best(struct nkv_store *store)
{
    uint32_t victim = nkv_sector_choose_victim(store);

    if (victim == NKV_NONE && !nkv_collecting(store))
        return NKV_RESOURCE_EXHAUSTED;
    nkv_collect_begin(store, victim);
    return run(store);
}

enum nkv_status nkv_collect_sector(struct nkv_store *store, uint32_t sector)
{
    enum nkv_status status = run(store);

    if (status != NKV_OK)
        return status;
    nkv_collect_begin(store, sector);
    return run(store);
}
