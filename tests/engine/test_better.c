/* Where the store does better than the reference: what is not ours, full
 * stores, damaged lengths, transaction ids. */
#include "bench.h"
#include "check.h"
#include "entry_image.h"
#include "random.h"

#include <stdio.h>
#include <string.h>

enum { SECTOR = 512, SIZE = 4 * SECTOR };

static struct nkv_bench bench;
static uint8_t image[SIZE];

static int set_up(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, 4, 16)};

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

static struct nkv_statistics now(void)
{
    return nkv_bench_statistics(&bench);
}

static void expect(const char *key, const char *value)
{
    assert_string_equal(nkv_bench_get(&bench, key), value);
}

static size_t add_bytes(uint32_t offset, const char *key, struct nkv_span value,
                        uint32_t id)
{
    struct nkv_image entry = {.magic = NKV_DEFAULT_MAGIC,
                              .id = id,
                              .key = nkv_text(key),
                              .value = value};

    return nkv_image_write(&entry, image + offset);
}

static size_t add(uint32_t offset, const char *key, const char *value,
                  uint32_t id)
{
    return add_bytes(offset, key, nkv_text(value), id);
}

static enum nkv_status mount_image(void)
{
    nkv_flash_sim_load(&bench.sim, image);
    nkv_flash_sim_reset_counts(&bench.sim);
    return nkv_bench_mount(&bench);
}

/* Mount refused; reads work, writes do not, nothing was touched; erasing all is
 * the way out. */
static void check_refused(enum nkv_status status)
{
    assert_status(mount_image(), status);
    assert_status(nkv_bench_put(&bench, "k", "v"), NKV_FAILED_PRECONDITION);
    assert_status(nkv_bench_delete(&bench, "k"), NKV_FAILED_PRECONDITION);
    assert_status(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY),
                  NKV_FAILED_PRECONDITION);
    assert_int_equal(bench.sim.counts.operations, 0);
    assert_memory_equal(bench.sim.bytes, image, SIZE);
}

static void check_erase_all_helps(void)
{
    assert_ok(nkv_erase_all(&bench.store));
    assert_int_equal(now().keys, 0);
    assert_ok(nkv_bench_put(&bench, "k", "v"));
    assert_ok(nkv_bench_mount(&bench));
    expect("k", "v");
    assert_int_equal(now().keys, 1);
}

static void an_intact_entry_of_an_unknown_format_is_left_alone(void **state)
{
    struct nkv_image foreign = {.magic = 0x0BADF00D,
                                .id = 7,
                                .key = nkv_text("their"),
                                .value = nkv_text("value")};

    (void)state;
    add(0, "ours", "value", 1);
    nkv_image_write(&foreign, image + SECTOR);
    check_refused(NKV_FAILED_PRECONDITION);
    expect("ours", "value");
    check_erase_all_helps();
}

static void something_else_on_the_flash_is_left_alone(void **state)
{
    uint64_t random = 3;

    (void)state;
    nkv_random_fill(&random, image, SIZE);
    check_refused(NKV_FAILED_PRECONDITION);
    memset(image, 0xFF, sizeof image);
    nkv_random_fill(&random, image, 100);
    nkv_random_fill(&random, image + 3 * SECTOR, 200);
    check_refused(NKV_FAILED_PRECONDITION);
    check_erase_all_helps();
}

static void garbage_in_one_sector_is_damage(void **state)
{
    uint64_t random = 4;

    (void)state;
    nkv_random_fill(&random, image + SECTOR, 300);
    assert_ok(mount_image());
    assert_ok(nkv_bench_put(&bench, "k", "v"));
    assert_ok(nkv_bench_mount(&bench));
    expect("k", "v");
}

static void a_flash_of_zeros_counts_as_blank(void **state)
{
    (void)state;
    memset(image, 0, sizeof image);
    assert_ok(mount_image());
    assert_int_equal(now().keys, 0);
    for (unsigned i = 0; i < 60; i++) {
        char value[8];

        snprintf(value, sizeof value, "%u", i);
        assert_ok(nkv_bench_put(&bench, "k", value));
    }
    assert_ok(nkv_bench_mount(&bench));
    expect("k", "59");
}

