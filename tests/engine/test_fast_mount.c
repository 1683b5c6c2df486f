/* Mounting that reads headers and keys only: the same keys, torn entries found,
 * and rot in a value found when it is read or moved. */
#include "check.h"
#include "golden.h"
#include "load.h"

#include <norkv/survey.h>
#include <stdio.h>
#include <string.h>

static struct nkv_bench bench, twin;

static void close_bench(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
}

static enum nkv_status mount_fast(void)
{
    bench.config.fast_mount = true;
    return nkv_bench_mount(&bench);
}

/* Damage that nothing but the checksum of an entry in the middle of a sector
 * tells: in its value, its id, its checksum, or in padding that is no longer
 * its own. */
static bool has_hidden_rot(const char *image)
{
    static const char *const images[] = {"flip_alignment", "flip_all",
                                         "flip_checksum_lo", "flip_txid",
                                         "flip_value"};

    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        if (strcmp(image, images[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A key that a whole mount drops is listed, but has no value. */
static void check_rotten_keys(const struct nkv_model *keys)
{
    struct nkv_iterator iterator = {0};
    uint32_t rotten = 0;

    while (nkv_next(&bench.store, &iterator) == NKV_OK) {
        struct nkv_span key = {iterator.key, iterator.key_size};
        struct nkv_value value;

        if (nkv_model_find(keys, key) == NULL) {
            enum nkv_status status = nkv_describe(&bench.store, key, &value);

            assert_true(status == NKV_DATA_LOSS || status == NKV_NOT_FOUND);
            rotten++;
        }
    }
    assert_true(nkv_bench_statistics(&bench).keys <= keys->count + rotten);
    for (size_t i = 0; i < keys->count; i++) {
        const struct nkv_model_entry *entry = &keys->entries[i];
        struct nkv_span key = {entry->key, entry->key_size};

        assert_true(nkv_store_gives(&bench.store, key, nkv_model_value(entry)));
    }
}

static void check_image(const struct nkv_golden *golden)
{
    struct nkv_model keys = {0};
    enum nkv_status status;

    if (nkv_bench_mount(&twin) == NKV_OK) {
        assert_ok(nkv_model_read(&keys, &twin.store));
        assert_ok(mount_fast());
        if (has_hidden_rot(golden->name)) {
            check_rotten_keys(&keys);
        } else {
            assert_true(nkv_model_agrees(&keys, &bench.store));
            assert_int_equal(nkv_transaction_count(&bench.store),
                             nkv_transaction_count(&twin.store));
        }
        assert_true(nkv_load_settle(&bench));
        assert_true(nkv_load_settle(&twin));
        status = nkv_bench_put(&bench, "x", "y");
        assert_status(nkv_bench_put(&twin, "x", "y"), status);
        if (status == NKV_OK) {
            nkv_model_put(&keys, nkv_text("x"), nkv_text("y"));
        }
        check_rotten_keys(&keys);
        assert_ok(mount_fast());
        check_rotten_keys(&keys);
    }
    nkv_model_free(&keys);
}

/* What a whole mount gives is held against the images by test_golden. */
static void golden_images_give_the_same_keys_fast(void **state)
{
    static char names[NKV_GOLDEN_COUNT_MAX][NKV_GOLDEN_NAME_MAX];
    size_t count = nkv_golden_list(names, NKV_GOLDEN_COUNT_MAX);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct nkv_golden golden;

        nkv_golden_load(&golden, names[i]);
        nkv_golden_bench(&golden, &bench);
        nkv_golden_bench(&golden, &twin);
        check_image(&golden);
        close_bench();
        nkv_bench_free(&twin);
        nkv_golden_free(&golden);
    }
}

static const struct nkv_bench_setup setups[] = {
    {NKV_FLASH(512, 4, 16)},
    {NKV_FLASH(512, 6, 1)},
    {NKV_FLASH(512, 6, 64)},
    {NKV_FLASH(512, 6, 16), .copies = 2},
};

enum { SETUPS = sizeof setups / sizeof *setups, KEYS = 14 };

/* The last of count puts, over all keys in turn, that was to this one. */
static uint32_t last_put(uint32_t count, uint32_t number)
{
    return number + (count - 1 - number) / KEYS * KEYS;
}

/* Puts, the last of them cut at an operation. Returns whether the cut came. */
static bool run_cut(const struct nkv_bench_setup *setup, uint64_t at,
                    enum nkv_sim_cut_kind kind)
{
    struct nkv_sim_cut cut = {kind, at,
                              kind == NKV_SIM_CUT_TORN ? (uint32_t)(at % 7) : 0,
                              (uint32_t)at};
    bool is_off;

    nkv_bench_init(&bench, setup);
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < 40; i++) {
        assert_ok(nkv_load_put(&bench, i % KEYS, i));
    }
    nkv_flash_sim_cut(&bench.sim, cut);
    for (uint32_t i = 0; i < KEYS && !bench.sim.is_off; i++) {
        (void)!nkv_load_put(&bench, i, 100);
    }
    is_off = bench.sim.is_off;
    nkv_flash_sim_power_on(&bench.sim);
    return is_off;
}

/* The salt of the value that a key has. */
static uint32_t salt_of(uint32_t number)
{
    char text[NKV_LOAD_KEY_SIZE + 1];
    uint8_t bytes[NKV_LOAD_VALUE_SIZE];
    struct nkv_buffer to = {bytes, sizeof bytes};

    assert_ok(nkv_get(&bench.store, nkv_load_key(number, text), 0, to, NULL));
    return nkv_load_le32(bytes + 4);
}

/* Each key has its old value or the new one, in order, and the store works. */
static void check_after_cut(void)
{
    uint32_t done = 0;

    assert_ok(mount_fast());
    while (done < KEYS && salt_of(done) == 100) {
        assert_true(nkv_load_gives(&bench, done++, 100));
    }
    for (uint32_t i = done; i < KEYS; i++) {
        assert_true(nkv_load_gives(&bench, i, last_put(40, i)));
    }
    assert_true(nkv_load_settle(&bench));
    for (uint32_t i = 0; i < 60; i++) {
        assert_ok(nkv_load_put(&bench, i % KEYS, 200 + i));
    }
    assert_ok(mount_fast());
    for (uint32_t i = 0; i < KEYS; i++) {
        assert_true(nkv_load_gives(&bench, i, 200 + last_put(60, i)));
    }
}

static void what_a_cut_tore_is_found_fast(void **state)
{
    static const enum nkv_sim_cut_kind kinds[] = {
        NKV_SIM_CUT_BEFORE, NKV_SIM_CUT_AFTER, NKV_SIM_CUT_TORN,
        NKV_SIM_CUT_RANDOM};

    (void)state;
    for (size_t i = 0; i < SETUPS * 4; i++) {
        bool is_cut = true;

        for (uint64_t at = 1; is_cut; at++) {
            is_cut = run_cut(&setups[i / 4], at, kinds[i % 4]);
            check_after_cut();
            close_bench();
        }
    }
}

struct finding {
    struct nkv_span key;
    uint32_t offsets[4];
    uint32_t count;
};

static bool note(void *context, const struct nkv_place *place)
{
    struct finding *finding = context;

    if (place->kind == NKV_PLACE_LIVE && place->key_size == finding->key.size &&
        memcmp(place->key, finding->key.data, place->key_size) == 0) {
        finding->offsets[finding->count++] = place->offset;
    }
    return true;
}

/* Makes a bit of a key's value rot in its first copies. */
static void rot(uint32_t number, uint32_t copies)
{
    char text[NKV_LOAD_KEY_SIZE + 1];
    struct finding finding = {.key = nkv_load_key(number, text)};

    assert_ok(nkv_survey(&bench.store, note, &finding));
    assert_true(finding.count >= copies);
    for (uint32_t i = 0; i < copies; i++) {
        uint32_t at = finding.offsets[i] + 16 + NKV_LOAD_KEY_SIZE + 20;

        nkv_flash_sim_poke(&bench.sim, at, bench.sim.bytes[at] ^ 8);
    }
}

static void check_is_lost(uint32_t number)
{
    char text[NKV_LOAD_KEY_SIZE + 1];
    struct nkv_value value;

    assert_status(
        nkv_describe(&bench.store, nkv_load_key(number, text), &value),
        NKV_DATA_LOSS);
    /* It is told once. */
    assert_status(
        nkv_describe(&bench.store, nkv_load_key(number, text), &value),
        NKV_NOT_FOUND);
}

static void open_with_rot(const struct nkv_bench_setup *setup, uint32_t number)
{
    nkv_bench_init(&bench, setup);
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < KEYS; i++) {
        assert_ok(nkv_load_put(&bench, i, i));
    }
    rot(number, bench.setup.copies);
    assert_ok(mount_fast());
}

static void check_others(uint32_t number)
{
    for (uint32_t i = 0; i < KEYS; i++) {
        assert_true(i == number || nkv_load_gives(&bench, i, i));
    }
}

static void a_rotten_value_costs_its_key_alone(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SETUPS * 4; i++) {
        uint32_t number = i / SETUPS;

        open_with_rot(&setups[i % SETUPS], number);
        check_others(number);
        check_is_lost(number);
        assert_true(nkv_bench_statistics(&bench).corrupt_entries > 0);
        check_others(number);
        assert_ok(nkv_load_put(&bench, number, 50));
        assert_true(nkv_load_gives(&bench, number, 50));
        assert_true(nkv_load_settle(&bench));
        check_others(number);
        assert_ok(nkv_bench_mount(&bench));
        assert_true(nkv_load_gives(&bench, number, 50));
        check_others(number);
        close_bench();
    }
}

