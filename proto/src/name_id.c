#include <norkv/packet.h>

/* The same in Python, for building norkv/ids.h: tools/make_ids.py. */
uint32_t nkv_name_id(const char *name)
{
    const uint32_t constant = 65599;
    uint32_t sum = 0;
    uint32_t length = 0;
    uint32_t factor = constant;

    for (; name[length] != '\0'; length++) {
        sum += factor * (uint8_t)name[length];
        factor *= constant;
    }
    return length + sum;
}