static void more_keys_than_the_table_takes_are_left_alone(void **state)
{
    const struct nkv_bench_setup few = {NKV_FLASH(SECTOR, 4, 16),
                                        .max_keys = 3};

    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        const char key[2] = {(char)('a' + i), '\0'};

        add(i * 32, key, "value", i + 1);
    }
    nkv_bench_free(&bench);
    nkv_bench_init(&bench, &few);
    check_refused(NKV_RESOURCE_EXHAUSTED);
    nkv_bench_free(&bench);
    set_up(NULL);
    for (uint32_t i = 0; i < 12; i++) {
        const char key[2] = {(char)('a' + i), '\0'};

        add(i * 32, key, "value", i + 1);
    }
    assert_ok(mount_image());
    assert_int_equal(now().keys, 12);
}

/* Fills the store until a put of a new key finds it full; returns how many
 * keys fit. */
static unsigned fill(void)
{
    enum nkv_status status = NKV_OK;
    unsigned count = 0;
    char key[8];

    assert_ok(nkv_bench_mount(&bench));
    while (status == NKV_OK) {
        snprintf(key, sizeof key, "k%u", count);
        status = nkv_bench_put(&bench, key, "some value of 24 bytes..");
        count += status == NKV_OK;
        assert_true(count < 100);
    }
    assert_status(status, NKV_RESOURCE_EXHAUSTED);
    return count;
}

static void a_put_on_a_full_store_erases_nothing(void **state)
{
    uint64_t operations;

    (void)state;
    assert_true(fill() >= 20);
    operations = bench.sim.counts.operations;
    for (int i = 0; i < 10; i++) {
        assert_status(
            nkv_bench_put(&bench, "another", "some value of 24 bytes.."),
            NKV_RESOURCE_EXHAUSTED);
    }
    assert_int_equal(bench.sim.counts.operations, operations);
}

static void every_key_of_a_full_store_can_be_deleted(void **state)
{
    unsigned count = fill();
    char key[8];

    (void)state;
    for (unsigned i = 0; i < count; i++) {
        snprintf(key, sizeof key, "k%u", i);
        assert_ok(nkv_bench_delete(&bench, key));
        assert_int_equal(now().keys, count - 1 - i);
        if (i % 5 == 0) {
            assert_ok(nkv_bench_mount(&bench));
        }
    }
    assert_true(fill() >= count - 1);
}

/* Three keys go, and at least one finds room then: tombstones take some. */
static void a_full_store_stays_usable_by_deleting_and_putting(void **state)
{
    unsigned count = fill(), failed = 0;
    char key[8], value[32];

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        unsigned stored = 0;

        for (unsigned j = 0; j < 3; j++) {
            enum nkv_status status;

            snprintf(key, sizeof key, "k%u", (3 * i + j) % count);
            status = nkv_bench_delete(&bench, key);
            assert_true(status == NKV_OK || status == NKV_NOT_FOUND);
        }
        for (unsigned j = 0; j < 3; j++) {
            snprintf(key, sizeof key, "k%u", (3 * i + j) % count);
            snprintf(value, sizeof value, "another of 24 bytes %4u", i);
            stored += nkv_bench_put(&bench, key, value) == NKV_OK;
        }
        failed += stored == 0;
    }
    assert_int_equal(failed, 0);
    assert_ok(nkv_bench_mount(&bench));
    assert_in_range(now().keys, count / 2, count);
}

static void a_part_is_not_given_from_a_damaged_whole(void **state)
{
    struct nkv_value value;
    uint8_t part[4];
    struct nkv_buffer to = {part, 4};

    (void)state;
    add(0, "key", "a value that is longer than one chunk of reading", 1);
    assert_ok(mount_image());
    assert_status(nkv_get(&bench.store, nkv_text("key"), 0, to, &value),
                  NKV_RESOURCE_EXHAUSTED);
    nkv_flash_sim_poke(&bench.sim, 60, bench.sim.bytes[60] ^ 1);
    assert_status(nkv_get(&bench.store, nkv_text("key"), 0, to, &value),
                  NKV_DATA_LOSS);
    assert_status(nkv_describe(&bench.store, nkv_text("key"), &value),
                  NKV_DATA_LOSS);
}

/* An entry whose value holds the image of another, on a multiple of 16. */
static size_t add_with_ghost(uint32_t offset)
{
    uint8_t value[96];
    struct nkv_image ghost = {.magic = NKV_DEFAULT_MAGIC,
                              .id = 99,
                              .key = nkv_text("ghost"),
                              .value = nkv_text("boo")};

    memset(value, 'v', sizeof value);
    nkv_image_write(&ghost, value + 13 + 16);
    return add_bytes(offset, "key", (struct nkv_span){value, sizeof value}, 5);
}