/* Before anything read it. */
static void a_rotten_value_is_overwritten_or_deleted(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SETUPS * 2; i++) {
        open_with_rot(&setups[i / 2], 1);
        if (i % 2) {
            assert_ok(nkv_load_put(&bench, 1, 1));
            assert_true(nkv_load_gives(&bench, 1, 1));
        } else {
            assert_ok(nkv_load_delete(&bench, 1));
        }
        assert_ok(nkv_bench_mount(&bench));
        assert_int_equal(nkv_bench_statistics(&bench).keys, KEYS - (i + 1) % 2);
        check_others(1);
        close_bench();
    }
}

/* Neither as it is, nor under a new checksum: what cannot be read before cannot
 * be read behind it. */
static void no_collection_makes_rot_good(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SETUPS * 3; i++) {
        char text[NKV_LOAD_KEY_SIZE + 1];
        struct nkv_value value;
        enum nkv_status status;

        open_with_rot(&setups[i / 3], 1);
        if (i % 3 == 0) {
            assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
        }
        for (uint32_t j = 0; j < 150 && i % 3 == 1; j++) {
            assert_ok(nkv_load_put(&bench, 100, j));
        }
        if (i % 3 == 2) {
            assert_true(nkv_load_settle(&bench));
        }
        status = nkv_describe(&bench.store, nkv_load_key(1, text), &value);
        assert_true(status == NKV_DATA_LOSS || status == NKV_NOT_FOUND);
        check_others(1);
        bench.config.fast_mount = false;
        assert_ok(nkv_bench_mount(&bench));
        assert_status(nkv_describe(&bench.store, nkv_load_key(1, text), &value),
                      NKV_NOT_FOUND);
        check_others(1);
        close_bench();
    }
}

