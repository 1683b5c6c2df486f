#include "entry.h"

#include "flash_io.h"

#include <string.h>

enum {
    TOMBSTONE_VALUE_SIZE = 0xFFFF,
    OFFSET_CHECKSUM = 4,
    OFFSET_ALIGNMENT = 8,
    OFFSET_KEY_SIZE = 9,
    OFFSET_VALUE_SIZE = 10,
    OFFSET_ID = 12
};

const struct nkv_format *nkv_format_of(const struct nkv_store *store,
                                       uint32_t magic)
{
    for (uint32_t i = 0; i < store->format_count; i++)
        if (store->formats[i].magic == magic)
            return &store->formats[i];
    return NULL;
}

uint8_t nkv_alignment_units(const struct nkv_store *store)
{
    return (uint8_t)((store->flash->program_unit + NKV_UNIT - 1) / NKV_UNIT -
                     1);
}

void nkv_entry_measure(struct nkv_entry *entry)
{
    uint32_t alignment = (entry->alignment_units + 1u) * NKV_UNIT;

    entry->size = nkv_round_up(
        (uint32_t)NKV_UNIT + entry->key_size + entry->value_size, alignment);
}

uint32_t nkv_entry_size(const struct nkv_store *store, uint32_t key_size,
                        uint32_t value_size)
{
    return nkv_round_up(NKV_UNIT + key_size + value_size,
                        (nkv_alignment_units(store) + 1u) * NKV_UNIT);
}

static void parse(const uint8_t *header, struct nkv_entry *entry)
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

void nkv_entry_encode(const struct nkv_entry *entry, uint32_t checksum,
                      uint8_t *header)
{
    nkv_store_le32(header, entry->magic);
    nkv_store_le32(header + OFFSET_CHECKSUM, checksum);
    header[OFFSET_ALIGNMENT] = entry->alignment_units;
    header[OFFSET_KEY_SIZE] = entry->key_size;
    nkv_store_le16(header + OFFSET_VALUE_SIZE,
                   entry->is_tombstone ? (uint16_t)TOMBSTONE_VALUE_SIZE
                                       : entry->value_size);
    nkv_store_le32(header + OFFSET_ID, entry->id);
}

/* Takes apart a header that was read from address. */
static enum nkv_status judge(const struct nkv_store *store, uint32_t address,
                             const uint8_t *header, struct nkv_entry *entry)
{
    uint32_t room = store->sector_bytes - address % store->sector_bytes;

    parse(header, entry);
    entry->address = address;
    if (entry->key_size == 0 || entry->key_size > NKV_KEY_SIZE_MAX ||
        entry->size > room)
        return NKV_DATA_LOSS;
    return nkv_format_of(store, entry->magic) ? NKV_OK : NKV_NOT_FOUND;
}

enum nkv_status nkv_entry_read(struct nkv_store *store, uint32_t address,
                               struct nkv_entry *entry)
{
    return nkv_entry_read_with_key(store, address, 0, entry, NULL);
}

enum nkv_status nkv_entry_read_with_key(struct nkv_store *store,
                                        uint32_t address, uint32_t key_size,
                                        struct nkv_entry *entry, uint8_t *key)
{
    uint8_t bytes[NKV_UNIT + NKV_KEY_SIZE_MAX];
    uint32_t room = store->sector_bytes - address % store->sector_bytes;
    uint32_t size = NKV_UNIT + key_size < room ? NKV_UNIT + key_size : room;
    enum nkv_status status = nkv_flash_read(store, address, bytes, size);

    if (status != NKV_OK)
        return status;
    if (size > NKV_UNIT)
        memcpy(key, bytes + NKV_UNIT, size - NKV_UNIT);
    return judge(store, address, bytes, entry);
}

enum nkv_status nkv_entry_feed_flash(struct nkv_store *store, uint32_t address,
                                     uint32_t size, const struct nkv_sink *sink)
{
    uint8_t chunk[NKV_CHUNK];
    enum nkv_status status = NKV_OK;

    for (uint32_t done = 0; done < size && status == NKV_OK;) {
        uint32_t n = size - done < NKV_CHUNK ? size - done : NKV_CHUNK;
        status = nkv_flash_read(store, address + done, chunk, n);
        if (status == NKV_OK)
            status = sink->take(sink->context, chunk, n);
        done += n;
    }
    return status;
}

static enum nkv_status feed_zeros(uint32_t size, const struct nkv_sink *sink)
{
    static const uint8_t zeros[NKV_UNIT];
    enum nkv_status status = NKV_OK;

    while (size > 0 && status == NKV_OK) {
        uint32_t n = size < NKV_UNIT ? size : NKV_UNIT;
        status = sink->take(sink->context, zeros, n);
        size -= n;
    }
    return status;
}

enum nkv_status nkv_entry_feed_body(struct nkv_store *store,
                                    const struct nkv_content *content,
                                    const struct nkv_sink *sink)
{
    const struct nkv_entry *entry = &content->entry;
    uint32_t body = (uint32_t)entry->key_size + entry->value_size;
    enum nkv_status status;

    if (content->source != NKV_NONE) {
        status =
            nkv_entry_feed_flash(store, content->source + NKV_UNIT, body, sink);
    } else {
        status = sink->take(sink->context, content->key.data, entry->key_size);
        if (status == NKV_OK && entry->value_size > 0)
            status = sink->take(sink->context, content->value.data,
                                entry->value_size);
    }
    if (status != NKV_OK)
        return status;
    return feed_zeros(entry->size - NKV_UNIT - body, sink);
}

enum nkv_status nkv_entry_feed(struct nkv_store *store,
                               const struct nkv_content *content,
                               const struct nkv_sink *sink)
{
    uint8_t header[NKV_UNIT];
    enum nkv_status status;

    nkv_entry_encode(&content->entry, content->entry.checksum, header);
    status = sink->take(sink->context, header, NKV_UNIT);
    return status == NKV_OK ? nkv_entry_feed_body(store, content, sink)
                            : status;
}

enum nkv_status nkv_entry_read_key(struct nkv_store *store,
                                   const struct nkv_entry *entry, uint8_t *to)
{
    return nkv_flash_read(store, entry->address + NKV_UNIT, to,
                          entry->key_size);
}
