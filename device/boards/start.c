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

/* Between two symbols of the linker script, which for C are two objects whose
 * addresses must not be compared. */
static inline size_t words_between(const uint32_t *start, const uint32_t *end)
{
    return ((uintptr_t)end - (uintptr_t)start) / sizeof *start;
}

static inline void fill_variables(void)
{
    size_t data = words_between(nkv_data_start, nkv_data_end);
    size_t bss = words_between(nkv_bss_start, nkv_bss_end);

    for (size_t i = 0; i < data; i++) {
        nkv_data_start[i] = nkv_data_load[i];
    }
    for (size_t i = 0; i < bss; i++) {
        nkv_bss_start[i] = 0;
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
