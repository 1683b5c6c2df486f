#include "line_rig.h"

#include "random.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_SIZE = 4096, ENTRY_SIZE = 64, TRANSMIT_SIZE = 256 };

static void *take_memory(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        fprintf(stderr, "line: out of memory\n");
        exit(1);
    }
    return memory;
}

/* Values are random: one byte in 128 of them is escaped. */
static void make_records(struct nkv_line_rig *rig)
{
    uint64_t random = 4;
    for (size_t i = 0; i < rig->count; i++) {
        char text[32];
        snprintf(text, sizeof(text), "key-%08zu", i);
        memcpy(rig->records[i].key, text, NKV_LINE_KEY_SIZE);
        nkv_random_fill(&random, rig->records[i].value, NKV_LINE_VALUE_SIZE);
    }
}

void nkv_line_expect_ok(const struct nkv_line_rig *rig, enum nkv_status status,
                        const char *what)
{
    if (status != NKV_OK) {
        fprintf(stderr, "line: %s gave %s: %s\n", what, nkv_status_name(status),
                nkv_client_error(rig->client));
        exit(1);
    }
}

struct nkv_line_rig *nkv_line_rig_open(const struct nkv_line_setup *setup,
                                       size_t count)
{
    struct nkv_line_rig *rig = take_memory(1, sizeof(*rig));
    struct nkv_device_options device = {
        .sector_size = SECTOR_SIZE,
        .sector_count = (uint32_t)(count * ENTRY_SIZE / SECTOR_SIZE * 3 + 8),
        .max_keys = (uint32_t)count,
        .frame_size = setup->max_frame,
        .ring_size = setup->ring,
        .transmit_size = TRANSMIT_SIZE,
    };
    struct nkv_client_options options = {
        .latency_ms = setup->latency_ms,
        .deadline_ms = 600000,
        .seed = 0x123456,
        .omit_value_crc = setup->omit_value_crc,
    };
    const struct nkv_device *info;
    rig->count = count;
    rig->records = take_memory(count, sizeof(*rig->records));
    make_records(rig);
    nkv_bench_init(&rig->bench, 1);
    rig->bench.line.speed.baud = setup->baud;
    rig->bench.line.speed.latency_ms = setup->latency_ms;
    nkv_real_device_init(&rig->device, &rig->bench, &device);
    rig->client = nkv_bench_open(&rig->bench, &options);
    nkv_line_expect_ok(rig, nkv_client_device(rig->client, NULL, &info),
                       "open");
    rig->bench.line.faults.lose_write = setup->loss;
    return rig;
}

/* Nothing may have been lost that the line did not lose. */
static void check_overruns(const struct nkv_line_rig *rig)
{
    uint32_t overruns = nkv_server_line_counters(&rig->device.server)->overruns;
    if (overruns != 0) {
        fprintf(stderr, "line: the ring ran over: %u bytes\n", overruns);
        exit(1);
    }
}

void nkv_line_rig_close(struct nkv_line_rig *rig)
{
    check_overruns(rig);
    nkv_client_free(&rig->client);
    nkv_real_device_free(&rig->device);
    nkv_bench_free(&rig->bench);
    free(rig->records);
    free(rig);
}

struct nkv_span nkv_line_key(const struct nkv_line_rig *rig, size_t number)
{
    return (struct nkv_span){rig->records[number].key, NKV_LINE_KEY_SIZE};
}

struct nkv_span nkv_line_value(const struct nkv_line_rig *rig, size_t number)
{
    return (struct nkv_span){rig->records[number].value, NKV_LINE_VALUE_SIZE};
}

struct nkv_line_time nkv_line_now(const struct nkv_line_rig *rig)
{
    struct nkv_client_counters counters;
    nkv_client_get_counters(rig->client, &counters);
    return (struct nkv_line_time){
        .us = rig->bench.line.now_us,
        .sent = counters.bytes_sent,
        .received = counters.bytes_received,
    };
}

struct nkv_line_time nkv_line_since(const struct nkv_line_rig *rig,
                                    struct nkv_line_time begun)
{
    struct nkv_line_time now = nkv_line_now(rig);
    return (struct nkv_line_time){
        .us = now.us - begun.us,
        .sent = now.sent - begun.sent,
        .received = now.received - begun.received,
    };
}
