#include "value_limit.h"

size_t nkv_value_limit(const struct nkv_device *device, uint32_t sector_size,
                       size_t key_size)
{
    size_t room = sector_size - NKV_ENTRY_OVERHEAD - key_size;
    size_t frame = device->max_value + (device->max_key - key_size);

    return room < frame ? room : frame;
}
