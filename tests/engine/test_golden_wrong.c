/* Golden images that the reference itself gets wrong: what goes on after
 * mounting them. */
#include "check.h"
#include "golden.h"
#include "workload.h"

#include <norkv/survey.h>
#include <string.h>

static struct nkv_golden golden;
static struct nkv_bench bench;

static void open_image(const char *name)
{
    nkv_golden_load(&golden, name);
    nkv_golden_bench(&golden, &bench);
}

static void close_image(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
    nkv_golden_free(&golden);
}

static void a_store_whose_alignment_was_raised_takes_writes(void **state)
{
    struct nkv_model *keys = &golden.mount.keys;

    (void)state;
    open_image("align_raised");
    assert_ok(nkv_bench_mount(&bench));
    for (size_t i = 0; i < keys->count; i++) {
        struct nkv_span key = {keys->entries[i].key, keys->entries[i].key_size};

        assert_ok(nkv_put(&bench.store, key, nkv_text("new value")));
    }
    assert_ok(nkv_bench_put(&bench, "another", "value"));
    assert_ok(nkv_bench_mount(&bench));
    for (size_t i = 0; i < keys->count; i++) {
        struct nkv_span key = {keys->entries[i].key, keys->entries[i].key_size};

        assert_true(nkv_store_gives(&bench.store, key, nkv_text("new value")));
    }
    assert_string_equal(nkv_bench_get(&bench, "another"), "value");
    close_image();
}

static void a_cut_collection_does_not_brick_the_store(void **state)
{
    struct nkv_workload workload = {
        .random = 2,
        .key_count = 3,
        .key_size_max = 4,
        .value_size_max = 20,
        .mix = &nkv_mix_simple,
        .is_damaged = true,
    };
    struct nkv_model model = {0};

    (void)state;
    open_image("brick_gc_cut");
    assert_ok(nkv_bench_mount(&bench));
    assert_ok(nkv_model_read(&model, &bench.store));
    assert_int_equal(model.count, 3);
    assert_true(nkv_workload_run(&workload, &bench, &model, 500));
    nkv_model_free(&model);
    close_image();
}

static void a_key_behind_a_half_erased_part_stays_deleted(void **state)
{
    (void)state;
    open_image("half_erased_sector");
    for (int i = 0; i < 200; i++) {
        const char value[2] = {(char)('a' + i % 26), '\0'};

        assert_ok(nkv_bench_mount(&bench));
        assert_string_equal(nkv_bench_get(&bench, "gone"), "(NOT_FOUND)");
        assert_int_equal(nkv_bench_statistics(&bench).keys, i > 0 ? 2 : 1);
        assert_ok(nkv_bench_put(&bench, "filler", value));
        assert_string_equal(nkv_bench_get(&bench, "filler"), value);
        assert_string_equal(nkv_bench_get(&bench, "k"), "v");
    }
    close_image();
}

static void an_entry_across_a_sectors_end_is_corrupt(void **state)
{
    (void)state;
    open_image("crosses_sector");
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "cross"), "(NOT_FOUND)");
    assert_int_equal(strlen(nkv_bench_get(&bench, "fill")), 460);
    assert_ok(nkv_bench_put(&bench, "cross", "again"));
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "cross"), "again");
    assert_int_equal(strlen(nkv_bench_get(&bench, "fill")), 460);
    close_image();
}

static void a_hidden_dirty_tail_is_not_programmed(void **state)
{
    (void)state;
    open_image("dirty_tail_hidden");
    assert_ok(nkv_bench_mount(&bench));
    for (int i = 0; i < 60; i++) {
        const char value[2] = {(char)('a' + i % 26), '\0'};

        assert_ok(nkv_bench_put(&bench, "next", value));
        assert_int_equal(bench.sim.violations, 0);
    }
    close_image();
}

static void a_store_full_of_live_values_is_read_and_left_alone(void **state)
{
    enum nkv_status status;

    (void)state;
    open_image("no_free_sector_full");
    status = nkv_bench_mount(&bench);
    assert_true(status == NKV_OK || status == NKV_RESOURCE_EXHAUSTED);
    assert_true(nkv_model_agrees(&golden.mount.keys, &bench.store));
    assert_status(nkv_bench_put(&bench, "key9", "x"), NKV_RESOURCE_EXHAUSTED);
    assert_status(nkv_bench_put(&bench, "key0", "x"), NKV_RESOURCE_EXHAUSTED);
    assert_int_equal(bench.sim.counts.erases, 0);
    assert_memory_equal(bench.sim.bytes, golden.image, bench.sim.size);
    assert_true(nkv_model_agrees(&golden.mount.keys, &bench.store));
    close_image();
}

static void ids_go_on_after_they_wrapped(void **state)
{
    (void)state;
    open_image("txid_rollover");
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "k"), "new");
    assert_ok(nkv_bench_put(&bench, "k", "newer"));
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "k"), "newer");
    assert_in_range(nkv_transaction_count(&bench.store), 1, 100);
    close_image();
}

struct formats_seen {
    uint32_t current;
    uint32_t other;
};

/* Reads the magic of each live entry from the flash itself. */
static bool count_formats(void *context, const struct nkv_place *place)
{
    struct formats_seen *seen = context;

    if (place->kind != NKV_PLACE_LIVE) {
        return true;
    }
    if (nkv_load_le32(bench.sim.bytes + place->offset) == 0x41a2db83) {
        seen->current++;
    } else {
        seen->other++;
    }
    return true;
}

static void heavy_maintenance_upgrades_when_it_must_collect(void **state)
{
    struct formats_seen seen = {0};

    (void)state;
    open_image("upgrade_needs_gc");
    assert_ok(nkv_bench_mount(&bench));
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
    assert_true(nkv_model_agrees(&golden.mount.keys, &bench.store));
    assert_ok(nkv_survey(&bench.store, count_formats, &seen));
    assert_int_equal(seen.current, 40);
    assert_int_equal(seen.other, 0);
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_model_agrees(&golden.mount.keys, &bench.store));
    close_image();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_whose_alignment_was_raised_takes_writes),
        cmocka_unit_test(a_cut_collection_does_not_brick_the_store),
        cmocka_unit_test(a_key_behind_a_half_erased_part_stays_deleted),
        cmocka_unit_test(an_entry_across_a_sectors_end_is_corrupt),
        cmocka_unit_test(a_hidden_dirty_tail_is_not_programmed),
        cmocka_unit_test(a_store_full_of_live_values_is_read_and_left_alone),
        cmocka_unit_test(ids_go_on_after_they_wrapped),
        cmocka_unit_test(heavy_maintenance_upgrades_when_it_must_collect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
