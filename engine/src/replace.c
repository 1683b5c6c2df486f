#include "replace.h"

#include "collect.h"
#include "index.h"
#include "lookup.h"
#include "tombstones.h"

/* What a new entry makes superfluous: two entries, or twice the same. */
struct superfluous {
    uint32_t address[2];
    uint32_t size[2];
};

static void note(struct superfluous *superfluous, int at,
                 const struct nkv_entry *entry)
{
    superfluous->address[at] = entry->address;
    superfluous->size[at] = entry->size;
}

/* Notes what a key has now. False: nothing. */
static NKV_APART bool note_old(struct nkv_store *store, struct nkv_span key,
                               struct superfluous *superfluous)
{
    struct nkv_entry entry;
    uint32_t slot;

    if (nkv_find(store, &key, NKV_WANT_ANY, &slot, &entry) != NKV_OK)
        return false;
    note(superfluous, 0, &entry);
    note(superfluous, 1, &entry);
    return true;
}

/* Notes the tombstone that has the newest id, and gives its slot or NKV_NONE.
 */
static NKV_APART uint32_t note_newest(struct nkv_store *store, bool has_old,
                                      struct superfluous *superfluous)
{
    struct nkv_entry entry;
    uint32_t slot = nkv_tombstones_find_newest(store, &entry);

    for (int i = has_old; i < 2 && slot != NKV_NONE; i++)
        note(superfluous, i, &entry);
    return slot;
}

/* Whether an entry finds room in a sector once that was emptied but for what is
 * superfluous. */
static bool takes_without(const struct nkv_store *store, uint32_t sector,
                          const struct superfluous *superfluous, uint32_t size)
{
    uint32_t live = nkv_sector_live(store, sector);

    for (int i = 0; i < 2; i++)
        if (nkv_sector_of(store, superfluous->address[i]) == sector &&
            (i == 0 || superfluous->address[1] != superfluous->address[0]))
            live -= superfluous->size[i];
    return live + size <= store->sector_bytes;
}

/* The sector to empty so that an entry finds room, or NKV_NONE. */
static NKV_APART uint32_t
find_replaceable(const struct nkv_store *store,
                 const struct superfluous *superfluous, uint32_t size)
{
    for (int i = 0; i < 2; i++) {
        uint32_t sector = nkv_sector_of(store, superfluous->address[i]);
        if (store->erased_sectors > 0 && !nkv_collecting(store) &&
            takes_without(store, sector, superfluous, size))
            return sector;
    }
    return NKV_NONE;
}

/* Empties a sector but for what is superfluous. */
static enum nkv_status make_room_in(struct nkv_store *store, uint32_t sector,
                                    const struct superfluous *superfluous)
{
    enum nkv_status status;

    store->replaced[0] = superfluous->address[0];
    store->replaced[1] = superfluous->address[1];
    status = nkv_collect_begin(store, sector);
    if (status == NKV_OK)
        status = nkv_collect_finish(store);
    return status == NKV_NOT_FOUND ? NKV_OK : status;
}

static enum nkv_status make_room(struct nkv_store *store, struct nkv_span key,
                                 uint32_t size)
{
    for (uint32_t i = store->sector_count; i > 0; i--) {
        struct superfluous superfluous;
        uint32_t slot, needed_by, sector;
        bool has_old = note_old(store, key, &superfluous);
        if (nkv_tombstones_sweep(store, &needed_by) != NKV_OK)
            break;
        slot = note_newest(store, has_old, &superfluous);
        if (!has_old && slot == NKV_NONE)
            break;
        sector = find_replaceable(store, &superfluous, size);
        if (sector == NKV_NONE)
            break;
        if (slot == NKV_NONE || needed_by == NKV_NONE ||
            !nkv_slot_is_marked(store, slot))
            return make_room_in(store, sector, &superfluous);
        /* An old value still needs the tombstone. */
        if (nkv_collect_sector(store, needed_by) != NKV_OK)
            break;
    }
    return NKV_RESOURCE_EXHAUSTED;
}

enum nkv_status nkv_write_by_replacing(struct nkv_store *store,
                                       const struct nkv_change *change,
                                       uint32_t size)
{
    uint32_t needed_by;
    enum nkv_status status = make_room(store, change->key, size);

    if (status == NKV_OK) {
        status = nkv_write_first_copy(store, change, NKV_FOR_COLLECTING);
        (void)nkv_tombstones_sweep(store, &needed_by);
    }
    /* Written is written: what fails in finishing is made up for later. */
    store->replaced[0] = NKV_NONE;
    store->replaced[1] = NKV_NONE;
    (void)nkv_collect_finish(store);
    return status;
}
