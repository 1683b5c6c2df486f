#include "start.h"
#include "cortex_m.h"

#include <stddef.h>

/* The stack below this function's own frame, which a few words leave alone. */
static inline void paint_stack(void)
{
    uint32_t *end = (uint32_t *)__builtin_frame_address(0) - 8;

    for (volatile uint32_t *word = nkv_stack_bottom; word < end; word++) {
        *word = NKV_STACK_PAINT;
    }
}

static inline void fill_variables(void)
{
    const uint32_t *from = nkv_data_load;

    for (uint32_t *to = nkv_data_start; to < nkv_data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = nkv_bss_start; to < nkv_bss_end; to++) {
        *to = 0;
    }
}

void nkv_start(void)
{
    paint_stack();
    fill_variables();
    (void)main();
    nkv_system_reset();
}

void nkv_fault(void)
{
    nkv_system_reset();
}
