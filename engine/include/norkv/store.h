/*
 * norkv: a key-value store in NOR flash.
 *
 * Keys are 1 to 63 bytes of any value. A value is 0 to 65534 bytes and, with
 * its key and a 16-byte header, fits one sector. The on-flash format is that
 * of Pigweed's pw_kvs (docs/format.md).
 *
 * The caller gives the memory (NKV_DEFINE_MEMORY), nothing is allocated. A
 * store is used from one thread at a time; several stores are independent.
 *
 * Power may fail at any instant. After the next nkv_mount, each write that had
 * returned NKV_OK is there, the one in progress is there whole or not at all,
 * and nothing else has changed.
 *
 * Statuses that any call may return besides those listed at it:
 * - a status of the flash driver, when the flash failed and the call could not
 *   work around it; what was stored before is still there;
 * - NKV_FAILED_PRECONDITION: the store is not mounted, or is read-only for the
 *   reason that nkv_mount gave.
 */
#ifndef NORKV_STORE_H
#define NORKV_STORE_H

#include <norkv/bytes.h>
#include <norkv/flash.h>
#include <norkv/format.h>
#include <norkv/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NKV_KEY_SIZE_MAX = 63,
    NKV_VALUE_SIZE_MAX = 65534,
    NKV_COPIES_MAX = 4,
    /* The magic that a store without a format of its own uses. */
    NKV_DEFAULT_MAGIC = 0x5ab2f0b5
};

/*
 * Tombstones that a store for max_keys keys can hold beside its keys. A
 * tombstone is held until no older value of its key is left on flash; when the
 * room is used up, nkv_delete collects sectors until some is free again.
 */
#define NKV_TOMBSTONES(max_keys) ((max_keys) / 8u + 4u)

/* Index words for max_keys keys and a number of copies: (1 + copies) * 4 bytes
 * a slot, so about 9 bytes a key with one copy. */
#define NKV_INDEX_WORDS(max_keys, copies)                                      \
    (((max_keys) + NKV_TOMBSTONES(max_keys) + 1u) * (1u + (copies)))

/* What the store knows of a sector. Members are private. */
struct nkv_sector {
    uint16_t used_units;
    uint16_t live_units;
    uint16_t scratch_units;
    uint8_t state;
    bool holds_cold;
    uint32_t touched_id;
};

/*
 * The memory a store works in. Owned by the caller, not touched by it while
 * the store is mounted.
 */
struct nkv_memory {
    /* NKV_INDEX_WORDS(max_keys, copies) words or more. */
    uint32_t *index;
    size_t index_words;
    /* One for each sector of the flash, or more. */
    struct nkv_sector *sectors;
    size_t sector_capacity;
    /* Collects bytes for one program call: a multiple of 16 and of the
     * program unit, 16 bytes or more; 256 makes the fewest calls. */
    uint8_t *buffer;
    size_t buffer_size;
};

/*
 * Defines the memory of a store as static variables, and name as a struct
 * nkv_memory that refers to it. All arguments are constants. RAM in bytes:
 * 4 * NKV_INDEX_WORDS(max_keys, copies) + 12 * sector_count + buffer_bytes.
 */
#define NKV_DEFINE_MEMORY(name, max_keys, copies, sector_count, buffer_bytes)  \
    static uint32_t name##_index[NKV_INDEX_WORDS(max_keys, copies)];           \
    static struct nkv_sector name##_sectors[sector_count];                     \
    static uint8_t name##_buffer[buffer_bytes];                                \
    static const struct nkv_memory name = {                                    \
        .index = name##_index,                                                 \
        .index_words = NKV_INDEX_WORDS(max_keys, copies),                      \
        .sectors = name##_sectors,                                             \
        .sector_capacity = (sector_count),                                     \
        .buffer = name##_buffer,                                               \
        .buffer_size = (buffer_bytes),                                         \
    }

/*
 * How a store is set up. It and all it points to must outlive the store. A
 * member left 0 means what its comment says.
 */
struct nkv_config {
    const struct nkv_flash *flash;
    /* The formats to read; the first is written. None (0): the default magic
     * with CRC-16. */
    const struct nkv_format *formats;
    size_t format_count;
    struct nkv_memory memory;
    /* Keys that may be present at once, at least 1. */
    uint32_t max_keys;
    /* Copies kept of each entry, each in another sector: 1 to NKV_COPIES_MAX
     * and fewer than there are sectors. 0: 1. */
    uint8_t copies;
    /* Mount writes nothing; see nkv_mount. */
    bool manual_repair;
    /* The transaction id that a blank store starts with. A random one keeps
     * versions from repeating after the flash was erased from outside. 0: 1. */
    uint32_t first_id;
};

