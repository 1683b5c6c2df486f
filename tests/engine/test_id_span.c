/* Transaction ids around the whole range: keys that are never written again
 * stay in order with those that are, and live ids stay within half the range.
 */
#include "check.h"
#include "entry_image.h"
#include "load.h"
#include "model.h"

#include <norkv/survey.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, SECTORS = 6, COLD = 12 };

static const uint32_t half = 0x80000000u;

static struct nkv_bench bench;
static uint8_t image[SECTORS * SECTOR];
static uint32_t image_at;

static void open_bench(uint8_t copies)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, SECTORS, 16),
                                          .copies = copies};

    nkv_bench_init(&bench, &setup);
    memset(image, 0xFF, sizeof image);
    image_at = 0;
}

static void close_bench(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
}

/* Appends to the image an entry of 32 bytes. */
static void add(const char *key, const char *value, uint32_t id)
{
    struct nkv_image entry = {.magic = NKV_DEFAULT_MAGIC,
                              .id = id,
                              .key = nkv_text(key),
                              .value = nkv_text(value),
                              .is_tombstone = *value == '\0'};

    assert_int_equal(nkv_image_size(&entry), 32);
    image_at += (uint32_t)nkv_image_write(&entry, image + image_at);
}

static void mount_image(void)
{
    nkv_flash_sim_load(&bench.sim, image);
    nkv_flash_sim_reset_counts(&bench.sim);
    assert_ok(nkv_bench_mount(&bench));
}

struct span {
    uint32_t newest;
    uint32_t farthest;
};

static bool measure(void *context, const struct nkv_place *place)
{
    struct span *span = context;
    uint32_t distance = span->newest - place->version;

    if ((place->kind == NKV_PLACE_LIVE || place->kind == NKV_PLACE_TOMBSTONE) &&
        distance > span->farthest) {
        span->farthest = distance;
    }
    return true;
}

/* How far the oldest live id, tombstones included, lies behind the newest. */
static uint32_t id_span(void)
{
    struct span span = {.newest = nkv_transaction_count(&bench.store)};

    assert_ok(nkv_survey(&bench.store, measure, &span));
    return span.farthest;
}

static void expect(const char *key, const char *value)
{
    assert_string_equal(nkv_bench_get(&bench, key), value);
}

/* Foreign ids that span more than half the range, the newest last; none in the
 * top or the bottom 2^24, where they would count as wrapped. */
static const uint32_t spans[][4] = {
    {0x01000005, 0x10000000, 0x20000000, 0xC0000000},
    {5, 0x10000000, 0x7FFFFFFF, 0xC0000000},
    {1, 2, 3, 0xFEFFFFFF},
    {0x02000000, 0x82000001, 0x82000002, 0xFE000000},
    {0, 0x40000000, 0x80000000, 0x80000002},
};

enum { SPANS = sizeof spans / sizeof *spans };

static void add_span(const uint32_t *ids)
{
    add("a", "value a", ids[0]);
    add("gone", "value", ids[0]);
    add("b", "value b", ids[1]);
    add("c", "old", ids[0]);
    add("c", "value c", ids[2]);
    add("gone", "", ids[1]);
    add("d", "value d", ids[3]);
}

static void check_span_keys(void)
{
    expect("a", "value a");
    expect("b", "value b");
    expect("c", "value c");
    expect("gone", "(NOT_FOUND)");
}

static void idle_steps_bring_ids_within_half_the_range(void **state)
{
    (void)state;
    for (uint8_t copies = 1; copies <= 2; copies++) {
        for (size_t i = 0; i < SPANS; i++) {
            open_bench(copies);
            add_span(spans[i]);
            mount_image();
            check_span_keys();
            expect("d", "value d");
            assert_true(nkv_load_settle(&bench));
            check_span_keys();
            assert_true(id_span() <= half);
            assert_ok(nkv_bench_mount(&bench));
            check_span_keys();
            expect("d", "value d");
            assert_true(id_span() <= half);
            close_bench();
        }
    }
}

