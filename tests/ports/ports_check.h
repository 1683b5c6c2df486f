/* cmocka with the headers it wants in front of it, and checks of our own. */
#ifndef NORKV_TESTS_PORTS_CHECK_H
#define NORKV_TESTS_PORTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <norkv/status.h>

/* Fails the test with the names of both statuses. */
#define assert_status(call, expected)                                          \
    assert_string_equal(nkv_status_name(call), nkv_status_name(expected))
#define assert_ok(call) assert_status(call, NKV_OK)

/* Fails with what a chip's driver did that it should not. */
#define assert_no_violation(model)                                             \
    assert_string_equal((model)->violations > 0 ? (model)->violation : "", "")

#endif
