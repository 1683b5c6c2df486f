#include "damage.h"

/* Puts a number in place of one of the three lengths. */
static void set_length(struct nkv_entry *entry, uint32_t which, uint32_t number)
{
    if (which == 0)
        entry->value_size = (uint16_t)number;
    else if (which == 1 && number > 0 && number <= NKV_KEY_SIZE_MAX)
        entry->key_size = (uint8_t)number;
    else if (which == 2 && number <= 0xFF)
        entry->alignment_units = (uint8_t)number;
    nkv_entry_measure(entry);
}

enum nkv_status nkv_damage_ends_at(struct nkv_store *store, uint32_t damaged,
                                   uint32_t address, bool *ends)
{
    struct nkv_entry entry;
    enum nkv_status status = nkv_entry_read(store, damaged, &entry);
    const struct nkv_checksum *checksum = nkv_checksum_of(store, entry.magic);
    uint32_t size = address - damaged;

    *ends = checksum == NULL || checksum->size == 0;
    if (status != NKV_OK)
        return status == NKV_NOT_FOUND || status == NKV_DATA_LOSS ? NKV_OK
                                                                  : status;
    for (uint32_t i = 0; i < 3 * size && !*ends; i++) {
        struct nkv_entry trial = entry;
        struct nkv_content content;
        set_length(&trial, i % 3, i / 3);
        if (trial.size != size)
            continue;
        content = nkv_content_on_flash(&trial);
        status = nkv_content_pass(store, &content, NKV_PASS_VERIFY, NULL);
        *ends = status == NKV_OK;
        if (status != NKV_OK && status != NKV_DATA_LOSS)
            return status;
    }
    return NKV_OK;
}