static void no_upgrade_of_the_format_makes_rot_good(void **state)
{
    const struct nkv_bench_setup formats = {
        NKV_FLASH(512, 6, 16),
        .formats = {{0x600df00d, &nkv_checksum_crc16},
                    {0x41a2db83, &nkv_checksum_crc16}},
        .format_count = 2};
    char text[NKV_LOAD_KEY_SIZE + 1];
    struct nkv_format swapped[2];
    struct nkv_value value;

    (void)state;
    open_with_rot(&formats, 2);
    swapped[0] = formats.formats[1];
    swapped[1] = formats.formats[0];
    bench.config.formats = swapped;
    assert_ok(mount_fast());
    (void)!nkv_maintain(&bench.store, NKV_MAINTAIN_FULL);
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
    check_others(2);
    bench.config.fast_mount = false;
    assert_ok(nkv_bench_mount(&bench));
    assert_status(nkv_describe(&bench.store, nkv_load_key(2, text), &value),
                  NKV_NOT_FOUND);
    check_others(2);
    close_bench();
}

/* Of two copies one rots; a collection goes on with the other. */
static void a_copy_that_rots_is_made_anew_from_the_other(void **state)
{
    (void)state;
    nkv_bench_init(&bench, &setups[3]);
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < KEYS; i++) {
        assert_ok(nkv_load_put(&bench, i, i));
    }
    rot(1, 1);
    assert_ok(mount_fast());
    assert_true(nkv_load_gives(&bench, 1, 1));
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
    assert_int_equal(nkv_bench_statistics(&bench).missing_copies, 0);
    assert_int_equal(nkv_bench_statistics(&bench).entries_lost, 0);
    rot(1, 1);
    assert_true(nkv_load_gives(&bench, 1, 1));
    check_others(KEYS);
    close_bench();
}

static void fail_reads(uint32_t offset, uint32_t size, uint32_t times)
{
    const struct nkv_sim_fault fault = {NKV_SIM_FAULT_READ, offset, size,
                                        .status = NKV_UNAVAILABLE,
                                        .times = times};

    nkv_flash_sim_add_fault(&bench.sim, fault);
}

/* Idle work that may take what is not known for what is not there. */
static void work_idly(void)
{
    bool more = true;

    for (int i = 0; i < 100 && more; i++) {
        (void)!nkv_step(&bench.store, &more);
    }
}

/* Reads that fail for a while, in a put, a delete, a get that finds rot and
 * each kind of maintenance: no key is lost, whatever the store is asked to do
 * afterwards. */
