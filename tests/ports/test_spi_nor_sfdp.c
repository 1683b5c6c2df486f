/* What a chip's own table is understood to say. */
#include "ports_check.h"
#include "random.h"
#include "sfdp_table.h"
#include "spi_nor_sfdp.h"

#include <string.h>

static struct nkv_sfdp_table table;
static struct nkv_spi_nor_chip chip;

static void read_table(void *context, uint32_t address, uint8_t *to,
                       size_t size)
{
    const struct nkv_sfdp_table *from = context;

    assert_true(address < 0x1000000 && size <= 0x1000000 - address);
    for (size_t i = 0; i < size; i++) {
        to[i] =
            address + i < sizeof from->bytes ? from->bytes[address + i] : 0xFF;
    }
}

static enum nkv_sfdp_result read_it(void)
{
    const struct nkv_sfdp_source source = {&table, read_table};

    memset(&chip, 0xEE, sizeof chip);
    return nkv_sfdp_read(&source, &chip);
}

static enum nkv_sfdp_result read_words(const struct nkv_sfdp_words *words)
{
    nkv_sfdp_build(&table, words, NKV_SFDP_WORDS);
    return read_it();
}

/* The table with one word changed. */
static enum nkv_sfdp_result read_with(unsigned word, uint32_t value)
{
    struct nkv_sfdp_words words = nkv_sfdp_32_mib;

    words.words[word] = value;
    return read_words(&words);
}

static void assert_erase(unsigned at, uint32_t size, uint8_t opcode,
                         uint32_t max_ms)
{
    assert_int_equal(chip.erases[at].size, size);
    assert_int_equal(chip.erases[at].opcode, opcode);
    assert_int_equal(chip.erases[at].max_ms, max_ms);
}

static void a_whole_table_says_all(void **state)
{
    (void)state;
    assert_int_equal(read_words(&nkv_sfdp_32_mib), NKV_SFDP_IS_READ);
    assert_int_equal(chip.size, 32 << 20);
    assert_int_equal(chip.page_size, 256);
    assert_int_equal(chip.program_max_us, 6 * 11 * 64);
    assert_int_equal(chip.addressing, NKV_SPI_NOR_ENTER_4_BYTES);
    assert_erase(0, 4096, 0x20, 8 * 3 * 16);
    assert_erase(1, 32768, 0x52, 8 * 128);
    assert_erase(2, 65536, 0xD8, 8 * 10 * 16);
    assert_int_equal(chip.erases[3].size, 0);
}

static void a_table_of_nine_words_has_defaults(void **state)
{
    (void)state;
    nkv_sfdp_build(&table, &nkv_sfdp_32_mib, 9);
    assert_int_equal(read_it(), NKV_SFDP_IS_READ);
    assert_int_equal(chip.size, 32 << 20);
    assert_int_equal(chip.page_size, 256);
    assert_int_equal(chip.program_max_us, 10000);
    assert_int_equal(chip.addressing, NKV_SPI_NOR_ENABLE_AND_ENTER_4_BYTES);
    assert_erase(0, 4096, 0x20, 4000);
    assert_erase(2, 65536, 0xD8, 8000);
}

static void sizes_are_coded_in_two_ways(void **state)
{
    (void)state;
    read_with(2, 0x007FFFFF);
    assert_int_equal(chip.size, 1 << 20);
    /* 2^33 bits are 1 GiB. */
    read_with(2, 0x80000021);
    assert_int_equal(chip.size, 1 << 30);
    assert_int_equal(read_with(2, 0x80000023), NKV_SFDP_IS_MISSING);
    assert_int_equal(read_with(2, 0x80000002), NKV_SFDP_IS_MISSING);
    assert_int_equal(read_with(2, 0xFFFFFFFF), NKV_SFDP_IS_MISSING);
}

static void ways_to_four_bytes_are_told_apart(void **state)
{
    (void)state;
    read_with(16, 1u << 25);
    assert_int_equal(chip.addressing, NKV_SPI_NOR_ENABLE_AND_ENTER_4_BYTES);
    read_with(16, 1u << 30);
    assert_int_equal(chip.addressing, NKV_SPI_NOR_ALWAYS_4_BYTES);
    /* A bank register only. */
    read_with(16, 1u << 27);
    assert_int_equal(chip.addressing, NKV_SPI_NOR_3_BYTES);
    read_with(1, 0xFFF120E5);
    assert_int_equal(chip.addressing, NKV_SPI_NOR_3_BYTES);
    read_with(1, 0xFFF520E5);
    assert_int_equal(chip.addressing, NKV_SPI_NOR_ALWAYS_4_BYTES);
}

