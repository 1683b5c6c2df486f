/* The configuration changes in the field: more copies, another program unit,
 * more or fewer sectors, at every fill. Nothing may be lost by it. */
#include "bench.h"
#include "check.h"
#include "model.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct nkv_bench bench;

/* Puts until `fill` percent of a store is live, overwriting as it goes. */
static void fill_store(struct nkv_model *model, uint32_t fill, uint64_t seed)
{
    uint64_t random = seed;
    uint32_t limit = bench.sim.size / 100 * fill;
    enum nkv_status status = NKV_OK;

    for (unsigned i = 0; status == NKV_OK && i < 400; i++) {
        uint32_t number = nkv_random_below(&random, 1 + i / 2);
        uint8_t bytes[60];
        char name[16];
        struct nkv_span key = {
            (const uint8_t *)name,
            (size_t)snprintf(name, sizeof name, "key%u", number)};
        struct nkv_span value = {bytes, nkv_random_below(&random, 60)};

        nkv_random_fill(&random, bytes, value.size);
        if (nkv_bench_statistics(&bench).live_bytes + 96 > limit) {
            break;
        }
        status = nkv_put(&bench.store, key, value);
        if (status == NKV_OK) {
            nkv_model_put(model, key, value);
        }
    }
    assert_true(status == NKV_OK || status == NKV_RESOURCE_EXHAUSTED);
}

/* Opens the flash of the bench under another setup of the same size or more;
 * what is new of the flash is erased. */
static void reopen(const struct nkv_bench_setup *setup)
{
    uint32_t size = setup->sector_size * setup->sector_count;
    uint8_t *image = malloc(size);

    assert_non_null(image);
    memset(image, 0xFF, size);
    memcpy(image, bench.sim.bytes,
           size < bench.sim.size ? size : bench.sim.size);
    nkv_bench_free(&bench);
    nkv_bench_init(&bench, setup);
    nkv_flash_sim_load(&bench.sim, image);
    free(image);
}

static void check_bounded(uint64_t since)
{
    uint64_t operations = bench.sim.counts.operations - since;

    assert_true(operations <=
                8u * ((uint64_t)bench.sim.units + bench.setup.sector_count));
}

/* Mounting again writes nothing, or, as long as copies are missing, adds some:
 * three more times at most. */
static void check_mounts_come_to_rest(const struct nkv_model *model)
{
    uint64_t operations;
    unsigned mounts = 0;

    do {
        bool is_whole = nkv_bench_statistics(&bench).missing_copies == 0;

        operations = bench.sim.counts.operations;
        assert_ok(nkv_bench_mount(&bench));
        assert_true(nkv_model_agrees(model, &bench.store));
        assert_true(!is_whole || bench.sim.counts.operations == operations);
        assert_true(++mounts <= 4);
    } while (bench.sim.counts.operations != operations);
}

/* The store mounts, has everything, mounts again without writing, comes to
 * rest in bounded time, and takes writes or says that it is full. */
static void check_reopened(struct nkv_model *model)
{
    uint64_t operations = 0;
    enum nkv_status status;
    bool more = true;

    assert_ok(nkv_bench_mount(&bench));
    check_bounded(operations);
    assert_true(nkv_model_agrees(model, &bench.store));
    check_mounts_come_to_rest(model);
    operations = bench.sim.counts.operations;
    while (more && nkv_step(&bench.store, &more) == NKV_OK) {
        check_bounded(operations);
    }
    assert_true(nkv_model_agrees(model, &bench.store));
    status = nkv_bench_put(&bench, "another", "value");
    assert_true(status == NKV_OK || status == NKV_RESOURCE_EXHAUSTED);
    if (status == NKV_OK) {
        nkv_model_put(model, nkv_text("another"), nkv_text("value"));
    }
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_model_agrees(model, &bench.store));
    assert_true(nkv_bench_is_sound(&bench));
}

static void check_change(const struct nkv_bench_setup *from,
                         const struct nkv_bench_setup *to)
{
    for (uint32_t fill = 5; fill <= 95; fill += 5) {
        for (uint64_t seed = 1; seed <= 6; seed++) {
            struct nkv_model model = {0};

            nkv_bench_init(&bench, from);
            assert_ok(nkv_bench_mount(&bench));
            fill_store(&model, fill, seed);
            reopen(to);
            check_reopened(&model);
            nkv_model_free(&model);
            nkv_bench_free(&bench);
        }
    }
}

