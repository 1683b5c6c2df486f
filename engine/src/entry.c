#include "entry.h"

#include "flash_io.h"
#include "index.h"

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

enum nkv_status nkv_entry_read_with_key(struct nkv_store *store,
                                        uint32_t address, uint32_t key_size,
                                        struct nkv_entry *entry, uint8_t *bytes)
{
    uint32_t room = store->sector_bytes - address % store->sector_bytes;
    uint32_t size = NKV_UNIT + key_size < room ? NKV_UNIT + key_size : room;
    enum nkv_status status = nkv_flash_read(store, address, bytes, size);

    entry->address = address;
    entry->magic = NKV_ERASED_MAGIC;
    if (status != NKV_OK)
        return status;
    decode(bytes, entry);
    if (entry->key_size == 0 || entry->key_size > NKV_KEY_SIZE_MAX ||
        entry->size > room)
        return NKV_DATA_LOSS;
    return nkv_checksum_of(store, entry->magic) ? NKV_OK : NKV_NOT_FOUND;
}

enum nkv_status nkv_entry_read(struct nkv_store *store, uint32_t address,
                               struct nkv_entry *entry)
{
    uint8_t header[NKV_UNIT];

    return nkv_entry_read_with_key(store, address, 0, entry, header);
}

enum nkv_status nkv_entry_read_key(struct nkv_store *store,
                                   const struct nkv_entry *entry, uint8_t *to)
{
    return nkv_flash_read(store, entry->address + NKV_UNIT, to,
                          entry->key_size);
}

enum nkv_status nkv_entry_hash(struct nkv_store *store,
                               const struct nkv_entry *entry, uint32_t *hash)
{
    uint8_t chunk[NKV_UNIT];
    uint32_t state = NKV_HASH_START, address = entry->address;
    uint32_t left = entry->key_size;

    while (left > 0) {
        uint32_t n = left < NKV_UNIT ? left : NKV_UNIT;
        enum nkv_status status =
            nkv_flash_read(store, address += NKV_UNIT, chunk, n);
        if (status != NKV_OK)
            return status;
        state = nkv_hash_add(state, chunk, n);
        left -= n;
    }
    *hash = nkv_hash_end(state);
    return NKV_OK;
}

/* Bytes of an entry at an offset, in memory or, if that is NULL, on flash. */
struct piece {
    uint32_t offset;
    uint32_t size;
    const uint8_t *bytes;
    uint32_t address;
};

/* Takes what a piece has in a window. */
static enum nkv_status take(struct nkv_store *store,
                            const struct nkv_window *window,
                            const struct piece *piece)
{
    uint32_t begin = piece->offset, end = piece->offset + piece->size;
    uint8_t *to = window->bytes;

    if (begin < window->offset)
        begin = window->offset;
    if (end > window->offset + window->size)
        end = window->offset + window->size;
    if (begin >= end)
        return NKV_OK;
    to += begin - window->offset;
    end -= begin;
    begin -= piece->offset;
    if (piece->bytes == NULL)
        return nkv_flash_read(store, piece->address + begin, to, end);
    memcpy(to, piece->bytes + begin, end);
    return NKV_OK;
}

enum nkv_status nkv_content_read(struct nkv_store *store,
                                 const struct nkv_content *content,
                                 uint32_t offset, uint8_t *to, uint32_t size)
{
    const struct nkv_entry *entry = &content->entry;
    const struct nkv_window window = {to, offset, size};
    uint8_t header[NKV_UNIT];
    struct piece piece = {0, NKV_UNIT, header, 0};
    enum nkv_status status;

    memset(to, 0, size);
    encode(entry, header);
    (void)take(store, &window, &piece);
    piece.offset = NKV_UNIT;
    piece.size = entry->key_size;
    piece.bytes = content->key;
    if (content->source != NKV_NONE) {
        piece.size += entry->value_size;
        piece.bytes = NULL;
        piece.address = content->source + NKV_UNIT;
    }
    status = take(store, &window, &piece);
    if (content->source != NKV_NONE)
        return status;
    piece.offset += piece.size;
    piece.size = entry->value_size;
    piece.bytes = content->value;
    return take(store, &window, &piece);
}

