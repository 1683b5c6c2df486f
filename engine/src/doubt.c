#include "doubt.h"

#include "flash_io.h"
#include "index.h"
#include "lookup.h"
#include "sector.h"

/* Checks one copy; a copy in doubt is the one to distrust. */
static enum nkv_status check_copy(struct nkv_store *store,
                                  const struct nkv_entry *copy, bool *steady)
{
    enum nkv_status status = nkv_entry_is_steady(store, copy);

    *steady = status != NKV_DATA_LOSS;
    if (*steady)
        return status;
    store->distrusted = copy->address;
    return NKV_OK;
}

enum nkv_status nkv_check_newest(struct nkv_store *store,
                                 const struct nkv_entry *newest, bool *steady)
{
    uint8_t key[NKV_KEY_SIZE_MAX];
    struct nkv_entry copy;
    uint32_t slot = NKV_NONE;
    /* First by its address: of a copy in doubt not even the key is sure. */
    enum nkv_status status = check_copy(store, newest, steady);

    if (status == NKV_OK && *steady)
        status = nkv_entry_read_key(store, newest, key);
    if (status == NKV_OK && *steady)
        slot = nkv_find_address(store, (struct nkv_span){key, newest->key_size},
                                newest->address);
    for (uint32_t i = 0; status == NKV_OK && *steady && slot != NKV_NONE &&
                         i < nkv_slot_copies(store, slot);
         i++) {
        uint32_t address = nkv_slot_address(store, slot, i);
        /* One written for another program unit has another header. */
        if (nkv_entry_read(store, address, &copy) != NKV_OK) {
            copy = *newest;
            copy.address = address;
        }
        status = check_copy(store, &copy, steady);
    }
    return status;
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
