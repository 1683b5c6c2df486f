/* The nRF51's drivers against a model of the chip. */
#include "nrf51_clock.h"
#include "nrf51_model.h"
#include "nrf51_nvmc.h"
#include "nrf51_rng.h"
#include "nrf51_timer.h"
#include "nrf51_uart.h"
#include "ports_check.h"

#include <norkv/store.h>
#include <string.h>

static char received[NKV_NRF51_SENT_MAX];
static size_t received_size;

static void receive(uint8_t byte)
{
    assert_true(received_size < sizeof received - 1);
    received[received_size++] = (char)byte;
    received[received_size] = '\0';
}

static unsigned overruns;

static void overrun(void)
{
    overruns++;
}

static struct nkv_nrf51_partition partition;
static struct nkv_flash flash;
static const struct nkv_nrf51_uart_setup uart = {
    .tx_pin = 24,
    .rx_pin = 25,
    .line = {.receive = receive,
             .overrun = overrun,
             .wait = nkv_nrf51_sleep,
             .now_ms = nkv_nrf51_timer_ms},
};

/* The drivers' own variables last from one test to the next: the clock goes on,
 * and so that no byte is under way, one is sent. */
static int set_up(void **state)
{
    uint32_t counter_us = nkv_nrf51.counter_us;

    (void)state;
    nkv_nrf51_reset();
    nkv_nrf51.counter_us = counter_us;
    nkv_nrf51.tx_ready = true;
    nkv_nrf51_uart_start(&uart);
    assert_int_equal(nkv_nrf51_uart_write((const uint8_t *)"x", 1), NKV_OK);
    nkv_nrf51.sent_size = 0;
    received_size = 0;
    received[0] = '\0';
    overruns = 0;
    partition.start = nkv_nrf51.flash_start;
    partition.size = NKV_NRF51_FLASH_SIZE;
    nkv_nrf51_flash_init(&flash, &partition);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    nkv_nrf51_end();
    return 0;
}

static void expect_no_violation(void)
{
    if (nkv_nrf51.violation != NULL)
        fail_msg("the driver did %s", nkv_nrf51.violation);
    assert_int_equal(nkv_nrf51.nvmc_config, 0);
}

static void words_are_programmed_only_while_writing_is_enabled(void **state)
{
    uint8_t back[12];

    (void)state;
    assert_int_equal(flash.program(flash.context, 1024, "abcdefghijkl", 12),
                     NKV_OK);
    assert_int_equal(nkv_nrf51.words_programmed, 3);
    assert_int_equal(flash.read(flash.context, 1024, back, sizeof back),
                     NKV_OK);
    assert_memory_equal(back, "abcdefghijkl", sizeof back);
    assert_int_equal(nkv_nrf51.flash[1023], 0xFF);
    assert_int_equal(nkv_nrf51.flash[1036], 0xFF);
    expect_no_violation();
}

static void an_erase_clears_its_page_alone(void **state)
{
    (void)state;
    memset(nkv_nrf51.flash, 0, NKV_NRF51_FLASH_SIZE);
    assert_int_equal(flash.erase(flash.context, 15), NKV_OK);
    assert_int_equal(nkv_nrf51.flash[15 * 1024 - 1], 0);
    assert_int_equal(nkv_nrf51.flash[15 * 1024], 0xFF);
    assert_int_equal(nkv_nrf51.flash[16 * 1024 - 1], 0xFF);
    assert_int_equal(nkv_nrf51.pages_erased, 1);
    expect_no_violation();
}

static void a_controller_that_stays_busy_is_given_up(void **state)
{
    (void)state;
    nkv_nrf51.busy_looks = UINT32_MAX;
    assert_int_equal(flash.program(flash.context, 0, "abcdefgh", 8),
                     NKV_DEADLINE_EXCEEDED);
    assert_int_equal(nkv_nrf51.words_programmed, 1);
    expect_no_violation();
    nkv_nrf51.busy_left = 0;
    assert_int_equal(flash.erase(flash.context, 0), NKV_DEADLINE_EXCEEDED);
    expect_no_violation();
}

