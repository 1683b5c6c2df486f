/* Milliseconds of a counter of microseconds that wraps at 2^32. */
#ifndef NORKV_PORTS_MS_CLOCK_H
#define NORKV_PORTS_MS_CLOCK_H

#include <stdint.h>

enum { NKV_US_PER_MS = 1000 };

/* What was told last, and what the counter was when it began; members are
 * private. All 0 at the start. */
struct nkv_ms_clock {
    uint32_t told_ms;
    uint32_t told_us;
};

/* The milliseconds since the start; they wrap at 2^32. Must be called at least
 * once while the counter comes round, in 71 minutes, and not by interrupts if
 * the main program does. */
static inline uint32_t nkv_ms_clock_tell(struct nkv_ms_clock *clock,
                                         uint32_t counter_us)
{
    uint32_t passed_ms = (counter_us - clock->told_us) / NKV_US_PER_MS;

    clock->told_ms += passed_ms;
    clock->told_us += passed_ms * NKV_US_PER_MS;
    return clock->told_ms;
}

#endif
