/* Copies of an entry that are not equal, or that were damaged apart: one of
 * them counts, the same one for ever, and the others are made like it. */
#include "check.h"
#include "entry_image.h"
#include "load.h"

#include <norkv/survey.h>
#include <stdio.h>
#include <string.h>

enum { SECTOR = 512, SECTORS = 6, SIZE = SECTORS * SECTOR };

static struct nkv_bench bench;
static uint8_t image[SIZE];
static uint8_t copies;
static uint32_t at[SECTORS];

static void open_bench(uint8_t wanted)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, SECTORS, 16),
                                          .copies = wanted};

    copies = wanted;
    nkv_bench_init(&bench, &setup);
    memset(image, 0xFF, sizeof image);
    memset(at, 0, sizeof at);
}

static void close_bench(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
}

/* Appends an entry to a sector of the image; value NULL: a tombstone. Returns
 * its offset. */
static uint32_t add(uint32_t sector, const char *key, const char *value,
                    uint32_t id)
{
    struct nkv_image entry = {.magic = NKV_DEFAULT_MAGIC,
                              .id = id,
                              .key = nkv_text(key),
                              .value = nkv_text(value != NULL ? value : ""),
                              .is_tombstone = value == NULL};
    uint32_t offset = sector * SECTOR + at[sector];

    at[sector] += (uint32_t)nkv_image_write(&entry, image + offset);
    return offset;
}

static void add_copies(const char *key, const char *value, uint32_t id)
{
    for (uint32_t i = 0; i < copies; i++) {
        add(i, key, value, id);
    }
}

static void mount_image(void)
{
    nkv_flash_sim_load(&bench.sim, image);
    nkv_flash_sim_reset_counts(&bench.sim);
    assert_ok(nkv_bench_mount(&bench));
}

static struct nkv_statistics now(void)
{
    return nkv_bench_statistics(&bench);
}

struct places {
    const char *key;
    uint32_t offsets[SECTORS];
    uint32_t sizes[SECTORS];
    uint32_t count;
};

static bool note(void *context, const struct nkv_place *place)
{
    struct places *places = context;

    if ((place->kind == NKV_PLACE_LIVE || place->kind == NKV_PLACE_TOMBSTONE) &&
        place->key_size == strlen(places->key) &&
        memcmp(place->key, places->key, place->key_size) == 0) {
        places->offsets[places->count] = place->offset;
        places->sizes[places->count++] = place->size;
    }
    return true;
}

/* All current copies are equal, byte for byte, and as many as wanted. */
static void check_copies_equal(const char *key)
{
    struct places places = {.key = key};
    const uint8_t *bytes = bench.sim.bytes;

    assert_ok(nkv_survey(&bench.store, note, &places));
    assert_int_equal(places.count, copies);
    for (uint32_t i = 1; i < places.count; i++) {
        assert_int_equal(places.sizes[i], places.sizes[0]);
        assert_memory_equal(bytes + places.offsets[0],
                            bytes + places.offsets[i], places.sizes[i]);
    }
}

/* What a key gives now is what it gives ever after: after more reads, idle
 * steps, mounts, full maintenance, and the loss of each sector. */
static void check_settles(const char *key)
{
    char first[64];

    snprintf(first, sizeof first, "%s", nkv_bench_get(&bench, key));
    for (int i = 0; i < 5; i++) {
        assert_string_equal(nkv_bench_get(&bench, key), first);
    }
    assert_true(nkv_load_settle(&bench));
    assert_string_equal(nkv_bench_get(&bench, key), first);
    check_copies_equal(key);
    assert_int_equal(now().missing_copies, 0);
    for (int i = 0; i < 3; i++) {
        assert_ok(nkv_bench_mount(&bench));
        assert_string_equal(nkv_bench_get(&bench, key), first);
    }
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
    assert_string_equal(nkv_bench_get(&bench, key), first);
    check_copies_equal(key);
    for (uint32_t i = 0; copies > 1 && i < SECTORS; i++) {
        assert_ok(bench.sim.flash.erase(bench.sim.flash.context, i));
        assert_ok(nkv_bench_mount(&bench));
        assert_string_equal(nkv_bench_get(&bench, key), first);
        assert_true(nkv_load_settle(&bench));
    }
}

static const char *const variants[][2] = {
    {"value A", "value B"},
    {"short", "a value that is longer, but not much"},
    {"", "not empty"},
    {"a value", NULL},
};

/* Two valid entries with one key and one id, in either order. */
static void copies_that_disagree_become_equal(void **state)
{
    (void)state;
    for (uint8_t wanted = 1; wanted <= 3; wanted++) {
        for (uint32_t i = 0; i < 8; i++) {
            open_bench(wanted);
            add_copies("other", "value", 4);
            add(0, "key", variants[i / 2][i % 2], 5);
            add(1, "key", variants[i / 2][1 - i % 2], 5);
            if (wanted == 3) {
                add(2, "key", variants[i / 2][i % 2], 5);
            }
            mount_image();
            assert_string_equal(nkv_bench_get(&bench, "other"), "value");
            assert_true(nkv_load_settle(&bench));
            assert_true(now().corrupt_entries + now().entries_healed > 0);
            check_settles("key");
            close_bench();
        }
    }
}

