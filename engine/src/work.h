/* One step of the work that a store has beside writing. */
#ifndef NKV_WORK_H
#define NKV_WORK_H

#include "core.h"

/*
 * At most one copy or one erase: of the collection under way, else for a copy
 * that is missing, else of the sector that find names. find NULL: no collection
 * is begun. *more: there was something to do.
 *
 * - NKV_RESOURCE_EXHAUSTED: all was taken on trust (nkv_verify_after_all), or
 *   a collection found no room.
 */
enum nkv_status nkv_work(struct nkv_store *store,
                         uint32_t (*find)(struct nkv_store *store), bool *more);

#endif
