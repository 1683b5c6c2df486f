/* A store that is opened as another one: with fewer sectors, through a chain
 * of setups, in large sectors, with a smaller key table. What fits is kept, and
 * what does not is left alone. */
#include "check.h"
#include "entry_image.h"
#include "load.h"
#include "model.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct nkv_bench bench;
static struct nkv_model model;
static uint64_t random_state;

static void open_bench(const struct nkv_bench_setup *setup, uint64_t seed)
{
    random_state = seed;
    nkv_model_free(&model);
    nkv_bench_init(&bench, setup);
    assert_ok(nkv_bench_mount(&bench));
}

static void close_bench(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    nkv_model_free(&model);
    nkv_bench_free(&bench);
}

/* Opens what is on the flash under another setup, not mounted; sectors that
 * are new are erased. */
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

static struct nkv_span make_key(uint32_t number, char to[16])
{
    return (struct nkv_span){(const uint8_t *)to,
                             (size_t)snprintf(to, 16, "key%u", number)};
}

/* Puts a random value of less than size_max bytes. */
static enum nkv_status put_some(uint32_t number, uint32_t size_max)
{
    static uint8_t bytes[NKV_BENCH_VALUE_MAX];
    struct nkv_span value = {bytes, nkv_random_below(&random_state, size_max)};
    char text[16];
    struct nkv_span key = make_key(number, text);
    enum nkv_status status;

    nkv_random_fill(&random_state, bytes, value.size);
    status = nkv_put(&bench.store, key, value);
    if (status == NKV_OK) {
        nkv_model_put(&model, key, value);
    } else {
        assert_status(status, NKV_RESOURCE_EXHAUSTED);
    }
    return status;
}

/* Overwrites and adds keys until `percent` of the flash is live or the store is
 * full. */
static void fill_store(uint32_t percent, uint32_t size_max)
{
    uint64_t limit = (uint64_t)bench.sim.size * percent / 100;

    for (uint32_t i = 0; i < 2000; i++) {
        if (nkv_bench_statistics(&bench).live_bytes >= limit ||
            put_some(nkv_random_below(&random_state, 1 + i / 2), size_max) !=
                NKV_OK) {
            return;
        }
    }
}

/* What the first sectors of the flash hold on their own, by a reader that is
 * not the engine: undamaged, entry behind entry. Keys with the ids. */
static void read_sectors(uint32_t count, struct nkv_model *newest)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t sector = bench.setup.sector_size, at = 0, size;
        const uint8_t *bytes = bench.sim.bytes + i * sector;

        while ((size = (uint32_t)nkv_image_intact(bytes + at, sector - at,
                                                  NKV_DEFAULT_MAGIC)) > 0) {
            struct nkv_span key = {bytes + at + 16, bytes[at + 9]};
            struct nkv_span entry = {bytes + at, size};
            const struct nkv_model_entry *known = nkv_model_find(newest, key);

            if (known == NULL || nkv_load_le32(known->value + 12) <
                                     nkv_load_le32(bytes + at + 12)) {
                nkv_model_put(newest, key, entry);
            }
            at += size;
        }
    }
}

/* The model becomes what those entries say. */
static void take_over(const struct nkv_model *newest)
{
    nkv_model_free(&model);
    for (size_t i = 0; i < newest->count; i++) {
        const uint8_t *entry = newest->entries[i].value;
        struct nkv_span key = {entry + 16, entry[9]};
        struct nkv_span value = {key.data + key.size,
                                 nkv_load_le16(entry + 10)};

        if (value.size != 0xFFFF) {
            nkv_model_put(&model, key, value);
        }
    }
}

/* A status that says so when what is left is no store that can be worked on;
 * then nothing was touched. */
static bool mounts_or_is_left_alone(void)
{
    uint8_t *before = malloc(bench.sim.size);
    enum nkv_status status;

    assert_non_null(before);
    memcpy(before, bench.sim.bytes, bench.sim.size);
    status = nkv_bench_mount(&bench);
    if (status != NKV_OK) {
        assert_true(status == NKV_RESOURCE_EXHAUSTED ||
                    status == NKV_FAILED_PRECONDITION);
        assert_memory_equal(bench.sim.bytes, before, bench.sim.size);
        assert_int_equal(bench.sim.counts.operations, 0);
    }
    free(before);
    return status == NKV_OK;
}

static void check_fewer(const struct nkv_bench_setup *from, uint32_t left,
                        uint32_t percent, uint64_t seed)
{
    struct nkv_bench_setup to = *from;
    struct nkv_model newest = {0};

    to.sector_count = left;
    open_bench(from, seed);
    fill_store(percent, 60);
    read_sectors(left, &newest);
    reopen(&to);
    take_over(&newest);
    if (mounts_or_is_left_alone()) {
        assert_true(nkv_model_agrees(&model, &bench.store));
        assert_true(nkv_load_settle(&bench));
        assert_true(nkv_model_agrees(&model, &bench.store));
        for (uint32_t i = 0; i < 30; i++) {
            (void)!put_some(i, 60);
        }
        assert_true(nkv_model_agrees(&model, &bench.store));
        assert_ok(nkv_bench_mount(&bench));
        assert_true(nkv_model_agrees(&model, &bench.store));
    }
    nkv_model_free(&newest);
    close_bench();
}

