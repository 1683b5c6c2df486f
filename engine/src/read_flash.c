#include "read_flash.h"

#include "flash_io.h"
#include "index.h"
#include "lookup.h"
#include "marker.h"
#include "scan.h"
#include "sector.h"

static void note_id(struct nkv_store *store, const struct nkv_entry *entry,
                    struct nkv_findings *findings)
{
    struct nkv_sector *sector =
        nkv_sector(store, nkv_sector_of(store, entry->address));

    /* When a sector was last written is not known; its newest entry says when
     * at the earliest. */
    if (sector->touched_id == 0 ||
        nkv_id_is_newer(entry->id, sector->touched_id))
        sector->touched_id = entry->id;
    if (!store->has_entries || nkv_id_is_newer(entry->id, store->newest_id)) {
        store->newest_id = entry->id;
        store->head = nkv_sector_of(store, entry->address);
        store->hand = store->head;
        findings->newest = *entry;
    }
    store->has_entries = true;
    nkv_note_side(store, entry->id);
}

/* Lets an entry take a slot over from the older one it holds. */
static void supersede(struct nkv_store *store, uint32_t slot,
                      const struct nkv_entry *entry,
                      const struct nkv_entry *indexed)
{
    bool was_tombstone = nkv_slot_is_tombstone(store, slot);

    nkv_forget_addresses(store, slot, indexed->size);
    nkv_remember_address(store, slot, entry->address, entry->size);
    if (entry->is_tombstone == was_tombstone)
        return;
    nkv_slot_set_tombstone(store, slot, entry->is_tombstone);
    store->keys -= 1;
    store->tombstones += 1;
}

/* Notes of the scan in scratch_units. */
enum { HAS_TOMBSTONES = 1, KEEP_CLOSED = 2 };

/* A sector with a surplus copy takes no more entries: the entry might be copied
 * there once more. */
static void keep_closed(struct nkv_store *store, uint32_t sector)
{
    nkv_sector(store, sector)->scratch_units |= KEEP_CLOSED;
    if (nkv_sector(store, sector)->state == NKV_SECTOR_OPEN)
        nkv_sector_set_state(store, sector, NKV_SECTOR_CLOSED);
}

/*
 * One copy more than configured, left by a collection that was cut: if the cut
 * went through one of them, it is not one to rely on.
 */
static enum nkv_status add_surplus(struct nkv_store *store, uint32_t slot,
                                   const struct nkv_entry *entry)
{
    for (uint32_t copy = 0; copy < store->copies; copy++) {
        uint32_t address = nkv_slot_address(store, slot, copy);
        struct nkv_entry indexed;
        enum nkv_status status = nkv_entry_read(store, address, &indexed);
        if (status == NKV_OK)
            status = nkv_entry_is_steady(store, &indexed);
        if (status == NKV_OK)
            continue;
        if (status != NKV_DATA_LOSS && status != NKV_NOT_FOUND)
            return status;
        nkv_sector_add_live(store, address, -(int32_t)entry->size);
        nkv_sector_set_state(store, nkv_sector_of(store, address),
                             NKV_SECTOR_DAMAGED);
        nkv_slot_set_address(store, slot, copy, entry->address);
        nkv_sector_add_live(store, entry->address, (int32_t)entry->size);
        return NKV_OK;
    }
    keep_closed(store, nkv_sector_of(store, entry->address));
    return NKV_OK;
}

/* An entry with the key and id of the indexed one: another copy. */
static enum nkv_status add_copy(struct nkv_store *store, uint32_t slot,
                                const struct nkv_entry *entry,
                                struct nkv_findings *findings)
{
    uint32_t sector = nkv_sector_of(store, entry->address);

    if (nkv_slot_find_sector(store, slot, sector) != NKV_NONE) {
        /* Twice in one sector: nothing writes that. */
        findings->damaged_regions++;
        nkv_sector_set_state(store, sector, NKV_SECTOR_DAMAGED);
        return NKV_OK;
    }
    if (nkv_remember_address(store, slot, entry->address, entry->size))
        return NKV_OK;
    return add_surplus(store, slot, entry);
}

