#include "read_flash.h"

#include "doubt.h"
#include "flash_io.h"
#include "index.h"
#include "lookup.h"
#include "marker.h"
#include "scan.h"
#include "sector.h"

#include <string.h>

static void note_id(struct nkv_store *store, const struct nkv_entry *entry)
{
    uint32_t number = nkv_sector_of(store, entry->address);
    struct nkv_sector *sector = nkv_sector(store, number);

    /* When a sector was last written is not known; its newest entry says when
     * at the earliest. */
    if (sector->touched_id == 0 ||
        nkv_id_is_newer(entry->id, sector->touched_id))
        sector->touched_id = entry->id;
    if (!store->has_entries || nkv_id_is_newer(entry->id, store->newest_id)) {
        store->newest_id = entry->id;
        store->head = number;
    }
    if (!store->has_entries || nkv_id_is_newer(store->oldest_id, entry->id))
        store->oldest_id = entry->id;
    store->has_entries = true;
}

bool nkv_distrust(struct nkv_store *store, uint32_t address)
{
    for (uint32_t i = 0; i < store->distrusted_count; i++)
        if (store->distrusted[i] == address)
            return false;
    if (store->distrusted_count == NKV_DISTRUSTED_MAX)
        return false;
    store->distrusted[store->distrusted_count++] = address;
    return true;
}

static void set_flag(struct nkv_store *store, uint32_t address,
                     enum nkv_sector_flag flag)
{
    nkv_sector(store, nkv_sector_of(store, address))->flags |= (uint8_t)flag;
}

/* Whether two entries of a key are copies of each other. Those written for
 * different program units have different checksums. */
static enum nkv_status are_equal(struct nkv_store *store,
                                 const struct nkv_entry *a,
                                 const struct nkv_entry *b, bool *equal)
{
    uint8_t *bytes = store->config->memory.buffer;
    uint32_t skip = NKV_UNIT + a->key_size, size = a->value_size;

    *equal = a->is_tombstone == b->is_tombstone && size == b->value_size;
    if (a->magic == b->magic && a->checksum == b->checksum)
        return NKV_OK;
    for (uint32_t n; *equal && size > 0; skip += n, size -= n) {
        enum nkv_status status;
        n = size < NKV_UNIT ? size : NKV_UNIT;
        status = nkv_flash_read(store, a->address + skip, bytes, n);
        if (status == NKV_OK)
            status =
                nkv_flash_equals(store, b->address + skip, bytes, n, equal);
        if (status != NKV_OK)
            return status;
    }
    return NKV_OK;
}

/* An entry with the key and id of the indexed one: another copy. */
static NKV_APART enum nkv_status add_copy(struct nkv_store *store,
                                          uint32_t slot,
                                          const struct nkv_entry *entry,
                                          const struct nkv_entry *indexed)
{
    uint32_t sector = nkv_sector_of(store, entry->address);
    bool equal;
    enum nkv_status status = are_equal(store, entry, indexed, &equal);

    if (status != NKV_OK)
        return status;
    if (!equal || nkv_slot_find_sector(store, slot, sector) != NKV_NONE) {
        /* Another value with this id, or twice in one sector: nothing writes
         * that. The one that was found first counts. */
        store->damaged_regions++;
        nkv_sector_set_state(store, sector, NKV_SECTOR_DAMAGED);
    } else if (!nkv_remember_address(store, slot, entry)) {
        nkv_slot_set_mark(store, slot, entry->is_tombstone);
        set_flag(store, entry->address, NKV_FLAG_SURPLUS);
        set_flag(store, entry->address, NKV_FLAG_COPIED);
        for (uint32_t copy = 0; copy < store->copies; copy++)
            set_flag(store, nkv_slot_address(store, slot, copy),
                     NKV_FLAG_COPIED);
    }
    return NKV_OK;
}

/* Lets an entry take over a key's slot, which holds an older one, or, NKV_NONE,
 * makes one. */
static NKV_APART void take_slot(struct nkv_store *store, uint32_t slot,
                                const struct nkv_scan *scan,
                                const struct nkv_entry *indexed)
{
    uint32_t old_size = 0;

    if (slot == NKV_NONE) {
        slot = nkv_index_insert(store, nkv_hash(nkv_scan_key(store, scan)));
        if (slot == NKV_NONE) {
            store->table_full = true;
            return;
        }
    } else {
        old_size = nkv_copy_size(store, indexed);
    }
    nkv_slot_take(store, slot, &scan->entry, old_size);
}

/* NKV_ABORTED: an entry is to be distrusted that was indexed before; reading
 * has to begin anew. */