static void fewer_sectors_keep_what_lies_in_them(void **state)
{
    static const struct nkv_bench_setup setups[] = {
        {NKV_FLASH(512, 9, 16)},
        {NKV_FLASH(160, 20, 32)},
        {NKV_FLASH(512, 9, 16), .copies = 2},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (uint32_t percent = 10; percent <= 100; percent += 15) {
            for (uint32_t left = 3; left < 9; left += 2) {
                check_fewer(&setups[i], left, percent, percent + left);
            }
        }
    }
}

/* Nothing is lost through a chain of setups; on each one the store comes to
 * rest, takes writes as far as there is room, and deletes. */
static void pass_through(const struct nkv_bench_setup *setups, size_t count,
                         uint32_t percent, uint64_t seed)
{
    open_bench(&setups[0], seed);
    fill_store(percent, 60);
    for (size_t i = 1; i <= count; i++) {
        uint64_t operations;

        reopen(&setups[i % count]);
        assert_ok(nkv_bench_mount(&bench));
        assert_true(nkv_model_agrees(&model, &bench.store));
        assert_true(nkv_load_settle(&bench));
        assert_true(nkv_model_agrees(&model, &bench.store));
        operations = bench.sim.counts.operations;
        assert_ok(nkv_bench_mount(&bench));
        assert_true(nkv_load_settle(&bench));
        assert_int_equal(bench.sim.counts.operations, operations);
        for (uint32_t j = 0; j < 10; j++) {
            (void)!put_some(nkv_random_below(&random_state, 100), 60);
        }
        assert_true(nkv_model_agrees(&model, &bench.store));
        assert_true(nkv_bench_is_sound(&bench));
    }
    close_bench();
}

static void pass_through_at_any_fill(const struct nkv_bench_setup *setups,
                                     size_t count)
{
    for (uint32_t percent = 5; percent <= 95; percent += 10) {
        pass_through(setups, count, percent, percent);
    }
}

static void copies_go_up_and_down_and_nothing_is_lost(void **state)
{
    static const struct nkv_bench_setup setups[] = {
        {NKV_FLASH(512, 7, 16)},
        {NKV_FLASH(512, 7, 16), .copies = 2},
        {NKV_FLASH(512, 7, 16), .copies = 3},
    };

    (void)state;
    pass_through_at_any_fill(setups, 3);
}

static void program_units_go_up_and_down_and_nothing_is_lost(void **state)
{
    static const struct nkv_bench_setup setups[] = {
        {NKV_FLASH(1024, 6, 1)},
        {NKV_FLASH(1024, 6, 16)},
        {NKV_FLASH(1024, 6, 64)},
        {NKV_FLASH(1024, 6, 256)},
    };

    (void)state;
    pass_through_at_any_fill(setups, 4);
}

enum { OLD_MAGIC = 0x600df00d, NEW_MAGIC = 0x41a2db83 };

#define NEW_FIRST                                                              \
    .formats = {{NEW_MAGIC, &nkv_checksum_crc16},                              \
                {OLD_MAGIC, &nkv_checksum_sum}},                               \
    .format_count = 2
#define OLD_FIRST                                                              \
    .formats = {{OLD_MAGIC, &nkv_checksum_sum},                                \
                {NEW_MAGIC, &nkv_checksum_crc16}},                             \
    .format_count = 2

static void everything_changes_at_once_and_nothing_is_lost(void **state)
{
    static const struct nkv_bench_setup setups[] = {
        {NKV_FLASH(1024, 5, 16), OLD_FIRST},
        {NKV_FLASH(1024, 8, 64), NEW_FIRST, .copies = 2},
        {NKV_FLASH(1024, 8, 256), OLD_FIRST, .max_keys = 200},
        {NKV_FLASH(1024, 12, 1), NEW_FIRST, .copies = 3},
        {NKV_FLASH(1024, 12, 16), NEW_FIRST, .copies = 1, .buffer_size = 256},
    };

    (void)state;
    for (uint32_t percent = 5; percent <= 95; percent += 10) {
        for (size_t first = 0; first < 4; first++) {
            struct nkv_bench_setup chain[2] = {setups[first],
                                               setups[first + 1]};

            chain[0].sector_count = chain[1].sector_count;
            pass_through(chain, 2, percent, percent);
        }
        pass_through(setups + 1, 2, percent, percent);
        pass_through(setups + 3, 2, percent, percent);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fewer_sectors_keep_what_lies_in_them),
        cmocka_unit_test(copies_go_up_and_down_and_nothing_is_lost),
        cmocka_unit_test(program_units_go_up_and_down_and_nothing_is_lost),
        cmocka_unit_test(everything_changes_at_once_and_nothing_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
