/* Faults at rest: what went bad while the store was not mounted. */
#include "bench.h"
#include "check.h"
#include "entry_image.h"
#include "random.h"
#include "results.h"

#include <stdio.h>
#include <string.h>

enum { SECTOR = 512, SECTORS = 6, SIZE = SECTORS * SECTOR };

static struct nkv_bench bench;
static uint8_t image[SIZE];

static int open_bench(uint8_t copies, bool fast_mount)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, SECTORS, 16),
                                          .copies = copies,
                                          .fast_mount = fast_mount};

    nkv_bench_init(&bench, &setup);
    memset(image, 0xFF, sizeof image);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return open_bench(1, false);
}

static int set_up_two_copies(void **state)
{
    (void)state;
    return open_bench(2, false);
}

static int set_up_fast(void **state)
{
    (void)state;
    return open_bench(1, true);
}

static int set_up_fast_two_copies(void **state)
{
    (void)state;
    return open_bench(2, true);
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

/* Where each entry of the first copy begins, and its size. */
static uint32_t starts[ENTRIES];
static uint32_t sizes[ENTRIES];

/* Writes the entries to the image, from each sector's start on. With two copies
 * it is called twice, for other sectors. */
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
        sizes[i] = (uint32_t)nkv_image_write(&entry, image + starts[i]);
        used[sector] += sizes[i];
    }
}

/* The value of a key when some entries are lost: bit i stands for entry i. */
static const char *value_without(const char *key, uint32_t lost)
{
    const char *value = "(NOT_FOUND)";

    for (uint32_t i = 0; i < ENTRIES; i++) {
        if ((lost >> i & 1) == 0 && strcmp(entries[i].key, key) == 0) {
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

/* Whether a value was ever put under the key. */
static bool was_put(const char *key, const char *value)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (entries[i].value != NULL && strcmp(entries[i].key, key) == 0 &&
            strcmp(entries[i].value, value) == 0) {
            return true;
        }
    }
    return false;
}

/* The entry that an offset lies in. */
static uint32_t entry_at(uint32_t offset)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (offset >= starts[i] && offset - starts[i] < sizes[i]) {
            return i;
        }
    }
    return NO_ENTRY;
}

/* The upper half of an entry's checksum field is not looked at. */
static bool is_ignored(uint32_t bit, uint32_t entry)
{
    return entry != NO_ENTRY && (bit / 8 - starts[entry]) / 2 == 3;
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
    bool more = true;

    assert_ok(nkv_bench_put(&bench, "one", "rewritten"));
    (void)!nkv_bench_delete(&bench, "four");
    while (more) {
        assert_ok(nkv_step(&bench.store, &more));
    }
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "one"), "rewritten");
    assert_string_equal(nkv_bench_get(&bench, "four"), "(NOT_FOUND)");
    assert_true(nkv_bench_is_sound(&bench));
}

static void a_flipped_bit_costs_at_most_its_entry_and_is_reported(void **state)
{
    (void)state;
    make_image(0);
    for (uint32_t bit = 0; bit < SIZE * 8; bit++) {
        uint32_t hit = entry_at(bit / 8);

        nkv_fault_tried("bit flipped");
        flip_and_mount(bit);
        if (hit == NO_ENTRY || is_ignored(bit, hit)) {
            assert_true(is_without(0));
        } else {
            assert_true(is_without(1u << hit));
            assert_true(nkv_bench_statistics(&bench).corrupt_entries > 0);
        }
        if (bit % 16 == 0) {
            check_writes();
        }
        nkv_fault_survived();
    }
}

static void with_two_copies_a_flipped_bit_costs_nothing(void **state)
{
    (void)state;
    make_image(2);
    make_image(0);
    for (uint32_t bit = 0; bit < SIZE * 8; bit++) {
        nkv_fault_tried("bit flipped, two copies");
        flip_and_mount(bit);
        assert_true(is_without(0));
        if (bit % 64 == 0) {
            check_writes();
        }
        nkv_fault_survived();
    }
}

/* One of the four bytes that say how long an entry is. A fast mount goes by
 * them: if they rot so that another header is found where they say, the entry
 * between the two is passed over. */
static bool is_length(uint32_t bit, uint32_t entry)
{
    return entry != NO_ENTRY && (bit / 8 - starts[entry]) / 4 == 2;
}

/* A fast mount does not look at values: what rotted is found by the read, which
 * gives no wrong value, and no other key's is touched. */
static void after_a_fast_mount_a_flipped_bit_gives_no_wrong_value(void **state)
{
    (void)state;
    make_image(0);
    for (uint32_t bit = 0; bit < SIZE * 8; bit++) {
        uint32_t hit = entry_at(bit / 8);

        if (is_length(bit, hit)) {
            continue;
        }
        nkv_fault_tried("bit flipped, fast mount");
        flip_and_mount(bit);
        for (uint32_t i = 0; i < ENTRIES; i++) {
            const char *key = entries[i].key;
            const char *got = nkv_bench_get(&bench, key);
            bool may_be_lost =
                hit != NO_ENTRY && strcmp(key, entries[hit].key) == 0;

            assert_true(strcmp(got, value_without(key, 0)) == 0 ||
                        (may_be_lost &&
                         (strcmp(got, value_without(key, 1u << hit)) == 0 ||
                          strcmp(got, "(DATA_LOSS)") == 0)));
        }
        if (bit % 16 == 0) {
            check_writes();
        }
        nkv_fault_survived();
    }
}