/* The same by writes alone, none of which does more than any other may. */
static void writes_bring_ids_within_half_the_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPANS; i++) {
        open_bench(1);
        add_span(spans[i]);
        mount_image();
        for (uint32_t j = 0; j < 400; j++) {
            struct nkv_sim_counts before = bench.sim.counts, cost;
            char value[8];

            snprintf(value, sizeof value, "%u", j);
            assert_ok(nkv_bench_put(&bench, "d", value));
            cost = nkv_load_cost(&bench, &before);
            assert_true(cost.erases <= 1);
            assert_true(cost.programmed_bytes <= SECTOR + 32);
            check_span_keys();
            if (j % 50 == 0) {
                assert_ok(nkv_bench_mount(&bench));
                expect("d", value);
                check_span_keys();
            }
        }
        assert_true(id_span() <= half);
        close_bench();
    }
}

/* A whole store of them: as much as there is room for. */
static void no_put_refreshes_more_than_a_sectors_worth(void **state)
{
    static const struct nkv_bench_setup setup = {NKV_FLASH(1024, 10, 16)};
    uint32_t keys = 9 * 32 * 2 / 3, size = 10 * 1024;
    uint8_t *whole = malloc(size);

    (void)state;
    assert_non_null(whole);
    memset(whole, 0xFF, size);
    for (uint32_t i = 0; i < keys; i++) {
        char key[8];
        struct nkv_image entry = {.magic = NKV_DEFAULT_MAGIC,
                                  .id = i < keys - 8 ? 10 + i : 0xC0000000 + i,
                                  .key = nkv_text(key),
                                  .value = nkv_text("value")};

        snprintf(key, sizeof key, "k%05u", i);
        entry.key.size = 6;
        nkv_image_write(&entry, whole + i * 32);
    }
    nkv_bench_init(&bench, &setup);
    nkv_flash_sim_load(&bench.sim, whole);
    free(whole);
    assert_ok(nkv_bench_mount(&bench));
    assert_int_equal(bench.sim.counts.operations, 0);
    for (uint32_t i = 0; i < 2000; i++) {
        struct nkv_sim_counts before = bench.sim.counts, cost;
        char value[8];

        snprintf(value, sizeof value, "%u", i);
        assert_ok(nkv_bench_put(&bench, "hot", value));
        cost = nkv_load_cost(&bench, &before);
        assert_true(cost.erases <= 1);
        assert_true(cost.programmed_bytes <= 1024 + 32);
    }
    assert_true(id_span() <= half);
    assert_int_equal(nkv_bench_statistics(&bench).keys, keys + 1);
    assert_ok(nkv_bench_mount(&bench));
    assert_int_equal(nkv_bench_statistics(&bench).keys, keys + 1);
    close_bench();
}

/* Cold keys, in a store whose newest id is moved ahead from outside, as if so
 * many writes had been made. */
static void put_cold(unsigned round)
{
    for (unsigned i = 0; i < COLD; i++) {
        char key[8], value[16];

        snprintf(key, sizeof key, "cold%u", i);
        snprintf(value, sizeof value, "%u.%u", round, i);
        assert_ok(nkv_bench_put(&bench, key, value));
    }
}

static void check_cold(unsigned round)
{
    for (unsigned i = 0; i < COLD; i++) {
        char key[8], value[16];

        snprintf(key, sizeof key, "cold%u", i);
        snprintf(value, sizeof value, "%u.%u", round, i);
        expect(key, value);
    }
}

