/*
 * Work for the writes to come, so that they find room.
 */
#ifndef NKV_AHEAD_H
#define NKV_AHEAD_H

#include "core.h"

/*
 * After a write of size bytes: goes on with a collection under way, or begins
 * one when room runs short or a sector's turn has come (wear.h). As many steps
 * as the config allows one write (steps_per_write); 0: to its end.
 */
void nkv_work_ahead(struct nkv_store *store, uint32_t size);

#endif
