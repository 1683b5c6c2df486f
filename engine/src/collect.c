#include "collect.h"

#include "append.h"
#include "index.h"
#include "lookup.h"
#include "scan.h"
#include "wear.h"

enum nkv_status nkv_collect_begin(struct nkv_store *store, uint32_t sector)
{
    if (nkv_collecting(store))
        return NKV_OK;
    if (store->is_trusting)
        return NKV_RESOURCE_EXHAUSTED;
    store->victim = sector;
    store->victim_offset = 0;
    store->spare = NKV_NONE;
    return NKV_OK;
}

static void end(struct nkv_store *store)
{
    store->victim = NKV_NONE;
    store->spare = NKV_NONE;
    store->is_merging = false;
}

static bool is_replaced(const struct nkv_store *store, uint32_t address)
{
    return address == store->replaced[0] || address == store->replaced[1];
}

/* Copies a current entry that is intact. */
static enum nkv_status relocate(struct nkv_store *store, uint32_t slot,
                                struct nkv_entry *entry)
{
    uint32_t id = entry->id, address = entry->address;
    uint32_t size = nkv_copy_size(store, entry);
    enum nkv_status status =
        nkv_append_copy(store, slot, entry, NKV_FOR_COLLECTING);

    if (status != NKV_OK)
        return status;
    if (entry->id == id) {
        nkv_forget_copy(store, slot,
                        nkv_slot_find_address(store, slot, address), size);
    } else {
        /* It has a new id: the other copies are old. */
        nkv_forget_addresses(store, slot, size);
        store->lacks_copies = store->copies > 1;
        store->newest_id = entry->id;
    }
    (void)nkv_remember_address(store, slot, entry);
    store->counters[NKV_COUNT_RELOCATED]++;
    if (nkv_sector(store, store->victim)->state == NKV_SECTOR_DAMAGED)
        store->counters[NKV_COUNT_RECOVERED]++;
    return NKV_OK;
}

/* Copies an entry of the victim if it is current. NKV_NOT_FOUND: it is not, or
 * stays. NKV_DATA_LOSS: it is damaged, which is dealt with in the end. */
static enum nkv_status relocate_current(struct nkv_store *store,
                                        struct nkv_scan *scan)
{
    uint32_t hash = nkv_hash(nkv_scan_key(store, scan));
    uint32_t slot = nkv_find_address(store, hash, scan->address);
    enum nkv_status status;

    if (slot == NKV_NONE || is_replaced(store, scan->address))
        return NKV_NOT_FOUND;
    status = nkv_read_verified(store, scan->address, &scan->entry);
    return status == NKV_OK ? relocate(store, slot, &scan->entry) : status;
}

/* Copies the victim's next current entry. NKV_NOT_FOUND: there is none. */
static NKV_APART enum nkv_status relocate_next(struct nkv_store *store)
{
    struct nkv_scan scan;
    uint32_t errors = store->counters[NKV_COUNT_PROGRAM_ERRORS];
    enum nkv_status status;

    nkv_scan_begin(store, &scan, store->victim, store->victim_offset);
    scan.trusting = true;
    while ((status = nkv_scan_next(store, &scan)) == NKV_OK) {
        if (scan.kind != NKV_REGION_ENTRY)
            continue;
        status = relocate_current(store, &scan);
        if (status != NKV_OK && status != NKV_NOT_FOUND &&
            status != NKV_DATA_LOSS)
            break;
        store->victim_offset = scan.position - scan.end + store->sector_bytes;
        if (status == NKV_OK)
            return NKV_OK;
    }
    /* It cannot be read to its end, and it is not that there is no room or that
     * a program failed elsewhere: leave it alone. */
    if (status != NKV_NOT_FOUND && status != NKV_RESOURCE_EXHAUSTED &&
        store->counters[NKV_COUNT_PROGRAM_ERRORS] == errors)
        nkv_sector_set_state(store, store->victim, NKV_SECTOR_RETIRED);
    return status;
}

/*
 * Deals with what the index says lies in the victim although the walk did not
 * take it along: damage next to it may have hidden it, or it has gone bad since
 * it was written. One entry; NKV_NOT_FOUND: there is none.
 */
static NKV_APART enum nkv_status relocate_hidden(struct nkv_store *store)
{
    for (uint32_t slot = 0; slot < store->slots; slot++) {
        uint32_t copy = nkv_slot_find_sector(store, slot, store->victim);
        uint32_t address;
        struct nkv_entry entry;
        enum nkv_status status;
        if (copy == NKV_NONE)
            continue;
        address = nkv_slot_address(store, slot, copy);
        if (is_replaced(store, address))
            continue;
        status = nkv_read_verified(store, address, &entry);
        if (status == NKV_OK)
            return relocate(store, slot, &entry);
        if (status != NKV_DATA_LOSS)
            return status;
        /* Of a value whose loss was noticed no other copy is intact. */
        if (nkv_slot_copies(store, slot) > 1 &&
            (nkv_slot_is_tombstone(store, slot) ||
             !nkv_slot_is_marked(store, slot)))
            nkv_give_up_copy(store, slot, copy);
        else
            nkv_drop_slot(store, slot);
        return NKV_OK;
    }
    return NKV_NOT_FOUND;
}

enum nkv_status nkv_collect_step(struct nkv_store *store)
{
    uint32_t victim = store->victim;
    struct nkv_sector *sector = nkv_sector(store, victim);
    enum nkv_status status;

    store->counters[NKV_COUNT_STEPS]++;
    status = relocate_next(store);
    /* Next to damage the sum of live bytes is not to be relied on. */
    if (status == NKV_NOT_FOUND &&
        (sector->live_units > 0 || sector->state == NKV_SECTOR_DAMAGED))
        status = relocate_hidden(store);
    if (status == NKV_OK)
        return NKV_OK;
    if (status == NKV_NOT_FOUND && store->replaced[0] != NKV_NONE) {
        /* It may be current after all: the next walk begins anew. */
        store->victim_offset = 0;
        return NKV_NOT_FOUND;
    }
    end(store);
    if (status != NKV_NOT_FOUND)
        return status;
    sector->live_units = 0;
    store->counters[NKV_COUNT_COLLECTIONS]++;
    nkv_wear_note_collection(store);
    return nkv_sector_erase(store, victim);
}

enum nkv_status nkv_collect_finish(struct nkv_store *store)
{
    enum nkv_status status = NKV_OK;

    while (status == NKV_OK && nkv_collecting(store))
        status = nkv_collect_step(store);
    return status;
}

enum nkv_status nkv_collect_sector(struct nkv_store *store, uint32_t sector)
{
    enum nkv_status status = nkv_collect_finish(store);

    if (status != NKV_OK)
        return status;
    if (!nkv_sector_can_be_emptied(store, sector))
        return NKV_RESOURCE_EXHAUSTED;
    status = nkv_collect_begin(store, sector);
    return status == NKV_OK ? nkv_collect_finish(store) : status;
}
