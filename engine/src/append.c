#include "append.h"

#include "flash_io.h"

#include <string.h>

/* Gathers bytes in the caller's buffer and programs it whenever it is full. */
struct writer {
    struct nkv_store *store;
    uint32_t address;
    uint32_t filled;
};

static enum nkv_status flush(struct writer *writer)
{
    const uint8_t *buffer = writer->store->config->memory.buffer;
    uint32_t size = writer->filled;

    if (size == 0)
        return NKV_OK;
    writer->address += size;
    writer->filled = 0;
    return nkv_flash_program(writer->store, writer->address - size, buffer,
                             size);
}

static enum nkv_status take_bytes(void *context, const uint8_t *data,
                                  uint32_t size)
{
    struct writer *writer = context;
    uint8_t *buffer = writer->store->config->memory.buffer;
    uint32_t room = (uint32_t)writer->store->config->memory.buffer_size;
    enum nkv_status status = NKV_OK;

    while (size > 0 && status == NKV_OK) {
        uint32_t n =
            room - writer->filled < size ? room - writer->filled : size;
        memcpy(buffer + writer->filled, data, n);
        writer->filled += n;
        data += n;
        size -= n;
        if (writer->filled == room)
            status = flush(writer);
    }
    return status;
}

/* Whether the entry that ends at end came out intact. */
static enum nkv_status verify_at(struct nkv_store *store,
                                 const struct nkv_entry *entry, uint32_t end)
{
    struct nkv_entry written = *entry;

    written.address = end - entry->size;
    return nkv_entry_verify(store, &written, NULL);
}

static enum nkv_status program_entry(struct nkv_store *store, uint32_t sector,
                                     const struct nkv_content *content,
                                     uint32_t *address)
{
    uint32_t used = nkv_sector_used(store, sector);
    struct writer writer = {store, nkv_sector_start(store, sector) + used, 0};
    const struct nkv_sink sink = {take_bytes, &writer};
    enum nkv_status status;

    *address = writer.address;
    status = nkv_entry_feed(store, content, &sink);
    if (status == NKV_OK)
        status = flush(&writer);
    /* What was read from flash to be copied may have been misread. */
    if (status == NKV_OK && content->source != NKV_NONE)
        status = verify_at(store, &content->entry, writer.address);
    if (status == NKV_OK)
        nkv_sector_set_used(store, sector, used + content->entry.size);
    nkv_sector(store, sector)->touched_id = store->next_id;
    return status;
}

enum nkv_status nkv_append(struct nkv_store *store, uint32_t sector,
                           const struct nkv_content *content, uint32_t *address)
{
    bool was_erased = nkv_sector(store, sector)->state == NKV_SECTOR_ERASED;
    enum nkv_status status = program_entry(store, sector, content, address);

    if (status == NKV_OK)
        return NKV_OK;
    if (!was_erased) {
        nkv_sector_set_state(store, sector, NKV_SECTOR_DAMAGED);
        return status;
    }
    /* An erase that was cut may read as erased and yet not take a program:
     * erase it again, and when that does not help, never use it. */
    if (nkv_sector_erase(store, sector) == NKV_OK) {
        status = program_entry(store, sector, content, address);
        if (status != NKV_OK)
            nkv_sector_set_state(store, sector, NKV_SECTOR_FAILED);
    }
    return status;
}

/* What to write for a copy of an entry. */
static enum nkv_status prepare_copy(struct nkv_store *store,
                                    const struct nkv_entry *entry,
                                    struct nkv_content *content)
{
    *content = (struct nkv_content){.entry = *entry, .source = entry->address};
    if (entry->size % store->flash->program_unit == 0)
        return NKV_OK;
    return nkv_entry_seal_as(store, content, nkv_format_of(store, entry->magic),
                             entry->id);
}

/* A collection that opens an erased sector makes it its spare. */
static void note_spare(struct nkv_store *store, uint32_t sector,
                       enum nkv_purpose purpose)
{
    if (purpose == NKV_FOR_COLLECTING && store->spare == NKV_NONE &&
        nkv_sector(store, sector)->state == NKV_SECTOR_ERASED)
        store->spare = sector;
    nkv_sector(store, sector)->holds_cold |= purpose == NKV_FOR_COLLECTING;
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
                                    enum nkv_purpose purpose, uint32_t *address)
{
    enum nkv_status status = NKV_OK;

    for (int i = 0; i < NKV_APPEND_TRIES; i++) {
        uint32_t sector = choose(store, content->entry.size, taken, purpose);
        if (sector == NKV_NONE)
            return status == NKV_OK ? NKV_RESOURCE_EXHAUSTED : status;
        note_spare(store, sector, purpose);
        status = nkv_append(store, sector, content, address);
        if (status == NKV_OK)
            break;
        if (sector == store->spare)
            store->spare = NKV_NONE;
    }
    return status;
}

enum nkv_status nkv_append_copy(struct nkv_store *store,
                                const struct nkv_entry *entry,
                                const struct nkv_sector_set *taken,
                                enum nkv_purpose purpose,
                                struct nkv_entry *copy)
{
    struct nkv_content content;
    enum nkv_status status = prepare_copy(store, entry, &content);

    if (status != NKV_OK)
        return status;
    status = nkv_append_anywhere(store, &content, taken, purpose,
                                 &content.entry.address);
    *copy = content.entry;
    return status;
}
