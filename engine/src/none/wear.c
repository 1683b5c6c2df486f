/* In place of wear.c, for firmware that writes so little that neither static
 * wear nor the end of the id range is ever a concern. */
#include "../wear.h"

uint32_t nkv_sweep_interval(const struct nkv_store *store)
{
    (void)store;
    return UINT8_MAX;
}

void nkv_wear_begin(struct nkv_store *store)
{
    (void)store;
}

void nkv_wear_note_collection(struct nkv_store *store)
{
    (void)store;
}

bool nkv_wear_is_due(const struct nkv_store *store)
{
    (void)store;
    return false;
}

uint32_t nkv_wear_next(struct nkv_store *store)
{
    (void)store;
    return NKV_NONE;
}
