/* How progress is put into words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <progress_text.h>
#include <string.h>

enum { LINE_SIZE = 256 };

static const struct nkv_progress_state half_of_the_records = {
    .what = "restore",
    .unit = NKV_PROGRESS_RECORDS,
    .done = 500,
    .total = 1000,
    .elapsed_ms = 10000,
};

static void a_wide_terminal_gets_all_of_it(void **state)
{
    char line[LINE_SIZE];

    (void)state;
    nkv_progress_line(&half_of_the_records, 200, line, sizeof line);
    assert_string_equal(line,
                        "restore  [###############...............]  50 %  "
                        "500 of 1000 records  50 records/s  0:10 left");
}

static void a_line_is_shorter_than_its_terminal(void **state)
{
    char line[LINE_SIZE];
    struct nkv_progress_state huge = {
        .what = "restore",
        .unit = NKV_PROGRESS_RECORDS,
        .done = UINT64_MAX - 1,
        .total = UINT64_MAX,
        .elapsed_ms = UINT64_MAX,
    };

    (void)state;
    for (size_t columns = 1; columns <= 300; columns++) {
        nkv_progress_line(&half_of_the_records, columns, line, sizeof line);
        assert_true(strlen(line) < columns);
        nkv_progress_line(&huge, columns, line, sizeof line);
        assert_true(strlen(line) < columns);
    }
}

static void a_narrow_terminal_gets_no_bar(void **state)
{
    char line[LINE_SIZE];

    (void)state;
    nkv_progress_line(&half_of_the_records, 65, line, sizeof line);
    assert_non_null(strstr(line, "  50 %  500 of 1000"));
    assert_null(strchr(line, '#'));
}

static void a_total_that_is_not_known_gives_no_share(void **state)
{
    struct nkv_progress_state unknown = half_of_the_records;
    char line[LINE_SIZE];

    (void)state;
    unknown.total = 0;
    unknown.elapsed_ms = 3725000;
    nkv_progress_line(&unknown, 80, line, sizeof line);
    assert_string_equal(line, "restore  500 records  0 records/s  1:02:05");
    assert_int_equal(nkv_progress_left_ms(&unknown), 0);
}

static void bytes_come_in_units_that_suit(void **state)
{
    struct nkv_progress_state bytes = {
        .what = "backup",
        .unit = NKV_PROGRESS_BYTES,
        .done = 9999,
        .elapsed_ms = 1000,
    };
    char line[LINE_SIZE];

    (void)state;
    nkv_progress_line(&bytes, 80, line, sizeof line);
    assert_string_equal(line, "backup  9999 bytes  9999 bytes/s  0:01");
    bytes.done = 12345;
    nkv_progress_line(&bytes, 80, line, sizeof line);
    assert_string_equal(line, "backup  12.3 kB  12.3 kB/s  0:01");
    bytes.done = 4567890;
    nkv_progress_line(&bytes, 80, line, sizeof line);
    assert_string_equal(line, "backup  4.56 MB  4.56 MB/s  0:01");
}

static void too_early_there_is_no_rate(void **state)
{
    struct nkv_progress_state early = half_of_the_records;

    (void)state;
    early.elapsed_ms = 0;
    assert_int_equal(nkv_progress_rate(&early), 0);
    assert_int_equal(nkv_progress_left_ms(&early), 0);
    early.done = 0;
    early.elapsed_ms = 1000;
    assert_int_equal(nkv_progress_rate(&early), 0);
    assert_int_equal(nkv_progress_left_ms(&early), 0);
}

static void more_than_the_total_is_all(void **state)
{
    struct nkv_progress_state over = half_of_the_records;
    char line[LINE_SIZE];

    (void)state;
    over.done = 1001;
    assert_int_equal(nkv_progress_left_ms(&over), 0);
    nkv_progress_line(&over, 200, line, sizeof line);
    assert_non_null(strstr(line, "] 100 %  "));
    assert_null(strchr(line, '.'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wide_terminal_gets_all_of_it),
        cmocka_unit_test(a_line_is_shorter_than_its_terminal),
        cmocka_unit_test(a_narrow_terminal_gets_no_bar),
        cmocka_unit_test(a_total_that_is_not_known_gives_no_share),
        cmocka_unit_test(bytes_come_in_units_that_suit),
        cmocka_unit_test(too_early_there_is_no_rate),
        cmocka_unit_test(more_than_the_total_is_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