static void an_entry_in_a_damaged_value_is_not_resurrected(void **state)
{
    (void)state;
    for (uint32_t at = 16; at < 112; at++) {
        uint32_t next;

        memset(image, 0xFF, sizeof image);
        next = (uint32_t)add_with_ghost(0);
        add(next, "real", "value", 6);
        if (at >= 48 && at < 80) {
            continue;
        }
        image[at] ^= 0x10;
        assert_ok(mount_image());
        expect("ghost", "(NOT_FOUND)");
        expect("key", "(NOT_FOUND)");
        expect("real", "value");
        assert_true(now().corrupt_entries > 0);
    }
}

/* Each bit of the value size flipped: however long the damaged entry says it
 * is, those behind it are there. */
static void entries_behind_a_damaged_length_survive(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 24; bit++) {
        memset(image, 0xFF, sizeof image);
        add(0, "damaged", "value", 5);
        add(32, "next", "value1", 6);
        add(64, "last", "value2", 7);
        image[9 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_ok(mount_image());
        expect("damaged", "(NOT_FOUND)");
        expect("next", "value1");
        expect("last", "value2");
    }
}

static void ids_do_not_repeat_after_a_torn_entry(void **state)
{
    uint32_t newest;

    (void)state;
    add(0, "key", "value", 100);
    add(32, "key", "torn", 101);
    memset(image + 48, 0xFF, 16);
    assert_ok(mount_image());
    expect("key", "value");
    assert_ok(nkv_bench_put(&bench, "key", "new"));
    newest = nkv_transaction_count(&bench.store);
    assert_in_range(newest, 116, 1000);
    assert_ok(nkv_bench_mount(&bench));
    assert_int_equal(nkv_transaction_count(&bench.store), newest);
    assert_ok(nkv_bench_put(&bench, "key", "newer"));
    assert_true(nkv_transaction_count(&bench.store) > newest);
}

static void ids_go_on_after_all_was_deleted_and_collected(void **state)
{
    (void)state;
    assert_ok(nkv_bench_mount(&bench));
    for (int i = 0; i < 5; i++) {
        uint32_t before;

        assert_ok(nkv_bench_put(&bench, "key", "value"));
        assert_ok(nkv_bench_delete(&bench, "key"));
        before = nkv_transaction_count(&bench.store);
        assert_int_equal(before, 2 * i + 2);
        assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
        assert_ok(nkv_bench_mount(&bench));
        assert_int_equal(nkv_transaction_count(&bench.store), before);
    }
}

static void ids_go_on_after_erase_all(void **state)
{
    uint32_t before;

    (void)state;
    assert_ok(nkv_bench_mount(&bench));
    for (int i = 0; i < 5; i++) {
        assert_ok(nkv_bench_put(&bench, "key", "value"));
        before = nkv_transaction_count(&bench.store);
        assert_ok(nkv_erase_all(&bench.store));
        assert_true(nkv_transaction_count(&bench.store) >= before);
        before = nkv_transaction_count(&bench.store);
        assert_int_equal(now().keys, 0);
        expect("key", "(NOT_FOUND)");
        assert_ok(nkv_bench_mount(&bench));
        assert_int_equal(nkv_transaction_count(&bench.store), before);
        assert_ok(nkv_bench_put(&bench, "other", "value"));
        assert_true(nkv_transaction_count(&bench.store) > before);
    }
}

static void a_random_first_id_is_taken_on_a_blank_flash_only(void **state)
{
    (void)state;
    bench.config.first_id = 0x12345678;
    assert_ok(nkv_bench_mount(&bench));
    assert_ok(nkv_bench_put(&bench, "key", "value"));
    assert_int_equal(nkv_transaction_count(&bench.store), 0x12345678);
    bench.config.first_id = 5;
    assert_ok(nkv_bench_mount(&bench));
    assert_ok(nkv_bench_put(&bench, "key", "new"));
    assert_int_equal(nkv_transaction_count(&bench.store), 0x12345679);
}

