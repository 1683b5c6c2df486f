/* The statistics and the reports of sectors, in situations made so that each
 * number is known. */
#include "check.h"
#include "entry_image.h"
#include "load.h"

#include <norkv/survey.h>
#include <string.h>

enum { SECTOR = 512, SECTORS = 6, SIZE = SECTORS * SECTOR };

static struct nkv_bench bench;
static uint8_t image[SIZE];

static void open_bench(uint8_t copies)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, SECTORS, 16),
                                          .copies = copies};

    nkv_bench_init(&bench, &setup);
    memset(image, 0xFF, sizeof image);
}

static void close_bench(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
}

static struct nkv_statistics now(void)
{
    return nkv_bench_statistics(&bench);
}

/* Writes an entry of 32 bytes at an offset of the image. */
static void add(uint32_t offset, const char *key, uint32_t id)
{
    struct nkv_image entry = {.magic = NKV_DEFAULT_MAGIC,
                              .id = id,
                              .key = nkv_text(key),
                              .value = nkv_text("value")};

    assert_int_equal(nkv_image_write(&entry, image + offset), 32);
}

static void mount_image(void)
{
    nkv_flash_sim_load(&bench.sim, image);
    nkv_flash_sim_reset_counts(&bench.sim);
    assert_ok(nkv_bench_mount(&bench));
}

static void flip(uint32_t offset)
{
    nkv_flash_sim_poke(&bench.sim, offset, bench.sim.bytes[offset] ^ 1);
}

struct places {
    const char *key;
    uint32_t offsets[SECTORS];
    uint32_t count;
};

static bool note(void *context, const struct nkv_place *place)
{
    struct places *places = context;

    if (place->kind == NKV_PLACE_LIVE &&
        place->key_size == strlen(places->key) &&
        memcmp(place->key, places->key, place->key_size) == 0) {
        places->offsets[places->count++] = place->offset;
    }
    return true;
}

static struct places places_of(const char *key)
{
    struct places places = {.key = key};

    assert_ok(nkv_survey(&bench.store, note, &places));
    return places;
}

static void check_repairs(uint32_t corrupt, uint32_t recovered, uint32_t healed,
                          uint32_t lost)
{
    assert_int_equal(now().corrupt_entries, corrupt);
    assert_int_equal(now().entries_recovered, recovered);
    assert_int_equal(now().entries_healed, healed);
    assert_int_equal(now().entries_lost, lost);
}

static void a_fresh_mount_counts_from_0(void **state)
{
    (void)state;
    open_bench(1);
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < 100; i++) {
        assert_ok(nkv_load_put(&bench, i % 5, i));
    }
    assert_true(nkv_load_settle(&bench));
    assert_true(now().erases > 0);
    assert_true(now().steps > 0);
    assert_int_equal(now().erases, bench.sim.counts.erases);
    assert_int_equal(now().bytes_programmed, bench.sim.counts.programmed_bytes);
    assert_ok(nkv_bench_mount(&bench));
    assert_int_equal(now().erases, 0);
    assert_int_equal(now().bytes_programmed, 0);
    assert_int_equal(now().collections, 0);
    assert_int_equal(now().entries_relocated, 0);
    assert_int_equal(now().steps, 0);
    assert_int_equal(now().longest_write_steps, 0);
    assert_int_equal(now().read_errors, 0);
    check_repairs(0, 0, 0, 0);
    close_bench();
}

/* All entries are of one size: each step that did something shows. */
static void steps_are_counted_one_by_one(void **state)
{
    uint32_t longest = 0, by_steps = 0;

    (void)state;
    open_bench(1);
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < 400; i++) {
        struct nkv_sim_counts before = bench.sim.counts, cost;
        uint32_t steps = now().steps, done;
        bool more;

        assert_ok(nkv_load_put(&bench, i % 11, i));
        cost = nkv_load_cost(&bench, &before);
        done = now().steps - steps;
        assert_true(done >= cost.erases + cost.programmed_bytes / 64 - 1);
        longest = done > longest ? done : longest;
        assert_int_equal(now().longest_write_steps, longest);
        if (i % 3 == 0) {
            before = bench.sim.counts;
            steps = now().steps;
            assert_ok(nkv_step(&bench.store, &more));
            cost = nkv_load_cost(&bench, &before);
            by_steps += now().steps - steps;
            assert_in_range(now().steps - steps, cost.operations > 0, 1);
            assert_int_equal(now().longest_write_steps, longest);
        }
    }
    assert_true(longest > 0);
    assert_true(by_steps > 0);
    close_bench();
}

static void entries_moved_out_of_a_damaged_sector_are_recovered(void **state)
{
    (void)state;
    open_bench(1);
    for (uint32_t i = 0; i < 4; i++) {
        const char key[2] = {(char)('a' + i), '\0'};

        add(32 * i, key, i + 1);
    }
    add(SECTOR, "e", 5);
    image[32 + 18] ^= 1;
    mount_image();
    check_repairs(1, 3, 0, 0);
    assert_int_equal(now().damaged_sectors, 0);
    assert_int_equal(now().erases, 1);
    assert_int_equal(now().keys, 4);
    assert_in_range(now().steps, 4, 6);
    close_bench();
}

