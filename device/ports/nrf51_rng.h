/* The random number generator of an nRF51: nRF51 Series Reference Manual v3.0,
 * chapter RNG. Its source is thermal noise. */
#ifndef NORKV_PORTS_NRF51_RNG_H
#define NORKV_PORTS_NRF51_RNG_H

#include <stdint.h>

/* Four random bytes, without bias. Blocks for about 3 ms. A generator that does
 * not answer is given up after some ms a byte; what is missing is 0 then. */
uint32_t nkv_nrf51_random(void);

#endif
