/* Checksums: the numbers, and what each makes of an entry. */
#include "bench.h"
#include "check.h"
#include "entry_image.h"

#include <stdio.h>
#include <string.h>

enum { SECTOR = 512, SIZE = 4 * SECTOR };

static uint32_t crc16_of(const char *text, size_t size)
{
    const struct nkv_checksum *crc = &nkv_checksum_crc16;

    return crc->update(crc->initial, (const uint8_t *)text, size);
}

static void crc16_of_the_check_string_is_29b1(void **state)
{
    (void)state;
    assert_int_equal(nkv_checksum_crc16.size, 2);
    assert_int_equal(crc16_of("123456789", 9), 0x29B1);
    assert_int_equal(crc16_of("", 0), 0xFFFF);
    assert_int_equal(crc16_of("", 1), 0xE1F0);
}

static void crc16_does_not_depend_on_the_pieces(void **state)
{
    const struct nkv_checksum *crc = &nkv_checksum_crc16;
    uint8_t bytes[300];
    uint32_t whole;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    whole = crc->update(crc->initial, bytes, sizeof bytes);
    assert_int_equal(whole, nkv_image_crc16(bytes, sizeof bytes));
    for (size_t cut = 0; cut <= sizeof bytes; cut += 13) {
        uint32_t first = crc->update(crc->initial, bytes, cut);

        assert_int_equal(crc->update(first, bytes + cut, sizeof bytes - cut),
                         whole);
    }
}

/* What a store with this checksum makes of an image with one entry, and with
 * a change at an offset of it. */
static const char *read_changed(const struct nkv_checksum *checksum,
                                enum nkv_image_checksum kind, size_t offset,
                                uint8_t change)
{
    static char result[64];
    const struct nkv_bench_setup setup = {
        NKV_FLASH(SECTOR, 4, 16), .formats = {{0x11223344, checksum}},
        .format_count = 1, .manual_repair = true};
    struct nkv_image entry = {.magic = 0x11223344,
                              .id = 1,
                              .key = nkv_text("key"),
                              .value = nkv_text("value"),
                              .checksum = kind};
    struct nkv_bench bench;
    uint8_t image[SIZE];
    enum nkv_status status;

    memset(image, 0xFF, sizeof image);
    nkv_image_write(&entry, image);
    image[offset] ^= change;
    nkv_bench_init(&bench, &setup);
    nkv_flash_sim_load(&bench.sim, image);
    status = nkv_bench_mount(&bench);
    snprintf(result, sizeof result, "%s", nkv_bench_get(&bench, "key"));
    assert_status(status, result[0] == '(' ? NKV_DATA_LOSS : NKV_OK);
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
    return result;
}

static const char *read_crc16(size_t offset, uint8_t change)
{
    return read_changed(&nkv_checksum_crc16, NKV_IMAGE_CRC16, offset, change);
}

static void crc16_minds_all_but_the_upper_half_of_its_field(void **state)
{
    (void)state;
    assert_string_equal(read_crc16(0, 0), "value");
    for (size_t offset = 0; offset < 32; offset++) {
        bool is_free = offset == 6 || offset == 7;

        assert_string_equal(read_crc16(offset, 0x40),
                            is_free ? "value" : "(NOT_FOUND)");
    }
}

static void a_checksum_of_4_bytes_minds_all_of_its_field(void **state)
{
    (void)state;
    for (size_t offset = 0; offset < 32; offset++) {
        assert_string_equal(
            read_changed(&nkv_checksum_sum, NKV_IMAGE_SUM, offset, 0x40),
            "(NOT_FOUND)");
    }
}

static void without_a_checksum_the_field_must_be_0(void **state)
{
    (void)state;
    for (size_t offset = 4; offset < 8; offset++) {
        assert_string_equal(
            read_changed(&nkv_checksum_none, NKV_IMAGE_NONE, offset, 0x01),
            "(NOT_FOUND)");
    }
    assert_string_equal(
        read_changed(&nkv_checksum_none, NKV_IMAGE_NONE, 19, 0x01), "walue");
}

static void an_ignored_field_may_be_anything(void **state)
{
    (void)state;
    for (size_t offset = 4; offset < 8; offset++) {
        assert_string_equal(
            read_changed(&nkv_checksum_ignore, NKV_IMAGE_NONE, offset, 0xFF),
            "value");
    }
}

/* Even where the checksum counts it in: such an entry was never written. */
static void padding_that_is_not_zero_is_corrupt(void **state)
{
    (void)state;
    for (size_t offset = 24; offset < 32; offset++) {
        const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, 4, 16)};
        struct nkv_image entry = {.magic = NKV_DEFAULT_MAGIC,
                                  .id = 1,
                                  .key = nkv_text("key"),
                                  .value = nkv_text("value")};
        struct nkv_bench bench;
        uint8_t image[SIZE];

        memset(image, 0xFF, sizeof image);
        nkv_image_write(&entry, image);
        image[offset] = 1;
        nkv_image_seal(image, 32);
        nkv_bench_init(&bench, &setup);
        nkv_flash_sim_load(&bench.sim, image);
        assert_ok(nkv_bench_mount(&bench));
        assert_string_equal(nkv_bench_get(&bench, "key"), "(NOT_FOUND)");
        assert_true(nkv_bench_is_sound(&bench));
        nkv_bench_free(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc16_of_the_check_string_is_29b1),
        cmocka_unit_test(crc16_does_not_depend_on_the_pieces),
        cmocka_unit_test(crc16_minds_all_but_the_upper_half_of_its_field),
        cmocka_unit_test(a_checksum_of_4_bytes_minds_all_of_its_field),
        cmocka_unit_test(without_a_checksum_the_field_must_be_0),
        cmocka_unit_test(an_ignored_field_may_be_anything),
        cmocka_unit_test(padding_that_is_not_zero_is_corrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
