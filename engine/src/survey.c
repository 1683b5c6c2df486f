/* A survey of the flash, place by place. */
#include "access.h"
#include "flash_io.h"
#include "index.h"
#include "lookup.h"
#include "scan.h"
#include "sector.h"

#include <norkv/survey.h>

/* Whether everything from address to the sector's end is erased. */
static enum nkv_status is_erased_behind(struct nkv_store *store,
                                        uint32_t sector, uint32_t address,
                                        bool *erased)
{
    uint32_t limit = sector * store->sector_bytes + store->sector_bytes;
    uint32_t end;
    enum nkv_status status = nkv_flash_skip(store, address, limit, 0xFF, &end);

    *erased = end == limit;
    return status;
}

/*
 * Whether a damaged entry with a sound header was never programmed to its end:
 * its extent reaches into erased flash, or its last byte is erased, or all but
 * its padding is intact.
 */
static bool is_unfinished(struct nkv_store *store, struct nkv_scan *region)
{
    struct nkv_entry *entry = &region->entry;
    const struct nkv_content content = nkv_content_on_flash(entry);
    uint8_t last = 0;

    if (entry->size > (region->position - region->address))
        return true;
    if (nkv_flash_read(store, entry->address + entry->size - 1, &last, 1) !=
        NKV_OK)
        return false;
    return last == 0xFF ||
           nkv_content_pass(store, &content, NKV_PASS_VERIFY, NULL) == NKV_OK;
}

/*
 * An interrupted write is the last thing in its sector and not programmed to
 * its end. Its header may be incomplete too: then its last byte, of the id, is
 * erased.
 */
static enum nkv_status is_torn(struct nkv_store *store, struct nkv_scan *region,
                               const struct nkv_place *place, bool *torn)
{
    const struct nkv_entry *entry = &region->entry;
    enum nkv_status status = is_erased_behind(
        store, place->sector,
        region->address + (region->position - region->address), torn);

    if (status != NKV_OK || !*torn)
        return status;
    if (region->sound_header)
        *torn = is_unfinished(store, region);
    else
        *torn = (region->position - region->address) == NKV_UNIT &&
                (entry->magic == NKV_ERASED_MAGIC || entry->id >> 24 == 0xFF);
    return NKV_OK;
}

static enum nkv_status fill_key(struct nkv_store *store,
                                const struct nkv_entry *entry,
                                struct nkv_place *place)
{
    place->key_size = entry->key_size;
    place->version = entry->id;
    return nkv_entry_read_key(store, entry, place->key);
}

static enum nkv_status describe_damage(struct nkv_store *store,
                                       struct nkv_scan *region,
                                       struct nkv_place *place)
{
    struct nkv_entry indexed;
    uint32_t slot;
    bool torn;
    enum nkv_status status =
        nkv_entry_read(store, region->address, &region->entry);

    /* It may read otherwise than before. */
    if (status == NKV_DATA_LOSS)
        region->sound_header = false;
    if (status == NKV_NOT_FOUND || status == NKV_DATA_LOSS)
        status = NKV_OK;
    if (status == NKV_OK && region->sound_header &&
        (uint32_t)NKV_UNIT + region->entry.key_size <=
            (region->position - region->address)) {
        status = fill_key(store, &region->entry, place);
        if (status == NKV_OK)
            status =
                nkv_find(store, &(struct nkv_span){place->key, place->key_size},
                         NKV_WANT_ANY, &slot, &indexed);
        place->intact_elsewhere =
            status == NKV_OK && indexed.id == region->entry.id;
    }
    if (status != NKV_OK && status != NKV_NOT_FOUND && status != NKV_DATA_LOSS)
        return status;
    status = is_torn(store, region, place, &torn);
    place->kind = torn ? NKV_PLACE_TORN : NKV_PLACE_CORRUPT;
    return status;
}

static enum nkv_status describe_entry(struct nkv_store *store,
                                      struct nkv_scan *region,
                                      struct nkv_place *place, bool *lacking)
{
    uint32_t slot;
    enum nkv_status status = fill_key(store, &region->entry, place);