static void with_two_copies_a_fast_mount_loses_nothing(void **state)
{
    (void)state;
    make_image(2);
    make_image(0);
    for (uint32_t bit = 0; bit < SIZE * 8; bit++) {
        if (is_length(bit, entry_at(bit / 8))) {
            continue;
        }
        nkv_fault_tried("bit flipped, fast mount, two copies");
        flip_and_mount(bit);
        /* What rotted may look newer than what is there, until it is read. */
        (void)!is_without(0);
        assert_true(is_without(0));
        if (bit % 64 == 0) {
            check_writes();
        }
        nkv_fault_survived();
    }
}

/* All bytes the same, or, for 256, random. */
static void lose_sector(uint32_t sector, uint32_t byte)
{
    uint64_t random = sector;

    nkv_flash_sim_load(&bench.sim, image);
    for (uint32_t i = 0; i < SECTOR; i++) {
        nkv_flash_sim_poke(&bench.sim, sector * SECTOR + i,
                           byte < 256 ? (uint8_t)byte
                                      : (uint8_t)nkv_random(&random));
    }
    assert_ok(nkv_bench_mount(&bench));
}

static void a_lost_sector_costs_its_entries_alone(void **state)
{
    (void)state;
    make_image(0);
    for (uint32_t sector = 0; sector < SECTORS; sector++) {
        for (uint32_t byte = 0; byte <= 256; byte++) {
            uint32_t lost = 0;

            for (uint32_t i = 0; i < ENTRIES; i++) {
                lost |= (uint32_t)(entries[i].sector == sector) << i;
            }
            nkv_fault_tried("whole sector lost");
            lose_sector(sector, byte);
            assert_true(is_without(lost));
            check_writes();
            nkv_fault_survived();
        }
    }
}

static void with_two_copies_a_lost_sector_costs_nothing(void **state)
{
    (void)state;
    make_image(2);
    make_image(0);
    for (uint32_t sector = 0; sector < SECTORS; sector++) {
        for (uint32_t byte = 0; byte <= 256; byte++) {
            nkv_fault_tried("whole sector lost, two copies");
            lose_sector(sector, byte);
            assert_true(is_without(0));
            assert_int_equal(nkv_bench_statistics(&bench).entries_lost, 0);
            check_writes();
            nkv_fault_survived();
        }
    }
}

/* No address is in an entry: sectors may change places. */
static void swapped_sectors_change_nothing(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < SECTORS; a++) {
        for (uint32_t b = a + 1; b < SECTORS; b++) {
            uint8_t sector[SECTOR];

            nkv_fault_tried("sectors swapped");
            memset(image, 0xFF, sizeof image);
            make_image(0);
            memcpy(sector, image + a * SECTOR, SECTOR);
            memcpy(image + a * SECTOR, image + b * SECTOR, SECTOR);
            memcpy(image + b * SECTOR, sector, SECTOR);
            nkv_flash_sim_load(&bench.sim, image);
            assert_ok(nkv_bench_mount(&bench));
            assert_true(is_without(0));
            check_writes();
            nkv_fault_survived();
        }
    }
}

/* A bit that always reads the same, from before the mount on. */
static void stuck_bits_cost_at_most_their_entry(void **state)
{
    (void)state;
    make_image(0);
    for (uint32_t bit = 0; bit < 2 * SECTOR * 8; bit++) {
        uint32_t hit = entry_at(bit / 8);
        struct nkv_sim_fault fault = {.kind = (image[bit / 8] >> bit % 8 & 1)
                                                  ? NKV_SIM_FAULT_STUCK_AT_0
                                                  : NKV_SIM_FAULT_STUCK_AT_1,
                                      .offset = bit / 8,
                                      .size = 1,
                                      .mask = (uint8_t)(1u << bit % 8)};

        nkv_fault_tried("bit stuck");
        nkv_flash_sim_load(&bench.sim, image);
        nkv_flash_sim_clear_faults(&bench.sim);
        nkv_flash_sim_add_fault(&bench.sim, fault);
        assert_ok(nkv_bench_mount(&bench));
        assert_true(is_without(0) ||
                    (hit != NO_ENTRY && is_without(1u << hit)));
        check_writes();
        nkv_fault_survived();
    }
}

/* Many bits lost at once: no wrong value, no hang, and it goes on. */
static void many_lost_bits_never_give_a_wrong_value(void **state)
{
    uint64_t random = 13;

    (void)state;
    for (unsigned round = 0; round < 1000; round++) {
        nkv_fault_tried("many bits lost");
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

            assert_true(strcmp(got, "(NOT_FOUND)") == 0 ||
                        was_put(entries[i].key, got));
        }
        assert_ok(nkv_bench_put(&bench, "one", "rewritten"));
        assert_string_equal(nkv_bench_get(&bench, "one"), "rewritten");
        nkv_fault_survived();
    }
}

#define TEST(name, set_up)                                                     \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flipped_bit_costs_at_most_its_entry_and_is_reported, set_up),
        TEST(with_two_copies_a_flipped_bit_costs_nothing, set_up_two_copies),
        TEST(after_a_fast_mount_a_flipped_bit_gives_no_wrong_value,
             set_up_fast),
        TEST(with_two_copies_a_fast_mount_loses_nothing,
             set_up_fast_two_copies),
        TEST(a_lost_sector_costs_its_entries_alone, set_up),
        TEST(with_two_copies_a_lost_sector_costs_nothing, set_up_two_copies),
        TEST(swapped_sectors_change_nothing, set_up),
        TEST(stuck_bits_cost_at_most_their_entry, set_up),
        TEST(many_lost_bits_never_give_a_wrong_value, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
