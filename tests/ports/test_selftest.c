/* The self-test of a port finds each way in which a driver may be wrong, and
 * nothing wrong with one that is right. */
#include "flash_sim.h"

#include <norkv/selftest.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECTOR = 1024, SECTORS = 4, UNIT = 16, SCRATCH = 2, BUFFER = 256 };

enum bug {
    NO_BUG,
    ERASES_NOTHING,
    ERASES_HALF,
    ERASES_BUT_THE_LAST_BYTE,
    ERASES_ZEROS,
    ERASES_INTO_THE_NEXT_SECTOR,
    ERASES_TWO_SECTORS,
    PROGRAMS_NOTHING,
    PROGRAMS_WITHOUT_AN_ADDRESS_LINE,
    HAS_ONE_ADDRESS_LINE_LESS,
    LOSES_EACH_FOURTH_BYTE,
    SWAPS_BYTES,
    LOSES_THE_LAST_UNIT_OF_A_SECTOR,
    WRAPS_IN_A_PAGE,
    PROGRAMS_THE_FIRST_UNIT_ONLY,
    PROGRAMS_A_BYTE_TOO_MANY,
    SPILLS_INTO_THE_PREVIOUS_SECTOR,
    READS_WHOLE_WORDS,
    READS_FROM_EVEN_ADDRESSES,
    READS_NO_REST,
    SETS_BITS,
    REFUSES_TWICE
};

/* A flash in memory with a driver that has a bug. */
struct chip {
    struct nkv_flash flash;
    uint8_t bytes[SECTOR * SECTORS];
    enum bug bug;
    enum nkv_status read_status;
    enum nkv_status program_status;
    enum nkv_status erase_status;
};

static void program_byte(struct chip *chip, uint32_t at, uint8_t byte)
{
    if (chip->bug == HAS_ONE_ADDRESS_LINE_LESS) {
        at &= ~UINT32_C(0x200);
    }
    if (chip->bug == SETS_BITS) {
        chip->bytes[at] = byte;
    } else {
        chip->bytes[at] &= byte;
    }
}

static enum nkv_status chip_read(void *context, uint32_t offset, void *to,
                                 size_t size)
{
    struct chip *chip = context;
    uint8_t *bytes = to;
    size_t count = size;

    if (chip->bug == READS_FROM_EVEN_ADDRESSES) {
        offset &= ~UINT32_C(1);
    }
    if (chip->bug == READS_WHOLE_WORDS) {
        count = (size + 3) / 4 * 4;
    }
    if (chip->bug == READS_NO_REST && size > 4) {
        count = size / 4 * 4;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t at = (offset + (uint32_t)i) % sizeof chip->bytes;

        if (chip->bug == HAS_ONE_ADDRESS_LINE_LESS) {
            at &= ~UINT32_C(0x200);
        }
        bytes[i] = chip->bytes[at];
    }
    return chip->read_status;
}

static size_t programmed_size(const struct chip *chip, uint32_t offset,
                              size_t size)
{
    switch (chip->bug) {
    case PROGRAMS_NOTHING:
        return 0;
    case PROGRAMS_THE_FIRST_UNIT_ONLY:
        return UNIT;
    case LOSES_THE_LAST_UNIT_OF_A_SECTOR:
        return (offset + size) % SECTOR == 0 ? size - UNIT : size;
    default:
        return size;
    }
}

static uint32_t place_of(const struct chip *chip, uint32_t offset, uint32_t i)
{
    switch (chip->bug) {
    case PROGRAMS_WITHOUT_AN_ADDRESS_LINE:
        return (offset + i) & ~UINT32_C(0x40);
    case SWAPS_BYTES:
        return (offset + i) ^ 1;
    case WRAPS_IN_A_PAGE:
        return (offset & ~UINT32_C(0xFF)) + ((offset + i) & 0xFF);
    default:
        return offset + i;
    }
}