static void add_slot(struct nkv_store *store, const struct nkv_entry *entry,
                     uint32_t hash, struct nkv_findings *findings)
{
    uint32_t slot = nkv_index_insert(store, hash);

    if (slot == NKV_NONE) {
        findings->table_full = true;
        return;
    }
    nkv_remember_address(store, slot, entry->address, entry->size);
    nkv_slot_set_tombstone(store, slot, entry->is_tombstone);
    if (entry->is_tombstone)
        store->tombstones++;
    else
        store->keys++;
}

/* Finds a key whose indexed entry may be one that a cut left in doubt: another
 * slot for the same key must not be made. */
static enum nkv_status find_reliably(struct nkv_store *store,
                                     struct nkv_span key, uint32_t *slot,
                                     struct nkv_entry *indexed)
{
    enum nkv_status status = NKV_DATA_LOSS;

    for (int i = 0; i < NKV_DOUBTFUL_READS && status == NKV_DATA_LOSS; i++)
        status = nkv_find(store, key, NKV_WANT_ANY, slot, indexed);
    if (status != NKV_DATA_LOSS)
        return status;
    nkv_drop_unreadable(store, key);
    return NKV_NOT_FOUND;
}

static enum nkv_status index_entry(struct nkv_store *store,
                                   const struct nkv_entry *entry,
                                   struct nkv_span key,
                                   struct nkv_findings *findings)
{
    struct nkv_entry indexed;
    uint32_t slot;
    enum nkv_status status = find_reliably(store, key, &slot, &indexed);

    if (status == NKV_NOT_FOUND) {
        if (!entry->is_tombstone || entry->id == store->newest_id)
            add_slot(store, entry, nkv_hash(key), findings);
        return NKV_OK;
    }
    if (status != NKV_OK)
        return status;
    if (entry->id == indexed.id && entry->is_tombstone == indexed.is_tombstone)
        return add_copy(store, slot, entry, findings);
    if (nkv_id_is_newer(entry->id, indexed.id))
        supersede(store, slot, entry, &indexed);
    return NKV_OK;
}

static enum nkv_status take_entry(struct nkv_store *store,
                                  const struct nkv_entry *entry,
                                  struct nkv_span key,
                                  struct nkv_findings *findings)
{
    note_id(store, entry, findings);
    if (!entry->is_tombstone)
        return index_entry(store, entry, key, findings);
    nkv_sector(store, nkv_sector_of(store, entry->address))->scratch_units |=
        HAS_TOMBSTONES;
    return NKV_OK;
}

static void note_foreign(const struct nkv_entry *entry,
                         struct nkv_findings *findings)
{
    if (!nkv_is_marker(entry)) {
        findings->foreign = true;
        return;
    }
    if (!findings->marker || nkv_id_is_newer(entry->id, findings->marker_id))
        findings->marker_id = entry->id;
    findings->marker = true;
}

/* What the kinds of regions in a sector make of it, in the order in which they
 * are found. */
static void take_region(struct nkv_store *store, uint32_t sector,
                        const struct nkv_region *region,
                        struct nkv_findings *findings)
{
    uint32_t start = nkv_sector_start(store, sector);
    bool to_end = region->address + region->size == start + store->sector_bytes;

    switch (region->kind) {
    case NKV_REGION_STALE_ERASE:
        nkv_sector_set_state(store, sector, NKV_SECTOR_DIRTY);
        break;
    case NKV_REGION_CORRUPT:
        findings->damaged_regions++;
        nkv_sector_set_state(store, sector, NKV_SECTOR_DAMAGED);
        break;
    case NKV_REGION_FOREIGN:
        note_foreign(&region->entry, findings);
        nkv_sector_set_state(store, sector, NKV_SECTOR_DAMAGED);
        break;
    case NKV_REGION_ERASED:
        if (region->address == start)
            nkv_sector_set_state(store, sector, NKV_SECTOR_ERASED);
        else if (nkv_sector(store, sector)->state == NKV_SECTOR_CLOSED &&
                 to_end &&
                 !(nkv_sector(store, sector)->scratch_units & KEEP_CLOSED))
            nkv_sector_set_used(store, sector, region->address - start);
        break;
    case NKV_REGION_ENTRY:
    default:
        break;
    }
}

