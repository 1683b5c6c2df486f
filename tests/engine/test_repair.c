/* Damaged images: 4 sectors of 512 bytes, unit 16, a checksum that is the sum
 * of all bytes; repaired by mount, or left to maintenance. */
#include "bench.h"
#include "check.h"
#include "entry_image.h"

#include <string.h>

enum { SECTOR = 512, SIZE = 4 * SECTOR, MAGIC = 0x600df00d };

static struct nkv_bench bench;
static uint8_t image[SIZE];

static const struct nkv_bench_setup setup = {
    NKV_FLASH(SECTOR, 4, 16),
    .formats = {{MAGIC, &nkv_checksum_sum}},
    .format_count = 1,
};

static int set_up(void **state)
{
    (void)state;
    nkv_bench_init(&bench, &setup);
    memset(image, 0xFF, sizeof image);
    return 0;
}

static void go_on_with(const struct nkv_bench_setup *other)
{
    nkv_bench_free(&bench);
    nkv_bench_init(&bench, other);
}

/* Goes on with so many sectors, not four. */
static void take_sectors(uint32_t count)
{
    struct nkv_bench_setup fewer = setup;

    fewer.sector_count = count;
    go_on_with(&fewer);
}

static int tear_down(void **state)
{
    bool good = nkv_bench_is_sound(&bench);

    (void)state;
    nkv_bench_free(&bench);
    return good ? 0 : -1;
}

/* Writes an entry of 32 bytes at an offset of the image. */
static void add(uint32_t offset, const char *key, const char *value,
                uint32_t id)
{
    struct nkv_image entry = {.magic = MAGIC,
                              .id = id,
                              .key = nkv_text(key),
                              .value = nkv_text(value),
                              .checksum = NKV_IMAGE_SUM};

    assert_int_equal(nkv_image_size(&entry), 32);
    nkv_image_write(&entry, image + offset);
}

static void add_tombstone(uint32_t offset, const char *key, uint32_t id)
{
    struct nkv_image entry = {.magic = MAGIC,
                              .id = id,
                              .key = nkv_text(key),
                              .is_tombstone = true,
                              .checksum = NKV_IMAGE_SUM};

    nkv_image_write(&entry, image + offset);
}

static enum nkv_status mount_image(bool manual)
{
    nkv_flash_sim_load(&bench.sim, image);
    bench.config.manual_repair = manual;
    return nkv_bench_mount(&bench);
}

static void check_untouched(void)
{
    assert_memory_equal(bench.sim.bytes, image, SIZE);
    assert_int_equal(bench.sim.counts.operations, 0);
}

static void check_bytes(uint32_t live, uint32_t stale)
{
    struct nkv_statistics now = nkv_bench_statistics(&bench);

    assert_int_equal(now.live_bytes, live);
    assert_int_equal(now.stale_bytes, stale);
    assert_int_equal(now.free_bytes, SIZE - live - stale);
}

static void expect(const char *key, const char *value)
{
    assert_string_equal(nkv_bench_get(&bench, key), value);
}

/* Lets the idle work finish: what is left must be sound. */
static void settle(void)
{
    bool more = true;

    for (unsigned i = 0; more; i++) {
        assert_ok(nkv_step(&bench.store, &more));
        assert_true(i < 1000);
    }
    assert_int_equal(nkv_bench_statistics(&bench).damaged_sectors, 0);
}

static void two_good_entries_mount(void **state)
{
    (void)state;
    for (int manual = 0; manual < 2; manual++) {
        add(0, "key1", "value1", 1);
        add(32, "k2", "value2", 3);
        assert_ok(mount_image(manual));
        expect("key1", "value1");
        expect("k2", "value2");
        check_untouched();
    }
}

static void an_entry_twice_in_a_sector_is_damage(void **state)
{
    (void)state;
    add(0, "key1", "value1", 1);
    add(32, "key1", "value1", 1);
    assert_status(mount_image(true), NKV_DATA_LOSS);
    expect("key1", "value1");
    expect("k2", "(NOT_FOUND)");
    check_untouched();
    assert_ok(mount_image(false));
    expect("key1", "value1");
    settle();
    check_bytes(32, 0);
}

