/* The flags that describe a partition. */
#include "test.h"

#include <norkv/geometry.h>
#include <stdlib.h>
#include <string.h>

static struct nkv_geometry defaults(void)
{
    struct nkv_geometry geometry;

    nkv_geometry_init(&geometry);
    return geometry;
}

static void assert_taken(struct nkv_geometry *geometry,
                         enum nkv_geometry_flag flag, const char *text)
{
    struct nkv_geometry_error error;

    assert_true(nkv_geometry_set(geometry, flag, text, &error));
}

/* The value is refused, and the error names the flag and the value. */
static void assert_refused(enum nkv_geometry_flag flag, const char *text)
{
    struct nkv_geometry geometry = defaults(), before = defaults();
    struct nkv_geometry_error error = {""};
    char start[100] = "--";

    memcpy(start + 2, nkv_geometry_flag_name(flag),
           strlen(nkv_geometry_flag_name(flag)) + 1);
    assert_false(nkv_geometry_set(&geometry, flag, text, &error));
    assert_memory_equal(error.text, start, strlen(start));
    assert_non_null(strstr(error.text, text));
    assert_memory_equal(&geometry, &before, sizeof geometry);
}

static void the_defaults_are_a_good_geometry(void **state)
{
    struct nkv_geometry geometry = defaults();
    struct nkv_geometry_error error;

    (void)state;
    assert_int_equal(geometry.sector_size, 4096);
    assert_int_equal(geometry.sector_count, 16);
    assert_int_equal(geometry.program_unit, 16);
    assert_int_equal(geometry.copies, 1);
    assert_int_equal(geometry.max_keys, 256);
    assert_int_equal(geometry.format_count, 1);
    assert_int_equal(geometry.formats[0].magic, 0x5ab2f0b5);
    assert_ptr_equal(geometry.formats[0].checksum, &nkv_checksum_crc16);
    assert_true(nkv_geometry_check(&geometry, &error));
    assert_int_equal(nkv_geometry_size(&geometry), 65536);
}

static void numbers_are_taken(void **state)
{
    struct nkv_geometry geometry = defaults();

    (void)state;
    assert_taken(&geometry, NKV_GEOMETRY_SECTOR_SIZE, "512");
    assert_taken(&geometry, NKV_GEOMETRY_SECTORS, "95");
    assert_taken(&geometry, NKV_GEOMETRY_PROGRAM_UNIT, "256");
    assert_taken(&geometry, NKV_GEOMETRY_COPIES, "4");
    assert_taken(&geometry, NKV_GEOMETRY_MAX_KEYS, "16777215");
    assert_int_equal(geometry.sector_size, 512);
    assert_int_equal(geometry.sector_count, 95);
    assert_int_equal(geometry.program_unit, 256);
    assert_int_equal(geometry.copies, 4);
    assert_int_equal(geometry.max_keys, 16777215);
}

static void what_is_no_number_in_range_is_refused(void **state)
{
    const char *wrong[] = {"x",         "1x", "-1",   "+1",
                           " 1",        "1 ", "0x10", "99999999999999999999",
                           "4294967297"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_refused(NKV_GEOMETRY_SECTOR_SIZE, wrong[i]);
        assert_refused(NKV_GEOMETRY_MAX_KEYS, wrong[i]);
    }
    assert_refused(NKV_GEOMETRY_SECTOR_SIZE, "31");
    assert_refused(NKV_GEOMETRY_SECTORS, "1");
    assert_refused(NKV_GEOMETRY_PROGRAM_UNIT, "257");
    assert_refused(NKV_GEOMETRY_COPIES, "0");
    assert_refused(NKV_GEOMETRY_COPIES, "5");
    assert_refused(NKV_GEOMETRY_MAX_KEYS, "16777216");
}

static void formats_are_taken_in_their_order(void **state)
{
    struct nkv_geometry geometry = defaults();

    (void)state;
    assert_taken(&geometry, NKV_GEOMETRY_FORMAT, "0xAd165142:none");
    assert_taken(&geometry, NKV_GEOMETRY_FORMAT, "5ab2f0b5");
    assert_taken(&geometry, NKV_GEOMETRY_FORMAT, "0X0:ignore");
    assert_taken(&geometry, NKV_GEOMETRY_FORMAT, "fffffffe:crc16");
    assert_int_equal(geometry.format_count, 4);
    assert_int_equal(geometry.formats[0].magic, 0xad165142);
    assert_ptr_equal(geometry.formats[0].checksum, &nkv_checksum_none);
    assert_int_equal(geometry.formats[1].magic, 0x5ab2f0b5);
    assert_ptr_equal(geometry.formats[1].checksum, &nkv_checksum_crc16);
    assert_int_equal(geometry.formats[2].magic, 0);
    assert_ptr_equal(geometry.formats[2].checksum, &nkv_checksum_ignore);
    assert_int_equal(geometry.formats[3].magic, 0xfffffffe);
}

