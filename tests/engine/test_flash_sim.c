/* The flash simulator holds stores to the rules, and fails as it is told. */
#include "check.h"
#include "flash_sim.h"

#include <string.h>

enum { SECTOR = 512, SECTORS = 3, UNIT = 16 };

static struct nkv_flash_sim sim;

static int set_up(void **state)
{
    (void)state;
    nkv_flash_sim_init(&sim, SECTOR, SECTORS, UNIT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    nkv_flash_sim_free(&sim);
    return 0;
}

static enum nkv_status program(uint32_t offset, uint8_t byte, size_t size)
{
    uint8_t bytes[2 * SECTOR];

    memset(bytes, byte, sizeof bytes);
    return sim.flash.program(sim.flash.context, offset, bytes, size);
}

static enum nkv_status read_into(uint32_t offset, uint8_t *to, size_t size)
{
    return sim.flash.read(sim.flash.context, offset, to, size);
}

static enum nkv_status erase(uint32_t sector)
{
    return sim.flash.erase(sim.flash.context, sector);
}

static uint8_t byte_at(uint32_t offset)
{
    uint8_t byte = 0;

    assert_ok(read_into(offset, &byte, 1));
    return byte;
}

/* Cuts the power at the next operation. */
static void cut_next(enum nkv_sim_cut_kind kind, uint32_t amount, uint32_t seed)
{
    struct nkv_sim_cut cut = {kind, 1, amount, seed};

    nkv_flash_sim_cut(&sim, cut);
}

static void a_new_flash_reads_erased(void **state)
{
    uint8_t bytes[SECTORS * SECTOR];

    (void)state;
    assert_ok(read_into(0, bytes, sizeof bytes));
    for (size_t i = 0; i < sizeof bytes; i++) {
        assert_int_equal(bytes[i], 0xFF);
    }
}

static void what_is_programmed_reads_back_until_erased(void **state)
{
    (void)state;
    assert_ok(program(SECTOR, 0x5A, 32));
    assert_int_equal(byte_at(SECTOR - 1), 0xFF);
    assert_int_equal(byte_at(SECTOR), 0x5A);
    assert_int_equal(byte_at(SECTOR + 31), 0x5A);
    assert_int_equal(byte_at(SECTOR + 32), 0xFF);
    assert_ok(erase(1));
    assert_int_equal(byte_at(SECTOR), 0xFF);
    assert_ok(program(SECTOR, 0x33, 16));
    assert_int_equal(byte_at(SECTOR), 0x33);
    assert_int_equal(sim.violations, 0);
}

static void a_second_program_of_a_unit_is_refused_and_counted(void **state)
{
    (void)state;
    assert_ok(program(16, 0x5A, 16));
    assert_status(program(16, 0x00, 16), NKV_INTERNAL);
    assert_status(program(0, 0x00, 32), NKV_INTERNAL);
    assert_int_equal(sim.violations, 2);
    assert_int_equal(byte_at(0), 0xFF);
    assert_int_equal(byte_at(16), 0x5A);
}

static void a_unit_programmed_with_ff_counts_as_programmed(void **state)
{
    (void)state;
    assert_ok(program(0, 0xFF, 16));
    assert_status(program(0, 0x00, 16), NKV_INTERNAL);
    assert_int_equal(sim.violations, 1);
}

static void unaligned_and_out_of_range_calls_are_refused(void **state)
{
    uint8_t bytes[2];

    (void)state;
    assert_status(program(8, 0, 16), NKV_INTERNAL);
    assert_status(program(0, 0, 8), NKV_INTERNAL);
    assert_status(program(0, 0, 0), NKV_INTERNAL);
    assert_status(program(SECTORS * SECTOR, 0, 16), NKV_INTERNAL);
    assert_status(program(SECTOR - 16, 0, 32), NKV_INTERNAL);
    assert_status(read_into(SECTORS * SECTOR - 1, bytes, 2), NKV_INTERNAL);
    assert_status(read_into(0xFFFFFFFF, bytes, 2), NKV_INTERNAL);
    assert_status(erase(SECTORS), NKV_INTERNAL);
    assert_int_equal(sim.violations, 8);
    assert_int_equal(sim.counts.operations, 0);
}

static void calls_and_bytes_are_counted(void **state)
{
    uint8_t bytes[40];

    (void)state;
    assert_ok(read_into(3, bytes, 40));
    assert_ok(read_into(0, bytes, 2));
    assert_ok(program(0, 1, 48));
    assert_ok(erase(2));
    assert_ok(erase(2));
    assert_int_equal(sim.counts.reads, 2);
    assert_int_equal(sim.counts.read_bytes, 42);
    assert_int_equal(sim.counts.programs, 1);
    assert_int_equal(sim.counts.programmed_bytes, 48);
    assert_int_equal(sim.counts.erases, 2);
    assert_int_equal(sim.counts.operations, 5);
    assert_int_equal(sim.erases[2], 2);
    assert_int_equal(sim.erases[0], 0);
}

static void the_power_goes_at_the_operation_asked_for(void **state)
{
    struct nkv_sim_cut cut = {NKV_SIM_CUT_BEFORE, 3, 0, 0};
    uint8_t byte;

    (void)state;
    nkv_flash_sim_cut(&sim, cut);
    assert_ok(program(0, 1, 16));
    assert_status(program(16, 1, 48), NKV_UNAVAILABLE);
    assert_status(read_into(0, &byte, 1), NKV_UNAVAILABLE);
    assert_status(program(SECTOR, 1, 16), NKV_UNAVAILABLE);
    assert_status(erase(0), NKV_UNAVAILABLE);
    nkv_flash_sim_power_on(&sim);
    assert_int_equal(byte_at(16), 1);
    assert_int_equal(byte_at(32), 0xFF);
    assert_int_equal(byte_at(48), 0xFF);
    assert_int_equal(sim.violations, 0);
}

static void a_cut_after_leaves_the_whole_unit(void **state)
{
    (void)state;
    cut_next(NKV_SIM_CUT_AFTER, 0, 0);
    assert_status(program(0, 0x42, 32), NKV_UNAVAILABLE);
    nkv_flash_sim_power_on(&sim);
    assert_int_equal(byte_at(15), 0x42);
    assert_int_equal(byte_at(16), 0xFF);
    assert_status(program(0, 0, 16), NKV_INTERNAL);
}

static void a_torn_unit_is_a_prefix_and_a_part_of_the_next_byte(void **state)
{
    unsigned kinds_of_byte = 0;
    uint8_t last = 0;

    (void)state;
    for (uint32_t seed = 0; seed < 20; seed++) {
        assert_ok(erase(0));
        cut_next(NKV_SIM_CUT_TORN, 5, seed);
        assert_status(program(0, 0x0F, 32), NKV_UNAVAILABLE);
        nkv_flash_sim_power_on(&sim);
        assert_int_equal(byte_at(4), 0x0F);
        assert_int_equal(byte_at(5) & 0x0F, 0x0F);
        assert_int_equal(byte_at(6), 0xFF);
        assert_int_equal(sim.states[0], NKV_SIM_TORN);
        kinds_of_byte += byte_at(5) != last;
        last = byte_at(5);
    }
    assert_true(kinds_of_byte > 5);
    assert_status(program(0, 0, 16), NKV_INTERNAL);
}

static void a_weak_unit_reads_differently_until_it_is_erased(void **state)
{
    unsigned changes = 0;
    uint8_t last = 0;

    (void)state;
    cut_next(NKV_SIM_CUT_WEAK, 0, 7);
    assert_status(program(0, 0x00, 16), NKV_UNAVAILABLE);
    nkv_flash_sim_power_on(&sim);
    for (int i = 0; i < 50; i++) {
        for (uint32_t at = 0; at < UNIT; at++) {
            changes += byte_at(at) != last;
            last = byte_at(at);
        }
    }
    assert_true(changes > 50);
    assert_int_equal(sim.states[0], NKV_SIM_WEAK);
    assert_int_equal(byte_at(16), 0xFF);
    assert_ok(erase(0));
    assert_int_equal(byte_at(0), 0xFF);
    assert_ok(program(0, 0x00, 16));
    assert_int_equal(byte_at(3), 0x00);
}

static void a_weak_unit_is_settled_by_programming_it(void **state)
{
    uint8_t first;

    (void)state;
    cut_next(NKV_SIM_CUT_WEAK, 1, 7);
    assert_status(program(0, 0x00, 16), NKV_UNAVAILABLE);
    nkv_flash_sim_power_on(&sim);
    assert_ok(program(0, 0xF0, 16));
    first = byte_at(2);
    assert_int_equal(first & 0x0F, 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(byte_at(2), first);
    }
    assert_int_equal(sim.violations, 0);
    assert_status(program(0, 0x00, 16), NKV_INTERNAL);
}

static void a_half_erased_sector_takes_no_program(void **state)
{
    (void)state;
    assert_ok(program(0, 0x11, 64));
    cut_next(NKV_SIM_CUT_TORN, 40, 0);
    assert_status(erase(0), NKV_UNAVAILABLE);
    nkv_flash_sim_power_on(&sim);
    assert_int_equal(byte_at(39), 0xFF);
    assert_int_equal(byte_at(40), 0x11);
    assert_status(program(0, 0, 16), NKV_INTERNAL);
    assert_status(program(128, 0, 16), NKV_INTERNAL);
    assert_ok(erase(0));
    assert_ok(program(0, 0, 16));
}

static void an_erase_cut_behind_the_last_byte_is_an_erase(void **state)
{
    (void)state;
    assert_ok(program(0, 0x11, 32));
    cut_next(NKV_SIM_CUT_TORN, 32, 0);
    assert_status(erase(0), NKV_UNAVAILABLE);
    nkv_flash_sim_power_on(&sim);
    assert_ok(program(0, 0, 16));
    assert_int_equal(sim.violations, 0);
}

static void an_erase_cut_before_the_first_byte_is_none(void **state)
{
    (void)state;
    assert_ok(program(0, 0x11, 32));
    cut_next(NKV_SIM_CUT_TORN, 0, 0);
    assert_status(erase(0), NKV_UNAVAILABLE);
    nkv_flash_sim_power_on(&sim);
    assert_int_equal(byte_at(0), 0x11);
    assert_ok(program(32, 0, 16));
    assert_int_equal(sim.violations, 0);
}

static void a_random_erase_leaves_the_asked_share_of_ones(void **state)
{
    static const struct {
        uint32_t eighths, low, high;
    } cases[] = {{0, 0, 0}, {1, 8, 18}, {4, 44, 56}, {7, 82, 93}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t ones = 0, share;

        cut_next(NKV_SIM_CUT_RANDOM, cases[i].eighths, 99);
        assert_status(erase(1), NKV_UNAVAILABLE);
        nkv_flash_sim_power_on(&sim);
        for (uint32_t bit = 0; bit < SECTOR * 8; bit++) {
            ones += byte_at(SECTOR + bit / 8) >> bit % 8 & 1;
        }
        share = ones * 100 / (SECTOR * 8);
        assert_in_range(share, cases[i].low, cases[i].high);
        assert_int_equal(byte_at(SECTOR - 1), 0xFF);
        assert_int_equal(byte_at(2 * SECTOR), 0xFF);
    }
}

static void a_weakly_erased_sector_programs_wrong(void **state)
{
    uint8_t bytes[UNIT], wanted[UNIT];

    (void)state;
    assert_ok(program(0, 0x11, 32));
    cut_next(NKV_SIM_CUT_WEAK, 0, 0);
    assert_status(erase(0), NKV_UNAVAILABLE);
    nkv_flash_sim_power_on(&sim);
    assert_int_equal(byte_at(0), 0xFF);
    memset(wanted, 0x77, sizeof wanted);
    for (uint32_t at = 0; at < SECTOR; at += UNIT) {
        assert_ok(program(at, 0x77, UNIT));
        assert_ok(read_into(at, bytes, UNIT));
        assert_memory_not_equal(bytes, wanted, UNIT);
    }
    assert_int_equal(sim.violations, 0);
    assert_ok(erase(0));
    assert_ok(program(0, 0x77, UNIT));
    assert_ok(read_into(0, bytes, UNIT));
    assert_memory_equal(bytes, wanted, UNIT);
}

static void a_cut_tells_what_it_hit(void **state)
{
    struct nkv_sim_cut cut = {NKV_SIM_CUT_TORN, 2, 3, 0};

    (void)state;
    nkv_flash_sim_cut(&sim, cut);
    assert_status(program(32, 0x21, 48), NKV_UNAVAILABLE);
    assert_false(sim.wound.is_erase);
    assert_int_equal(sim.wound.offset, 48);
    assert_int_equal(sim.wound.size, UNIT);
    assert_int_equal(sim.wound.intended[15], 0x21);
    nkv_flash_sim_power_on(&sim);
    cut_next(NKV_SIM_CUT_AFTER, 0, 0);
    assert_status(erase(0), NKV_UNAVAILABLE);
    assert_true(sim.wound.is_erase);
    assert_int_equal(sim.wound.size, SECTOR);
    assert_int_equal(sim.wound.intended[32], 0x21);
}

static void add_fault(enum nkv_sim_fault_kind kind, uint32_t offset,
                      uint32_t times)
{
    struct nkv_sim_fault fault = {
        .kind = kind,
        .offset = offset,
        .size = 16,
        .status = NKV_DATA_LOSS,
        .times = times,
        .mask = 0x81,
    };

    nkv_flash_sim_add_fault(&sim, fault);
}

static void read_faults_hit_their_range_as_often_as_told(void **state)
{
    uint8_t bytes[32];

    (void)state;
    add_fault(NKV_SIM_FAULT_READ, 32, 2);
    assert_ok(read_into(0, bytes, 32));
    assert_ok(read_into(48, bytes, 16));
    assert_status(read_into(47, bytes, 1), NKV_DATA_LOSS);
    assert_status(read_into(16, bytes, 32), NKV_DATA_LOSS);
    assert_ok(read_into(32, bytes, 16));
    add_fault(NKV_SIM_FAULT_READ, 0, 0);
    for (int i = 0; i < 10; i++) {
        assert_status(read_into(0, bytes, 16), NKV_DATA_LOSS);
    }
    nkv_flash_sim_clear_faults(&sim);
    assert_ok(read_into(0, bytes, 16));
}

static void program_and_erase_faults_do_nothing(void **state)
{
    (void)state;
    add_fault(NKV_SIM_FAULT_PROGRAM, 0, 1);
    assert_status(program(0, 1, 16), NKV_DATA_LOSS);
    assert_int_equal(byte_at(0), 0xFF);
    add_fault(NKV_SIM_FAULT_SILENT_PROGRAM, 0, 1);
    assert_ok(program(0, 1, 16));
    assert_int_equal(byte_at(0), 0xFF);
    assert_ok(program(0, 1, 16));
    assert_int_equal(byte_at(0), 1);
    add_fault(NKV_SIM_FAULT_ERASE, 0, 1);
    assert_status(erase(0), NKV_DATA_LOSS);
    add_fault(NKV_SIM_FAULT_SILENT_ERASE, 0, 1);
    assert_ok(erase(0));
    assert_int_equal(byte_at(0), 1);
    assert_int_equal(sim.counts.erases, 0);
    assert_ok(erase(0));
    assert_int_equal(byte_at(0), 0xFF);
}

static void a_late_program_does_its_work(void **state)
{
    (void)state;
    add_fault(NKV_SIM_FAULT_LATE_PROGRAM, 0, 1);
    assert_status(program(0, 1, 16), NKV_DATA_LOSS);
    assert_int_equal(byte_at(0), 1);
    assert_status(program(0, 1, 16), NKV_INTERNAL);
}

static void a_flipped_read_flips_once_and_after_its_skip(void **state)
{
    struct nkv_sim_fault fault = {.kind = NKV_SIM_FAULT_FLIPPED_READ,
                                  .size = 16,
                                  .times = 1,
                                  .skip = 2,
                                  .mask = 0x04};

    (void)state;
    nkv_flash_sim_add_fault(&sim, fault);
    assert_int_equal(byte_at(0), 0xFF);
    assert_int_equal(byte_at(100), 0xFF);
    assert_int_equal(byte_at(1), 0xFF);
    assert_int_equal(byte_at(2), 0xFB);
    assert_int_equal(byte_at(2), 0xFF);
}

/* Some calls fail, some do a part, some lie; none breaks the flash's rules. */
static void a_flaky_flash_fails_now_and_then(void **state)
{
    unsigned failed = 0, wrong = 0;

    (void)state;
    sim.flaky_every = 4;
    for (unsigned i = 0; i < 200; i++) {
        enum nkv_status status = program(i % 3 * SECTOR, 0x42, 64);

        failed += status != NKV_OK;
        wrong += status == NKV_OK && byte_at(i % 3 * SECTOR + 63) != 0x42;
        sim.flaky_every = 0;
        assert_ok(erase(i % 3));
        sim.flaky_every = 4;
    }
    assert_in_range(failed, 15, 60);
    assert_in_range(wrong, 2, 40);
    assert_int_equal(sim.violations, 0);
}

static void one_weak_bit_leaves_the_rest_of_its_unit(void **state)
{
    unsigned changes = 0, others = 0;

    (void)state;
    cut_next(NKV_SIM_CUT_WEAK, 2, 5);
    assert_status(program(0, 0x0F, 16), NKV_UNAVAILABLE);
    nkv_flash_sim_power_on(&sim);
    for (uint32_t at = 0; at < UNIT; at++) {
        unsigned wrong = 0;

        for (int i = 0; i < 32; i++) {
            wrong += byte_at(at) != 0x0F;
        }
        changes += wrong > 0 && wrong < 32;
        others += wrong == 0;
    }
    assert_int_equal(changes, 1);
    assert_int_equal(others, UNIT - 1);
}

static void stuck_bits_stay_as_they_are(void **state)
{
    (void)state;
    add_fault(NKV_SIM_FAULT_STUCK_AT_0, 0, 0);
    add_fault(NKV_SIM_FAULT_STUCK_AT_1, 32, 0);
    assert_int_equal(byte_at(0), 0x7E);
    assert_ok(program(32, 0x00, 16));
    assert_int_equal(byte_at(32), 0x81);
    assert_int_equal(byte_at(48), 0xFF);
}

static void a_failing_unit_is_torn_by_every_program(void **state)
{
    (void)state;
    nkv_flash_sim_fail_unit(&sim, 35);
    assert_int_equal(sim.states[2], NKV_SIM_FAILING);
    assert_int_equal(byte_at(32), 0xFF);
    for (int i = 0; i < 5; i++) {
        assert_status(program(16, 0x00, 48), NKV_UNAVAILABLE);
        assert_int_equal(byte_at(31), 0x00);
        assert_int_equal(sim.states[1], NKV_SIM_PROGRAMMED);
        assert_int_equal(sim.states[2], NKV_SIM_TORN);
        assert_int_equal(sim.states[3], NKV_SIM_ERASED);
        assert_ok(erase(0));
        assert_int_equal(byte_at(32), 0xFF);
        assert_int_equal(sim.states[2], NKV_SIM_FAILING);
    }
    assert_int_equal(sim.violations, 0);
    assert_status(program(32, 0x00, 16), NKV_UNAVAILABLE);
    assert_status(program(32, 0x00, 16), NKV_INTERNAL);
    assert_int_equal(sim.violations, 1);
}

static void a_programmed_unit_fails_from_its_next_erase_on(void **state)
{
    struct nkv_flash_sim snapshot;

    (void)state;
    assert_ok(program(0, 0x5A, 16));
    nkv_flash_sim_fail_unit(&sim, 0);
    assert_int_equal(sim.states[0], NKV_SIM_PROGRAMMED);
    assert_int_equal(byte_at(7), 0x5A);
    nkv_flash_sim_init(&snapshot, SECTOR, SECTORS, UNIT);
    nkv_flash_sim_copy(&snapshot, &sim);
    assert_ok(snapshot.flash.erase(snapshot.flash.context, 0));
    assert_int_equal(snapshot.states[0], NKV_SIM_FAILING);
    nkv_flash_sim_free(&snapshot);
    assert_ok(erase(0));
    assert_status(program(0, 0x5A, 16), NKV_UNAVAILABLE);
}

static unsigned ones_missing(const uint8_t *bytes, size_t size)
{
    unsigned missing = 0;

    for (size_t bit = 0; bit < size * 8; bit++) {
        missing += (bytes[bit / 8] >> bit % 8 & 1) == 0;
    }
    return missing;
}

static void a_disturbed_read_flips_one_bit_and_leaves_the_flash(void **state)
{
    uint8_t bytes[64];
    unsigned disturbed = 0;

    (void)state;
    sim.disturb_every = 10;
    for (unsigned i = 0; i < 1000; i++) {
        unsigned missing;

        assert_ok(read_into(0, bytes, sizeof bytes));
        missing = ones_missing(bytes, sizeof bytes);
        assert_in_range(missing, 0, 1);
        disturbed += missing;
    }
    assert_in_range(disturbed, 60, 150);
    assert_int_equal(disturbed, sim.counts.disturbed);
    sim.disturb_every = 0;
    assert_ok(read_into(0, bytes, sizeof bytes));
    assert_int_equal(ones_missing(bytes, sizeof bytes), 0);
}

static void a_snapshot_brings_everything_back(void **state)
{
    struct nkv_flash_sim snapshot;

    (void)state;
    nkv_flash_sim_init(&snapshot, SECTOR, SECTORS, UNIT);
    assert_ok(program(0, 1, 16));
    nkv_flash_sim_copy(&snapshot, &sim);
    cut_next(NKV_SIM_CUT_WEAK, 1, 0);
    assert_status(program(16, 0, 16), NKV_UNAVAILABLE);
    nkv_flash_sim_copy(&sim, &snapshot);
    assert_int_equal(byte_at(0), 1);
    assert_int_equal(byte_at(16), 0xFF);
    assert_int_equal(sim.counts.operations, 1);
    assert_status(program(0, 0, 16), NKV_INTERNAL);
    assert_ok(program(16, 0, 16));
    assert_ok(snapshot.flash.erase(snapshot.flash.context, 0));
    assert_int_equal(byte_at(0), 1);
    nkv_flash_sim_free(&snapshot);
}

static void an_image_is_taken_over(void **state)
{
    uint8_t image[SECTORS * SECTOR];

    (void)state;
    memset(image, 0xFF, sizeof image);
    image[20] = 0;
    nkv_flash_sim_load(&sim, image);
    assert_int_equal(byte_at(20), 0);
    assert_ok(program(0, 0, 16));
    assert_status(program(16, 0, 16), NKV_INTERNAL);
    nkv_flash_sim_poke(&sim, 33, 0x12);
    assert_int_equal(byte_at(33), 0x12);
    assert_status(program(32, 0, 16), NKV_INTERNAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_flash_reads_erased),
        TEST(what_is_programmed_reads_back_until_erased),
        TEST(a_second_program_of_a_unit_is_refused_and_counted),
        TEST(a_unit_programmed_with_ff_counts_as_programmed),
        TEST(unaligned_and_out_of_range_calls_are_refused),
        TEST(calls_and_bytes_are_counted),
        TEST(the_power_goes_at_the_operation_asked_for),
        TEST(a_cut_after_leaves_the_whole_unit),
        TEST(a_torn_unit_is_a_prefix_and_a_part_of_the_next_byte),
        TEST(a_weak_unit_reads_differently_until_it_is_erased),
        TEST(a_weak_unit_is_settled_by_programming_it),
        TEST(a_half_erased_sector_takes_no_program),
        TEST(an_erase_cut_behind_the_last_byte_is_an_erase),
        TEST(an_erase_cut_before_the_first_byte_is_none),
        TEST(a_random_erase_leaves_the_asked_share_of_ones),
        TEST(a_weakly_erased_sector_programs_wrong),
        TEST(a_cut_tells_what_it_hit),
        TEST(read_faults_hit_their_range_as_often_as_told),
        TEST(program_and_erase_faults_do_nothing),
        TEST(a_late_program_does_its_work),
        TEST(a_flipped_read_flips_once_and_after_its_skip),
        TEST(a_flaky_flash_fails_now_and_then),
        TEST(one_weak_bit_leaves_the_rest_of_its_unit),
        TEST(stuck_bits_stay_as_they_are),
        TEST(a_failing_unit_is_torn_by_every_program),
        TEST(a_programmed_unit_fails_from_its_next_erase_on),
        TEST(a_disturbed_read_flips_one_bit_and_leaves_the_flash),
        TEST(a_snapshot_brings_everything_back),
        TEST(an_image_is_taken_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
