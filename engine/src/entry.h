/*
 * Entries: header, key, value, zero padding (docs/format.md).
 *
 * Invariant: an entry whose header was read with NKV_OK ends in its sector.
 *
 * An entry is written and checked through a struct nkv_content, which says
 * where its pieces come from: any part of its bytes can be asked for.
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
    const uint8_t *key;
    const uint8_t *value;
    uint32_t source;
};

/* The checksum of the format with this magic, or NULL. */
const struct nkv_checksum *nkv_checksum_of(const struct nkv_store *store,
                                           uint32_t magic);

/* Bytes of an entry with this much key and value, as it is written today. */
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
 * key as far as they lie in the sector. bytes has room for a header and the
 * longest key, and gets them. */
enum nkv_status nkv_entry_read_with_key(struct nkv_store *store,
                                        uint32_t address, uint32_t key_size,
                                        struct nkv_entry *entry,
                                        uint8_t *bytes);

/* Reads an entry's key into to, which has room for the longest. */
enum nkv_status nkv_entry_read_key(struct nkv_store *store,
                                   const struct nkv_entry *entry, uint8_t *to);

/* Computes the hash of an entry's key. */
enum nkv_status nkv_entry_hash(struct nkv_store *store,
                               const struct nkv_entry *entry, uint32_t *hash);

/* Gives size bytes of an entry from offset on. */
enum nkv_status nkv_content_read(struct nkv_store *store,
                                 const struct nkv_content *content,
                                 uint32_t offset, uint8_t *to, uint32_t size);

/* Size bytes of an entry from an offset on. */
struct nkv_window {
    uint8_t *bytes;
    uint32_t offset;
    uint32_t size;
};

/*
 * Whether an entry's checksum is that of its content, padding taken as zero:
 * NKV_OK or NKV_DATA_LOSS. seen, unless NULL, gets those of its bytes that are
 * read on the way: just what was verified. Of an unknown format CRC-16 is
 * expected.
 */
enum nkv_status nkv_content_verify(struct nkv_store *store,
                                   const struct nkv_content *content,
                                   const struct nkv_window *seen);

/* The same for an entry on flash, with its padding if its format has a
 * checksum. */
enum nkv_status nkv_entry_verify(struct nkv_store *store,
                                 const struct nkv_entry *entry,
                                 const struct nkv_window *seen);

/* The same, padding taken as zero. */
enum nkv_status nkv_entry_verify_unpadded(struct nkv_store *store,
                                          const struct nkv_entry *entry);

/* Makes content an entry of a format of ours, at today's alignment, with the
 * given id, and computes its checksum. */
enum nkv_status nkv_content_seal(struct nkv_store *store,
                                 struct nkv_content *content, uint32_t magic,
                                 uint32_t id);

#endif
