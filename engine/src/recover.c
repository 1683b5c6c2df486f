#include "recover.h"

#include "index.h"
#include "lookup.h"
#include "scan.h"
#include "sector.h"

static bool holds_nothing(const struct nkv_store *store, uint32_t sector)
{
    enum nkv_sector_state state = nkv_sector(store, sector)->state;

    /* The count of live bytes is not to be relied on where lengths may be
     * damaged: the index is. */
    if (state == NKV_SECTOR_DAMAGED || state == NKV_SECTOR_FAILED)
        return !nkv_index_refers_to(store, sector);
    return state == NKV_SECTOR_DIRTY;
}

void nkv_recover_dirty(struct nkv_store *store)
{
    for (uint32_t i = 0; i < nkv_sector_count(store); i++)
        if (holds_nothing(store, i))
            (void)nkv_sector_erase(store, i);
}

/*
 * Visits each entry on flash that is current but to which the index does not
 * refer: the same key and id lie at the slot's addresses.
 */
struct duplicate_visitor {
    void (*visit)(struct nkv_store *store, const struct nkv_entry *duplicate,
                  uint32_t slot, uint32_t sector);
    uint32_t sector;
};

static enum nkv_status visit_entry(struct nkv_store *store,
                                   const struct duplicate_visitor *visitor,
                                   const struct nkv_entry *entry,
                                   struct nkv_span key)
{
    struct nkv_entry indexed;
    uint32_t slot;
    enum nkv_status status =
        nkv_find(store, key, NKV_WANT_ANY, &slot, &indexed);

    if (status == NKV_NOT_FOUND || status == NKV_DATA_LOSS)
        return NKV_OK;
    if (status != NKV_OK)
        return status;
    if (indexed.id == entry->id &&
        indexed.is_tombstone == entry->is_tombstone &&
        nkv_slot_find_address(store, slot, entry->address) == NKV_NONE)
        visitor->visit(store, entry, slot, visitor->sector);
    return NKV_OK;
}

static enum nkv_status visit_duplicates(struct nkv_store *store,
                                        const struct duplicate_visitor *visitor)
{
    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        struct nkv_scan scan = nkv_scan_begin(store, i, 0);
        struct nkv_entry entry;
        struct nkv_span key;
        enum nkv_status status;
        while ((status = nkv_scan_next_entry(store, &scan, &entry, &key)) ==
               NKV_OK) {
            status = visit_entry(store, visitor, &entry, key);
            if (status != NKV_OK)
                return status;
        }
        if (status != NKV_NOT_FOUND)
            return status;
    }
    return NKV_OK;
}

/* Counts, for each sector, the bytes of its live entries that lie elsewhere
 * too. */
static void count_spare_bytes(struct nkv_store *store,
                              const struct nkv_entry *duplicate, uint32_t slot,
                              uint32_t sector)
{
    (void)sector;
    for (uint32_t copy = 0; copy < store->copies; copy++) {
        uint32_t address = nkv_slot_address(store, slot, copy);
        if (address != NKV_NONE)
            nkv_sector(store, nkv_sector_of(store, address))->scratch_units +=
                (uint16_t)(duplicate->size / NKV_UNIT);
    }
}

/* Makes the index refer to a duplicate instead of the copy in sector. */
static void leave_sector(struct nkv_store *store,
                         const struct nkv_entry *duplicate, uint32_t slot,
                         uint32_t sector)
{
    uint32_t copy = nkv_slot_find_sector(store, slot, sector);
    uint32_t to = nkv_sector_of(store, duplicate->address);
    struct nkv_entry left;

    if (copy == NKV_NONE || to == sector ||
        nkv_slot_find_sector(store, slot, to) != NKV_NONE ||
        nkv_entry_is_steady(store, duplicate) != NKV_OK)
        return;
    /* Copies written for another program unit have another size. */
    if (nkv_entry_read(store, nkv_slot_address(store, slot, copy), &left) !=
        NKV_OK)
        left.size = duplicate->size;
    nkv_sector_add_live(store, nkv_slot_address(store, slot, copy),
                        -(int32_t)left.size);
    nkv_slot_set_address(store, slot, copy, duplicate->address);
    nkv_sector_add_live(store, duplicate->address, (int32_t)duplicate->size);
}

/* The sector with most to gain among those whose live entries all seem to lie
 * elsewhere too; it is not looked at again. */
static uint32_t next_candidate(struct nkv_store *store)
{
    uint32_t best = NKV_NONE;

    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        const struct nkv_sector *sector = nkv_sector(store, i);
        if (sector->state == NKV_SECTOR_FAILED ||
            sector->scratch_units < sector->live_units ||
            sector->scratch_units == UINT16_MAX)
            continue;
        if (best == NKV_NONE ||
            nkv_sector_stale(store, i) > nkv_sector_stale(store, best))
            best = i;
    }
    return best;
}

enum nkv_status nkv_recover_erased_sector(struct nkv_store *store)
{
    struct duplicate_visitor visitor = {.visit = count_spare_bytes};
    enum nkv_status status;

    if (store->erased_sectors > 0)
        return NKV_OK;
    for (uint32_t i = 0; i < nkv_sector_count(store); i++)
        nkv_sector(store, i)->scratch_units = 0;
    status = visit_duplicates(store, &visitor);
    visitor.visit = leave_sector;
    while (status == NKV_OK && store->erased_sectors == 0) {
        visitor.sector = next_candidate(store);
        if (visitor.sector == NKV_NONE)
            break;
        nkv_sector(store, visitor.sector)->scratch_units = UINT16_MAX;
        status = visit_duplicates(store, &visitor);
        /* If this one cannot be erased, perhaps the next can. */
        if (status == NKV_OK && !nkv_index_refers_to(store, visitor.sector))
            (void)nkv_sector_erase(store, visitor.sector);
    }
    return status;
}
