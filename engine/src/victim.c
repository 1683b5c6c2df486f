/*
 * Which sector to collect: the one with most benefit for its cost, weighed with
 * its age (Rosenblum and Ousterhout, "The design and implementation of a
 * log-structured file system", 1991), so that what is written often has time to
 * become stale.
 *
 * That alone leaves data that never changes where it is, and its sectors
 * unworn. So one write in NKV_SWEEP_INTERVAL of those that had to collect also
 * collects the next sector in ring order, whatever is in it. Nothing on flash
 * counts: which writes those are follows from the transaction id, and the ring
 * begins at the newest entry, so it goes on after a restart too.
 */
#include "index.h"
#include "sector.h"

enum { NKV_SWEEP_INTERVAL = 10 };

/* Above every score of a sector with live entries. */
static const uint64_t COSTS_NOTHING = (uint64_t)1 << 63;

static uint64_t score(const struct nkv_store *store, uint32_t number)
{
    const struct nkv_sector *sector = nkv_sector(store, number);
    /* Wraps with the ids. */
    uint32_t age = store->next_id - sector->touched_id;
    uint32_t stale = (uint32_t)sector->used_units - sector->live_units;

    if (sector->live_units == 0)
        return COSTS_NOTHING + age;
    return (uint64_t)stale * age / sector->live_units;
}

uint32_t nkv_sector_choose_victim(const struct nkv_store *store)
{
    uint32_t count = nkv_sector_count(store), best = NKV_NONE;

    /* From the oldest in ring order on, so that equal ones wear in turn. */
    for (uint32_t i = 1; i <= count; i++) {
        uint32_t sector = (store->head + i) % count;
        if (nkv_sector(store, sector)->state == NKV_SECTOR_FAILED ||
            nkv_sector_stale(store, sector) == 0)
            continue;
        if (best == NKV_NONE || score(store, sector) > score(store, best))
            best = sector;
    }
    return best;
}

static bool is_turn_of_the_ring(const struct nkv_store *store)
{
    uint8_t id[4];

    nkv_store_le32(id, store->next_id);
    return nkv_hash((struct nkv_span){id, sizeof id}) % NKV_SWEEP_INTERVAL == 0;
}

/* The next sector in ring order that holds entries and takes no more. */
static uint32_t next_in_ring(struct nkv_store *store)
{
    uint32_t count = nkv_sector_count(store);

    for (uint32_t i = 1; i <= count; i++) {
        uint32_t sector = (store->hand + i) % count;
        enum nkv_sector_state state = nkv_sector(store, sector)->state;
        if (sector == store->head ||
            (state != NKV_SECTOR_OPEN && state != NKV_SECTOR_CLOSED))
            continue;
        store->hand = sector;
        return sector;
    }
    return NKV_NONE;
}

uint32_t nkv_sector_choose_in_turn(struct nkv_store *store)
{
    /* Once an id, or a write that fails again and again would sweep again and
     * again. */
    if (store->swept_id == store->next_id || !is_turn_of_the_ring(store))
        return NKV_NONE;
    store->swept_id = store->next_id;
    return next_in_ring(store);
}
