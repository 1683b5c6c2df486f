/* Stores that keep two copies of each entry, in several formats. */
#include "bench.h"
#include "check.h"
#include "entry_image.h"

#include <norkv/survey.h>
#include <stdio.h>
#include <string.h>

enum {
    SECTOR = 512,
    SIZE = 4 * SECTOR,
    SUM_MAGIC = 0x600df00d,
    CRC_MAGIC = 0x41a2db83,
    NONE_MAGIC = 0x5eed1234,
    ENTRIES_SIZE = 192
};

static struct nkv_bench bench;

static const struct nkv_bench_setup setup = {
    NKV_FLASH(SECTOR, 4, 16),
    .copies = 2,
    .formats = {{SUM_MAGIC, &nkv_checksum_sum},
                {CRC_MAGIC, &nkv_checksum_crc16},
                {NONE_MAGIC, &nkv_checksum_none}},
    .format_count = 3,
};

static const struct {
    const char *key;
    const char *value;
    uint32_t magic;
    enum nkv_image_checksum checksum;
} entries[] = {
    {"key1", "value1", SUM_MAGIC, NKV_IMAGE_SUM},
    {"k2", "value2", SUM_MAGIC, NKV_IMAGE_SUM},
    {"k3y", "value3", CRC_MAGIC, NKV_IMAGE_CRC16},
    {"A Key", "XD", CRC_MAGIC, NKV_IMAGE_CRC16},
    {"kee", "O_o", NONE_MAGIC, NKV_IMAGE_NONE},
};

enum { ENTRIES = sizeof entries / sizeof *entries };

/* The five entries and a tombstone, written with one copy; newest id 128. */
static void make_image(uint8_t *image)
{
    struct nkv_image tombstone = {.magic = SUM_MAGIC,
                                  .id = 128,
                                  .key = nkv_text("delorted"),
                                  .is_tombstone = true,
                                  .checksum = NKV_IMAGE_SUM};
    size_t at = 0;

    memset(image, 0xFF, SIZE);
    for (size_t i = 0; i < ENTRIES; i++) {
        struct nkv_image entry = {.magic = entries[i].magic,
                                  .id = (uint32_t)i + 1,
                                  .key = nkv_text(entries[i].key),
                                  .value = nkv_text(entries[i].value),
                                  .checksum = entries[i].checksum};
        at += nkv_image_write(&entry, image + at);
    }
    at += nkv_image_write(&tombstone, image + at);
    assert_int_equal(at, ENTRIES_SIZE);
}

static void settle(void)
{
    bool more = true;

    for (unsigned i = 0; more; i++) {
        assert_ok(nkv_step(&bench.store, &more));
        assert_true(i < 1000);
    }
}

static int set_up(void **state)
{
    uint8_t image[SIZE];

    (void)state;
    make_image(image);
    nkv_bench_init(&bench, &setup);
    nkv_flash_sim_load(&bench.sim, image);
    assert_ok(nkv_bench_mount(&bench));
    settle();
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

static void check_all_readable(void)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        assert_string_equal(nkv_bench_get(&bench, entries[i].key),
                            entries[i].value);
    }
    assert_string_equal(nkv_bench_get(&bench, "delorted"), "(NOT_FOUND)");
}

/* Erases a sector behind the store's back. */
static void wipe(uint32_t sector)
{
    assert_ok(bench.sim.flash.erase(bench.sim.flash.context, sector));
}

struct places {
    struct nkv_span key;
    uint32_t offsets[4];
    size_t count;
};

static bool note(void *context, const struct nkv_place *place)
{
    struct places *places = context;

    if (place->kind == NKV_PLACE_LIVE && places->count < 4 &&
        place->key_size == places->key.size &&
        memcmp(place->key, places->key.data, places->key.size) == 0) {
        places->offsets[places->count++] = place->offset;
    }
    return true;
}

static struct places places_of(const char *key)
{
    struct places places = {.key = nkv_text(key)};

    assert_ok(nkv_survey(&bench.store, note, &places));
    return places;
}

static void raising_the_copies_adds_those_that_miss(void **state)
{
    (void)state;
    check_all_readable();
    assert_int_equal(now().keys, ENTRIES);
    assert_int_equal(now().tombstones, 1);
    assert_int_equal(now().live_bytes, 2 * ENTRIES_SIZE);
    assert_int_equal(now().stale_bytes, 0);
    assert_int_equal(now().missing_copies, 0);
    assert_int_equal(now().corrupt_entries, 0);
    assert_ok(nkv_bench_mount(&bench));
    assert_int_equal(now().missing_copies, 0);
    check_all_readable();
}

