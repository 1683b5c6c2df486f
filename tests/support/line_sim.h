/*
 * A serial line in memory between two ends, on a clock of its own: bytes take
 * their time, keep their order, and are dropped, flipped, doubled, delayed and
 * cut into pieces as a seeded generator says, so that a run can be repeated. An
 * end may have a buffer of its own size, which runs over when it is not read.
 */
#ifndef NORKV_TESTS_LINE_SIM_H
#define NORKV_TESTS_LINE_SIM_H

#include <norkv/bytes.h>
#include <stdbool.h>

/* What goes wrong, the same both ways. Chances are in a million. */
struct nkv_line_faults {
    /* Of each byte. */
    uint32_t drop;
    /* One bit of the byte is inverted. */
    uint32_t flip;
    uint32_t double_byte;
    /* Of each write: none of it arrives; it arrives twice. */
    uint32_t lose_write;
    uint32_t double_write;
    /* Of each write: it comes later, by 1 to delay_max_ms. */
    uint32_t delay;
    uint32_t delay_max_ms;
    /* A read returns a random part of what has arrived. */
    bool split;
};

/* How fast bytes travel; 0: at once. */
struct nkv_line_speed {
    /* Bits a second, 10 bits a byte. */
    uint32_t baud;
    uint32_t latency_ms;
};

struct nkv_line_counts {
    /* Bytes written to the line. */
    uint64_t written;
    uint64_t dropped;
    uint64_t flipped;
    /* Bytes that came twice. */
    uint64_t doubled;
    /* Writes that were lost, doubled, delayed. */
    uint64_t writes_lost;
    uint64_t writes_doubled;
    uint64_t writes_delayed;
    /* Bytes that arrived when an end's buffer was full, by end. */
    uint64_t overruns[2];
};

/* A byte on its way. */
struct nkv_line_byte {
    uint64_t arrives_ns;
    uint8_t value;
};

/* One direction. */
struct nkv_line_pipe {
    struct nkv_line_byte *bytes;
    size_t first;
    size_t size;
    size_t capacity;
    uint64_t last_ns;
    /* So many of the first have arrived, and lie in the receiver's buffer. */
    size_t landed;
};

struct nkv_line_sim {
    struct nkv_line_faults faults;
    struct nkv_line_speed speed;
    /* Bytes that each end holds until it reads them; 0: any number. What
     * arrives beyond that is lost. */
    size_t room[2];
    struct nkv_line_counts counts;
    uint64_t now_us;
    uint64_t random;
    /* From end 0 to end 1, and back. */
    struct nkv_line_pipe pipes[2];
};

/* Makes a line without faults that takes no time. */
void nkv_line_sim_init(struct nkv_line_sim *line, uint64_t seed);

void nkv_line_sim_free(struct nkv_line_sim *line);

/* Writes bytes at an end, 0 or 1. The line takes all of them at once. */
void nkv_line_sim_write(struct nkv_line_sim *line, unsigned end,
                        struct nkv_span bytes);

/* Reads at an end what has arrived there by now. Returns its size. */
size_t nkv_line_sim_read(struct nkv_line_sim *line, unsigned end,
                         struct nkv_buffer to);

/* When the next byte is there for an end to read (it may be already);
 * UINT64_MAX: none is on its way. */
uint64_t nkv_line_sim_next_us(const struct nkv_line_sim *line, unsigned end);

/* When the last byte that an end has written will have left it; not before
 * now. */
uint64_t nkv_line_sim_sent_us(const struct nkv_line_sim *line, unsigned end);

/* Drops all that is on its way to an end: its receiver was off. */
void nkv_line_sim_clear(struct nkv_line_sim *line, unsigned end);

#endif
