/* Reading, programming and erasing, and what goes wrong with it. */
#include "ports_check.h"
#include "random.h"
#include "spi_nor.h"
#include "spi_nor_model.h"

#include <string.h>

enum { SECTORS = 16, SECTOR = 4096, OFFSET = 0x20000 };

static struct nkv_spi_nor_model model;
static struct nkv_spi_nor nor;
static struct nkv_spi_nor_config config;

static void use_part(const struct nkv_spi_nor_part *part, uint32_t offset,
                     uint32_t sector_size)
{
    if (model.bytes != NULL) {
        nkv_spi_nor_model_free(&model);
    }
    nkv_spi_nor_model_init(&model, part);
    config = (struct nkv_spi_nor_config){
        .bus = &model.bus,
        .sector_size = sector_size,
        .size = SECTORS * sector_size,
        .offset = offset,
    };
    assert_ok(nkv_spi_nor_start(&nor, &config));
}

static int set_up(void **state)
{
    (void)state;
    use_part(&nkv_spi_nor_w25q80, OFFSET, SECTOR);
    return 0;
}

static int tear_down(void **state)
{
    const bool is_clean = model.violations == 0;

    (void)state;
    if (!is_clean) {
        print_error("violation: %s\n", model.violation);
    }
    nkv_spi_nor_model_free(&model);
    model.bytes = NULL;
    return is_clean ? 0 : -1;
}

static enum nkv_status read(uint32_t offset, void *to, size_t size)
{
    return nor.flash.read(nor.flash.context, offset, to, size);
}

static enum nkv_status program(uint32_t offset, const void *from, size_t size)
{
    return nor.flash.program(nor.flash.context, offset, from, size);
}

static enum nkv_status erase(uint32_t sector)
{
    return nor.flash.erase(nor.flash.context, sector);
}

static void bytes_are_read_where_the_partition_is(void **state)
{
    uint8_t bytes[4] = {0};

    (void)state;
    memcpy(model.bytes + OFFSET + 0x0FFE, "\x01\x02\x03\x04", 4);
    assert_ok(read(0x0FFE, bytes, 4));
    assert_memory_equal(bytes, "\x01\x02\x03\x04", 4);
    assert_ok(read(0, bytes, 0));
}

static void a_program_is_split_at_the_borders_of_pages(void **state)
{
    uint8_t bytes[1024];
    uint64_t random = 3;

    (void)state;
    nkv_random_fill(&random, bytes, sizeof bytes);
    assert_ok(program(SECTOR - 528, bytes, 528));
    assert_memory_equal(model.bytes + OFFSET + SECTOR - 528, bytes, 528);
    assert_int_equal(model.counts.programs, 3);
    assert_int_equal(model.counts.enables, 3);
    assert_int_equal(model.counts.programmed_bytes, 528);
    /* The next page, and the first of the page it was in. */
    assert_int_equal(model.bytes[OFFSET + SECTOR], 0xFF);
    assert_int_equal(model.bytes[OFFSET + SECTOR - 529], 0xFF);
}

static void a_program_ends_when_the_chip_is_done(void **state)
{
    const uint8_t bytes[16] = {1};
    const uint64_t start_ns = model.now_ns;

    (void)state;
    assert_ok(program(0, bytes, 16));
    assert_true(model.now_ns - start_ns >= 700000);
    assert_true(model.now_ns - start_ns < 800000);
    assert_int_equal(model.counts.pauses, 0);
    assert_true(model.now_ns >= model.busy_until_ns);
}

static void an_erase_clears_its_sector_and_no_other(void **state)
{
    (void)state;
    memset(model.bytes, 0, model.part.size);
    assert_ok(erase(3));
    for (uint32_t i = 0; i < model.part.size; i++) {
        const bool is_inside =
            i >= OFFSET + 3 * SECTOR && i < OFFSET + 4 * SECTOR;

        assert_int_equal(model.bytes[i], is_inside ? 0xFF : 0x00);
    }
    assert_true(model.counts.pauses >= 25);
    assert_true(model.now_ns >= model.busy_until_ns);
}

static void a_large_sector_takes_several_erases(void **state)
{
    (void)state;
    use_part(&nkv_spi_nor_w25q80, 0, 3 * SECTOR);
    memset(model.bytes, 0, model.part.size);
    assert_ok(erase(1));
    assert_int_equal(model.counts.erases, 3);
    assert_int_equal(model.bytes[3 * SECTOR - 1], 0);
    assert_int_equal(model.bytes[3 * SECTOR], 0xFF);
    assert_int_equal(model.bytes[6 * SECTOR - 1], 0xFF);
    assert_int_equal(model.bytes[6 * SECTOR], 0);
}

