/* The order of transaction ids. */
#include "core.h"

bool nkv_id_is_newer(uint32_t a, uint32_t b)
{
    bool wrapped = (nkv_id_is_on_top(a) && b >> 24 == 0) ||
                   (nkv_id_is_on_top(b) && a >> 24 == 0);

    return (a > b) != wrapped;
}

uint32_t nkv_take_id(struct nkv_store *store)
{
    uint32_t id = store->next_id;

    store->next_id = id + 1 == 0 ? 1 : id + 1;
    return id;
}
