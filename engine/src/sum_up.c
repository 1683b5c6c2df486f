#include "sum_up.h"

#include "entry.h"
#include "flash_io.h"
#include "hash.h"
#include "index.h"
#include "lookup.h"

enum nkv_status nkv_sum_up_values(struct nkv_store *store, uint32_t *sum)
{
    uint8_t *unit = store->config->memory.buffer;
    enum nkv_status status = NKV_OK;

    *sum = 0;
    for (uint32_t slot = 0; slot < store->slots && status == NKV_OK; slot++) {
        struct nkv_entry entry;
        uint32_t state;
        if (!nkv_slot_is_used(store, slot) ||
            nkv_slot_is_tombstone(store, slot))
            continue;
        status = nkv_slot_read(store, slot, &entry);
        state = NKV_HASH_START + entry.value_size;
        for (uint32_t at = NKV_UNIT; status == NKV_OK && at < entry.size;
             at += NKV_UNIT) {
            status = nkv_flash_read(store, entry.address + at, unit, NKV_UNIT);
            state = nkv_hash_add(state, unit, NKV_UNIT);
        }
        *sum += nkv_hash_end(state);
    }
    return status;
}
