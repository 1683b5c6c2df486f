/* The time since any moment, and waiting. */
#ifndef NORKV_SIM_CLOCK_H
#define NORKV_SIM_CLOCK_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

enum { NKV_NS_PER_MS = 1000000, NKV_NS_PER_S = 1000000000 };

/* Nanoseconds. */
uint64_t nkv_clock_ns(void);

/* Milliseconds, wraps: nkv_server_config's now_ms. context is not used. */
uint32_t nkv_clock_ms(void *context);

/* poll with a timeout in nanoseconds, negative: for ever. Returns what poll
 * does; a signal ends it with 0. */
int nkv_poll_ns(struct pollfd *entries, size_t count, int64_t timeout_ns);

#endif
