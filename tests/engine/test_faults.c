/* Faults at rest, and flash calls that fail. */
#include "bench.h"
#include "check.h"
#include "entry_image.h"
#include "random.h"
#include "workload.h"

#include <stdio.h>
#include <string.h>

enum { SECTOR = 512, SECTORS = 6, SIZE = SECTORS * SECTOR };

static struct nkv_bench bench;
static uint8_t image[SIZE];

static int set_up(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, SECTORS, 16)};

    (void)state;
    nkv_bench_init(&bench, &setup);
    memset(image, 0xFF, sizeof image);
    return 0;
}

static int set_up_two_copies(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, SECTORS, 16),
                                          .copies = 2};

    (void)state;
    nkv_bench_init(&bench, &setup);
    memset(image, 0xFF, sizeof image);
    return 0;
}

static int tear_down(void **state)
{
    bool good = nkv_bench_is_sound(&bench);

    (void)state;
    nkv_bench_free(&bench);
    return good ? 0 : -1;
}

/* What the small image holds; value NULL: a tombstone. */
static const struct {
    const char *key;
    const char *value;
    uint32_t sector;
} entries[] = {
    {"one", "first value", 0},
    {"two", "second value", 0},
    {"one", "newer value", 0},
    {"three", "third", 0},
    {"two", NULL, 1},
    {"four", "a value of 24 bytes here", 1},
    {"three", "third again", 1},
};

enum { ENTRIES = sizeof entries / sizeof *entries, NO_ENTRY = ENTRIES };

static uint32_t starts[ENTRIES + 1];

/* Writes the entries to the image, from each sector's start on, the second time
 * two sectors on when there are two copies. */
static void make_image(uint32_t first_sector)
{
    uint32_t used[2] = {0};

    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct nkv_image entry = {.magic = NKV_DEFAULT_MAGIC,
                                  .id = i + 1,
                                  .key = nkv_text(entries[i].key),
                                  .is_tombstone = entries[i].value == NULL};
        uint32_t sector = entries[i].sector;

        if (entries[i].value != NULL) {
            entry.value = nkv_text(entries[i].value);
        }
        starts[i] = (first_sector + sector) * SECTOR + used[sector];
        used[sector] += (uint32_t)nkv_image_write(&entry, image + starts[i]);
    }
}

/* The value of a key when one entry is lost. */
static const char *value_without(const char *key, uint32_t lost)
{
    const char *value = "(NOT_FOUND)";

    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (i != lost && strcmp(entries[i].key, key) == 0) {
            value = entries[i].value ? entries[i].value : "(NOT_FOUND)";
        }
    }
    return value;
}

static bool is_without(uint32_t lost)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (strcmp(nkv_bench_get(&bench, entries[i].key),
                   value_without(entries[i].key, lost)) != 0) {
            return false;
        }
    }
    return true;
}

/* The entry that an offset lies in. */
static uint32_t entry_at(uint32_t offset)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        uint32_t size = i + 1 < ENTRIES && starts[i + 1] > starts[i]
                            ? starts[i + 1] - starts[i]
                            : 48;

        if (offset >= starts[i] && offset - starts[i] < size) {
            return i;
        }
    }
    return NO_ENTRY;
}

static void flip_and_mount(uint32_t bit)
{
    image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    nkv_flash_sim_load(&bench.sim, image);
    image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_ok(nkv_bench_mount(&bench));
}

static void check_writes(void)
{
    assert_ok(nkv_bench_put(&bench, "one", "rewritten"));
    assert_ok(nkv_bench_delete(&bench, "four"));
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "one"), "rewritten");
    assert_string_equal(nkv_bench_get(&bench, "four"), "(NOT_FOUND)");
    assert_true(nkv_bench_is_sound(&bench));
}

