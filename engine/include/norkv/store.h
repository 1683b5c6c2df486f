/*
 * norkv: a key-value store in NOR flash.
 *
 * Keys are 1 to 63 bytes of any value. A value is 0 to 65534 bytes and, with
 * its key and a 16-byte header, fits one sector. The on-flash format is that
 * of Pigweed's pw_kvs (docs/format.md).
 *
 * The caller gives the memory (NKV_DEFINE_MEMORY), nothing is allocated. Calls
 * on one store exclude each other by the config's lock and unlock; without
 * them it is used from one thread at a time. Several stores are independent.
 *
 * Power may fail at any instant. After the next nkv_mount, each write that had
 * returned NKV_OK is there, the one in progress is there whole or not at all,
 * and nothing else has changed.
 *
 * A flash that fails is worked around: a read is tried three times, an erase
 * twice, a program in other sectors; a sector that fails for good is retired
 * and left alone until the next mount.
 *
 * Statuses that any call may return besides those listed at it:
 * - a status of the flash driver, or NKV_DATA_LOSS for bytes that read back
 *   other than programmed or not erased, when the call could not work around
 *   it; what was stored before is still there;
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
 * room is used up, nkv_delete reads all headers to find some that may go, and
 * collects sectors until one may.
 */
#define NKV_TOMBSTONES(max_keys) ((max_keys) / 8u + 4u)

/* Index words for max_keys keys and a number of copies: (1 + copies) * 4 bytes
 * a slot, so about 9 bytes a key with one copy. */
#define NKV_INDEX_WORDS(max_keys, copies)                                      \
    ((size_t)((max_keys) + NKV_TOMBSTONES(max_keys) + 1u) * (1u + (copies)))

/* What the store knows of a sector, 12 bytes. Members are private. */
struct nkv_sector {
    uint16_t used_units;
    uint16_t live_units;
    uint16_t erases;
    uint8_t state;
    uint8_t flags;
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
    /* Collects bytes for one program call, and takes what is read to be looked
     * at: a multiple of 16 and of the program unit, 16 bytes or more; 256 makes
     * the fewest calls. */
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
    /* Mount reads headers and keys only, and verifies no more than what a cut
     * may have torn: about half the flash reads. A value that has rotted is
     * then found when it is read, not by mount. A header that has rotted, or
     * reads wrong this once, is trusted: it may hide other entries, make an old
     * one pass for the newest, or list a key that was never put, until a get,
     * put or delete meets a damaged entry that is current, or something is to
     * be collected: by a put or delete that finds no room, by nkv_step, or by
     * nkv_maintain_step. That call reads the whole flash once more and verifies
     * everything; from then on the store knows what a whole mount would have
     * found. What is hidden until its sector is collected is lost: mount whole
     * now and then, or keep copies. */
    bool fast_mount;
    /* Steps (nkv_step) that a put or delete does at most on behalf of writes
     * to come, while there is room for its own entry: spreads collections over
     * the writes before they are needed. A write that finds no room does as
     * many as it takes, at one copy normally one erase and the copying of one
     * sector. 0: no limit, but one collection at most, and that only when room
     * runs short, one is under way, or a sector's turn has come for wear. */
    uint16_t steps_per_write;
    /* Called around every call on the store, and not within one another; NULL:
     * nothing is called. A call that waits in lock has done nothing yet, but
     * for nkv_mount: it must not be called while others are under way. A
     * nkv_maintain locks for each of its steps. */
    void (*lock)(void *context);
    void (*unlock)(void *context);
    void *lock_context;
    /* The transaction id that a blank store starts with. A random one keeps
     * versions from repeating after the flash was erased from outside. 0: 1. */
    uint32_t first_id;
};

enum {
    /* Entries that read differently from time to time which mount can pass
     * over. A cut leaves one. */
    NKV_DISTRUSTED_MAX = 4
};

/* A store. Complete so that it can be static; members are private. What is used
 * most comes first, where small processors reach it with the fewest
 * instructions. */
