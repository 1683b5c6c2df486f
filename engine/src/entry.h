/*
 * Entries: header, key, value, zero padding (docs/format.md).
 *
 * An entry is written from a struct nkv_content, which says where its pieces
 * come from, and checked by feeding the same pieces to its checksum.
 */
#ifndef NKV_ENTRY_H
#define NKV_ENTRY_H

#include "core.h"

/* A header, taken apart. */
struct nkv_entry {
    uint32_t address;
    uint32_t magic;
    uint32_t checksum;
    uint32_t id;
    /* With padding. */
    uint32_t size;
    uint16_t value_size;
    uint8_t key_size;
    /* The entry's size is a multiple of (alignment_units + 1) * NKV_UNIT. */
    uint8_t alignment_units;
    bool is_tombstone;
};

/* Where the pieces of an entry are: header here, key and value in memory or, if
 * source is not NKV_NONE, in the entry at that address. */
struct nkv_content {
    struct nkv_entry entry;
    struct nkv_span key;
    struct nkv_span value;
    uint32_t source;
};

/* A function that takes the bytes of an entry piece by piece. */
struct nkv_sink {
    enum nkv_status (*take)(void *context, const uint8_t *data, uint32_t size);
    void *context;
};

/* The format with this magic, or NULL. */
const struct nkv_format *nkv_format_of(const struct nkv_store *store,
                                       uint32_t magic);

/* Bytes of an entry of the first format with this much key and value. */
uint32_t nkv_entry_size(const struct nkv_store *store, uint32_t key_size,
                        uint32_t value_size);

/* Recomputes entry->size from its lengths and alignment. */
void nkv_entry_measure(struct nkv_entry *entry);

/*
 * Reads and takes apart the header at address.
 *
 * - NKV_OK: a format of ours, and lengths that are allowed and fit the sector.
 * - NKV_NOT_FOUND: lengths that are allowed and fit, but an unknown magic.
 * - NKV_DATA_LOSS: no header.
 */
enum nkv_status nkv_entry_read(struct nkv_store *store, uint32_t address,
                               struct nkv_entry *entry);

/* The same in one read with the key_size bytes behind it, which are given to
 * key as far as they lie in the sector. */
enum nkv_status nkv_entry_read_with_key(struct nkv_store *store,
                                        uint32_t address, uint32_t key_size,
                                        struct nkv_entry *entry, uint8_t *key);

/* Whether the entry on flash is whole: NKV_OK or NKV_DATA_LOSS. key, unless
 * NULL, has room for the longest and gets the key that is read on the way. */
enum nkv_status nkv_entry_verify(struct nkv_store *store,
                                 const struct nkv_entry *entry, uint8_t *key);

/* Whether an entry's checksum is that of this key and value. */
enum nkv_status nkv_entry_verify_content(struct nkv_store *store,
                                         const struct nkv_content *content);

/*
 * Whether an intact entry reads the same time after time. One whose programming
 * was cut in its last bits may not: NKV_DATA_LOSS.
 */
enum nkv_status nkv_entry_is_steady(struct nkv_store *store,
                                    const struct nkv_entry *entry);

/* Verifies with a checksum of the caller's choice, padding taken as zero: so
 * that a torn padding, other lengths or another magic can be tried. */
enum nkv_status nkv_entry_verify_as(struct nkv_store *store,
                                    const struct nkv_entry *entry,
                                    const struct nkv_checksum *checksum);

/* Makes content an entry of the first format, at today's alignment, with the
 * given id, and computes its checksum. */
enum nkv_status nkv_entry_seal(struct nkv_store *store,
                               struct nkv_content *content, uint32_t id);

/* The same in another format. */
enum nkv_status nkv_entry_seal_as(struct nkv_store *store,
                                  struct nkv_content *content,
                                  const struct nkv_format *format, uint32_t id);

/* Gives all bytes of an entry to sink, in order. */
enum nkv_status nkv_entry_feed(struct nkv_store *store,
                               const struct nkv_content *content,
                               const struct nkv_sink *sink);

/* The same for all behind the header. */
enum nkv_status nkv_entry_feed_body(struct nkv_store *store,
                                    const struct nkv_content *content,
                                    const struct nkv_sink *sink);

/* Gives size bytes of flash to sink. */
enum nkv_status nkv_entry_feed_flash(struct nkv_store *store, uint32_t address,
                                     uint32_t size,
                                     const struct nkv_sink *sink);

/* Writes the NKV_UNIT bytes of a header. */
void nkv_entry_encode(const struct nkv_entry *entry, uint32_t checksum,
                      uint8_t *header);

/* The alignment_units that entries are written with. */
uint8_t nkv_alignment_units(const struct nkv_store *store);

/* Reads an entry's key into to, which has room for the longest. */
enum nkv_status nkv_entry_read_key(struct nkv_store *store,
                                   const struct nkv_entry *entry, uint8_t *to);

#endif
