/* The port to copy, over a chip that is memory: it compiles, passes the
 * self-test and serves. */
#include "line_quiet.h"
#include "template/template_flash.h"
#include "template/template_line.h"
#include "template/template_selftest.h"
#include "template/template_service.h"
#include "template_chip.h"
#include "template_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct nkv_packet answer(void)
{
    while (nkv_template_poll()) {
    }
    return template_answer();
}

static enum nkv_status open(void)
{
    template_send_open();
    return answer().status;
}

static enum nkv_status put(void)
{
    template_send_put();
    return answer().status;
}

static struct nkv_packet get(void)
{
    template_send_get();
    return answer();
}

static enum nkv_status start(uint32_t boot_id)
{
    return nkv_template_start(boot_id, "template-1", NKV_SELFTEST_NONE);
}

static int set_up(void **state)
{
    (void)state;
    template_chip_reset();
    return start(1) == NKV_OK ? 0 : -1;
}

/* ---- Tests ------------------------------------------------------------- */

static void it_passes_the_self_test_beside_a_store(void **state)
{
    (void)state;
    assert_int_equal(put(), NKV_OK);
    assert_int_equal(nkv_template_selftest(), NKV_SELFTEST_NONE);
    assert_int_equal(chip.erases, 2);
    assert_int_equal(start(2), NKV_OK);
    assert_int_equal(get().status, NKV_OK);
}

static void a_failed_self_test_is_told_and_nothing_is_written(void **state)
{
    enum nkv_selftest_check failed;

    (void)state;
    chip.erases_nothing = true;
    failed = nkv_template_selftest();
    assert_int_equal(failed, NKV_SELFTEST_ERASE);
    assert_int_equal(nkv_template_start(2, "template-1", failed), NKV_OK);
    assert_int_equal(open(), NKV_OK);
    assert_int_equal(put(), NKV_FAILED_PRECONDITION);
}

static void without_a_sector_or_a_flash_for_it_nothing_is_tried(void **state)
{
    (void)state;
    chip.erases_nothing = true;
    chip.is_other = true;
    assert_int_equal(nkv_template_selftest(), NKV_SELFTEST_NONE);
    chip.is_other = false;
    for (uint32_t i = 1; i <= NKV_CHIP_SECTOR_COUNT; i++) {
        chip.cells[i * NKV_CHIP_SECTOR_SIZE - 1] = 0xFE;
    }
    assert_int_equal(nkv_template_selftest(), NKV_SELFTEST_NONE);
    assert_int_equal(chip.erases, 0);
}

static void it_serves_and_keeps_what_it_got(void **state)
{
    struct nkv_packet answer;

    (void)state;
    assert_int_equal(open(), NKV_OK);
    assert_int_equal(put(), NKV_OK);
    answer = get();
    assert_int_equal(answer.status, NKV_OK);
    assert_memory_equal(answer.payload.data + 2, "value", 5);
    assert_int_equal(start(2), NKV_OK);
    answer = get();
    assert_int_equal(answer.status, NKV_OK);
    assert_memory_equal(answer.payload.data + 2, "value", 5);
}

static void another_chip_is_served_with_its_fault(void **state)
{
    (void)state;
    assert_int_equal(put(), NKV_OK);
    chip.is_other = true;
    assert_int_equal(start(2), NKV_OK);
    assert_int_equal(open(), NKV_OK);
    assert_int_equal(put(), NKV_FAILED_PRECONDITION);
    chip.is_other = false;
    assert_int_equal(start(3), NKV_OK);
    assert_int_equal(get().status, NKV_OK);
}

static void a_flash_that_stays_busy_or_fails_ends_the_wait(void **state)
{
    uint8_t unit[NKV_CHIP_PROGRAM_UNIT] = {0};

    (void)state;
    chip.has_failed = true;
    assert_int_equal(nkv_template_flash.erase(NULL, 0), NKV_INTERNAL);
    assert_int_equal(nkv_template_flash.program(NULL, 0, unit, sizeof unit),
                     NKV_INTERNAL);
    chip.has_failed = false;
    chip.stays_busy_from_now = true;
    assert_int_equal(nkv_template_flash.erase(NULL, 0), NKV_DEADLINE_EXCEEDED);
}

static void a_stuck_line_costs_the_answer_only(void **state)
{
    (void)state;
    chip.line_is_stuck = true;
    assert_int_equal(put(), NKV_UNKNOWN);
    chip.line_is_stuck = false;
    assert_int_equal(get().status, NKV_OK);
}

static void lost_bytes_are_counted(void **state)
{
    (void)state;
    assert_int_equal(nkv_template_line_take_overruns(), 0);
    nkv_template_line_overrun();
    nkv_template_line_overrun();
    assert_int_equal(nkv_template_line_take_overruns(), 2);
    nkv_template_line_receive(0x7E);
    for (int i = 0; i < 2 * NKV_TEMPLATE_RX_WINDOW; i++) {
        nkv_template_line_receive('x');
    }
    assert_true(nkv_template_line_take_overruns() > 0);
}

static void a_frame_that_came_keeps_awake_until_it_is_read(void **state)
{
    (void)state;
    assert_false(nkv_template_line_has_arrived());
    template_send_open();
    assert_true(nkv_template_line_has_arrived());
    assert_int_equal(answer().status, NKV_OK);
    assert_false(nkv_template_line_has_arrived());
}

/* A frame that is not whole shows by it alone. */
static void it_is_not_quiet_while_bytes_come(void **state)
{
    (void)state;
    nkv_template_line_receive(0x7E);
    for (int i = 0; i < 20; i++) {
        nkv_template_line_receive('x');
        chip.now_ms += 50;
        assert_false(nkv_template_line.is_quiet(NULL));
    }
    chip.now_ms += 100;
    assert_true(nkv_template_line.is_quiet(NULL));
}

static void silence_counts_from_the_first_look_and_time_may_wrap(void **state)
{
    struct nkv_line_quiet line = {0};
    uint32_t start_ms = UINT32_MAX - 49;

    (void)state;
    assert_true(nkv_line_quiet_is(&line, 100, 100));
    nkv_line_quiet_note(&line);
    assert_false(nkv_line_quiet_is(&line, start_ms, 100));
    assert_false(nkv_line_quiet_is(&line, start_ms + 99, 100));
    assert_true(nkv_line_quiet_is(&line, start_ms + 100, 100));
    nkv_line_quiet_note(&line);
    assert_false(nkv_line_quiet_is(&line, start_ms + 200, 100));
    assert_false(nkv_line_quiet_is(&line, start_ms + 299, 100));
    assert_true(nkv_line_quiet_is(&line, start_ms + 300, 100));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_passes_the_self_test_beside_a_store),
        TEST(a_failed_self_test_is_told_and_nothing_is_written),
        TEST(without_a_sector_or_a_flash_for_it_nothing_is_tried),
        TEST(it_serves_and_keeps_what_it_got),
        TEST(another_chip_is_served_with_its_fault),
        TEST(a_flash_that_stays_busy_or_fails_ends_the_wait),
        TEST(a_stuck_line_costs_the_answer_only),
        TEST(lost_bytes_are_counted),
        TEST(a_frame_that_came_keeps_awake_until_it_is_read),
        TEST(it_is_not_quiet_while_bytes_come),
        TEST(silence_counts_from_the_first_look_and_time_may_wrap),
    };

    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
