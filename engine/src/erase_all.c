/*
 * Erasing a whole store so that a cut never brings half of it back.
 *
 * Order: a marker is written; every other sector is erased; a tombstone is
 * written, which keeps ids from starting anew; the marker's sector is erased
 * last. While there is a marker and nothing newer, mount refuses.
 *
 * A sector that cannot be erased goes on holding values: each is deleted,
 * before that tombstone, with an id below the marker's, which is chosen high
 * enough. So nothing is newer than the marker until all is gone.
 */
#include "access.h"
#include "append.h"
#include "copies.h"
#include "index.h"
#include "lookup.h"
#include "marker.h"
#include "mount.h"
#include "read_flash.h"
#include "write.h"

/* The key of the marker and of the tombstone that stays. */
static const uint8_t name[] = {NKV_MARKER_KEY};

/* A tombstone with that key. */
struct note {
    uint32_t magic;
    uint32_t id;
};

static enum nkv_status append_note(struct nkv_store *store, uint32_t sector,
                                   const struct note *note)
{
    struct nkv_entry entry = {
        .magic = note->magic,
        .id = note->id,
        .key_size = sizeof name,
        .is_tombstone = true,
    };
    const struct nkv_content content = {.entry = &entry, .key = name};
    enum nkv_status status = nkv_content_seal(store, &content);

    return status == NKV_OK ? nkv_append(store, sector, &content) : status;
}

/* An erased sector; else one with room for a note behind its entries; else
 * NKV_NONE. Other than `but`. */
static uint32_t find_place(const struct nkv_store *store, uint32_t but)
{
    uint32_t open = NKV_NONE;

    for (uint32_t i = 0; i < store->sector_count; i++) {
        if (i == but)
            continue;
        if (nkv_sector(store, i)->state == NKV_SECTOR_ERASED)
            return i;
        if (nkv_sector_room(store, i) >= nkv_entry_size(store, sizeof name, 0))
            open = i;
    }
    return open;
}

/* Writes a note to a sector other than this; *sector is the note's then, or,
 * NKV_NONE, there is no place. */
static enum nkv_status append_elsewhere(struct nkv_store *store,
                                        uint32_t *sector,
                                        const struct note *note)
{
    uint32_t but = *sector;
    enum nkv_status status = NKV_INTERNAL;

    for (int i = 0; i < NKV_APPEND_TRIES && status != NKV_OK; i++) {
        *sector = find_place(store, but);
        if (*sector == NKV_NONE)
            break;
        status = append_note(store, *sector, note);
    }
    return status;
}

/* The sector with the fewest live bytes, if possible one that has not failed.
 */
static uint32_t find_emptiest(const struct nkv_store *store)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < store->sector_count; i++)
        if (nkv_sector(store, best)->state == NKV_SECTOR_RETIRED ||
            (nkv_sector(store, i)->state != NKV_SECTOR_RETIRED &&
             nkv_sector_live(store, i) < nkv_sector_live(store, best)))
            best = i;
    return best;
}

/* Only on flash without a place for the marker, because it is full to the last
 * byte or what is free fails, something has to go before. */
static enum nkv_status write_marker(struct nkv_store *store,
                                    const struct note *marker, uint32_t *sector)
{
    enum nkv_status status;

    *sector = NKV_NONE;
    status = append_elsewhere(store, sector, marker);
    if (*sector != NKV_NONE)
        return status;
    (void)nkv_sector_erase(store, find_emptiest(store));
    *sector = NKV_NONE;
    status = append_elsewhere(store, sector, marker);
    /* What the index says to lie there does not any more. */
    if (status != NKV_OK)
        store->access = NKV_ACCESS_NONE;
    return status;
}

/* One that cannot be erased is retired. */
static void erase_others(struct nkv_store *store, uint32_t but)
{
    for (uint32_t i = 0; i < store->sector_count; i++)
        if (i != but && nkv_sector(store, i)->state != NKV_SECTOR_ERASED)
            (void)nkv_sector_erase(store, i);
}