static void what_is_no_format_is_refused(void **state)
{
    const char *wrong[] = {":crc16", "0x",       "xyz",      "123456789",
                           "-1",     "1:",       "1:crc",    "1:crc16:",
                           "0x0x1",  "ffffffff", "1 :crc16", "1:CRC16"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_refused(NKV_GEOMETRY_FORMAT, wrong[i]);
}

static void a_magic_is_taken_once_and_formats_up_to_the_limit(void **state)
{
    struct nkv_geometry geometry = defaults();
    struct nkv_geometry_error error;

    (void)state;
    for (unsigned i = 0; i < NKV_GEOMETRY_FORMATS_MAX; i++) {
        char text[] = {'1', "0123456789abcdef"[i], '\0'};

        assert_taken(&geometry, NKV_GEOMETRY_FORMAT, text);
        assert_false(
            nkv_geometry_set(&geometry, NKV_GEOMETRY_FORMAT, text, &error));
    }
    assert_int_equal(geometry.format_count, NKV_GEOMETRY_FORMATS_MAX);
    assert_false(
        nkv_geometry_set(&geometry, NKV_GEOMETRY_FORMAT, "20", &error));
}

static void flags_that_do_not_go_together_are_refused(void **state)
{
    static const struct {
        uint32_t sector_size, sector_count, program_unit;
        uint8_t copies;
        bool good;
    } cases[] = {
        {32, 2, 16, 1, true},         {160, 95, 16, 3, true},
        {1048560, 4096, 16, 1, true}, {40, 16, 8, 1, false},
        {4096, 16, 3, 1, false},      {4096, 16, 512, 1, false},
        {160, 16, 64, 1, false},      {4096, 1, 16, 1, false},
        {4096, 2, 16, 2, false},      {1048560, 4097, 16, 1, false},
        {1048576, 16, 16, 1, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nkv_geometry geometry = defaults();
        struct nkv_geometry_error error = {""};

        geometry.sector_size = cases[i].sector_size;
        geometry.sector_count = cases[i].sector_count;
        geometry.program_unit = cases[i].program_unit;
        geometry.copies = cases[i].copies;
        assert_int_equal(nkv_geometry_check(&geometry, &error), cases[i].good);
        assert_int_equal(error.text[0] == '\0', cases[i].good);
    }
}

static void the_number_of_sectors_can_come_from_a_file(void **state)
{
    struct nkv_geometry geometry = defaults();
    struct nkv_geometry_error error;

    (void)state;
    assert_true(nkv_geometry_fit(&geometry, 5 * 4096, &error));
    assert_int_equal(geometry.sector_count, 5);
    assert_false(nkv_geometry_fit(&geometry, 5 * 4096 + 1, &error));
    assert_false(nkv_geometry_fit(&geometry, 0, &error));
    assert_false(nkv_geometry_fit(&geometry, UINT64_C(4096) << 32, &error));
    assert_int_equal(geometry.sector_count, 5);
}

static void a_number_of_sectors_that_was_given_must_be_the_files(void **state)
{
    struct nkv_geometry geometry = defaults();
    struct nkv_geometry_error error;

    (void)state;
    assert_taken(&geometry, NKV_GEOMETRY_SECTORS, "8");
    assert_true(nkv_geometry_fit(&geometry, 8 * 4096, &error));
    assert_false(nkv_geometry_fit(&geometry, 9 * 4096, &error));
    assert_int_equal(geometry.sector_count, 8);
}

static enum nkv_status read_erased(void *context, uint32_t offset, void *to,
                                   size_t size)
{
    (void)context;
    (void)offset;
    memset(to, 0xFF, size);
    return NKV_OK;
}

static enum nkv_status refuse_program(void *context, uint32_t offset,
                                      const void *from, size_t size)
{
    (void)context;
    (void)offset;
    (void)from;
    (void)size;
    return NKV_INTERNAL;
}

static enum nkv_status refuse_erase(void *context, uint32_t sector)
{
    (void)context;
    (void)sector;
    return NKV_INTERNAL;
}

static void what_is_described_can_be_mounted(void **state)
{
    struct nkv_geometry geometry = defaults();
    struct nkv_flash flash = {
        .read = read_erased, .program = refuse_program, .erase = refuse_erase};
    struct nkv_config config = {0};
    struct nkv_statistics statistics;
    struct nkv_store store;

    (void)state;
    assert_taken(&geometry, NKV_GEOMETRY_SECTORS, "7");
    assert_taken(&geometry, NKV_GEOMETRY_PROGRAM_UNIT, "256");
    assert_taken(&geometry, NKV_GEOMETRY_COPIES, "3");
    assert_taken(&geometry, NKV_GEOMETRY_MAX_KEYS, "1000");
    nkv_geometry_configure(&geometry, &flash, &config);
    assert_true(nkv_geometry_allocate(&geometry, &config.memory));
    assert_int_equal(nkv_mount(&store, &config), NKV_OK);
    nkv_statistics(&store, &statistics);
    assert_int_equal(statistics.max_keys, 1000);
    assert_int_equal(statistics.free_bytes, 7 * 4096);
    nkv_geometry_release(&config.memory);
    assert_null(config.memory.index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_a_good_geometry),
        cmocka_unit_test(numbers_are_taken),
        cmocka_unit_test(what_is_no_number_in_range_is_refused),
        cmocka_unit_test(formats_are_taken_in_their_order),
        cmocka_unit_test(what_is_no_format_is_refused),
        cmocka_unit_test(a_magic_is_taken_once_and_formats_up_to_the_limit),
        cmocka_unit_test(flags_that_do_not_go_together_are_refused),
        cmocka_unit_test(the_number_of_sectors_can_come_from_a_file),
        cmocka_unit_test(a_number_of_sectors_that_was_given_must_be_the_files),
        cmocka_unit_test(what_is_described_can_be_mounted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
