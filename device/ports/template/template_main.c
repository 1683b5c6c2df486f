/*
 * A program to begin with: tries the flash driver, and serves a store. What it
 * calls of the chip is in chip.h and start_up.h.
 */
#include "start_up.h"
#include "template_line.h"
#include "template_selftest.h"
#include "template_service.h"

/* A frame that comes just now is not slept through: before interrupts are off
 * it is seen, and afterwards its interrupt pends and ends the wait. */
static void sleep_unless_arrived(void)
{
    nkv_chip_interrupts_off();
    if (!nkv_template_line_has_arrived()) {
        nkv_chip_wait();
    }
    nkv_chip_interrupts_on();
}

int main(void)
{
    enum nkv_selftest_check failed;

    nkv_chip_start();
    /* Once it has passed, a product starts with NKV_SELFTEST_NONE instead. */
    failed = nkv_template_selftest();
    if (nkv_template_start(nkv_chip_random(), nkv_chip_unit_id(), failed) !=
        NKV_OK) {
        return 1;
    }
    nkv_chip_uart_interrupt_on();
    for (;;) {
        if (!nkv_template_poll()) {
            sleep_unless_arrived();
        }
        /* What else the program has to do. */
    }
}
