/*
 * Erasing a whole store so that a cut never brings half of it back.
 *
 * Order: a marker is written; every other sector is erased; a tombstone with
 * the next id is written, which keeps ids from starting anew; the marker's
 * sector is erased last. While the marker is on flash, mount refuses.
 */
#include "append.h"
#include "flash_io.h"
#include "index.h"
#include "lookup.h"
#include "marker.h"
#include "write.h"

static const struct nkv_format marker_format = {
    .magic = NKV_MARKER_MAGIC,
    .checksum = &nkv_checksum_crc16,
};

/* The key of the marker and of the tombstone that stays. */
static const uint8_t name[] = {0};

static enum nkv_status append_note(struct nkv_store *store, uint32_t sector,
                                   const struct nkv_format *format,
                                   struct nkv_content *note)
{
    enum nkv_status status;

    *note = (struct nkv_content){
        .key = {name, sizeof name},
        .source = NKV_NONE,
        .entry = {.key_size = sizeof name, .is_tombstone = true},
    };
    status = nkv_entry_seal_as(store, note, format, store->next_id);
    if (status == NKV_OK)
        status = nkv_append(store, sector, note, &note->entry.address);
    return status;
}

static uint32_t find_erased(const struct nkv_store *store, uint32_t but)
{
    for (uint32_t i = 0; i < nkv_sector_count(store); i++)
        if (i != but && nkv_sector(store, i)->state == NKV_SECTOR_ERASED)
            return i;
    return NKV_NONE;
}

/* A sector with room for the marker behind its entries. */
static uint32_t find_open(const struct nkv_store *store)
{
    for (uint32_t i = 0; i < nkv_sector_count(store); i++)
        if (nkv_sector(store, i)->state == NKV_SECTOR_OPEN &&
            store->sector_bytes - nkv_sector_used(store, i) >=
                nkv_entry_size(store, sizeof name, 0))
            return i;
    return NKV_NONE;
}

/* The sector with the fewest live bytes. */
static uint32_t find_emptiest(const struct nkv_store *store)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < nkv_sector_count(store); i++)
        if (nkv_sector_live(store, i) < nkv_sector_live(store, best))
            best = i;
    return best;
}

/* Where the marker goes. Only on flash that is full to the last byte something
 * has to go before there is a place. */
static enum nkv_status make_place(struct nkv_store *store, uint32_t *sector)
{
    *sector = find_erased(store, NKV_NONE);
    if (*sector == NKV_NONE)
        *sector = find_open(store);
    if (*sector != NKV_NONE)
        return NKV_OK;
    *sector = find_emptiest(store);
    return nkv_sector_erase(store, *sector);
}

static enum nkv_status write_marker(struct nkv_store *store, uint32_t *sector)
{
    struct nkv_content note;
    enum nkv_status status = make_place(store, sector);

    if (status == NKV_OK)
        status = append_note(store, *sector, &marker_format, &note);
    return status;
}

static enum nkv_status erase_others(struct nkv_store *store, uint32_t but)
{
    enum nkv_status result = NKV_OK;

    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        enum nkv_status status = NKV_OK;
        if (i != but && nkv_sector(store, i)->state != NKV_SECTOR_ERASED)
            status = nkv_sector_erase(store, i);
        if (status != NKV_OK)
            result = status;
    }
    return result;
}

/* A marker behind entries moves to a sector of its own: the erase of a sector
 * may be cut so that the marker goes and entries stay. */
static enum nkv_status isolate_marker(struct nkv_store *store, uint32_t *sector)
{
    struct nkv_content note;
    uint32_t old = *sector;
    enum nkv_status status;

    if (nkv_sector_used(store, old) == nkv_entry_size(store, sizeof name, 0))
        return NKV_OK;
    *sector = find_erased(store, old);
    if (*sector == NKV_NONE)
        return NKV_INTERNAL;
    status = append_note(store, *sector, &marker_format, &note);
    return status == NKV_OK ? nkv_sector_erase(store, old) : status;
}

/* Forgets all keys; counters of the session stay. */
static void forget(struct nkv_store *store)
{
    nkv_index_clear(store);
    store->keys = 0;
    store->tombstones = 0;
    store->victim = NKV_NONE;
    store->spare = NKV_NONE;
    store->replaced = NKV_NONE;
    store->lacks_copies = false;
    for (uint32_t i = 0; i < nkv_sector_count(store); i++)
        nkv_sector(store, i)->live_units = 0;
}

/* The tombstone that carries the id, indexed like any other. */
static enum nkv_status write_keeper(struct nkv_store *store, uint32_t sector)
{
    struct nkv_content note;
    uint32_t slot;
    enum nkv_status status =
        append_note(store, sector, &store->formats[0], &note);

    if (status != NKV_OK)
        return status;
    slot = nkv_index_insert(store, nkv_hash(note.key));
    nkv_remember_address(store, slot, note.entry.address, note.entry.size);
    nkv_slot_set_tombstone(store, slot, true);
    store->tombstones = 1;
    store->newest_id = note.entry.id;
    store->next_id = note.entry.id + 1 == 0 ? 1 : note.entry.id + 1;
    store->head = sector;
    store->has_entries = true;
    return NKV_OK;
}

/* The other copies need the marker's sector, when there are few. */
static enum nkv_status complete_keeper(struct nkv_store *store)
{
    struct nkv_entry keeper;
    uint32_t slot;
    enum nkv_status status =
        nkv_find(store, (struct nkv_span){name, sizeof name}, NKV_WANT_ANY,
                 &slot, &keeper);

    if (status == NKV_OK)
        status = nkv_complete_copies(store, slot, &keeper);
    store->lacks_copies = status != NKV_OK;
    return status == NKV_RESOURCE_EXHAUSTED ? NKV_OK : status;
}

static bool is_blank(const struct nkv_store *store)
{
    return !store->has_entries &&
           store->erased_sectors == nkv_sector_count(store);
}

/* Everything behind the marker. */
static enum nkv_status erase_marked(struct nkv_store *store, uint32_t marker)
{
    uint32_t keeper;
    enum nkv_status status;

    forget(store);
    status = erase_others(store, marker);
    if (status == NKV_OK)
        status = isolate_marker(store, &marker);
    keeper = find_erased(store, marker);
    if (status == NKV_OK)
        status =
            keeper == NKV_NONE ? NKV_INTERNAL : write_keeper(store, keeper);
    if (status == NKV_OK)
        status = nkv_sector_erase(store, marker);
    if (status == NKV_OK)
        status = complete_keeper(store);
    return status;
}

enum nkv_status nkv_erase_all(struct nkv_store *store)
{
    uint32_t marker;
    enum nkv_status status = NKV_OK;

    if (store->config == NULL)
        return NKV_FAILED_PRECONDITION;
    /* After a mount that could not read, it is not known what lies where. */
    if (store->access == NKV_ACCESS_NONE)
        status = nkv_mount(store, store->config);
    if (store->access == NKV_ACCESS_NONE)
        return status;
    if (!is_blank(store)) {
        status = write_marker(store, &marker);
        if (status != NKV_OK)
            return status;
        store->access = NKV_ACCESS_READ_ONLY;
        status = erase_marked(store, marker);
    }
    if (status == NKV_OK)
        store->access = NKV_ACCESS_FULL;
    return status;
}
