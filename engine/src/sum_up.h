/* All keys and values in one number, to tell whether two readings of the flash
 * give the same. */
#ifndef NKV_SUM_UP_H
#define NKV_SUM_UP_H

#include "core.h"

/* A sum over what the store holds. */
typedef enum nkv_status nkv_sum(struct nkv_store *store, uint32_t *sum);

/* A sum over keys and values, read from flash, that stays the same once in 2^32
 * when one of them changes. */
nkv_sum nkv_sum_up_values;

#endif
