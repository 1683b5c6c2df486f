/* How large a value may be. */
#include "access.h"
#include "entry.h"
#include "room.h"
#include "sector.h"

/* The largest value in an entry of at most so many bytes. */
static uint32_t value_in(const struct nkv_store *store, uint32_t room,
                         size_t key_size)
{
    uint32_t alignment = nkv_entry_size(store, 0, 0);
    uint32_t overhead = NKV_UNIT + (uint32_t)key_size;

    room -= room % alignment;
    if (key_size > NKV_KEY_SIZE_MAX || overhead > room)
        return NKV_NONE_FITS;
    room -= overhead;
    return room < NKV_VALUE_SIZE_MAX ? room : (uint32_t)NKV_VALUE_SIZE_MAX;
}

uint32_t nkv_value_size_max(const struct nkv_store *store, size_t key_size)
{
    uint32_t size = value_in(store, store->sector_bytes, key_size);

    return size == NKV_NONE_FITS ? 0 : size;
}

/* The largest entry that finds room for sure. */
static uint32_t room_for_sure(const struct nkv_store *store)
{
    uint32_t most = 0;

    if (store->copies == 1)
        return nkv_room_largest(store);
    for (uint32_t i = 0; i < store->sector_count; i++) {
        uint32_t room = store->sector_bytes - nkv_sector_used(store, i);
        if (room > most && nkv_room_is_there(store, room))
            most = room;
    }
    return most;
}

uint32_t nkv_value_size_free(const struct nkv_store *store, size_t key_size)
{
    uint32_t size = NKV_NONE_FITS;

    if (nkv_enter(store, NKV_ACCESS_FULL) == NKV_OK &&
        store->keys < store->config->max_keys)
        size = value_in(store, room_for_sure(store), key_size);
    (void)nkv_leave(store, NKV_OK);
    return size;
}
