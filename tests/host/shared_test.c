/* The shared library, as a program of its own would use it: nothing but the
 * public header and what it exports. */
#include "test.h"
#include <stdio.h>

static void the_library_tells_its_version(void **state)
{
    (void)state;
    unsigned major;
    unsigned minor;
    unsigned patch;
    assert_int_equal(
        sscanf(nkv_client_version(), "%u.%u.%u", &major, &minor, &patch), 3);
}

static void an_error_can_be_read_and_the_handle_freed(void **state)
{
    (void)state;
    struct nkv_client *client;
    assert_int_equal(nkv_client_open("/dev/no-such-port", NULL, &client),
                     NKV_NOT_FOUND);
    assert_says(client, "/dev/no-such-port: no such port");
    nkv_client_free(&client);
    assert_null(client);
}

static void each_reason_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i <= NKV_REASON_SEQ_REUSED; i++) {
        const char *text = nkv_reason_text((enum nkv_reason)i);
        assert_non_null(text);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(text, nkv_reason_text((enum nkv_reason)j));
    }
    assert_string_equal(nkv_reason_text((enum nkv_reason)1000),
                        "a reason that this library does not know");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_tells_its_version),
        cmocka_unit_test(an_error_can_be_read_and_the_handle_freed),
        cmocka_unit_test(each_reason_has_a_text_of_its_own),
    };
    return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