static void a_damaged_copy_is_counted_as_healed(void **state)
{
    struct places places;

    (void)state;
    open_bench(2);
    assert_ok(nkv_bench_mount(&bench));
    assert_ok(nkv_bench_put(&bench, "a", "value"));
    assert_ok(nkv_bench_put(&bench, "b", "value"));
    places = places_of("a");
    flip(places.offsets[0] + 18);
    assert_ok(nkv_bench_mount(&bench));
    assert_int_equal(now().corrupt_entries, 1);
    assert_true(nkv_load_settle(&bench));
    assert_int_equal(now().missing_copies, 0);
    assert_int_equal(now().entries_lost, 0);
    assert_int_equal(now().entries_healed, 1);
    assert_int_equal(now().entries_recovered, 1);
    close_bench();
}

static void added_copies_are_counted_as_healed(void **state)
{
    (void)state;
    open_bench(2);
    bench.config.copies = 1;
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < 5; i++) {
        assert_ok(nkv_load_put(&bench, i, i));
    }
    assert_ok(nkv_load_delete(&bench, 4));
    bench.config.copies = 2;
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_load_settle(&bench));
    check_repairs(0, 0, 5, 0);
    assert_int_equal(now().missing_copies, 0);
    close_bench();
}

/* Both copies, or the only one, after mount. */
static void a_key_damaged_in_all_copies_is_counted_as_lost_once(void **state)
{
    (void)state;
    for (uint8_t copies = 1; copies <= 2; copies++) {
        struct places places;

        open_bench(copies);
        assert_ok(nkv_bench_mount(&bench));
        assert_ok(nkv_bench_put(&bench, "a", "value"));
        assert_ok(nkv_bench_put(&bench, "b", "value"));
        places = places_of("a");
        assert_int_equal(places.count, copies);
        for (uint32_t i = 0; i < places.count; i++) {
            flip(places.offsets[i] + 18);
        }
        assert_string_equal(nkv_bench_get(&bench, "a"), "(DATA_LOSS)");
        assert_int_equal(now().corrupt_entries, copies);
        assert_true(nkv_load_settle(&bench));
        assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
        assert_string_equal(nkv_bench_get(&bench, "a"), "(NOT_FOUND)");
        assert_string_equal(nkv_bench_get(&bench, "b"), "value");
        assert_int_equal(now().corrupt_entries, copies);
        assert_int_equal(now().entries_lost, 1);
        assert_int_equal(now().keys, 1);
        close_bench();
    }
}

static void fail_once(enum nkv_sim_fault_kind kind)
{
    struct nkv_sim_fault fault = {
        .kind = kind, .size = SIZE, .status = NKV_UNAVAILABLE, .times = 1};

    nkv_flash_sim_add_fault(&bench.sim, fault);
}

static void check_errors(uint32_t reads, uint32_t programs, uint32_t erases)
{
    assert_int_equal(now().read_errors, reads);
    assert_int_equal(now().program_errors, programs);
    assert_int_equal(now().erase_errors, erases);
}

static void errors_of_the_flash_are_counted_by_kind(void **state)
{
    (void)state;
    open_bench(1);
    assert_ok(nkv_bench_mount(&bench));
    assert_ok(nkv_bench_put(&bench, "a", "value"));
    check_errors(0, 0, 0);
    fail_once(NKV_SIM_FAULT_READ);
    assert_string_equal(nkv_bench_get(&bench, "a"), "value");
    check_errors(1, 0, 0);
    fail_once(NKV_SIM_FAULT_PROGRAM);
    assert_ok(nkv_bench_put(&bench, "b", "value"));
    check_errors(1, 1, 0);
    fail_once(NKV_SIM_FAULT_ERASE);
    for (uint32_t i = 0; i < 200; i++) {
        assert_ok(nkv_load_put(&bench, 1, i));
    }
    check_errors(1, 1, 1);
    close_bench();
}

/* Of the free and stale bytes; a store that is full has nothing else left. */
static void reserved_bytes_are_what_a_full_store_keeps(void **state)
{
    (void)state;
    for (uint8_t copies = 1; copies <= 3; copies++) {
        enum nkv_status status = NKV_OK;
        struct nkv_statistics full;
        uint32_t i = 0;

        open_bench(copies);
        assert_ok(nkv_bench_mount(&bench));
        assert_in_range(now().reserved_bytes, SECTOR, (copies + 1u) * SECTOR);
        for (; status == NKV_OK; i++) {
            char key[2] = {(char)('A' + i / 26), (char)('a' + i % 26)};
            struct nkv_span name = {(const uint8_t *)key, 2};

            status = nkv_put(&bench.store, name, nkv_text("value"));
            assert_true(now().reserved_bytes <=
                        now().free_bytes + now().stale_bytes);
            assert_int_equal(now().retired_bytes, 0);
        }
        assert_status(status, NKV_RESOURCE_EXHAUSTED);
        full = now();
        /* With several copies there may be room in too few sectors. */
        assert_true(copies > 1 ||
                    full.free_bytes + full.stale_bytes - full.reserved_bytes <
                        32u);
        assert_int_equal(nkv_value_size_free(&bench.store, 2), NKV_NONE_FITS);
        close_bench();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_mount_counts_from_0),
        cmocka_unit_test(steps_are_counted_one_by_one),
        cmocka_unit_test(entries_moved_out_of_a_damaged_sector_are_recovered),
        cmocka_unit_test(a_damaged_copy_is_counted_as_healed),
        cmocka_unit_test(added_copies_are_counted_as_healed),
        cmocka_unit_test(a_key_damaged_in_all_copies_is_counted_as_lost_once),
        cmocka_unit_test(errors_of_the_flash_are_counted_by_kind),
        cmocka_unit_test(reserved_bytes_are_what_a_full_store_keeps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