static void each_changed_byte_costs_its_entry_alone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 32; i++) {
        add(0, "key1", "value1", 1);
        add(32, "k2", "value2", 3);
        image[i]++;
        assert_status(mount_image(true), NKV_DATA_LOSS);
        expect("key1", "(NOT_FOUND)");
        expect("k2", "value2");
        check_bytes(32, 480);
        check_untouched();
        assert_ok(mount_image(false));
        expect("key1", "(NOT_FOUND)");
        expect("k2", "value2");
        assert_true(nkv_bench_statistics(&bench).corrupt_entries > 0);
        settle();
        check_bytes(32, 0);
        assert_ok(nkv_bench_put(&bench, "key1", "again"));
        assert_ok(nkv_bench_mount(&bench));
        expect("key1", "again");
        expect("k2", "value2");
        nkv_flash_sim_reset_counts(&bench.sim);
    }
}

static void make_two_of_four_corrupt(void)
{
    add(0, "key1", "value1", 1);
    add(32, "k2", "value2", 2);
    add(64, "k3", "value3", 3);
    add(96, "k4", "value4", 4);
    image[20]++;
    image[64 + 20]++;
}

static void two_corrupt_entries_of_four_are_lost(void **state)
{
    (void)state;
    make_two_of_four_corrupt();
    assert_status(mount_image(true), NKV_DATA_LOSS);
    assert_int_equal(nkv_bench_statistics(&bench).keys, 2);
    expect("k2", "value2");
    expect("k4", "value4");
    check_bytes(64, 448);
    check_untouched();
    assert_ok(mount_image(false));
    assert_int_equal(nkv_bench_statistics(&bench).keys, 2);
    settle();
    expect("key1", "(NOT_FOUND)");
    expect("k2", "value2");
    expect("k3", "(NOT_FOUND)");
    expect("k4", "value4");
    check_bytes(64, 0);
}

static void fault_at(enum nkv_sim_fault_kind kind, uint32_t offset,
                     enum nkv_status status, uint32_t times)
{
    struct nkv_sim_fault fault = {.kind = kind,
                                  .offset = offset,
                                  .size = 32,
                                  .status = status,
                                  .times = times};

    nkv_flash_sim_add_fault(&bench.sim, fault);
}

static void bytes_that_are_damaged_for_good_cost_their_entry(void **state)
{
    (void)state;
    add(0, "key1", "value1", 1);
    add(32, "k2", "value2", 2);
    add(64, "k3", "value3", 3);
    fault_at(NKV_SIM_FAULT_READ, 32, NKV_DATA_LOSS, 0);
    assert_status(mount_image(true), NKV_DATA_LOSS);
    check_untouched();
    assert_ok(mount_image(false));
    expect("key1", "value1");
    expect("k2", "(NOT_FOUND)");
    expect("k3", "value3");
    assert_ok(nkv_bench_put(&bench, "k2", "again"));
    expect("k2", "again");
}

static void a_flash_that_does_not_answer_is_not_touched(void **state)
{
    (void)state;
    add(0, "key1", "value1", 1);
    add(32, "k2", "value2", 2);
    fault_at(NKV_SIM_FAULT_READ, 32, NKV_UNAVAILABLE, 0);
    assert_status(mount_image(false), NKV_UNAVAILABLE);
    check_untouched();
    expect("key1", "(FAILED_PRECONDITION)");
    nkv_flash_sim_clear_faults(&bench.sim);
    assert_ok(nkv_bench_mount(&bench));
    expect("key1", "value1");
    expect("k2", "value2");
    check_untouched();
}

static void a_read_that_fails_once_is_repeated(void **state)
{
    (void)state;
    add(0, "key1", "value1", 1);
    for (uint32_t offset = 0; offset < SIZE; offset += 32) {
        fault_at(NKV_SIM_FAULT_READ, offset, NKV_UNAVAILABLE, 1);
        assert_ok(mount_image(false));
        expect("key1", "value1");
        fault_at(NKV_SIM_FAULT_READ, 0, NKV_UNAVAILABLE, 1);
        expect("key1", "value1");
        nkv_flash_sim_clear_faults(&bench.sim);
    }
    check_untouched();
}

/* Each read of a mount, with each bit of the byte in its middle wrong. That is
 * in the id where a header and ten bytes of key are read at once. */
