/*
 * The index: a hash table in the caller's memory that says where each key's
 * newest entry lies.
 *
 * A slot is 1 + copies words: the key's hash, then an address for each copy in
 * units of NKV_UNIT. Keys themselves stay on flash; keys with equal hashes have
 * slots of their own. Tombstones have slots too.
 *
 * Invariants: used slots ascend by hash through the whole table, with empty
 * ones in between; a slot's home is its hash, scaled to the table's size, and
 * no slot between it and its home is empty. So a search begins at the home and
 * ends at an empty slot or a hash beyond, and a walk through the table visits
 * keys in the order of hashes: a cursor needs no more than a key. One slot
 * always stays empty. Of a slot's copies those with an address come first.
 */
#ifndef NKV_INDEX_H
#define NKV_INDEX_H

#include "hash.h"

void nkv_index_clear(struct nkv_store *store);

/* The first slot whose hash is not less than hash, or an empty slot before
 * which all hashes are less; store->slots when there is neither. */
uint32_t nkv_index_from(const struct nkv_store *store, uint32_t hash);

/* Whether the slot number is one of the table's, used, and has this hash. */
bool nkv_slot_has_hash(const struct nkv_store *store, uint32_t slot,
                       uint32_t hash);

/* Makes a slot, or NKV_NONE when the table is full. Moves other slots. The
 * slot counts as empty until it is given its first address. */
uint32_t nkv_index_insert(struct nkv_store *store, uint32_t hash);

/* Removes a slot. Moves other slots: no slot behind it to one before it. */
void nkv_index_remove(struct nkv_store *store, uint32_t slot);

bool nkv_slot_is_used(const struct nkv_store *store, uint32_t slot);
uint32_t nkv_slot_hash(const struct nkv_store *store, uint32_t slot);

/* The address of a copy, or NKV_NONE. */
uint32_t nkv_slot_address(const struct nkv_store *store, uint32_t slot,
                          uint32_t copy);
void nkv_slot_set_address(struct nkv_store *store, uint32_t slot, uint32_t copy,
                          uint32_t address);

/* Which copy has this address, or NKV_NONE. */
uint32_t nkv_slot_find_address(const struct nkv_store *store, uint32_t slot,
                               uint32_t address);

/* Which copy lies in this sector, or NKV_NONE. */
uint32_t nkv_slot_find_sector(const struct nkv_store *store, uint32_t slot,
                              uint32_t sector);

/* How many copies have an address; they come first. */
uint32_t nkv_slot_copies(const struct nkv_store *store, uint32_t slot);

bool nkv_slot_is_tombstone(const struct nkv_store *store, uint32_t slot);
void nkv_slot_set_tombstone(struct nkv_store *store, uint32_t slot,
                            bool is_tombstone);

/* A mark: of a tombstone the sweep's (tombstones.h) and, until the first sweep
 * behind a reading, that there is a copy too many; of a value that its loss was
 * counted. */
bool nkv_slot_is_marked(const struct nkv_store *store, uint32_t slot);
void nkv_slot_set_mark(struct nkv_store *store, uint32_t slot, bool marked);

#endif