/* A store. Complete so that it can be static; members are private. */
struct nkv_store {
    const struct nkv_config *config;
    const struct nkv_flash *flash;
    const struct nkv_format *formats;
    uint32_t format_count;
    struct nkv_format default_format;
    uint32_t sector_bytes;
    uint32_t slots;
    uint32_t keys;
    uint32_t tombstones;
    uint32_t newest_id;
    uint32_t next_id;
    uint32_t erased_sectors;
    uint32_t head;
    uint32_t hand;
    uint32_t victim;
    uint32_t victim_offset;
    uint32_t spare;
    uint32_t replaced;
    uint32_t distrusted;
    uint32_t swept_id;
    uint32_t counters[9];
    uint8_t copies;
    uint8_t access;
    bool has_entries;
    bool lacks_copies;
    bool has_old_ids;
    bool has_top_ids;
    bool has_failed_write;
};

/* What is known of a key's value. */
struct nkv_value {
    /* Bytes delivered by this call. */
    size_t size;
    /* Bytes of the whole value. */
    uint32_t total_size;
    /* The key's version: the transaction id of its newest entry. Two reads
     * with one version saw the same value. */
    uint32_t version;
};

/*
 * Reads the flash and makes the store usable.
 *
 * config must outlive the store. Interrupted writes, collections and erases
 * and damaged entries are repaired as far as must be at once; the rest waits
 * for nkv_step and for writes. Programs and erases nothing when nothing is
 * wrong. With manual_repair it writes nothing at all.
 *
 * - NKV_OK: usable. nkv_statistics tells what damage was found.
 * - NKV_INVALID_ARGUMENT: the config is wrong; nothing was read.
 * - NKV_RESOURCE_EXHAUSTED: more keys on flash than max_keys, or less memory
 *   than they need. Nothing was written. Read-only: some keys are missing.
 * - NKV_FAILED_PRECONDITION: this is not ours, or an erase of the store was
 *   cut short. Nothing was written. Read-only until nkv_erase_all.
 * - NKV_DATA_LOSS: only with manual_repair: damage was found. Read-only until
 *   nkv_maintain repaired it.
 * - a status of the driver: the flash could not be read. Nothing was written;
 *   not mounted.
 */
NKV_MUST_USE enum nkv_status nkv_mount(struct nkv_store *store,
                                       const struct nkv_config *config);

/*
 * Reads a value, or the part of it from offset on, into to, and verifies the
 * whole entry. value, when not NULL, tells the bytes delivered, the size of the
 * whole and the version.
 *
 * - NKV_OK: all from offset on was delivered (offset may equal the size).
 * - NKV_RESOURCE_EXHAUSTED: to was too small and is filled.
 * - NKV_NOT_FOUND: no such key.
 * - NKV_OUT_OF_RANGE: offset is beyond the value.
 * - NKV_INVALID_ARGUMENT: the key is empty or longer than NKV_KEY_SIZE_MAX.
 * - NKV_DATA_LOSS: no copy of the entry is intact. What to holds is undefined.
 */
NKV_MUST_USE enum nkv_status nkv_get(struct nkv_store *store,
                                     struct nkv_span key, uint32_t offset,
                                     struct nkv_buffer to,
                                     struct nkv_value *value);

/*
 * Tells the size and version of a key's value, verified, with size 0.
 *
 * Statuses as nkv_get.
 */
NKV_MUST_USE enum nkv_status nkv_describe(struct nkv_store *store,
                                          struct nkv_span key,
                                          struct nkv_value *value);

/*
 * Stores a value under a key, in place of an older one. A value that is there
 * already programs nothing and keeps its version.
 *
 * When power fails inside, the key has the old value or the new one. After an
 * error of the flash likewise, once the store is mounted again; until then it
 * has the old one.
 *
 * - NKV_INVALID_ARGUMENT: a key of 0 or more than NKV_KEY_SIZE_MAX bytes, or a
 *   value that does not fit a sector (nkv_value_size_max).
 * - NKV_RESOURCE_EXHAUSTED: the store or its key table is full. The old value
 *   stands.
 * With several copies and too little room for all of them, a value that
 * replaces a larger one is stored in fewer (missing_copies in the statistics).
 */
NKV_MUST_USE enum nkv_status
nkv_put(struct nkv_store *store, struct nkv_span key, struct nkv_span value);

/*
 * Removes a key. Works on a full store too.
 *
 * When power fails inside, the key is there or not. Statuses as nkv_put, and
 * NKV_NOT_FOUND: no such key; nothing was written. After a write that failed,
 * its entry may be on flash all the same: then a tombstone is written in any
 * case, and NKV_OK returned.
 */
NKV_MUST_USE enum nkv_status nkv_delete(struct nkv_store *store,
                                        struct nkv_span key);

/* The largest value that fits a sector under a key of key_size bytes. */
uint32_t nkv_value_size_max(const struct nkv_store *store, size_t key_size);

