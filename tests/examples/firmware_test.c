/* The example of the README does what it says. */
#include "firmware.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Far more starts than entries fit on the flash, so collection runs too. */
enum { BOOTS = 3000 };

static void boots_are_counted_across_restarts(void **state)
{
    uint32_t boots = 0;

    (void)state;
    for (uint32_t i = 1; i <= BOOTS; i++) {
        assert_int_equal(settings_open(), NKV_OK);
        assert_int_equal(settings_count_boot(&boots), NKV_OK);
        assert_int_equal(boots, i);
        assert_int_equal(settings_idle(), NKV_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boots_are_counted_across_restarts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