static void no_outage_of_reads_loses_a_key(void **state)
{
    (void)state;
    for (uint32_t times = 1; times <= 24; times++) {
        for (int what = 0; what < 6; what++) {
            char text[NKV_LOAD_KEY_SIZE + 1];
            struct nkv_span key = nkv_load_key(2, text);
            struct nkv_value value;

            open_with_rot(&setups[0], 2);
            fail_reads(0, 4 * 512, times);
            if (what == 0) {
                (void)!nkv_load_put(&bench, 2, 2);
            } else if (what == 1) {
                (void)!nkv_delete(&bench.store, key);
            } else if (what == 2) {
                (void)!nkv_describe(&bench.store, key, &value);
            } else {
                (void)!nkv_maintain(&bench.store,
                                    (enum nkv_maintenance_kind)(what - 3));
            }
            work_idly();
            nkv_flash_sim_clear_faults(&bench.sim);
            work_idly();
            bench.config.fast_mount = false;
            assert_ok(nkv_bench_mount(&bench));
            check_others(2);
            close_bench();
        }
    }
}

/* What could not be read anew is not taken for empty. */
static void a_store_that_cannot_be_read_anew_says_so(void **state)
{
    char text[NKV_LOAD_KEY_SIZE + 1];
    struct nkv_value value;

    (void)state;
    open_with_rot(&setups[0], 2);
    fail_reads(512, 512, 0);
    assert_status(nkv_describe(&bench.store, nkv_load_key(2, text), &value),
                  NKV_DATA_LOSS);
    assert_status(nkv_describe(&bench.store, nkv_load_key(3, text), &value),
                  NKV_FAILED_PRECONDITION);
    nkv_flash_sim_clear_faults(&bench.sim);
    assert_ok(nkv_bench_mount(&bench));
    check_others(2);
    close_bench();
}

/* Ids near the end of their range are refreshed after a fast mount as after any
 * other: puts that collect nothing yet do not use a turn up. */
static void ids_are_refreshed_after_a_fast_mount(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(512, 8, 16),
                                          .first_id = 0xFEFFFFC0};
    struct nkv_iterator iterator = {0};
    uint32_t keys = 0;

    (void)state;
    nkv_bench_init(&bench, &setup);
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < 30; i++) {
        assert_ok(nkv_load_put(&bench, i, i));
    }
    for (uint32_t i = 0; bench.store.next_id < 0xFF000000; i++) {
        assert_ok(nkv_load_put(&bench, 0, i));
    }
    assert_ok(mount_fast());
    for (uint32_t i = 0; i < 3; i++) {
        assert_ok(nkv_load_put(&bench, 0, i));
    }
    work_idly();
    while (nkv_next(&bench.store, &iterator) == NKV_OK) {
        assert_true(iterator.value.version >= 0xFF000000);
        keys++;
    }
    assert_int_equal(keys, 30);
    close_bench();
}

/* How many bytes a mount reads. */
static uint64_t read_by_mount(bool fast)
{
    uint64_t before = bench.sim.counts.read_bytes;

    bench.config.fast_mount = fast;
    assert_ok(nkv_bench_mount(&bench));
    return bench.sim.counts.read_bytes - before;
}

static void a_store_without_room_for_all_copies_mounts_fast_too(void **state)
{
    const struct nkv_bench_setup one = {NKV_FLASH(4096, 8, 16),
                                        .max_keys = 512};
    const struct nkv_bench_setup two = {NKV_FLASH(4096, 8, 16), .max_keys = 512,
                                        .copies = 2};
    static uint8_t image[8 * 4096];

    (void)state;
    nkv_bench_init(&bench, &one);
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < nkv_load_count(&bench, 70); i++) {
        assert_ok(nkv_load_put(&bench, i, 0));
    }
    memcpy(image, bench.sim.bytes, sizeof image);
    close_bench();
    nkv_bench_init(&bench, &two);
    nkv_flash_sim_load(&bench.sim, image);
    (void)read_by_mount(false);
    assert_true(nkv_bench_statistics(&bench).missing_copies > 0);
    assert_true(read_by_mount(true) < read_by_mount(false));
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_images_give_the_same_keys_fast),
        cmocka_unit_test(what_a_cut_tore_is_found_fast),
        cmocka_unit_test(a_rotten_value_costs_its_key_alone),
        cmocka_unit_test(a_rotten_value_is_overwritten_or_deleted),
        cmocka_unit_test(no_collection_makes_rot_good),
        cmocka_unit_test(no_upgrade_of_the_format_makes_rot_good),
        cmocka_unit_test(a_copy_that_rots_is_made_anew_from_the_other),
        cmocka_unit_test(no_outage_of_reads_loses_a_key),
        cmocka_unit_test(a_store_that_cannot_be_read_anew_says_so),
        cmocka_unit_test(ids_are_refreshed_after_a_fast_mount),
        cmocka_unit_test(a_store_without_room_for_all_copies_mounts_fast_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
