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

static uint8_t alignment_units(const struct nkv_store *store)
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
                        (alignment_units(store) + 1u) * NKV_UNIT);
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

static void encode(const struct nkv_entry *entry, uint32_t checksum,
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

enum nkv_status nkv_entry_read(struct nkv_store *store, uint32_t address,
                               struct nkv_entry *entry)
{
    uint8_t header[NKV_UNIT];
    enum nkv_status status = nkv_flash_read(store, address, header, NKV_UNIT);
    uint32_t room = store->sector_bytes - address % store->sector_bytes;

    if (status != NKV_OK)
        return status;
    parse(header, entry);
    entry->address = address;
    if (entry->key_size == 0 || entry->key_size > NKV_KEY_SIZE_MAX ||
        entry->size > room)
        return NKV_DATA_LOSS;
    return nkv_format_of(store, entry->magic) ? NKV_OK : NKV_NOT_FOUND;
}

static enum nkv_status feed_flash(struct nkv_store *store, uint32_t address,
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

/* All of an entry behind its header. */
static enum nkv_status feed_body(struct nkv_store *store,
                                 const struct nkv_content *content,
                                 const struct nkv_sink *sink)
{
    const struct nkv_entry *entry = &content->entry;
    uint32_t body = (uint32_t)entry->key_size + entry->value_size;
    enum nkv_status status;

    if (content->source != NKV_NONE) {
        status = feed_flash(store, content->source + NKV_UNIT, body, sink);
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

    encode(&content->entry, content->entry.checksum, header);
    status = sink->take(sink->context, header, NKV_UNIT);
    return status == NKV_OK ? feed_body(store, content, sink) : status;
}

struct digest {
    const struct nkv_checksum *checksum;
    uint32_t state;
};

static enum nkv_status take_digest(void *context, const uint8_t *data,
                                   uint32_t size)
{
    struct digest *digest = context;

    digest->state = digest->checksum->update(digest->state, data, size);
    return NKV_OK;
}

/* The checksum field of an entry with size > 0 bytes of checksum. */
static enum nkv_status compute(struct nkv_store *store,
                               const struct nkv_content *content,
                               const struct nkv_checksum *checksum,
                               uint32_t *result)
{
    struct digest digest = {checksum, checksum->initial};
    const struct nkv_sink sink = {take_digest, &digest};
    uint8_t header[NKV_UNIT];
    enum nkv_status status;

    encode(&content->entry, 0, header);
    digest.state = checksum->update(digest.state, header, NKV_UNIT);
    status = feed_body(store, content, &sink);
    *result = checksum->finish ? checksum->finish(digest.state) : digest.state;
    return status;
}

/* The bits of the checksum field that count. */
static uint32_t field_mask(const struct nkv_checksum *checksum)
{
    return checksum->size >= 4 ? 0xFFFFFFFFu
                               : (1u << (8u * checksum->size)) - 1u;
}

enum nkv_status nkv_entry_verify_as(struct nkv_store *store,
                                    const struct nkv_entry *entry,
                                    const struct nkv_checksum *checksum)
{
    struct nkv_content content = {.entry = *entry, .source = entry->address};
    uint32_t computed;
    enum nkv_status status;

    if (checksum->size == 0)
        return checksum->field_is_free || entry->checksum == 0 ? NKV_OK
                                                               : NKV_DATA_LOSS;
    status = compute(store, &content, checksum, &computed);
    if (status != NKV_OK)
        return status;
    return ((computed ^ entry->checksum) & field_mask(checksum)) == 0
               ? NKV_OK
               : NKV_DATA_LOSS;
}

static enum nkv_status take_zeros(void *context, const uint8_t *data,
                                  uint32_t size)
{
    (void)context;
    for (uint32_t i = 0; i < size; i++)
        if (data[i] != 0)
            return NKV_DATA_LOSS;
    return NKV_OK;
}

enum nkv_status nkv_entry_verify(struct nkv_store *store,
                                 const struct nkv_entry *entry)
{
    const struct nkv_format *format = nkv_format_of(store, entry->magic);
    const struct nkv_sink zeros = {take_zeros, NULL};
    uint32_t end = (uint32_t)NKV_UNIT + entry->key_size + entry->value_size;
    enum nkv_status status;

    if (format == NULL)
        return NKV_DATA_LOSS;
    status = nkv_entry_verify_as(store, entry, format->checksum);
    if (status != NKV_OK || format->checksum->size == 0)
        return status;
    return feed_flash(store, entry->address + end, entry->size - end, &zeros);
}

enum nkv_status nkv_entry_is_steady(struct nkv_store *store,
                                    const struct nkv_entry *entry)
{
    enum nkv_status status = NKV_OK;

    for (int i = 0; i < NKV_DOUBTFUL_READS && status == NKV_OK; i++)
        status = nkv_entry_verify(store, entry);
    return status;
}

enum nkv_status nkv_entry_seal_as(struct nkv_store *store,
                                  struct nkv_content *content,
                                  const struct nkv_format *format, uint32_t id)
{
    struct nkv_entry *entry = &content->entry;
    enum nkv_status status;

    entry->magic = format->magic;
    entry->alignment_units = alignment_units(store);
    entry->id = id;
    entry->checksum = 0;
    nkv_entry_measure(entry);
    if (format->checksum->size == 0)
        return NKV_OK;
    status = compute(store, content, format->checksum, &entry->checksum);
    entry->checksum &= field_mask(format->checksum);
    return status;
}

enum nkv_status nkv_entry_seal(struct nkv_store *store,
                               struct nkv_content *content, uint32_t id)
{
    return nkv_entry_seal_as(store, content, &store->formats[0], id);
}

enum nkv_status nkv_entry_compare_key(struct nkv_store *store,
                                      const struct nkv_entry *entry,
                                      struct nkv_span key, int *order)
{
    uint8_t chunk[NKV_CHUNK];
    uint32_t shared =
        entry->key_size < key.size ? entry->key_size : (uint32_t)key.size;

    for (uint32_t done = 0; done < shared;) {
        uint32_t n = shared - done < NKV_CHUNK ? shared - done : NKV_CHUNK;
        enum nkv_status status =
            nkv_flash_read(store, entry->address + NKV_UNIT + done, chunk, n);
        if (status != NKV_OK)
            return status;
        *order = memcmp(chunk, key.data + done, n);
        if (*order != 0)
            return NKV_OK;
        done += n;
    }
    *order = (int)entry->key_size - (int)key.size;
    return NKV_OK;
}

enum nkv_status nkv_entry_read_key(struct nkv_store *store,
                                   const struct nkv_entry *entry, uint8_t *to)
{
    return nkv_flash_read(store, entry->address + NKV_UNIT, to,
                          entry->key_size);
}
