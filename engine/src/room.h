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

/*
 * Makes room, on a full store, for an entry that replaces old and is no larger:
 * empties old's sector but for old itself. Write the new entry at once for
 * NKV_FOR_COLLECTING, then let nkv_room_finish erase the sector. Between the
 * two, a cut leaves old or new.
 *
 * Statuses as nkv_room_make.
 */
enum nkv_status nkv_room_make_by_replacing(struct nkv_store *store,
                                           const struct nkv_entry *old);
enum nkv_status nkv_room_finish(struct nkv_store *store);

#endif
