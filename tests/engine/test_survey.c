/* The survey tells what lies where. */
#include "bench.h"
#include "check.h"
#include "entry_image.h"

#include <norkv/survey.h>
#include <string.h>

enum { SECTOR = 512, SIZE = 4 * SECTOR, PLACES_MAX = 64 };

static struct nkv_bench bench;
static uint8_t image[SIZE];

struct places {
    struct nkv_place list[PLACES_MAX];
    size_t count;
    /* Stop after so many. */
    size_t most;
};

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

static size_t add(uint32_t offset, const char *key, const char *value,
                  uint32_t id)
{
    struct nkv_image entry = {.magic = NKV_DEFAULT_MAGIC,
                              .id = id,
                              .key = nkv_text(key),
                              .is_tombstone = value == NULL};

    if (value != NULL) {
        entry.value = nkv_text(value);
    }
    return nkv_image_write(&entry, image + offset);
}

static bool take(void *context, const struct nkv_place *place)
{
    struct places *places = context;

    assert_true(places->count < PLACES_MAX);
    places->list[places->count++] = *place;
    return places->count < places->most;
}

static void assert_by_sectors_the_same(const struct places *whole)
{
    struct places places = {.most = PLACES_MAX};

    for (uint32_t i = 0; i < SIZE / SECTOR; i++) {
        size_t before = places.count;

        assert_ok(nkv_survey_sector(&bench.store, i, take, &places));
        assert_true(places.count > before);
    }
    assert_int_equal(places.count, whole->count);
    assert_memory_equal(places.list, whole->list, sizeof places.list);
}

/* Mounts without repair, surveys, and checks that the places follow one another
 * without a gap. */
static struct places survey(enum nkv_status expected)
{
    struct places places = {.most = PLACES_MAX};
    uint32_t end = 0;

    bench.config.manual_repair = true;
    nkv_flash_sim_load(&bench.sim, image);
    assert_status(nkv_bench_mount(&bench), expected);
    assert_ok(nkv_survey(&bench.store, take, &places));
    for (size_t i = 0; i < places.count; i++) {
        assert_int_equal(places.list[i].sector, places.list[i].offset / SECTOR);
        if (places.list[i].kind != NKV_PLACE_MISSING_COPY) {
            assert_int_equal(places.list[i].offset, end);
            end += places.list[i].size;
        }
    }
    assert_int_equal(end, SIZE);
    assert_by_sectors_the_same(&places);
    assert_int_equal(bench.sim.counts.operations, 0);
    return places;
}

/* The place that begins at an offset. */
static const struct nkv_place *at(const struct places *places, uint32_t offset)
{
    for (size_t i = 0; i < places->count; i++) {
        if (places->list[i].offset == offset &&
            places->list[i].kind != NKV_PLACE_MISSING_COPY) {
            return &places->list[i];
        }
    }
    fail_msg("no place at %u", offset);
    return NULL;
}

static void expect(const struct places *places, uint32_t offset,
                   enum nkv_place_kind kind, const char *key)
{
    const struct nkv_place *place = at(places, offset);

    assert_int_equal(place->kind, kind);
    assert_int_equal(place->key_size, strlen(key));
    assert_memory_equal(place->key, key, strlen(key));
}

static void a_blank_flash_is_free(void **state)
{
    struct places places = survey(NKV_OK);

    (void)state;
    for (size_t i = 0; i < places.count; i++) {
        assert_int_equal(places.list[i].kind, NKV_PLACE_FREE);
    }
}

static void current_and_stale_entries_are_told_apart(void **state)
{
    struct places places;

    (void)state;
    add(0, "a", "old", 1);
    add(32, "b", "gone", 2);
    add(64, "a", "new", 3);
    add(96, "b", NULL, 4);
    places = survey(NKV_OK);
    expect(&places, 0, NKV_PLACE_STALE, "a");
    expect(&places, 32, NKV_PLACE_STALE, "b");
    expect(&places, 64, NKV_PLACE_LIVE, "a");
    expect(&places, 96, NKV_PLACE_TOMBSTONE, "b");
    expect(&places, 128, NKV_PLACE_FREE, "");
    assert_int_equal(at(&places, 0)->size, 32);
    assert_int_equal(at(&places, 64)->version, 3);
    assert_int_equal(at(&places, 96)->version, 4);
}

