/*
 * The last resort of a full store: an entry takes the place of what it makes
 * superfluous, which is what its key has, and a tombstone that had the newest
 * id until then.
 *
 * Invariant: what is superfluous is erased after the new entry was read back;
 * a cut leaves old or new.
 */
#ifndef NKV_REPLACE_H
#define NKV_REPLACE_H

#include "write.h"

/*
 * Writes the first copy of a change's entry, of size bytes: empties the sector
 * of something superfluous into the erased one, but for that, has the entry
 * written behind it, and erases the sector.
 *
 * - NKV_RESOURCE_EXHAUSTED: that does not make room for it. Nothing was
 *   changed, but for a tombstone that was kept for an old value.
 */
enum nkv_status nkv_write_by_replacing(struct nkv_store *store,
                                       const struct nkv_change *change,
                                       uint32_t size);

#endif
