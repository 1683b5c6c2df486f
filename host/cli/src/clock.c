#include "clock.h"

#include <time.h>

uint64_t nkv_now_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint32_t nkv_left_ms(uint64_t end_ms)
{
    uint64_t now = nkv_now_ms();

    return end_ms > now ? (uint32_t)(end_ms - now) : 1;
}