static void a_torn_tail_is_torn_and_names_its_key(void **state)
{
    struct places places;

    (void)state;
    add(0, "a", "value", 1);
    add(32, "torn", "a value of some length", 2);
    memset(image + 64, 0xFF, 16);
    places = survey(NKV_DATA_LOSS);
    expect(&places, 0, NKV_PLACE_LIVE, "a");
    expect(&places, 32, NKV_PLACE_TORN, "torn");
    assert_false(at(&places, 32)->intact_elsewhere);
}

static void a_damaged_entry_is_corrupt(void **state)
{
    struct places places;

    (void)state;
    add(0, "a", "value", 1);
    add(32, "b", "value", 2);
    image[20] ^= 1;
    places = survey(NKV_DATA_LOSS);
    assert_int_equal(at(&places, 0)->kind, NKV_PLACE_CORRUPT);
    assert_false(at(&places, 0)->intact_elsewhere);
    expect(&places, 32, NKV_PLACE_LIVE, "b");
}

static void a_damaged_copy_has_an_intact_one_elsewhere(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, 4, 16),
                                          .copies = 2};
    struct places places;
    size_t missing = 0;

    (void)state;
    nkv_bench_free(&bench);
    nkv_bench_init(&bench, &setup);
    add(0, "a", "value", 1);
    add(32, "b", "value", 2);
    add(SECTOR, "a", "value", 1);
    add(SECTOR + 32, "b", "value", 2);
    image[20] ^= 1;
    places = survey(NKV_DATA_LOSS);
    expect(&places, 0, NKV_PLACE_CORRUPT, "a");
    assert_true(at(&places, 0)->intact_elsewhere);
    expect(&places, SECTOR, NKV_PLACE_LIVE, "a");
    for (size_t i = 0; i < places.count; i++) {
        if (places.list[i].kind == NKV_PLACE_MISSING_COPY) {
            missing++;
            assert_int_equal(places.list[i].size, 0);
            assert_int_equal(places.list[i].key[0], 'a');
        }
    }
    assert_int_equal(missing, 1);
}

static void what_an_interrupted_erase_left_is_told(void **state)
{
    struct places places;

    (void)state;
    add(0, "a", "value", 2);
    add(SECTOR + 256, "a", "stale", 1);
    places = survey(NKV_OK);
    assert_int_equal(at(&places, SECTOR)->kind, NKV_PLACE_STALE_ERASE);
    expect(&places, 0, NKV_PLACE_LIVE, "a");
}

static void an_entry_of_another_format_is_foreign(void **state)
{
    struct nkv_image entry = {.magic = 0x0BADF00D,
                              .id = 9,
                              .key = nkv_text("their"),
                              .value = nkv_text("value")};
    struct places places;

    (void)state;
    add(0, "ours", "value", 1);
    nkv_image_write(&entry, image + SECTOR);
    places = survey(NKV_FAILED_PRECONDITION);
    expect(&places, SECTOR, NKV_PLACE_FOREIGN, "their");
    expect(&places, 0, NKV_PLACE_LIVE, "ours");
}

static void a_survey_ends_when_it_is_told_to(void **state)
{
    struct places places = {.most = 1};

    (void)state;
    add(0, "a", "1", 1);
    add(32, "b", "2", 2);
    nkv_flash_sim_load(&bench.sim, image);
    assert_ok(nkv_bench_mount(&bench));
    assert_ok(nkv_survey(&bench.store, take, &places));
    assert_int_equal(places.count, 1);
}

static void a_survey_of_one_sector_sees_that_alone(void **state)
{
    struct places places = {.most = PLACES_MAX};

    (void)state;
    add(0, "a", "1", 1);
    add(SECTOR, "b", "2", 2);
    add(SECTOR + 32, "c", "3", 3);
    nkv_flash_sim_load(&bench.sim, image);
    assert_ok(nkv_bench_mount(&bench));
    assert_ok(nkv_survey_sector(&bench.store, 1, take, &places));
    assert_int_equal(places.count, 3);
    expect(&places, SECTOR, NKV_PLACE_LIVE, "b");
    expect(&places, SECTOR + 32, NKV_PLACE_LIVE, "c");
    expect(&places, SECTOR + 64, NKV_PLACE_FREE, "");
}