static enum nkv_status scan_sector(struct nkv_store *store, uint32_t sector,
                                   struct nkv_findings *findings)
{
    struct nkv_scan scan = nkv_scan_begin(store, sector, 0);
    struct nkv_region region;
    enum nkv_status status;
    bool gap = false;

    nkv_sector_set_state(store, sector, NKV_SECTOR_CLOSED);
    while ((status = nkv_scan_next(store, &scan, &region)) == NKV_OK) {
        if (region.kind == NKV_REGION_ENTRY)
            status = take_entry(
                store, &region.entry,
                (struct nkv_span){scan.key, region.entry.key_size}, findings);
        else if (region.kind != NKV_REGION_ERASED || !gap)
            take_region(store, sector, &region, findings);
        gap |= region.kind == NKV_REGION_ERASED;
        if (status != NKV_OK)
            return status;
    }
    findings->saw_magic |= scan.saw_magic;
    return status == NKV_NOT_FOUND ? NKV_OK : status;
}

/* Flash that reads 0x00 everywhere was never erased, but holds nothing. */
static enum nkv_status is_all_zero(struct nkv_store *store, uint32_t sector,
                                   bool *zero)
{
    uint32_t start = nkv_sector_start(store, sector), end;
    uint32_t limit = start + store->sector_bytes;
    enum nkv_status status = nkv_flash_skip(store, start, limit, 0x00, &end);

    *zero = end == limit;
    return status;
}

/* Looks at what holds no entry at all: blank, or something that is not ours. */
static enum nkv_status judge_empty(struct nkv_store *store,
                                   struct nkv_findings *findings)
{
    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        bool zero;
        enum nkv_status status;
        if (nkv_sector(store, i)->state == NKV_SECTOR_ERASED ||
            nkv_sector(store, i)->state == NKV_SECTOR_DIRTY)
            continue;
        status = is_all_zero(store, i, &zero);
        if (status != NKV_OK)
            return status;
        findings->unblank_sectors += !zero;
        if (zero)
            nkv_sector_set_state(store, i, NKV_SECTOR_DIRTY);
    }
    if (findings->unblank_sectors == 0)
        findings->damaged_regions = 0;
    return NKV_OK;
}

static enum nkv_status index_tombstones(struct nkv_store *store,
                                        uint32_t sector,
                                        struct nkv_findings *findings)
{
    struct nkv_scan scan = nkv_scan_begin(store, sector, 0);
    struct nkv_entry entry;
    struct nkv_span key;
    enum nkv_status status;

    while ((status = nkv_scan_next_entry(store, &scan, &entry, &key)) ==
           NKV_OK) {
        /* In a damaged sector the first pass may have seen it otherwise. */
        if (entry.is_tombstone &&
            nkv_sector(store, sector)->state == NKV_SECTOR_DAMAGED)
            status = nkv_entry_is_steady(store, &entry);
        if (entry.is_tombstone && status == NKV_OK)
            status = index_entry(store, &entry, key, findings);
        if (status == NKV_DATA_LOSS)
            status = NKV_OK;
        if (status != NKV_OK)
            return status;
    }
    return status == NKV_NOT_FOUND ? NKV_OK : status;
}

enum nkv_status nkv_read_flash(struct nkv_store *store,
                               struct nkv_findings *findings)
{
    enum nkv_status status = NKV_OK;

    for (uint32_t i = 0; i < nkv_sector_count(store) && status == NKV_OK; i++)
        status = scan_sector(store, i, findings);
    for (uint32_t i = 0; i < nkv_sector_count(store) && status == NKV_OK; i++)
        if (nkv_sector(store, i)->scratch_units & HAS_TOMBSTONES)
            status = index_tombstones(store, i, findings);
    if (status == NKV_OK && !store->has_entries)
        status = judge_empty(store, findings);
    return status;
}
