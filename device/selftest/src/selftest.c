#include <norkv/selftest.h>

#include <norkv/crc32.h>

#include <string.h>

enum {
    CHUNK = 32,
    GUARD = 4,
    GUARD_BYTE = 0xA5,
    READ_MAX = 33,
    PIECE_MAX = 256,
    /* Units that are programmed alone. */
    SINGLES = 3
};

/* In the order in which they are gone through. */
enum phase {
    PHASE_GEOMETRY,
    PHASE_BASELINE,
    PHASE_FIRST_ERASE,
    PHASE_UNITS,
    PHASE_PIECES,
    PHASE_READS,
    PHASE_TWICE,
    PHASE_ERASE,
    PHASE_OTHERS,
    PHASE_CLOCK,
    PHASE_DONE
};

static const struct nkv_flash *flash_of(const struct nkv_selftest *test)
{
    return test->setup->flash;
}

static uint32_t start_of(const struct nkv_selftest *test)
{
    return test->setup->sector * flash_of(test)->sector_size;
}

static uint32_t now(struct nkv_selftest *test)
{
    uint32_t time_ms = test->setup->now_ms == NULL
                           ? 0
                           : test->setup->now_ms(test->setup->clock_context);

    /* Half the range behind counts as before. */
    test->has_gone_back |= time_ms - test->last_ms > UINT32_MAX / 2;
    test->last_ms = time_ms;
    return time_ms;
}

/* ---- What is programmed ------------------------------------------------ */

/* Differs from place to place, so that bytes which end up elsewhere show. */
static uint8_t pattern(const struct nkv_selftest *test, uint32_t offset)
{
    uint32_t x = (offset + test->setup->seed) * 2654435761u;

    x ^= x >> 15;
    x *= 2246822519u;
    return (uint8_t)(x >> 24);
}

static uint32_t unit_count(const struct nkv_selftest *test)
{
    return flash_of(test)->sector_size / flash_of(test)->program_unit;
}

/* The units that are programmed alone, one after the other. */
static uint32_t single(const struct nkv_selftest *test, uint32_t number)
{
    if (number == 0) {
        return 0;
    }
    return number == 1 ? unit_count(test) - 1 : unit_count(test) / 2;
}

static bool is_programmed(const struct nkv_selftest *test, uint32_t unit)
{
    for (uint32_t i = 0; i < test->singles; i++) {
        if (unit == single(test, i)) {
            return true;
        }
    }
    return unit > 0 && unit < test->filled;
}

static uint8_t expected_at(const struct nkv_selftest *test, uint32_t offset)
{
    return is_programmed(test, offset / flash_of(test)->program_unit)
               ? pattern(test, offset)
               : 0xFF;
}

/* ---- The driver, timed ------------------------------------------------- */

static bool fail(struct nkv_selftest *test, enum nkv_status status)
{
    test->result.status = status;
    test->result.passed = false;
    return false;
}

static bool took(struct nkv_selftest *test, uint32_t since_ms,
                 enum nkv_status status)
{
    test->result.time_ms += now(test) - since_ms;
    return status == NKV_OK || fail(test, status);
}

static bool erase(struct nkv_selftest *test)
{
    const struct nkv_flash *flash = flash_of(test);
    uint32_t since_ms = now(test);

    test->singles = 0;
    test->filled = 1;
    test->result.bytes += flash->sector_size;
    return took(test, since_ms,
                flash->erase(flash->context, test->setup->sector));
}

static bool program(struct nkv_selftest *test, uint32_t unit, uint32_t count)
{
    const struct nkv_flash *flash = flash_of(test);
    uint32_t offset = unit * flash->program_unit;
    uint32_t size = count * flash->program_unit;
    uint32_t since_ms = now(test);

    for (uint32_t i = 0; i < size; i++) {
        test->setup->buffer.data[i] = pattern(test, offset + i);
    }
    test->result.bytes += size;
    return took(test, since_ms,
                flash->program(flash->context, start_of(test) + offset,
                               test->setup->buffer.data, size));
}

static bool read(struct nkv_selftest *test, uint32_t offset, uint8_t *to,
                 uint32_t size)
{
    const struct nkv_flash *flash = flash_of(test);
    uint32_t since_ms = now(test);

    return took(test, since_ms, flash->read(flash->context, offset, to, size));
}

static bool differs(struct nkv_selftest *test, uint32_t offset, uint8_t found,
                    uint8_t expected)
{
    test->result.offset = start_of(test) + offset;
    test->result.found = found;
    test->result.expected = expected;
    return fail(test, NKV_OK);
}

/* Whether what was read at an offset of the sector is as it should be. */
static bool is_expected(struct nkv_selftest *test, uint32_t offset,
                        const uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        uint8_t expected = expected_at(test, offset + i);

        if (bytes[i] != expected) {
            return differs(test, offset + i, bytes[i], expected);
        }
    }
    return true;
}

