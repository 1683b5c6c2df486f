#include "hash.h"

uint32_t nkv_hash_add(uint32_t state, const uint8_t *data, size_t size)
{
    while (size-- > 0)
        state = (state ^ *data++) * 16777619u;
    return state;
}

uint32_t nkv_hash_end(uint32_t state)
{
    state ^= state >> 15;
    state *= 0x2C1B3C6Du;
    return state ^ state >> 13;
}

uint32_t nkv_hash(struct nkv_span key)
{
    return nkv_hash_end(nkv_hash_add(NKV_HASH_START, key.data, key.size));
}
