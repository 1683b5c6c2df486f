/* HFCLK of an nRF51: nRF51 Series Reference Manual v3.0, chapter CLOCK. */
#ifndef NORKV_PORTS_NRF51_CLOCK_H
#define NORKV_PORTS_NRF51_CLOCK_H

/* Has HFCLK come from the crystal, of 16 MHz, instead of the RC oscillator,
 * which is too far off for a UART. Waits until it runs; where none starts
 * within some ms, the RC oscillator stays. */
void nkv_nrf51_clock_start(void);

#endif