static void a_survey_of_a_sector_ends_when_it_is_told_to(void **state)
{
    struct places places = {.most = 1};

    (void)state;
    add(0, "a", "1", 1);
    add(32, "b", "2", 2);
    nkv_flash_sim_load(&bench.sim, image);
    assert_ok(nkv_bench_mount(&bench));
    assert_ok(nkv_survey_sector(&bench.store, 0, take, &places));
    assert_int_equal(places.count, 1);
}

static void a_sector_that_is_none_is_not_surveyed(void **state)
{
    struct places places = {.most = PLACES_MAX};

    (void)state;
    nkv_flash_sim_load(&bench.sim, image);
    assert_ok(nkv_bench_mount(&bench));
    assert_status(nkv_survey_sector(&bench.store, 4, take, &places),
                  NKV_OUT_OF_RANGE);
    assert_status(nkv_survey_sector(&bench.store, UINT32_MAX, take, &places),
                  NKV_OUT_OF_RANGE);
    assert_int_equal(places.count, 0);
}

static void a_failing_flash_ends_the_survey_of_a_sector(void **state)
{
    const struct nkv_sim_fault fault = {NKV_SIM_FAULT_READ, SECTOR, SECTOR,
                                        .status = NKV_UNAVAILABLE};
    struct places places = {.most = PLACES_MAX};

    (void)state;
    add(SECTOR, "b", "2", 2);
    nkv_flash_sim_load(&bench.sim, image);
    assert_ok(nkv_bench_mount(&bench));
    nkv_flash_sim_add_fault(&bench.sim, fault);
    assert_status(nkv_survey_sector(&bench.store, 1, take, &places),
                  NKV_UNAVAILABLE);
    assert_int_equal(places.count, 0);
    assert_ok(nkv_survey_sector(&bench.store, 0, take, &places));
}

/* A driver that reads the size of a key in sector 0 as 1 or as 193. */
static enum nkv_status (*read_well)(void *context, uint32_t offset, void *to,
                                    size_t size);

static enum nkv_status read_badly(void *context, uint32_t address, void *to,
                                  size_t size)
{
    static uint32_t random = 1;
    const uint32_t key_size = 9;
    enum nkv_status status = read_well(context, address, to, size);

    random = random * 1103515245 + 12345;
    if (address <= key_size && key_size < address + size && random >> 16 & 1) {
        ((uint8_t *)to)[key_size - address] ^= 0xC0;
    }
    return status;
}

static void a_header_that_reads_otherwise_each_time_is_just_damage(void **state)
{
    char value[400];

    (void)state;
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    add(0, "a", value, 1);
    image[100] ^= 1;
    nkv_flash_sim_load(&bench.sim, image);
    bench.config.manual_repair = true;
    (void)!nkv_bench_mount(&bench);
    read_well = bench.sim.flash.read;
    bench.sim.flash.read = read_badly;
    for (int i = 0; i < 100; i++) {
        struct places places = {.most = PLACES_MAX};

        assert_ok(nkv_survey(&bench.store, take, &places));
        for (size_t j = 0; j < places.count; j++) {
            assert_true(places.list[j].key_size <= NKV_KEY_SIZE_MAX);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_blank_flash_is_free),
        TEST(current_and_stale_entries_are_told_apart),
        TEST(a_torn_tail_is_torn_and_names_its_key),
        TEST(a_damaged_entry_is_corrupt),
        TEST(a_damaged_copy_has_an_intact_one_elsewhere),
        TEST(what_an_interrupted_erase_left_is_told),
        TEST(an_entry_of_another_format_is_foreign),
        TEST(a_survey_ends_when_it_is_told_to),
        TEST(a_survey_of_one_sector_sees_that_alone),
        TEST(a_survey_of_a_sector_ends_when_it_is_told_to),
        TEST(a_sector_that_is_none_is_not_surveyed),
        TEST(a_failing_flash_ends_the_survey_of_a_sector),
        TEST(a_header_that_reads_otherwise_each_time_is_just_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
