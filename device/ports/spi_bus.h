/*
 * What a driver of a chip on an SPI bus needs of the board: the bus, with the
 * chip's select line, and time. No function may be NULL; each gets context as
 * it is.
 */
#ifndef NORKV_SPI_BUS_H
#define NORKV_SPI_BUS_H

#include <stddef.h>
#include <stdint.h>

struct nkv_spi_bus {
    void *context;
    /* Selects the chip: what is exchanged until deselect is one command. */
    void (*select)(void *context);
    /* Ends the command. The line must stay high for as long as the chip asks
     * (tSHSL, 50 ns and less for 25-series flash) before it is selected again.
     */
    void (*deselect)(void *context);
    /* Clocks size bytes out and in, mode 0 or 3, most significant bit first.
     * out NULL: zeros are sent. in NULL: what comes in is dropped. */
    void (*exchange)(void *context, const uint8_t *out, uint8_t *in,
                     size_t size);
    /* Microseconds since any moment; wraps at 2^32. It must go on while
     * interrupts are served. */
    uint32_t (*now_us)(void *context);
    /* Called again and again while the chip erases: the place to sleep until
     * the next interrupt, or to let other tasks run. May return at once; a
     * driver notices the end of an erase as late as this returns. Must not use
     * the chip. */
    void (*pause)(void *context);
};

#endif
