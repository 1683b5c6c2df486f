/*
 * Sectors: how full they are, which one takes the next entry, which one is
 * worth collecting.
 *
 * Invariant: puts leave one sector erased. Collection may fill it, and in
 * return erases its victim: the entries of any one sector fit an erased one.
 */
#ifndef NKV_SECTOR_H
#define NKV_SECTOR_H

#include "core.h"

/* Changes the live bytes of the sector that holds address. */
void nkv_sector_add_live(struct nkv_store *store, uint32_t address,
                         int32_t bytes);

uint32_t nkv_sector_used(const struct nkv_store *store, uint32_t sector);
uint32_t nkv_sector_live(const struct nkv_store *store, uint32_t sector);

/* Bytes that erasing would gain: superseded and damaged ones. */
uint32_t nkv_sector_stale(const struct nkv_store *store, uint32_t sector);

/* Sets a state other than NKV_SECTOR_OPEN: closed ones count as used up. */
void nkv_sector_set_state(struct nkv_store *store, uint32_t number,
                          enum nkv_sector_state state);

/* Says that entries reach up to used bytes and that the rest is erased. The
 * sector is closed when programming cannot go on there. */
void nkv_sector_set_used(struct nkv_store *store, uint32_t sector,
                         uint32_t used);

/* Sectors that must not be chosen: those that hold a copy already. */
struct nkv_sector_set {
    uint32_t sectors[NKV_COPIES_MAX];
    uint32_t count;
};

enum nkv_purpose {
    /* A new entry: leaves the last erased sector alone. */
    NKV_FOR_WRITING,
    /* The same, but not behind entries that collection has put together: those
     * change seldom, and what is new may change soon. */
    NKV_FOR_WRITING_APART,
    /* The same, for a key that has not changed for long: only behind entries
     * that collection has put together. */
    NKV_FOR_WRITING_COLD,
    /* A collected entry: may take it, and stays out of the victim. */
    NKV_FOR_COLLECTING
};

/* A sector where size bytes can be appended, or NKV_NONE. */
uint32_t nkv_sector_choose(const struct nkv_store *store, uint32_t size,
                           const struct nkv_sector_set *taken,
                           enum nkv_purpose purpose);

/* The sector that is worth most to collect, or NKV_NONE when none gains. */
uint32_t nkv_sector_choose_victim(const struct nkv_store *store);

/* When it is the ring's turn: the next sector in ring order (victim.c). */
uint32_t nkv_sector_choose_in_turn(struct nkv_store *store);

/* Erases a sector without live entries and keeps the books. */
enum nkv_status nkv_sector_erase(struct nkv_store *store, uint32_t sector);

#endif
