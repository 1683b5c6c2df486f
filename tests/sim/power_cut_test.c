/* What a power cut leaves, seen in the file after the process has ended. */
#include "flash_rig.h"
#include "report.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The workload: operations 1 to 3 program units 0 to 2 of sector 1, operation 4
 * erases sector 2. */
enum { PROGRAMS = 3, OPERATIONS = 4 };

static uint8_t pattern(size_t unit, size_t byte)
{
    return (uint8_t)(unit * 0x40 + byte + 1);
}

static void work(struct rig *rig, struct nkv_power_cut cut)
{
    uint8_t from[PROGRAMS * UNIT];
    size_t unit = rig->geometry.program_unit;

    for (size_t i = 0; i < PROGRAMS * unit; i++)
        from[i] = pattern(i / unit, i % unit);
    if (nkv_flash_file_open(&rig->file, rig->path, &rig->geometry, cut) !=
            NKV_OK ||
        nkv_rig_program(rig, SECTOR, from, PROGRAMS * unit) != NKV_OK ||
        nkv_rig_erase(rig, 2) != NKV_OK)
        _exit(100);
    _exit(0);
}

/* Does the work in a process of its own on a flash whose sector 2 is all 0x5A,
 * and returns its exit code; bytes are what it leaves. */
static int work_until(struct rig *rig, struct nkv_power_cut cut,
                      uint8_t bytes[FLASH])
{
    char path[256];
    uint8_t image[FLASH];
    FILE *file;
    pid_t child;
    int status;

    memset(image, 0xFF, sizeof image);
    memset(image + 2 * SECTOR, 0x5A, SECTOR);
    file = fopen(rig->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(image, 1, FLASH, file), FLASH);
    assert_int_equal(fclose(file), 0);
    nkv_temp_path(&rig->folder, "stderr", path);
    child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
            _exit(101);
        work(rig, cut);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    nkv_rig_read_file(rig, bytes);
    nkv_assert_filled(bytes, 0xFF, SECTOR);
    nkv_assert_filled(bytes + 3 * SECTOR, 0xFF, SECTOR);
    return WEXITSTATUS(status);
}

static struct nkv_power_cut cut_at(uint64_t at, enum nkv_cut_variant variant)
{
    return (struct nkv_power_cut){.at = at, .variant = variant};
}

/* Are the first count units programmed and all behind the next one erased? */
static void assert_units(const uint8_t bytes[FLASH], size_t count)
{
    const uint8_t *sector = bytes + SECTOR;

    for (size_t i = 0; i < count * UNIT; i++)
        assert_int_equal(sector[i], pattern(i / UNIT, i % UNIT));
    if (count < PROGRAMS)
        nkv_assert_filled(sector + (count + 1) * UNIT, 0xFF,
                          SECTOR - (count + 1) * UNIT);
}

static void every_unit_and_every_erase_can_be_cut(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[FLASH];

    for (uint64_t at = 1; at <= OPERATIONS; at++) {
        int code = work_until(rig, cut_at(at, NKV_CUT_UNTOUCHED), bytes);

        assert_int_equal(code, NKV_SIM_POWER_CUT);
        assert_units(bytes, (size_t)at - 1);
        nkv_assert_filled(bytes + 2 * SECTOR, 0x5A, SECTOR);
    }
    assert_int_equal(
        work_until(rig, cut_at(OPERATIONS + 1, NKV_CUT_TORN), bytes), 0);
    assert_units(bytes, PROGRAMS);
    nkv_assert_filled(bytes + 2 * SECTOR, 0xFF, SECTOR);
    assert_int_equal(work_until(rig, cut_at(0, NKV_CUT_TORN), bytes), 0);
}

static void an_untouched_unit_stays_erased(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[FLASH];

    assert_int_equal(work_until(rig, cut_at(2, NKV_CUT_UNTOUCHED), bytes),
                     NKV_SIM_POWER_CUT);
    assert_units(bytes, 1);
    nkv_assert_filled(bytes + SECTOR + UNIT, 0xFF, UNIT);
}

