#include "value_limit.h"

/* The header of an entry, beside key and value in one sector. */
enum { ENTRY_OVERHEAD = 16 };

size_t nkv_value_limit(const struct nkv_device *device, uint32_t sector_size,
                       size_t key_size)
{
    size_t room = sector_size - ENTRY_OVERHEAD - key_size;
    size_t frame = device->max_value + (device->max_key - key_size);

    return room < frame ? room : frame;
}