/*
 * A place in the store's own order of keys. Start with all zero. A key that is
 * present throughout comes exactly once, whatever is put and deleted meanwhile.
 * To go on behind a known key, copy that key into key and set key_size.
 */
struct nkv_iterator {
    uint8_t key[NKV_KEY_SIZE_MAX];
    uint8_t key_size;
    /* Of the key, not verified: nkv_get verifies. value.size is 0. */
    struct nkv_value value;
    /* Private. */
    uint32_t resume;
};

/*
 * Moves to the next key and fills in its name, size and version.
 *
 * - NKV_NOT_FOUND: there is none.
 * - NKV_DATA_LOSS: the next key's entry cannot be read; nothing is known of
 *   it. The iterator passed it: call again to go on.
 */
NKV_MUST_USE enum nkv_status nkv_next(struct nkv_store *store,
                                      struct nkv_iterator *iterator);

/*
 * Does at most one erase or one copy of an entry that will be needed anyway:
 * repairs damage, prepares room for the next writes. For an idle hook.
 *
 * Sets *more to false when nothing is left to do.
 */
NKV_MUST_USE enum nkv_status nkv_step(struct nkv_store *store, bool *more);

enum nkv_maintenance_kind {
    /* Collects the sector that gains most. NKV_NOT_FOUND: none gains. */
    NKV_MAINTAIN_PARTIAL,
    /* Repairs all damage, rewrites entries of older formats in the first
     * format, and, when the store is more than 70 % full of live entries,
     * collects every sector that gains. */
    NKV_MAINTAIN_FULL,
    /* As full, drops all tombstones that can go, and collects every sector
     * that gains, however full the store is. */
    NKV_MAINTAIN_HEAVY
};

/* How far a maintenance has come. Start with all zero but kind. */
struct nkv_maintenance {
    enum nkv_maintenance_kind kind;
    /* Steps done. */
    uint32_t steps;
    /* Private. */
    uint8_t phase;
    uint32_t cursor;
    uint32_t budget;
};

/*
 * Does one step of a maintenance: at most one erase, one copy, or one reading
 * pass. Sets *more to false with the last. Other calls may come in between.
 *
 * - NKV_NOT_FOUND: see NKV_MAINTAIN_PARTIAL.
 * - NKV_RESOURCE_EXHAUSTED: too little room to rewrite or to repair; what
 *   could be done was done.
 * Any status but NKV_OK ends the maintenance; *more is false then.
 */
NKV_MUST_USE enum nkv_status
nkv_maintain_step(struct nkv_store *store, struct nkv_maintenance *maintenance,
                  bool *more);

/* A whole maintenance. Statuses as nkv_maintain_step. */
NKV_MUST_USE enum nkv_status nkv_maintain(struct nkv_store *store,
                                          enum nkv_maintenance_kind kind);

/*
 * Erases all keys, whatever is on the flash. Allowed after each outcome of
 * nkv_mount but NKV_INVALID_ARGUMENT; afterwards the store is mounted and
 * empty. Transaction ids go on from where they were: one tombstone stays and
 * carries the last.
 *
 * When power fails inside, nkv_mount finds the store as it was, or empty, or
 * says NKV_FAILED_PRECONDITION; calling again finishes.
 * Blocks for sector_count erases.
 */
NKV_MUST_USE enum nkv_status nkv_erase_all(struct nkv_store *store);

/* What a store holds and what happened since it was mounted. */
struct nkv_statistics {
    uint32_t keys;
    uint32_t tombstones;
    uint32_t max_keys;
    uint32_t max_tombstones;
    /* The newest transaction id on flash; 0 on a blank one. */
    uint32_t transaction_count;
    /* Entries that are current, tombstones and copies included. */
    uint32_t live_bytes;
    /* Superseded or damaged: what collection can reclaim. */
    uint32_t stale_bytes;
    /* Erased. The three add up to the partition. */
    uint32_t free_bytes;
    uint32_t erased_sectors;
    /* Sectors in which damage was found and that are not yet erased. */
    uint32_t damaged_sectors;
    /* Keys and tombstones with fewer copies than configured. */
    uint32_t missing_copies;

    /* Since mount. */
    uint32_t erases;
    uint32_t bytes_programmed;
    uint32_t collections;
    uint32_t entries_relocated;
    /* Damaged places found, by mount and later. */
    uint32_t corrupt_entries;
    /* Copies that were added or replaced. */
    uint32_t entries_healed;
    uint32_t read_errors;
    uint32_t program_errors;
    uint32_t erase_errors;
};

/* Fills in the statistics from RAM; reads no flash. */
void nkv_statistics(const struct nkv_store *store,
                    struct nkv_statistics *statistics);

/* The newest transaction id on flash: the version of the last write. */
uint32_t nkv_transaction_count(const struct nkv_store *store);

#endif