static void a_wrong_bit_in_a_read_brings_no_old_value_back(void **state)
{
    struct nkv_sim_fault fault = {
        .kind = NKV_SIM_FAULT_FLIPPED_READ, .size = SIZE, .times = 1};
    struct nkv_bench_setup roomy = setup;

    (void)state;
    roomy.buffer_size = 32;
    go_on_with(&roomy);
    for (uint32_t order = 0; order < 2; order++) {
        uint64_t reads = bench.sim.counts.reads;
        memset(image, 0xFF, sizeof image);
        add(order * SECTOR, "ten letter", "newest", 0x1234);
        add(SECTOR - order * SECTOR, "ten letter", "oldest", 0x1134);
        assert_ok(mount_image(true));
        reads = bench.sim.counts.reads - reads;
        for (unsigned i = 0; i < 8 * reads; i++) {
            fault.skip = i / 8;
            fault.mask = (uint8_t)(1u << i % 8);
            nkv_flash_sim_add_fault(&bench.sim, fault);
            (void)!nkv_bench_mount(&bench);
            nkv_flash_sim_clear_faults(&bench.sim);
            expect("ten letter", "newest");
        }
    }
}

static void three_corrupt_sectors_of_four_leave_the_good_key(void **state)
{
    (void)state;
    add(0, "key1", "value1", 1);
    memset(image + SECTOR, 0x5A, 100);
    memset(image + 2 * SECTOR, 0x00, SECTOR);
    add(32, "k2", "value2", 2);
    image[50]++;
    assert_status(mount_image(true), NKV_DATA_LOSS);
    expect("key1", "value1");
    assert_int_equal(nkv_bench_statistics(&bench).keys, 1);
    assert_status(nkv_bench_put(&bench, "k", "v"), NKV_FAILED_PRECONDITION);
    assert_status(nkv_bench_delete(&bench, "key1"), NKV_FAILED_PRECONDITION);
    check_bytes(32, 480 + 2 * SECTOR);
    check_untouched();
    assert_ok(mount_image(false));
    assert_ok(nkv_bench_put(&bench, "k3", "value3"));
    assert_ok(nkv_bench_put(&bench, "k4", "value4"));
    settle();
    assert_int_equal(nkv_bench_statistics(&bench).keys, 3);
    check_bytes(96, 0);
}

static void make_all_corrupt(void)
{
    add(0, "key1", "value1", 1);
    add(SECTOR, "k2", "value2", 2);
    image[32] = 0x11;
    image[SECTOR + 32] = 0x22;
    memset(image + 2 * SECTOR, 0x33, 16);
    memset(image + 4 * SECTOR - 16, 0x44, 16);
    memset(image + 3 * SECTOR, 0x44, 16);
}

static void four_corrupt_sectors_of_four_are_repaired(void **state)
{
    (void)state;
    make_all_corrupt();
    assert_status(mount_image(true), NKV_DATA_LOSS);
    expect("key1", "value1");
    expect("k2", "value2");
    assert_status(nkv_bench_put(&bench, "k", "v"), NKV_FAILED_PRECONDITION);
    check_bytes(64, SIZE - 64);
    check_untouched();
    assert_ok(mount_image(false));
    settle();
    expect("key1", "value1");
    expect("k2", "value2");
    check_bytes(64, 0);
}

static void maintenance_repairs_what_manual_repair_left(void **state)
{
    (void)state;
    make_all_corrupt();
    assert_status(mount_image(true), NKV_DATA_LOSS);
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
    check_bytes(64, 0);
    assert_ok(nkv_bench_put(&bench, "key1", "new"));
    expect("key1", "new");
    expect("k2", "value2");
    assert_ok(nkv_bench_mount(&bench));
    expect("key1", "new");
}

/* With something of worth in each sector no erased one is found at once, and
 * the flash is read anew. What cannot be read then is not taken for empty. */
