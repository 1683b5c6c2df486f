#include "tombstones.h"

#include "collect.h"
#include "index.h"
#include "lookup.h"
#include "scan.h"
#include "victim.h"

static void unmark_all(struct nkv_store *store)
{
    for (uint32_t slot = 0; slot < store->slots; slot++)
        if (nkv_slot_is_tombstone(store, slot))
            nkv_slot_set_mark(store, slot, false);
}

/* Marks the tombstones that an old value makes necessary: those with its hash.
 * Of another key with that hash one may be kept too long. */
static bool mark_needed_by(struct nkv_store *store, uint32_t hash,
                           uint32_t address)
{
    bool needed = false;

    if (nkv_find_address(store, hash, address) != NKV_NONE)
        return false;
    for (uint32_t slot = nkv_index_from(store, hash);
         nkv_slot_has_hash(store, slot, hash); slot++) {
        if (!nkv_slot_is_tombstone(store, slot))
            continue;
        nkv_slot_set_mark(store, slot, true);
        needed = true;
    }
    return needed;
}

static enum nkv_status mark_from_sector(struct nkv_store *store,
                                        uint32_t sector, uint32_t *needed_by)
{
    uint8_t state = nkv_sector(store, sector)->state;
    struct nkv_scan scan;
    enum nkv_status status;

    nkv_scan_begin(store, &scan, sector, 0);
    scan.trusting = state == NKV_SECTOR_OPEN || state == NKV_SECTOR_CLOSED;
    while ((status = nkv_scan_next(store, &scan)) == NKV_OK)
        if (scan.kind == NKV_REGION_ENTRY && !scan.entry.is_tombstone &&
            mark_needed_by(store, nkv_hash(nkv_scan_key(store, &scan)),
                           scan.address) &&
            state != NKV_SECTOR_RETIRED)
            *needed_by = sector;
    return status == NKV_NOT_FOUND ? NKV_OK : status;
}

/* Whether a slot is a tombstone that has the newest id; its entry. */
static bool is_newest(struct nkv_store *store, uint32_t slot,
                      struct nkv_entry *entry)
{
    return nkv_slot_read(store, slot, entry) != NKV_OK ||
           entry->id == store->newest_id;
}

enum nkv_status nkv_tombstones_sweep(struct nkv_store *store,
                                     uint32_t *needed_by)
{
    struct nkv_entry entry;

    *needed_by = NKV_NONE;
    unmark_all(store);
    if (store->tombstones == 0)
        return NKV_OK;
    /* Twice: a header or key that is misread would leave a value without the
     * tombstone that hides it. */
    for (uint32_t i = 0; i < 2 * store->sector_count; i++) {
        enum nkv_status status = mark_from_sector(store, i / 2, needed_by);
        /* An older value may hide where nothing can be read. */
        if (status != NKV_OK)
            return status;
    }
    for (uint32_t slot = 0; slot < store->slots;) {
        if (!nkv_slot_is_tombstone(store, slot) ||
            nkv_slot_is_marked(store, slot) || is_newest(store, slot, &entry)) {
            slot++;
            continue;
        }
        nkv_forget_slot(store, slot, nkv_copy_size(store, &entry));
    }
    return NKV_OK;
}

uint32_t nkv_tombstones_gain(struct nkv_store *store, uint32_t sector)
{
    uint32_t bytes = 0;

    for (uint32_t slot = 0; slot < store->slots; slot++) {
        struct nkv_entry entry;
        if (nkv_slot_find_sector(store, slot, sector) != NKV_NONE &&
            nkv_slot_is_tombstone(store, slot) &&
            nkv_slot_read(store, slot, &entry) == NKV_OK)
            bytes += entry.size;
    }
    return bytes;
}

uint32_t nkv_tombstones_find_newest(struct nkv_store *store,
                                    struct nkv_entry *entry)
{
    for (uint32_t slot = 0; slot < store->slots; slot++)
        if (nkv_slot_is_tombstone(store, slot) && is_newest(store, slot, entry))
            return slot;
    return NKV_NONE;
}

enum nkv_status nkv_tombstones_reduce(struct nkv_store *store)
{
    uint32_t before = store->tombstones, needed_by;
    enum nkv_status status = nkv_tombstones_sweep(store, &needed_by);

    if (status != NKV_OK || store->tombstones < before)
        return status;
    if (needed_by == NKV_NONE)
        return NKV_RESOURCE_EXHAUSTED;
    /* One that failed may have been the last erased one. */
    status = store->erased_sectors == 0 ? nkv_collect_best(store, 0)
                                        : nkv_collect_sector(store, needed_by);
    return status == NKV_RESOURCE_EXHAUSTED ? status : NKV_OK;
}

enum nkv_status nkv_tombstones_make_room(struct nkv_store *store)
{
    uint32_t room = NKV_TOMBSTONES(store->config->max_keys);
    enum nkv_status status = NKV_OK;

    /* Each round erases a sector with older values or drops a tombstone; one
     * may fail, and twice round is more than enough. */
    for (uint32_t i = 2 * store->sector_count;
         store->tombstones >= room && i > 0 && status == NKV_OK; i--)
        status = nkv_tombstones_reduce(store);
    if (store->tombstones < room)
        return NKV_OK;
    return status == NKV_OK ? NKV_RESOURCE_EXHAUSTED : status;
}
