/*
 * Each golden image mounts and gives what its .json says; where the reference
 * is wrong, what is right instead (see the table in README.md).
 */
#include "check.h"
#include "golden.h"
#include "workload.h"

#include <norkv/survey.h>
#include <stdio.h>
#include <string.h>

enum { OPERATIONS = 100 };

static struct nkv_golden golden;
static struct nkv_bench bench;

static int set_up(void **state)
{
    nkv_golden_load(&golden, *state);
    nkv_golden_bench(&golden, &bench);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    nkv_bench_free(&bench);
    nkv_golden_free(&golden);
    return 0;
}

static bool is_image(const char *name)
{
    return strcmp(golden.name, name) == 0;
}

static void expect_key(struct nkv_model *keys, const char *key,
                       const char *value)
{
    nkv_model_put(keys, nkv_text(key), nkv_text(value));
}

/* Puts what is right in the place of what the reference does. */
static void correct_expectations(void)
{
    if (golden.reference_is_right) {
        return;
    }
    snprintf(golden.mount.status, sizeof golden.mount.status, "OK");
    if (is_image("erased_gap")) {
        expect_key(&golden.mount.keys, "k2", "value2");
        golden.mount.transaction_count = 3;
    } else if (is_image("hash_collision")) {
        expect_key(&golden.mount.keys, "D4", "one");
    } else if (is_image("txid_rollover")) {
        expect_key(&golden.mount.keys, "k", "new");
        golden.mount.transaction_count = 0;
    } else if (is_image("crosses_sector")) {
        golden.mount.transaction_count = 1;
    }
}

static bool collect_tombstone(void *context, const struct nkv_place *place)
{
    struct nkv_model *found = context;

    if (place->kind == NKV_PLACE_TOMBSTONE) {
        nkv_model_put(found, (struct nkv_span){place->key, place->key_size},
                      nkv_text(""));
    }
    return true;
}

static void check_tombstones(const struct nkv_model *expected)
{
    struct nkv_model found = {0};

    assert_int_equal(nkv_bench_statistics(&bench).tombstones, expected->count);
    assert_ok(nkv_survey(&bench.store, collect_tombstone, &found));
    assert_int_equal(found.count, expected->count);
    for (size_t i = 0; i < expected->count; i++) {
        struct nkv_span key = {expected->entries[i].key,
                               expected->entries[i].key_size};
        assert_non_null(nkv_model_find(&found, key));
    }
    nkv_model_free(&found);
}

static void check_contents(const struct nkv_golden_mount *expected)
{
    assert_true(nkv_model_agrees(&expected->keys, &bench.store));
    assert_int_equal(nkv_transaction_count(&bench.store),
                     expected->transaction_count);
    assert_true(nkv_bench_is_sound(&bench));
}

static void mounts_as_listed(void **state)
{
    uint64_t operations;
    enum nkv_status status = nkv_bench_mount(&bench);

    (void)state;
    correct_expectations();
    if (!is_image("no_free_sector_full") || status != NKV_RESOURCE_EXHAUSTED) {
        assert_string_equal(nkv_status_name(status), golden.mount.status);
    }
    check_contents(&golden.mount);
    check_tombstones(&golden.mount.tombstones);
    operations = bench.sim.counts.operations;
    assert_status(nkv_bench_mount(&bench), status);
    assert_int_equal(bench.sim.counts.operations, operations);
    check_contents(&golden.mount);
}

static void reads_the_same_without_repair(void **state)
{
    enum nkv_status status;

    (void)state;
    bench.config.manual_repair = true;
    status = nkv_bench_mount(&bench);
    if (golden.reference_is_right) {
        assert_string_equal(nkv_status_name(status),
                            golden.mount_no_repair.status);
        check_contents(&golden.mount_no_repair);
    } else {
        correct_expectations();
        check_contents(&golden.mount);
    }
    if (status == NKV_DATA_LOSS) {
        assert_status(nkv_bench_put(&bench, "x", "y"), NKV_FAILED_PRECONDITION);
    }
    assert_memory_equal(bench.sim.bytes, golden.image, bench.sim.size);
    assert_int_equal(bench.sim.counts.operations, 0);
}

