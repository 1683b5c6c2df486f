/* A chip that is memory, for the accesses of the template's chip.h. Time passes
 * by being looked at. */
#ifndef NORKV_TESTS_TEMPLATE_CHIP_H
#define NORKV_TESTS_TEMPLATE_CHIP_H

#include "template/chip.h"

#include <stddef.h>

enum { TEMPLATE_OUTPUT_SIZE = 65536 };

struct template_chip {
    uint8_t cells[NKV_CHIP_SECTOR_SIZE * NKV_CHIP_SECTOR_COUNT];
    uint32_t now_ms;
    uint32_t busy_until_ms;
    bool is_other;
    /* From the next start on. */
    bool stays_busy_from_now;
    bool stays_busy;
    bool has_failed;
    bool line_is_stuck;
    uint8_t output[TEMPLATE_OUTPUT_SIZE];
    size_t output_size;
    unsigned erases;
    /* They are done at once, and change nothing. */
    bool erases_nothing;
};

/* All 0 but the flash, which is erased, after template_chip_reset. */
extern struct template_chip chip;
void template_chip_reset(void);

#endif
