#include "room.h"

#include "collect.h"
#include "index.h"
#include "lookup.h"
#include "recover.h"
#include "sector.h"
#include "tombstones.h"

/* Whether every copy finds a sector of its own as things are. */
static bool fits_now(const struct nkv_store *store, uint32_t size,
                     enum nkv_purpose purpose)
{
    struct nkv_sector_set taken = {.count = 0};

    while (taken.count < store->copies) {
        uint32_t sector = nkv_sector_choose(store, size, &taken, purpose);
        if (sector == NKV_NONE)
            return false;
        taken.sectors[taken.count++] = sector;
    }
    return true;
}

/* Whether it could fit after collecting everything, by sums alone. */
static bool may_ever_fit(const struct nkv_store *store, uint32_t size)
{
    uint64_t room = 0, needed = (uint64_t)size * store->copies;
    bool kept_one = false;

    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        if (nkv_sector(store, i)->state == NKV_SECTOR_FAILED)
            continue;
        if (kept_one)
            room += store->sector_bytes;
        kept_one = true;
        needed += nkv_sector_live(store, i);
    }
    return needed <= room;
}

/* Whether a new entry can go where it should, or anywhere if collecting first
 * would cost more than it gains. */
static bool fits_well(const struct nkv_store *store, uint32_t size)
{
    return fits_now(store, size, NKV_FOR_WRITING_APART) ||
           (!nkv_collection_pays(store) &&
            fits_now(store, size, NKV_FOR_WRITING));
}

static enum nkv_status collect_until_it_fits(struct nkv_store *store,
                                             uint32_t size)
{
    enum nkv_status status = NKV_OK;

    /* Each round erases a sector with stale bytes, or one less can be used, so
     * twice round is more than enough. */
    for (uint32_t i = 0; i < 2 * nkv_sector_count(store); i++) {
        if (fits_well(store, size))
            return NKV_OK;
        if (!may_ever_fit(store, size))
            return NKV_RESOURCE_EXHAUSTED;
        status = nkv_collect_best(store);
        if (status == NKV_RESOURCE_EXHAUSTED)
            break;
    }
    return fits_now(store, size, NKV_FOR_WRITING) ? NKV_OK
                                                  : NKV_RESOURCE_EXHAUSTED;
}

/* Lets tombstones go, or collects the old values that keep them. False: that
 * gains nothing. */
static bool gain_from_tombstones(struct nkv_store *store)
{
    uint32_t dropped, needed_by;

    if (store->tombstones == 0 ||
        nkv_tombstones_sweep(store, &dropped, &needed_by) != NKV_OK)
        return false;
    return dropped > 0 || (needed_by != NKV_NONE &&
                           nkv_collect_sector(store, needed_by) == NKV_OK);
}

enum nkv_status nkv_room_make(struct nkv_store *store, uint32_t size)
{
    enum nkv_status status = collect_until_it_fits(store, size);

    for (uint32_t i = 0;
         i < nkv_sector_count(store) && status == NKV_RESOURCE_EXHAUSTED &&
         gain_from_tombstones(store);
         i++)
        status = collect_until_it_fits(store, size);
    if (status != NKV_RESOURCE_EXHAUSTED)
        return status;
    /* Sectors that failed may have been hit by a passing fault. */
    nkv_recover_dirty(store);
    return collect_until_it_fits(store, size);
}

bool nkv_room_is_ample(const struct nkv_store *store)
{
    return may_ever_fit(store, store->sector_bytes);
}

/* Takes from *live what a slot has in a sector. */
static void subtract(struct nkv_store *store, uint32_t slot, uint32_t sector,
                     uint32_t *live)
{
    uint32_t copy = nkv_slot_find_sector(store, slot, sector);
    struct nkv_entry entry;

    if (copy != NKV_NONE &&
        nkv_entry_read(store, nkv_slot_address(store, slot, copy), &entry) ==
            NKV_OK &&
        entry.size <= *live)
        *live -= entry.size;
}

bool nkv_room_appears_after(struct nkv_store *store, struct nkv_span key)
{
    uint32_t old, newest = nkv_tombstones_find_newest(store);
    struct nkv_entry entry;

    if (nkv_find(store, key, NKV_WANT_ANY, &old, &entry) != NKV_OK)
        old = NKV_NONE;
    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        enum nkv_sector_state state = nkv_sector(store, i)->state;
        uint32_t live = nkv_sector_live(store, i);
        if (state == NKV_SECTOR_ERASED || state == NKV_SECTOR_FAILED)
            continue;
        if (old != NKV_NONE)
            subtract(store, old, i, &live);
        if (newest != NKV_NONE && newest != old)
            subtract(store, newest, i, &live);
        if (live == 0)
            return true;
    }
    return false;
}

enum nkv_status nkv_room_make_by_replacing(struct nkv_store *store,
                                           const struct nkv_entry *old)
{
    enum nkv_status status = NKV_OK;

    store->replaced = old->address;
    nkv_collect_begin(store, nkv_sector_of(store, old->address));
    while (status == NKV_OK)
        status = nkv_collect_step(store);
    if (status == NKV_NOT_FOUND)
        return NKV_OK;
    store->replaced = NKV_NONE;
    return status;
}

enum nkv_status nkv_room_finish(struct nkv_store *store)
{
    enum nkv_status status = NKV_OK;

    store->replaced = NKV_NONE;
    while (status == NKV_OK && nkv_collecting(store))
        status = nkv_collect_step(store);
    return status;
}
