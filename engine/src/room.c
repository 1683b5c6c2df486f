#include "room.h"

#include "collect.h"
#include "sector.h"
#include "tombstones.h"
#include "victim.h"

enum {
    /* The part of a sector whose entries are moved for the sake of a way out.
     */
    WAY_OUT_PART = 8
};

bool nkv_room_is_there(const struct nkv_store *store, uint32_t size)
{
    return nkv_sectors_for(store, size) >= store->copies;
}

/*
 * What an entry may take in a sector: what is free in it, or what it will not
 * hold any more once its entries were moved to an erased one.
 */
static uint32_t room_in(const struct nkv_store *store, uint32_t sector)
{
    if (!nkv_sector_can_be_emptied(store, sector))
        return 0;
    return store->erased_sectors > 0 ||
                   nkv_sector(store, sector)->state == NKV_SECTOR_ERASED
               ? store->sector_bytes - nkv_sector_live(store, sector)
               : nkv_sector_room(store, sector);
}

/* How many sectors have this much room. */
static uint32_t count_with(const struct nkv_store *store, uint32_t room)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store->sector_count; i++)
        count += room_in(store, i) >= room;
    return count;
}

/*
 * A sector whose entries fit beside those of another: as the other is or, if
 * there is none, once it was emptied into an erased one. Merging the two gains
 * a sector. NKV_NONE: there is no such pair.
 */
static uint32_t find_merger(const struct nkv_store *store)
{
    uint32_t second_best = NKV_NONE;

    for (uint32_t i = 0; i < store->sector_count; i++)
        for (uint32_t j = 0; j < store->sector_count; j++) {
            uint32_t live = nkv_sector_live(store, i);
            if (i == j || room_in(store, i) == 0 ||
                nkv_sector_used(store, i) == 0 ||
                nkv_sector_used(store, j) == 0 || room_in(store, j) < live)
                continue;
            if (nkv_sector_room_for(store, j, NKV_FOR_COLLECTING) >= live)
                return i;
            second_best = j;
        }
    return second_best;
}

uint32_t nkv_room_largest(const struct nkv_store *store)
{
    uint32_t most = 0, needed = store->copies;

    if (store->erased_sectors > 0)
        needed++;
    for (uint32_t i = 0; i < store->sector_count; i++)
        if (room_in(store, i) > most &&
            count_with(store, room_in(store, i)) >= needed)
            most = room_in(store, i);
    if (store->copies == 1 && store->erased_sectors > 0 &&
        find_merger(store) != NKV_NONE)
        most = store->sector_bytes;
    return most;
}

/* Collects one sector on the way to room for so many bytes. */
static enum nkv_status collect_for(struct nkv_store *store, uint32_t size)
{
    enum nkv_status status = nkv_collect_best(store, size);
    uint32_t victim;

    if (status != NKV_RESOURCE_EXHAUSTED)
        return status;
    victim = find_merger(store);
    store->is_merging = victim != NKV_NONE;
    return victim == NKV_NONE ? status : nkv_collect_sector(store, victim);
}

/* Whether some sector has so much room once no tombstone is left. */
static bool tombstones_take_room(struct nkv_store *store, uint32_t size)
{
    for (uint32_t i = 0; store->tombstones > 0 && i < store->sector_count; i++)
        if (nkv_sector_used(store, i) > 0 &&
            nkv_sector_can_be_emptied(store, i) &&
            room_in(store, i) + nkv_tombstones_gain(store, i) >= size)
            return true;
    return false;
}

/* Sectors that were retired may have been hit by a passing fault. While all is
 * erased the marker's counts as one, and stays. */
static void try_retired(struct nkv_store *store)
{
    for (uint32_t i = 0; i < store->sector_count && !store->is_half_erased; i++)
        if (nkv_sector(store, i)->state == NKV_SECTOR_RETIRED &&
            nkv_sector_live(store, i) == 0)
            (void)nkv_sector_erase(store, i);
}

/*
 * Whether room runs so short that, should the erased sector turn out bad, not
 * even the entries of the emptiest sector could be moved to regain one. Only
 * where few entries have to be moved for it: elsewhere it would cost more than
 * it is worth.
 */
static bool needs_way_out(const struct nkv_store *store, uint32_t size)
{
    uint32_t few = store->sector_bytes / WAY_OUT_PART, least = few;

    for (uint32_t i = 0; i < store->sector_count; i++)
        if (nkv_sector_stale(store, i) > 0 &&
            nkv_sector_can_be_emptied(store, i) &&
            nkv_sector_live(store, i) < least)
            least = nkv_sector_live(store, i);
    return store->erased_sectors == 0 ||
           (store->erased_sectors == 1 && least < few &&
            nkv_sector_room_beside(store, NKV_NONE, NKV_FOR_WRITING) <
                size + least);
}

/* Takes one measure to gain room, if there is one: first those that cost
 * least. */
static bool gain(struct nkv_store *store, uint32_t size, bool *retired_tried)
{
    if (nkv_room_largest(store) >= size &&
        collect_for(store, size) != NKV_RESOURCE_EXHAUSTED)
        return true;
    /* What a collection under way is going to free counts too. */
    if (nkv_collecting(store) && nkv_collect_finish(store) == NKV_OK)
        return true;
    if (*retired_tried)
        return false;
    if (!tombstones_take_room(store, size) ||
        nkv_tombstones_reduce(store) != NKV_OK) {
        try_retired(store);
        *retired_tried = true;
    }
    return true;
}

enum nkv_status nkv_room_make(struct nkv_store *store, uint32_t size)
{
    bool retired_tried = false;

    if (!store->is_trusting && !nkv_collecting(store) &&
        needs_way_out(store, size))
        (void)collect_for(store, size);
    /* Each round erases a sector with stale bytes, lets tombstones go, or one
     * sector less can be used. */
    for (uint32_t i = 4 * store->sector_count; i > 0; i--) {
        if (nkv_room_is_there(store, size))
            return NKV_OK;
        if (store->is_trusting || !gain(store, size, &retired_tried))
            break;
    }
    return NKV_RESOURCE_EXHAUSTED;
}

bool nkv_room_is_short(const struct nkv_store *store, uint32_t bytes)
{
    uint32_t room = 0;
    bool apart = nkv_keeps_apart(store);

    if (store->erased_sectors > 1)
        return false;
    for (uint32_t i = 0; i < store->sector_count && room < bytes; i++)
        if (i != store->victim && i != store->spare &&
            !(apart && nkv_sector(store, i)->flags & NKV_FLAG_COLD))
            room += nkv_sector_room(store, i);
    return room < bytes;
}

uint32_t nkv_room_steps(const struct nkv_store *store, uint32_t sector)
{
    return nkv_sector_live(store, sector) / NKV_ENTRY_SIZE_MIN + 1;
}