static void a_whole_unit_is_programmed_and_nothing_follows(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[FLASH];

    assert_int_equal(work_until(rig, cut_at(2, NKV_CUT_WHOLE), bytes),
                     NKV_SIM_POWER_CUT);
    assert_units(bytes, 2);
    nkv_assert_filled(bytes + SECTOR + 2 * UNIT, 0xFF, UNIT);
}

static void half_a_unit_is_programmed(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[FLASH];

    assert_int_equal(work_until(rig, cut_at(2, NKV_CUT_HALF), bytes),
                     NKV_SIM_POWER_CUT);
    assert_units(bytes, 1);
    for (size_t i = 0; i < UNIT / 2; i++)
        assert_int_equal(bytes[SECTOR + UNIT + i], pattern(1, i));
    nkv_assert_filled(bytes + SECTOR + UNIT + UNIT / 2, 0xFF, UNIT / 2);
}

static void half_a_unit_of_one_byte_is_its_low_four_bits(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[FLASH];

    rig->geometry.program_unit = 1;
    assert_int_equal(work_until(rig, cut_at(2, NKV_CUT_HALF), bytes),
                     NKV_SIM_POWER_CUT);
    assert_int_equal(bytes[SECTOR], pattern(0, 0));
    assert_int_equal(bytes[SECTOR + 1], pattern(1, 0) | 0xF0);
    nkv_assert_filled(bytes + SECTOR + 2, 0xFF, SECTOR - 2);
}

/* How many bytes of from are in the unit, which must be a prefix, some bits of
 * the next byte, and erased bytes. */
static size_t torn_prefix(const uint8_t *unit, const uint8_t *from)
{
    size_t whole = 0;

    while (whole < UNIT && unit[whole] == from[whole])
        whole++;
    if (whole < UNIT) {
        assert_int_equal(unit[whole] & from[whole], from[whole]);
        nkv_assert_filled(unit + whole + 1, 0xFF, UNIT - whole - 1);
    }
    return whole;
}

static void a_torn_unit_is_a_prefix_and_some_bits_of_the_next_byte(void **state)
{
    bool seen[UNIT + 1] = {false};
    uint8_t from[UNIT], unit[UNIT], again[UNIT];
    unsigned partial = 0, lengths = 0;

    (void)state;
    for (size_t i = 0; i < UNIT; i++)
        from[i] = pattern(0, i);
    for (uint64_t at = 1; at <= 1000; at++) {
        const struct nkv_power_cut cut = cut_at(at, NKV_CUT_TORN);
        size_t whole;

        memset(unit, 0xFF, UNIT);
        memset(again, 0xFF, UNIT);
        nkv_power_cut_program(&cut, from, unit, UNIT);
        nkv_power_cut_program(&cut, from, again, UNIT);
        assert_memory_equal(unit, again, UNIT);
        whole = torn_prefix(unit, from);
        seen[whole] = true;
        if (whole < UNIT && unit[whole] != 0xFF)
            partial++;
    }
    for (size_t i = 0; i < UNIT; i++)
        lengths += seen[i];
    assert_int_equal(lengths, UNIT);
    assert_in_range(partial, 500, 1000);
}

static void a_torn_unit_reaches_the_file(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[FLASH], from[UNIT], unit[UNIT];
    const struct nkv_power_cut cut = cut_at(3, NKV_CUT_TORN);

    for (size_t i = 0; i < UNIT; i++)
        from[i] = pattern(2, i);
    memset(unit, 0xFF, UNIT);
    nkv_power_cut_program(&cut, from, unit, UNIT);
    assert_int_equal(work_until(rig, cut, bytes), NKV_SIM_POWER_CUT);
    assert_units(bytes, 2);
    assert_memory_equal(bytes + SECTOR + 2 * UNIT, unit, UNIT);
}

static void a_whole_erase_is_done(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[FLASH];

    assert_int_equal(work_until(rig, cut_at(4, NKV_CUT_WHOLE), bytes),
                     NKV_SIM_POWER_CUT);
    nkv_assert_filled(bytes + 2 * SECTOR, 0xFF, SECTOR);
}