/* A marker behind entries moves to a sector of its own: the erase of a sector
 * may be cut so that the marker goes and entries stay. */
static enum nkv_status isolate_marker(struct nkv_store *store,
                                      const struct note *marker,
                                      uint32_t *sector)
{
    uint32_t from = *sector;
    enum nkv_status status;

    if (nkv_sector_used(store, from) == nkv_entry_size(store, sizeof name, 0))
        return NKV_OK;
    status = append_elsewhere(store, sector, marker);
    if (status == NKV_OK)
        (void)nkv_sector_erase(store, from);
    return status;
}

/* Deletes the keys that lie in sectors that could not be erased. */
static enum nkv_status delete_what_is_left(struct nkv_store *store)
{
    for (uint32_t slot = 0; slot < store->slots; slot++) {
        struct nkv_entry entry;
        enum nkv_status status;
        if (!nkv_slot_is_used(store, slot) ||
            nkv_slot_is_tombstone(store, slot))
            continue;
        status = nkv_slot_read(store, slot, &entry);
        if (status == NKV_OK)
            status = nkv_write_key_of(store, &entry, NKV_CHANGE_DELETE);
        if (status != NKV_OK)
            return status;
    }
    return NKV_OK;
}

/* Everything behind the marker, which lies in this sector. */
static enum nkv_status erase_marked(struct nkv_store *store,
                                    const struct note *marker, uint32_t sector)
{
    const struct note keeper = {store->formats->magic, marker->id + 1};
    uint32_t other;
    enum nkv_status status;

    store->victim = NKV_NONE;
    store->spare = NKV_NONE;
    store->is_trusting = false;
    erase_others(store, sector);
    status = isolate_marker(store, marker, &sector);
    if (status == NKV_OK)
        status = nkv_read_flash(store);
    if (status != NKV_OK)
        return status;
    /* Nothing is to happen to the marker yet. */
    nkv_sector_set_state(store, sector, NKV_SECTOR_RETIRED);
    status = delete_what_is_left(store);
    other = sector;
    if (status == NKV_OK)
        status = append_elsewhere(store, &other, &keeper);
    if (status != NKV_OK)
        return status;
    store->next_id = keeper.id + 1;
    (void)nkv_sector_erase(store, sector);
    status = nkv_read_flash(store);
    store->lacks_copies = store->copies > 1;
    if (status == NKV_OK)
        status = nkv_copies_complete(store);
    return status == NKV_RESOURCE_EXHAUSTED ? NKV_OK : status;
}

static bool is_blank(const struct nkv_store *store)
{
    return !store->has_entries && store->erased_sectors == store->sector_count;
}

static enum nkv_status erase_all(struct nkv_store *store)
{
    struct note marker = {NKV_MARKER_MAGIC, 0};
    uint32_t sector;
    enum nkv_status status = NKV_OK;

    /* After a mount that could not read, it is not known what lies where. */
    if (store->access == NKV_ACCESS_NONE)
        status = nkv_mount_unlocked(store, store->config);
    if (store->access == NKV_ACCESS_NONE)
        return status;
    status = NKV_OK;
    if (!is_blank(store)) {
        marker.id = store->next_id + store->slots;
        /* Neither its id nor the next may be 0. */
        if (marker.id + 1 <= 1)
            marker.id += 2;
        status = write_marker(store, &marker, &sector);
        if (status != NKV_OK)
            return status;
        store->access = NKV_ACCESS_READ_ONLY;
        store->is_half_erased = true;
        status = erase_marked(store, &marker, sector);
    }
    if (status == NKV_OK && store->access != NKV_ACCESS_NONE) {
        store->access = NKV_ACCESS_FULL;
        store->is_half_erased = false;
    }
    return status;
}

enum nkv_status nkv_erase_all(struct nkv_store *store)
{
    enum nkv_status status;

    (void)nkv_enter(store, NKV_ACCESS_NONE);
    status = store->config == NULL ? NKV_FAILED_PRECONDITION : erase_all(store);
    return nkv_leave(store, status);
}