/* Whether all of the sector reads as it should. */
static bool verify(struct nkv_selftest *test)
{
    uint32_t size = flash_of(test)->sector_size;
    uint8_t chunk[CHUNK];

    for (uint32_t at = 0, n; at < size; at += n) {
        n = size - at < CHUNK ? size - at : CHUNK;
        if (!read(test, start_of(test) + at, chunk, n) ||
            !is_expected(test, at, chunk, n)) {
            return false;
        }
    }
    return true;
}

/* ---- The checks: each returns whether it goes on in its phase ---------- */

static bool check_geometry(struct nkv_selftest *test)
{
    const struct nkv_selftest_setup *setup = test->setup;

    if (!nkv_flash_is_valid(setup->flash) ||
        setup->sector >= setup->flash->sector_count ||
        setup->buffer.capacity < setup->flash->program_unit) {
        (void)fail(test, NKV_INVALID_ARGUMENT);
    }
    return false;
}

/* Adds a sector other than the scratch sector to the checksum. */
static bool sum_up(struct nkv_selftest *test)
{
    uint32_t size = flash_of(test)->sector_size;
    uint8_t chunk[CHUNK];

    for (uint32_t at = 0, n; at < size; at += n) {
        n = size - at < CHUNK ? size - at : CHUNK;
        if (!read(test, test->position * size + at, chunk, n)) {
            return false;
        }
        test->crc = nkv_crc32(test->crc, chunk, n);
    }
    return true;
}

/* False: all sectors are summed up, or one cannot be read. */
static bool sum_next(struct nkv_selftest *test)
{
    if (test->position != test->setup->sector &&
        test->position < flash_of(test)->sector_count && !sum_up(test)) {
        return false;
    }
    test->position++;
    return test->position < flash_of(test)->sector_count;
}

static bool take_baseline(struct nkv_selftest *test)
{
    if (sum_next(test)) {
        return true;
    }
    test->others_crc = test->crc;
    return false;
}

static bool check_others(struct nkv_selftest *test)
{
    if (sum_next(test)) {
        return true;
    }
    if (test->result.passed && test->crc != test->others_crc) {
        (void)fail(test, NKV_OK);
    }
    return false;
}

static bool check_erase(struct nkv_selftest *test)
{
    if (erase(test)) {
        (void)verify(test);
    }
    return false;
}

static bool check_units(struct nkv_selftest *test)
{
    uint32_t unit = single(test, test->position);

    if (!is_programmed(test, unit) && !program(test, unit, 1)) {
        return false;
    }
    test->position++;
    test->singles = (uint8_t)test->position;
    return verify(test) && test->position < SINGLES;
}

/* Units from `filled` on that were not programmed alone and fit the buffer. */
static uint32_t piece_size(const struct nkv_selftest *test)
{
    size_t room = test->setup->buffer.capacity < PIECE_MAX
                      ? test->setup->buffer.capacity
                      : PIECE_MAX;
    uint32_t most = (uint32_t)room / flash_of(test)->program_unit;
    uint32_t count = 0;

    while (count < most && test->filled + count < unit_count(test) &&
           !is_programmed(test, test->filled + count)) {
        count++;
    }
    return count;
}

/* They begin behind the first unit, so that they lie across the pages of a chip
 * wherever a unit is smaller than a page. */
static bool check_pieces(struct nkv_selftest *test)
{
    uint32_t count = piece_size(test);

    if (count > 0 && !program(test, test->filled, count)) {
        return false;
    }
    test->filled += count > 0 ? count : 1;
    if (test->filled < unit_count(test)) {
        return true;
    }
    (void)verify(test);
    return false;
}

static bool is_guarded(const uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < GUARD; i++) {
        if (bytes[i] != GUARD_BYTE || bytes[GUARD + size + i] != GUARD_BYTE) {
            return false;
        }
    }
    return true;
}

/* One read of so many bytes, with memory around them that must stay. */
static bool read_exactly(struct nkv_selftest *test, uint32_t offset,
                         uint32_t size)
{
    uint8_t bytes[GUARD + READ_MAX + GUARD];

    memset(bytes, GUARD_BYTE, sizeof bytes);
    if (!read(test, start_of(test) + offset, bytes + GUARD, size) ||
        !is_expected(test, offset, bytes + GUARD, size)) {
        return false;
    }
    return is_guarded(bytes, size) || fail(test, NKV_INTERNAL);
}

/* All sizes at an offset a step: around the start, and where units meet. */
static bool check_reads(struct nkv_selftest *test)
{
    uint32_t sector = flash_of(test)->sector_size;
    uint32_t unit = flash_of(test)->program_unit;
    uint32_t base = test->position < 8 ? 0 : unit - (unit < 4 ? unit : 4);
    uint32_t offset = base + test->position % 8;

    for (uint32_t size = 1; size <= READ_MAX; size++) {
        if (offset < sector && size <= sector - offset &&
            !read_exactly(test, offset, size)) {
            return false;
        }
        if (test->position == 0 && size <= sector &&
            !read_exactly(test, sector - size, size)) {
            return false;
        }
    }
    test->position++;
    return test->position < 16;
}

