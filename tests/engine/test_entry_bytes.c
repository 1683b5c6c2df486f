/* Entries on flash, byte for byte. */
#include "bench.h"
#include "check.h"
#include "entry_image.h"

#include <norkv/survey.h>
#include <stdio.h>
#include <string.h>

static struct nkv_bench bench;

static void open_bench(const struct nkv_bench_setup *setup)
{
    nkv_bench_init(&bench, setup);
    assert_ok(nkv_bench_mount(&bench));
}

static void close_bench(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
}

struct search {
    enum nkv_place_kind kind;
    struct nkv_span key;
    struct nkv_place found[4];
    size_t count;
};

static bool note_place(void *context, const struct nkv_place *place)
{
    struct search *search = context;

    if (place->kind == search->kind && place->key_size == search->key.size &&
        memcmp(place->key, search->key.data, search->key.size) == 0 &&
        search->count < 4) {
        search->found[search->count++] = *place;
    }
    return true;
}

/* Where the entries of a key lie, copies included. */
static struct search find(enum nkv_place_kind kind, const char *key)
{
    struct search search = {.kind = kind, .key = nkv_text(key)};

    assert_ok(nkv_survey(&bench.store, note_place, &search));
    return search;
}

/* The bytes of the only entry of a key, which has this size. */
static const uint8_t *entry_of(enum nkv_place_kind kind, const char *key,
                               size_t size)
{
    struct search search = find(kind, key);

    assert_int_equal(search.count, 1);
    assert_int_equal(search.found[0].size, size);
    return bench.sim.bytes + search.found[0].offset;
}

/* Conformance 24: magic ad165142, units 1, id 0x96979899, CRC 0x23aa. */
static const uint8_t reference_entry[32] = {
    0x42, 0x51, 0x16, 0xad, 0xaa, 0x23, 0x00, 0x00, 0x01, 0x05, 0x06,
    0x00, 0x99, 0x98, 0x97, 0x96, 'k',  'e',  'y',  '4',  '5',  'V',
    'A',  'L',  'U',  'E',  '!',  0,    0,    0,    0,    0,
};

/* Conformance 34. */
static const uint8_t reference_tombstone[32] = {
    0x42, 0x51, 0x16, 0xad, 0xba, 0xb3, 0x00, 0x00, 0x00, 0x01, 0xff,
    0xff, 0x00, 0x01, 0x02, 0x03, 'K',  0,    0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
};

static const struct nkv_bench_setup reference_setup = {
    .sector_size = 512,
    .sector_count = 4,
    .program_unit = 32,
    .formats = {{0xad165142, &nkv_checksum_crc16}},
    .format_count = 1,
    .first_id = 0x96979899,
};

static void the_reference_entry_is_written_byte_for_byte(void **state)
{
    (void)state;
    open_bench(&reference_setup);
    assert_ok(nkv_bench_put(&bench, "key45", "VALUE!"));
    assert_memory_equal(entry_of(NKV_PLACE_LIVE, "key45", 32), reference_entry,
                        32);
    close_bench();
}

static void the_reference_entry_is_read(void **state)
{
    uint8_t image[2048];
    struct nkv_value value;

    (void)state;
    memset(image, 0xFF, sizeof image);
    memcpy(image + 512, reference_entry, 32);
    nkv_bench_init(&bench, &reference_setup);
    nkv_flash_sim_load(&bench.sim, image);
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "key45"), "VALUE!");
    assert_ok(nkv_describe(&bench.store, nkv_text("key45"), &value));
    assert_int_equal(value.version, 0x96979899);
    assert_int_equal(value.total_size, 6);
    close_bench();
}

static void the_reference_tombstone_is_written_byte_for_byte(void **state)
{
    struct nkv_bench_setup setup = reference_setup;

    (void)state;
    setup.program_unit = 1;
    setup.first_id = 0x030200FF;
    open_bench(&setup);
    assert_ok(nkv_bench_put(&bench, "K", "v"));
    assert_ok(nkv_bench_delete(&bench, "K"));
    assert_memory_equal(entry_of(NKV_PLACE_TOMBSTONE, "K", 32),
                        reference_tombstone, 32);
    close_bench();
}

static void the_reference_tombstone_is_read(void **state)
{
    struct nkv_bench_setup setup = reference_setup;
    uint8_t image[2048];

    (void)state;
    setup.program_unit = 1;
    memset(image, 0xFF, sizeof image);
    memcpy(image, reference_tombstone, 32);
    nkv_bench_init(&bench, &setup);
    nkv_flash_sim_load(&bench.sim, image);
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "K"), "(NOT_FOUND)");
    assert_int_equal(nkv_transaction_count(&bench.store), 0x03020100);
    close_bench();
}