/* Conformance 135 and 136: each copy's sector in turn. */
static void a_lost_sector_costs_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        wipe(places_of("key1").offsets[i] / SECTOR);
        check_all_readable();
        assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
        check_all_readable();
        assert_int_equal(now().missing_copies, 0);
        assert_int_equal(places_of("key1").count, 2);
        assert_int_equal(places_of("kee").count, 2);
    }
    assert_int_equal(now().keys, ENTRIES);
}

static void a_lost_sector_is_found_by_the_next_mount(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        wipe(places_of("key1").offsets[i] / SECTOR);
        assert_ok(nkv_bench_mount(&bench));
        check_all_readable();
        settle();
        assert_int_equal(now().missing_copies, 0);
        assert_int_equal(now().stale_bytes, 0);
        assert_int_equal(now().live_bytes, 2 * ENTRIES_SIZE);
        check_all_readable();
    }
}

static void fault_at(uint32_t offset, uint32_t size, enum nkv_status status,
                     uint32_t times)
{
    struct nkv_sim_fault fault = {.kind = NKV_SIM_FAULT_READ,
                                  .offset = offset,
                                  .size = size,
                                  .status = status,
                                  .times = times};

    nkv_flash_sim_add_fault(&bench.sim, fault);
}

static void an_unreadable_copy_is_read_from_the_other(void **state)
{
    static const enum nkv_status statuses[] = {NKV_DATA_LOSS, NKV_UNAVAILABLE};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        uint32_t sector = places_of("key1").offsets[i % 2] / SECTOR;

        fault_at(sector * SECTOR, SECTOR, statuses[i / 2], 0);
        check_all_readable();
        nkv_flash_sim_clear_faults(&bench.sim);
    }
    assert_true(now().read_errors > 0);
    check_all_readable();
}

static void without_any_readable_copy_the_value_is_lost(void **state)
{
    struct places places = places_of("key1");

    (void)state;
    fault_at(places.offsets[0], 32, NKV_DATA_LOSS, 0);
    fault_at(places.offsets[1], 32, NKV_DATA_LOSS, 0);
    assert_string_equal(nkv_bench_get(&bench, "key1"), "(DATA_LOSS)");
    assert_string_equal(nkv_bench_get(&bench, "k3y"), "value3");
    assert_string_equal(nkv_bench_get(&bench, "other"), "(NOT_FOUND)");
}

static void a_damaged_copy_is_read_from_the_other_and_replaced(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint32_t offset = places_of("k2").offsets[i];

        nkv_flash_sim_poke(&bench.sim, offset + 20,
                           bench.sim.bytes[offset + 20] ^ 1);
        assert_string_equal(nkv_bench_get(&bench, "k2"), "value2");
        assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
        assert_int_equal(places_of("k2").count, 2);
        check_all_readable();
        assert_ok(nkv_bench_mount(&bench));
        assert_int_equal(now().missing_copies, 0);
        check_all_readable();
    }
}

/* One copy each of four keys, in turn the first and the second. */
static void copies_damaged_in_turn_cost_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        uint32_t offset = places_of(entries[i].key).offsets[i % 2];

        nkv_flash_sim_poke(&bench.sim, offset + 1,
                           bench.sim.bytes[offset + 1] ^ 4);
    }
    check_all_readable();
    assert_ok(nkv_bench_mount(&bench));
    check_all_readable();
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
    check_all_readable();
    assert_int_equal(now().missing_copies, 0);
    assert_int_equal(now().damaged_sectors, 0);
    assert_int_equal(now().live_bytes, 2 * ENTRIES_SIZE);
}

static void a_failed_second_copy_is_written_elsewhere(void **state)
{
    struct nkv_sim_fault fault = {.kind = NKV_SIM_FAULT_PROGRAM,
                                  .size = SIZE,
                                  .status = NKV_UNAVAILABLE,
                                  .times = 1};

    (void)state;
    nkv_flash_sim_add_fault(&bench.sim, fault);
    assert_ok(nkv_bench_put(&bench, "new key", "abcd?"));
    assert_string_equal(nkv_bench_get(&bench, "new key"), "abcd?");
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
    assert_int_equal(places_of("new key").count, 2);
    check_all_readable();
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "new key"), "abcd?");
    assert_int_equal(now().missing_copies, 0);
}

