/*
 * Making room for entries: collecting until there is enough, and in advance.
 *
 * What is counted: of each sector that has not failed, the bytes that are not
 * live in it, since its live entries can be moved to the erased one; when none
 * is erased, only the room that open ones have. Tombstones that may go and
 * sectors that failed are tried when that is not enough.
 *
 * Invariant: nothing is collected when the sums say that it cannot help.
 */
#ifndef NKV_ROOM_H
#define NKV_ROOM_H

#include "entry.h"

/*
 * Collects until an entry of size bytes can be appended to as many sectors as
 * there are copies. Before that, when the last erased sector might turn out bad
 * and little has to be moved for it, one sector more.
 *
 * - NKV_RESOURCE_EXHAUSTED: the store is too full.
 */
enum nkv_status nkv_room_make(struct nkv_store *store, uint32_t size);

/* Whether every copy of an entry of size bytes finds a sector of its own as
 * things are. */
bool nkv_room_is_there(const struct nkv_store *store, uint32_t size);

/*
 * The size of the largest entry that nkv_room_make finds room for: in one
 * sector a copy, each emptied if need be, or by merging two sectors. Room that
 * is scattered further is not counted, because sizes alone do not tell whether
 * entries can be packed so. With several copies it may be too much, because
 * what is moved out of one sector may go where another copy was to go.
 */
uint32_t nkv_room_largest(const struct nkv_store *store);

/* Whether new entries find less than this many bytes without an erase. */
bool nkv_room_is_short(const struct nkv_store *store, uint32_t bytes);

/* Steps of collecting a sector, at most. */
uint32_t nkv_room_steps(const struct nkv_store *store, uint32_t sector);

#endif