/* Writes an entry with this id into an erased sector, and mounts. */
static void move_ahead(uint32_t id)
{
    struct nkv_image entry = {.magic = NKV_DEFAULT_MAGIC,
                              .id = id,
                              .key = nkv_text("hot"),
                              .value = nkv_text("ahead")};
    uint32_t sector = 0;

    memcpy(image, bench.sim.bytes, sizeof image);
    for (uint32_t at = 0; at < SECTOR; at++) {
        if (image[sector * SECTOR + at] != 0xFF) {
            sector++;
            at = UINT32_MAX;
        }
        assert_true(sector < SECTORS);
    }
    nkv_image_write(&entry, image + sector * SECTOR);
    nkv_flash_sim_load(&bench.sim, image);
    assert_ok(nkv_bench_mount(&bench));
    expect("hot", "ahead");
    assert_int_equal(nkv_transaction_count(&bench.store), id);
}

/* Writes past a border of the range, with idle steps or remounts. */
static void write_past(unsigned round, unsigned writes)
{
    for (unsigned i = 0; i < writes; i++) {
        uint32_t before = nkv_transaction_count(&bench.store);
        char value[8];

        snprintf(value, sizeof value, "%u", i);
        assert_ok(nkv_bench_put(&bench, "hot", value));
        assert_true(nkv_transaction_count(&bench.store) - before < half);
        expect("hot", value);
        if (round % 2 && i % 4 == 0) {
            assert_true(nkv_load_settle(&bench));
        }
        if (i % 32 == 0) {
            assert_ok(nkv_bench_mount(&bench));
            expect("hot", value);
            check_cold(round);
        }
    }
}

static void ids_stay_ordered_all_the_way_around(void **state)
{
    static const uint32_t stops[] = {0xFFFFFFE0, 0x00FFFFE0, 0x01FFFFF0,
                                     0x40000000, 0x7FFFFFE0, 0xBFFFFFF0,
                                     0xFEFFFFE0};
    enum { STOPS = sizeof stops / sizeof *stops };
    unsigned round = 0;

    (void)state;
    open_bench(1);
    bench.config.first_id = 0xFEFFFFF0;
    assert_ok(nkv_bench_mount(&bench));
    put_cold(0);
    write_past(0, 300);
    for (size_t i = 0; i < 3 * STOPS; i++) {
        assert_true(nkv_load_settle(&bench));
        assert_true(id_span() <= half);
        move_ahead(stops[i % STOPS]);
        check_cold(round);
        write_past(round, 300);
        check_cold(round);
        assert_true(id_span() <= half);
        /* Newer than all that was there, cold or not. */
        if (i % 3 == 2) {
            put_cold(++round);
            assert_ok(nkv_bench_mount(&bench));
            check_cold(round);
        }
    }
    close_bench();
}

/* What was deleted long ago stays deleted when the ids come around. */
static void tombstones_stay_in_order_all_the_way_around(void **state)
{
    static const uint32_t stops[] = {0xFFFFFFE0, 0x00FFFFE0, 0x40000000,
                                     0x7FFFFFE0, 0xBFFFFFF0, 0xFEFFFFE0};

    (void)state;
    open_bench(1);
    bench.config.first_id = 0xFEFFFFF0;
    assert_ok(nkv_bench_mount(&bench));
    put_cold(0);
    for (size_t i = 0; i < 6; i++) {
        char gone[8];

        snprintf(gone, sizeof gone, "gone%u", (unsigned)i);
        assert_ok(nkv_bench_put(&bench, gone, "value"));
        assert_ok(nkv_bench_delete(&bench, gone));
        assert_true(nkv_load_settle(&bench));
        move_ahead(stops[i]);
        write_past(0, 200);
        for (size_t j = 0; j <= i; j++) {
            snprintf(gone, sizeof gone, "gone%u", (unsigned)j);
            expect(gone, "(NOT_FOUND)");
        }
    }
    assert_int_equal(nkv_bench_statistics(&bench).keys, COLD + 1);
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_steps_bring_ids_within_half_the_range),
        cmocka_unit_test(writes_bring_ids_within_half_the_range),
        cmocka_unit_test(no_put_refreshes_more_than_a_sectors_worth),
        cmocka_unit_test(ids_stay_ordered_all_the_way_around),
        cmocka_unit_test(tombstones_stay_in_order_all_the_way_around),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