static void a_store_wiped_behind_its_back_says_so_and_goes_on(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        wipe(i);
    }
    for (size_t i = 0; i < ENTRIES; i++) {
        assert_string_equal(nkv_bench_get(&bench, entries[i].key),
                            "(DATA_LOSS)");
    }
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
    for (size_t i = 0; i < ENTRIES; i++) {
        assert_string_equal(nkv_bench_get(&bench, entries[i].key),
                            "(NOT_FOUND)");
    }
    assert_ok(nkv_bench_put(&bench, "key1", "again"));
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "key1"), "again");
    assert_int_equal(now().keys, 1);
}

/* Conformance 140 and 141: the first format, the next id, the exact bytes. */
static void new_writes_take_the_first_format_and_the_next_id(void **state)
{
    static const char *const keys[] = {"k99", "A Key"};

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct nkv_image image = {.magic = SUM_MAGIC,
                                  .id = 129 + i,
                                  .key = nkv_text(keys[i]),
                                  .value = nkv_text("foo"),
                                  .checksum = NKV_IMAGE_SUM};
        uint8_t expected[32];
        struct places places;

        nkv_image_write(&image, expected);
        assert_ok(nkv_bench_put(&bench, keys[i], "foo"));
        places = places_of(keys[i]);
        assert_int_equal(places.count, 2);
        assert_memory_equal(bench.sim.bytes + places.offsets[0], expected, 32);
        assert_memory_equal(bench.sim.bytes + places.offsets[1], expected, 32);
    }
}

/* Afterwards a store that knows the first format alone reads everything. */
static void full_maintenance_converts_all_formats(void **state)
{
    (void)state;
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
    bench.config.format_count = 1;
    for (uint8_t copies = 2; copies > 0; copies--) {
        bench.config.copies = copies;
        assert_ok(nkv_bench_mount(&bench));
        check_all_readable();
    }
}

static void fewer_copies_than_before_are_fine(void **state)
{
    (void)state;
    bench.config.copies = 1;
    assert_ok(nkv_bench_mount(&bench));
    check_all_readable();
    assert_int_equal(now().keys, ENTRIES);
    for (unsigned i = 0; i < 100; i++) {
        char value[8];

        snprintf(value, sizeof value, "%u", i);
        assert_ok(nkv_bench_put(&bench, "counter", value));
    }
    check_all_readable();
    assert_ok(nkv_bench_mount(&bench));
    check_all_readable();
    assert_string_equal(nkv_bench_get(&bench, "counter"), "99");
}

/* Conformance 145: there is no room for second copies before collecting. */
static void raising_the_copies_collects_first_when_it_must(void **state)
{
    const struct nkv_bench_setup default_format = {NKV_FLASH(SECTOR, 4, 16),
                                                   .copies = 2};
    uint8_t bytes[470];
    struct nkv_span value = {bytes, sizeof bytes};

    (void)state;
    nkv_bench_free(&bench);
    nkv_bench_init(&bench, &default_format);
    bench.config.copies = 1;
    assert_ok(nkv_bench_mount(&bench));
    for (int i = 0; i < 3; i++) {
        memset(bytes, 'a' + i, sizeof bytes);
        assert_ok(nkv_put(&bench.store, nkv_text("large"), value));
    }
    assert_int_equal(now().keys, 1);
    bench.config.copies = 2;
    assert_ok(nkv_bench_mount(&bench));
    settle();
    assert_int_equal(now().missing_copies, 0);
    assert_int_equal(now().live_bytes, 2 * 496);
    assert_int_equal(nkv_bench_get(&bench, "large")[469], 'c');
    assert_ok(nkv_bench_mount(&bench));
    assert_int_equal(places_of("large").count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(raising_the_copies_adds_those_that_miss),
        TEST(a_lost_sector_costs_nothing),
        TEST(a_lost_sector_is_found_by_the_next_mount),
        TEST(an_unreadable_copy_is_read_from_the_other),
        TEST(without_any_readable_copy_the_value_is_lost),
        TEST(a_damaged_copy_is_read_from_the_other_and_replaced),
        TEST(copies_damaged_in_turn_cost_nothing),
        TEST(a_failed_second_copy_is_written_elsewhere),
        TEST(a_store_wiped_behind_its_back_says_so_and_goes_on),
        TEST(new_writes_take_the_first_format_and_the_next_id),
        TEST(full_maintenance_converts_all_formats),
        TEST(fewer_copies_than_before_are_fine),
        TEST(raising_the_copies_collects_first_when_it_must),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
