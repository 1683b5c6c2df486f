#include "access.h"
#include "copies.h"
#include "sector.h"

#include <string.h>

/* The counters are the last members, in their order. */
_Static_assert(offsetof(struct nkv_statistics, erase_errors) -
                       offsetof(struct nkv_statistics, erases) ==
                   NKV_COUNT_ERASE_ERRORS * sizeof(uint32_t),
               "statistics have all counters");

static void count_bytes(const struct nkv_store *store,
                        struct nkv_statistics *statistics)
{
    for (uint32_t i = 0; i < store->sector_count; i++) {
        uint32_t used = nkv_sector_used(store, i);
        uint32_t stale = nkv_sector_stale(store, i);

        statistics->live_bytes += used - stale;
        statistics->stale_bytes += stale;
        statistics->free_bytes += store->sector_bytes - used;
        statistics->damaged_sectors += nkv_sector_is_spoilt(store, i);
        if (nkv_sector(store, i)->state == NKV_SECTOR_RETIRED) {
            statistics->retired_sectors++;
            statistics->retired_bytes += stale;
        }
    }
    if (statistics->retired_sectors < store->sector_count)
        statistics->reserved_bytes = store->sector_bytes;
}

static void fill_in(const struct nkv_store *store,
                    struct nkv_statistics *statistics)
{
    *statistics = (struct nkv_statistics){
        .keys = store->keys,
        .tombstones = store->tombstones,
        .max_keys = store->config->max_keys,
        .max_tombstones = NKV_TOMBSTONES(store->config->max_keys),
        .transaction_count = store->has_entries ? store->newest_id : 0,
        .erased_sectors = store->erased_sectors,
        .missing_copies = nkv_copies_missing(store),
    };
    memcpy((uint8_t *)statistics + offsetof(struct nkv_statistics, erases),
           store->counters, sizeof store->counters);
    count_bytes(store, statistics);
}

void nkv_statistics(const struct nkv_store *store,
                    struct nkv_statistics *statistics)
{
    *statistics = (struct nkv_statistics){0};
    if (nkv_enter(store, NKV_ACCESS_READ_ONLY) == NKV_OK)
        fill_in(store, statistics);
    (void)nkv_leave(store, NKV_OK);
}

uint32_t nkv_transaction_count(const struct nkv_store *store)
{
    uint32_t id;

    (void)nkv_enter(store, NKV_ACCESS_NONE);
    id = store->has_entries ? store->newest_id : 0;
    (void)nkv_leave(store, NKV_OK);
    return id;
}
