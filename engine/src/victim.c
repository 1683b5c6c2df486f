/*
 * The victim is the sector with the most benefit for its cost, weighed with its
 * age (Rosenblum and Ousterhout, "The design and implementation of a
 * log-structured file system", 1991), so that what is written often has time to
 * become stale.
 */
#include "victim.h"

#include "collect.h"
#include "sector.h"

enum {
    /* Older than this makes no difference: scores fit 32 bits. */
    AGE_MAX = UINT16_MAX
};

/* Above every score of a sector with live entries. */
static const uint32_t COSTS_NOTHING = 0xFFFF0000;

static uint32_t score(const struct nkv_store *store, uint32_t number)
{
    const struct nkv_sector *sector = nkv_sector(store, number);
    /* Wraps with the ids. */
    uint32_t age = store->next_id - sector->touched_id;
    uint32_t stale = (uint32_t)sector->used_units - sector->live_units;

    if (sector->state == NKV_SECTOR_RETIRED)
        return 0;
    if (age > AGE_MAX)
        age = AGE_MAX;
    if (sector->live_units == 0)
        return COSTS_NOTHING + age;
    /* Never as little as of one that is retired. */
    return stale * age / sector->live_units + 1;
}

/* Whether there is a place for a sector's live entries. While none is erased, a
 * sector that could not be read is tried again. */
static bool has_place(const struct nkv_store *store, uint32_t sector)
{
    uint32_t live = nkv_sector_live(store, sector);

    if (store->erased_sectors == 0 && live > 0)
        return live <=
               nkv_sector_room_beside(store, sector, NKV_FOR_COLLECTING);
    return nkv_sector_can_be_emptied(store, sector);
}

uint32_t nkv_victim_choose(const struct nkv_store *store, uint32_t gain,
                           uint32_t room)
{
    uint32_t sector = store->head, best = NKV_NONE;
    uint32_t best_score = 0;

    /* From the oldest in ring order on, so that equal ones wear in turn. */
    for (uint32_t i = store->sector_count; i > 0; i--) {
        uint32_t its_score;
        if (++sector >= store->sector_count)
            sector = 0;
        if (nkv_sector_stale(store, sector) < gain ||
            store->sector_bytes - nkv_sector_live(store, sector) < room ||
            !has_place(store, sector))
            continue;
        its_score = score(store, sector);
        if (best == NKV_NONE || its_score > best_score) {
            best = sector;
            best_score = its_score;
        }
    }
    return best;
}

uint32_t nkv_victim_damaged(const struct nkv_store *store)
{
    for (uint32_t i = 0; i < store->sector_count; i++)
        if (nkv_sector_is_spoilt(store, i) &&
            nkv_sector_can_be_emptied(store, i))
            return i;
    return NKV_NONE;
}

enum nkv_status nkv_collect_best(struct nkv_store *store, uint32_t room)
{
    uint32_t victim = nkv_victim_choose(store, 1, room);
    enum nkv_status status = NKV_OK;

    if (!nkv_collecting(store))
        status = victim == NKV_NONE ? NKV_RESOURCE_EXHAUSTED
                                    : nkv_collect_begin(store, victim);
    return status == NKV_OK ? nkv_collect_finish(store) : status;
}
