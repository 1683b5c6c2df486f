#include "entry.h"

#include "flash_io.h"
#include "hash.h"

#include <string.h>

enum {
    TOMBSTONE_VALUE_SIZE = 0xFFFF,
    OFFSET_CHECKSUM = 4,
    OFFSET_ALIGNMENT = 8,
    OFFSET_KEY_SIZE = 9,
    OFFSET_VALUE_SIZE = 10,
    OFFSET_ID = 12
};

const struct nkv_checksum *nkv_checksum_of(const struct nkv_store *store,
                                           uint32_t magic)
{
    const struct nkv_format *format = store->formats;

    for (uint32_t i = store->format_count; i > 0; i--, format++)
        if (format->magic == magic)
            return format->checksum;
    return NULL;
}

/* The alignment_units that entries are written with. */
static uint8_t alignment_units(const struct nkv_store *store)
{
    return (uint8_t)((store->flash->program_unit - 1) / NKV_UNIT);
}

void nkv_entry_measure(struct nkv_entry *entry)
{
    entry->size =
        nkv_round_up((uint32_t)NKV_UNIT + entry->key_size + entry->value_size,
                     (entry->alignment_units + 1u) * NKV_UNIT);
}

uint32_t nkv_entry_size(const struct nkv_store *store, uint32_t key_size,
                        uint32_t value_size)
{
    return nkv_round_up(NKV_UNIT + key_size + value_size,
                        (alignment_units(store) + 1u) * NKV_UNIT);
}

static void encode(const struct nkv_entry *entry, uint8_t *header)
{
    nkv_store_le32(header, entry->magic);
    nkv_store_le32(header + OFFSET_CHECKSUM, entry->checksum);
    header[OFFSET_ALIGNMENT] = entry->alignment_units;
    header[OFFSET_KEY_SIZE] = entry->key_size;
    nkv_store_le16(header + OFFSET_VALUE_SIZE,
                   entry->is_tombstone ? (uint16_t)TOMBSTONE_VALUE_SIZE
                                       : entry->value_size);
    nkv_store_le32(header + OFFSET_ID, entry->id);
}

static void decode(const uint8_t *header, struct nkv_entry *entry)
{
    entry->magic = nkv_load_le32(header);
    entry->checksum = nkv_load_le32(header + OFFSET_CHECKSUM);
    entry->alignment_units = header[OFFSET_ALIGNMENT];
    entry->key_size = header[OFFSET_KEY_SIZE];
    entry->value_size = nkv_load_le16(header + OFFSET_VALUE_SIZE);
    entry->id = nkv_load_le32(header + OFFSET_ID);
    entry->is_tombstone = entry->value_size == TOMBSTONE_VALUE_SIZE;
    if (entry->is_tombstone)
        entry->value_size = 0;
    nkv_entry_measure(entry);
}

/* Reads a header and up to so many bytes behind it to where the program buffer
 * is. *size: in, how many there are to be; out, how many it took, with the
 * header. */
static enum nkv_status read_header(struct nkv_store *store, uint32_t address,
                                   uint32_t *size, struct nkv_entry *entry)
{
    const struct nkv_memory *memory = &store->config->memory;
    uint32_t room = store->sector_bytes - address % store->sector_bytes;
    enum nkv_status status;

    *size += NKV_UNIT;
    if (*size > room)
        *size = room;
    if (*size > memory->buffer_size)
        *size = (uint32_t)memory->buffer_size;
    entry->address = address;
    entry->magic = NKV_ERASED_MAGIC;
    status = nkv_flash_read(store, address, memory->buffer, *size);
    if (status != NKV_OK)
        return status;
    decode(memory->buffer, entry);
    if (entry->key_size == 0 || entry->key_size > NKV_KEY_SIZE_MAX ||
        entry->size > room)
        return NKV_DATA_LOSS;
    return nkv_checksum_of(store, entry->magic) ? NKV_OK : NKV_NOT_FOUND;
}

enum nkv_status nkv_entry_read(struct nkv_store *store, uint32_t address,
                               struct nkv_entry *entry)
{
    uint32_t size = 0;

    return read_header(store, address, &size, entry);
}

enum nkv_status nkv_entry_match(struct nkv_store *store, uint32_t address,
                                const struct nkv_span *key, uint32_t hash,
                                struct nkv_entry *entry)
{
    uint8_t *buffer = store->config->memory.buffer;
    const uint8_t *found = buffer + NKV_UNIT;
    uint32_t state = NKV_HASH_START, at = 0, n = (uint32_t)key->size;
    enum nkv_status status = read_header(store, address, &n, entry);
    bool same = entry->key_size == key->size;

    n -= NKV_UNIT;
    while (status == NKV_OK && at < entry->key_size) {
        if (n > entry->key_size - at)
            n = entry->key_size - at;
        /* What did not come with the header. */
        if (found == buffer)
            status = nkv_flash_read(store, address + NKV_UNIT + at, buffer, n);
        same = same && memcmp(found, key->data + at, n) == 0;
        state = nkv_hash_add(state, found, n);
        at += n;
        found = buffer;
        n = NKV_UNIT;
    }
    if (status != NKV_OK)
        return status;
    if (same)
        return NKV_OK;
    return nkv_hash_end(state) == hash ? NKV_ALREADY_EXISTS : NKV_DATA_LOSS;
}