static void ids_wrap_and_skip_0(void **state)
{
    char value[8];
    struct nkv_value got;

    (void)state;
    add(0, "key", "value", 0xFFFFFFF0);
    assert_ok(mount_image());
    for (unsigned i = 0; i < 40; i++) {
        snprintf(value, sizeof value, "%u", i);
        assert_ok(nkv_bench_put(&bench, "key", value));
        assert_ok(nkv_describe(&bench.store, nkv_text("key"), &got));
        assert_int_not_equal(got.version, 0);
        assert_ok(nkv_bench_mount(&bench));
        expect("key", value);
    }
    assert_in_range(nkv_transaction_count(&bench.store), 1, 100);
}

/* Both keys are old when the ids wrap; then the ids come up to theirs again. */
static void old_keys_outlive_a_wrap_of_the_ids(void **state)
{
    static const uint32_t ids[] = {1, 3, 0x10, 0x100, 0x80000000, 0xFEFFFFFF};

    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        memset(image, 0xFF, sizeof image);
        add(0, "old", "old value", ids[i]);
        add(32, "hot", "value", 0xFFFFFFFC);
        assert_ok(mount_image());
        for (unsigned j = 0; j < 30; j++) {
            char value[8];

            snprintf(value, sizeof value, "%u", j);
            assert_ok(nkv_bench_put(&bench, "hot", value));
            expect("old", "old value");
            assert_ok(nkv_bench_mount(&bench));
            expect("old", "old value");
            expect("hot", value);
        }
        assert_ok(nkv_bench_put(&bench, "old", "new value"));
        assert_ok(nkv_bench_mount(&bench));
        expect("old", "new value");
        assert_ok(nkv_bench_delete(&bench, "old"));
        assert_ok(nkv_bench_mount(&bench));
        expect("old", "(NOT_FOUND)");
    }
}

/* The power goes after each operation of an erase of all. */
static void a_cut_erase_all_is_undone_or_asks_to_be_finished(void **state)
{
    unsigned undone = 0, unfinished = 0, done = 0;

    (void)state;
    for (uint64_t at = 1; done < 1 && at < 30; at++) {
        struct nkv_sim_cut cut = {NKV_SIM_CUT_AFTER, at, 0, 0};
        enum nkv_status status;

        memset(image, 0xFF, sizeof image);
        add(0, "key1", "value1", 1);
        add(SECTOR, "key2", "value2", 2);
        add(2 * SECTOR, "key3", "value3", 3);
        assert_ok(mount_image());
        nkv_flash_sim_cut(&bench.sim, cut);
        status = nkv_erase_all(&bench.store);
        nkv_flash_sim_power_on(&bench.sim);
        done += status == NKV_OK;
        status = nkv_bench_mount(&bench);
        if (status == NKV_FAILED_PRECONDITION) {
            unfinished++;
            assert_status(nkv_bench_put(&bench, "k", "v"),
                          NKV_FAILED_PRECONDITION);
            assert_status(nkv_bench_mount(&bench), NKV_FAILED_PRECONDITION);
            assert_ok(nkv_erase_all(&bench.store));
        }
        assert_true(now().keys == 0 || now().keys == 3);
        undone += now().keys == 3;
        assert_ok(nkv_bench_put(&bench, "k", "v"));
        assert_ok(nkv_bench_mount(&bench));
        expect("k", "v");
    }
    assert_int_equal(done, 1);
    assert_true(unfinished > 0);
    assert_true(undone < 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_intact_entry_of_an_unknown_format_is_left_alone),
        TEST(something_else_on_the_flash_is_left_alone),
        TEST(garbage_in_one_sector_is_damage),
        TEST(a_flash_of_zeros_counts_as_blank),
        TEST(more_keys_than_the_table_takes_are_left_alone),
        TEST(a_put_on_a_full_store_erases_nothing),
        TEST(every_key_of_a_full_store_can_be_deleted),
        TEST(a_full_store_stays_usable_by_deleting_and_putting),
        TEST(a_part_is_not_given_from_a_damaged_whole),
        TEST(an_entry_in_a_damaged_value_is_not_resurrected),
        TEST(entries_behind_a_damaged_length_survive),
        TEST(ids_do_not_repeat_after_a_torn_entry),
        TEST(ids_go_on_after_all_was_deleted_and_collected),
        TEST(ids_go_on_after_erase_all),
        TEST(a_random_first_id_is_taken_on_a_blank_flash_only),
        TEST(ids_wrap_and_skip_0),
        TEST(old_keys_outlive_a_wrap_of_the_ids),
        TEST(a_cut_erase_all_is_undone_or_asks_to_be_finished),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
