/*
 * The system control unit's random number generator. Linux reads it at 0x524
 * (aspeed-g6.dtsi, of the AST2600, which has the same unit); QEMU has its data
 * at 0x540 (hw/misc/aspeed_scu.c). Both are asked, and time is mixed in.
 */
#include "ast1030_random.h"
#include "ast1030_timer.h"
#include "registers.h"

enum { SCU_RANDOM = 0x7E6E2524, SCU_RANDOM_DATA = 0x7E6E2540, ROUNDS = 8 };

uint32_t nkv_ast1030_random(void)
{
    uint32_t hash = 0x811C9DC5;

    /* FNV-1a, by words. */
    for (unsigned i = 0; i < ROUNDS; i++) {
        hash = (hash ^ nkv_register_read(SCU_RANDOM)) * 0x01000193;
        hash = (hash ^ nkv_register_read(SCU_RANDOM_DATA)) * 0x01000193;
        hash = (hash ^ nkv_ast1030_timer_us()) * 0x01000193;
    }
    return hash;
}