static void all_works_above_16_mib(void **state)
{
    const uint32_t offset = (16 << 20) + 5 * SECTOR;
    const uint8_t bytes[32] = "written above sixteen MiB";
    uint8_t back[32];

    (void)state;
    use_part(&nkv_spi_nor_w25q256, offset, SECTOR);
    memset(model.bytes + offset, 0, SECTOR);
    model.bytes[5 * SECTOR] = 0;
    assert_ok(erase(0));
    assert_ok(program(0, bytes, sizeof bytes));
    assert_ok(read(0, back, sizeof back));
    assert_memory_equal(back, bytes, sizeof bytes);
    assert_memory_equal(model.bytes + offset, bytes, sizeof bytes);
    assert_int_equal(model.bytes[5 * SECTOR], 0);
}

static void commands_with_four_bytes_do_the_same(void **state)
{
    static const struct nkv_spi_nor_chip chip = {
        .size = 32 << 20,
        .page_size = 256,
        .program_max_us = 5000,
        .addressing = NKV_SPI_NOR_4_BYTE_COMMANDS,
        .erases = {{SECTOR, 0x20, 0x21, 400}, {65536, 0xD8, 0xDC, 2000}},
    };
    const uint8_t bytes[16] = "four bytes";
    struct nkv_spi_nor_part part = nkv_spi_nor_w25q256;
    uint8_t back[16];

    (void)state;
    part.has_4_byte_commands = true;
    use_part(&part, 17 << 20, SECTOR);
    config.chip = &chip;
    assert_ok(nkv_spi_nor_start(&nor, &config));
    nkv_spi_nor_model_power_on(&model);
    memset(model.bytes + (17 << 20), 0, SECTOR);
    assert_ok(erase(0));
    assert_ok(program(0, bytes, 16));
    assert_ok(read(0, back, 16));
    assert_memory_equal(back, bytes, 16);
    assert_false(model.is_in_4_byte_mode);
}

/* As one whose supply dipped does. */
static void a_chip_that_fell_back_to_three_bytes_is_used_rightly(void **state)
{
    const uint32_t offset = 17 << 20;
    const uint8_t bytes[16] = "written rightly";
    struct nkv_spi_nor_part part = nkv_spi_nor_w25q256;
    uint8_t back[16];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        use_part(&part, offset, SECTOR);
        memset(model.bytes + offset, 0, SECTOR);
        nkv_spi_nor_model_power_on(&model);
        assert_ok(erase(0));
        nkv_spi_nor_model_power_on(&model);
        assert_ok(program(0, bytes, 16));
        nkv_spi_nor_model_power_on(&model);
        assert_ok(read(0, back, 16));
        assert_memory_equal(back, bytes, 16);
        assert_memory_equal(model.bytes + offset, bytes, 16);
        assert_int_equal(model.bytes[offset >> 8], 0xFF);
        memcpy(part.id, "\x20\xBA\x19", 3);
        part.needs_enable_to_enter = true;
        part.is_winbond = false;
    }
}

/* What a line gives that nobody drives looks like erased flash. */
static void erased_flash_is_told_from_a_chip_that_is_gone(void **state)
{
    uint8_t bytes[16];

    (void)state;
    assert_ok(read(0, bytes, 16));
    assert_int_equal(bytes[7], 0xFF);
    model.ailment = NKV_SPI_NOR_READS_ONES;
    assert_status(read(0, bytes, 16), NKV_UNAVAILABLE);
    model.ailment = NKV_SPI_NOR_READS_ZEROS;
    assert_status(read(0, bytes, 16), NKV_UNAVAILABLE);
    assert_int_equal(nor.fault, NKV_SPI_NOR_SILENT);
    model.ailment = NKV_SPI_NOR_IS_WELL;
    memset(model.bytes + OFFSET, 0, 16);
    assert_ok(read(0, bytes, 16));
}

static void a_chip_that_is_gone_takes_nothing_and_it_is_told(void **state)
{
    const uint8_t bytes[16] = {1};

    (void)state;
    for (int i = 0; i < 2; i++) {
        model.ailment =
            i == 0 ? NKV_SPI_NOR_READS_ONES : NKV_SPI_NOR_READS_ZEROS;
        assert_status(program(0, bytes, 16), NKV_UNAVAILABLE);
        assert_status(erase(0), NKV_UNAVAILABLE);
        assert_int_equal(nor.fault, NKV_SPI_NOR_SILENT);
    }
}