static void reads_that_fail_in_the_repair_lose_nothing(void **state)
{
    (void)state;
    make_all_corrupt();
    add(2 * SECTOR, "k3", "value3", 3);
    add(3 * SECTOR, "k4", "value4", 4);
    memset(image + 2 * SECTOR + 32, 0x33, 16);
    for (uint32_t skip = 0; skip < 400; skip++) {
        struct nkv_sim_fault fault = {.kind = NKV_SIM_FAULT_READ,
                                      .size = SIZE,
                                      .status = NKV_UNAVAILABLE,
                                      .times = 6,
                                      .skip = skip};

        assert_status(mount_image(true), NKV_DATA_LOSS);
        nkv_flash_sim_add_fault(&bench.sim, fault);
        (void)!nkv_maintain(&bench.store, NKV_MAINTAIN_FULL);
        nkv_flash_sim_clear_faults(&bench.sim);
        (void)!nkv_maintain(&bench.store, NKV_MAINTAIN_FULL);
        bench.config.manual_repair = false;
        assert_ok(nkv_bench_mount(&bench));
        expect("key1", "value1");
        expect("k2", "value2");
        expect("k3", "value3");
        expect("k4", "value4");
    }
}

/* A collection that failed half-way has left the same entry in both sectors of
 * a store, and then one of them was damaged: it is emptied beside the other's
 * entries, wherever the one lies that was found first. */
static void a_damaged_sector_is_emptied_beside_copies_of_its_own(void **state)
{
    (void)state;
    take_sectors(2);
    for (uint32_t damaged = 0; damaged < 2; damaged++) {
        uint32_t start = damaged * SECTOR;
        memset(image, 0xFF, sizeof image);
        add(SECTOR - start, "key1", "value1", 1);
        add(SECTOR - start + 32, "k2", "value2", 2);
        add(start, "k2", "value2", 2);
        add(start + 32, "k3", "value3", 3);
        memset(image + start + 64, 0x33, 16);
        assert_ok(mount_image(false));
        assert_int_equal(nkv_bench_statistics(&bench).erased_sectors, 1);
        assert_ok(nkv_bench_mount(&bench));
        expect("key1", "value1");
        expect("k2", "value2");
        expect("k3", "value3");
        assert_int_equal(nkv_bench_statistics(&bench).erases, 0);
    }
}

/* What is missed and what comes back without the first sector have the same sum
 * of ids: it is not what a collection left. */
static void equal_sums_of_ids_make_no_sector_superfluous(void **state)
{
    (void)state;
    take_sectors(3);
    add(0, "twice", "same", 1);
    add(32, "lost", "here", 9);
    add(64, "newer", "second", 12);
    add_tombstone(96, "gone", 13);
    add(SECTOR, "newer", "first", 11);
    add(SECTOR + 32, "gone", "back", 10);
    add(2 * SECTOR, "twice", "same", 1);
    add(2 * SECTOR + 32, "last", "one", 20);
    assert_ok(mount_image(false));
    expect("lost", "here");
    expect("newer", "second");
    expect("gone", "(NOT_FOUND)");
    expect("twice", "same");
    expect("last", "one");
    assert_int_equal(nkv_bench_statistics(&bench).erased_sectors, 1);
}

/* The second sector is what a cut collection left, but for an old value, and
 * cannot be erased: the tombstone of that value is still needed, also when its
 * own sector is collected. */
static void a_sector_that_cannot_be_erased_brings_no_value_back(void **state)
{
    const struct nkv_sim_fault fault = {.kind = NKV_SIM_FAULT_ERASE,
                                        .offset = SECTOR,
                                        .size = SECTOR,
                                        .status = NKV_UNAVAILABLE};

    (void)state;
    take_sectors(3);
    add(0, "key1", "value1", 1);
    add_tombstone(32, "k2", 3);
    add(64, "k3", "value3", 4);
    add(SECTOR, "key1", "value1", 1);
    add(SECTOR + 32, "k2", "value2", 2);
    add(2 * SECTOR, "k4", "value4", 5);
    nkv_flash_sim_add_fault(&bench.sim, fault);
    assert_ok(mount_image(false));
    assert_ok(nkv_bench_put(&bench, "k4", "new"));
    settle();
    assert_ok(nkv_bench_mount(&bench));
    expect("k2", "(NOT_FOUND)");
    expect("key1", "value1");
    expect("k3", "value3");
    expect("k4", "new");
}

/* Nor is such a sector erased where it has the only tombstone of an old value
 * in it: the erase might be cut when the tombstone is gone and the value is
 * not. */
