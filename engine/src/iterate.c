/* Walking through the keys, in the order of their hashes and, among equal
 * hashes, of their bytes: a key is all the cursor there is. */
#include "access.h"
#include "index.h"
#include "lookup.h"

#include <string.h>

static const uint32_t AT_END = 0xFFFFFFFFu;

/* The entry and key of a slot's first copy with a sound header and a key that
 * has the slot's hash: a key that went bad would lead astray. */
static enum nkv_status read_slot(struct nkv_store *store, uint32_t slot,
                                 struct nkv_entry *entry, uint8_t *key)
{
    enum nkv_status result = NKV_DATA_LOSS;

    for (uint32_t copy = 0; copy < nkv_slot_copies(store, slot); copy++) {
        enum nkv_status status =
            nkv_entry_read(store, nkv_slot_address(store, slot, copy), entry);
        if (status == NKV_OK)
            status = nkv_entry_read_key(store, entry, key);
        if (status == NKV_OK &&
            nkv_hash((struct nkv_span){key, entry->key_size}) ==
                nkv_slot_hash(store, slot))
            return NKV_OK;
        if (status != NKV_OK && status != NKV_NOT_FOUND)
            result = status;
    }
    return result;
}

/* How two keys sort. */
static int compare(struct nkv_span a, struct nkv_span b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

    return order != 0 ? order : (int)a.size - (int)b.size;
}

/* Takes the entry into the iterator if its key lies behind last, if any, and
 * before the key that the iterator holds, if any. */
static void consider(struct nkv_iterator *iterator,
                     const struct nkv_entry *entry, struct nkv_span key,
                     const struct nkv_span *last)
{
    struct nkv_span best = {iterator->key, iterator->key_size};

    if ((last != NULL && compare(key, *last) <= 0) ||
        (best.size > 0 && compare(key, best) >= 0))
        return;
    memcpy(iterator->key, key.data, key.size);
    iterator->key_size = (uint8_t)key.size;
    iterator->value.total_size = entry->value_size;
    iterator->value.version = entry->id;
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
    uint32_t slot = nkv_index_from(store, hash), best_hash = 0;

    for (; slot < store->slots; slot++) {
        uint32_t own = nkv_slot_hash(store, slot);
        uint8_t key[NKV_KEY_SIZE_MAX];
        struct nkv_entry entry;
        enum nkv_status status;
        if (!nkv_slot_is_used(store, slot) ||
            nkv_slot_is_tombstone(store, slot))
            continue;
        if (iterator->key_size > 0 && own != best_hash)
            break;
        status = read_slot(store, slot, &entry, key);
        if (status != NKV_OK)
            return go_on_behind(iterator, own, status);
        consider(iterator, &entry, (struct nkv_span){key, entry.key_size},
                 own == hash ? last : NULL);
        best_hash = own;
    }
    if (iterator->key_size == 0)
        return go_on_behind(iterator, AT_END, NKV_NOT_FOUND);
    return NKV_OK;
}

static enum nkv_status next(struct nkv_store *store,
                            struct nkv_iterator *iterator)
{
    uint8_t key[NKV_KEY_SIZE_MAX];
    struct nkv_span last = {key, iterator->key_size};
    uint32_t hash = iterator->resume;

    if (last.size > NKV_KEY_SIZE_MAX)
        return NKV_INVALID_ARGUMENT;
    iterator->value.size = 0;
    if (last.size == 0)
        return hash == AT_END ? NKV_NOT_FOUND
                              : find_next(store, iterator, hash, NULL);
    memcpy(key, iterator->key, last.size);
    iterator->key_size = 0;
    return find_next(store, iterator, nkv_hash(last), &last);
}

enum nkv_status nkv_next(struct nkv_store *store, struct nkv_iterator *iterator)
{
    enum nkv_status status = nkv_enter(store, NKV_ACCESS_READ_ONLY);

    if (status == NKV_OK)
        status = next(store, iterator);
    return nkv_leave(store, status);
}