static enum nkv_status index_entry(struct nkv_store *store,
                                   const struct nkv_scan *scan)
{
    const struct nkv_entry *entry = &scan->entry;
    struct nkv_entry indexed;
    uint32_t slot;
    const struct nkv_span key = nkv_scan_key(store, scan);
    enum nkv_status status = NKV_DATA_LOSS;

    /* Which of two is the newer must not hang on a single read. */
    for (int i = 0; i < NKV_READ_TRIES && status == NKV_DATA_LOSS; i++) {
        status = nkv_find(store, &key, NKV_WANT_ANY, &slot, &indexed);
        if (status == NKV_OK)
            status = nkv_entry_reread_id(store, &indexed);
    }
    if (status == NKV_DATA_LOSS)
        return nkv_distrust(store, nkv_slot_address(store, slot, 0))
                   ? NKV_ABORTED
                   : status;
    if (status == NKV_NOT_FOUND) {
        if (!entry->is_tombstone || entry->id == store->newest_id)
            take_slot(store, NKV_NONE, scan, NULL);
        return NKV_OK;
    }
    if (status != NKV_OK)
        return status;
    if (entry->id == indexed.id)
        return add_copy(store, slot, entry, &indexed);
    if (nkv_id_is_newer(entry->id, indexed.id))
        take_slot(store, slot, scan, &indexed);
    return status;
}

static enum nkv_status take_entry(struct nkv_store *store,
                                  const struct nkv_scan *scan)
{
    note_id(store, &scan->entry);
    if (!scan->entry.is_tombstone)
        return index_entry(store, scan);
    set_flag(store, scan->address, NKV_FLAG_TOMBSTONES);
    return NKV_OK;
}

static void note_foreign(struct nkv_store *store, const struct nkv_entry *entry)
{
    if (!nkv_is_marker(entry)) {
        store->has_foreign = true;
        return;
    }
    if (!store->has_marker || nkv_id_is_newer(entry->id, store->marker_id))
        store->marker_id = entry->id;
    store->has_marker = true;
}

/* What the kinds of regions in a sector make of it, in the order in which they
 * are found. */
static void take_region(struct nkv_store *store, uint32_t sector,
                        const struct nkv_scan *scan)
{
    uint32_t offset = scan->address - sector * store->sector_bytes;
    uint8_t state = nkv_sector(store, sector)->state;

    switch ((enum nkv_region_kind)scan->kind) {
    case NKV_REGION_STALE_ERASE:
        nkv_sector_set_state(store, sector, NKV_SECTOR_DIRTY);
        break;
    case NKV_REGION_FOREIGN:
        note_foreign(store, &scan->entry);
        nkv_sector_set_state(store, sector, NKV_SECTOR_DAMAGED);
        break;
    case NKV_REGION_CORRUPT:
        store->damaged_regions++;
        nkv_sector_set_state(store, sector, NKV_SECTOR_DAMAGED);
        break;
    case NKV_REGION_ERASED:
        if (offset == 0)
            nkv_sector_set_state(store, sector, NKV_SECTOR_ERASED);
        else if (state == NKV_SECTOR_CLOSED && scan->position == scan->end)
            nkv_sector_set_used(store, sector, offset);
        break;
    case NKV_REGION_ENTRY:
    default:
        break;
    }
}

/* Where the headers were trusted: the last entry before something else is one
 * that a cut may have torn, or whose length is wrong. If it is not intact, all
 * entries are to be verified. NKV_ABORTED: see index_entry. */
static enum nkv_status check_trusted(struct nkv_store *store, uint32_t last,
                                     struct nkv_entry *entry)
{
    enum nkv_status status = NKV_OK;

    if (store->is_trusting && last != NKV_NONE)
        status = nkv_read_verified(store, last, entry);
    if (status != NKV_DATA_LOSS)
        return status;
    store->is_trusting = false;
    return NKV_ABORTED;
}

static enum nkv_status scan_sector(struct nkv_store *store, uint32_t sector)
{
    struct nkv_scan scan;
    uint32_t last = NKV_NONE;
    bool retired = nkv_sector(store, sector)->state == NKV_SECTOR_RETIRED;
    enum nkv_status status;

    nkv_scan_begin(store, &scan, sector, 0);
    scan.trusting = store->is_trusting;
    nkv_sector_set_state(store, sector, NKV_SECTOR_CLOSED);
    while ((status = nkv_scan_next(store, &scan)) == NKV_OK) {
        if (scan.kind == NKV_REGION_ENTRY) {
            last = scan.address;
            status = take_entry(store, &scan);
        } else {
            take_region(store, sector, &scan);
            status = check_trusted(store, last, &scan.entry);
        }
        if (status != NKV_OK)
            return status;
    }
    if (retired)
        nkv_sector_set_state(store, sector, NKV_SECTOR_RETIRED);
    store->saw_magic |= scan.saw_magic;
    return status == NKV_NOT_FOUND ? check_trusted(store, last, &scan.entry)
                                   : status;
}

