/*
 * Registers and bits: Linux, drivers/spi/spi-aspeed-smc.c, and QEMU,
 * hw/ssi/aspeed_smc.c, which agree; ASPEED gives its data sheet to customers
 * only. That words may be exchanged: the same, and ASPEED's driver for Zephyr,
 * drivers/spi/spi_aspeed.c.
 */
#include "ast1030_fmc.h"

#include <cortex_m.h>
#include <norkv/bytes.h>

enum {
    FMC_CONF = 0x7E620000,
    /* Writes to chip select 0 reach the chip. */
    CONF_ENABLE_WRITE_0 = 1 << 16,
    FMC_CTRL_0 = 0x7E620010,
    /* User mode; bits 8 to 11 and 24 to 27, the clock, are 0: HCLK / 16. One
     * line each way. */
    CTRL_USER = 3,
    CTRL_DESELECT = 1 << 2
};

/* Beyond an enum: the window of chip select 0. */
#define FMC_WINDOW 0x80000000u

/* Registers and window lie where a Cortex-M4 by default has memory (DDI 0403,
 * B3.1), whose accesses it may put in another order: not over a barrier. */
static void control(uint32_t value)
{
    nkv_wait_for_writes();
    nkv_register_write(FMC_CTRL_0, value);
    nkv_wait_for_writes();
}

static void select(void *context)
{
    (void)context;
    control(CTRL_USER);
}

/* Reading back takes some of the 50 ns that the line is to stay high. */
static void deselect(void *context)
{
    (void)context;
    control(CTRL_USER | CTRL_DESELECT);
    (void)nkv_register_read(FMC_CTRL_0);
}

/* An access to the window takes many times as long as one to memory: four bytes
 * by each, the lowest first, and what is left one by one. A read sends an idle
 * line's and gives what came. */
static void receive(uint8_t *in, size_t size)
{
    for (; size >= sizeof(uint32_t); size -= sizeof(uint32_t)) {
        nkv_store_le32(in, nkv_register_read(FMC_WINDOW));
        in += sizeof(uint32_t);
    }
    for (; size > 0; size--) {
        *in++ = nkv_register_read_byte(FMC_WINDOW);
    }
}

static void send(const uint8_t *out, size_t size)
{
    for (; size >= sizeof(uint32_t); size -= sizeof(uint32_t)) {
        nkv_register_write(FMC_WINDOW, nkv_load_le32(out));
        out += sizeof(uint32_t);
    }
    for (; size > 0; size--) {
        nkv_register_write_byte(FMC_WINDOW, *out++);
    }
}

static void send_zeros(size_t size)
{
    for (; size > 0; size--) {
        nkv_register_write_byte(FMC_WINDOW, 0);
    }
}

static void exchange(void *context, const uint8_t *out, uint8_t *in,
                     size_t size)
{
    (void)context;
    if (in != NULL) {
        receive(in, size);
    } else if (out != NULL) {
        send(out, size);
    } else {
        send_zeros(size);
    }
}

void nkv_ast1030_fmc_start(struct nkv_spi_bus *bus)
{
    nkv_register_write(FMC_CONF, nkv_register_read(FMC_CONF) |
                                     (uint32_t)CONF_ENABLE_WRITE_0);
    deselect(NULL);
    bus->context = NULL;
    bus->select = select;
    bus->deselect = deselect;
    bus->exchange = exchange;
}
