#include "wear.h"

#include "index.h"
#include "sector.h"

enum { INTERVAL = 10, INTERVAL_OF_SMALL_STORES = 30 };

uint32_t nkv_sweep_interval(const struct nkv_store *store)
{
    return nkv_keeps_apart(store) ? INTERVAL : INTERVAL_OF_SMALL_STORES;
}

void nkv_wear_begin(struct nkv_store *store)
{
    /* Multiples of the golden ratio spread evenly, whatever their distance
     * (Knuth, "The art of computer programming", volume 3, section 6.4). */
    uint32_t spread = store->newest_id * 0x9E3779B9u;

    store->hand = (uint32_t)((uint64_t)spread * store->sector_count >> 32);
    store->since_sweep =
        (uint8_t)(nkv_hash_end(store->newest_id) % nkv_sweep_interval(store));
}

/*
 * Whether an entry is so old that its id will not compare rightly for much
 * longer. Below the top 2^24 ids may lie half the range apart. While ids are
 * given out at the top, all others must go, as those count as older than what
 * comes after the wrap only if they are at the top too; and when ids are half
 * through the bottom 2^24, those at the top must go.
 */
static bool is_outdated(const struct nkv_store *store, uint32_t id)
{
    uint32_t next = store->next_id, most = 1u << 31;

    if (nkv_id_is_on_top(next))
        most = next - 0xFF000000u;
    else if (next >> 23 == 1)
        most = next;
    return store->has_entries && next - id > most;
}

/* Whether ids are being refreshed, or have to be. */
static bool is_refreshing(const struct nkv_store *store)
{
    return store->refresh_left > 0 || is_outdated(store, store->oldest_id);
}

/* Whether a sector takes part in the ring. The one written last does only when
 * it is for its ids. */
static bool takes_part(const struct nkv_store *store, uint32_t sector)
{
    uint8_t state = nkv_sector(store, sector)->state;

    return (state == NKV_SECTOR_OPEN || state == NKV_SECTOR_CLOSED) &&
           nkv_sector_can_be_emptied(store, sector) &&
           (sector != store->head || is_refreshing(store));
}

/* How far the next sector that takes part lies ahead of the hand; the number of
 * sectors and more: there is none. */
static uint32_t distance(const struct nkv_store *store)
{
    uint32_t sector = store->hand, i = 0;

    do {
        i++;
        if (++sector >= store->sector_count)
            sector = 0;
    } while (i <= store->sector_count && !takes_part(store, sector));
    return i;
}

bool nkv_wear_is_due(const struct nkv_store *store)
{
    return store->erased_sectors > 0 &&
           (store->since_sweep >= nkv_sweep_interval(store) ||
            is_refreshing(store)) &&
           distance(store) <= store->sector_count;
}

void nkv_wear_note_collection(struct nkv_store *store)
{
    if (store->since_sweep < nkv_sweep_interval(store))
        store->since_sweep++;
    if (store->refresh_left > 0 && distance(store) >= store->refresh_left) {
        store->refresh_left = 0;
        store->oldest_id = store->refresh_start;
    }
}

uint32_t nkv_wear_next(struct nkv_store *store)
{
    uint32_t ahead = distance(store);

    if (!nkv_wear_is_due(store))
        return NKV_NONE;
    /* Nothing is collected on trust: its turn comes when all was verified. */
    if (store->is_trusting)
        return store->hand;
    store->since_sweep = 0;
    if (store->refresh_left == 0 && is_refreshing(store)) {
        /* One more than there are, so that it counts as under way while the
         * last is collected. */
        store->refresh_left = store->sector_count + 1;
        store->refresh_start = store->next_id;
    }
    if (store->refresh_left > ahead)
        store->refresh_left -= ahead;
    store->hand += ahead;
    if (store->hand >= store->sector_count)
        store->hand -= store->sector_count;
    return store->hand;
}
