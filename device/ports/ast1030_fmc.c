/*
 * Registers and bits: Linux, drivers/spi/spi-aspeed-smc.c, and QEMU,
 * hw/ssi/aspeed_smc.c, which agree; ASPEED gives its data sheet to customers
 * only.
 */
#include "ast1030_fmc.h"
#include "cortex_m.h"
#include "registers.h"

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

/* A byte at a time, in order: a write sends one, a read sends an idle line's
 * and gives what came. */
static void exchange(void *context, const uint8_t *out, uint8_t *in,
                     size_t size)
{
    volatile uint8_t *const window = (volatile uint8_t *)FMC_WINDOW;

    (void)context;
    for (size_t i = 0; i < size; i++) {
        if (in != NULL) {
            in[i] = *window;
        } else {
            *window = out != NULL ? out[i] : 0;
        }
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
