/* A config that cannot work is refused before the flash is touched. */
#include "bench.h"
#include "check.h"

static struct nkv_bench bench;

static int set_up(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(512, 4, 16)};

    (void)state;
    nkv_bench_init(&bench, &setup);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    nkv_bench_free(&bench);
    return 0;
}

static void expect_invalid(void)
{
    assert_status(nkv_mount(&bench.store, &bench.config), NKV_INVALID_ARGUMENT);
    assert_int_equal(bench.sim.counts.reads, 0);
    assert_int_equal(bench.sim.counts.operations, 0);
    assert_int_equal(bench.sim.violations, 0);
}

static void a_flash_of_one_sector_is_refused(void **state)
{
    (void)state;
    bench.sim.flash.sector_count = 1;
    expect_invalid();
}

static void a_flash_without_sectors_is_refused(void **state)
{
    (void)state;
    bench.sim.flash.sector_count = 0;
    expect_invalid();
}

static void more_sectors_than_memory_is_refused(void **state)
{
    (void)state;
    bench.config.memory.sector_capacity = 3;
    expect_invalid();
}

static void a_program_unit_that_is_no_power_of_two_is_refused(void **state)
{
    static const uint32_t units[] = {0, 3, 12, 48, 96, 512, 1024};

    (void)state;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        bench.sim.flash.program_unit = units[i];
        expect_invalid();
    }
}

static void a_sector_size_that_does_not_fit_is_refused(void **state)
{
    static const uint32_t sizes[] = {0, 16, 500, 520, 0x100000};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        bench.sim.flash.sector_size = sizes[i];
        expect_invalid();
    }
    bench.sim.flash.sector_size = 528;
    bench.sim.flash.program_unit = 32;
    expect_invalid();
}

static void as_many_copies_as_sectors_is_refused(void **state)
{
    (void)state;
    bench.config.copies = 4;
    expect_invalid();
    bench.config.copies = NKV_COPIES_MAX + 1;
    expect_invalid();
}

static void too_small_an_index_is_refused(void **state)
{
    (void)state;
    bench.config.memory.index_words--;
    expect_invalid();
    bench.config.memory.index_words = 0;
    expect_invalid();
}

static void a_buffer_that_does_not_fit_is_refused(void **state)
{
    static const size_t sizes[] = {0, 8, 15, 24, 40};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        bench.config.memory.buffer_size = sizes[i];
        expect_invalid();
    }
    bench.sim.flash.program_unit = 64;
    bench.config.memory.buffer_size = 32;
    expect_invalid();
}

static void no_keys_is_refused(void **state)
{
    (void)state;
    bench.config.max_keys = 0;
    expect_invalid();
}

static void missing_pointers_are_refused(void **state)
{
    struct nkv_config good = bench.config;

    (void)state;
    bench.config.memory.buffer = NULL;
    expect_invalid();
    bench.config = good;
    bench.config.flash = NULL;
    expect_invalid();
}

static void the_erased_pattern_is_no_magic(void **state)
{
    static const struct nkv_format formats[] = {
        {0x12345678, &nkv_checksum_crc16}, {0xFFFFFFFF, &nkv_checksum_crc16}};

    (void)state;
    bench.config.formats = formats;
    bench.config.format_count = 2;
    expect_invalid();
}

static void zero_means_one_copy_and_the_default_format(void **state)
{
    (void)state;
    bench.config.copies = 0;
    bench.config.formats = NULL;
    bench.config.format_count = 0;
    assert_ok(nkv_bench_mount(&bench));
    assert_ok(nkv_bench_put(&bench, "key", "value"));
    assert_int_equal(nkv_bench_statistics(&bench).live_bytes, 32);
    assert_int_equal(nkv_transaction_count(&bench.store), 1);
}

static void a_store_that_is_not_mounted_refuses_everything(void **state)
{
    struct nkv_iterator iterator = {0};
    struct nkv_value value;
    bool more = true;

    (void)state;
    bench.sim.flash.sector_count = 1;
    expect_invalid();
    bench.sim.flash.sector_count = 4;
    assert_status(nkv_bench_put(&bench, "k", "v"), NKV_FAILED_PRECONDITION);
    assert_status(nkv_bench_delete(&bench, "k"), NKV_FAILED_PRECONDITION);
    assert_string_equal(nkv_bench_get(&bench, "k"), "(FAILED_PRECONDITION)");
    assert_status(nkv_describe(&bench.store, nkv_text("k"), &value),
                  NKV_FAILED_PRECONDITION);
    assert_status(nkv_next(&bench.store, &iterator), NKV_FAILED_PRECONDITION);
    assert_status(nkv_step(&bench.store, &more), NKV_FAILED_PRECONDITION);
    assert_status(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL),
                  NKV_FAILED_PRECONDITION);
    assert_status(nkv_erase_all(&bench.store), NKV_FAILED_PRECONDITION);
    assert_int_equal(bench.sim.counts.reads, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flash_of_one_sector_is_refused),
        TEST(a_flash_without_sectors_is_refused),
        TEST(more_sectors_than_memory_is_refused),
        TEST(a_program_unit_that_is_no_power_of_two_is_refused),
        TEST(a_sector_size_that_does_not_fit_is_refused),
        TEST(as_many_copies_as_sectors_is_refused),
        TEST(too_small_an_index_is_refused),
        TEST(a_buffer_that_does_not_fit_is_refused),
        TEST(no_keys_is_refused),
        TEST(missing_pointers_are_refused),
        TEST(the_erased_pattern_is_no_magic),
        TEST(zero_means_one_copy_and_the_default_format),
        TEST(a_store_that_is_not_mounted_refuses_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