static void a_chip_tells_its_size(void **state)
{
    (void)state;
    nkv_nrf51.chip_pages = 128;
    assert_int_equal(nkv_nrf51_flash_size(), 128 * 1024);
    expect_no_violation();
}

NKV_DEFINE_MEMORY(memory, 16, 2, NKV_NRF51_FLASH_PAGES, 64);

static void a_store_collects_on_it(void **state)
{
    struct nkv_config config = {
        .flash = &flash, .memory = memory, .max_keys = 16, .copies = 2};
    struct nkv_store store;
    uint8_t value[200];

    (void)state;
    assert_int_equal(nkv_mount(&store, &config), NKV_OK);
    for (uint8_t i = 0; i < 200; i++) {
        memset(value, i, sizeof value);
        assert_int_equal(nkv_put(&store,
                                 (struct nkv_span){&(uint8_t){i % 5}, 1},
                                 (struct nkv_span){value, sizeof value}),
                         NKV_OK);
    }
    assert_true(nkv_nrf51.pages_erased > NKV_NRF51_FLASH_PAGES);
    expect_no_violation();
}

static void all_that_waits_in_the_fifo_is_taken_by_one_interrupt(void **state)
{
    (void)state;
    nkv_nrf51_line_byte('a');
    nkv_nrf51_line_bytes_at_once("bcdefg");
    assert_string_equal(received, "abcdefg");
    assert_int_equal(overruns, 0);
    expect_no_violation();
}

static void an_overrun_is_counted_and_reception_goes_on(void **state)
{
    (void)state;
    nkv_nrf51_line_bytes_at_once("abcdefgh");
    assert_string_equal(received, "abcdef");
    nkv_nrf51_line_byte('i');
    assert_string_equal(received, "abcdefi");
    assert_int_equal(overruns, 1);
    expect_no_violation();
}

static void an_error_of_another_kind_only_does_not_stop_it(void **state)
{
    (void)state;
    nkv_nrf51.uart_error = true;
    nkv_nrf51.error_source = 4;
    nkv_nrf51_line_byte('a');
    nkv_nrf51_line_byte('b');
    assert_string_equal(received, "b");
    assert_int_equal(nkv_nrf51.error_source, 0);
    assert_int_equal(overruns, 0);
    expect_no_violation();
}

static void bytes_leave_one_after_another(void **state)
{
    (void)state;
    nkv_nrf51.send_sleeps = 3;
    assert_int_equal(nkv_nrf51_uart_write((const uint8_t *)"hello", 5), NKV_OK);
    assert_int_equal(nkv_nrf51_uart_write((const uint8_t *)"!", 1), NKV_OK);
    assert_int_equal(nkv_nrf51.sent_size, 6);
    assert_memory_equal(nkv_nrf51.sent, "hello!", 6);
    expect_no_violation();
}

static int bytes_to_come;

/* Each byte that comes in wakes the driver that waits for another to leave. */
static void receive_and_sleep(void)
{
    if (bytes_to_come > 0) {
        bytes_to_come--;
        nkv_nrf51_line_byte('r');
    }
    nkv_nrf51_sleep();
}

static void bytes_come_in_while_others_leave(void **state)
{
    static const struct nkv_nrf51_uart_setup both = {
        .tx_pin = 24,
        .rx_pin = 25,
        .line = {.receive = receive,
                 .overrun = overrun,
                 .wait = receive_and_sleep,
                 .now_ms = nkv_nrf51_timer_ms},
    };

    (void)state;
    nkv_nrf51_uart_start(&both);
    bytes_to_come = 3;
    nkv_nrf51.send_sleeps = 2;
    assert_int_equal(nkv_nrf51_uart_write((const uint8_t *)"ab", 2), NKV_OK);
    assert_string_equal(received, "rrr");
    assert_memory_equal(nkv_nrf51.sent, "ab", 2);
    expect_no_violation();
}