static void a_flipped_bit_costs_at_most_its_entry(void **state)
{
    (void)state;
    make_image(0);
    for (uint32_t bit = 0; bit < SIZE * 8; bit++) {
        uint32_t hit = entry_at(bit / 8);

        flip_and_mount(bit);
        if (!is_without(NO_ENTRY)) {
            assert_int_not_equal(hit, NO_ENTRY);
            assert_true(is_without(hit));
            assert_true(nkv_bench_statistics(&bench).corrupt_entries > 0);
        }
        if (bit % 16 == 0 && entries[hit % ENTRIES].key[0] != 'f') {
            check_writes();
        }
    }
}

static void with_two_copies_a_flipped_bit_costs_nothing(void **state)
{
    (void)state;
    make_image(2);
    make_image(0);
    for (uint32_t bit = 0; bit < SIZE * 8; bit++) {
        flip_and_mount(bit);
        assert_true(is_without(NO_ENTRY));
        if (bit % 64 == 0) {
            check_writes();
        }
    }
}

static void with_two_copies_a_lost_sector_costs_nothing(void **state)
{
    (void)state;
    make_image(2);
    make_image(0);
    for (uint32_t sector = 0; sector < SECTORS; sector++) {
        for (int byte = 0; byte < 256; byte += 51) {
            nkv_flash_sim_load(&bench.sim, image);
            for (uint32_t i = 0; i < SECTOR; i++) {
                nkv_flash_sim_poke(&bench.sim, sector * SECTOR + i,
                                   (uint8_t)byte);
            }
            assert_ok(nkv_bench_mount(&bench));
            assert_true(is_without(NO_ENTRY));
            check_writes();
        }
    }
}

/* No address is in an entry: sectors may change places. */
static void swapped_sectors_change_nothing(void **state)
{
    uint8_t sector[SECTOR];

    (void)state;
    make_image(0);
    for (uint32_t to = 1; to < SECTORS; to++) {
        memcpy(sector, image, SECTOR);
        memcpy(image, image + to * SECTOR, SECTOR);
        memcpy(image + to * SECTOR, sector, SECTOR);
        nkv_flash_sim_load(&bench.sim, image);
        assert_ok(nkv_bench_mount(&bench));
        assert_true(is_without(NO_ENTRY));
        check_writes();
    }
}

/* A workload goes on, and remounts find everything, with a fault present. */
static void run_with_fault(struct nkv_sim_fault fault, uint32_t after)
{
    static const struct nkv_workload_mix mix = {.puts = 700, .deletes = 200};
    struct nkv_workload workload = {.random = 11,
                                    .key_count = 8,
                                    .key_size_max = 8,
                                    .value_size_max = 30,
                                    .mix = &mix};
    struct nkv_model model = {0};

    nkv_bench_free(&bench);
    set_up(NULL);
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_workload_run(&workload, &bench, &model, after));
    nkv_flash_sim_add_fault(&bench.sim, fault);
    for (int i = 0; i < 8; i++) {
        assert_true(nkv_workload_run(&workload, &bench, &model, 50));
        assert_ok(nkv_bench_mount(&bench));
        assert_true(nkv_model_agrees(&model, &bench.store));
    }
    nkv_model_free(&model);
}

static void run_with_faults_in_each_sector(enum nkv_sim_fault_kind kind,
                                           uint32_t times)
{
    for (uint32_t sector = 0; sector < SECTORS; sector++) {
        for (uint32_t after = 0; after < 200; after += 67) {
            struct nkv_sim_fault fault = {.kind = kind,
                                          .offset = sector * SECTOR,
                                          .size = SECTOR,
                                          .status = NKV_UNAVAILABLE,
                                          .times = times};
            run_with_fault(fault, after);
        }
    }
}

static void a_program_that_fails_once_costs_nothing(void **state)
{
    (void)state;
    run_with_faults_in_each_sector(NKV_SIM_FAULT_PROGRAM, 1);
}

static void a_sector_that_cannot_be_programmed_costs_nothing(void **state)
{
    (void)state;
    run_with_faults_in_each_sector(NKV_SIM_FAULT_PROGRAM, 0);
}