/* Puts and deletes keys of several sizes and compares each entry with one made
 * by hand. */
static void check_entries(uint32_t unit, const struct nkv_format *format,
                          enum nkv_image_checksum checksum)
{
    static const size_t sizes[] = {0,  1,  5,  15, 16,  17,  31,
                                   32, 63, 64, 99, 240, 255, 256};
    struct nkv_bench_setup setup = {
        4096, 4, unit, .formats = {*format}, .format_count = 1, .first_id = 7};
    uint32_t id = 7;

    open_bench(&setup);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t value[256], expected[1024];
        char key[64];
        struct nkv_image image = {.magic = format->magic, .checksum = checksum};

        snprintf(key, sizeof key, "key-%0*zu", (int)(1 + i * 4), i);
        memset(value, (int)(i + 1), sizeof value);
        image.alignment_units = (uint8_t)((unit + 15) / 16 - 1);
        image.key = nkv_text(key);
        image.value = (struct nkv_span){value, sizes[i]};
        image.id = id++;
        nkv_image_write(&image, expected);
        assert_ok(nkv_put(&bench.store, image.key, image.value));
        assert_memory_equal(
            entry_of(NKV_PLACE_LIVE, key, nkv_image_size(&image)), expected,
            nkv_image_size(&image));
        image.is_tombstone = true;
        image.id = id++;
        nkv_image_write(&image, expected);
        assert_ok(nkv_bench_delete(&bench, key));
        assert_memory_equal(
            entry_of(NKV_PLACE_TOMBSTONE, key, nkv_image_size(&image)),
            expected, nkv_image_size(&image));
    }
    close_bench();
}

static const struct nkv_format crc16 = {NKV_DEFAULT_MAGIC, &nkv_checksum_crc16};

static void entries_of_program_unit_1_are_right(void **state)
{
    (void)state;
    check_entries(1, &crc16, NKV_IMAGE_CRC16);
}

static void entries_of_program_unit_8_are_right(void **state)
{
    (void)state;
    check_entries(8, &crc16, NKV_IMAGE_CRC16);
}

static void entries_of_program_unit_16_are_right(void **state)
{
    (void)state;
    check_entries(16, &crc16, NKV_IMAGE_CRC16);
}

static void entries_of_program_unit_64_are_right(void **state)
{
    (void)state;
    check_entries(64, &crc16, NKV_IMAGE_CRC16);
}

static void entries_of_program_unit_256_are_right(void **state)
{
    (void)state;
    check_entries(256, &crc16, NKV_IMAGE_CRC16);
}

static void entries_without_checksum_have_a_field_of_0(void **state)
{
    const struct nkv_format none = {0xd49ba138, &nkv_checksum_none};

    (void)state;
    check_entries(16, &none, NKV_IMAGE_NONE);
}

static void entries_whose_checksum_is_ignored_have_a_field_of_0(void **state)
{
    const struct nkv_format ignore = {0xd49ba138, &nkv_checksum_ignore};

    (void)state;
    check_entries(16, &ignore, NKV_IMAGE_NONE);
}

static void entries_with_a_checksum_of_4_bytes_carry_all_of_it(void **state)
{
    const struct nkv_format sum = {0x12345678, &nkv_checksum_sum};

    (void)state;
    check_entries(16, &sum, NKV_IMAGE_SUM);
    check_entries(64, &sum, NKV_IMAGE_SUM);
}

static void every_small_value_size_pads_to_the_alignment(void **state)
{
    static const uint32_t units[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};

    (void)state;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        uint32_t a = units[i] > 16 ? units[i] : 16;
        const uint32_t sizes[] = {0, a - 1, a, a + 1, 2 * a};
        struct nkv_bench_setup setup = {NKV_FLASH(8192, 2, units[i])};
        uint8_t value[512] = {0};

        open_bench(&setup);
        for (size_t j = 0; j < 5; j++) {
            struct nkv_span bytes = {value, sizes[j]};

            value[0] = (uint8_t)(j + 1);
            assert_ok(nkv_put(&bench.store, nkv_text("k"), bytes));
            entry_of(NKV_PLACE_LIVE, "k", (16 + 1 + sizes[j] + a - 1) / a * a);
        }
        close_bench();
    }
}