static void a_line_that_takes_nothing_is_given_up_and_used_again(void **state)
{
    uint32_t start_ms;

    (void)state;
    nkv_nrf51.send_sleeps = UINT32_MAX;
    start_ms = nkv_nrf51_timer_ms();
    assert_int_equal(nkv_nrf51_uart_write((const uint8_t *)"ab", 2),
                     NKV_UNAVAILABLE);
    assert_true(nkv_nrf51_timer_ms() - start_ms >= 2000);
    /* And from now on at once. */
    start_ms = nkv_nrf51_timer_ms();
    assert_int_equal(nkv_nrf51_uart_write((const uint8_t *)"cd", 2),
                     NKV_UNAVAILABLE);
    assert_int_equal(nkv_nrf51_timer_ms(), start_ms);
    assert_int_equal(nkv_nrf51.sent_size, 1);
    /* Somebody reads again. */
    nkv_nrf51.send_sleeps = 1;
    nkv_nrf51.is_sending = false;
    nkv_nrf51.tx_ready = true;
    assert_int_equal(nkv_nrf51_uart_write((const uint8_t *)"ef", 2), NKV_OK);
    assert_int_equal(nkv_nrf51.sent_size, 3);
    assert_memory_equal(nkv_nrf51.sent, "aef", 3);
    expect_no_violation();
}

static void milliseconds_go_on_when_the_counter_comes_round(void **state)
{
    uint32_t ms;

    (void)state;
    nkv_nrf51.counter_us = UINT32_MAX - 500;
    ms = nkv_nrf51_timer_ms();
    for (uint32_t i = 0; i < 10000; i++) {
        nkv_nrf51.counter_us += 300;
        (void)nkv_nrf51_timer_ms();
    }
    assert_in_range(nkv_nrf51_timer_ms() - ms, 2999, 3001);
}

static void an_alarm_is_that_far_ahead(void **state)
{
    (void)state;
    nkv_nrf51.counter_us = UINT32_MAX - 10;
    nkv_nrf51_timer_set_alarm(100);
    assert_int_equal(nkv_nrf51.alarm_us, 100000 - 11);
}

static void an_alarm_that_was_set_too_late_is_set_again(void **state)
{
    (void)state;
    nkv_nrf51.counter_us = 1000;
    nkv_nrf51.halt_us = 150000;
    nkv_nrf51_timer_set_alarm(100);
    assert_int_equal(nkv_nrf51.alarm_us, 1000 + 150000 + 100000);
}

static void a_random_number_has_four_bytes_of_the_generator(void **state)
{
    (void)state;
    assert_int_equal(nkv_nrf51_random(), 0x01020304);
    nkv_nrf51.random_looks = UINT32_MAX;
    assert_int_equal(nkv_nrf51_random(), 0);
    expect_no_violation();
}

static void a_crystal_that_does_not_start_is_given_up(void **state)
{
    (void)state;
    nkv_nrf51_clock_start();
    assert_int_equal(nkv_nrf51.crystal_looks, 0);
    nkv_nrf51.crystal_looks = UINT32_MAX;
    nkv_nrf51_clock_start();
    expect_no_violation();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(words_are_programmed_only_while_writing_is_enabled),
        TEST(an_erase_clears_its_page_alone),
        TEST(a_controller_that_stays_busy_is_given_up),
        TEST(a_chip_tells_its_size),
        TEST(a_store_collects_on_it),
        TEST(all_that_waits_in_the_fifo_is_taken_by_one_interrupt),
        TEST(an_overrun_is_counted_and_reception_goes_on),
        TEST(an_error_of_another_kind_only_does_not_stop_it),
        TEST(bytes_leave_one_after_another),
        TEST(bytes_come_in_while_others_leave),
        TEST(a_line_that_takes_nothing_is_given_up_and_used_again),
        TEST(milliseconds_go_on_when_the_counter_comes_round),
        TEST(an_alarm_is_that_far_ahead),
        TEST(an_alarm_that_was_set_too_late_is_set_again),
        TEST(a_random_number_has_four_bytes_of_the_generator),
        TEST(a_crystal_that_does_not_start_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
