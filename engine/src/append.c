#include "append.h"

#include "lookup.h"

static enum nkv_status program_entry(struct nkv_store *store, uint32_t sector,
                                     const struct nkv_content *content)
{
    uint32_t used = nkv_sector_used(store, sector);
    enum nkv_status status;

    content->entry->address = sector * store->sector_bytes + used;
    status = nkv_content_pass(store, content, NKV_PASS_PROGRAM, NULL);
    if (status == NKV_OK)
        nkv_sector_set_used(store, sector, used + content->entry->size);
    nkv_sector(store, sector)->touched_id = store->next_id - 1;
    return status;
}

enum nkv_status nkv_append(struct nkv_store *store, uint32_t sector,
                           const struct nkv_content *content)
{
    bool try_again = nkv_sector(store, sector)->state == NKV_SECTOR_ERASED;
    enum nkv_sector_state after = NKV_SECTOR_DAMAGED;
    enum nkv_status status;

    for (;;) {
        status = program_entry(store, sector, content);
        if (status == NKV_OK)
            break;
        nkv_sector_set_state(store, sector, after);
        /* An erase that was cut may read as erased and yet not take a program:
         * erase it again, and when that does not help, leave it alone. */
        if (!try_again || nkv_sector_erase(store, sector) != NKV_OK)
            break;
        try_again = false;
        after = NKV_SECTOR_RETIRED;
    }
    return status;
}

/* The sector for an entry, from the best purpose to the most general. */
static uint32_t choose(const struct nkv_store *store, uint32_t size,
                       uint32_t slot, enum nkv_purpose purpose)
{
    uint32_t sector = nkv_sector_choose(store, size, slot, purpose);

    if (sector == NKV_NONE && purpose == NKV_FOR_WRITING_COLD)
        sector = nkv_sector_choose(store, size, slot, NKV_FOR_WRITING_APART);
    if (sector == NKV_NONE && purpose != NKV_FOR_COLLECTING)
        sector = nkv_sector_choose(store, size, slot, NKV_FOR_WRITING);
    return sector;
}

enum nkv_status nkv_append_anywhere(struct nkv_store *store,
                                    const struct nkv_content *content,
                                    uint32_t slot, enum nkv_purpose purpose)
{
    enum nkv_status status = NKV_RESOURCE_EXHAUSTED;

    for (int i = 0; i < NKV_APPEND_TRIES; i++) {
        uint32_t sector = choose(store, content->entry->size, slot, purpose);
        if (sector == NKV_NONE)
            break;
        if (purpose == NKV_FOR_COLLECTING) {
            /* A collection that opens an erased sector makes it its spare. */
            if (store->spare == NKV_NONE &&
                nkv_sector(store, sector)->state == NKV_SECTOR_ERASED)
                store->spare = sector;
            nkv_sector(store, sector)->flags |= NKV_FLAG_COLD;
        }
        status = nkv_append(store, sector, content);
        if (status == NKV_OK)
            break;
        if (sector == store->spare)
            store->spare = NKV_NONE;
    }
    return status;
}

enum nkv_status nkv_append_copy(struct nkv_store *store, uint32_t slot,
                                struct nkv_entry *entry,
                                enum nkv_purpose purpose)
{
    const struct nkv_content content = nkv_content_on_flash(entry);
    bool refreshed = store->refresh_left > 0 && purpose == NKV_FOR_COLLECTING;

    if (refreshed)
        entry->id = nkv_take_id(store);
    if (refreshed || entry->size % store->flash->program_unit != 0) {
        enum nkv_status status = nkv_content_seal(store, &content);
        if (status != NKV_OK)
            return status;
    }
    return nkv_append_anywhere(store, &content, slot, purpose);
}
