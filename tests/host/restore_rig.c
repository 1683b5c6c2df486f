#include "restore_rig.h"

#include "random.h"
#include "test.h"
#include <stdio.h>
#include <stdlib.h>

/* Record number i, always the same. */
static void make_record(struct nkv_upload *upload, uint32_t i,
                        struct nkv_span *key, struct nkv_span *value)
{
    char text[NKV_UPLOAD_KEY + 8];
    uint64_t random = i + 1;
    size_t size = upload->options.value_size;
    if (size == 0)
        size = nkv_random_below(&random, 61);
    snprintf(text, sizeof(text), "key-%08lu", (unsigned long)i);
    memcpy(upload->key, text, NKV_UPLOAD_KEY);
    for (size_t at = 0; at < size; at++)
        upload->value[at] = upload->options.is_escaped
                                ? 0x7e
                                : (uint8_t)nkv_random_below(&random, 256);
    *key = (struct nkv_span){upload->key, NKV_UPLOAD_KEY};
    *value = (struct nkv_span){upload->value, size};
}

static enum nkv_status next_record(void *context, struct nkv_span *key,
                                   struct nkv_span *value)
{
    struct nkv_upload *upload = context;
    if (upload->next == upload->options.count)
        return NKV_NOT_FOUND;
    make_record(upload, upload->next++, key, value);
    return NKV_OK;
}

struct nkv_upload *nkv_upload_open(const struct nkv_upload_options *options)
{
    struct nkv_upload *upload = calloc(1, sizeof(*upload));
    struct nkv_device_options device = options->device;
    struct nkv_client_options client = {.latency_ms = 1};
    const struct nkv_device *told;
    assert_non_null(upload);
    upload->options = *options;
    if (device.sector_count == 0)
        device.sector_count = 256;
    if (device.max_keys == 0)
        device.max_keys = options->count + 16;
    nkv_bench_init(&upload->bench, options->seed + 7);
    nkv_real_device_init(&upload->device, &upload->bench, &device);
    upload->bench.line.speed = options->speed;
    if (options->speed.latency_ms > 0)
        client.latency_ms = options->speed.latency_ms;
    upload->client = nkv_bench_open(&upload->bench, &client);
    assert_done(upload->client, nkv_client_device(upload->client, NULL, &told));
    upload->bench.line.faults = options->faults;
    upload->restore = (struct nkv_client_restore){
        .next = next_record,
        .context = upload,
        .chunk_size = options->chunk_size,
    };
    return upload;
}

void nkv_upload_free(struct nkv_upload *upload)
{
    nkv_client_free(&upload->client);
    nkv_real_device_free(&upload->device);
    nkv_bench_free(&upload->bench);
    free(upload);
}

enum nkv_status nkv_upload_run(struct nkv_upload *upload)
{
    struct nkv_client_counters before;
    struct nkv_client_counters after;
    uint64_t start_us = upload->bench.line.now_us;
    struct nkv_call_options call = {
        .deadline_ms = upload->options.deadline_ms == 0
                           ? 3600000
                           : upload->options.deadline_ms,
    };
    nkv_client_get_counters(upload->client, &before);
    enum nkv_status status =
        nkv_client_restore(upload->client, &call, &upload->restore);
    nkv_client_get_counters(upload->client, &after);
    upload->time_us = upload->bench.line.now_us - start_us;
    upload->written = after.bytes_sent - before.bytes_sent;
    return status;
}

void nkv_upload_check(struct nkv_upload *upload, uint32_t count)
{
    struct nkv_store *store = &upload->device.parts[0].store;
    struct nkv_statistics statistics;
    uint8_t bytes[NKV_UPLOAD_VALUE_MAX];
    for (uint32_t i = 0; i < count; i++) {
        struct nkv_span key;
        struct nkv_span expected;
        struct nkv_value value = {0};
        make_record(upload, i, &key, &expected);
        assert_int_equal(nkv_get(store, key, 0,
                                 (struct nkv_buffer){bytes, sizeof(bytes)},
                                 &value),
                         NKV_OK);
        assert_int_equal(value.size, expected.size);
        assert_memory_equal(bytes, expected.data, expected.size);
    }
    nkv_statistics(store, &statistics);
    assert_int_equal(statistics.keys, count);
}

unsigned nkv_upload_share(const struct nkv_upload *upload)
{
    double line =
        (double)upload->options.speed.baud / 10 * (double)upload->time_us / 1e6;
    return (unsigned)((double)upload->restore.bytes * 10000 / line);
}

unsigned nkv_upload_busy(const struct nkv_upload *upload)
{
    double line =
        (double)upload->options.speed.baud / 10 * (double)upload->time_us / 1e6;
    return (unsigned)((double)upload->written * 10000 / line);
}
