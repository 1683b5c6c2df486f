/*
 * Entries: header, key, value, zero padding (docs/format.md).
 *
 * Invariant: an entry whose header was read with NKV_OK ends in its sector.
 *
 * An entry is written and checked through a struct nkv_content, which says
 * where its pieces come from: any part of its bytes can be asked for.
 *
 * Headers and contents pass through the program buffer of the caller's memory:
 * what it holds is lost with each of these calls.
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
 * key is NULL, in the entry at source, whose first source_size bytes count:
 * what is behind them is zero. */
struct nkv_content {
    struct nkv_entry *entry;
    const uint8_t *key;
    const uint8_t *value;
    uint32_t source;
    uint32_t source_size;
};

/* Bytes of an entry's header, key and value. */
static inline uint32_t nkv_entry_body(const struct nkv_entry *entry)
{
    return (uint32_t)NKV_UNIT + entry->key_size + entry->value_size;
}

/* An entry as it lies on flash, padding taken as zero. */
static inline struct nkv_content nkv_content_on_flash(struct nkv_entry *entry)
{
    return (struct nkv_content){
        .entry = entry,
        .source = entry->address,
        .source_size = nkv_entry_body(entry),
    };
}

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

/*
 * The same, and compares the key, which has this hash; in one read if the
 * program buffer has room for header and key. NKV_ALREADY_EXISTS: it is another
 * key's with the same hash. NKV_DATA_LOSS: also a key with another hash, which
 * is one that was misread or is damaged.
 */
enum nkv_status nkv_entry_match(struct nkv_store *store, uint32_t address,
                                const struct nkv_span *key, uint32_t hash,
                                struct nkv_entry *entry);

/* Reads an entry's id once more. NKV_DATA_LOSS: it is another. */
enum nkv_status nkv_entry_reread_id(struct nkv_store *store,
                                    const struct nkv_entry *entry);

/* Reads an entry's key into to, which has room for the longest. */
enum nkv_status nkv_entry_read_key(struct nkv_store *store,
                                   const struct nkv_entry *entry, uint8_t *to);

/* Size bytes of an entry from an offset on. */
struct nkv_window {
    uint8_t *bytes;
    uint32_t offset;
    uint32_t size;
};

enum nkv_pass {
    /* Compares the checksum. */
    NKV_PASS_VERIFY,
    /* Computes it; the entry's was 0. */
    NKV_PASS_SEAL,
    /* Programs the entry at its address, reads every byte back, and compares
     * the checksum with what was programmed. */
    NKV_PASS_PROGRAM
};

/*
 * Goes over the bytes of an entry. NKV_DATA_LOSS: they have another checksum,
 * or padding is not zero where the format has one. seen, unless NULL, gets
 * those of its bytes that come by: just what was verified. Of an unknown format
 * CRC-16 is expected.
 */
enum nkv_status nkv_content_pass(struct nkv_store *store,
                                 const struct nkv_content *content,
                                 enum nkv_pass what,
                                 const struct nkv_window *seen);

/* Verifies an entry on flash, its padding included. */
enum nkv_status nkv_entry_verify(struct nkv_store *store,
                                 struct nkv_entry *entry,
                                 const struct nkv_window *seen);

/* Gives an entry with lengths, magic and id today's alignment, its size and its
 * checksum. */
enum nkv_status nkv_content_seal(struct nkv_store *store,
                                 const struct nkv_content *content);

#endif
