#include "doubt.h"

#include "flash_io.h"
#include "index.h"
#include "lookup.h"
#include "sector.h"

enum nkv_status nkv_check_newest(struct nkv_store *store,
                                 const struct nkv_entry *newest, bool *steady)
{
    uint8_t key[NKV_KEY_SIZE_MAX];
    struct nkv_entry entry;
    uint32_t slot;
    enum nkv_status status = nkv_entry_read_key(store, newest, key);

    *steady = true;
    if (status == NKV_OK)
        status = nkv_find(store, (struct nkv_span){key, newest->key_size},
                          NKV_WANT_ANY, &slot, &entry);
    if (status != NKV_OK)
        return status == NKV_NOT_FOUND ? NKV_OK : status;
    for (uint32_t copy = 0; copy < nkv_slot_copies(store, slot); copy++) {
        uint32_t address = nkv_slot_address(store, slot, copy);
        status = nkv_entry_read(store, address, &entry);
        if (status == NKV_OK)
            status = nkv_entry_is_steady(store, &entry);
        if (status == NKV_DATA_LOSS || status == NKV_NOT_FOUND) {
            *steady = false;
            store->distrusted = address;
            return NKV_OK;
        }
        if (status != NKV_OK)
            return status;
    }
    return NKV_OK;
}

/* Whether a unit reads as erased time after time. */
static enum nkv_status is_steadily_erased(struct nkv_store *store,
                                          uint32_t address, bool *erased)
{
    uint32_t unit = store->flash->program_unit;
    uint32_t size = unit < NKV_UNIT ? (uint32_t)NKV_UNIT : unit;

    *erased = true;
    for (int n = 0; n < NKV_DOUBTFUL_READS && *erased; n++) {
        uint32_t end;
        enum nkv_status status =
            nkv_flash_skip(store, address, address + size, 0xFF, &end);
        if (status != NKV_OK)
            return status;
        *erased = end == address + size;
    }
    return NKV_OK;
}

enum nkv_status nkv_check_tails(struct nkv_store *store)
{
    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        bool erased = true;
        enum nkv_status status = NKV_OK;
        if (nkv_sector(store, i)->state == NKV_SECTOR_OPEN)
            status = is_steadily_erased(
                store, nkv_sector_start(store, i) + nkv_sector_used(store, i),
                &erased);
        if (status != NKV_OK)
            return status;
        if (!erased)
            nkv_sector_set_state(store, i, NKV_SECTOR_DAMAGED);
    }
    return NKV_OK;
}