/* Programs the first unit once more, with other bytes. */
static bool check_twice(struct nkv_selftest *test)
{
    const struct nkv_flash *flash = flash_of(test);
    uint8_t *buffer = test->setup->buffer.data;
    uint32_t size = flash->program_unit;
    enum nkv_status status;

    if (!test->setup->tries_twice) {
        return false;
    }
    for (uint32_t i = 0; i < size; i++) {
        buffer[i] = (uint8_t)~pattern(test, i);
    }
    status = flash->program(flash->context, start_of(test), buffer, size);
    test->result.status = status;
    if (status != NKV_OK || !read(test, start_of(test), buffer, size)) {
        test->result.passed = true;
        return false;
    }
    for (uint32_t i = 0; i < size && test->result.passed; i++) {
        uint8_t before = pattern(test, i);

        if ((buffer[i] & (uint8_t)~before) != 0) {
            (void)differs(test, i, buffer[i], buffer[i] & before);
        }
    }
    return false;
}

static bool check_clock(struct nkv_selftest *test)
{
    if (test->has_gone_back) {
        (void)fail(test, NKV_OK);
    }
    return false;
}

/* ---- One after the other ----------------------------------------------- */

static const struct {
    enum nkv_selftest_check check;
    bool (*step)(struct nkv_selftest *test);
} phases[] = {
    [PHASE_GEOMETRY] = {NKV_SELFTEST_GEOMETRY, check_geometry},
    [PHASE_BASELINE] = {NKV_SELFTEST_OTHERS, take_baseline},
    [PHASE_FIRST_ERASE] = {NKV_SELFTEST_BLANK, check_erase},
    [PHASE_UNITS] = {NKV_SELFTEST_UNITS, check_units},
    [PHASE_PIECES] = {NKV_SELFTEST_PIECES, check_pieces},
    [PHASE_READS] = {NKV_SELFTEST_READS, check_reads},
    [PHASE_TWICE] = {NKV_SELFTEST_TWICE, check_twice},
    [PHASE_ERASE] = {NKV_SELFTEST_ERASE, check_erase},
    [PHASE_OTHERS] = {NKV_SELFTEST_OTHERS, check_others},
    [PHASE_CLOCK] = {NKV_SELFTEST_CLOCK, check_clock},
};

static void enter_phase(struct nkv_selftest *test, uint8_t phase)
{
    test->phase = phase;
    test->position = 0;
    test->crc = 0;
    if (phase < PHASE_DONE) {
        test->result = (struct nkv_selftest_result){
            .check = phases[phase].check, .passed = true};
    }
}

void nkv_selftest_begin(struct nkv_selftest *test,
                        const struct nkv_selftest_setup *setup)
{
    *test = (struct nkv_selftest){.setup = setup};
    if (setup->now_ms != NULL) {
        test->last_ms = setup->now_ms(setup->clock_context);
    }
    enter_phase(test, PHASE_GEOMETRY);
}

/* After a failure the rest of the sector's checks would only tell of it again;
 * what it did to other sectors is worth knowing. */
static uint8_t phase_behind(const struct nkv_selftest *test)
{
    if (test->failed == NKV_SELFTEST_GEOMETRY || test->phase == PHASE_CLOCK) {
        return PHASE_DONE;
    }
    if (!test->result.passed && test->phase == PHASE_BASELINE) {
        return PHASE_CLOCK;
    }
    if (!test->result.passed && test->phase < PHASE_OTHERS) {
        return PHASE_OTHERS;
    }
    return (uint8_t)(test->phase + 1);
}

/* Phases that found nothing to tell. */
static bool is_silent(const struct nkv_selftest *test)
{
    return test->result.passed &&
           (test->phase == PHASE_BASELINE ||
            (test->phase == PHASE_TWICE && !test->setup->tries_twice));
}

enum nkv_selftest_news nkv_selftest_step(struct nkv_selftest *test,
                                         struct nkv_selftest_result *result)
{
    bool silent;

    if (test->phase == PHASE_DONE) {
        return NKV_SELFTEST_DONE;
    }
    if (phases[test->phase].step(test)) {
        return NKV_SELFTEST_WORKING;
    }
    silent = is_silent(test);
    *result = test->result;
    if (!result->passed && test->failed == NKV_SELFTEST_NONE) {
        test->failed = result->check;
    }
    enter_phase(test, phase_behind(test));
    return silent ? NKV_SELFTEST_WORKING : NKV_SELFTEST_CHECKED;
}
