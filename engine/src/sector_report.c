/* What there is to know of a sector. */
#include "access.h"
#include "sector.h"

static enum nkv_sector_condition condition_of(uint8_t state, bool has_room)
{
    switch ((enum nkv_sector_state)state) {
    case NKV_SECTOR_ERASED:
        return NKV_SECTOR_IS_ERASED;
    case NKV_SECTOR_OPEN:
        return has_room ? NKV_SECTOR_IS_OPEN : NKV_SECTOR_IS_FULL;
    case NKV_SECTOR_CLOSED:
        return NKV_SECTOR_IS_FULL;
    case NKV_SECTOR_RETIRED:
        return NKV_SECTOR_IS_RETIRED;
    case NKV_SECTOR_DAMAGED:
    case NKV_SECTOR_DIRTY:
    default:
        return NKV_SECTOR_IS_DAMAGED;
    }
}

enum nkv_status nkv_report_sector(const struct nkv_store *store,
                                  uint32_t sector,
                                  struct nkv_sector_report *report)
{
    enum nkv_status status = nkv_enter(store, NKV_ACCESS_READ_ONLY);

    if (status == NKV_OK && sector >= store->sector_count)
        status = NKV_OUT_OF_RANGE;
    if (status == NKV_OK) {
        const struct nkv_sector *of = nkv_sector(store, sector);
        *report = (struct nkv_sector_report){
            .condition =
                condition_of(of->state, nkv_sector_room(store, sector) >=
                                            NKV_ENTRY_SIZE_MIN),
            .used_bytes = nkv_sector_used(store, sector),
            .live_bytes = nkv_sector_used(store, sector) -
                          nkv_sector_stale(store, sector),
            .age = store->next_id - 1 - of->touched_id,
            .erases = of->erases,
        };
    }
    return nkv_leave(store, status);
}
