/* What a flash in a file does and refuses. */
#include "flash_rig.h"

#include <string.h>
#include <sys/stat.h>

static const struct nkv_power_cut never = {0};

static void an_absent_file_is_created_erased(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[FLASH + 1];

    nkv_rig_open(rig, never);
    assert_int_equal(nkv_temp_read(rig->path, bytes, sizeof bytes), FLASH);
    nkv_assert_filled(bytes, 0xFF, FLASH);
}

static void a_file_of_another_size_is_refused_and_stays_as_it_is(void **state)
{
    struct rig *rig = *state;
    const size_t sizes[] = {0, 1, FLASH - 1, FLASH + 1, 2 * FLASH};
    uint8_t bytes[2 * FLASH];

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        nkv_temp_fill(rig->path, 0x55, sizes[i]);
        assert_int_equal(
            nkv_flash_file_open(&rig->file, rig->path, &rig->geometry, never),
            NKV_INVALID_ARGUMENT);
        assert_int_equal(nkv_temp_read(rig->path, bytes, sizeof bytes),
                         sizes[i]);
        nkv_assert_filled(bytes, 0x55, sizes[i]);
    }
}

static void what_is_no_file_is_refused(void **state)
{
    struct rig *rig = *state;
    const char *folder = rig->folder.path;

    assert_int_equal(
        nkv_flash_file_open(&rig->file, folder, &rig->geometry, never),
        NKV_INVALID_ARGUMENT);
    assert_int_equal(mkfifo(rig->path, 0600), 0);
    assert_int_equal(
        nkv_flash_file_open(&rig->file, rig->path, &rig->geometry, never),
        NKV_INVALID_ARGUMENT);
}

static void a_file_that_cannot_be_created_is_reported(void **state)
{
    struct rig *rig = *state;
    char path[256];

    nkv_temp_path(&rig->folder, "nowhere/flash.bin", path);
    assert_int_equal(
        nkv_flash_file_open(&rig->file, path, &rig->geometry, never),
        NKV_UNAVAILABLE);
}

static void a_file_in_use_is_refused(void **state)
{
    struct rig *rig = *state;
    struct nkv_flash_file second;

    nkv_rig_open(rig, never);
    assert_int_equal(
        nkv_flash_file_open(&second, rig->path, &rig->geometry, never),
        NKV_UNAVAILABLE);
    nkv_flash_file_close(&rig->file);
    assert_int_equal(
        nkv_flash_file_open(&second, rig->path, &rig->geometry, never), NKV_OK);
    nkv_flash_file_close(&second);
}

static void programmed_bytes_are_in_the_file_at_once(void **state)
{
    struct rig *rig = *state;
    uint8_t from[3 * UNIT], bytes[FLASH];

    memset(from, 0x3C, sizeof from);
    nkv_rig_open(rig, never);
    assert_int_equal(nkv_rig_program(rig, SECTOR + UNIT, from, sizeof from),
                     NKV_OK);
    nkv_rig_read_file(rig, bytes);
    nkv_assert_filled(bytes, 0xFF, SECTOR + UNIT);
    nkv_assert_filled(bytes + SECTOR + UNIT, 0x3C, sizeof from);
    nkv_assert_filled(bytes + SECTOR + 4 * UNIT, 0xFF,
                      FLASH - SECTOR - 4 * UNIT);
}

static void reads_of_any_alignment_give_what_was_programmed(void **state)
{
    struct rig *rig = *state;
    uint8_t from[UNIT], to[7];

    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (uint8_t)i;
    nkv_rig_open(rig, never);
    assert_int_equal(nkv_rig_program(rig, 0, from, sizeof from), NKV_OK);
    assert_int_equal(nkv_rig_read(rig, 5, to, sizeof to), NKV_OK);
    assert_memory_equal(to, from + 5, sizeof to);
    assert_int_equal(nkv_rig_read(rig, FLASH, to, 0), NKV_OK);
}

static void programming_what_is_not_erased_is_refused_and_counted(void **state)
{
    struct rig *rig = *state;
    uint8_t zeros[20 * UNIT] = {0}, ones[UNIT], before[FLASH], after[FLASH];

    rig->geometry.sector_size = 512;
    rig->geometry.sector_count = FLASH / 512;
    memset(ones, 0xFF, sizeof ones);
    nkv_rig_open(rig, never);
    assert_int_equal(nkv_rig_program(rig, 19 * UNIT, zeros, UNIT), NKV_OK);
    nkv_rig_read_file(rig, before);
    assert_int_equal(nkv_rig_program(rig, 19 * UNIT, zeros, UNIT),
                     NKV_FAILED_PRECONDITION);
    assert_int_equal(nkv_rig_program(rig, 19 * UNIT, ones, UNIT),
                     NKV_FAILED_PRECONDITION);
    /* One unit that is not erased refuses the whole call. */
    assert_int_equal(nkv_rig_program(rig, 0, zeros, sizeof zeros),
                     NKV_FAILED_PRECONDITION);
    nkv_rig_read_file(rig, after);
    assert_memory_equal(after, before, FLASH);
    assert_int_equal(rig->file.counters.refused_programs, 3);
    assert_int_equal(rig->file.counters.refused_calls, 0);
    assert_int_equal(rig->file.counters.programs, 1);
}

