/* The AST1030's drivers against a model of the chip. */
#include "ast1030_fmc.h"
#include "ast1030_model.h"
#include "ast1030_timer.h"
#include "ast1030_uart.h"
#include "ports_check.h"
#include "spi_nor.h"

#include <norkv/store.h>
#include <string.h>

enum { SECTORS = 4, SECTOR = 4096, STORE = SECTORS * SECTOR };

static char received[NKV_AST1030_SENT_MAX];
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

static const struct nkv_uart_setup uart = {
    .receive = receive,
    .overrun = overrun,
    .wait = nkv_ast1030_sleep,
    .now_ms = nkv_ast1030_timer_ms,
};

static struct nkv_spi_nor_model chip;
static struct nkv_spi_bus bus;
static struct nkv_spi_nor_config nor_config;
static struct nkv_spi_nor nor;

static uint32_t chip_now_us(void *context)
{
    (void)context;
    return chip.bus.now_us(chip.bus.context);
}

static void chip_pause(void *context)
{
    (void)context;
    chip.bus.pause(chip.bus.context);
}

/* The drivers' own variables last from one test to the next: the clock goes on.
 */
static int set_up(void **state)
{
    uint32_t counter_us = nkv_ast1030.counter_us;

    (void)state;
    nkv_spi_nor_model_init(&chip, &nkv_spi_nor_w25q80);
    nkv_ast1030_reset(&chip);
    nkv_ast1030.counter_us = counter_us;
    nkv_ast1030_uart_start(&uart);
    received_size = 0;
    received[0] = '\0';
    overruns = 0;
    bus.now_us = chip_now_us;
    bus.pause = chip_pause;
    nor_config = (struct nkv_spi_nor_config){
        .bus = &bus, .size = STORE, .offset = NKV_SPI_NOR_AT_END};
    nkv_ast1030_fmc_start(&bus);
    assert_ok(nkv_spi_nor_start(&nor, &nor_config));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    nkv_spi_nor_model_free(&chip);
    return 0;
}

static void expect_no_violation(void)
{
    assert_string_equal(
        nkv_ast1030.violation != NULL ? nkv_ast1030.violation : "", "");
    assert_no_violation(&chip);
}

/* ---- Flash controller ---------------------------------------------------- */

static void bytes_keep_their_order_whatever_their_number_and_place(void **state)
{
    uint8_t bytes[32], back[32];
    const uint8_t *there = chip.bytes + chip.part.size - STORE;
    uint32_t at = 0;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i + 1);
    for (size_t size = 1; size <= 20; size++) {
        for (size_t shift = 0; shift < 4; shift++) {
            assert_ok(
                nor.flash.program(nor.flash.context, at, bytes + shift, size));
            assert_memory_equal(there + at, bytes + shift, size);
            assert_int_equal(there[at + size], 0xFF);
            memset(back, 0, sizeof back);
            assert_ok(
                nor.flash.read(nor.flash.context, at, back + shift, size));
            assert_memory_equal(back + shift, bytes + shift, size);
            assert_int_equal(back[shift + size], 0);
            at += (uint32_t)size;
        }
    }
    expect_no_violation();
}

static void four_bytes_go_at_once(void **state)
{
    uint8_t bytes[240];
    uint32_t before = nkv_ast1030.accesses;

    (void)state;
    /* So that it is not asked again and again whether it has done. */
    chip.part.program_us = 0;
    memset(bytes, 0x5A, sizeof bytes);
    assert_ok(nor.flash.program(nor.flash.context, 0, bytes, sizeof bytes));
    assert_true(nkv_ast1030.accesses - before < sizeof bytes / 2);
    before = nkv_ast1030.accesses;
    assert_ok(nor.flash.read(nor.flash.context, 0, bytes, sizeof bytes));
    assert_true(nkv_ast1030.accesses - before < sizeof bytes / 2);
}

static void zeros_are_sent_where_there_is_nothing_to_send(void **state)
{
    static const uint8_t write_enable = 0x06;
    static const uint8_t program[] = {0x02, 0x00, 0x10, 0x00};

    (void)state;
    bus.select(bus.context);
    bus.exchange(bus.context, &write_enable, NULL, 1);
    bus.deselect(bus.context);
    bus.select(bus.context);
    bus.exchange(bus.context, program, NULL, sizeof program);
    bus.exchange(bus.context, NULL, NULL, 7);
    bus.deselect(bus.context);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(chip.bytes[0x1000 + i], 0);
    assert_int_equal(chip.bytes[0x1007], 0xFF);
    expect_no_violation();
}

static void what_others_set_in_the_controller_stays(void **state)
{
    (void)state;
    nkv_ast1030.fmc_conf = 0x0000002A;
    nkv_ast1030_fmc_start(&bus);
    assert_int_equal(nkv_ast1030.fmc_conf, 0x0001002A);
    expect_no_violation();
}

NKV_DEFINE_MEMORY(memory, 8, 1, SECTORS, 256);

static void a_store_collects_on_it(void **state)
{
    struct nkv_config config = {
        .flash = &nor.flash, .memory = memory, .max_keys = 8};
    struct nkv_store store;
    uint8_t value[301];

    (void)state;
    assert_ok(nkv_mount(&store, &config));
    for (uint8_t i = 0; i < 200; i++) {
        memset(value, i, sizeof value);
        assert_ok(nkv_put(&store, (struct nkv_span){&(uint8_t){i % 5}, 1},
                          (struct nkv_span){value, sizeof value - i % 7}));
    }
    assert_true(chip.counts.erases > 2 * SECTORS);
    expect_no_violation();
}