static void a_write_enable_that_is_not_taken_stops_it(void **state)
{
    const uint8_t bytes[16] = {1};

    (void)state;
    model.ailment = NKV_SPI_NOR_TAKES_NO_ENABLE;
    assert_status(program(0, bytes, 16), NKV_UNAVAILABLE);
    assert_status(erase(0), NKV_UNAVAILABLE);
    assert_int_equal(model.counts.programs, 0);
    assert_int_equal(model.counts.erases, 0);
}

static void a_program_that_does_not_end_is_given_up_in_time(void **state)
{
    const uint8_t bytes[16] = {1};
    uint64_t start_ns;

    (void)state;
    model.ailment = NKV_SPI_NOR_HANGS;
    start_ns = model.now_ns;
    assert_status(program(0, bytes, 16), NKV_DEADLINE_EXCEEDED);
    assert_true(model.now_ns - start_ns > 5000000);
    assert_true(model.now_ns - start_ns < 6000000);
    assert_int_equal(nor.fault, NKV_SPI_NOR_STAYS_BUSY);
    start_ns = model.now_ns;
    /* Nothing is sent to it meanwhile. */
    assert_status(read(0, (uint8_t[4]){0}, 4), NKV_DEADLINE_EXCEEDED);
    assert_status(program(0, bytes, 16), NKV_DEADLINE_EXCEEDED);
    assert_status(erase(0), NKV_DEADLINE_EXCEEDED);
    assert_true(model.now_ns - start_ns < 3 * UINT64_C(500000000));
    /* It ends after all. */
    model.ailment = NKV_SPI_NOR_IS_WELL;
    model.busy_until_ns = model.now_ns + 1000000;
    assert_ok(erase(0));
    assert_ok(program(0, bytes, 16));
}

static void an_erase_that_does_not_end_is_given_up_in_time(void **state)
{
    uint64_t start_ns;

    (void)state;
    model.ailment = NKV_SPI_NOR_HANGS;
    start_ns = model.now_ns;
    assert_status(erase(0), NKV_DEADLINE_EXCEEDED);
    assert_true(model.now_ns - start_ns > 400000000);
    assert_true(model.now_ns - start_ns < 410000000);
}

/* A write that the driver knows nothing of: the latch is set, and the chip
 * takes nothing. */
static void a_chip_that_is_busy_with_something_else_is_told(void **state)
{
    const uint8_t bytes[16] = {1};

    (void)state;
    model.status = 0x02;
    model.is_writing = true;
    model.busy_until_ns = model.now_ns + 10000000;
    assert_status(program(0, bytes, 16), NKV_DEADLINE_EXCEEDED);
    assert_int_equal(nor.fault, NKV_SPI_NOR_STAYS_BUSY);
    assert_int_equal(model.counts.programs, 0);
    assert_int_equal(model.violations, 1);
    model.violations = 0;
    assert_ok(program(0, bytes, 16));
}

static void a_clock_that_wraps_is_no_time_out(void **state)
{
    (void)state;
    model.now_ns = (UINT64_C(0xFFFFFFFF) * 1000) - 10000000;
    assert_ok(erase(0));
}

static void a_place_that_is_protected_after_all_is_told(void **state)
{
    const uint8_t bytes[16] = {1};

    (void)state;
    model.status = 7 << 2;
    assert_status(program(0, bytes, 16), NKV_PERMISSION_DENIED);
    assert_int_equal(nor.fault, NKV_SPI_NOR_PROTECTED);
    assert_status(erase(0), NKV_PERMISSION_DENIED);
    /* The latch is not left for whoever comes next. */
    assert_int_equal(model.status, 7 << 2);
    model.status = 0;
    assert_ok(program(0, bytes, 16));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_are_read_where_the_partition_is),
        TEST(a_program_is_split_at_the_borders_of_pages),
        TEST(a_program_ends_when_the_chip_is_done),
        TEST(an_erase_clears_its_sector_and_no_other),
        TEST(a_large_sector_takes_several_erases),
        TEST(all_works_above_16_mib),
        TEST(commands_with_four_bytes_do_the_same),
        TEST(a_chip_that_fell_back_to_three_bytes_is_used_rightly),
        TEST(erased_flash_is_told_from_a_chip_that_is_gone),
        TEST(a_chip_that_is_gone_takes_nothing_and_it_is_told),
        TEST(a_write_enable_that_is_not_taken_stops_it),
        TEST(a_program_that_does_not_end_is_given_up_in_time),
        TEST(an_erase_that_does_not_end_is_given_up_in_time),
        TEST(a_chip_that_is_busy_with_something_else_is_told),
        TEST(a_clock_that_wraps_is_no_time_out),
        TEST(a_place_that_is_protected_after_all_is_told),
    };

    return cmocka_run_group_tests_name("SPI NOR flash", tests, NULL, NULL);
}