enum nkv_status nkv_entry_reread_id(struct nkv_store *store,
                                    const struct nkv_entry *entry)
{
    uint8_t id[sizeof entry->id];
    bool same;
    enum nkv_status status;

    nkv_store_le32(id, entry->id);
    status = nkv_flash_equals(store, entry->address + OFFSET_ID, id, sizeof id,
                              &same);
    return status == NKV_OK && !same ? NKV_DATA_LOSS : status;
}

enum nkv_status nkv_entry_read_key(struct nkv_store *store,
                                   const struct nkv_entry *entry, uint8_t *to)
{
    return nkv_flash_read(store, entry->address + NKV_UNIT, to,
                          entry->key_size);
}

/* The key and value bytes in a part of an entry, from memory; else zeros. */
static void gather(const struct nkv_content *content, uint32_t offset,
                   uint8_t *to, uint32_t size)
{
    uint32_t key_size = content->entry->key_size;

    for (; size > 0; size--, offset++) {
        /* Wraps in the header, and is larger than any size there. */
        uint32_t at = offset - NKV_UNIT;
        uint8_t byte = 0;
        if (content->key == NULL)
            byte = 0;
        else if (at < key_size)
            byte = content->key[at];
        else if (at - key_size < content->entry->value_size)
            byte = content->value[at - key_size];
        *to++ = byte;
    }
}

/* Puts a part of an entry into the program buffer. offset is 0 or behind the
 * header. */
static enum nkv_status fill_buffer(struct nkv_store *store,
                                   const struct nkv_content *content,
                                   uint32_t offset, uint32_t size)
{
    uint8_t *to = store->config->memory.buffer;
    uint32_t end = content->source_size;

    gather(content, offset, to, size);
    if (end > offset + size)
        end = offset + size;
    if (offset == 0) {
        encode(content->entry, to);
        to += NKV_UNIT;
        offset = NKV_UNIT;
    }
    return content->key != NULL || offset >= end
               ? NKV_OK
               : nkv_flash_read(store, content->source + offset, to,
                                end - offset);
}

/* Gives a window what a chunk has of it. False: a chunk has other bytes than
 * zeros behind the entry's value. */
static bool look_at(const struct nkv_content *content, uint32_t offset,
                    const uint8_t *chunk, uint32_t size,
                    const struct nkv_window *seen)
{
    uint32_t end = nkv_entry_body(content->entry);

    for (; size > 0; size--, offset++, chunk++) {
        if (seen != NULL && offset - seen->offset < seen->size)
            seen->bytes[offset - seen->offset] = *chunk;
        if (offset >= end && *chunk != 0)
            return false;
    }
    return true;
}

enum nkv_status nkv_content_pass(struct nkv_store *store,
                                 const struct nkv_content *content,
                                 enum nkv_pass what,
                                 const struct nkv_window *seen)
{
    const struct nkv_memory *memory = &store->config->memory;
    struct nkv_entry *entry = content->entry;
    const struct nkv_checksum *checksum = nkv_checksum_of(store, entry->magic);
    uint32_t state, n;

    /* Of an unknown format. */
    if (checksum == NULL)
        checksum = &nkv_checksum_crc16;
    state = checksum->initial;
    for (uint32_t offset = 0; offset < entry->size; offset += n) {
        enum nkv_status status;
        n = entry->size - offset;
        if (n > memory->buffer_size)
            n = (uint32_t)memory->buffer_size;
        status = fill_buffer(store, content, offset, n);
        if (status == NKV_OK && what == NKV_PASS_PROGRAM)
            status = nkv_flash_program(store, entry->address + offset,
                                       memory->buffer, n);
        if (status != NKV_OK)
            return status;
        /* The field itself counts as zero. */
        if (offset == 0)
            memset(memory->buffer + OFFSET_CHECKSUM, 0, 4);
        if (!look_at(content, offset, memory->buffer, n, seen) &&
            checksum->size > 0)
            return NKV_DATA_LOSS;
        if (checksum->size > 0)
            state = checksum->update(state, memory->buffer, n);
    }
    if (checksum->size > 0) {
        if (checksum->finish != NULL)
            state = checksum->finish(state);
        /* What stands above the bytes that count is not looked at. */
        state = (state ^ entry->checksum) &
                0xFFFFFFFFu >> (32 - 8 * checksum->size);
    } else {
        state = checksum->field_is_free ? 0 : entry->checksum;
    }
    if (what != NKV_PASS_SEAL)
        return state != 0 ? NKV_DATA_LOSS : NKV_OK;
    entry->checksum = state;
    return NKV_OK;
}

enum nkv_status nkv_entry_verify(struct nkv_store *store,
                                 struct nkv_entry *entry,
                                 const struct nkv_window *seen)
{
    struct nkv_content content = nkv_content_on_flash(entry);

    content.source_size = entry->size;
    return nkv_content_pass(store, &content, NKV_PASS_VERIFY, seen);
}

enum nkv_status nkv_content_seal(struct nkv_store *store,
                                 const struct nkv_content *content)
{
    struct nkv_entry *entry = content->entry;

    entry->alignment_units = alignment_units(store);
    nkv_entry_measure(entry);
    entry->checksum = 0;
    return nkv_content_pass(store, content, NKV_PASS_SEAL, NULL);
}
