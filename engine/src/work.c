#include "work.h"

#include "collect.h"
#include "copies.h"
#include "victim.h"

/* Adds a copy. NKV_NOT_FOUND: none is missing. NKV_RESOURCE_EXHAUSTED: *victim
 * is to be collected for it; NKV_NONE: nothing can be. */
static enum nkv_status add_copy(struct nkv_store *store, uint32_t *victim)
{
    bool more;
    enum nkv_status status = nkv_copies_step(store, &more);

    if (!more)
        return NKV_NOT_FOUND;
    if (status == NKV_RESOURCE_EXHAUSTED) {
        *victim = nkv_victim_choose(store, 1, 0);
        /* Until a sector was erased there is no use in trying again. */
        store->lacks_copies = *victim != NKV_NONE;
    } else {
        store->counters[NKV_COUNT_STEPS]++;
    }
    return status;
}

enum nkv_status nkv_work(struct nkv_store *store,
                         uint32_t (*find)(struct nkv_store *store), bool *more)
{
    uint32_t sector = NKV_NONE;

    *more = true;
    if (!nkv_collecting(store)) {
        enum nkv_status status = NKV_NOT_FOUND;
        if (store->lacks_copies)
            status = add_copy(store, &sector);
        if (status != NKV_NOT_FOUND && status != NKV_RESOURCE_EXHAUSTED)
            return status;
        if (find == NULL)
            sector = NKV_NONE;
        else if (sector == NKV_NONE)
            sector = find(store);
        *more = sector != NKV_NONE;
        if (!*more)
            return NKV_OK;
        status = nkv_collect_begin(store, sector);
        if (status != NKV_OK)
            return status;
    }
    return nkv_collect_step(store);
}
