/*
 * What all files of the engine share: units, sector states, access to the
 * parts of a store.
 *
 * Addresses inside the engine are bytes from the partition's start. The index
 * keeps them in units of NKV_UNIT.
 */
#ifndef NKV_CORE_H
#define NKV_CORE_H

#include <norkv/store.h>

enum {
    /* Entries start at multiples of this from the sector's start, and their
     * headers have this size. */
    NKV_UNIT = 16,
    /* The smallest entry, bytes. */
    NKV_ENTRY_SIZE_MIN = 32,
    /* Bytes read from flash at once where the caller gives no buffer; on the
     * stack. */
    NKV_CHUNK = 16,
    /* Times a read that fails is tried. */
    NKV_READ_TRIES = 3,
    /* Times that mount reads what a cut may have left half programmed, and how
     * many of those may differ from the one before, each for ten reads more: a
     * bit that reads 0 as often as 1 passes once in 10^11. */
    NKV_DOUBTFUL_READS = 40,
    NKV_UNSTEADY_CHANGES = 12
};

/* For a function whose frame must not become a part of its caller's: the caller
 * also calls what takes the most stack. */
#define NKV_APART __attribute__((noinline))

/* No sector, no address, no slot. */
#define NKV_NONE 0xFFFFFFFFu

/* The magic of flash that is erased. */
#define NKV_ERASED_MAGIC 0xFFFFFFFFu

/* The first two take entries. */
enum nkv_sector_state {
    /* Erased from end to end, which was verified. */
    NKV_SECTOR_ERASED,
    /* Holds entries up to used_units; behind them it is known to be erased. */
    NKV_SECTOR_OPEN,
    /* Takes no more entries though nothing is damaged. */
    NKV_SECTOR_CLOSED,
    /* Takes no more entries: bytes in it are no entries. */
    NKV_SECTOR_DAMAGED,
    /* Holds nothing that counts and must be erased before use. */
    NKV_SECTOR_DIRTY,
    /* It did not take an erase, or a program though it was erased: left alone
     * while there is other room. */
    NKV_SECTOR_RETIRED
};

enum nkv_sector_flag {
    /* Holds entries that collection has put together. */
    NKV_FLAG_COLD = 1,
    /* Mount saw a tombstone in it. */
    NKV_FLAG_TOMBSTONES = 2,
    /* Mount saw an entry in it of which there is one copy too many. */
    NKV_FLAG_COPIED = 4,
    /* That copy lies in it. */
    NKV_FLAG_SURPLUS = 8,
    /* Retired, or damaged as far as was known before the flash was read. */
    NKV_FLAG_FAILED = 16
};

enum nkv_access {
    NKV_ACCESS_NONE,
    NKV_ACCESS_READ_ONLY,
    /* Read-only until maintenance has repaired what mount found. */
    NKV_ACCESS_REPAIR,
    NKV_ACCESS_FULL
};

/* What is counted since mount, in the order of struct nkv_statistics. */
enum nkv_counter {
    NKV_COUNT_ERASES,
    NKV_COUNT_BYTES_PROGRAMMED,
    NKV_COUNT_COLLECTIONS,
    NKV_COUNT_RELOCATED,
    NKV_COUNT_STEPS,
    NKV_COUNT_LONGEST_WRITE,
    NKV_COUNT_CORRUPT,
    NKV_COUNT_RECOVERED,
    NKV_COUNT_LOST,
    NKV_COUNT_HEALED,
    NKV_COUNT_READ_ERRORS,
    NKV_COUNT_PROGRAM_ERRORS,
    NKV_COUNT_ERASE_ERRORS,
    NKV_COUNTERS
};

static inline struct nkv_sector *nkv_sector(const struct nkv_store *store,
                                            uint32_t sector)
{
    return &store->sectors[sector];
}

static inline uint32_t nkv_round_up(uint32_t size, uint32_t to)
{
    return (size + to - 1) / to * to;
}

/* Whether an id lies in the top 2^24 of the range. */
static inline bool nkv_id_is_on_top(uint32_t id)
{
    return id >> 24 == 0xFF;
}

/*
 * Whether id a was given out after id b. Ids wrap: one in the top 2^24 of the
 * range is older than one in the bottom 2^24; otherwise they compare as
 * numbers, because a store that pw_kvs wrote may span the whole range.
 */
bool nkv_id_is_newer(uint32_t a, uint32_t b);

/* The next id, for an entry that is about to be written. It counts as the
 * newest from then on. 0 is never given out. */
static inline uint32_t nkv_take_id(struct nkv_store *store)
{
    uint32_t id = store->next_id;

    store->next_id = id + 1 == 0 ? 1 : id + 1;
    return id;
}

#endif
