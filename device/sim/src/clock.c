#include "clock.h"

#include <errno.h>
#include <time.h>

uint64_t nkv_clock_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NKV_NS_PER_S + (uint64_t)now.tv_nsec;
}

uint32_t nkv_clock_ms(void *context)
{
    (void)context;
    return (uint32_t)(nkv_clock_ns() / NKV_NS_PER_MS);
}

int nkv_poll_ns(struct pollfd *entries, size_t count, int64_t timeout_ns)
{
    struct timespec timeout = {
        .tv_sec = (time_t)(timeout_ns / NKV_NS_PER_S),
        .tv_nsec = (long)(timeout_ns % NKV_NS_PER_S),
    };
    int found =
        ppoll(entries, (nfds_t)count, timeout_ns < 0 ? NULL : &timeout, NULL);

    return found < 0 && errno == EINTR ? 0 : found;
}