static void the_same_copy_counts_at_every_mount(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        char first[64] = "";

        open_bench(2);
        add(0, "key", variants[i / 2][i % 2], 5);
        add(1, "key", variants[i / 2][1 - i % 2], 5);
        for (uint32_t j = 0; j < 6; j++) {
            mount_image();
            if (j == 0) {
                snprintf(first, sizeof first, "%s",
                         nkv_bench_get(&bench, "key"));
            }
            if (j % 2) {
                assert_true(nkv_load_settle(&bench));
            }
            assert_string_equal(nkv_bench_get(&bench, "key"), first);
        }
        close_bench();
    }
}

/* A new value ends it, whichever of the two it was. */
static void a_put_over_copies_that_disagree_is_in_force(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        open_bench(2);
        add(0, "key", "value A", 5);
        add(1, "key", "value B", 5);
        mount_image();
        assert_ok(nkv_bench_put(&bench, "key", i ? "value A" : "value B"));
        assert_string_equal(nkv_bench_get(&bench, "key"),
                            i ? "value A" : "value B");
        check_settles("key");
        assert_string_equal(nkv_bench_get(&bench, "key"),
                            i ? "value A" : "value B");
        close_bench();
    }
}

static void a_stale_copy_is_replaced(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        open_bench(2);
        add_copies("other", "value", 3);
        add(i, "key", "old value", 4);
        add(1 - i, "key", "new value", 5);
        mount_image();
        assert_string_equal(nkv_bench_get(&bench, "key"), "new value");
        check_settles("key");
        assert_string_equal(nkv_bench_get(&bench, "key"), "new value");
        close_bench();
    }
}

static void a_tombstone_that_misses_a_copy_gets_it(void **state)
{
    (void)state;
    open_bench(2);
    add(0, "key", "value", 4);
    add(1, "key", "value", 4);
    add(1, "key", NULL, 5);
    mount_image();
    assert_string_equal(nkv_bench_get(&bench, "key"), "(NOT_FOUND)");
    check_settles("key");
    close_bench();
}

enum { LONG = 300 };

static void check_part(const uint8_t *value, uint32_t offset)
{
    uint8_t bytes[LONG];
    struct nkv_buffer to = {bytes, sizeof bytes};
    struct nkv_value got;

    assert_ok(nkv_get(&bench.store, nkv_text("key"), offset, to, &got));
    assert_int_equal(got.total_size, LONG);
    assert_int_equal(got.size, LONG - offset);
    assert_memory_equal(bytes, value + offset, got.size);
}

/* A byte anywhere in one copy, the far end of the value included; nobody looks
 * at the upper half of the checksum field. */
static void
a_read_goes_to_the_next_copy_wherever_the_first_is_damaged(void **state)
{
    uint8_t value[LONG];
    struct nkv_span span = {value, sizeof value};

    (void)state;
    memset(value, 'v', sizeof value);
    for (uint32_t i = 0; i < 2 * 320; i += 7) {
        struct places places = {.key = "key"};
        uint32_t offset;

        open_bench(2);
        assert_ok(nkv_bench_mount(&bench));
        assert_ok(nkv_put(&bench.store, nkv_text("key"), span));
        assert_ok(nkv_survey(&bench.store, note, &places));
        assert_int_equal(places.count, 2);
        if (i % 320 == 6 || i % 320 == 7) {
            close_bench();
            continue;
        }
        offset = places.offsets[i / 320] + i % 320;
        nkv_flash_sim_poke(&bench.sim, offset, bench.sim.bytes[offset] ^ 2);
        for (uint32_t j = 0; j < 3; j++) {
            check_part(value, 149 * j);
        }
        assert_true(nkv_load_settle(&bench));
        check_part(value, 0);
        assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
        assert_true(now().entries_healed > 0);
        check_copies_equal("key");
        close_bench();
    }
}

/* Each program call of a put fails in turn, once. */
static void
each_copy_that_could_not_be_written_is_written_elsewhere(void **state)
{
    (void)state;
    for (uint8_t wanted = 2; wanted <= 3; wanted++) {
        for (uint32_t skip = 0; skip < 3u * wanted; skip++) {
            struct nkv_sim_fault fault = {.kind = NKV_SIM_FAULT_PROGRAM,
                                          .size = SIZE,
                                          .status = NKV_UNAVAILABLE,
                                          .times = 1,
                                          .skip = skip};

            open_bench(wanted);
            assert_ok(nkv_bench_mount(&bench));
            assert_ok(nkv_bench_put(&bench, "key", "an old value"));
            nkv_flash_sim_add_fault(&bench.sim, fault);
            assert_ok(nkv_bench_put(&bench, "key", "a new value of 48 bytes"));
            nkv_flash_sim_clear_faults(&bench.sim);
            assert_string_equal(nkv_bench_get(&bench, "key"),
                                "a new value of 48 bytes");
            check_copies_equal("key");
            assert_int_equal(now().missing_copies, 0);
            check_settles("key");
            close_bench();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_that_disagree_become_equal),
        cmocka_unit_test(the_same_copy_counts_at_every_mount),
        cmocka_unit_test(a_put_over_copies_that_disagree_is_in_force),
        cmocka_unit_test(a_stale_copy_is_replaced),
        cmocka_unit_test(a_tombstone_that_misses_a_copy_gets_it),
        cmocka_unit_test(
            a_read_goes_to_the_next_copy_wherever_the_first_is_damaged),
        cmocka_unit_test(
            each_copy_that_could_not_be_written_is_written_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
