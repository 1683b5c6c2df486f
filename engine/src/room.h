/* Making room for an entry: choosing sectors, and collecting until there are
 * enough. */
#ifndef NKV_ROOM_H
#define NKV_ROOM_H

#include "entry.h"

/*
 * Collects until an entry of size bytes can be appended to as many sectors as
 * there are copies.
 *
 * - NKV_RESOURCE_EXHAUSTED: the store is too full.
 */
enum nkv_status nkv_room_make(struct nkv_store *store, uint32_t size);

/* Whether, after collection, a whole further sector would be free. */
bool nkv_room_is_ample(const struct nkv_store *store);

/* Whether a sector holds nothing but what a new entry with this key makes
 * superfluous. Ask after nkv_room_make has failed. */
bool nkv_room_appears_after(struct nkv_store *store, struct nkv_span key);

/*
 * Makes room, on a full store, for an entry that replaces old and is no larger:
 * empties old's sector but for old itself. No collection is under way. Write
 * the new entry at once for NKV_FOR_COLLECTING, then let nkv_room_finish erase
 * the sector. Between the two, a cut leaves old or new.
 *
 * Statuses as nkv_room_make.
 */
enum nkv_status nkv_room_make_by_replacing(struct nkv_store *store,
                                           const struct nkv_entry *old);
enum nkv_status nkv_room_finish(struct nkv_store *store);

#endif