static enum nkv_status chip_program(void *context, uint32_t offset,
                                    const void *from, size_t size)
{
    struct chip *chip = context;
    const uint8_t *bytes = from;
    size_t count = programmed_size(chip, offset, size);

    assert_int_equal(offset % chip->flash.program_unit, 0);
    assert_int_equal(size % chip->flash.program_unit, 0);
    assert_true(size <= SECTOR - offset % SECTOR);
    if (chip->bug == REFUSES_TWICE && chip->bytes[offset] != 0xFF) {
        return NKV_FAILED_PRECONDITION;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (chip->bug != LOSES_EACH_FOURTH_BYTE || i % 4 != 3) {
            program_byte(chip, place_of(chip, offset, i), bytes[i]);
        }
    }
    if (chip->bug == PROGRAMS_A_BYTE_TOO_MANY) {
        program_byte(chip, offset + (uint32_t)size, 0x55);
    }
    if (chip->bug == SPILLS_INTO_THE_PREVIOUS_SECTOR) {
        program_byte(chip, (SCRATCH - 1) * SECTOR + 77, 0);
    }
    return chip->program_status;
}

static enum nkv_status chip_erase(void *context, uint32_t sector)
{
    struct chip *chip = context;
    uint8_t *bytes = chip->bytes + (size_t)sector * SECTOR;
    int value = chip->bug == ERASES_ZEROS ? 0 : 0xFF;

    assert_int_equal(sector, SCRATCH);
    if (chip->bug == ERASES_NOTHING) {
        return chip->erase_status;
    }
    if (chip->bug == ERASES_HALF) {
        memset(bytes, value, SECTOR / 2);
    } else if (chip->bug == ERASES_BUT_THE_LAST_BYTE) {
        memset(bytes, value, SECTOR - 1);
    } else {
        memset(bytes, value, SECTOR);
    }
    if (chip->bug == ERASES_INTO_THE_NEXT_SECTOR) {
        memset(bytes + SECTOR, value, 1);
    }
    if (chip->bug == ERASES_TWO_SECTORS) {
        memset(chip->bytes, value, SECTOR);
    }
    return chip->erase_status;
}

static void init_chip(struct chip *chip, enum bug bug)
{
    *chip = (struct chip){
        .flash = {.sector_size = SECTOR,
                  .sector_count = SECTORS,
                  .program_unit = UNIT,
                  .context = chip,
                  .read = chip_read,
                  .program = chip_program,
                  .erase = chip_erase},
        .bug = bug,
    };
    for (uint32_t i = 0; i < sizeof chip->bytes; i++) {
        chip->bytes[i] = (uint8_t)(i * 7 + i / SECTOR);
    }
    memset(chip->bytes + SCRATCH * SECTOR, 0xFF, SECTOR);
}

/* A test that has been run, and its results. */
struct run {
    struct nkv_selftest test;
    struct nkv_selftest_result results[16];
    uint32_t count;
    uint32_t steps;
    uint8_t memory[BUFFER];
};

static void run(struct run *run, struct nkv_selftest_setup setup)
{
    enum nkv_selftest_news news;

    memset(run, 0, sizeof *run);
    if (setup.buffer.data == NULL) {
        setup.buffer = (struct nkv_buffer){run->memory, sizeof run->memory};
    }
    nkv_selftest_begin(&run->test, &setup);
    while ((news = nkv_selftest_step(&run->test, &run->results[run->count])) !=
           NKV_SELFTEST_DONE) {
        run->count += news == NKV_SELFTEST_CHECKED;
        run->steps++;
        assert_true(run->count < 16 && run->steps < 10000);
    }
}

static void run_chip(struct run *to, struct chip *chip, bool twice)
{
    run(to, (struct nkv_selftest_setup){.flash = &chip->flash,
                                        .sector = SCRATCH,
                                        .tries_twice = twice});
}

static const struct nkv_selftest_result *
result_of(const struct run *run, enum nkv_selftest_check check)
{
    for (uint32_t i = 0; i < run->count; i++) {
        if (run->results[i].check == check) {
            return &run->results[i];
        }
    }
    fail_msg("there is no result of check %d", (int)check);
    return NULL;
}

