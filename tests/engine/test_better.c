/* What lies on a flash besides a sound store: foreign data, other people's
 * entries, damage that could be taken for entries. */
#include "bench.h"
#include "check.h"
#include "entry_image.h"
#include "random.h"

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

static size_t add_bytes(uint32_t offset, const char *key, struct nkv_span value,
                        uint32_t id)
{
    struct nkv_image entry = {.magic = NKV_DEFAULT_MAGIC,
                              .id = id,
                              .key = nkv_text(key),
                              .value = value};

    return nkv_image_write(&entry, image + offset);
}

static size_t add(uint32_t offset, const char *key, const char *value,
                  uint32_t id)
{
    return add_bytes(offset, key, nkv_text(value), id);
}

static enum nkv_status mount_image(void)
{
    nkv_flash_sim_load(&bench.sim, image);
    nkv_flash_sim_reset_counts(&bench.sim);
    return nkv_bench_mount(&bench);
}

/* Mount refused; reads work, writes do not, nothing was touched; erasing all is
 * the way out. */
static void check_refused(enum nkv_status status)
{
    assert_status(mount_image(), status);
    assert_status(nkv_bench_put(&bench, "k", "v"), NKV_FAILED_PRECONDITION);
    assert_status(nkv_bench_delete(&bench, "k"), NKV_FAILED_PRECONDITION);
    assert_status(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY),
                  NKV_FAILED_PRECONDITION);
    assert_int_equal(bench.sim.counts.operations, 0);
    assert_memory_equal(bench.sim.bytes, image, SIZE);
}

static void check_erase_all_helps(void)
{
    assert_ok(nkv_erase_all(&bench.store));
    assert_int_equal(now().keys, 0);
    assert_ok(nkv_bench_put(&bench, "k", "v"));
    assert_ok(nkv_bench_mount(&bench));
    expect("k", "v");
    assert_int_equal(now().keys, 1);
}

static void an_intact_entry_of_an_unknown_format_is_left_alone(void **state)
{
    struct nkv_image foreign = {.magic = 0x0BADF00D,
                                .id = 7,
                                .key = nkv_text("their"),
                                .value = nkv_text("value")};

    (void)state;
    add(0, "ours", "value", 1);
    nkv_image_write(&foreign, image + SECTOR);
    check_refused(NKV_FAILED_PRECONDITION);
    expect("ours", "value");
    check_erase_all_helps();
}

static void something_else_on_the_flash_is_left_alone(void **state)
{
    uint64_t random = 3;

    (void)state;
    nkv_random_fill(&random, image, SIZE);
    check_refused(NKV_FAILED_PRECONDITION);
    memset(image, 0xFF, sizeof image);
    nkv_random_fill(&random, image, 100);
    nkv_random_fill(&random, image + 3 * SECTOR, 200);
    check_refused(NKV_FAILED_PRECONDITION);
    check_erase_all_helps();
}

static void garbage_in_one_sector_is_damage(void **state)
{
    uint64_t random = 4;

    (void)state;
    nkv_random_fill(&random, image + SECTOR, 300);
    assert_ok(mount_image());
    assert_ok(nkv_bench_put(&bench, "k", "v"));
    assert_ok(nkv_bench_mount(&bench));
    expect("k", "v");
}

static void a_flash_of_zeros_counts_as_blank(void **state)
{
    (void)state;
    memset(image, 0, sizeof image);
    assert_ok(mount_image());
    assert_int_equal(now().keys, 0);
    for (unsigned i = 0; i < 60; i++) {
        char value[8];

        snprintf(value, sizeof value, "%u", i);
        assert_ok(nkv_bench_put(&bench, "k", value));
    }
    assert_ok(nkv_bench_mount(&bench));
    expect("k", "59");
}

static void more_keys_than_the_table_takes_are_left_alone(void **state)
{
    const struct nkv_bench_setup few = {NKV_FLASH(SECTOR, 4, 16),
                                        .max_keys = 3};

    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        const char key[2] = {(char)('a' + i), '\0'};

        add(i * 32, key, "value", i + 1);
    }
    nkv_bench_free(&bench);
    nkv_bench_init(&bench, &few);
    check_refused(NKV_RESOURCE_EXHAUSTED);
    nkv_bench_free(&bench);
    set_up(NULL);
    for (uint32_t i = 0; i < 12; i++) {
        const char key[2] = {(char)('a' + i), '\0'};

        add(i * 32, key, "value", i + 1);
    }
    assert_ok(mount_image());
    assert_int_equal(now().keys, 12);
}

static void a_part_is_not_given_from_a_damaged_whole(void **state)
{
    struct nkv_value value;
    uint8_t part[4];
    struct nkv_buffer to = {part, 4};

    (void)state;
    add(0, "key", "a value that is longer than one chunk of reading", 1);
    assert_ok(mount_image());
    assert_status(nkv_get(&bench.store, nkv_text("key"), 0, to, &value),
                  NKV_RESOURCE_EXHAUSTED);
    nkv_flash_sim_poke(&bench.sim, 60, bench.sim.bytes[60] ^ 1);
    assert_status(nkv_get(&bench.store, nkv_text("key"), 0, to, &value),
                  NKV_DATA_LOSS);
    assert_status(nkv_describe(&bench.store, nkv_text("key"), &value),
                  NKV_DATA_LOSS);
}

/* An entry whose value holds the image of another, on a multiple of 16. */
static size_t add_with_ghost(uint32_t offset)
{
    uint8_t value[96];
    struct nkv_image ghost = {.magic = NKV_DEFAULT_MAGIC,
                              .id = 99,
                              .key = nkv_text("ghost"),
                              .value = nkv_text("boo")};

    memset(value, 'v', sizeof value);
    nkv_image_write(&ghost, value + 13 + 16);
    return add_bytes(offset, "key", (struct nkv_span){value, sizeof value}, 5);
}

static void an_entry_in_a_damaged_value_is_not_resurrected(void **state)
{
    (void)state;
    for (uint32_t at = 16; at < 112; at++) {
        uint32_t next;

        memset(image, 0xFF, sizeof image);
        next = (uint32_t)add_with_ghost(0);
        add(next, "real", "value", 6);
        if (at >= 48 && at < 80) {
            continue;
        }
        image[at] ^= 0x10;
        assert_ok(mount_image());
        expect("ghost", "(NOT_FOUND)");
        expect("key", "(NOT_FOUND)");
        expect("real", "value");
        assert_true(now().corrupt_entries > 0);
    }
}

/* Each bit of the value size flipped: however long the damaged entry says it
 * is, those behind it are there. */
static void entries_behind_a_damaged_length_survive(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 24; bit++) {
        memset(image, 0xFF, sizeof image);
        add(0, "damaged", "value", 5);
        add(32, "next", "value1", 6);
        add(64, "last", "value2", 7);
        image[9 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_ok(mount_image());
        expect("damaged", "(NOT_FOUND)");
        expect("next", "value1");
        expect("last", "value2");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_intact_entry_of_an_unknown_format_is_left_alone),
        TEST(something_else_on_the_flash_is_left_alone),
        TEST(garbage_in_one_sector_is_damage),
        TEST(a_flash_of_zeros_counts_as_blank),
        TEST(more_keys_than_the_table_takes_are_left_alone),
        TEST(a_part_is_not_given_from_a_damaged_whole),
        TEST(an_entry_in_a_damaged_value_is_not_resurrected),
        TEST(entries_behind_a_damaged_length_survive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
