/* Entries that go bad while the store is mounted. */
#include "bench.h"
#include "check.h"
#include "entry_image.h"
#include "results.h"

#include <stdio.h>
#include <string.h>

enum { KEYS = 8, SIZE = 4 * 512 };

static struct nkv_bench bench;

static int set_up(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(512, 4, 16)};

    (void)state;
    nkv_bench_init(&bench, &setup);
    assert_ok(nkv_bench_mount(&bench));
    for (unsigned i = 0; i < KEYS; i++) {
        char key[8];

        snprintf(key, sizeof key, "key%u", i);
        assert_ok(nkv_bench_put(&bench, key, "value"));
    }
    return 0;
}

static int tear_down(void **state)
{
    bool good = nkv_bench_is_sound(&bench);

    (void)state;
    nkv_bench_free(&bench);
    return good ? 0 : -1;
}

static void flip(uint32_t bit)
{
    nkv_flash_sim_poke(&bench.sim, bit / 8,
                       bench.sim.bytes[bit / 8] ^ (uint8_t)(1u << bit % 8));
}

/* Where the entry of a number begins: they follow one another. */
static uint32_t start_of(unsigned number)
{
    for (uint32_t at = 0; at < SIZE; at += 16) {
        const uint8_t *entry = bench.sim.bytes + at;

        if (nkv_image_intact(entry, 512 - at % 512, NKV_DEFAULT_MAGIC) > 0 &&
            entry[19] == '0' + number) {
            return at;
        }
    }
    fail_msg("no entry of key%u", number);
    return 0;
}

/* Iterates; returns which keys came, and fails when one comes twice. */
static unsigned iterate(void)
{
    struct nkv_iterator iterator = {0};
    unsigned seen = 0;

    for (unsigned i = 0; i < 3 * KEYS; i++) {
        enum nkv_status status = nkv_next(&bench.store, &iterator);

        if (status == NKV_NOT_FOUND) {
            return seen;
        }
        if (status == NKV_OK && iterator.key_size == 4 &&
            memcmp(iterator.key, "key", 3) == 0 && iterator.key[3] >= '0' &&
            iterator.key[3] < '0' + KEYS) {
            unsigned bit = 1u << (iterator.key[3] - '0');

            assert_int_equal(seen & bit, 0);
            seen |= bit;
        }
    }
    fail_msg("iteration does not end");
    return 0;
}

static void iteration_passes_a_key_with_a_flipped_bit(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KEYS; i++) {
        uint32_t start = start_of(i);

        for (uint32_t bit = 0; bit < 20 * 8; bit++) {
            unsigned others = ((1u << KEYS) - 1) & ~(1u << i);

            nkv_fault_tried("bit flipped while mounted: iterated");
            flip(start * 8 + bit);
            assert_int_equal(iterate() & others, others);
            flip(start * 8 + bit);
            nkv_fault_survived();
        }
    }
    assert_int_equal(iterate(), (1u << KEYS) - 1);
}

/* Bits that are not part of the value and whose change leaves it right: the
 * upper half of the checksum's field, and the padding behind 25 bytes. */
static bool is_spare(uint32_t bit)
{
    return bit / 16 == 3 || bit / 8 >= 25;
}

static void a_flipped_bit_gives_data_loss_and_no_wrong_value(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KEYS; i++) {
        uint32_t start = start_of(i);
        char key[8];

        snprintf(key, sizeof key, "key%u", i);
        for (uint32_t bit = 0; bit < 32 * 8; bit++) {
            const char *got;

            nkv_fault_tried("bit flipped while mounted: read");
            flip(start * 8 + bit);
            got = nkv_bench_get(&bench, key);
            assert_true(strcmp(got, "(DATA_LOSS)") == 0 ||
                        strcmp(got, "(NOT_FOUND)") == 0 ||
                        (is_spare(bit) && strcmp(got, "value") == 0));
            flip(start * 8 + bit);
            assert_string_equal(nkv_bench_get(&bench, key), "value");
            nkv_fault_survived();
        }
    }
}

