/* The order of transaction ids. */
#include "core.h"

bool nkv_id_is_newer(uint32_t a, uint32_t b)
{
    bool wrapped = (nkv_id_is_on_top(a) && b >> 24 == 0) ||
                   (nkv_id_is_on_top(b) && a >> 24 == 0);

    return (a > b) != wrapped;
}