static void more_copies_at_any_fill(void **state)
{
    const struct nkv_bench_setup one = {NKV_FLASH(512, 6, 16)};
    const struct nkv_bench_setup two = {NKV_FLASH(512, 6, 16), .copies = 2};
    const struct nkv_bench_setup three = {NKV_FLASH(512, 6, 16), .copies = 3};

    (void)state;
    check_change(&one, &two);
    check_change(&one, &three);
    check_change(&two, &three);
}

static void fewer_copies_at_any_fill(void **state)
{
    const struct nkv_bench_setup one = {NKV_FLASH(512, 6, 16)};
    const struct nkv_bench_setup three = {NKV_FLASH(512, 6, 16), .copies = 3};

    (void)state;
    check_change(&three, &one);
}

static void another_program_unit_at_any_fill(void **state)
{
    const struct nkv_bench_setup small = {NKV_FLASH(1024, 5, 16)};
    const struct nkv_bench_setup middle = {NKV_FLASH(1024, 5, 64)};
    const struct nkv_bench_setup large = {NKV_FLASH(1024, 5, 256)};

    (void)state;
    check_change(&small, &middle);
    check_change(&small, &large);
    check_change(&large, &small);
}

/* What finds no room for all its copies is told, and the rest is done. */
static void
maintenance_drops_tombstones_without_room_for_more_copies(void **state)
{
    const struct nkv_bench_setup one = {NKV_FLASH(512, 6, 16)};
    const struct nkv_bench_setup two = {NKV_FLASH(512, 6, 16), .copies = 2};
    char key[8], value[100];

    (void)state;
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    nkv_bench_init(&bench, &one);
    assert_ok(nkv_bench_mount(&bench));
    for (unsigned i = 0; i < 16; i++) {
        (void)snprintf(key, sizeof key, "key%u", i);
        assert_ok(nkv_bench_put(&bench, key, value));
    }
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(key, sizeof key, "gone%u", i);
        assert_ok(nkv_bench_put(&bench, key, "1"));
        assert_ok(nkv_bench_delete(&bench, key));
    }
    reopen(&two);
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_bench_statistics(&bench).tombstones > 1);
    assert_status(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY),
                  NKV_RESOURCE_EXHAUSTED);
    assert_true(nkv_bench_statistics(&bench).missing_copies > 0);
    assert_true(nkv_bench_statistics(&bench).tombstones <= 1);
    nkv_bench_free(&bench);
}

static void another_unit_and_more_copies_at_any_fill(void **state)
{
    const struct nkv_bench_setup small = {NKV_FLASH(1024, 4, 16)};
    const struct nkv_bench_setup large = {NKV_FLASH(1024, 4, 256), .copies = 2};
    const struct nkv_bench_setup tight = {NKV_FLASH(1024, 3, 256), .copies = 2};

    (void)state;
    check_change(&small, &large);
    check_change(&tight, &tight);
}

static void more_sectors_at_any_fill(void **state)
{
    const struct nkv_bench_setup few = {NKV_FLASH(512, 4, 16)};
    const struct nkv_bench_setup many = {NKV_FLASH(512, 9, 16)};

    (void)state;
    check_change(&few, &many);
}

/* A store with a full share of damage in each sector as well. */
static void more_copies_of_a_damaged_store(void **state)
{
    const struct nkv_bench_setup one = {NKV_FLASH(512, 6, 16)};
    const struct nkv_bench_setup two = {NKV_FLASH(512, 6, 16), .copies = 2};

    (void)state;
    for (uint32_t fill = 5; fill <= 95; fill += 5) {
        struct nkv_model model = {0}, left = {0};

        nkv_bench_init(&bench, &one);
        assert_ok(nkv_bench_mount(&bench));
        fill_store(&model, fill, fill);
        reopen(&two);
        for (uint32_t sector = 0; sector < 6; sector += 2) {
            uint32_t offset = sector * 512 + 20;

            nkv_flash_sim_poke(&bench.sim, offset,
                               bench.sim.bytes[offset] & 0x77);
        }
        bench.config.manual_repair = true;
        (void)!nkv_bench_mount(&bench);
        assert_ok(nkv_model_read(&left, &bench.store));
        assert_true(left.count + 3 >= model.count);
        bench.config.manual_repair = false;
        check_reopened(&left);
        nkv_model_free(&model);
        nkv_model_free(&left);
        nkv_bench_free(&bench);
    }
}

