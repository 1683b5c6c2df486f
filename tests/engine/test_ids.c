/* Transaction ids go on: after damage, after an erase of all, and when they
 * wrap. */
#include "bench.h"
#include "check.h"
#include "entry_image.h"
#include "workload.h"

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

static size_t add(uint32_t offset, const char *key, const char *value,
                  uint32_t id)
{
    struct nkv_image entry = {.magic = NKV_DEFAULT_MAGIC,
                              .id = id,
                              .key = nkv_text(key),
                              .value = nkv_text(value)};

    return nkv_image_write(&entry, image + offset);
}

static enum nkv_status mount_image(void)
{
    nkv_flash_sim_load(&bench.sim, image);
    nkv_flash_sim_reset_counts(&bench.sim);
    return nkv_bench_mount(&bench);
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
        uint32_t before;

        memset(image, 0xFF, sizeof image);
        add(0, "key1", "value1", 101);
        add(SECTOR, "key2", "value2", 102);
        add(2 * SECTOR, "key3", "value3", 103);
        assert_ok(mount_image());
        before = nkv_transaction_count(&bench.store);
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
        assert_true(nkv_transaction_count(&bench.store) >= before);
        undone += now().keys == 3;
        assert_ok(nkv_bench_put(&bench, "k", "v"));
        assert_ok(nkv_bench_mount(&bench));
        expect("k", "v");
    }
    assert_int_equal(done, 1);
    assert_true(unfinished > 0);
    assert_true(undone < 3);
}

/* 2^24 writes after a wrap: an id from the top of the range would be newer than
 * the new ones. */
static void old_keys_are_renewed_before_low_ids_grow_high(void **state)
{
    (void)state;
    add(0, "old", "old value", 0xFF000011);
    add(32, "gone", "value", 0xFF000012);
    add(64, "hot", "value", 0x00FFFFF0);
    assert_ok(mount_image());
    assert_int_equal(nkv_transaction_count(&bench.store), 0x00FFFFF0);
    for (unsigned i = 0; i < 40; i++) {
        char value[8];

        snprintf(value, sizeof value, "%u", i);
        assert_ok(nkv_bench_put(&bench, "hot", value));
        if (i == 20) {
            assert_ok(nkv_bench_put(&bench, "old", "new value"));
            assert_ok(nkv_bench_delete(&bench, "gone"));
        }
        assert_ok(nkv_bench_mount(&bench));
        expect("hot", value);
        expect("old", i < 20 ? "old value" : "new value");
        expect("gone", i < 20 ? "value" : "(NOT_FOUND)");
    }
    assert_in_range(nkv_transaction_count(&bench.store), 0x01000000,
                    0x01001000);
}

/* Ids run over each place where their order changes, with copies and without,
 * and a plain map says what must be there. */
static void no_boundary_of_the_ids_changes_anything(void **state)
{
    static const uint32_t boundaries[] = {0,          1u << 24,   0x7FFFFFFF,
                                          0x80000000, 0xFF000000, 0xFFFFFFFF};

    (void)state;
    for (uint32_t i = 0; i < 6 * 8; i++) {
        const struct nkv_bench_setup setup = {
            NKV_FLASH(SECTOR, 6, 16), .copies = (uint8_t)(1 + i % 2),
            .first_id = boundaries[i / 8] - 100u - i % 8, .max_keys = 16};
        struct nkv_workload workload = {.random = i + 1,
                                        .key_count = 5,
                                        .key_size_max = 8,
                                        .value_size_max = 30,
                                        .mix = &nkv_mix_full};
        struct nkv_model model = {0};

        nkv_bench_free(&bench);
        nkv_bench_init(&bench, &setup);
        assert_ok(nkv_bench_mount(&bench));
        assert_true(nkv_workload_run(&workload, &bench, &model, 400));
        assert_ok(nkv_bench_mount(&bench));
        assert_true(nkv_model_agrees(&model, &bench.store));
        nkv_model_free(&model);
    }
}

static void a_sectors_age_counts_on_over_the_wrap(void **state)
{
    (void)state;
    bench.config.first_id = 0xFFFFFFF0;
    assert_ok(nkv_bench_mount(&bench));
    for (unsigned i = 0; i < 40; i++) {
        char value[8];

        snprintf(value, sizeof value, "%u", i);
        assert_ok(nkv_bench_put(&bench, "key", value));
        for (uint32_t sector = 0; sector < 4; sector++) {
            struct nkv_sector_report report;

            assert_ok(nkv_report_sector(&bench.store, sector, &report));
            assert_in_range(report.age, 0, 60);
        }
    }
}

/* Values of which one fills a sector: a put, an erase. */
static void a_sectors_erases_are_counted_up_to_65535(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(64, 2, 16), .max_keys = 4};
    struct nkv_sector_report report;

    (void)state;
    nkv_bench_free(&bench);
    nkv_bench_init(&bench, &setup);
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < 140000; i++) {
        uint8_t bytes[32] = {0};
        struct nkv_span value = {bytes, sizeof bytes};

        nkv_store_le32(bytes, i);
        assert_ok(nkv_put(&bench.store, nkv_text("key"), value));
    }
    for (uint32_t sector = 0; sector < 2; sector++) {
        assert_true(bench.sim.erases[sector] > 65536);
        assert_ok(nkv_report_sector(&bench.store, sector, &report));
        assert_int_equal(report.erases, 65535);
    }
    assert_in_range(nkv_bench_statistics(&bench).erases, 139990, 140010);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ids_do_not_repeat_after_a_torn_entry),
        TEST(ids_go_on_after_all_was_deleted_and_collected),
        TEST(ids_go_on_after_erase_all),
        TEST(a_random_first_id_is_taken_on_a_blank_flash_only),
        TEST(ids_wrap_and_skip_0),
        TEST(old_keys_outlive_a_wrap_of_the_ids),
        TEST(old_keys_are_renewed_before_low_ids_grow_high),
        TEST(no_boundary_of_the_ids_changes_anything),
        TEST(a_sectors_age_counts_on_over_the_wrap),
        TEST(a_sectors_erases_are_counted_up_to_65535),
        TEST(a_cut_erase_all_is_undone_or_asks_to_be_finished),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