static void half_an_erase_leaves_the_second_half(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[FLASH];

    assert_int_equal(work_until(rig, cut_at(4, NKV_CUT_HALF), bytes),
                     NKV_SIM_POWER_CUT);
    nkv_assert_filled(bytes + 2 * SECTOR, 0xFF, SECTOR / 2);
    nkv_assert_filled(bytes + 2 * SECTOR + SECTOR / 2, 0x5A, SECTOR / 2);
}

static void a_torn_erase_leaves_arbitrary_bits(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[FLASH], again[FLASH];
    unsigned ones = 0;

    assert_int_equal(work_until(rig, cut_at(4, NKV_CUT_TORN), bytes),
                     NKV_SIM_POWER_CUT);
    for (size_t i = 0; i < SECTOR * 8; i++)
        ones += bytes[2 * SECTOR + i / 8] >> i % 8 & 1;
    assert_in_range(ones, SECTOR * 3, SECTOR * 5);
    assert_int_equal(work_until(rig, cut_at(4, NKV_CUT_TORN), again),
                     NKV_SIM_POWER_CUT);
    assert_memory_equal(bytes, again, FLASH);
}

static void the_cut_is_told_on_standard_error(void **state)
{
    struct rig *rig = *state;
    char path[256], text[200] = "";
    uint8_t bytes[FLASH];

    nkv_temp_path(&rig->folder, "stderr", path);
    work_until(rig, cut_at(2, NKV_CUT_TORN), bytes);
    nkv_temp_read(path, text, sizeof text - 1);
    assert_string_equal(text, "norkv-sim: power cut at operation 2 "
                              "(program at 0x110, torn)\n");
    memset(text, 0, sizeof text);
    work_until(rig, cut_at(4, NKV_CUT_HALF), bytes);
    nkv_temp_read(path, text, sizeof text - 1);
    assert_string_equal(text, "norkv-sim: power cut at operation 4 "
                              "(erase at 0x200, half)\n");
}

static void assert_parsed(const char *text, uint64_t at,
                          enum nkv_cut_variant variant)
{
    struct nkv_power_cut cut = {0};

    assert_true(nkv_power_cut_parse(text, &cut));
    assert_int_equal(cut.at, at);
    assert_int_equal(cut.variant, variant);
}

static void cuts_are_parsed(void **state)
{
    const char *wrong[] = {"",
                           "0",
                           "-1",
                           "+1",
                           " 1",
                           "1:",
                           "x",
                           "1:Torn",
                           "1:torn ",
                           "1torn",
                           "1::torn",
                           ":torn",
                           "18446744073709551616",
                           "0x10"};
    struct nkv_power_cut cut = cut_at(7, NKV_CUT_HALF);

    (void)state;
    assert_parsed("1", 1, NKV_CUT_TORN);
    assert_parsed("12:untouched", 12, NKV_CUT_UNTOUCHED);
    assert_parsed("12:torn", 12, NKV_CUT_TORN);
    assert_parsed("12:half", 12, NKV_CUT_HALF);
    assert_parsed("18446744073709551615:whole", UINT64_MAX, NKV_CUT_WHOLE);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(nkv_power_cut_parse(wrong[i], &cut));
    assert_int_equal(cut.at, 7);
}

#define A_TEST(name)                                                           \
    cmocka_unit_test_setup_teardown(name, nkv_rig_setup, nkv_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(every_unit_and_every_erase_can_be_cut),
        A_TEST(an_untouched_unit_stays_erased),
        A_TEST(a_whole_unit_is_programmed_and_nothing_follows),
        A_TEST(half_a_unit_is_programmed),
        A_TEST(half_a_unit_of_one_byte_is_its_low_four_bits),
        cmocka_unit_test(
            a_torn_unit_is_a_prefix_and_some_bits_of_the_next_byte),
        A_TEST(a_torn_unit_reaches_the_file),
        A_TEST(a_whole_erase_is_done),
        A_TEST(half_an_erase_leaves_the_second_half),
        A_TEST(a_torn_erase_leaves_arbitrary_bits),
        A_TEST(the_cut_is_told_on_standard_error),
        cmocka_unit_test(cuts_are_parsed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
