#include "damage.h"

/* Verifies an entry of this size with a number in place of one of its three
 * lengths. NKV_DATA_LOSS: it is not intact, or has another size. */
static enum nkv_status try_length(struct nkv_store *store,
                                  struct nkv_entry *entry, uint32_t size,
                                  uint32_t trial)
{
    const uint16_t value_size = entry->value_size;
    const uint8_t key_size = entry->key_size;
    const uint8_t alignment_units = entry->alignment_units;
    uint32_t number = trial / 3;
    enum nkv_status status = NKV_DATA_LOSS;

    if (trial % 3 == 0)
        entry->value_size = (uint16_t)number;
    else if (trial % 3 == 1 && number > 0 && number <= NKV_KEY_SIZE_MAX)
        entry->key_size = (uint8_t)number;
    else if (trial % 3 == 2 && number <= 0xFF)
        entry->alignment_units = (uint8_t)number;
    nkv_entry_measure(entry);
    if (entry->size == size) {
        const struct nkv_content content = nkv_content_on_flash(entry);
        status = nkv_content_pass(store, &content, NKV_PASS_VERIFY, NULL);
    }
    entry->value_size = value_size;
    entry->key_size = key_size;
    entry->alignment_units = alignment_units;
    return status;
}

enum nkv_status nkv_damage_ends_at(struct nkv_store *store, uint32_t damaged,
                                   uint32_t address, bool *ends)
{
    struct nkv_entry entry;
    enum nkv_status status = nkv_entry_read(store, damaged, &entry);
    const struct nkv_checksum *checksum = nkv_checksum_of(store, entry.magic);
    uint32_t size = address - damaged;

    *ends = checksum == NULL || checksum->size == 0;
    if (status == NKV_NOT_FOUND)
        status = NKV_DATA_LOSS;
    for (uint32_t i = 0; i < 3 * size && status == NKV_OK && !*ends; i++) {
        status = try_length(store, &entry, size, i);
        *ends = status == NKV_OK;
        if (status == NKV_DATA_LOSS)
            status = NKV_OK;
    }
    return status == NKV_DATA_LOSS ? NKV_OK : status;
}