static void a_tombstone_is_copied_before_its_old_value_is_erased(void **state)
{
    struct nkv_sim_cut cut = {.kind = NKV_SIM_CUT_BEFORE, .at = 1};

    (void)state;
    take_sectors(3);
    add(0, "key1", "value1", 1);
    add(32, "gone", "old", 5);
    add_tombstone(64, "gone", 6);
    add(SECTOR, "key1", "value1", 1);
    add(2 * SECTOR, "k2", "value2", 9);
    nkv_flash_sim_load(&bench.sim, image);
    nkv_flash_sim_cut(&bench.sim, cut);
    (void)!nkv_bench_mount(&bench);
    assert_true(bench.sim.is_off);
    assert_true(bench.sim.wound.offset != 0 || !bench.sim.wound.is_erase);
    nkv_flash_sim_power_on(&bench.sim);
    assert_ok(nkv_bench_mount(&bench));
    settle();
    assert_int_equal(nkv_bench_statistics(&bench).erased_sectors, 1);
    expect("key1", "value1");
    expect("gone", "(NOT_FOUND)");
    expect("k2", "value2");
}

/* Two open sectors of two, and nothing wrong with either: a collection failed
 * for good, or its erase did. Mount makes one erased of them. */
static void without_an_erased_sector_mount_makes_one(void **state)
{
    (void)state;
    take_sectors(2);
    add(0, "key1", "value1", 1);
    add(SECTOR, "key1", "new", 2);
    add(SECTOR + 32, "k2", "value2", 3);
    add(32, "k3", "value3", 4);
    assert_ok(mount_image(false));
    assert_int_equal(nkv_bench_statistics(&bench).erased_sectors, 1);
    expect("key1", "new");
    expect("k2", "value2");
    expect("k3", "value3");
}

/* The same with a copy too many in one of them: that one takes no entries of
 * the other, and is emptied into it, though more could be gained there. */
static void a_sector_with_a_copy_too_many_is_emptied(void **state)
{
    (void)state;
    take_sectors(2);
    add(0, "key1", "value1", 1);
    add(32, "k2", "first", 2);
    add(64, "k2", "second", 3);
    add(96, "k2", "value2", 4);
    add(SECTOR, "key1", "value1", 1);
    add(SECTOR + 32, "k3", "old", 5);
    add(SECTOR + 64, "k3", "value3", 6);
    assert_ok(mount_image(false));
    assert_int_equal(nkv_bench_statistics(&bench).erased_sectors, 1);
    expect("key1", "value1");
    expect("k2", "value2");
    expect("k3", "value3");
}

/* Nothing is erased that entries could be moved to. */
static void where_all_is_damaged_values_can_be_read(void **state)
{
    (void)state;
    take_sectors(2);
    add(0, "key1", "value1", 1);
    memset(image + 32, 0x33, 16);
    add(SECTOR, "k2", "value2", 2);
    memset(image + SECTOR + 32, 0x33, 16);
    assert_ok(mount_image(false));
    assert_status(nkv_bench_put(&bench, "k3", "value3"),
                  NKV_RESOURCE_EXHAUSTED);
    expect("key1", "value1");
    expect("k2", "value2");
    assert_int_equal(bench.sim.counts.operations, 0);
    assert_ok(nkv_erase_all(&bench.store));
    expect("key1", "(NOT_FOUND)");
    assert_ok(nkv_bench_put(&bench, "k3", "value3"));
    expect("k3", "value3");
}

/* Also where a sector is damaged, its last entry may be half programmed. */
static void an_unsteady_end_behind_damage_is_never_read(void **state)
{
    enum { VALUE = 48 + 16 + 4 };

    (void)state;
    add(0, "k2", "value2", 1);
    memset(image + 32, 0x33, 16);
    add(48, "key1", "new", 3);
    add(SECTOR, "key1", "old", 2);
    bench.config.manual_repair = true;
    nkv_flash_sim_load(&bench.sim, image);
    /* 'n' is 0x6E. */
    bench.sim.doubtful[VALUE] = 0x10;
    bench.sim.doubtful_from = VALUE;
    bench.sim.doubtful_to = VALUE + 1;
    for (int i = 0; i < 20; i++) {
        assert_status(nkv_bench_mount(&bench), NKV_DATA_LOSS);
        expect("key1", "old");
        expect("k2", "value2");
    }
}