/* Computes what belongs into the checksum field. */
static enum nkv_status digest(struct nkv_store *store,
                              const struct nkv_content *content,
                              const struct nkv_checksum *checksum,
                              uint32_t *field, const struct nkv_window *seen)
{
    uint32_t state = checksum->initial, left = content->entry.size;
    uint8_t chunk[NKV_CHUNK];
    struct piece piece = {0, NKV_CHUNK, chunk, 0};

    for (; left > 0; left -= piece.size) {
        enum nkv_status status;
        if (left < NKV_CHUNK)
            piece.size = left;
        status =
            nkv_content_read(store, content, piece.offset, chunk, piece.size);
        if (status != NKV_OK)
            return status;
        /* The field itself counts as zero. */
        if (piece.offset == 0)
            memset(chunk + OFFSET_CHECKSUM, 0, 4);
        if (seen != NULL)
            (void)take(store, seen, &piece);
        if (checksum->size > 0)
            state = checksum->update(state, chunk, piece.size);
        piece.offset += piece.size;
    }
    *field = checksum->finish != NULL ? checksum->finish(state) : state;
    return NKV_OK;
}

/* The bytes of a checksum field that count. */
static uint32_t mask_of(const struct nkv_checksum *checksum)
{
    return checksum->size == 0 ? 0 : 0xFFFFFFFFu >> (32 - 8 * checksum->size);
}

enum nkv_status nkv_content_verify(struct nkv_store *store,
                                   const struct nkv_content *content,
                                   const struct nkv_window *seen)
{
    const struct nkv_checksum *checksum =
        nkv_checksum_of(store, content->entry.magic);
    uint32_t field, found = content->entry.checksum;
    enum nkv_status status;

    if (checksum == NULL)
        checksum = &nkv_checksum_crc16;
    status = digest(store, content, checksum, &field, seen);
    if (status != NKV_OK)
        return status;
    if (checksum->size == 0)
        return checksum->field_is_free || found == 0 ? NKV_OK : NKV_DATA_LOSS;
    /* What stands above the bytes that count is not looked at. */
    return (found ^ field) & mask_of(checksum) ? NKV_DATA_LOSS : NKV_OK;
}

enum nkv_status nkv_entry_verify_unpadded(struct nkv_store *store,
                                          const struct nkv_entry *entry)
{
    const struct nkv_content content = {.entry = *entry,
                                        .source = entry->address};

    return nkv_content_verify(store, &content, NULL);
}

enum nkv_status nkv_entry_verify(struct nkv_store *store,
                                 const struct nkv_entry *entry,
                                 const struct nkv_window *seen)
{
    const struct nkv_content content = {.entry = *entry,
                                        .source = entry->address};
    const struct nkv_checksum *checksum = nkv_checksum_of(store, entry->magic);
    uint32_t end, limit = entry->address + entry->size;
    enum nkv_status status = nkv_content_verify(store, &content, seen);

    if (status != NKV_OK || (checksum != NULL && checksum->size == 0))
        return status;
    status = nkv_flash_skip(
        store, entry->address + NKV_UNIT + entry->key_size + entry->value_size,
        limit, 0, &end);
    return status == NKV_OK && end < limit ? NKV_DATA_LOSS : status;
}

enum nkv_status nkv_content_seal(struct nkv_store *store,
                                 struct nkv_content *content, uint32_t magic,
                                 uint32_t id)
{
    struct nkv_entry *entry = &content->entry;
    const struct nkv_checksum *checksum = nkv_checksum_of(store, magic);
    enum nkv_status status;

    if (checksum == NULL)
        checksum = &nkv_checksum_crc16;
    entry->magic = magic;
    entry->alignment_units = alignment_units(store);
    entry->id = id;
    nkv_entry_measure(entry);
    status = digest(store, content, checksum, &entry->checksum, NULL);
    entry->checksum &= mask_of(checksum);
    return status;
}
