/* The chip that drivers are tested against, by bus cycles. */
#include "ports_check.h"
#include "spi_nor_model.h"

#include <string.h>

static struct nkv_spi_nor_model model;

static int set_up(void **state)
{
    (void)state;
    nkv_spi_nor_model_init(&model, &nkv_spi_nor_w25q80);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    nkv_spi_nor_model_free(&model);
    return 0;
}

/* A command: bytes out, then answers in. */
static void command(const uint8_t *out, size_t out_size, uint8_t *in,
                    size_t in_size)
{
    model.bus.select(model.bus.context);
    model.bus.exchange(model.bus.context, out, NULL, out_size);
    model.bus.exchange(model.bus.context, NULL, in, in_size);
    model.bus.deselect(model.bus.context);
}

static void send(const char *bytes, size_t size)
{
    command((const uint8_t *)bytes, size, NULL, 0);
}

#define SEND(text) send(text, sizeof text - 1)

static uint8_t status(void)
{
    uint8_t byte;

    command((const uint8_t *)"\x05", 1, &byte, 1);
    return byte;
}

static uint8_t read_byte(uint32_t address)
{
    const uint8_t out[] = {0x03, (uint8_t)(address >> 16),
                           (uint8_t)(address >> 8), (uint8_t)address};
    uint8_t byte;

    command(out, sizeof out, &byte, 1);
    return byte;
}

static void let_pass(uint32_t time_us)
{
    model.now_ns += time_us * UINT64_C(1000);
}

static void a_program_clears_bits_and_the_latch(void **state)
{
    (void)state;
    SEND("\x06");
    assert_int_equal(status(), 0x02);
    SEND("\x02\x00\x01\x00\x5A\xA5");
    assert_int_equal(status(), 0x03);
    let_pass(700);
    assert_int_equal(status(), 0x00);
    assert_int_equal(read_byte(0x100), 0x5A);
    assert_int_equal(read_byte(0x101), 0xA5);
    assert_int_equal(model.violations, 0);
}

static void a_second_program_of_a_byte_ands_and_is_a_violation(void **state)
{
    (void)state;
    SEND("\x06");
    SEND("\x02\x00\x00\x00\xF0");
    let_pass(700);
    SEND("\x06");
    SEND("\x02\x00\x00\x00\x3C");
    let_pass(700);
    assert_int_equal(read_byte(0), 0x30);
    assert_int_equal(model.violations, 1);
}

static void without_the_latch_nothing_is_written(void **state)
{
    (void)state;
    model.bytes[0] = 0x12;
    SEND("\x02\x00\x00\x01\x00");
    SEND("\x20\x00\x00\x00");
    SEND("\x01\x1C");
    assert_int_equal(status(), 0);
    assert_int_equal(model.bytes[0], 0x12);
    assert_int_equal(model.bytes[1], 0xFF);
    assert_int_equal(model.violations, 3);
}

static void a_write_disable_takes_the_latch_back(void **state)
{
    (void)state;
    SEND("\x06");
    SEND("\x04");
    assert_int_equal(status(), 0);
}

static void a_busy_chip_takes_nothing_but_status(void **state)
{
    (void)state;
    SEND("\x06");
    SEND("\x20\x00\x00\x00");
    assert_int_equal(read_byte(0), 0xFF);
    assert_int_equal(model.violations, 1);
    SEND("\x06");
    assert_int_equal(model.violations, 2);
    let_pass(29000);
    assert_int_equal(status() & 1, 1);
    let_pass(1000);
    assert_int_equal(status(), 0);
    assert_int_equal(model.counts.enables, 1);
}

static void a_program_wraps_in_its_page(void **state)
{
    (void)state;
    SEND("\x06");
    SEND("\x02\x00\x00\xFF\x01\x02");
    let_pass(700);
    assert_int_equal(read_byte(0xFF), 0x01);
    assert_int_equal(read_byte(0x00), 0x02);
    assert_int_equal(read_byte(0x100), 0xFF);
    assert_int_equal(model.violations, 1);
}

static void an_erase_aligns_down(void **state)
{
    (void)state;
    memset(model.bytes, 0, 3 * 4096);
    SEND("\x06");
    SEND("\x20\x00\x12\x34");
    let_pass(30000);
    assert_int_equal(model.bytes[0x0FFF], 0x00);
    assert_int_equal(model.bytes[0x1000], 0xFF);
    assert_int_equal(model.bytes[0x1FFF], 0xFF);
    assert_int_equal(model.bytes[0x2000], 0x00);
    assert_int_equal(model.violations, 1);
}

static void blocks_of_32_and_64_kib_are_erased(void **state)
{
    (void)state;
    memset(model.bytes, 0, 0x30000);
    SEND("\x06");
    SEND("\x52\x00\x80\x00");
    let_pass(120000);
    SEND("\x06");
    SEND("\xD8\x01\x00\x00");
    let_pass(150000);
    assert_int_equal(model.bytes[0x7FFF], 0x00);
    assert_int_equal(model.bytes[0x8000], 0xFF);
    assert_int_equal(model.bytes[0x1FFFF], 0xFF);
    assert_int_equal(model.bytes[0x20000], 0x00);
    assert_int_equal(model.violations, 0);
}