static void each_bug_is_found_by_the_check_that_is_for_it(void **state)
{
    static const struct {
        enum bug bug;
        enum nkv_selftest_check check;
        bool twice;
    } cases[] = {
        {ERASES_NOTHING, NKV_SELFTEST_ERASE, false},
        {ERASES_HALF, NKV_SELFTEST_ERASE, false},
        {ERASES_BUT_THE_LAST_BYTE, NKV_SELFTEST_ERASE, false},
        {ERASES_ZEROS, NKV_SELFTEST_BLANK, false},
        {ERASES_INTO_THE_NEXT_SECTOR, NKV_SELFTEST_OTHERS, false},
        {ERASES_TWO_SECTORS, NKV_SELFTEST_OTHERS, false},
        {PROGRAMS_NOTHING, NKV_SELFTEST_UNITS, false},
        {PROGRAMS_WITHOUT_AN_ADDRESS_LINE, NKV_SELFTEST_UNITS, false},
        {HAS_ONE_ADDRESS_LINE_LESS, NKV_SELFTEST_UNITS, false},
        {LOSES_EACH_FOURTH_BYTE, NKV_SELFTEST_UNITS, false},
        {SWAPS_BYTES, NKV_SELFTEST_UNITS, false},
        {LOSES_THE_LAST_UNIT_OF_A_SECTOR, NKV_SELFTEST_UNITS, false},
        {WRAPS_IN_A_PAGE, NKV_SELFTEST_PIECES, false},
        {PROGRAMS_THE_FIRST_UNIT_ONLY, NKV_SELFTEST_PIECES, false},
        {PROGRAMS_A_BYTE_TOO_MANY, NKV_SELFTEST_UNITS, false},
        {SPILLS_INTO_THE_PREVIOUS_SECTOR, NKV_SELFTEST_OTHERS, false},
        {READS_WHOLE_WORDS, NKV_SELFTEST_READS, false},
        {READS_FROM_EVEN_ADDRESSES, NKV_SELFTEST_READS, false},
        {READS_NO_REST, NKV_SELFTEST_READS, false},
        {SETS_BITS, NKV_SELFTEST_TWICE, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct chip chip;
        struct run done;

        init_chip(&chip, cases[i].bug);
        run_chip(&done, &chip, cases[i].twice);
        if (done.test.failed != cases[i].check) {
            fail_msg("bug %d was found by check %d", (int)cases[i].bug,
                     (int)done.test.failed);
        }
        assert_false(result_of(&done, cases[i].check)->passed);
    }
}

static void the_first_wrong_byte_is_told(void **state)
{
    struct chip chip;
    struct run done;
    const struct nkv_selftest_result *result;

    (void)state;
    init_chip(&chip, ERASES_BUT_THE_LAST_BYTE);
    run_chip(&done, &chip, false);
    result = result_of(&done, NKV_SELFTEST_ERASE);
    assert_int_equal(result->status, NKV_OK);
    assert_int_equal(result->offset, (SCRATCH + 1) * SECTOR - 1);
    assert_int_equal(result->expected, 0xFF);
    assert_int_equal(result->found, chip.bytes[(SCRATCH + 1) * SECTOR - 1]);
    init_chip(&chip, PROGRAMS_NOTHING);
    run_chip(&done, &chip, false);
    result = result_of(&done, NKV_SELFTEST_UNITS);
    assert_int_equal(result->offset, SCRATCH * SECTOR);
    assert_int_equal(result->found, 0xFF);
    assert_int_not_equal(result->expected, 0xFF);
}

static void what_the_driver_says_is_told(void **state)
{
    struct chip chip;
    struct run done;

    (void)state;
    init_chip(&chip, NO_BUG);
    chip.erase_status = NKV_DEADLINE_EXCEEDED;
    run_chip(&done, &chip, false);
    assert_int_equal(result_of(&done, NKV_SELFTEST_BLANK)->status,
                     NKV_DEADLINE_EXCEEDED);
    init_chip(&chip, NO_BUG);
    chip.program_status = NKV_PERMISSION_DENIED;
    run_chip(&done, &chip, false);
    assert_int_equal(result_of(&done, NKV_SELFTEST_UNITS)->status,
                     NKV_PERMISSION_DENIED);
    init_chip(&chip, NO_BUG);
    chip.read_status = NKV_UNAVAILABLE;
    run_chip(&done, &chip, false);
    assert_int_equal(result_of(&done, NKV_SELFTEST_OTHERS)->status,
                     NKV_UNAVAILABLE);
    assert_int_equal(done.count, 3);
}

/* What only a store's contract forbids must not show as a fault. */
static void a_part_that_refuses_a_second_program_passes(void **state)
{
    struct chip chip;
    struct run done;

    (void)state;
    init_chip(&chip, REFUSES_TWICE);
    run_chip(&done, &chip, true);
    assert_int_equal(done.test.failed, NKV_SELFTEST_NONE);
    assert_true(result_of(&done, NKV_SELFTEST_TWICE)->passed);
    assert_int_equal(result_of(&done, NKV_SELFTEST_TWICE)->status,
                     NKV_FAILED_PRECONDITION);
    init_chip(&chip, NO_BUG);
    run_chip(&done, &chip, true);
    assert_int_equal(done.test.failed, NKV_SELFTEST_NONE);
    assert_int_equal(result_of(&done, NKV_SELFTEST_TWICE)->status, NKV_OK);
}

static void
what_is_wrong_in_one_sector_does_not_hide_what_others_took(void **state)
{
    struct chip chip;
    struct run done;

    (void)state;
    init_chip(&chip, SPILLS_INTO_THE_PREVIOUS_SECTOR);
    chip.program_status = NKV_DATA_LOSS;
    run_chip(&done, &chip, false);
    assert_int_equal(done.test.failed, NKV_SELFTEST_UNITS);
    assert_false(result_of(&done, NKV_SELFTEST_OTHERS)->passed);
}

static void a_geometry_that_no_store_takes_is_told(void **state)
{
    static const struct nkv_flash geometries[] = {
        {.sector_size = 1000, .sector_count = 4, .program_unit = 16},
        {.sector_size = 1024, .sector_count = 1, .program_unit = 16},
        {.sector_size = 1024, .sector_count = 4, .program_unit = 12},
        {.sector_size = 1024, .sector_count = 4, .program_unit = 512},
        {.sector_size = 1024, .sector_count = 4, .program_unit = 0},
        {.sector_size = 0, .sector_count = 4, .program_unit = 16},
        {.sector_size = 1024, .sector_count = SCRATCH, .program_unit = 16},
        {.sector_size = 1024, .sector_count = 1u << 22, .program_unit = 16},
    };

    (void)state;
    for (size_t i = 0; i < sizeof geometries / sizeof geometries[0]; i++) {
        struct chip chip;
        struct run done;

        init_chip(&chip, NO_BUG);
        chip.flash.sector_size = geometries[i].sector_size;
        chip.flash.sector_count = geometries[i].sector_count;
        chip.flash.program_unit = geometries[i].program_unit;
        run_chip(&done, &chip, false);
        assert_int_equal(done.test.failed, NKV_SELFTEST_GEOMETRY);
        assert_int_equal(done.count, 1);
    }
}

/* Each is a geometry of flash_sim, which stops wrong use. */
static void
a_driver_that_is_right_passes_and_is_used_as_a_store_would(void **state)
{
    static const uint32_t geometries[][3] = {
        {32, 2, 16},   {32, 3, 1},     {48, 4, 16},   {256, 2, 256},
        {512, 4, 8},   {1024, 4, 4},   {4096, 3, 32}, {4096, 2, 256},
        {1536, 3, 64}, {65536, 2, 128}};
    static const uint32_t buffers[] = {0, 1, 2, 5};

    (void)state;
    for (size_t i = 0; i < sizeof geometries / sizeof geometries[0]; i++) {
        for (size_t k = 0; k < sizeof buffers / sizeof buffers[0]; k++) {
            struct nkv_flash_sim sim;
            struct run done;
            size_t size = (size_t)buffers[k] * geometries[i][2];
            uint8_t *memory = size == 0 ? NULL : malloc(size);

            nkv_flash_sim_init(&sim, geometries[i][0], geometries[i][1],
                               geometries[i][2]);
            run(&done,
                (struct nkv_selftest_setup){.flash = &sim.flash,
                                            .sector = geometries[i][1] - 1,
                                            .buffer = {memory, size},
                                            .seed = (uint32_t)i});
            assert_int_equal(done.test.failed, NKV_SELFTEST_NONE);
            assert_int_equal(done.count, 8);
            assert_int_equal(sim.violations, 0);
            assert_int_equal(sim.erases[geometries[i][1] - 1], 2);
            /* Every byte once. */
            assert_int_equal(sim.counts.programmed_bytes, geometries[i][0]);
            free(memory);
            nkv_flash_sim_free(&sim);
        }
    }
}

static void a_step_is_one_erase_or_one_program(void **state)
{
    struct nkv_flash_sim sim;
    uint8_t memory[BUFFER];
    struct nkv_selftest test;
    struct nkv_selftest_result result;
    struct nkv_selftest_setup setup = {
        .flash = &sim.flash, .sector = 1, .buffer = {memory, sizeof memory}};
    uint64_t before = 0;

    (void)state;
    nkv_flash_sim_init(&sim, SECTOR, SECTORS, UNIT);
    nkv_selftest_begin(&test, &setup);
    while (nkv_selftest_step(&test, &result) != NKV_SELFTEST_DONE) {
        uint64_t now = sim.counts.programs + sim.counts.erases;

        assert_true(now - before <= 1);
        before = now;
    }
    assert_true(before > 4);
    nkv_flash_sim_free(&sim);
}

struct bad_clock {
    uint32_t now_ms;
    uint32_t calls;
    uint32_t back_at;
};

static uint32_t read_clock(void *context)
{
    struct bad_clock *clock = context;

    clock->calls++;
    clock->now_ms += clock->calls == clock->back_at ? (uint32_t)-5 : 2;
    return clock->now_ms;
}

static void
a_clock_that_goes_back_is_told_and_one_that_wraps_is_not(void **state)
{
    struct chip chip;
    struct run done;
    struct bad_clock clock = {.now_ms = UINT32_MAX - 20};
    struct nkv_selftest_setup setup = {.flash = &chip.flash,
                                       .sector = SCRATCH,
                                       .now_ms = read_clock,
                                       .clock_context = &clock};

    (void)state;
    init_chip(&chip, NO_BUG);
    run(&done, setup);
    assert_int_equal(done.test.failed, NKV_SELFTEST_NONE);
    assert_true(result_of(&done, NKV_SELFTEST_ERASE)->time_ms >= 2);
    assert_int_equal(result_of(&done, NKV_SELFTEST_ERASE)->bytes, SECTOR);
    clock = (struct bad_clock){.now_ms = 100, .back_at = 40};
    run(&done, setup);
    assert_int_equal(done.test.failed, NKV_SELFTEST_CLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bug_is_found_by_the_check_that_is_for_it),
        cmocka_unit_test(the_first_wrong_byte_is_told),
        cmocka_unit_test(what_the_driver_says_is_told),
        cmocka_unit_test(a_part_that_refuses_a_second_program_passes),
        cmocka_unit_test(
            what_is_wrong_in_one_sector_does_not_hide_what_others_took),
        cmocka_unit_test(a_geometry_that_no_store_takes_is_told),
        cmocka_unit_test(
            a_driver_that_is_right_passes_and_is_used_as_a_store_would),
        cmocka_unit_test(a_step_is_one_erase_or_one_program),
        cmocka_unit_test(
            a_clock_that_goes_back_is_told_and_one_that_wraps_is_not),
    };

    return cmocka_run_group_tests_name("selftest", tests, NULL, NULL);
}
