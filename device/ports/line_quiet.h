/* Whether bytes come over a line, for nkv_byte_stream's is_quiet: a receive
 * ring keeps a frame until it is whole, so the server does not see one that is
 * coming in. */
#ifndef NORKV_PORTS_LINE_QUIET_H
#define NORKV_PORTS_LINE_QUIET_H

#include <stdbool.h>
#include <stdint.h>

/* Members are private. All 0 at the start. */
struct nkv_line_quiet {
    /* Bytes that came: counted by the interrupt alone, read by the main
     * program; an aligned word is written and read in one. */
    volatile uint32_t arrived;
    /* The main program's: how many of them it has seen, and when it first saw
     * that there were so many. */
    uint32_t seen;
    uint32_t since_ms;
};

/* A byte came; by the interrupt. */
static inline void nkv_line_quiet_note(struct nkv_line_quiet *line)
{
    line->arrived = line->arrived + 1;
}

/* Whether no byte has come for quiet_ms, by the main program, as far as it can
 * tell: time counts from when this was first asked after the last byte. now_ms
 * wraps. */
static inline bool nkv_line_quiet_is(struct nkv_line_quiet *line,
                                     uint32_t now_ms, uint32_t quiet_ms)
{
    uint32_t arrived = line->arrived;

    if (arrived != line->seen) {
        line->seen = arrived;
        line->since_ms = now_ms;
    }
    return now_ms - line->since_ms >= quiet_ms;
}

#endif
