#include "heal.h"
#include "sector.h"

static void count_bytes(const struct nkv_store *store,
                        struct nkv_statistics *statistics)
{
    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        enum nkv_sector_state state = nkv_sector(store, i)->state;
        uint32_t used = nkv_sector_used(store, i);
        uint32_t live = nkv_sector_live(store, i);

        statistics->live_bytes += live;
        statistics->stale_bytes += used - live;
        statistics->free_bytes += store->sector_bytes - used;
        statistics->erased_sectors += state == NKV_SECTOR_ERASED;
        statistics->damaged_sectors += state == NKV_SECTOR_DAMAGED ||
                                       state == NKV_SECTOR_DIRTY ||
                                       state == NKV_SECTOR_FAILED;
    }
}

void nkv_statistics(const struct nkv_store *store,
                    struct nkv_statistics *statistics)
{
    const uint32_t *counters = store->counters;

    *statistics = (struct nkv_statistics){0};
    if (store->access == NKV_ACCESS_NONE)
        return;
    *statistics = (struct nkv_statistics){
        .keys = store->keys,
        .tombstones = store->tombstones,
        .max_keys = store->config->max_keys,
        .max_tombstones = NKV_TOMBSTONES(store->config->max_keys),
        .transaction_count = nkv_transaction_count(store),
        .missing_copies = nkv_heal_count(store),
        .erases = counters[NKV_COUNT_ERASES],
        .bytes_programmed = counters[NKV_COUNT_BYTES_PROGRAMMED],
        .collections = counters[NKV_COUNT_COLLECTIONS],
        .entries_relocated = counters[NKV_COUNT_RELOCATED],
        .corrupt_entries = counters[NKV_COUNT_CORRUPT],
        .entries_healed = counters[NKV_COUNT_HEALED],
        .read_errors = counters[NKV_COUNT_READ_ERRORS],
        .program_errors = counters[NKV_COUNT_PROGRAM_ERRORS],
        .erase_errors = counters[NKV_COUNT_ERASE_ERRORS],
    };
    count_bytes(store, statistics);
}

uint32_t nkv_transaction_count(const struct nkv_store *store)
{
    return store->has_entries ? store->newest_id : 0;
}
