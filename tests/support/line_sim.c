#include "line_sim.h"

#include "random.h"
#include <stdlib.h>
#include <string.h>

enum { MILLION = 1000000, NS_PER_US = 1000, FIRST_CAPACITY = 4096 };

/* Of ten bits at a bit a second. */
static const uint64_t byte_ns = (uint64_t)10 * 1000 * MILLION;

void nkv_line_sim_init(struct nkv_line_sim *line, uint64_t seed)
{
    memset(line, 0, sizeof(*line));
    line->random = seed;
}

void nkv_line_sim_free(struct nkv_line_sim *line)
{
    for (unsigned end = 0; end < 2; end++)
        free(line->pipes[end].bytes);
    memset(line, 0, sizeof(*line));
}

static bool happens(struct nkv_line_sim *line, uint32_t chance)
{
    return chance != 0 && nkv_random_below(&line->random, MILLION) < chance;
}

/* ---- A direction ------------------------------------------------------ */

/* Moves what is there to the front, into more memory if there is need. */
static void make_room(struct nkv_line_pipe *pipe)
{
    size_t capacity = pipe->capacity;
    if (pipe->size * 2 >= capacity)
        capacity = capacity == 0 ? FIRST_CAPACITY : capacity * 2;
    struct nkv_line_byte *bytes = malloc(capacity * sizeof(*bytes));
    if (bytes == NULL)
        abort();
    if (pipe->size > 0)
        memcpy(bytes, pipe->bytes + pipe->first, pipe->size * sizeof(*bytes));
    free(pipe->bytes);
    pipe->bytes = bytes;
    pipe->capacity = capacity;
    pipe->first = 0;
}

static void append(struct nkv_line_pipe *pipe, uint8_t value,
                   uint64_t arrives_ns)
{
    if (pipe->first + pipe->size == pipe->capacity)
        make_room(pipe);
    struct nkv_line_byte *byte = &pipe->bytes[pipe->first + pipe->size++];
    byte->value = value;
    byte->arrives_ns = arrives_ns;
}

/* Puts a byte behind those before it: a line never changes the order. */
static void travel(struct nkv_line_sim *line, struct nkv_line_pipe *pipe,
                   uint8_t value, uint64_t from_us)
{
    uint64_t arrives =
        (from_us + (uint64_t)line->speed.latency_ms * 1000) * NS_PER_US;
    if (arrives < pipe->last_ns)
        arrives = pipe->last_ns;
    if (line->speed.baud != 0)
        arrives += byte_ns / line->speed.baud;
    pipe->last_ns = arrives;
    append(pipe, value, arrives);
}

/* ---- Writing ---------------------------------------------------------- */

static void write_byte(struct nkv_line_sim *line, struct nkv_line_pipe *pipe,
                       uint8_t value, uint64_t from_us)
{
    if (happens(line, line->faults.drop)) {
        line->counts.dropped++;
        return;
    }
    if (happens(line, line->faults.flip)) {
        line->counts.flipped++;
        value ^= (uint8_t)(1u << nkv_random_below(&line->random, 8));
    }
    travel(line, pipe, value, from_us);
    if (happens(line, line->faults.double_byte)) {
        line->counts.doubled++;
        travel(line, pipe, value, from_us);
    }
}

static void write_once(struct nkv_line_sim *line, unsigned end,
                       struct nkv_span bytes)
{
    uint64_t from_us = line->now_us;
    if (line->faults.delay_max_ms != 0 && happens(line, line->faults.delay)) {
        line->counts.writes_delayed++;
        from_us +=
            (uint64_t)1000 *
            (1 + nkv_random_below(&line->random, line->faults.delay_max_ms));
    }
    for (size_t i = 0; i < bytes.size; i++)
        write_byte(line, &line->pipes[end], bytes.data[i], from_us);
}

void nkv_line_sim_write(struct nkv_line_sim *line, unsigned end,
                        struct nkv_span bytes)
{
    line->counts.written += bytes.size;
    if (happens(line, line->faults.lose_write)) {
        line->counts.writes_lost++;
        return;
    }
    write_once(line, end, bytes);
    if (happens(line, line->faults.double_write)) {
        line->counts.writes_doubled++;
        write_once(line, end, bytes);
    }
}

uint64_t nkv_line_sim_sent_us(const struct nkv_line_sim *line, unsigned end)
{
    uint64_t latency_us = (uint64_t)line->speed.latency_ms * 1000;
    uint64_t last_us = line->pipes[end].last_ns / NS_PER_US;
    return last_us < line->now_us + latency_us ? line->now_us
                                               : last_us - latency_us;
}

/* ---- Reading ---------------------------------------------------------- */

static uint64_t arrives_us(const struct nkv_line_byte *byte)
{
    return (byte->arrives_ns + NS_PER_US - 1) / NS_PER_US;
}

/* What has arrived since goes into the buffer, or is lost. */
static void land(struct nkv_line_sim *line, unsigned end)
{
    struct nkv_line_pipe *pipe = &line->pipes[1 - end];
    struct nkv_line_byte *bytes = pipe->bytes + pipe->first;
    size_t room = line->room[end];
    size_t at = pipe->landed;
    while (at < pipe->size && arrives_us(&bytes[at]) <= line->now_us) {
        if (room == 0 || pipe->landed < room)
            bytes[pipe->landed++] = bytes[at];
        else
            line->counts.overruns[end]++;
        at++;
    }
    if (at == pipe->landed)
        return;
    memmove(bytes + pipe->landed, bytes + at,
            (pipe->size - at) * sizeof(*bytes));
    pipe->size -= at - pipe->landed;
}

uint64_t nkv_line_sim_next_us(const struct nkv_line_sim *line, unsigned end)
{
    const struct nkv_line_pipe *pipe = &line->pipes[1 - end];
    return pipe->size == 0 ? UINT64_MAX : arrives_us(&pipe->bytes[pipe->first]);
}

size_t nkv_line_sim_read(struct nkv_line_sim *line, unsigned end,
                         struct nkv_buffer to)
{
    struct nkv_line_pipe *pipe = &line->pipes[1 - end];
    size_t most = to.capacity;
    if (line->faults.split && most > 0)
        most = 1 +
               nkv_random_below(&line->random, most > 64 ? 64 : (uint32_t)most);
    if (pipe->size > 0)
        land(line, end);
    size_t size = 0;
    while (size < most && pipe->landed > 0) {
        to.data[size++] = pipe->bytes[pipe->first++].value;
        pipe->size--;
        pipe->landed--;
    }
    if (pipe->size == 0)
        pipe->first = 0;
    return size;
}

void nkv_line_sim_clear(struct nkv_line_sim *line, unsigned end)
{
    line->pipes[1 - end].size = 0;
    line->pipes[1 - end].first = 0;
    line->pipes[1 - end].landed = 0;
}