static void a_corrupt_newest_version_brings_the_older_one_back(void **state)
{
    (void)state;
    add(0, "key1", "old", 1);
    add(SECTOR, "key1", "new", 2);
    image[SECTOR + 21]++;
    assert_status(mount_image(true), NKV_DATA_LOSS);
    expect("key1", "old");
    check_untouched();
    assert_ok(mount_image(false));
    expect("key1", "old");
    settle();
    check_bytes(32, 0);
}

/* An erase was cut in the first header, and by chance the checksum is right:
 * what has the magic of erased flash is nobody else's. */
static void an_entry_without_a_magic_is_not_foreign(void **state)
{
    struct nkv_image entry = {.magic = 0xFFFFFFFF,
                              .id = 1,
                              .key = nkv_text("gone"),
                              .value = nkv_text("old"),
                              .checksum = NKV_IMAGE_CRC16};

    (void)state;
    nkv_image_write(&entry, image);
    add(SECTOR, "key1", "value1", 2);
    assert_ok(mount_image(false));
    expect("gone", "(NOT_FOUND)");
    expect("key1", "value1");
    assert_int_equal(nkv_bench_statistics(&bench).damaged_sectors, 0);
}

static void an_erased_gap_hides_nothing(void **state)
{
    (void)state;
    add(0, "key1", "value1", 1);
    add(64, "k2", "value2", 3);
    assert_ok(mount_image(false));
    expect("key1", "value1");
    expect("k2", "value2");
    assert_ok(nkv_bench_put(&bench, "k3", "value3"));
    assert_ok(nkv_bench_mount(&bench));
    expect("key1", "value1");
    expect("k2", "value2");
    expect("k3", "value3");
}

static void a_put_whose_program_fails_once_goes_elsewhere(void **state)
{
    struct nkv_sim_fault fault = {.kind = NKV_SIM_FAULT_PROGRAM,
                                  .size = SIZE,
                                  .status = NKV_UNAVAILABLE,
                                  .times = 1};

    (void)state;
    assert_ok(mount_image(false));
    nkv_flash_sim_add_fault(&bench.sim, fault);
    assert_ok(nkv_bench_put(&bench, "key1", "value1"));
    expect("key1", "value1");
    assert_int_equal(nkv_bench_statistics(&bench).program_errors, 1);
    assert_ok(nkv_bench_put(&bench, "k2", "value2"));
    assert_ok(nkv_bench_mount(&bench));
    expect("key1", "value1");
    expect("k2", "value2");
    settle();
    check_bytes(64, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_good_entries_mount),
        TEST(an_entry_twice_in_a_sector_is_damage),
        TEST(each_changed_byte_costs_its_entry_alone),
        TEST(two_corrupt_entries_of_four_are_lost),
        TEST(bytes_that_are_damaged_for_good_cost_their_entry),
        TEST(a_flash_that_does_not_answer_is_not_touched),
        TEST(a_read_that_fails_once_is_repeated),
        TEST(a_wrong_bit_in_a_read_brings_no_old_value_back),
        TEST(three_corrupt_sectors_of_four_leave_the_good_key),
        TEST(four_corrupt_sectors_of_four_are_repaired),
        TEST(maintenance_repairs_what_manual_repair_left),
        TEST(reads_that_fail_in_the_repair_lose_nothing),
        TEST(a_damaged_sector_is_emptied_beside_copies_of_its_own),
        TEST(equal_sums_of_ids_make_no_sector_superfluous),
        TEST(a_sector_that_cannot_be_erased_brings_no_value_back),
        TEST(a_tombstone_is_copied_before_its_old_value_is_erased),
        TEST(without_an_erased_sector_mount_makes_one),
        TEST(a_sector_with_a_copy_too_many_is_emptied),
        TEST(where_all_is_damaged_values_can_be_read),
        TEST(an_unsteady_end_behind_damage_is_never_read),
        TEST(a_corrupt_newest_version_brings_the_older_one_back),
        TEST(an_entry_without_a_magic_is_not_foreign),
        TEST(an_erased_gap_hides_nothing),
        TEST(a_put_whose_program_fails_once_goes_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