struct nkv_store {
    uint8_t copies;
    uint8_t access;
    uint8_t format_count;
    uint8_t distrusted_count;
    uint8_t since_sweep;
    bool has_entries;
    bool lacks_copies;
    bool is_unsure;
    bool is_trusting;
    bool is_merging;
    bool is_half_erased;
    bool has_marker;
    bool has_foreign;
    bool saw_magic;
    bool table_full;
    const struct nkv_config *config;
    const struct nkv_flash *flash;
    const struct nkv_format *formats;
    struct nkv_sector *sectors;
    uint32_t *index;
    uint32_t sector_bytes;
    uint32_t sector_count;
    uint32_t slots;
    uint32_t keys;
    uint32_t tombstones;
    uint32_t newest_id;
    uint32_t next_id;
    uint32_t oldest_id;
    uint32_t erased_sectors;
    uint32_t head;
    uint32_t victim;
    uint32_t victim_offset;
    uint32_t spare;
    uint32_t replaced[2];
    uint32_t hand;
    uint32_t refresh_left;
    uint32_t refresh_start;
    uint32_t excluded;
    uint32_t damaged_regions;
    uint32_t unblank_sectors;
    uint32_t marker_id;
    uint32_t distrusted[NKV_DISTRUSTED_MAX];
    uint32_t counters[13];
    uint8_t key[NKV_KEY_SIZE_MAX];
};

/* What is known of a key's value. */
struct nkv_value {
    /* Bytes delivered by this call. */
    size_t size;
    /* Bytes of the whole value. */
    uint32_t total_size;
    /* The key's version: the transaction id of its newest entry. Two reads
     * with one version saw the same value. Without a put it changes when a
     * maintenance rewrites the entry, and when its id is about to be too old to
     * compare, which takes some 2^31 writes (docs/format.md). */
    uint32_t version;
};

/*
 * Reads the flash, repairs it and makes the store usable.
 *
 * config must outlive the store. What interrupted writes, collections and
 * erases left, and damaged entries, are repaired before it returns: sectors
 * with damage are emptied and erased, missing copies added. What there is no
 * room for, or what is in a sector that fails, is left, stays readable and is
 * tried again by nkv_step and by writes. Programs and erases nothing when
 * nothing is wrong. With manual_repair it writes nothing at all.
 *
 * With fewer sectors than the store was written in, only what they hold counts,
 * and nobody can tell: values may be gone or older ones back (docs/format.md).
 *
 * Blocks for one reading of the flash; after damage for an erase and the
 * copying of a sector for each damaged one too. When no sector is erased,
 * because a collection was cut short, it reads the flash again for some
 * sectors, at worst for each.
 *
 * When power fails inside, the next mount does what is left to be done.
 *
 * - NKV_OK: usable. nkv_statistics tells what damage was found.
 * - NKV_INVALID_ARGUMENT: the config is wrong; nothing was read.
 * - NKV_RESOURCE_EXHAUSTED: more keys on flash than max_keys, or less memory
 *   than they need. Nothing was written. Read-only: some keys are missing.
 * - NKV_FAILED_PRECONDITION: this is not ours, or an erase of the store was
 *   cut short. Nothing was written. Read-only until nkv_erase_all.
 * - NKV_DATA_LOSS: only with manual_repair: damage was found, no sector is
 *   erased, or some entries lack copies. Read-only until a full or heavy
 *   nkv_maintain repaired it.
 * - a status of the driver: the flash could not be read. Nothing was written;
 *   not mounted.
 */
NKV_MUST_USE enum nkv_status nkv_mount(struct nkv_store *store,
                                       const struct nkv_config *config);

/* Whether the store is read-only for an erase of all of it that was cut short,
 * by power or by an error, and not because this is not ours: then nkv_erase_all
 * takes nothing away that was to stay. Does not lock. */
bool nkv_is_erase_cut(const struct nkv_store *store);

