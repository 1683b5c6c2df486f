#include "progress_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    BAR_MIN = 8,
    BAR_MAX = 30,
    PART_SIZE = 48,
    LINE_SIZE = 5 * PART_SIZE,
    /* Rates of less time than this jump about. */
    RATE_AFTER_MS = 200
};

const char *nkv_progress_unit_name(enum nkv_progress_unit unit)
{
    switch (unit) {
    case NKV_PROGRESS_RECORDS:
        return "records";
    case NKV_PROGRESS_BYTES:
        return "bytes";
    case NKV_PROGRESS_SECTORS:
        return "sectors";
    case NKV_PROGRESS_STEPS:
    default:
        return "steps";
    }
}

/* a * b / c without overflow for what fits the answer, rounded down. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c)
{
    return a / c * b + a % c * b / c;
}

uint64_t nkv_progress_rate(const struct nkv_progress_state *state)
{
    if (state->elapsed_ms < RATE_AFTER_MS) {
        return 0;
    }
    return scale(state->done, 1000, state->elapsed_ms);
}

uint64_t nkv_progress_left_ms(const struct nkv_progress_state *state)
{
    if (state->done == 0 || state->done >= state->total ||
        state->elapsed_ms < RATE_AFTER_MS) {
        return 0;
    }
    return scale(state->total - state->done, state->elapsed_ms, state->done);
}

/* A number with its unit; of bytes in the unit that suits. */
static void put_amount(uint64_t amount, enum nkv_progress_unit unit,
                       char to[PART_SIZE])
{
    if (unit != NKV_PROGRESS_BYTES || amount < 10000) {
        snprintf(to, PART_SIZE, "%" PRIu64 " %s", amount,
                 nkv_progress_unit_name(unit));
    } else if (amount < 1000000) {
        snprintf(to, PART_SIZE, "%" PRIu64 ".%u kB", amount / 1000,
                 (unsigned)(amount / 100 % 10));
    } else {
        snprintf(to, PART_SIZE, "%" PRIu64 ".%02u MB", amount / 1000000,
                 (unsigned)(amount / 10000 % 100));
    }
}

static void put_time(uint64_t time_ms, char to[PART_SIZE])
{
    uint64_t seconds = (time_ms + 500) / 1000;

    if (seconds < 3600) {
        snprintf(to, PART_SIZE, "%u:%02u", (unsigned)(seconds / 60),
                 (unsigned)(seconds % 60));
    } else {
        snprintf(to, PART_SIZE, "%" PRIu64 ":%02u:%02u", seconds / 3600,
                 (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
    }
}

/* "500 of 1000 records", or what is done alone. */
static void put_amounts(const struct nkv_progress_state *state, char *to,
                        size_t size)
{
    char done[PART_SIZE];
    char total[PART_SIZE];

    put_amount(state->done, state->unit, done);
    if (state->total == 0) {
        snprintf(to, size, "%s", done);
        return;
    }
    put_amount(state->total, state->unit, total);
    if (state->unit == NKV_PROGRESS_BYTES) {
        snprintf(to, size, "%s of %s", done, total);
    } else {
        snprintf(to, size, "%" PRIu64 " of %s", state->done, total);
    }
}

/* All but the name and the bar. */
static void put_figures(const struct nkv_progress_state *state, char *to,
                        size_t size)
{
    char amounts[2 * PART_SIZE + 4];
    char rate[PART_SIZE];
    char time[PART_SIZE];
    uint64_t left = nkv_progress_left_ms(state);

    put_amounts(state, amounts, sizeof amounts);
    put_amount(nkv_progress_rate(state), state->unit, rate);
    put_time(left > 0 ? left : state->elapsed_ms, time);
    snprintf(to, size, "%s  %s/s  %s%s", amounts, rate, time,
             left > 0 ? " left" : "");
}

static unsigned percent_of(const struct nkv_progress_state *state)
{
    return state->done >= state->total
               ? 100
               : (unsigned)scale(state->done, 100, state->total);
}

/* "[####....]  45 %  " into to, which has BAR_MAX + PART_SIZE bytes; without a
 * bar where width is too little for one. */
static void put_bar(const struct nkv_progress_state *state, size_t width,
                    char *to)
{
    unsigned percent = percent_of(state);
    size_t full;

    if (width >= BAR_MIN) {
        width = width > BAR_MAX ? BAR_MAX : width;
        full = width * percent / 100;
        *to++ = '[';
        memset(to, '#', full);
        memset(to + full, '.', width - full);
        to += width;
        *to++ = ']';
        *to++ = ' ';
    }
    snprintf(to, PART_SIZE, "%3u %%  ", percent);
}

void nkv_progress_line(const struct nkv_progress_state *state, size_t columns,
                       char *to, size_t size)
{
    char figures[LINE_SIZE];
    char bar[BAR_MAX + PART_SIZE] = "";
    size_t room = columns < size ? columns : size;

    put_figures(state, figures, sizeof figures);
    if (state->total > 0) {
        size_t used =
            strlen(state->what) + strlen(figures) + strlen("  [] 100 %  ");

        put_bar(state, room > used + 1 ? room - used - 1 : 0, bar);
    }
    /* Cut where there is no more room: the last column stays free. */
    snprintf(to, room, "%s  %s%s", state->what, bar, figures);
}