    if (status != NKV_OK)
        return status;
    place->kind = NKV_PLACE_STALE;
    slot = nkv_find_address(
        store, nkv_hash((struct nkv_span){place->key, place->key_size}),
        region->address);
    if (slot == NKV_NONE)
        return NKV_OK;
    place->kind =
        region->entry.is_tombstone ? NKV_PLACE_TOMBSTONE : NKV_PLACE_LIVE;
    *lacking = nkv_slot_copies(store, slot) < store->copies &&
               nkv_slot_address(store, slot, 0) == region->address;
    return NKV_OK;
}

static enum nkv_place_kind erased_kind(const struct nkv_store *store,
                                       const struct nkv_place *place)
{
    enum nkv_sector_state state = nkv_sector(store, place->sector)->state;

    return state == NKV_SECTOR_ERASED || state == NKV_SECTOR_OPEN
               ? NKV_PLACE_FREE
               : NKV_PLACE_STALE;
}

/* What a region is; *lacking: its entry lacks copies. */
static enum nkv_status describe(struct nkv_store *store,
                                struct nkv_scan *region,
                                struct nkv_place *place, bool *lacking)
{
    *place = (struct nkv_place){
        .sector = nkv_sector_of(store, region->address),
        .offset = region->address,
        .size = (region->position - region->address),
    };
    *lacking = false;
    switch ((enum nkv_region_kind)region->kind) {
    case NKV_REGION_ENTRY:
        return describe_entry(store, region, place, lacking);
    case NKV_REGION_CORRUPT:
        /* On flash that was never erased, all zero, nothing is lost. */
        place->kind = NKV_PLACE_STALE_ERASE;
        return nkv_sector(store, place->sector)->state == NKV_SECTOR_DIRTY
                   ? NKV_OK
                   : describe_damage(store, region, place);
    case NKV_REGION_FOREIGN:
        place->kind = NKV_PLACE_FOREIGN;
        return fill_key(store, &region->entry, place);
    case NKV_REGION_STALE_ERASE:
        place->kind = NKV_PLACE_STALE_ERASE;
        return NKV_OK;
    case NKV_REGION_ERASED:
    default:
        place->kind = erased_kind(store, place);
        return NKV_OK;
    }
}

/* NKV_CANCELLED: the visitor has had enough. */
static enum nkv_status
survey_sector(struct nkv_store *store, uint32_t sector,
              bool (*visit)(void *context, const struct nkv_place *place),
              void *context)
{
    struct nkv_scan scan;
    enum nkv_status status;

    nkv_scan_begin(store, &scan, sector, 0);
    while ((status = nkv_scan_next(store, &scan)) == NKV_OK) {
        struct nkv_place place;
        bool lacking;
        status = describe(store, &scan, &place, &lacking);
        if (status != NKV_OK)
            return status;
        if (!visit(context, &place))
            return NKV_CANCELLED;
        place.kind = NKV_PLACE_MISSING_COPY;
        place.size = 0;
        if (lacking && !visit(context, &place))
            return NKV_CANCELLED;
    }
    return status == NKV_NOT_FOUND ? NKV_OK : status;
}

enum nkv_status nkv_survey(struct nkv_store *store,
                           bool (*visit)(void *context,
                                         const struct nkv_place *place),
                           void *context)
{
    enum nkv_status status = nkv_enter(store, NKV_ACCESS_READ_ONLY);

    for (uint32_t i = 0; i < store->sector_count && status == NKV_OK; i++)
        status = survey_sector(store, i, visit, context);
    return nkv_leave(store, status == NKV_CANCELLED ? NKV_OK : status);
}

enum nkv_status nkv_survey_sector(struct nkv_store *store, uint32_t sector,
                                  bool (*visit)(void *context,
                                                const struct nkv_place *place),
                                  void *context)
{
    enum nkv_status status = nkv_enter(store, NKV_ACCESS_READ_ONLY);

    if (status == NKV_OK && sector >= store->sector_count)
        status = NKV_OUT_OF_RANGE;
    if (status == NKV_OK)
        status = survey_sector(store, sector, visit, context);
    return nkv_leave(store, status == NKV_CANCELLED ? NKV_OK : status);
}