/* The second pass over a sector; what lies there may read otherwise than in the
 * first. NKV_ABORTED: see index_entry. */
static enum nkv_status index_tombstones(struct nkv_store *store,
                                        uint32_t sector)
{
    uint8_t state = nkv_sector(store, sector)->state;
    bool sound = state == NKV_SECTOR_OPEN || state == NKV_SECTOR_CLOSED;
    struct nkv_scan scan;
    enum nkv_status status;

    nkv_scan_begin(store, &scan, sector, 0);
    scan.trusting = store->is_trusting && sound;
    while ((status = nkv_scan_next(store, &scan)) == NKV_OK) {
        if (scan.kind == NKV_REGION_CORRUPT && sound &&
            nkv_distrust(store, scan.address))
            return NKV_ABORTED;
        if (scan.kind != NKV_REGION_ENTRY || !scan.entry.is_tombstone)
            continue;
        note_id(store, &scan.entry);
        if (!sound)
            status = nkv_doubt_entry(store, &scan.entry);
        if (status == NKV_OK)
            status = index_entry(store, &scan);
        if (status != NKV_OK)
            return status;
    }
    return status == NKV_NOT_FOUND ? NKV_OK : status;
}

/* Looks at what holds no entry at all: blank, or something that is not ours.
 * Flash that reads 0x00 everywhere was never erased, but holds nothing. */
static NKV_APART enum nkv_status judge_empty(struct nkv_store *store)
{
    for (uint32_t i = 0; i < store->sector_count; i++) {
        uint32_t start = i * store->sector_bytes, end;
        uint8_t state = nkv_sector(store, i)->state;
        enum nkv_status status;
        if (state != NKV_SECTOR_CLOSED && state != NKV_SECTOR_DAMAGED)
            continue;
        status = nkv_flash_skip(store, start, start + store->sector_bytes, 0x00,
                                &end);
        if (status != NKV_OK)
            return status;
        if (end == start + store->sector_bytes)
            nkv_sector_set_state(store, i, NKV_SECTOR_DIRTY);
        else
            store->unblank_sectors++;
    }
    if (store->unblank_sectors == 0)
        store->damaged_regions = 0;
    return NKV_OK;
}

/* Forgets what was known, but for what the flash does not tell. */
static void forget(struct nkv_store *store)
{
    store->damaged_regions = 0;
    store->unblank_sectors = 0;
    store->has_marker = false;
    store->has_foreign = false;
    store->saw_magic = false;
    store->table_full = false;
    store->has_entries = false;
    store->keys = 0;
    store->tombstones = 0;
    store->erased_sectors = 0;
    nkv_index_clear(store);
    for (uint32_t i = 0; i < store->sector_count; i++) {
        struct nkv_sector *sector = nkv_sector(store, i);
        sector->live_units = 0;
        sector->flags = 0;
        sector->touched_id = 0;
        if (sector->state == NKV_SECTOR_RETIRED ||
            sector->state == NKV_SECTOR_DAMAGED)
            sector->flags = NKV_FLAG_FAILED;
        else
            sector->state = NKV_SECTOR_DIRTY;
    }
}

static enum nkv_status read_once(struct nkv_store *store)
{
    enum nkv_status status = NKV_OK;
    uint32_t count = store->sector_count;

    forget(store);
    /* What is in sectors that failed comes last: of equal copies others are
     * preferred. */
    for (uint32_t i = 0; i < 2 * count && status == NKV_OK; i++) {
        uint32_t sector = i < count ? i : i - count;
        bool failed = nkv_sector(store, sector)->flags & NKV_FLAG_FAILED;
        if (sector != store->excluded && failed == (i >= count))
            status = scan_sector(store, sector);
    }
    for (uint32_t i = 0; i < count && status == NKV_OK; i++)
        if (nkv_sector(store, i)->flags & NKV_FLAG_TOMBSTONES)
            status = index_tombstones(store, i);
    for (uint32_t i = 0; i < count && status == NKV_OK; i++)
        if (i != store->excluded)
            status = nkv_doubt_end(store, i);
    if (status == NKV_OK && !store->has_entries)
        status = judge_empty(store);
    return status;
}

enum nkv_status nkv_read_flash(struct nkv_store *store)
{
    enum nkv_status status;

    store->distrusted_count = 0;
    do
        status = read_once(store);
    while (status == NKV_ABORTED);
    return status;
}
