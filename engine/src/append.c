#include "append.h"

#include "flash_io.h"
#include "lookup.h"

static enum nkv_status program_entry(struct nkv_store *store, uint32_t sector,
                                     const struct nkv_content *content)
{
    const struct nkv_memory *memory = &store->config->memory;
    uint32_t used = nkv_sector_used(store, sector);
    uint32_t size = content->entry->size;
    enum nkv_status status = NKV_OK;

    content->entry->address = sector * store->sector_bytes + used;
    for (uint32_t done = 0, n; status == NKV_OK && done < size; done += n) {
        n = size - done < memory->buffer_size ? size - done
                                              : (uint32_t)memory->buffer_size;
        status = nkv_content_read(store, content, done, n);
        if (status == NKV_OK)
            status = nkv_flash_program(store, content->entry->address + done,
                                       memory->buffer, n);
    }
    /* What was read from flash to be copied may have been misread. */
    if (status == NKV_OK && content->key == NULL)
        status = nkv_entry_verify(store, content->entry, NULL);
    if (status == NKV_OK)
        nkv_sector_set_used(store, sector, used + size);
    nkv_sector(store, sector)->touched_id = store->next_id - 1;
    return status;
}

enum nkv_status nkv_append(struct nkv_store *store, uint32_t sector,
                           const struct nkv_content *content)
{
    bool was_erased = nkv_sector(store, sector)->state == NKV_SECTOR_ERASED;
    enum nkv_status status = program_entry(store, sector, content);

    if (status == NKV_OK)
        return NKV_OK;
    nkv_sector_set_state(store, sector, NKV_SECTOR_DAMAGED);
    /* An erase that was cut may read as erased and yet not take a program:
     * erase it again, and when that does not help, leave it alone. */
    if (was_erased && nkv_sector_erase(store, sector) == NKV_OK) {
        status = program_entry(store, sector, content);
        if (status != NKV_OK)
            nkv_sector_set_state(store, sector, NKV_SECTOR_RETIRED);
    }
    return status;
}

/* The sector for an entry, from the best purpose to the most general. */
static uint32_t choose(const struct nkv_store *store, uint32_t size,
                       const struct nkv_sector_set *taken,
                       enum nkv_purpose purpose)
{
    uint32_t sector = nkv_sector_choose(store, size, taken, purpose);

    if (sector == NKV_NONE && purpose == NKV_FOR_WRITING_COLD)
        sector = nkv_sector_choose(store, size, taken, NKV_FOR_WRITING_APART);
    if (sector == NKV_NONE && purpose != NKV_FOR_COLLECTING)
        sector = nkv_sector_choose(store, size, taken, NKV_FOR_WRITING);
    return sector;
}

enum nkv_status nkv_append_anywhere(struct nkv_store *store,
                                    const struct nkv_content *content,
                                    const struct nkv_sector_set *taken,
                                    enum nkv_purpose purpose)
{
    enum nkv_status status = NKV_RESOURCE_EXHAUSTED;

    for (int i = 0; i < NKV_APPEND_TRIES; i++) {
        uint32_t sector = choose(store, content->entry->size, taken, purpose);
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
    const struct nkv_content content = {
        .entry = entry,
        .source = entry->address,
        .source_size = (uint32_t)NKV_UNIT + entry->key_size + entry->value_size,
    };
    struct nkv_sector_set taken;
    bool refreshed = store->refresh_left > 0 && purpose == NKV_FOR_COLLECTING;
    enum nkv_status status = NKV_OK;

    nkv_sectors_of_slot(store, slot, &taken);
    if (refreshed)
        entry->id = nkv_take_id(store);
    if (refreshed || entry->size % store->flash->program_unit != 0)
        status = nkv_content_seal(store, &content);
    if (status == NKV_OK)
        status = nkv_append_anywhere(store, &content, &taken, purpose);
    return status;
}
