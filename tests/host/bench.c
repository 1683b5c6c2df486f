#include "bench.h"

#include "test.h"
#include <errno.h>

/* A device that says that it has more to do gets its turn so often. */
enum { TURN_US = 100 };

void nkv_bench_init(struct nkv_bench *bench, uint64_t seed)
{
    memset(bench, 0, sizeof(*bench));
    nkv_line_sim_init(&bench->line, seed);
}

void nkv_bench_free(struct nkv_bench *bench)
{
    nkv_line_sim_free(&bench->line);
}

uint64_t nkv_bench_now_ms(const struct nkv_bench *bench)
{
    return bench->line.now_us / 1000;
}

static bool is_cut(const struct nkv_bench *bench)
{
    return bench->cut_at_ms != 0 && nkv_bench_now_ms(bench) >= bench->cut_at_ms;
}

/* Gives the device its turn and moves the clock on, to until_us at most, and no
 * further than to what a client that reads is going to read. */
static void take_turn(struct nkv_bench *bench, uint64_t until_us,
                      bool client_reads)
{
    struct nkv_line_sim *line = &bench->line;
    bool more =
        bench->device != NULL && bench->device(bench->device_context, line);
    uint64_t next = until_us;
    uint64_t to_client = nkv_line_sim_next_us(line, NKV_BENCH_CLIENT);
    uint64_t to_device = nkv_line_sim_next_us(line, NKV_BENCH_DEVICE);
    if ((client_reads || to_client > line->now_us) && to_client < next)
        next = to_client;
    /* What it left unread it gets another turn for. */
    more = more || to_device <= line->now_us;
    if (bench->device != NULL && more)
        to_device = line->now_us + TURN_US;
    if (bench->device != NULL && to_device < next)
        next = to_device;
    if (bench->device_at_us > line->now_us && bench->device_at_us < next)
        next = bench->device_at_us;
    if (bench->cut_at_ms != 0 && bench->cut_at_ms * 1000 < next)
        next = bench->cut_at_ms * 1000;
    if (next > line->now_us)
        line->now_us = next;
}

void nkv_bench_wait(struct nkv_bench *bench, uint32_t time_ms)
{
    uint64_t until_us = bench->line.now_us + (uint64_t)time_ms * 1000;
    while (bench->line.now_us < until_us)
        take_turn(bench, until_us, false);
}

void nkv_bench_pass(struct nkv_bench *bench, uint32_t time_ms)
{
    struct nkv_line_sim *line = &bench->line;
    uint64_t until_us = line->now_us + (uint64_t)time_ms * 1000;
    while (line->now_us < until_us && !is_cut(bench) &&
           nkv_line_sim_next_us(line, NKV_BENCH_CLIENT) > line->now_us)
        take_turn(bench, until_us, true);
}

static enum nkv_status fail_cut(const struct nkv_bench *bench)
{
    errno = bench->cut_error;
    return NKV_UNAVAILABLE;
}

static enum nkv_status bench_read(void *context, struct nkv_buffer to,
                                  uint32_t timeout_ms, size_t *size)
{
    struct nkv_bench *bench = context;
    uint64_t until_us = bench->line.now_us + (uint64_t)timeout_ms * 1000;
    for (;;) {
        if (is_cut(bench) && !bench->keeps_arrived)
            return fail_cut(bench);
        *size = nkv_line_sim_read(&bench->line, NKV_BENCH_CLIENT, to);
        if (*size > 0)
            return NKV_OK;
        if (is_cut(bench))
            return fail_cut(bench);
        if (bench->line.now_us >= until_us)
            return NKV_DEADLINE_EXCEEDED;
        take_turn(bench, until_us, true);
    }
}

void nkv_bench_arm(struct nkv_bench *bench,
                   const struct nkv_line_faults *mishap, unsigned at)
{
    bench->writes = 0;
    bench->mishap_at = at;
    bench->mishap = *mishap;
}

static void write_line(struct nkv_bench *bench, struct nkv_span bytes)
{
    struct nkv_line_faults usual = bench->line.faults;
    if (++bench->writes == bench->mishap_at)
        bench->line.faults = bench->mishap;
    nkv_line_sim_write(&bench->line, NKV_BENCH_CLIENT, bytes);
    bench->line.faults = usual;
}

static enum nkv_status bench_write(void *context, struct nkv_span bytes,
                                   uint32_t timeout_ms, size_t *size)
{
    struct nkv_bench *bench = context;
    if (is_cut(bench) || bench->fails_writes)
        return fail_cut(bench);
    if (bench->is_stuck) {
        bench->line.now_us += (uint64_t)timeout_ms * 1000;
        return NKV_DEADLINE_EXCEEDED;
    }
    if (bench->byte_ms != 0) {
        bytes.size = 1;
        bench->line.now_us += (uint64_t)bench->byte_ms * 1000;
    }
    write_line(bench, bytes);
    *size = bytes.size;
    return NKV_OK;
}

static void bench_close(void *context)
{
    struct nkv_bench *bench = context;
    bench->closed++;
}

static uint64_t bench_now_ms(void *context)
{
    const struct nkv_bench *bench = context;
    return nkv_bench_now_ms(bench);
}

struct nkv_client_transport nkv_bench_transport(struct nkv_bench *bench)
{
    return (struct nkv_client_transport){
        .read = bench_read,
        .write = bench_write,
        .close = bench_close,
        .now_ms = bench_now_ms,
        .context = bench,
        .name = "bench",
        .baud = bench->line.speed.baud,
    };
}

struct nkv_client *nkv_bench_open(struct nkv_bench *bench,
                                  const struct nkv_client_options *options)
{
    struct nkv_client_transport transport = nkv_bench_transport(bench);
    struct nkv_client_options copy = {0};
    struct nkv_client *client;
    if (options != NULL)
        copy = *options;
    bench->opened++;
    if (copy.seed == 0)
        copy.seed = bench->opened;
    assert_done(client, nkv_client_open_transport(&transport, &copy, &client));
    return client;
}
