/* Finding out what chip there is, and what is said when it is none to use. */
#include "ports_check.h"
#include "sfdp_table.h"
#include "spi_nor.h"
#include "spi_nor_model.h"

#include <string.h>

enum { STORE_SIZE = 1 << 20 };

static struct nkv_spi_nor_model model;
static struct nkv_spi_nor nor;
static struct nkv_spi_nor_config config;
static struct nkv_sfdp_table table;

static void use_part(const struct nkv_spi_nor_part *part)
{
    if (model.bytes != NULL) {
        nkv_spi_nor_model_free(&model);
    }
    nkv_spi_nor_model_init(&model, part);
    config = (struct nkv_spi_nor_config){
        .bus = &model.bus,
        .size = STORE_SIZE,
        .offset = NKV_SPI_NOR_AT_END,
    };
}

static int set_up(void **state)
{
    (void)state;
    use_part(&nkv_spi_nor_w25q80);
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

static enum nkv_status start(void)
{
    return nkv_spi_nor_start(&nor, &config);
}

/* That the start ends with a fault, its status and its text, and that the flash
 * says so too and changes nothing. */
static void expect_fault(enum nkv_spi_nor_fault fault, enum nkv_status status,
                         const char *text)
{
    uint8_t bytes[16] = {0};

    assert_status(start(), status);
    assert_int_equal(nor.fault, fault);
    assert_non_null(strstr(nkv_spi_nor_fault_text(fault), text));
    assert_status(nor.flash.read(nor.flash.context, 0, bytes, 16), status);
    assert_status(nor.flash.program(nor.flash.context, 0, bytes, 16), status);
    assert_status(nor.flash.erase(nor.flash.context, 0), status);
    assert_int_equal(model.counts.programs, 0);
    assert_int_equal(model.counts.erases, 0);
    assert_int_equal(model.counts.status_writes, 0);
}

/* A part that describes itself, with a table of all words. */
static struct nkv_spi_nor_part with_table(struct nkv_spi_nor_part part,
                                          const struct nkv_sfdp_words *words)
{
    nkv_sfdp_build(&table, words, NKV_SFDP_WORDS);
    part.sfdp = table.bytes;
    part.sfdp_size = sizeof table.bytes;
    return part;
}

static void a_known_chip_without_a_table_starts(void **state)
{
    (void)state;
    assert_ok(start());
    assert_int_equal(nor.chip.size, 1 << 20);
    assert_int_equal(nor.offset, 0);
    assert_int_equal(nor.flash.sector_size, 4096);
    assert_int_equal(nor.flash.sector_count, 256);
    assert_int_equal(nor.flash.program_unit, 16);
    assert_int_equal(nor.address_bytes, 3);
    assert_int_equal(model.counts.enables, 0);
}

static void expect_store_fault(enum nkv_fault fault, uint32_t detail)
{
    uint32_t told = 1;

    assert_int_equal(nkv_spi_nor_store_fault(&nor, &told), fault);
    assert_int_equal(told, detail);
}

/* With what helps to find it: the id, the chip's size, its register. */
static void faults_are_told_as_a_store_tells_them(void **state)
{
    (void)state;
    assert_ok(start());
    expect_store_fault(NKV_FAULT_NONE, 0);
    config.size = 2 << 20;
    (void)!start();
    expect_store_fault(NKV_FAULT_FLASH_TOO_SMALL, 1 << 20);
    config.size = 1;
    (void)!start();
    expect_store_fault(NKV_FAULT_BAD_CONFIG, 0);
    config.size = STORE_SIZE;
    memcpy(config.id, "\xC2\x20\x14", 3);
    (void)!start();
    expect_store_fault(NKV_FAULT_WRONG_FLASH, 0xEF4014);
    memset(config.id, 0, 3);
    model.status = 0x1C;
    (void)!start();
    expect_store_fault(NKV_FAULT_FLASH_PROTECTED, 0x1C);
    model.ailment = NKV_SPI_NOR_READS_ONES;
    (void)!start();
    expect_store_fault(NKV_FAULT_NO_FLASH, 0xFFFFFF);
}

static void a_chip_that_nobody_knows_describes_itself(void **state)
{
    struct nkv_spi_nor_part part =
        with_table(nkv_spi_nor_w25q256, &nkv_sfdp_32_mib);

    (void)state;
    memcpy(part.id, "\x55\x66\x77", 3);
    use_part(&part);
    assert_ok(start());
    assert_int_equal(nor.chip.size, 32 << 20);
    assert_int_equal(nor.offset, 31 << 20);
    assert_true(model.is_in_4_byte_mode);
}

static void what_the_chip_says_counts_more_than_its_id(void **state)
{
    struct nkv_spi_nor_part part;

    (void)state;
    part = with_table(nkv_spi_nor_w25q256, &nkv_sfdp_32_mib);
    part.id[2] = 0x14;
    use_part(&part);
    assert_ok(start());
    assert_int_equal(nor.chip.size, 32 << 20);
    assert_int_equal(nor.chip.program_max_us, 6 * 11 * 64);
}

static void a_chip_asleep_is_woken(void **state)
{
    (void)state;
    model.is_asleep = true;
    assert_ok(start());
    assert_false(model.is_asleep);
}

static void an_erase_under_way_is_waited_for(void **state)
{
    (void)state;
    model.busy_until_ns = 2000000000;
    assert_ok(start());
    assert_true(model.now_ns >= 2000000000);
    assert_true(model.counts.pauses > 100);
}

static void what_was_suspended_is_resumed_and_waited_for(void **state)
{
    (void)state;
    model.second_status = 0x80;
    assert_ok(start());
    assert_int_equal(model.second_status, 0);
    assert_true(model.now_ns >= 30000000);
    assert_true(model.now_ns >= model.busy_until_ns);
}

static void a_chip_that_stays_busy_is_named(void **state)
{
    (void)state;
    model.busy_until_ns = UINT64_MAX;
    assert_status(start(), NKV_DEADLINE_EXCEEDED);
    assert_int_equal(nor.fault, NKV_SPI_NOR_STAYS_BUSY);
    assert_true(model.now_ns < UINT64_C(6000000000));
}

static void a_line_that_nobody_drives_is_named(void **state)
{
    (void)state;
    model.ailment = NKV_SPI_NOR_READS_ONES;
    expect_fault(NKV_SPI_NOR_SILENT, NKV_UNAVAILABLE, "does not answer");
    model.ailment = NKV_SPI_NOR_READS_ZEROS;
    expect_fault(NKV_SPI_NOR_SILENT, NKV_UNAVAILABLE, "does not answer");
    model.ailment = NKV_SPI_NOR_IS_WELL;
    assert_ok(start());
    assert_int_equal(nor.fault, NKV_SPI_NOR_NO_FAULT);
}

static void another_chip_than_configured_is_named(void **state)
{
    (void)state;
    memcpy(config.id, "\xC2\x20\x14", 3);
    expect_fault(NKV_SPI_NOR_OTHER_ID, NKV_FAILED_PRECONDITION, "another chip");
    assert_memory_equal(nor.id, "\xEF\x40\x14", 3);
    memcpy(config.id, "\xEF\x40\x14", 3);
    assert_ok(start());
}

static void a_chip_that_is_not_known_is_named(void **state)
{
    struct nkv_spi_nor_part part = nkv_spi_nor_w25q80;

    (void)state;
    memcpy(part.id, "\x55\x66\x14", 3);
    use_part(&part);
    expect_fault(NKV_SPI_NOR_UNKNOWN_CHIP, NKV_UNIMPLEMENTED, "not known");
    memcpy(part.id, "\xEF\x40\x33", 3);
    use_part(&part);
    expect_fault(NKV_SPI_NOR_UNKNOWN_CHIP, NKV_UNIMPLEMENTED, "not known");
}

static void a_chip_that_is_described_need_not_be_known(void **state)
{
    static const struct nkv_spi_nor_chip chip = {
        .size = 1 << 20,
        .page_size = 128,
        .program_max_us = 5000,
        .erases = {{4096, 0x20, 0, 400}},
    };
    struct nkv_spi_nor_part part = nkv_spi_nor_w25q80;

    (void)state;
    memcpy(part.id, "\x55\x66\x14", 3);
    use_part(&part);
    config.chip = &chip;
    assert_ok(start());
    assert_int_equal(nor.chip.page_size, 128);
}

static void sst25_is_refused(void **state)
{
    struct nkv_spi_nor_part part =
        with_table(nkv_spi_nor_w25q80, &nkv_sfdp_32_mib);

    (void)state;
    memcpy(part.id, "\xBF\x25\x4A", 3);
    use_part(&part);
    expect_fault(NKV_SPI_NOR_REFUSED_CHIP, NKV_UNIMPLEMENTED, "SST25");
}

static void sectors_of_several_sizes_are_named(void **state)
{
    const uint32_t map[] = {0xFF0000FF};
    struct nkv_spi_nor_part part =
        with_table(nkv_spi_nor_w25q256, &nkv_sfdp_32_mib);

    (void)state;
    nkv_sfdp_add(&table, 0xFF81, map, 1);
    use_part(&part);
    expect_fault(NKV_SPI_NOR_MIXED_SECTORS, NKV_UNIMPLEMENTED, "several sizes");
}

static void a_chip_that_is_too_small_is_named(void **state)
{
    (void)state;
    config.size = 2 << 20;
    expect_fault(NKV_SPI_NOR_TOO_SMALL, NKV_OUT_OF_RANGE, "smaller");
    config.size = 1 << 20;
    config.offset = 4096;
    expect_fault(NKV_SPI_NOR_TOO_SMALL, NKV_OUT_OF_RANGE, "smaller");
    config.offset = 0xFFFFF000;
    expect_fault(NKV_SPI_NOR_TOO_SMALL, NKV_OUT_OF_RANGE, "smaller");
    config.offset = 0;
    assert_ok(start());
}

static void the_largest_erase_that_divides_the_sector_is_taken(void **state)
{
    (void)state;
    config.sector_size = 65536;
    assert_ok(start());
    assert_int_equal(nor.erase.opcode, 0xD8);
    config.sector_size = 3 * 32768;
    config.size = 6 * 32768;
    config.offset = 0;
    assert_ok(start());
    assert_int_equal(nor.erase.opcode, 0x52);
    /* At the end, it begins at a multiple of the sector. */
    config.offset = NKV_SPI_NOR_AT_END;
    assert_ok(start());
    assert_int_equal(nor.offset, 8 * 3 * 32768);
    config.sector_size = 8192;
    config.size = 1 << 20;
    assert_ok(start());
    assert_int_equal(nor.erase.opcode, 0x20);
}

static void sectors_that_nothing_erases_are_named(void **state)
{
    (void)state;
    config.sector_size = 2048;
    expect_fault(NKV_SPI_NOR_NO_ERASE, NKV_FAILED_PRECONDITION, "erase");
}

static void a_configuration_that_makes_no_sense_is_named(void **state)
{
    const struct nkv_spi_nor_config good = config;

    (void)state;
    config.program_unit = 24;
    expect_fault(NKV_SPI_NOR_BAD_CONFIG, NKV_INVALID_ARGUMENT, "configuration");
    config = good;
    config.program_unit = 512;
    assert_status(start(), NKV_INVALID_ARGUMENT);
    config = good;
    config.size = 4096;
    assert_status(start(), NKV_INVALID_ARGUMENT);
    config = good;
    config.size = 3 * 4096 + 16;
    assert_status(start(), NKV_INVALID_ARGUMENT);
    config = good;
    config.sector_size = 4096 * 256;
    assert_status(start(), NKV_INVALID_ARGUMENT);
    config = good;
    config.offset = 2048;
    assert_status(start(), NKV_INVALID_ARGUMENT);
}

static void a_large_chip_is_entered_by_what_it_asks_for(void **state)
{
    struct nkv_spi_nor_part part = nkv_spi_nor_w25q256;

    (void)state;
    use_part(&part);
    assert_ok(start());
    assert_true(model.is_in_4_byte_mode);
    assert_int_equal(model.counts.enables, 0);
    memcpy(part.id, "\x20\xBA\x19", 3);
    part.needs_enable_to_enter = true;
    use_part(&part);
    assert_ok(start());
    assert_true(model.is_in_4_byte_mode);
    assert_int_equal(model.counts.enables, 1);
    assert_int_equal(model.status, 0);
}

static void a_chip_that_three_bytes_reach_has_no_more(void **state)
{
    struct nkv_sfdp_words words = nkv_sfdp_32_mib;
    struct nkv_spi_nor_part part;

    (void)state;
    words.words[2] = 0x007FFFFF;
    part = with_table(nkv_spi_nor_w25q80, &words);
    part.has_4_byte_mode = true;
    use_part(&part);
    assert_ok(start());
    assert_int_equal(nor.address_bytes, 3);
    assert_false(model.is_in_4_byte_mode);
}

/* It may have been left in that mode by what ran before a reset. */
static void a_small_partition_of_a_large_chip_has_four_bytes_too(void **state)
{
    uint8_t byte = 0;

    (void)state;
    use_part(&nkv_spi_nor_w25q256);
    config.offset = 0;
    model.is_in_4_byte_mode = true;
    model.bytes[0x123] = 0x42;
    assert_ok(start());
    assert_int_equal(nor.address_bytes, 4);
    assert_ok(nor.flash.read(nor.flash.context, 0x123, &byte, 1));
    assert_int_equal(byte, 0x42);
}

static void four_byte_commands_leave_the_mode_alone(void **state)
{
    const uint32_t commands[] = {1u | 1u << 6 | 1u << 9 | 1u << 11, 0x00DC5C21};
    struct nkv_spi_nor_part part =
        with_table(nkv_spi_nor_w25q256, &nkv_sfdp_32_mib);

    (void)state;
    nkv_sfdp_add(&table, 0xFF84, commands, 2);
    part.has_4_byte_commands = true;
    use_part(&part);
    config.sector_size = 32768;
    assert_ok(start());
    assert_false(model.is_in_4_byte_mode);
    assert_int_equal(nor.erase.size, 4096);
    assert_int_equal(nor.erase.opcode, 0x21);
    assert_int_equal(nor.read_opcode, 0x13);
}

static void no_known_way_beyond_16_mib_is_named(void **state)
{
    struct nkv_sfdp_words words = nkv_sfdp_32_mib;
    struct nkv_spi_nor_part part;

    (void)state;
    words.words[16] = 1u << 27;
    part = with_table(nkv_spi_nor_w25q256, &words);
    part.has_4_byte_mode = false;
    use_part(&part);
    expect_fault(NKV_SPI_NOR_NO_4_BYTES, NKV_UNIMPLEMENTED, "16 MiB");
    config.offset = 15 << 20;
    assert_ok(start());
    assert_int_equal(nor.address_bytes, 3);
}

static void protection_is_told_and_what_is_there_can_be_read(void **state)
{
    uint8_t bytes[16] = {0};

    (void)state;
    model.status = 0x04;
    model.bytes[5] = 0x42;
    assert_status(start(), NKV_PERMISSION_DENIED);
    assert_int_equal(nor.fault, NKV_SPI_NOR_PROTECTED);
    assert_non_null(
        strstr(nkv_spi_nor_fault_text(nor.fault), "status register"));
    assert_ok(nor.flash.read(nor.flash.context, 5, bytes, 1));
    assert_int_equal(bytes[0], 0x42);
    assert_status(nor.flash.program(nor.flash.context, 0, bytes, 16),
                  NKV_PERMISSION_DENIED);
    assert_status(nor.flash.erase(nor.flash.context, 0), NKV_PERMISSION_DENIED);
    assert_int_equal(model.counts.enables, 0);
    assert_int_equal(model.status, 0x04);
}

static void protection_that_is_inverted_is_told(void **state)
{
    (void)state;
    model.second_status = 0x40;
    assert_status(start(), NKV_PERMISSION_DENIED);
}

static void bits_that_do_not_protect_are_none_of_its_business(void **state)
{
    (void)state;
    /* TB and SEC; QE. */
    model.status = 0x60;
    model.second_status = 0x02;
    assert_ok(start());
}

static void protection_is_cleared_when_that_is_configured(void **state)
{
    (void)state;
    model.status = 0x7C;
    model.second_status = 0x42;
    config.protection = NKV_SPI_NOR_CLEAR_PROTECTION;
    assert_ok(start());
    /* What else is in the registers stays. */
    assert_int_equal(model.status, 0x60);
    assert_int_equal(model.second_status, 0x02);
    assert_int_equal(model.counts.status_writes, 1);
    assert_ok(start());
    assert_int_equal(model.counts.status_writes, 1);
}

static void protection_that_cannot_be_cleared_is_told(void **state)
{
    (void)state;
    model.status = 0x84;
    config.protection = NKV_SPI_NOR_CLEAR_PROTECTION;
    assert_status(start(), NKV_PERMISSION_DENIED);
}

static void protection_of_others_is_kept(void **state)
{
    (void)state;
    model.status = 0x04;
    config.protection = NKV_SPI_NOR_KEEP_PROTECTION;
    assert_ok(start());
    assert_int_equal(model.status, 0x04);
}

static void a_unique_id_is_read_in_either_mode(void **state)
{
    uint8_t id[NKV_SPI_NOR_UNIQUE_ID_SIZE];

    (void)state;
    assert_ok(start());
    assert_ok(nkv_spi_nor_unique_id(&nor, id));
    assert_memory_equal(id, "\xD2\x64\x10\x01\x02\x03\x04\x05", 8);
    use_part(&nkv_spi_nor_w25q256);
    assert_ok(start());
    memset(id, 0, sizeof id);
    assert_ok(nkv_spi_nor_unique_id(&nor, id));
    assert_memory_equal(id, "\xD2\x64\x10\x01\x02\x03\x04\x05", 8);
    model.ailment = NKV_SPI_NOR_READS_ONES;
    assert_status(nkv_spi_nor_unique_id(&nor, id), NKV_NOT_FOUND);
}

static void a_chip_of_another_maker_has_no_unique_id(void **state)
{
    struct nkv_spi_nor_part part = nkv_spi_nor_w25q80;
    uint8_t id[NKV_SPI_NOR_UNIQUE_ID_SIZE];

    (void)state;
    memcpy(part.id, "\x9D\x60\x14", 3);
    use_part(&part);
    assert_ok(start());
    assert_status(nkv_spi_nor_unique_id(&nor, id), NKV_UNIMPLEMENTED);
}

static void every_fault_has_a_status_and_a_text(void **state)
{
    (void)state;
    assert_ok(nkv_spi_nor_fault_status(NKV_SPI_NOR_NO_FAULT));
    assert_string_equal(nkv_spi_nor_fault_text(NKV_SPI_NOR_NO_FAULT), "");
    for (int fault = 1; fault <= NKV_SPI_NOR_PROTECTED; fault++) {
        assert_true(nkv_spi_nor_fault_status((enum nkv_spi_nor_fault)fault) !=
                    NKV_OK);
        assert_true(
            strlen(nkv_spi_nor_fault_text((enum nkv_spi_nor_fault)fault)) > 10);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_known_chip_without_a_table_starts),
        TEST(faults_are_told_as_a_store_tells_them),
        TEST(a_chip_that_nobody_knows_describes_itself),
        TEST(what_the_chip_says_counts_more_than_its_id),
        TEST(a_chip_asleep_is_woken),
        TEST(an_erase_under_way_is_waited_for),
        TEST(what_was_suspended_is_resumed_and_waited_for),
        TEST(a_chip_that_stays_busy_is_named),
        TEST(a_line_that_nobody_drives_is_named),
        TEST(another_chip_than_configured_is_named),
        TEST(a_chip_that_is_not_known_is_named),
        TEST(a_chip_that_is_described_need_not_be_known),
        TEST(sst25_is_refused),
        TEST(sectors_of_several_sizes_are_named),
        TEST(a_chip_that_is_too_small_is_named),
        TEST(the_largest_erase_that_divides_the_sector_is_taken),
        TEST(sectors_that_nothing_erases_are_named),
        TEST(a_configuration_that_makes_no_sense_is_named),
        TEST(a_large_chip_is_entered_by_what_it_asks_for),
        TEST(a_chip_that_three_bytes_reach_has_no_more),
        TEST(a_small_partition_of_a_large_chip_has_four_bytes_too),
        TEST(four_byte_commands_leave_the_mode_alone),
        TEST(no_known_way_beyond_16_mib_is_named),
        TEST(protection_is_told_and_what_is_there_can_be_read),
        TEST(protection_that_is_inverted_is_told),
        TEST(bits_that_do_not_protect_are_none_of_its_business),
        TEST(protection_is_cleared_when_that_is_configured),
        TEST(protection_that_cannot_be_cleared_is_told),
        TEST(protection_of_others_is_kept),
        TEST(a_unique_id_is_read_in_either_mode),
        TEST(a_chip_of_another_maker_has_no_unique_id),
        TEST(every_fault_has_a_status_and_a_text),
    };

    return cmocka_run_group_tests_name("SPI NOR start", tests, NULL, NULL);
}
