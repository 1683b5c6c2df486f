/*
 * What mount repairs before it returns, and finding what a collection left that
 * was cut short or failed.
 *
 * Invariant: a sector is erased here only when nothing in it is current, or
 * when the flash without it gives as many keys, the same sum over the ids of
 * their copies and the same newest id; or, where a collection was giving new
 * ids or copies were missing, as many keys and the same sum over their values.
 */
#ifndef NKV_REPAIR_H
#define NKV_REPAIR_H

#include "core.h"

/*
 * Erases sectors that hold nothing that counts, sees to it that one is erased,
 * moves good entries out of damaged sectors, adds missing copies. What cannot
 * be repaired, because there is no room or a sector fails, is left as it is:
 * the store can be read and, as far as there is room, written.
 */
void nkv_repair(struct nkv_store *store);

/*
 * After a fast mount, when an entry turned out to be damaged: reads the flash
 * anew and verifies all, for headers that rotted may have hidden or outdated
 * intact entries. Gives up a collection; slots and addresses are other ones
 * then. False: all was verified before, or it cannot be read, and the store
 * has no access any more (access.h).
 */
bool nkv_verify_after_all(struct nkv_store *store);

/*
 * Sees to it that a sector is erased: a collection that was cut short or failed
 * has left one whose current entries all lie elsewhere too. Finds it, by
 * reading the flash without it and comparing, and erases it. Does nothing when
 * one is erased already, or when there is no such sector (the store is then
 * full).
 */
enum nkv_status nkv_recover_erased_sector(struct nkv_store *store);

#endif
