/*
 * Sectors: how full they are, and which one takes the next entry.
 *
 * Invariants: writes leave one sector erased. Collection may fill it, its
 * spare, and in return erases its victim: the entries of any one sector fit an
 * erased one. Until then nothing else is written to the spare. Copies of an
 * entry go to different sectors. An erased sector was read to be so.
 */
#ifndef NKV_SECTOR_H
#define NKV_SECTOR_H

#include "core.h"

uint32_t nkv_sector_of(const struct nkv_store *store, uint32_t address);

/* Changes the live bytes of the sector that holds address. They count as much
 * as copies of its live entries take, which is more than they take themselves
 * if the program unit has grown. */
void nkv_sector_add_live(struct nkv_store *store, uint32_t address,
                         int32_t bytes);

/* Bytes up to the end of its last entry, and those that copies of its live ones
 * take. */
static inline uint32_t nkv_sector_used(const struct nkv_store *store,
                                       uint32_t sector)
{
    return (uint32_t)nkv_sector(store, sector)->used_units * NKV_UNIT;
}

static inline uint32_t nkv_sector_live(const struct nkv_store *store,
                                       uint32_t sector)
{
    return (uint32_t)nkv_sector(store, sector)->live_units * NKV_UNIT;
}

/* Whether a sector waits for its erase: damaged, or holding nothing that
 * counts. */
static inline bool nkv_sector_is_spoilt(const struct nkv_store *store,
                                        uint32_t sector)
{
    uint8_t state = nkv_sector(store, sector)->state;

    return state == NKV_SECTOR_DIRTY || state == NKV_SECTOR_DAMAGED;
}

/* Bytes that erasing would gain: superseded and damaged ones. */
uint32_t nkv_sector_stale(const struct nkv_store *store, uint32_t sector);

/* Whether an erased sector takes its live entries, and it is not retired. */
bool nkv_sector_can_be_emptied(const struct nkv_store *store, uint32_t sector);

/* Bytes that can be appended to an open sector; 0 for any other. */
uint32_t nkv_sector_room(const struct nkv_store *store, uint32_t sector);

/* Sets a state other than NKV_SECTOR_OPEN: closed ones count as used up. */
void nkv_sector_set_state(struct nkv_store *store, uint32_t number,
                          enum nkv_sector_state state);

/* Says that entries reach up to used bytes and that the rest is erased. The
 * sector is closed when programming cannot go on there. */
void nkv_sector_set_used(struct nkv_store *store, uint32_t sector,
                         uint32_t used);

enum nkv_purpose {
    /* A new entry: leaves the last erased sector alone. */
    NKV_FOR_WRITING,
    /* The same, but not behind entries that collection has put together: those
     * change seldom, and what is new may change soon. */
    NKV_FOR_WRITING_APART,
    /* The same, for a key that has not changed for long: only behind entries
     * that collection has put together. */
    NKV_FOR_WRITING_COLD,
    /* A collected entry: may take the last erased sector, and stays out of the
     * victim. */
    NKV_FOR_COLLECTING
};

/* A sector where size bytes can be appended and that holds no copy of a slot's
 * entry (NKV_NONE: of no slot's), or NKV_NONE. */
uint32_t nkv_sector_choose(const struct nkv_store *store, uint32_t size,
                           uint32_t slot, enum nkv_purpose purpose);

/* The room in an open sector that such entries may take. */
uint32_t nkv_sector_room_for(const struct nkv_store *store, uint32_t sector,
                             enum nkv_purpose purpose);

/* The largest such room in a sector other than this (NKV_NONE: in any). */
uint32_t nkv_sector_room_beside(const struct nkv_store *store, uint32_t sector,
                                enum nkv_purpose purpose);

/* How many sectors writes may take size bytes in. */
uint32_t nkv_sectors_for(const struct nkv_store *store, uint32_t size);

/* Whether what is new and what was collected go to different sectors. */
bool nkv_keeps_apart(const struct nkv_store *store);

/* Erases a sector without live entries and keeps the books. One that fails
 * twice is retired. */
enum nkv_status nkv_sector_erase(struct nkv_store *store, uint32_t sector);

#endif
