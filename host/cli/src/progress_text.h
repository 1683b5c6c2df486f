/* How far a long command has come, in words. */
#ifndef NORKV_CLI_PROGRESS_TEXT_H
#define NORKV_CLI_PROGRESS_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum nkv_progress_unit {
    NKV_PROGRESS_RECORDS,
    NKV_PROGRESS_BYTES,
    NKV_PROGRESS_SECTORS,
    NKV_PROGRESS_STEPS
};

struct nkv_progress_state {
    /* What is being done: the command's name. */
    const char *what;
    enum nkv_progress_unit unit;
    uint64_t done;
    /* 0: not known. */
    uint64_t total;
    uint64_t elapsed_ms;
};

/* "records", "bytes", "sectors" or "steps". */
const char *nkv_progress_unit_name(enum nkv_progress_unit unit);

/* Units a second since the beginning, 0 while it is too early to tell. */
uint64_t nkv_progress_rate(const struct nkv_progress_state *state);

/* Milliseconds that the rest takes at this rate; 0: nothing is left, or it is
 * not known. */
uint64_t nkv_progress_left_ms(const struct nkv_progress_state *state);

/*
 * Writes one line for a terminal of so many columns, without a newline, into
 * size bytes: a bar if there is room, share, amounts, rate and time left. It
 * is shorter than the terminal is wide, so that it does not wrap. ASCII only.
 */
void nkv_progress_line(const struct nkv_progress_state *state, size_t columns,
                       char *to, size_t size);

#endif
