#include "doubt.h"

#include "flash_io.h"
#include "sector.h"

#include <string.h>

/*
 * Finds the first unit in a range that does not read the same time after time;
 * *at is the range's end if there is none. A single read that goes wrong
 * changes what is read twice, so each change asks for more reads: a bit that
 * reads at random changes half of them.
 */
static enum nkv_status find_unsteady(struct nkv_store *store, uint32_t end,
                                     uint32_t *at)
{
    uint8_t bytes[NKV_UNIT], *before = store->config->memory.buffer;

    for (; *at < end; *at += NKV_UNIT) {
        enum nkv_status status = NKV_OK;
        int changes = 0;
        for (int i = 0; i < NKV_DOUBTFUL_READS + 10 * changes &&
                        status == NKV_OK && changes < NKV_UNSTEADY_CHANGES;
             i++) {
            status = nkv_flash_read(store, *at, bytes, NKV_UNIT);
            changes += i > 0 && memcmp(bytes, before, NKV_UNIT) != 0;
            memcpy(before, bytes, NKV_UNIT);
        }
        if (status != NKV_OK && status != NKV_DATA_LOSS)
            return status;
        if (status == NKV_DATA_LOSS || changes == NKV_UNSTEADY_CHANGES)
            break;
    }
    return NKV_OK;
}

enum nkv_status nkv_doubt_entry(struct nkv_store *store,
                                const struct nkv_entry *entry)
{
    uint32_t at = entry->address, end = at + entry->size;
    enum nkv_status status = find_unsteady(store, end, &at);

    return status == NKV_OK && at < end && nkv_distrust(store, at) ? NKV_ABORTED
                                                                   : status;
}

/* Whether a cut may have hit the end of a sector, as far as can be told from
 * what was indexed: it takes entries, or is damaged, or its last one may be the
 * newest or a copy; or it was known to have failed before. */
static bool is_doubtful(const struct nkv_store *store, uint32_t number)
{
    const struct nkv_sector *sector = nkv_sector(store, number);

    return sector->state != NKV_SECTOR_DIRTY &&
           (sector->state != NKV_SECTOR_CLOSED || store->copies > 1 ||
            sector->touched_id == store->newest_id || sector->flags != 0);
}

enum nkv_status nkv_doubt_end(struct nkv_store *store, uint32_t number)
{
    uint32_t unit = nkv_round_up(store->flash->program_unit, NKV_UNIT);
    uint32_t start = number * store->sector_bytes, at, erased;
    uint32_t used = start + nkv_sector_used(store, number), end = used;
    enum nkv_status status = NKV_OK;

    if (!is_doubtful(store, number))
        return NKV_OK;
    if (nkv_sector(store, number)->state < NKV_SECTOR_CLOSED)
        end += unit;
    at = erased = used;
    while (status == NKV_OK && erased == at && at > start) {
        at -= unit;
        status = nkv_flash_skip(store, at, at + unit, 0xFF, &erased);
        erased -= unit;
    }
    /* Behind damage the rest may be erased. */
    if (nkv_sector_is_spoilt(store, number) && end - at > 2 * unit)
        end = at + 2 * unit;
    if (status == NKV_OK)
        status = find_unsteady(store, end, &at);
    if (status != NKV_OK || at == end)
        return status;
    nkv_sector_set_state(store, number, NKV_SECTOR_DAMAGED);
    return at < used && nkv_distrust(store, at) ? NKV_ABORTED : NKV_OK;
}
