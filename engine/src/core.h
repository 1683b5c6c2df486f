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
    /* Bytes read from flash at once where the caller gives no buffer; on the
     * stack. */
    NKV_CHUNK = 32,
    /* Times a read that fails is tried. */
    NKV_READ_TRIES = 3,
    /* Sectors from which on new entries and relocated ones go to different
     * open sectors; with fewer the second open sector costs more than it
     * gains. */
    NKV_SECTORS_TO_KEEP_APART = 8,
    /* A sector pays to collect early when one part in this is stale. */
    NKV_PAYS = 2,
    /* Times that mount reads what a cut may have left half programmed: a bit
     * that reads at random passes once in 2^16. */
    NKV_DOUBTFUL_READS = 16
};

/* No sector, no address, no slot. */
#define NKV_NONE 0xFFFFFFFFu

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
    /* An erase failed or the flash did not answer: left alone until the next
     * mount. */
    NKV_SECTOR_FAILED
};

enum nkv_access {
    NKV_ACCESS_NONE,
    NKV_ACCESS_READ_ONLY,
    /* Read-only until maintenance has repaired what mount found. */
    NKV_ACCESS_REPAIR,
    NKV_ACCESS_FULL
};

enum nkv_counter {
    NKV_COUNT_ERASES,
    NKV_COUNT_BYTES_PROGRAMMED,
    NKV_COUNT_COLLECTIONS,
    NKV_COUNT_RELOCATED,
    NKV_COUNT_CORRUPT,
    NKV_COUNT_HEALED,
    NKV_COUNT_READ_ERRORS,
    NKV_COUNT_PROGRAM_ERRORS,
    NKV_COUNT_ERASE_ERRORS
};

static inline struct nkv_sector *nkv_sector(const struct nkv_store *store,
                                            uint32_t sector)
{
    return &store->config->memory.sectors[sector];
}

static inline uint32_t nkv_sector_count(const struct nkv_store *store)
{
    return store->flash->sector_count;
}

static inline uint32_t nkv_sector_of(const struct nkv_store *store,
                                     uint32_t address)
{
    return address / store->sector_bytes;
}

static inline uint32_t nkv_sector_start(const struct nkv_store *store,
                                        uint32_t sector)
{
    return sector * store->sector_bytes;
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

/* Remembers that an entry with this id is on flash. */
static inline void nkv_note_side(struct nkv_store *store, uint32_t id)
{
    if (nkv_id_is_on_top(id))
        store->has_top_ids = true;
    else
        store->has_old_ids = true;
}

/*
 * Whether id a was given out after id b. Ids wrap: one in the top 2^24 of the
 * range is older than one in the bottom 2^24; otherwise they compare as
 * numbers, because a store that pw_kvs wrote may span the whole range.
 */
static inline bool nkv_id_is_newer(uint32_t a, uint32_t b)
{
    bool a_low = a >> 24 == 0, b_low = b >> 24 == 0;
    bool a_high = nkv_id_is_on_top(a), b_high = nkv_id_is_on_top(b);

    if (a_low && b_high)
        return true;
    if (a_high && b_low)
        return false;
    return a > b;
}

#endif
