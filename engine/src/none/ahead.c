/* In place of ahead.c, for firmware that does not care which of its writes has
 * to collect: room is made when there is none. */
#include "../ahead.h"

void nkv_work_ahead(struct nkv_store *store, uint32_t size)
{
    (void)store;
    (void)size;
}
