/* Walking through the keys, in the order of their hashes and, among equal
 * hashes, of their bytes: a key is all the cursor there is. */
#include "access.h"
#include "index.h"
#include "lookup.h"

static const uint32_t AT_END = 0xFFFFFFFFu;

/* The entry of a slot's first copy with a sound header. */
static enum nkv_status read_slot(struct nkv_store *store, uint32_t slot,
                                 struct nkv_entry *entry)
{
    enum nkv_status status = NKV_DATA_LOSS;

    for (uint32_t copy = 0; copy < store->copies; copy++) {
        uint32_t address = nkv_slot_address(store, slot, copy);
        if (address == NKV_NONE)
            break;
        status = nkv_entry_read(store, address, entry);
        if (status == NKV_OK)
            return NKV_OK;
    }
    return status == NKV_NOT_FOUND ? NKV_DATA_LOSS : status;
}

/*
 * Takes the entry into the iterator if its key lies behind last and before the
 * key that the iterator holds, if any.
 */
static enum nkv_status consider(struct nkv_store *store,
                                struct nkv_iterator *iterator,
                                const struct nkv_entry *entry,
                                const struct nkv_span *last)
{
    enum nkv_status status = NKV_OK;
    int behind_last = 1, behind_best = -1;

    if (last != NULL)
        status = nkv_entry_compare_key(store, entry, *last, &behind_last);
    if (status == NKV_OK && iterator->key_size > 0)
        status = nkv_entry_compare_key(
            store, entry, (struct nkv_span){iterator->key, iterator->key_size},
            &behind_best);
    if (status != NKV_OK || behind_last <= 0 || behind_best >= 0)
        return status;
    status = nkv_entry_read_key(store, entry, iterator->key);
    iterator->key_size = entry->key_size;
    iterator->value = (struct nkv_value){
        .total_size = entry->value_size,
        .version = entry->id,
    };
    return status;
}

/* Makes the next call begin behind a hash. */
static enum nkv_status go_on_behind(struct nkv_iterator *iterator,
                                    uint32_t hash, enum nkv_status status)
{
    iterator->key_size = 0;
    iterator->resume = hash == AT_END ? AT_END : hash + 1;
    return status;
}

/* The first key from hash on that lies behind last, which has that hash. */
static enum nkv_status find_next(struct nkv_store *store,
                                 struct nkv_iterator *iterator, uint32_t hash,
                                 const struct nkv_span *last)
{
    struct nkv_index_walk walk = nkv_index_walk_from(store, hash);
    uint32_t slot, best_hash = 0;

    while ((slot = nkv_index_walk_next(store, &walk)) != NKV_NONE) {
        uint32_t own = nkv_slot_hash(store, slot);
        struct nkv_entry entry;
        enum nkv_status status;
        if (own < hash || nkv_slot_is_tombstone(store, slot))
            continue;
        if (iterator->key_size > 0 && own != best_hash)
            break;
        status = read_slot(store, slot, &entry);
        if (status == NKV_OK)
            status =
                consider(store, iterator, &entry, own == hash ? last : NULL);
        if (status != NKV_OK)
            return go_on_behind(iterator, own, status);
        best_hash = own;
    }
    if (iterator->key_size == 0)
        return go_on_behind(iterator, AT_END, NKV_NOT_FOUND);
    return NKV_OK;
}

enum nkv_status nkv_next(struct nkv_store *store, struct nkv_iterator *iterator)
{
    uint8_t key[NKV_KEY_SIZE_MAX];
    struct nkv_span last = {key, iterator->key_size};
    enum nkv_status status = nkv_check_readable(store);
    uint32_t hash = iterator->resume;

    if (status != NKV_OK)
        return status;
    if (last.size > NKV_KEY_SIZE_MAX)
        return NKV_INVALID_ARGUMENT;
    if (last.size == 0)
        return hash == AT_END ? NKV_NOT_FOUND
                              : find_next(store, iterator, hash, NULL);
    for (size_t i = 0; i < last.size; i++)
        key[i] = iterator->key[i];
    iterator->key_size = 0;
    return find_next(store, iterator, nkv_hash(last), &last);
}