/* ---- UART ---------------------------------------------------------------- */

static void one_interrupt_takes_what_has_come_till_then(void **state)
{
    (void)state;
    nkv_ast1030_line_bytes("abcdefghijklmnopqrst");
    nkv_ast1030_line_idle();
    assert_string_equal(received, "abcdefghijklmnopqrst");
    assert_int_equal(nkv_ast1030.interrupts_taken, 2);
    assert_int_equal(overruns, 0);
    expect_no_violation();
}

static void a_handler_that_is_late_by_two_bytes_loses_none(void **state)
{
    (void)state;
    nkv_ast1030_line_bytes_at_once("abcdefghijklmnop");
    assert_string_equal(received, "abcdefghijklmnop");
    assert_int_equal(overruns, 0);
    expect_no_violation();
}

static void an_overrun_is_counted_and_reception_goes_on(void **state)
{
    (void)state;
    nkv_ast1030_line_bytes_at_once("abcdefghijklmnopqrs");
    assert_string_equal(received, "abcdefghijklmnop");
    nkv_ast1030_line_bytes("t");
    nkv_ast1030_line_idle();
    assert_string_equal(received, "abcdefghijklmnopt");
    assert_int_equal(overruns, 1);
    expect_no_violation();
}

static void the_fifo_is_filled_before_the_driver_sleeps(void **state)
{
    static const char text[] =
        "a text of 48 bytes, which is 3 times the FIFO's";

    (void)state;
    assert_int_equal(sizeof text, 48);
    assert_ok(nkv_ast1030_uart_write((const uint8_t *)text, sizeof text));
    assert_int_equal(nkv_ast1030.sent_size, sizeof text);
    assert_memory_equal(nkv_ast1030.sent, text, sizeof text);
    assert_int_equal(nkv_ast1030.sleeps, 2);
    /* Only while it sleeps is it to be woken by an empty one. */
    assert_int_equal(nkv_ast1030.uart_interrupts, 5);
    expect_no_violation();
}

static void a_line_that_takes_nothing_is_given_up_and_used_again(void **state)
{
    static const uint8_t bytes[20] = "nobody is listening";
    uint32_t start_ms;

    (void)state;
    nkv_ast1030.is_stuck = true;
    start_ms = nkv_ast1030_timer_ms();
    assert_status(nkv_ast1030_uart_write(bytes, sizeof bytes), NKV_UNAVAILABLE);
    assert_true(nkv_ast1030_timer_ms() - start_ms >= 2000);
    /* And from now on at once. */
    start_ms = nkv_ast1030_timer_ms();
    assert_status(nkv_ast1030_uart_write(bytes, sizeof bytes), NKV_UNAVAILABLE);
    assert_int_equal(nkv_ast1030_timer_ms(), start_ms);
    assert_int_equal(nkv_ast1030.sent_size, NKV_AST1030_FIFO);
    /* Somebody reads again. */
    nkv_ast1030.is_stuck = false;
    nkv_ast1030.send_fifo_size = 0;
    assert_ok(nkv_ast1030_uart_write(bytes, sizeof bytes));
    assert_int_equal(nkv_ast1030.sent_size, NKV_AST1030_FIFO + sizeof bytes);
    expect_no_violation();
}

static void it_runs_at_115200_baud_with_8_bits(void **state)
{
    (void)state;
    assert_int_equal(nkv_ast1030.divisor, 1);
    assert_int_equal(nkv_ast1030.line_control, 3);
}

/* ---- Timers -------------------------------------------------------------- */

static void milliseconds_go_on_when_the_counter_comes_round(void **state)
{
    uint32_t ms;

    (void)state;
    nkv_ast1030.counter_us = UINT32_MAX - 500;
    ms = nkv_ast1030_timer_ms();
    for (uint32_t i = 0; i < 10000; i++) {
        nkv_ast1030.counter_us += 300;
        (void)nkv_ast1030_timer_ms();
    }
    assert_in_range(nkv_ast1030_timer_ms() - ms, 2999, 3001);
}

static void an_alarm_that_is_set_already_is_left_alone(void **state)
{
    (void)state;
    nkv_ast1030_timer_set_alarm(1);
    assert_int_equal(nkv_ast1030.systick_reload, 200000 - 1);
    nkv_ast1030_timer_set_alarm(NKV_AST1030_ALARM_MAX_MS);
    assert_int_equal(nkv_ast1030.systick_reload, 80 * 200000 - 1);
    nkv_ast1030_timer_set_alarm(NKV_AST1030_ALARM_MAX_MS);
    assert_int_equal(nkv_ast1030.systick_sets, 2);
    nkv_ast1030_timer_set_alarm(1);
    assert_int_equal(nkv_ast1030.systick_reload, 200000 - 1);
    assert_int_equal(nkv_ast1030.systick_sets, 3);
    expect_no_violation();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_keep_their_order_whatever_their_number_and_place),
        TEST(four_bytes_go_at_once),
        TEST(zeros_are_sent_where_there_is_nothing_to_send),
        TEST(what_others_set_in_the_controller_stays),
        TEST(a_store_collects_on_it),
        TEST(one_interrupt_takes_what_has_come_till_then),
        TEST(a_handler_that_is_late_by_two_bytes_loses_none),
        TEST(an_overrun_is_counted_and_reception_goes_on),
        TEST(the_fifo_is_filled_before_the_driver_sleeps),
        TEST(a_line_that_takes_nothing_is_given_up_and_used_again),
        TEST(it_runs_at_115200_baud_with_8_bits),
        TEST(milliseconds_go_on_when_the_counter_comes_round),
        TEST(an_alarm_that_is_set_already_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
