/*
 * The self-test of a board's flash driver (norkv/selftest.h) as a firmware of
 * its own, for a bring-up: it works on a sector that holds nothing, tells as
 * lines of text over the UART what it found, and begins anew with each byte
 * that comes in. A store on the flash is left as it is.
 */
#include "board.h"
#include "board_sizes.h"
#include "sleep.h"

#include <norkv/selftest.h>
#include <string.h>

enum { BUFFER = 256, ERASED = 0xFF, WORD_DIGITS = 8, BYTE_DIGITS = 2 };

/* Set by the line's interrupt, cleared by the main program; a byte is written
 * and read in one access, which volatile makes happen. */
static volatile bool is_asked;
static uint8_t buffer[BUFFER];
static struct nkv_selftest test;
static struct nkv_selftest_setup setup;

static void receive(uint8_t byte)
{
    (void)byte;
    is_asked = true;
}

/* What is lost here only asks, as the bytes around it do. */
static void overrun(void)
{
}

static uint32_t now_ms(void *context)
{
    (void)context;
    return nkv_board_now_ms();
}

/* A line that nobody takes is lost, and the next one tried. */
static void say(const char *text)
{
    (void)!nkv_board_write(NULL, (const uint8_t *)text, strlen(text));
}

static void say_hex(const char *before, uint32_t value, unsigned digits)
{
    char text[WORD_DIGITS + 1] = "";

    for (unsigned i = 0; i < digits; i++) {
        text[i] = "0123456789ABCDEF"[value >> 4 * (digits - 1 - i) & 0xF];
    }
    text[digits] = '\0';
    say(before);
    say(text);
}

static void say_decimal(const char *before, uint32_t value)
{
    char text[11];
    char *at = &text[sizeof text - 1];

    *at = '\0';
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    say(before);
    say(at);
}

static void tell(const struct nkv_selftest_result *result)
{
    static const char *const names[] = {
        [NKV_SELFTEST_NONE] = "",         [NKV_SELFTEST_GEOMETRY] = "geometry",
        [NKV_SELFTEST_BLANK] = "blank",   [NKV_SELFTEST_UNITS] = "units",
        [NKV_SELFTEST_PIECES] = "pieces", [NKV_SELFTEST_READS] = "reads",
        [NKV_SELFTEST_TWICE] = "twice",   [NKV_SELFTEST_ERASE] = "erase",
        [NKV_SELFTEST_OTHERS] = "others", [NKV_SELFTEST_CLOCK] = "clock"};

    say("selftest: ");
    say(names[result->check]);
    if (result->passed) {
        say_decimal(" passed, ", result->bytes);
        say_decimal(" bytes in ", result->time_ms);
        say(" ms\r\n");
    } else if (result->status != NKV_OK) {
        say_decimal(" FAILED: the driver says status ", result->status);
        say("\r\n");
    } else {
        say_hex(" FAILED at ", result->offset, WORD_DIGITS);
        say_hex(": read ", result->found, BYTE_DIGITS);
        say_hex(", expected ", result->expected, BYTE_DIGITS);
        say("\r\n");
    }
}

static bool is_erased(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != ERASED) {
            return false;
        }
    }
    return true;
}

static bool is_blank(const struct nkv_flash *flash, uint32_t sector)
{
    uint32_t at = sector * flash->sector_size;
    uint32_t size;

    for (uint32_t left = flash->sector_size; left > 0; left -= size) {
        size = left < sizeof buffer ? left : sizeof buffer;
        if (flash->read(flash->context, at, buffer, size) != NKV_OK ||
            !is_erased(buffer, size)) {
            return false;
        }
        at += size;
    }
    return true;
}

/* Finds the last sector that holds nothing; false: there is none. */
static bool find_scratch(const struct nkv_flash *flash, uint32_t *sector)
{
    for (uint32_t i = flash->sector_count; i > 0; i--) {
        if (is_blank(flash, i - 1)) {
            *sector = i - 1;
            return true;
        }
    }
    return false;
}

static bool run(const struct nkv_flash *flash, uint32_t sector)
{
    struct nkv_selftest_result result;
    enum nkv_selftest_news news;

    setup = (struct nkv_selftest_setup){
        .flash = flash,
        .sector = sector,
        .buffer = {buffer, sizeof buffer},
        .now_ms = now_ms,
        .seed = nkv_board_now_ms(),
    };
    say_decimal("selftest: sector ", sector);
    say("\r\n");
    nkv_selftest_begin(&test, &setup);
    while ((news = nkv_selftest_step(&test, &result)) != NKV_SELFTEST_DONE) {
        if (news == NKV_SELFTEST_CHECKED) {
            tell(&result);
        }
    }
    return test.failed == NKV_SELFTEST_NONE;
}

static void run_once(const struct nkv_board *board)
{
    uint32_t sector;

    is_asked = false;
    if (board->fault != NKV_FAULT_NONE) {
        say_decimal("selftest: FAILED: the flash cannot be used, fault ",
                    board->fault);
        say_hex(", detail ", board->fault_detail, WORD_DIGITS);
        say("\r\n");
    } else if (!find_scratch(board->flash, &sector)) {
        say("selftest: FAILED: no sector reads FF throughout; erase one\r\n");
    } else if (run(board->flash, sector)) {
        say("selftest: all passed\r\n");
    } else {
        say("selftest: FAILED\r\n");
    }
}

int main(void)
{
    const struct nkv_board *board = nkv_board_start(receive, overrun);

    for (;;) {
        run_once(board);
        while (!is_asked) {
            nkv_sleep_unless(&is_asked);
        }
    }
}