/* Idle steps to the end; statuses that tell of too little room are fine. */
static void rest(void)
{
    uint64_t operations = bench.sim.counts.operations;
    bool more = true;

    while (more) {
        assert_ok(nkv_step(&bench.store, &more));
        check_bounded(operations);
    }
}

/* All that miss are there after one mount and its idle steps, or else there is
 * no room for more: maintenance finds none either. */
static void check_copies_added(uint32_t bytes_once)
{
    uint32_t sectors = bench.setup.sector_count - bench.setup.copies;
    uint32_t missing;
    enum nkv_status status;

    assert_ok(nkv_bench_mount(&bench));
    rest();
    missing = nkv_bench_statistics(&bench).missing_copies;
    if (bytes_once * bench.setup.copies * 10 <=
        sectors * bench.setup.sector_size * 7) {
        assert_int_equal(missing, 0);
    }
    status = nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY);
    assert_true(status == NKV_OK || status == NKV_RESOURCE_EXHAUSTED);
    rest();
    assert_true(nkv_bench_statistics(&bench).missing_copies >= missing);
}

static void missing_copies_are_added_as_far_as_there_is_room(void **state)
{
    const struct nkv_bench_setup one = {NKV_FLASH(512, 8, 16)};
    const struct nkv_bench_setup more[] = {
        {NKV_FLASH(512, 8, 16), .copies = 2},
        {NKV_FLASH(512, 8, 16), .copies = 3}};

    (void)state;
    for (uint32_t fill = 5; fill <= 95; fill += 5) {
        for (size_t i = 0; i < 2; i++) {
            struct nkv_model model = {0};
            uint32_t bytes;

            nkv_bench_init(&bench, &one);
            assert_ok(nkv_bench_mount(&bench));
            fill_store(&model, fill, fill);
            bytes = nkv_bench_statistics(&bench).live_bytes;
            reopen(&more[i]);
            check_copies_added(bytes);
            assert_true(nkv_model_agrees(&model, &bench.store));
            assert_true(nkv_bench_is_sound(&bench));
            nkv_model_free(&model);
            nkv_bench_free(&bench);
        }
    }
}

/* A key table of just the size of what is there mounts; with one key less the
 * flash is left as it is, byte for byte. */
static void a_smaller_key_table_takes_all_or_touches_nothing(void **state)
{
    (void)state;
    for (uint32_t fill = 20; fill <= 95; fill += 15) {
        struct nkv_bench_setup setup = {NKV_FLASH(512, 6, 16),
                                        .copies = (uint8_t)(1 + fill % 2)};
        struct nkv_model model = {0};
        uint8_t *before = malloc(6 * 512);

        assert_non_null(before);
        nkv_bench_init(&bench, &setup);
        assert_ok(nkv_bench_mount(&bench));
        fill_store(&model, fill, fill);
        setup.max_keys = (uint32_t)model.count - 1;
        reopen(&setup);
        memcpy(before, bench.sim.bytes, bench.sim.size);
        assert_status(nkv_bench_mount(&bench), NKV_RESOURCE_EXHAUSTED);
        assert_status(nkv_bench_put(&bench, "key0", "value"),
                      NKV_FAILED_PRECONDITION);
        assert_status(nkv_bench_delete(&bench, "key0"),
                      NKV_FAILED_PRECONDITION);
        assert_memory_equal(bench.sim.bytes, before, bench.sim.size);
        assert_int_equal(bench.sim.counts.operations, 0);
        setup.max_keys++;
        reopen(&setup);
        assert_ok(nkv_bench_mount(&bench));
        assert_true(nkv_model_agrees(&model, &bench.store));
        assert_memory_equal(bench.sim.bytes, before, bench.sim.size);
        free(before);
        nkv_model_free(&model);
        nkv_bench_free(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_copies_at_any_fill),
        cmocka_unit_test(fewer_copies_at_any_fill),
        cmocka_unit_test(another_program_unit_at_any_fill),
        cmocka_unit_test(another_unit_and_more_copies_at_any_fill),
        cmocka_unit_test(more_sectors_at_any_fill),
        cmocka_unit_test(more_copies_of_a_damaged_store),
        cmocka_unit_test(missing_copies_are_added_as_far_as_there_is_room),
        cmocka_unit_test(
            maintenance_drops_tombstones_without_room_for_more_copies),
        cmocka_unit_test(a_smaller_key_table_takes_all_or_touches_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