/*
 * Reads a value, or the part of it from offset (bytes) on, into to, and
 * verifies the whole entry. value, when not NULL, tells the bytes delivered,
 * the size of the whole and the version. A damaged copy is given up when
 * another is intact, and made anew by nkv_step. Writes nothing.
 *
 * After a fast mount, the first call that meets a damaged entry reads the
 * whole flash once more; the key may then have an older value.
 *
 * - NKV_OK: all from offset on was delivered (offset may equal the size).
 * - NKV_RESOURCE_EXHAUSTED: to was too small and is filled.
 * - NKV_NOT_FOUND: no such key.
 * - NKV_OUT_OF_RANGE: offset is beyond the value.
 * - NKV_INVALID_ARGUMENT: the key is empty or longer than NKV_KEY_SIZE_MAX.
 * - NKV_UNAVAILABLE, from every call that reads the whole flash once more, be
 *   it after a fast mount or because no sector is erased: that failed. The
 *   store has to be mounted again, and nothing is written before that.
 * - NKV_DATA_LOSS: no copy of the entry is intact. What to holds is undefined.
 *   It is NKV_NOT_FOUND once the entry's sector was collected, and after a
 *   fast mount from the next call on. The next mount may find an older value.
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
 * When power fails inside, the key has the old value or the new one, and what
 * was collected on the way lies in its old place or in its new one. After an
 * error of the flash the old value stands until the next mount, which may find
 * the new one; a value that is put, or a delete, after such an error is always
 * written, and settles it.
 *
 * Blocks for its own programs and for what it collects: see steps_per_write;
 * and once after a fast mount for reading the flash: see there.
 *
 * - NKV_INVALID_ARGUMENT: a key of 0 or more than NKV_KEY_SIZE_MAX bytes, or a
 *   value that does not fit a sector (nkv_value_size_max).
 * - NKV_RESOURCE_EXHAUSTED: the store or its key table is full. The old value
 *   stands. A value no larger than the old one finds room on a full store.
 *
 * With several copies and too little room for all of them, a value may be
 * stored in fewer (missing_copies in the statistics); nkv_step adds the others
 * when there is room.
 */
NKV_MUST_USE enum nkv_status
nkv_put(struct nkv_store *store, struct nkv_span key, struct nkv_span value);

/*
 * Removes a key. Works on a full store too: NKV_RESOURCE_EXHAUSTED comes only
 * when no sector is erased, because sectors failed or something else than this
 * engine filled the flash, or when the program unit was raised on a full store,
 * so that a tombstone takes more than the value did.
 *
 * When power fails inside, the key is there or not; after an error of the flash
 * likewise. Statuses as nkv_put, and
 * - NKV_NOT_FOUND: no such key; nothing was written. After a write that failed,
 *   its entry may be on flash all the same: then a tombstone is written in any
 *   case, and NKV_OK returned.
 * - NKV_DATA_LOSS: an entry that may be this key's has no copy with a readable
 *   header; nothing was written. nkv_put goes on all the same.
 */
NKV_MUST_USE enum nkv_status nkv_delete(struct nkv_store *store,
                                        struct nkv_span key);

/* The largest value that fits a sector under a key of key_size bytes, bytes; 0
 * for a key that is too long. Of a mounted store; does not lock. */
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
 * goes on with a collection, adds a missing copy, repairs damage, prepares room
 * for the next writes, levels wear. For an idle hook. On a sector that fails it
 * may erase twice. The first with work after a fast mount reads all the flash.
 *
 * Sets *more to false when nothing is left to do or nothing could be done.
 * When power fails inside, no value changes. NKV_OK, or a status of the driver;
 * nothing is lost then.
 */
NKV_MUST_USE enum nkv_status nkv_step(struct nkv_store *store, bool *more);

enum nkv_maintenance_kind {
    /* Collects the sector that gains most. NKV_NOT_FOUND: none gains. */
    NKV_MAINTAIN_PARTIAL,
    /* Verifies all entries, repairs all damage, rewrites entries of other
     * formats in the first format under new versions, adds missing copies, and
     * collects every sector that gains when the store is more than 70 % full
     * of live entries, else those without a live entry. */
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
 * pass. Some are longer: the first after a mount with manual_repair repairs all
 * that mount would have, after a fast mount it reads the whole flash first, and
 * rewriting an entry collects as a put does. Sets *more to false with the last.
 * Other calls may come in between. When power fails inside, no value changes.
 *
 * - NKV_NOT_FOUND: see NKV_MAINTAIN_PARTIAL.
 * - NKV_RESOURCE_EXHAUSTED: too little room to rewrite or to repair; what
 *   could be done was done.
 * Any status but NKV_OK ends the maintenance; *more is false then.
 */
NKV_MUST_USE enum nkv_status
nkv_maintain_step(struct nkv_store *store, struct nkv_maintenance *maintenance,
                  bool *more);

/* A whole maintenance; blocks for all its steps. Statuses as nkv_maintain_step.
 */
NKV_MUST_USE enum nkv_status nkv_maintain(struct nkv_store *store,
                                          enum nkv_maintenance_kind kind);

/*
 * Erases all keys, whatever is on the flash. Allowed after each outcome of
 * nkv_mount but NKV_INVALID_ARGUMENT; afterwards the store is mounted and
 * empty. Transaction ids go on from where they were: one tombstone stays and
 * carries the last.
 *
 * When power fails inside, nkv_mount finds the store as it was, or empty, or
 * says NKV_FAILED_PRECONDITION; calling again finishes. Only flash that is full
 * to the last byte, or whose free places fail, has no place for the mark of
 * that: one sector is erased first, and a cut there has cost what was in it,
 * and may bring back what that superseded.
 *
 * What lies in a sector that cannot be erased is deleted. After an error the
 * store is as it was, or read-only until another call finishes.
 * Blocks for about sector_count erases and two readings of the flash.
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
    /* Erased, and open for entries. The three add up to the partition. */
    uint32_t free_bytes;
    /* Of the free and stale bytes, those that no entry may take: what is kept
     * for collection, so that deletes and smaller values always have a place.
     */
    uint32_t reserved_bytes;
    /* Of the free and stale bytes, those in sectors that failed: lost until the
     * flash answers again. */
    uint32_t retired_bytes;
    uint32_t erased_sectors;
    /* Sectors in which damage was found and that are not yet erased. */
    uint32_t damaged_sectors;
    /* Sectors that did not take an erase or a program since mount, and are left
     * alone until the next one or until there is no other room. */
    uint32_t retired_sectors;
    /* Keys and tombstones with fewer copies than configured. */
    uint32_t missing_copies;

