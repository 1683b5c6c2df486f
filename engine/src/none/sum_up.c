/* Without a comparison by values: with one copy and without refreshed ids
 * (wear.h) there is nothing that copies and ids do not tell. */
#include "../sum_up.h"

enum nkv_status nkv_sum_up(struct nkv_store *store, uint32_t *sum)
{
    (void)store;
    *sum = 0;
    return NKV_UNIMPLEMENTED;
}