/* Each bit of each entry, and then a maintenance that has to meet it. */
static void maintenance_survives_an_entry_that_rotted(void **state)
{
    struct nkv_bench fresh;

    (void)state;
    nkv_bench_init(&fresh, &bench.setup);
    nkv_bench_copy(&fresh, &bench);
    for (unsigned i = 0; i < KEYS; i++) {
        for (uint32_t bit = 0; bit < 32 * 8; bit++) {
            unsigned others = ((1u << KEYS) - 1) & ~(1u << i);

            nkv_fault_tried("bit flipped while mounted: maintained");
            nkv_bench_copy(&bench, &fresh);
            flip(start_of(i) * 8 + bit);
            assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
            assert_int_equal(iterate() & others, others);
            assert_ok(nkv_bench_put(&bench, "new", "value"));
            assert_ok(nkv_bench_mount(&bench));
            assert_int_equal(iterate() & others, others);
            assert_string_equal(nkv_bench_get(&bench, "new"), "value");
            nkv_fault_survived();
        }
    }
    nkv_bench_free(&fresh);
}

/* The same when every entry has to be rewritten in a new format. */
static void an_upgrade_survives_an_entry_that_rotted(void **state)
{
    const struct nkv_bench_setup upgraded = {
        NKV_FLASH(512, 4, 16),
        .formats = {{0x41a2db83, &nkv_checksum_crc16},
                    {NKV_DEFAULT_MAGIC, &nkv_checksum_crc16}},
        .format_count = 2};
    uint8_t image[SIZE];

    (void)state;
    memcpy(image, bench.sim.bytes, SIZE);
    nkv_bench_free(&bench);
    nkv_bench_init(&bench, &upgraded);
    for (unsigned i = 0; i < KEYS; i++) {
        for (uint32_t bit = 0; bit < 32 * 8; bit++) {
            unsigned others = ((1u << KEYS) - 1) & ~(1u << i);

            nkv_fault_tried("bit flipped while mounted: upgraded");
            nkv_flash_sim_load(&bench.sim, image);
            assert_ok(nkv_bench_mount(&bench));
            flip(start_of(i) * 8 + bit);
            assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
            assert_int_equal(iterate() & others, others);
            assert_ok(nkv_bench_mount(&bench));
            assert_int_equal(iterate() & others, others);
            nkv_fault_survived();
        }
    }
}

/* One read of all that a maintenance makes gives a flipped bit, once. */
static void a_bit_misread_once_during_collection_costs_nothing(void **state)
{
    struct nkv_bench fresh;
    uint64_t reads;

    (void)state;
    for (unsigned i = 0; i < KEYS; i += 2) {
        char key[8];

        snprintf(key, sizeof key, "key%u", i);
        assert_ok(nkv_bench_put(&bench, key, "other"));
        assert_ok(nkv_bench_put(&bench, key, "value"));
    }
    nkv_bench_init(&fresh, &bench.setup);
    nkv_bench_copy(&fresh, &bench);
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
    reads = bench.sim.counts.reads - fresh.sim.counts.reads;
    assert_true(reads > 20);
    for (uint32_t skip = 0; skip < reads; skip++) {
        struct nkv_sim_fault fault = {.kind = NKV_SIM_FAULT_FLIPPED_READ,
                                      .size = SIZE,
                                      .times = 1,
                                      .skip = skip,
                                      .mask = (uint8_t)(1u << skip % 8)};

        nkv_fault_tried("bit misread once, collecting");
        nkv_bench_copy(&bench, &fresh);
        nkv_flash_sim_add_fault(&bench.sim, fault);
        (void)!nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY);
        nkv_flash_sim_clear_faults(&bench.sim);
        assert_ok(nkv_bench_mount(&bench));
        for (unsigned i = 0; i < KEYS; i++) {
            char key[8];

            snprintf(key, sizeof key, "key%u", i);
            assert_string_equal(nkv_bench_get(&bench, key), "value");
        }
        nkv_fault_survived();
    }
    nkv_bench_free(&fresh);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(iteration_passes_a_key_with_a_flipped_bit),
        TEST(a_flipped_bit_gives_data_loss_and_no_wrong_value),
        TEST(maintenance_survives_an_entry_that_rotted),
        TEST(an_upgrade_survives_an_entry_that_rotted),
        TEST(a_bit_misread_once_during_collection_costs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
