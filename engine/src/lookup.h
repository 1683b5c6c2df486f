/* From a key, or an address, to its slot in the index. */
#ifndef NKV_LOOKUP_H
#define NKV_LOOKUP_H

#include "entry.h"
#include "sector.h"

/* Which slots a search for a key looks at. Passing over tombstones costs no
 * flash read for a deleted key. */
enum nkv_wanted { NKV_WANT_VALUE, NKV_WANT_ANY };

/*
 * Finds the slot of a key and reads the header of its first copy that can be
 * read.
 *
 * - NKV_NOT_FOUND: no such key.
 * - NKV_DATA_LOSS: an entry with the key's hash is damaged: it may be the
 *   key's.
 */
enum nkv_status nkv_find(struct nkv_store *store, struct nkv_span key,
                         enum nkv_wanted wanted, uint32_t *slot,
                         struct nkv_entry *entry);

/* The slot of this key that refers to this address, or NKV_NONE: the entry
 * there is not current. */
uint32_t nkv_find_address(const struct nkv_store *store, struct nkv_span key,
                          uint32_t address);

/* Reads and verifies a copy. NKV_DATA_LOSS: it is damaged, also when looked at
 * again. */
enum nkv_status nkv_read_copy(struct nkv_store *store, uint32_t slot,
                              uint32_t copy, struct nkv_entry *entry);

/* The entry of a slot's first copy that is intact, or NKV_DATA_LOSS. Damaged
 * copies before it are given up, to be made anew. */
enum nkv_status nkv_intact_copy(struct nkv_store *store, uint32_t slot,
                                struct nkv_entry *entry);

/* Verifies all copies of a slot and gives up those that are damaged while
 * another is intact. NKV_DATA_LOSS: none is. */
enum nkv_status nkv_check_copies(struct nkv_store *store, uint32_t slot);

/* Takes all addresses out of a slot, and their bytes out of the sectors' live
 * ones. size is that of a copy whose header cannot be read. The slot counts as
 * empty until it is given an address again. */
void nkv_forget_addresses(struct nkv_store *store, uint32_t slot,
                          uint32_t size);

/* Gives up a slot whose entry is damaged in all copies; their sectors take no
 * more entries. */
void nkv_drop_slot(struct nkv_store *store, uint32_t slot);

/*
 * Gives up slots with a key's hash whose entries are damaged in all copies:
 * they are this key's, of which there is something newer, or of a key that is
 * lost.
 */
void nkv_drop_unreadable(struct nkv_store *store, struct nkv_span key);

/* Adds an address to a slot with room for one, and size bytes to the
 * sector's live ones. False: all copies are there. */
bool nkv_remember_address(struct nkv_store *store, uint32_t slot,
                          uint32_t address, uint32_t size);

/* The sectors that hold copies of a slot's entry. */
void nkv_sectors_of_slot(const struct nkv_store *store, uint32_t slot,
                         struct nkv_sector_set *set);

#endif
