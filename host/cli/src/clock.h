/* The time that passes, whatever the date is set to meanwhile. */
#ifndef NORKV_CLI_CLOCK_H
#define NORKV_CLI_CLOCK_H

#include <stdint.h>

/* Milliseconds from any start. */
uint64_t nkv_now_ms(void);

/* Milliseconds until then, at least 1: 0 is a client's own deadline. */
uint32_t nkv_left_ms(uint64_t end_ms);

#endif
