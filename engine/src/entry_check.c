/* Checksums of entries: computed before writing, compared after reading. */
#include "entry.h"

/* A checksum under way. Of an algorithm that computes nothing it stays 0. */
struct digest {
    const struct nkv_checksum *checksum;
    uint32_t state;
};

static enum nkv_status take(void *context, const uint8_t *data, uint32_t size)
{
    struct digest *digest = context;

    if (digest->checksum->size > 0)
        digest->state = digest->checksum->update(digest->state, data, size);
    return NKV_OK;
}

/* Starts with the header, whose checksum field counts as 0. */
static struct digest start(const struct nkv_checksum *checksum,
                           const struct nkv_entry *entry)
{
    struct digest digest = {checksum, checksum->initial};
    uint8_t header[NKV_UNIT];

    nkv_entry_encode(entry, 0, header);
    (void)take(&digest, header, NKV_UNIT);
    return digest;
}

/* What belongs into the checksum field. */
static uint32_t field(const struct digest *digest)
{
    const struct nkv_checksum *checksum = digest->checksum;
    uint32_t mask = 0xFFFFFFFFu;
    uint32_t result = digest->state;

    if (checksum->size == 0)
        return 0;
    if (checksum->size < 4)
        mask = (1u << (8u * checksum->size)) - 1u;
    if (checksum->finish != NULL)
        result = checksum->finish(result);
    return result & mask;
}

/* What stands above the bytes that count is not looked at. */
static bool matches(const struct digest *digest, const struct nkv_entry *entry)
{
    uint8_t size = digest->checksum->size;
    uint32_t found = entry->checksum;

    if (size == 0)
        return digest->checksum->field_is_free || found == 0;
    if (size < 4)
        found &= (1u << (8u * size)) - 1u;
    return found == field(digest);
}

/* Whether an entry's checksum field is that of its content. */
static enum nkv_status check(struct nkv_store *store,
                             const struct nkv_content *content,
                             const struct nkv_checksum *checksum)
{
    struct digest digest = start(checksum, &content->entry);
    const struct nkv_sink sink = {take, &digest};
    enum nkv_status status = NKV_OK;

    if (checksum->size > 0)
        status = nkv_entry_feed_body(store, content, &sink);
    if (status != NKV_OK)
        return status;
    return matches(&digest, &content->entry) ? NKV_OK : NKV_DATA_LOSS;
}

enum nkv_status nkv_entry_verify_as(struct nkv_store *store,
                                    const struct nkv_entry *entry,
                                    const struct nkv_checksum *checksum)
{
    const struct nkv_content content = {.entry = *entry,
                                        .source = entry->address};

    return check(store, &content, checksum);
}

enum nkv_status nkv_entry_verify_content(struct nkv_store *store,
                                         const struct nkv_content *content)
{
    return check(store, content,
                 nkv_format_of(store, content->entry.magic)->checksum);
}

/* What verifying an entry on flash sees pass by. */
struct verification {
    struct digest digest;
    const struct nkv_entry *entry;
    /* Bytes behind the header that were taken. */
    uint32_t taken;
    uint8_t *key;
    bool padding_is_zero;
};

static enum nkv_status take_from_flash(void *context, const uint8_t *data,
                                       uint32_t size)
{
    struct verification *seen = context;
    uint32_t key_size = seen->entry->key_size;
    uint32_t body = key_size + seen->entry->value_size;

    for (uint32_t i = 0; i < size; i++, seen->taken++) {
        if (seen->key != NULL && seen->taken < key_size)
            seen->key[seen->taken] = data[i];
        if (seen->taken >= body && data[i] != 0)
            seen->padding_is_zero = false;
    }
    return take(&seen->digest, data, size);
}

enum nkv_status nkv_entry_verify(struct nkv_store *store,
                                 const struct nkv_entry *entry,
                                 uint8_t *key) /* NOLINT: it is written */
{
    const struct nkv_format *format = nkv_format_of(store, entry->magic);
    struct verification seen = {
        .entry = entry, .key = key, .padding_is_zero = true};
    const struct nkv_sink sink = {take_from_flash, &seen};
    enum nkv_status status;

    if (format == NULL)
        return NKV_DATA_LOSS;
    seen.digest = start(format->checksum, entry);
    status = nkv_entry_feed_flash(store, entry->address + NKV_UNIT,
                                  entry->size - NKV_UNIT, &sink);
    if (status != NKV_OK)
        return status;
    if (format->checksum->size > 0 && !seen.padding_is_zero)
        return NKV_DATA_LOSS;
    return matches(&seen.digest, entry) ? NKV_OK : NKV_DATA_LOSS;
}

static bool have_same_header(const struct nkv_entry *a,
                             const struct nkv_entry *b)
{
    return a->magic == b->magic && a->checksum == b->checksum &&
           a->id == b->id && a->size == b->size && a->key_size == b->key_size &&
           a->value_size == b->value_size &&
           a->alignment_units == b->alignment_units &&
           a->is_tombstone == b->is_tombstone;
}

enum nkv_status nkv_entry_is_steady(struct nkv_store *store,
                                    const struct nkv_entry *entry)
{
    enum nkv_status status = NKV_OK;

    for (int i = 0; i < NKV_DOUBTFUL_READS && status == NKV_OK; i++) {
        struct nkv_entry again;
        status = nkv_entry_read(store, entry->address, &again);
        if (status == NKV_OK && !have_same_header(entry, &again))
            status = NKV_DATA_LOSS;
        if (status == NKV_OK)
            status = nkv_entry_verify(store, entry, NULL);
    }
    return status == NKV_NOT_FOUND ? NKV_DATA_LOSS : status;
}

enum nkv_status nkv_entry_seal_as(struct nkv_store *store,
                                  struct nkv_content *content,
                                  const struct nkv_format *format, uint32_t id)
{
    struct nkv_entry *entry = &content->entry;
    struct digest digest;
    const struct nkv_sink sink = {take, &digest};
    enum nkv_status status;

    entry->magic = format->magic;
    entry->alignment_units = nkv_alignment_units(store);
    entry->id = id;
    nkv_entry_measure(entry);
    digest = start(format->checksum, entry);
    status = nkv_entry_feed_body(store, content, &sink);
    entry->checksum = field(&digest);
    return status;
}

enum nkv_status nkv_entry_seal(struct nkv_store *store,
                               struct nkv_content *content, uint32_t id)
{
    return nkv_entry_seal_as(store, content, &store->formats[0], id);
}