static void asleep_it_takes_only_the_wake_up(void **state)
{
    uint8_t id[3];

    (void)state;
    SEND("\xB9");
    command((const uint8_t *)"\x9F", 1, id, 3);
    assert_memory_equal(id, "\xFF\xFF\xFF", 3);
    assert_int_equal(status(), 0xFF);
    SEND("\xAB");
    command((const uint8_t *)"\x9F", 1, id, 3);
    assert_memory_equal(id, "\xFF\xFF\xFF", 3);
    assert_int_equal(model.violations, 1);
    let_pass(3);
    command((const uint8_t *)"\x9F", 1, id, 3);
    assert_memory_equal(id, "\xEF\x40\x14", 3);
}

static void a_command_cut_short_does_nothing(void **state)
{
    (void)state;
    model.bytes[0] = 0;
    SEND("\x06");
    SEND("\x20\x00\x00");
    assert_int_equal(status(), 0x02);
    assert_int_equal(model.bytes[0], 0);
    assert_int_equal(model.violations, 1);
}

static void four_byte_mode_takes_four_bytes(void **state)
{
    static const uint8_t far[] = {0x03, 0x01, 0x00, 0x00, 0x02};
    uint8_t byte;

    (void)state;
    nkv_spi_nor_model_free(&model);
    nkv_spi_nor_model_init(&model, &nkv_spi_nor_w25q256);
    model.bytes[0x1000002] = 0x77;
    model.bytes[0x010000] = 0x66;
    command(far, sizeof far, &byte, 1);
    assert_int_not_equal(byte, 0x77);
    SEND("\xB7");
    command(far, sizeof far, &byte, 1);
    assert_int_equal(byte, 0x77);
    nkv_spi_nor_model_power_on(&model);
    command(far, 4, &byte, 1);
    assert_int_equal(byte, 0x66);
    SEND("\x21\x01\x00\x00\x00");
    assert_int_equal(model.counts.ignored, 1);
}

static void protected_places_keep_what_they_have(void **state)
{
    (void)state;
    memset(model.bytes, 0, model.part.size);
    /* The upper half. */
    model.status = 5 << 2;
    SEND("\x06");
    SEND("\x20\x08\x00\x00");
    assert_int_equal(model.bytes[0x80000], 0);
    assert_int_equal(status(), 5 << 2 | 0x02);
    SEND("\x20\x07\xF0\x00");
    let_pass(30000);
    assert_int_equal(model.bytes[0x7F000], 0xFF);
    model.second_status = 0x40;
    SEND("\x06");
    SEND("\x20\x00\x00\x00");
    assert_int_equal(model.bytes[0], 0);
    SEND("\x20\x08\x00\x00");
    let_pass(30000);
    assert_int_equal(model.bytes[0x80000], 0xFF);
    assert_int_equal(model.violations, 0);
}

static void one_byte_of_status_clears_the_second(void **state)
{
    (void)state;
    model.second_status = 0x02;
    SEND("\x06");
    SEND("\x01\x00");
    let_pass(10000);
    assert_int_equal(model.second_status, 0);
    SEND("\x06");
    SEND("\x01\x1C\x02");
    let_pass(10000);
    assert_int_equal(status(), 0x1C);
    assert_int_equal(model.second_status, 0x02);
}

static void a_cut_program_is_done_in_part(void **state)
{
    (void)state;
    model.cut = (struct nkv_spi_nor_cut){.at = 2, .amount = 2};
    SEND("\x06");
    SEND("\x02\x00\x00\x00\x00");
    let_pass(700);
    SEND("\x06");
    SEND("\x02\x00\x01\x00\x11\x22\x00\x44");
    assert_int_equal(status(), 0xFF);
    nkv_spi_nor_model_power_on(&model);
    assert_int_equal(status(), 0);
    assert_int_equal(read_byte(0x100), 0x11);
    assert_int_equal(read_byte(0x101), 0x22);
    assert_int_equal(read_byte(0x103), 0xFF);
}

static void a_cut_erase_leaves_anything(void **state)
{
    (void)state;
    memset(model.bytes, 0, 3 * 4096);
    model.cut = (struct nkv_spi_nor_cut){.at = 1, .amount = 1};
    SEND("\x06");
    SEND("\x20\x00\x10\x00");
    nkv_spi_nor_model_power_on(&model);
    assert_int_equal(model.bytes[4095], 0);
    assert_memory_not_equal(model.bytes + 4096, model.bytes, 4096);
    assert_int_equal(model.bytes[2 * 4096], 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_clears_bits_and_the_latch),
        TEST(a_second_program_of_a_byte_ands_and_is_a_violation),
        TEST(without_the_latch_nothing_is_written),
        TEST(a_write_disable_takes_the_latch_back),
        TEST(a_busy_chip_takes_nothing_but_status),
        TEST(a_program_wraps_in_its_page),
        TEST(an_erase_aligns_down),
        TEST(blocks_of_32_and_64_kib_are_erased),
        TEST(asleep_it_takes_only_the_wake_up),
        TEST(a_command_cut_short_does_nothing),
        TEST(four_byte_mode_takes_four_bytes),
        TEST(protected_places_keep_what_they_have),
        TEST(one_byte_of_status_clears_the_second),
        TEST(a_cut_program_is_done_in_part),
        TEST(a_cut_erase_leaves_anything),
    };

    return cmocka_run_group_tests_name("SPI NOR model", tests, NULL, NULL);
}
