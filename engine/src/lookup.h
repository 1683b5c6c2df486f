/*
 * From a key, or an address, to its slot in the index, and the books that slots
 * and sectors keep together.
 *
 * Invariants: a key is compared whole, on flash. The live bytes of a sector are
 * those of the copies in it that slots refer to: who changes an address changes
 * both.
 */
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
 * - NKV_NOT_FOUND: no such key; *slot is NKV_NONE.
 * - NKV_DATA_LOSS: an entry with the key's hash is damaged: it may be the
 *   key's. *slot is its slot.
 */
enum nkv_status nkv_find(struct nkv_store *store, const struct nkv_span *key,
                         enum nkv_wanted wanted, uint32_t *slot,
                         struct nkv_entry *entry);

/* The slot that refers to the entry at an address, of a key with this hash, or
 * NKV_NONE: it is not current. */
uint32_t nkv_find_address(const struct nkv_store *store, uint32_t hash,
                          uint32_t address);

/* Reads the header of a slot's first copy. NKV_NOT_FOUND: also of a slot that
 * is empty. */
enum nkv_status nkv_slot_read(struct nkv_store *store, uint32_t slot,
                              struct nkv_entry *entry);

/* Reads and verifies the entry at an address. NKV_DATA_LOSS: it is damaged,
 * also when looked at again. */
enum nkv_status nkv_read_verified(struct nkv_store *store, uint32_t address,
                                  struct nkv_entry *entry);

/* The entry of a slot's first copy that is intact, or NKV_DATA_LOSS. Damaged
 * copies before it are given up, to be made anew. */
enum nkv_status nkv_intact_copy(struct nkv_store *store, uint32_t slot,
                                struct nkv_entry *entry);

/* Gives up a copy that is damaged while another is intact: its sector takes no
 * more entries, and the copy is made anew elsewhere in idle time. */
void nkv_give_up_copy(struct nkv_store *store, uint32_t slot, uint32_t copy);

/* Bytes of a copy of an entry that is made today. */
uint32_t nkv_copy_size(const struct nkv_store *store,
                       const struct nkv_entry *entry);

/* Takes one address out of a slot, and the bytes of its entry out of the
 * sector's live ones: nkv_copy_size of the entry or, of several copies, of one
 * of them; 0: it is not known. Those behind the address move up. */
void nkv_forget_copy(struct nkv_store *store, uint32_t slot, uint32_t copy,
                     uint32_t size);

/* Takes all addresses out of a slot in the same way. The slot counts as empty
 * until it is given an address again. */
void nkv_forget_addresses(struct nkv_store *store, uint32_t slot,
                          uint32_t size);

/* Removes a slot from the index and its addresses from the books. */
void nkv_forget_slot(struct nkv_store *store, uint32_t slot, uint32_t size);

/* The same for a slot whose entry is damaged in all copies; their sectors take
 * no more entries. */
void nkv_drop_slot(struct nkv_store *store, uint32_t slot);

/* Adds an address to a slot with room for one, and the entry's bytes to the
 * sector's live ones. False: all copies are there. */
bool nkv_remember_address(struct nkv_store *store, uint32_t slot,
                          const struct nkv_entry *entry);

/* Gives a slot an entry in place of the one it has, if it has one, of which a
 * copy has old_size bytes (0: not known). It counts as a value or tombstone. */
void nkv_slot_take(struct nkv_store *store, uint32_t slot,
                   const struct nkv_entry *entry, uint32_t old_size);

#endif