static void maintenance_repairs_what_mount_left(void **state)
{
    enum nkv_status status;

    (void)state;
    bench.config.manual_repair = true;
    status = nkv_bench_mount(&bench);
    if (is_image("no_free_sector_full")) {
        return;
    }
    correct_expectations();
    assert_true(status == NKV_OK || status == NKV_DATA_LOSS);
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
    assert_true(nkv_model_agrees(&golden.mount.keys, &bench.store));
    assert_int_equal(nkv_bench_statistics(&bench).damaged_sectors, 0);
    assert_int_equal(nkv_bench_statistics(&bench).missing_copies, 0);
    assert_ok(nkv_bench_put(&bench, "x", "y"));
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "x"), "y");
    assert_true(nkv_bench_is_sound(&bench));
}

/* Gives every old key a new value, then deletes every other one. */
static void change_old_keys(struct nkv_model *model)
{
    struct nkv_model old = {0};

    assert_ok(nkv_model_read(&old, &bench.store));
    for (size_t i = 0; i < old.count; i++) {
        struct nkv_span key = {old.entries[i].key, old.entries[i].key_size};

        assert_ok(nkv_put(&bench.store, key, nkv_text("new")));
        nkv_model_put(model, key, nkv_text("new"));
        if (i % 2 == 0) {
            assert_ok(nkv_delete(&bench.store, key));
            nkv_model_delete(model, key);
        }
    }
    nkv_model_free(&old);
}

static void takes_writes_and_remounts(void **state)
{
    struct nkv_workload workload = {
        .random = 1,
        .key_count = 12,
        .key_size_max = 8,
        .value_size_max = 24,
        .mix = &nkv_mix_simple,
        .is_damaged = true,
    };
    struct nkv_model model = {0};

    (void)state;
    if (is_image("no_free_sector_full")) {
        return;
    }
    assert_ok(nkv_bench_mount(&bench));
    assert_ok(nkv_model_read(&model, &bench.store));
    assert_true(nkv_workload_run(&workload, &bench, &model, OPERATIONS));
    change_old_keys(&model);
    assert_true(nkv_workload_run(&workload, &bench, &model, OPERATIONS));
    nkv_model_free(&model);
}

/* Every image under each of the tests, named NAME test. */
static size_t add_tests(struct CMUnitTest *tests, char names[][128],
                        char images[][NKV_GOLDEN_NAME_MAX], size_t count)
{
    static const struct {
        const char *name;
        CMUnitTestFunction function;
    } kinds[] = {
        {"mounts as listed", mounts_as_listed},
        {"reads the same without repair", reads_the_same_without_repair},
        {"is repaired by maintenance", maintenance_repairs_what_mount_left},
        {"takes writes and remounts", takes_writes_and_remounts},
    };
    size_t kind_count = sizeof kinds / sizeof *kinds;

    for (size_t i = 0; i < count * kind_count; i++) {
        char *image = images[i / kind_count];

        snprintf(names[i], sizeof names[i], "%s %s", image,
                 kinds[i % kind_count].name);
        tests[i] = (struct CMUnitTest){
            .name = names[i],
            .test_func = kinds[i % kind_count].function,
            .setup_func = set_up,
            .teardown_func = tear_down,
            .initial_state = image,
        };
    }
    return count * kind_count;
}

int main(int argc, char **argv)
{
    static char images[NKV_GOLDEN_COUNT_MAX][NKV_GOLDEN_NAME_MAX];
    static char names[NKV_GOLDEN_COUNT_MAX * 4][128];
    static struct CMUnitTest tests[NKV_GOLDEN_COUNT_MAX * 4];
    size_t count = nkv_golden_list(images, NKV_GOLDEN_COUNT_MAX);

    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    count = add_tests(tests, names, images, count);
    return _cmocka_run_group_tests("golden", tests, count, NULL, NULL);
}