/* The largest unit with a small buffer, and a buffer of many units. */
static void the_buffers_size_does_not_show_on_flash(void **state)
{
    static const uint32_t buffers[] = {16, 32, 48, 256, 1024};
    uint8_t value[700], first[1024];

    (void)state;
    memset(value, 0x3C, sizeof value);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        struct nkv_bench_setup setup = {NKV_FLASH(4096, 3, 16),
                                        .buffer_size = buffers[i]};
        const uint8_t *entry;

        open_bench(&setup);
        assert_ok(nkv_put(&bench.store, nkv_text("key"),
                          (struct nkv_span){value, sizeof value}));
        entry = entry_of(NKV_PLACE_LIVE, "key", 720);
        if (i == 0) {
            memcpy(first, entry, 720);
        }
        assert_memory_equal(entry, first, 720);
        assert_int_equal(bench.sim.counts.programs,
                         (720 + buffers[i] - 1) / buffers[i]);
        close_bench();
    }
}

static void each_copy_is_the_same_entry_in_another_sector(void **state)
{
    struct nkv_bench_setup setup = {NKV_FLASH(512, 6, 16), .copies = 3};
    struct search search;

    (void)state;
    open_bench(&setup);
    assert_ok(nkv_bench_put(&bench, "key", "value"));
    search = find(NKV_PLACE_LIVE, "key");
    assert_int_equal(search.count, 3);
    for (size_t i = 1; i < 3; i++) {
        assert_int_not_equal(search.found[i].sector,
                             search.found[i - 1].sector);
        assert_memory_equal(bench.sim.bytes + search.found[0].offset,
                            bench.sim.bytes + search.found[i].offset, 32);
    }
    close_bench();
}

/* Fills the store around an old entry, so that collection moves it. */
static void collection_copies_an_entry_byte_for_byte(void **state)
{
    struct nkv_bench_setup setup = {NKV_FLASH(512, 3, 16)};
    uint8_t before[32];

    (void)state;
    open_bench(&setup);
    assert_ok(nkv_bench_put(&bench, "still", "here"));
    memcpy(before, entry_of(NKV_PLACE_LIVE, "still", 32), 32);
    for (int i = 0; i < 200; i++) {
        char value[8];

        snprintf(value, sizeof value, "%d", i);
        assert_ok(nkv_bench_put(&bench, "counter", value));
    }
    assert_memory_equal(entry_of(NKV_PLACE_LIVE, "still", 32), before, 32);
    assert_true(nkv_bench_statistics(&bench).entries_relocated > 0);
    close_bench();
}

/* Conformance 43 and 44: another checksum, another alignment, a new id. */
static void full_maintenance_rewrites_in_the_first_format(void **state)
{
    static const uint32_t units[] = {16, 32, 64};
    const struct nkv_format sum = {0x12345678, &nkv_checksum_sum};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct nkv_bench_setup setup = reference_setup;
        uint8_t image[2048], expected[128];
        struct nkv_image entry = {.magic = sum.magic,
                                  .id = 0x9697989A,
                                  .key = nkv_text("key45"),
                                  .value = nkv_text("VALUE!"),
                                  .checksum = NKV_IMAGE_SUM};

        setup.formats[0] = sum;
        setup.formats[1] = reference_setup.formats[0];
        setup.format_count = 2;
        setup.program_unit = units[i];
        memset(image, 0xFF, sizeof image);
        memcpy(image, reference_entry, 32);
        nkv_bench_init(&bench, &setup);
        nkv_flash_sim_load(&bench.sim, image);
        assert_ok(nkv_bench_mount(&bench));
        assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
        entry.alignment_units = (uint8_t)(units[i] / 16 - 1);
        nkv_image_write(&entry, expected);
        assert_memory_equal(
            entry_of(NKV_PLACE_LIVE, "key45", nkv_image_size(&entry)), expected,
            nkv_image_size(&entry));
        close_bench();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_entry_is_written_byte_for_byte),
        cmocka_unit_test(the_reference_entry_is_read),
        cmocka_unit_test(the_reference_tombstone_is_written_byte_for_byte),
        cmocka_unit_test(the_reference_tombstone_is_read),
        cmocka_unit_test(entries_of_program_unit_1_are_right),
        cmocka_unit_test(entries_of_program_unit_8_are_right),
        cmocka_unit_test(entries_of_program_unit_16_are_right),
        cmocka_unit_test(entries_of_program_unit_64_are_right),
        cmocka_unit_test(entries_of_program_unit_256_are_right),
        cmocka_unit_test(entries_without_checksum_have_a_field_of_0),
        cmocka_unit_test(entries_whose_checksum_is_ignored_have_a_field_of_0),
        cmocka_unit_test(entries_with_a_checksum_of_4_bytes_carry_all_of_it),
        cmocka_unit_test(every_small_value_size_pads_to_the_alignment),
        cmocka_unit_test(the_buffers_size_does_not_show_on_flash),
        cmocka_unit_test(each_copy_is_the_same_entry_in_another_sector),
        cmocka_unit_test(collection_copies_an_entry_byte_for_byte),
        cmocka_unit_test(full_maintenance_rewrites_in_the_first_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
