/*
 * The index: a hash table in the caller's memory that says where each key's
 * newest entry lies.
 *
 * A slot is 1 + copies words: the key's hash, then an address for each copy in
 * units of NKV_UNIT. Keys themselves stay on flash; keys with equal hashes have
 * slots of their own. Tombstones have slots too.
 *
 * Invariant: open addressing with linear probing, slots of a run in ascending
 * order of hash (Robin Hood hashing, ordered). So a search ends at the first
 * greater hash, and walking the table from a hash on visits keys in the order
 * of hashes: a cursor needs no more than a key. One slot always stays empty.
 */
#ifndef NKV_INDEX_H
#define NKV_INDEX_H

#include "core.h"

/* FNV-1a with a final mix, so that the top bits depend on all of the key. */
uint32_t nkv_hash(struct nkv_span key);

void nkv_index_clear(struct nkv_store *store);

/* The first slot with this hash, or NKV_NONE. */
uint32_t nkv_index_first(const struct nkv_store *store, uint32_t hash);

/* The next slot with the same hash as slot, or NKV_NONE. */
uint32_t nkv_index_next(const struct nkv_store *store, uint32_t slot);

/* Makes a slot, or NKV_NONE when the table is full. Moves other slots. The
 * slot counts as empty until it is given its first address. */
uint32_t nkv_index_insert(struct nkv_store *store, uint32_t hash);

/* Removes a slot. Moves other slots; the one that was next is now at slot or
 * the table's run ended there. */
void nkv_index_remove(struct nkv_store *store, uint32_t slot);

/* A walk through the used slots in the order of their hashes. */
struct nkv_index_walk {
    uint32_t home;
    uint32_t step;
};

/* A walk that begins at the first hash >= hash. */
struct nkv_index_walk nkv_index_walk_from(const struct nkv_store *store,
                                          uint32_t hash);

/* The walk's next slot, or NKV_NONE at the end. May give a few slots with
 * smaller hashes first. */
uint32_t nkv_index_walk_next(const struct nkv_store *store,
                             struct nkv_index_walk *walk);

bool nkv_slot_is_used(const struct nkv_store *store, uint32_t slot);
uint32_t nkv_slot_hash(const struct nkv_store *store, uint32_t slot);

/* The address of a copy, or NKV_NONE. */
uint32_t nkv_slot_address(const struct nkv_store *store, uint32_t slot,
                          uint32_t copy);
void nkv_slot_set_address(struct nkv_store *store, uint32_t slot, uint32_t copy,
                          uint32_t address);

/* Takes one address out; those behind it move up. */
void nkv_slot_remove_address(struct nkv_store *store, uint32_t slot,
                             uint32_t copy);

/* Which copy has this address, or NKV_NONE. */
uint32_t nkv_slot_find_address(const struct nkv_store *store, uint32_t slot,
                               uint32_t address);

/* Whether any slot has an address in this sector. Looks at all slots. */
bool nkv_index_refers_to(const struct nkv_store *store, uint32_t sector);

/* Which copy lies in this sector, or NKV_NONE. */
uint32_t nkv_slot_find_sector(const struct nkv_store *store, uint32_t slot,
                              uint32_t sector);

/* How many copies have an address. */
uint32_t nkv_slot_copies(const struct nkv_store *store, uint32_t slot);

bool nkv_slot_is_tombstone(const struct nkv_store *store, uint32_t slot);
void nkv_slot_set_tombstone(struct nkv_store *store, uint32_t slot,
                            bool is_tombstone);

/* A mark of the sweep's (tombstones.h). */
bool nkv_slot_is_marked(const struct nkv_store *store, uint32_t slot);
void nkv_slot_set_mark(struct nkv_store *store, uint32_t slot, bool marked);

#endif