static void a_program_that_silently_does_nothing_costs_nothing(void **state)
{
    (void)state;
    run_with_faults_in_each_sector(NKV_SIM_FAULT_SILENT_PROGRAM, 1);
    run_with_faults_in_each_sector(NKV_SIM_FAULT_SILENT_PROGRAM, 0);
}

static void an_erase_that_fails_once_costs_nothing(void **state)
{
    (void)state;
    run_with_faults_in_each_sector(NKV_SIM_FAULT_ERASE, 1);
}

static void a_sector_that_cannot_be_erased_costs_nothing(void **state)
{
    (void)state;
    run_with_faults_in_each_sector(NKV_SIM_FAULT_ERASE, 0);
}

static void an_erase_that_silently_does_nothing_costs_nothing(void **state)
{
    (void)state;
    run_with_faults_in_each_sector(NKV_SIM_FAULT_SILENT_ERASE, 1);
    run_with_faults_in_each_sector(NKV_SIM_FAULT_SILENT_ERASE, 0);
}

static void reads_that_fail_once_cost_nothing(void **state)
{
    (void)state;
    run_with_faults_in_each_sector(NKV_SIM_FAULT_READ, 1);
}

/* From the start on, before anything was written there. */
static void stuck_bits_are_worked_around(void **state)
{
    uint64_t random = 12;

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        struct nkv_sim_fault fault = {
            .kind = i % 2 ? NKV_SIM_FAULT_STUCK_AT_0 : NKV_SIM_FAULT_STUCK_AT_1,
            .offset = nkv_random_below(&random, SIZE),
            .size = 1 + nkv_random_below(&random, 3),
            .mask = (uint8_t)(1u << nkv_random_below(&random, 8))};

        run_with_fault(fault, 0);
    }
}

/* Flips many bits at random: no wrong value, no hang, and it goes on. */
static void read_disturb_never_gives_a_wrong_value(void **state)
{
    uint64_t random = 13;

    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        memset(image, 0xFF, sizeof image);
        make_image(0);
        for (unsigned i = 0; i <= round % 20; i++) {
            uint32_t bit = nkv_random_below(&random, 2 * SECTOR * 8);
            image[bit / 8] &= (uint8_t) ~(1u << bit % 8);
        }
        nkv_flash_sim_load(&bench.sim, image);
        assert_ok(nkv_bench_mount(&bench));
        for (uint32_t i = 0; i < ENTRIES; i++) {
            const char *got = nkv_bench_get(&bench, entries[i].key);
            bool is_known = strcmp(got, "(NOT_FOUND)") == 0;

            for (uint32_t j = 0; j < ENTRIES; j++) {
                is_known |= strcmp(entries[i].key, entries[j].key) == 0 &&
                            entries[j].value != NULL &&
                            strcmp(entries[j].value, got) == 0;
            }
            assert_true(is_known);
        }
        assert_ok(nkv_bench_put(&bench, "one", "rewritten"));
        assert_string_equal(nkv_bench_get(&bench, "one"), "rewritten");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_TWO(name)                                                         \
    cmocka_unit_test_setup_teardown(name, set_up_two_copies, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flipped_bit_costs_at_most_its_entry),
        TEST_TWO(with_two_copies_a_flipped_bit_costs_nothing),
        TEST_TWO(with_two_copies_a_lost_sector_costs_nothing),
        TEST(swapped_sectors_change_nothing),
        TEST(a_program_that_fails_once_costs_nothing),
        TEST(a_sector_that_cannot_be_programmed_costs_nothing),
        TEST(a_program_that_silently_does_nothing_costs_nothing),
        TEST(an_erase_that_fails_once_costs_nothing),
        TEST(a_sector_that_cannot_be_erased_costs_nothing),
        TEST(an_erase_that_silently_does_nothing_costs_nothing),
        TEST(reads_that_fail_once_cost_nothing),
        TEST(stuck_bits_are_worked_around),
        TEST(read_disturb_never_gives_a_wrong_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
