#include "access.h"
#include "copies.h"
#include "sector.h"

static void count_bytes(const struct nkv_store *store,
                        struct nkv_statistics *statistics)
{
    for (uint32_t i = 0; i < store->sector_count; i++) {
        uint8_t state = nkv_sector(store, i)->state;
        uint32_t used = nkv_sector_used(store, i);
        uint32_t stale = nkv_sector_stale(store, i);

        statistics->live_bytes += used - stale;
        statistics->stale_bytes += stale;
        statistics->free_bytes += store->sector_bytes - used;
        statistics->damaged_sectors +=
            state == NKV_SECTOR_DAMAGED || state == NKV_SECTOR_DIRTY;
        if (state == NKV_SECTOR_RETIRED) {
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
    const uint32_t *counters = store->counters;

    *statistics = (struct nkv_statistics){
        .keys = store->keys,
        .tombstones = store->tombstones,
        .max_keys = store->config->max_keys,
        .max_tombstones = NKV_TOMBSTONES(store->config->max_keys),
        .transaction_count = store->has_entries ? store->newest_id : 0,
        .erased_sectors = store->erased_sectors,
        .missing_copies = nkv_copies_missing(store),
        .erases = counters[NKV_COUNT_ERASES],
        .bytes_programmed = counters[NKV_COUNT_BYTES_PROGRAMMED],
        .collections = counters[NKV_COUNT_COLLECTIONS],
        .entries_relocated = counters[NKV_COUNT_RELOCATED],
        .steps = counters[NKV_COUNT_STEPS],
        .longest_write_steps = counters[NKV_COUNT_LONGEST_WRITE],
        .corrupt_entries = counters[NKV_COUNT_CORRUPT],
        .entries_recovered = counters[NKV_COUNT_RECOVERED],
        .entries_lost = counters[NKV_COUNT_LOST],
        .entries_healed = counters[NKV_COUNT_HEALED],
        .read_errors = counters[NKV_COUNT_READ_ERRORS],
        .program_errors = counters[NKV_COUNT_PROGRAM_ERRORS],
        .erase_errors = counters[NKV_COUNT_ERASE_ERRORS],
    };
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