static void four_byte_commands_need_all_three_kinds(void **state)
{
    /* 13h, 12h, and the first and third erase. */
    const uint32_t all[] = {1u | 1u << 6 | 1u << 9 | 1u << 11, 0x00DC5C21};
    const uint32_t no_program[] = {1u | 1u << 9, 0x00DC5C21};

    (void)state;
    nkv_sfdp_build(&table, &nkv_sfdp_32_mib, NKV_SFDP_WORDS);
    nkv_sfdp_add(&table, 0xFF84, all, 2);
    assert_int_equal(read_it(), NKV_SFDP_IS_READ);
    assert_int_equal(chip.addressing, NKV_SPI_NOR_4_BYTE_COMMANDS);
    assert_int_equal(chip.erases[0].opcode_4_bytes, 0x21);
    assert_int_equal(chip.erases[1].opcode_4_bytes, 0);
    assert_int_equal(chip.erases[2].opcode_4_bytes, 0xDC);
    nkv_sfdp_add(&table, 0xFF84, no_program, 2);
    assert_int_equal(read_it(), NKV_SFDP_IS_READ);
    assert_int_equal(chip.addressing, NKV_SPI_NOR_ENTER_4_BYTES);
}

static void erase_types_come_without_gaps(void **state)
{
    (void)state;
    read_with(8, 0x520F0000);
    assert_erase(0, 32768, 0x52, 8 * 128);
    assert_erase(1, 65536, 0xD8, 8 * 10 * 16);
    assert_int_equal(chip.erases[2].size, 0);
}

static void of_two_basic_tables_the_longer_counts(void **state)
{
    struct nkv_sfdp_words later = nkv_sfdp_32_mib;

    (void)state;
    later.words[2] = 0x00FFFFFF;
    nkv_sfdp_build(&table, &nkv_sfdp_32_mib, 9);
    nkv_sfdp_add(&table, 0xFF00, later.words + 1, NKV_SFDP_WORDS);
    assert_int_equal(read_it(), NKV_SFDP_IS_READ);
    assert_int_equal(chip.size, 2 << 20);
}

static void sectors_of_several_sizes_are_noticed(void **state)
{
    const uint32_t map[] = {0xFF0000FF};

    (void)state;
    nkv_sfdp_build(&table, &nkv_sfdp_32_mib, NKV_SFDP_WORDS);
    nkv_sfdp_add(&table, 0xFF81, map, 1);
    assert_int_equal(read_it(), NKV_SFDP_IS_MIXED);
}

static void what_is_no_table_is_missing(void **state)
{
    (void)state;
    memset(&table, 0xFF, sizeof table);
    assert_int_equal(read_it(), NKV_SFDP_IS_MISSING);
    memset(&table, 0x00, sizeof table);
    assert_int_equal(read_it(), NKV_SFDP_IS_MISSING);
    nkv_sfdp_build(&table, &nkv_sfdp_32_mib, 8);
    assert_int_equal(read_it(), NKV_SFDP_IS_MISSING);
    nkv_sfdp_build(&table, &nkv_sfdp_32_mib, NKV_SFDP_WORDS);
    table.bytes[5] = 2;
    assert_int_equal(read_it(), NKV_SFDP_IS_MISSING);
    nkv_sfdp_build(&table, &nkv_sfdp_32_mib, NKV_SFDP_WORDS);
    /* A table at the end of what can be addressed. */
    memset(table.bytes + NKV_SFDP_FIRST_HEADER + 4, 0xFF, 3);
    assert_int_equal(read_it(), NKV_SFDP_IS_MISSING);
    assert_int_equal(chip.size, 0xEEEEEEEE);
}

static void a_table_without_erases_or_a_page_is_missing(void **state)
{
    struct nkv_sfdp_words words = nkv_sfdp_32_mib;

    (void)state;
    words.words[8] = 0;
    words.words[9] = 0;
    assert_int_equal(read_words(&words), NKV_SFDP_IS_MISSING);
    assert_int_equal(read_with(11, 3 << 4), NKV_SFDP_IS_MISSING);
}

/* Whatever a chip says, reading stays where it may be and ends. */
static void random_tables_do_no_harm(void **state)
{
    uint64_t random = 7;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        nkv_sfdp_build(&table, &nkv_sfdp_32_mib, NKV_SFDP_WORDS);
        for (unsigned i = 0; i <= round % 40; i++) {
            table.bytes[4 + nkv_random_below(&random, 0xC0)] =
                (uint8_t)nkv_random(&random);
        }
        if (read_it() == NKV_SFDP_IS_READ) {
            assert_true(chip.size > 0 && chip.page_size >= 16);
            assert_true(chip.erases[0].size > 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_table_says_all),
        cmocka_unit_test(a_table_of_nine_words_has_defaults),
        cmocka_unit_test(sizes_are_coded_in_two_ways),
        cmocka_unit_test(ways_to_four_bytes_are_told_apart),
        cmocka_unit_test(four_byte_commands_need_all_three_kinds),
        cmocka_unit_test(erase_types_come_without_gaps),
        cmocka_unit_test(of_two_basic_tables_the_longer_counts),
        cmocka_unit_test(sectors_of_several_sizes_are_noticed),
        cmocka_unit_test(what_is_no_table_is_missing),
        cmocka_unit_test(a_table_without_erases_or_a_page_is_missing),
        cmocka_unit_test(random_tables_do_no_harm),
    };

    return cmocka_run_group_tests_name("SFDP", tests, NULL, NULL);
}