    /* Since mount. */
    uint32_t erases;
    uint32_t bytes_programmed;
    uint32_t collections;
    uint32_t entries_relocated;
    /* Steps done, by nkv_step and by writes, and the most that one put or
     * delete did. */
    uint32_t steps;
    uint32_t longest_write_steps;
    /* Damaged places found, by mount and later. */
    uint32_t corrupt_entries;
    /* Intact entries that were moved out of damaged sectors. */
    uint32_t entries_recovered;
    /* Keys and tombstones given up after mount, damaged in all copies. */
    uint32_t entries_lost;
    /* Copies that were added or replaced. */
    uint32_t entries_healed;
    uint32_t read_errors;
    uint32_t program_errors;
    uint32_t erase_errors;
};

/* Fills in the statistics from RAM; reads no flash. Takes a look at each
 * sector and each slot of the index. All 0 when the store is not mounted. */
void nkv_statistics(const struct nkv_store *store,
                    struct nkv_statistics *statistics);

/*
 * The largest value that a put under a new key of key_size bytes finds room for
 * as things are, bytes; NKV_NONE_FITS when not even an empty one does. With one
 * copy it counts what collecting gains, with several only what is free without.
 * What live, stale, reserved and retired bytes leave over and this does not
 * offer is fragmented: spread over sectors in pieces that are too small, or
 * taken by tombstones that may go.
 */
#define NKV_NONE_FITS 0xFFFFFFFFu
uint32_t nkv_value_size_free(const struct nkv_store *store, size_t key_size);

/* At most so many calls of nkv_step until there is nothing left to do; 0: there
 * is nothing, or the store is read-only. An estimate from sizes in RAM. */
uint32_t nkv_pending_steps(const struct nkv_store *store);

enum nkv_sector_condition {
    NKV_SECTOR_IS_ERASED,
    /* Entries are appended to it. */
    NKV_SECTOR_IS_OPEN,
    NKV_SECTOR_IS_FULL,
    /* Damage was found in it, or it was left by an interrupted erase; waits
     * for its erase. */
    NKV_SECTOR_IS_DAMAGED,
    /* See retired_sectors. */
    NKV_SECTOR_IS_RETIRED
};

/* One sector, for diagnosis. */
struct nkv_sector_report {
    enum nkv_sector_condition condition;
    uint32_t used_bytes;
    uint32_t live_bytes;
    /* Transactions since it was last written to: exact in the session in which
     * it was; after a mount at most what its newest entry says. */
    uint32_t age;
    /* Since mount, up to 65535. */
    uint32_t erases;
};

/* Fills in a report from RAM. NKV_OUT_OF_RANGE: there is no such sector. */
NKV_MUST_USE enum nkv_status
nkv_report_sector(const struct nkv_store *store, uint32_t sector,
                  struct nkv_sector_report *report);

/* The newest transaction id on flash: the version of the last write; 0 on a
 * blank one. */
uint32_t nkv_transaction_count(const struct nkv_store *store);

#endif