static void calls_out_of_range_or_unaligned_are_refused(void **state)
{
    struct rig *rig = *state;
    static const struct {
        uint32_t offset;
        size_t size;
        enum nkv_status status;
    } cases[] = {
        {1, UNIT, NKV_INVALID_ARGUMENT},
        {0, UNIT - 1, NKV_INVALID_ARGUMENT},
        {SECTOR - UNIT, 2 * UNIT, NKV_INVALID_ARGUMENT},
        {FLASH, UNIT, NKV_OUT_OF_RANGE},
        {FLASH - UNIT, 2 * UNIT, NKV_OUT_OF_RANGE},
        {UINT32_MAX - UNIT + 1, UNIT, NKV_OUT_OF_RANGE},
    };
    const size_t count = sizeof cases / sizeof cases[0];
    uint8_t zeros[2 * UNIT] = {0}, bytes[FLASH];

    nkv_rig_open(rig, never);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(
            nkv_rig_program(rig, cases[i].offset, zeros, cases[i].size),
            cases[i].status);
    assert_int_equal(nkv_rig_erase(rig, SECTORS), NKV_OUT_OF_RANGE);
    assert_int_equal(nkv_rig_erase(rig, UINT32_MAX), NKV_OUT_OF_RANGE);
    assert_int_equal(nkv_rig_read(rig, FLASH - 1, bytes, 2), NKV_OUT_OF_RANGE);
    assert_int_equal(nkv_rig_read(rig, FLASH + 1, bytes, 0), NKV_OUT_OF_RANGE);
    assert_int_equal(rig->file.counters.refused_calls, count + 4);
    nkv_rig_read_file(rig, bytes);
    nkv_assert_filled(bytes, 0xFF, FLASH);
}

static void an_erase_clears_one_sector(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[FLASH];

    nkv_temp_fill(rig->path, 0x00, FLASH);
    nkv_rig_open(rig, never);
    assert_int_equal(nkv_rig_erase(rig, 2), NKV_OK);
    nkv_rig_read_file(rig, bytes);
    nkv_assert_filled(bytes, 0x00, 2 * SECTOR);
    nkv_assert_filled(bytes + 2 * SECTOR, 0xFF, SECTOR);
    nkv_assert_filled(bytes + 3 * SECTOR, 0x00, SECTOR);
    assert_int_equal(rig->file.counters.erases, 1);
}

static void an_erased_sector_takes_programs_again(void **state)
{
    struct rig *rig = *state;
    uint8_t zeros[UNIT] = {0};

    nkv_rig_open(rig, never);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(nkv_rig_program(rig, 0, zeros, UNIT), NKV_OK);
        assert_int_equal(nkv_rig_erase(rig, 0), NKV_OK);
    }
    assert_int_equal(rig->file.counters.programs, 3);
    assert_int_equal(rig->file.counters.erases, 3);
    assert_int_equal(rig->file.counters.refused_programs, 0);
}

static void contents_are_there_when_the_file_is_opened_again(void **state)
{
    struct rig *rig = *state;
    uint8_t zeros[UNIT] = {0}, to[UNIT];

    nkv_rig_open(rig, never);
    assert_int_equal(nkv_rig_program(rig, 0, zeros, UNIT), NKV_OK);
    nkv_flash_file_close(&rig->file);
    nkv_rig_open(rig, never);
    assert_int_equal(nkv_rig_read(rig, 0, to, UNIT), NKV_OK);
    nkv_assert_filled(to, 0x00, UNIT);
    assert_int_equal(nkv_rig_program(rig, 0, zeros, UNIT),
                     NKV_FAILED_PRECONDITION);
}

static void a_file_that_shrinks_is_unavailable(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[UNIT];

    nkv_rig_open(rig, never);
    nkv_temp_fill(rig->path, 0xFF, SECTOR);
    assert_int_equal(nkv_rig_read(rig, SECTOR, bytes, UNIT), NKV_UNAVAILABLE);
}

#define A_TEST(name)                                                           \
    cmocka_unit_test_setup_teardown(name, nkv_rig_setup, nkv_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(an_absent_file_is_created_erased),
        A_TEST(a_file_of_another_size_is_refused_and_stays_as_it_is),
        A_TEST(what_is_no_file_is_refused),
        A_TEST(a_file_that_cannot_be_created_is_reported),
        A_TEST(a_file_in_use_is_refused),
        A_TEST(programmed_bytes_are_in_the_file_at_once),
        A_TEST(reads_of_any_alignment_give_what_was_programmed),
        A_TEST(programming_what_is_not_erased_is_refused_and_counted),
        A_TEST(calls_out_of_range_or_unaligned_are_refused),
        A_TEST(an_erase_clears_one_sector),
        A_TEST(an_erased_sector_takes_programs_again),
        A_TEST(contents_are_there_when_the_file_is_opened_again),
        A_TEST(a_file_that_shrinks_is_unavailable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
