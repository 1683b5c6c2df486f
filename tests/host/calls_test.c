/* Every call, against the real server over a good line. */
#include "real_device.h"
#include "test.h"
#include <norkv/crc32.h>
#include <stdio.h>
#include <stdlib.h>

struct rig {
    struct nkv_bench bench;
    struct nkv_real_device device;
    struct nkv_client *client;
};

static struct rig *open_rig(const struct nkv_device_options *options)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    nkv_bench_init(&rig->bench, 1);
    rig->bench.line.speed = (struct nkv_line_speed){115200, 1};
    nkv_real_device_init(&rig->device, &rig->bench, options);
    rig->client = nkv_bench_open(&rig->bench, NULL);
    return rig;
}

static void close_rig(struct rig *rig)
{
    nkv_client_free(&rig->client);
    assert_null(rig->client);
    assert_int_equal(rig->bench.closed, 1);
    nkv_real_device_free(&rig->device);
    nkv_bench_free(&rig->bench);
    free(rig);
}

static void fill_pattern(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
}

static void the_device_tells_who_it_is(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    const struct nkv_device *device;
    assert_done(rig->client, nkv_client_device(rig->client, NULL, &device));
    assert_int_equal(device->protocol_version, 1);
    assert_string_equal(device->product, "bench");
    assert_string_equal(device->unit_id, NKV_DEVICE_UNIT_ID);
    assert_string_equal(device->firmware, "1.2.3");
    assert_int_equal(device->boot_id, rig->device.config.boot_id);
    assert_int_equal(device->max_frame, NKV_DEVICE_FRAME);
    assert_true(device->rx_window >= device->max_frame);
    assert_int_equal(device->max_calls, NKV_DEVICE_ANSWERS);
    assert_int_equal(device->max_key, 63);
    assert_in_range(device->max_value, 1800, 2000);
    assert_int_equal(device->stall_max_ms, 50);
    assert_int_equal(device->store_count, 2);
    assert_string_equal(device->stores[1].name, "identity");
    assert_int_equal(device->stores[1].number, 1);
    assert_int_equal(device->stores[1].capacity, 65536);
    assert_int_equal(device->stores[1].max_keys, 128);
    assert_int_equal(device->stores[1].mount_status, NKV_OK);
    close_rig(rig);
}

static void a_value_comes_back_byte_for_byte(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 125, 126, 127, 256, 1000, 1850};
    static uint8_t bytes[1850];
    struct rig *rig = open_rig(NULL);
    fill_pattern(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct nkv_client_value value;
        struct nkv_span put = {bytes, sizes[i]};
        assert_done(rig->client,
                    nkv_client_put(rig->client, NULL, text_span("key"), put));
        assert_done(rig->client, nkv_client_get(rig->client, NULL,
                                                text_span("key"), &value));
        assert_int_equal(value.size, sizes[i]);
        assert_int_equal(value.crc32, nkv_crc32(0, bytes, sizes[i]));
        if (value.size > 0)
            assert_memory_equal(value.data, bytes, sizes[i]);
        nkv_client_value_clear(&value);
        assert_null(value.data);
    }
    assert_string_equal(nkv_client_error(rig->client), "");
    close_rig(rig);
}

static void a_value_larger_than_a_packet_comes_in_parts(void **state)
{
    (void)state;
    static uint8_t bytes[1800];
    struct nkv_device_options options = {.packet_size = 256};
    struct rig *rig = open_rig(&options);
    struct nkv_client_value value;
    fill_pattern(bytes, sizeof(bytes));
    struct nkv_span put = {bytes, sizeof(bytes)};
    assert_done(rig->client,
                nkv_client_put(rig->client, NULL, text_span("large"), put));
    assert_done(rig->client,
                nkv_client_get(rig->client, NULL, text_span("large"), &value));
    assert_int_equal(value.size, sizeof(bytes));
    assert_memory_equal(value.data, bytes, sizeof(bytes));
    nkv_client_value_clear(&value);
    close_rig(rig);
}

static void keys_are_any_bytes(void **state)
{
    (void)state;
    uint8_t key[63];
    struct rig *rig = open_rig(NULL);
    struct nkv_client_value value;
    for (size_t size = 1; size <= sizeof(key); size += 31) {
        memset(key, 0, sizeof(key));
        key[size - 1] = 0x7e;
        struct nkv_span span = {key, size};
        assert_done(rig->client,
                    nkv_client_put(rig->client, NULL, span, text_span("v")));
        assert_done(rig->client,
                    nkv_client_get(rig->client, NULL, span, &value));
        nkv_client_value_clear(&value);
    }
    close_rig(rig);
}

static void a_missing_key_is_not_found(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct nkv_client_value value;
    struct nkv_client_key_info info;
    assert_int_equal(
        nkv_client_get(rig->client, NULL, text_span("none"), &value),
        NKV_NOT_FOUND);
    assert_null(value.data);
    assert_string_equal(nkv_client_error(rig->client),
                        "bench: get none: no such key (NOT_FOUND)");
    assert_int_equal(nkv_client_reason(rig->client), NKV_REASON_NONE);
    assert_int_equal(
        nkv_client_describe(rig->client, NULL, text_span("none"), &info),
        NKV_NOT_FOUND);
    assert_int_equal(nkv_client_delete(rig->client, NULL, text_span("none")),
                     NKV_NOT_FOUND);
    assert_says(rig->client, "bench: delete none: no such key");
    close_rig(rig);
}

static void a_deleted_key_is_gone(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct nkv_client_value value;
    assert_done(rig->client, nkv_client_put(rig->client, NULL, text_span("k"),
                                            text_span("v")));
    assert_done(rig->client,
                nkv_client_delete(rig->client, NULL, text_span("k")));
    assert_int_equal(nkv_client_get(rig->client, NULL, text_span("k"), &value),
                     NKV_NOT_FOUND);
    close_rig(rig);
}

static void describe_tells_version_size_and_crc(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct nkv_client_key_info info;
    struct nkv_client_value value;
    assert_done(rig->client, nkv_client_put(rig->client, NULL, text_span("k"),
                                            text_span("123456789")));
    assert_done(rig->client,
                nkv_client_describe(rig->client, NULL, text_span("k"), &info));
    assert_int_equal(info.value_size, 9);
    assert_int_equal(info.crc32, 0xCBF43926u);
    assert_done(rig->client,
                nkv_client_get(rig->client, NULL, text_span("k"), &value));
    assert_int_equal(value.version, info.version);
    nkv_client_value_clear(&value);
    close_rig(rig);
}

static void stores_are_apart(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct nkv_client_value value;
    struct nkv_call_options second = {.store = 1};
    struct nkv_call_options third = {.store = 2};
    assert_done(rig->client, nkv_client_put(rig->client, &second,
                                            text_span("k"), text_span("v")));
    assert_int_equal(nkv_client_get(rig->client, NULL, text_span("k"), &value),
                     NKV_NOT_FOUND);
    assert_done(rig->client,
                nkv_client_get(rig->client, &second, text_span("k"), &value));
    nkv_client_value_clear(&value);
    assert_int_equal(
        nkv_client_get(rig->client, &third, text_span("k"), &value),
        NKV_INVALID_ARGUMENT);
    assert_int_equal(nkv_client_reason(rig->client), NKV_REASON_NO_SUCH_STORE);
    assert_says(rig->client, "the device has no store 2: it has 0 'settings', "
                             "1 'identity'");
    close_rig(rig);
}

static void a_store_may_be_called_by_its_name(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct nkv_client_value value;
    const struct nkv_call_options number = {.store = 1};
    const struct nkv_call_options name = {.store_name = "identity"};
    const struct nkv_call_options other = {.store_name = "Identity"};
    assert_done(rig->client, nkv_client_put(rig->client, &name, text_span("k"),
                                            text_span("v")));
    assert_int_equal(nkv_client_store(rig->client), 1);
    assert_done(rig->client,
                nkv_client_get(rig->client, &number, text_span("k"), &value));
    nkv_client_value_clear(&value);
    assert_int_equal(
        nkv_client_get(rig->client, &other, text_span("k"), &value),
        NKV_INVALID_ARGUMENT);
    assert_int_equal(nkv_client_reason(rig->client), NKV_REASON_NO_SUCH_STORE);
    assert_says(rig->client, "the device has no store 'Identity': it has 0 "
                             "'settings', 1 'identity'");
    close_rig(rig);
}

static void bad_keys_and_values_are_refused_before_they_are_sent(void **state)
{
    (void)state;
    static uint8_t bytes[4096];
    struct rig *rig = open_rig(NULL);
    struct nkv_client_value value;
    struct nkv_span long_key = {bytes, 64};
    struct nkv_span large = {bytes, sizeof(bytes)};
    assert_int_equal(
        nkv_client_put(rig->client, NULL, text_span(""), text_span("v")),
        NKV_INVALID_ARGUMENT);
    assert_int_equal(nkv_client_reason(rig->client), NKV_REASON_BAD_KEY);
    assert_int_equal(
        nkv_client_put(rig->client, NULL, long_key, text_span("v")),
        NKV_INVALID_ARGUMENT);
    assert_int_equal(nkv_client_get(rig->client, NULL, long_key, &value),
                     NKV_INVALID_ARGUMENT);
    assert_says(rig->client, "1 to 63 bytes, this one has 64");
    assert_int_equal(nkv_client_put(rig->client, NULL, text_span("k"), large),
                     NKV_INVALID_ARGUMENT);
    assert_int_equal(nkv_client_reason(rig->client),
                     NKV_REASON_VALUE_TOO_LARGE);
    assert_says(rig->client, "the value has 4096 bytes, the device takes 1");
    /* Nothing was counted that the device did not see. */
    assert_done(rig->client, nkv_client_put(rig->client, NULL, text_span("k"),
                                            text_span("v")));
    close_rig(rig);
}

static void a_conditional_write_compares_the_version(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct nkv_mutation mutation = {
        .key = text_span("k"),
        .value = text_span("first"),
        .conditional = true,
    };
    assert_done(rig->client,
                nkv_client_apply(rig->client, NULL, &mutation, 1, NULL));
    uint32_t version = mutation.version;
    assert_true(version != 0);
    mutation.value = text_span("second");
    assert_int_equal(nkv_client_apply(rig->client, NULL, &mutation, 1, NULL),
                     NKV_FAILED_PRECONDITION);
    assert_int_equal(mutation.reason, NKV_REASON_VERSION_MISMATCH);
    assert_int_equal(mutation.version, version);
    assert_says(rig->client, "put k: the key has another version");
    mutation.if_version = version;
    assert_done(rig->client,
                nkv_client_apply(rig->client, NULL, &mutation, 1, NULL));
    mutation.kind = NKV_MUTATION_DELETE;
    assert_int_equal(nkv_client_apply(rig->client, NULL, &mutation, 1, NULL),
                     NKV_FAILED_PRECONDITION);
    mutation.if_version = mutation.version;
    assert_done(rig->client,
                nkv_client_apply(rig->client, NULL, &mutation, 1, NULL));
    close_rig(rig);
}

static void a_batch_goes_on_after_a_refusal(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    static char keys[COUNT][16];
    static struct nkv_mutation mutations[COUNT];
    struct rig *rig = open_rig(NULL);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(keys[i], sizeof(keys[i]), "key%zu", i);
        mutations[i] = (struct nkv_mutation){
            .key = text_span(keys[i]),
            .value = text_span(keys[i]),
        };
    }
    mutations[10].kind = NKV_MUTATION_DELETE;
    mutations[20].key.size = 0;
    assert_int_equal(
        nkv_client_apply(rig->client, NULL, mutations, COUNT, NULL),
        NKV_NOT_FOUND);
    assert_says(rig->client, "bench: delete key10: no such key");
    for (size_t i = 0; i < COUNT; i++) {
        enum nkv_status expected = i == 10   ? NKV_NOT_FOUND
                                   : i == 20 ? NKV_INVALID_ARGUMENT
                                             : NKV_OK;
        assert_int_equal(mutations[i].status, expected);
    }
    struct nkv_client_statistics statistics;
    assert_done(rig->client,
                nkv_client_statistics(rig->client, NULL, &statistics));
    assert_int_equal(statistics.keys, COUNT - 2);
    close_rig(rig);
}

static void count_one_more(void *context, uint32_t done)
{
    uint32_t *last = context;
    assert_int_equal(done, ++*last);
}

/* More than are in the lane at once, and one of them is refused. */
static void a_batch_tells_how_many_are_done(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    static char keys[COUNT][16];
    static struct nkv_mutation mutations[COUNT];
    uint32_t last = 0;
    const struct nkv_client_progress progress = {count_one_more, &last};
    struct rig *rig = open_rig(NULL);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(keys[i], sizeof(keys[i]), "key%zu", i % 8);
        mutations[i] = (struct nkv_mutation){
            .key = text_span(keys[i]),
            .value = text_span("value"),
        };
    }
    mutations[20].key.size = 0;
    assert_int_equal(
        nkv_client_apply(rig->client, NULL, mutations, COUNT, &progress),
        NKV_INVALID_ARGUMENT);
    assert_int_equal(last, COUNT - 1);
    close_rig(rig);
}

static void mutations_in_flight_save_time(void **state)
{
    (void)state;
    enum { COUNT = 64 };
    static char keys[COUNT][16];
    static struct nkv_mutation mutations[COUNT];
    struct rig *rig = open_rig(NULL);
    rig->bench.line.speed = (struct nkv_line_speed){921600, 16};
    uint64_t begin = nkv_bench_now_ms(&rig->bench);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(keys[i], sizeof(keys[i]), "a%zu", i);
        assert_done(rig->client,
                    nkv_client_put(rig->client, NULL, text_span(keys[i]),
                                   text_span("value")));
    }
    uint64_t single = nkv_bench_now_ms(&rig->bench) - begin;
    for (size_t i = 0; i < COUNT; i++) {
        keys[i][0] = 'b';
        mutations[i] = (struct nkv_mutation){
            .key = text_span(keys[i]),
            .value = text_span("value"),
        };
    }
    begin = nkv_bench_now_ms(&rig->bench);
    assert_done(rig->client,
                nkv_client_apply(rig->client, NULL, mutations, COUNT, NULL));
    uint64_t together = nkv_bench_now_ms(&rig->bench) - begin;
    /* The clock is the line's own, so this is a count of round trips. */
    assert_true(together * 4 < single);
    close_rig(rig);
}

/* The client thinks that the line is faster than it is: it learns. */
static void a_line_slower_than_told_is_not_flooded(void **state)
{
    (void)state;
    enum { COUNT = 64 };
    static char keys[COUNT][16];
    static struct nkv_mutation mutations[COUNT];
    static uint8_t bytes[100];
    struct nkv_client_counters counters;
    struct rig *rig = open_rig(NULL);
    rig->bench.line.speed = (struct nkv_line_speed){4800, 1};
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            snprintf(keys[i], sizeof(keys[i]), "k%d/%zu", round, i % 16);
            mutations[i] = (struct nkv_mutation){
                .key = text_span(keys[i]),
                .value = {bytes, sizeof(bytes)},
            };
            bytes[0]++;
        }
        assert_done(rig->client, nkv_client_apply(rig->client,
                                                  &(struct nkv_call_options){
                                                      .deadline_ms = 100000},
                                                  mutations, COUNT, NULL));
    }
    nkv_client_get_counters(rig->client, &counters);
    /* One round of repeats, or two, and not one for each mutation. */
    assert_in_range(counters.retries, 1, 64);
    close_rig(rig);
}

static void a_full_store_says_so(void **state)
{
    (void)state;
    static uint8_t bytes[1000];
    struct nkv_device_options options = {
        .sector_size = 4096,
        .sector_count = 3,
    };
    struct rig *rig = open_rig(&options);
    enum nkv_status status = NKV_OK;
    unsigned count = 0;
    while (status == NKV_OK && count < 100) {
        char key[16];
        struct nkv_span value = {bytes, sizeof(bytes)};
        snprintf(key, sizeof(key), "k%u", count++);
        status = nkv_client_put(rig->client, NULL, text_span(key), value);
    }
    assert_int_equal(status, NKV_RESOURCE_EXHAUSTED);
    assert_int_equal(nkv_client_reason(rig->client), NKV_REASON_STORE_FULL);
    assert_says(rig->client, "the store is full");
    struct nkv_client_value value;
    assert_done(rig->client,
                nkv_client_get(rig->client, NULL, text_span("k0"), &value));
    nkv_client_value_clear(&value);
    close_rig(rig);
}

static void a_full_table_of_keys_says_so(void **state)
{
    (void)state;
    struct nkv_device_options options = {.max_keys = 4};
    struct rig *rig = open_rig(&options);
    for (unsigned i = 0; i < 4; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%u", i);
        assert_done(rig->client, nkv_client_put(rig->client, NULL,
                                                text_span(key), text_span("")));
    }
    assert_int_equal(
        nkv_client_put(rig->client, NULL, text_span("k4"), text_span("")),
        NKV_RESOURCE_EXHAUSTED);
    assert_int_equal(nkv_client_reason(rig->client), NKV_REASON_KEY_TABLE_FULL);
    close_rig(rig);
}

/* ---- Scans ------------------------------------------------------------ */

enum { RECORDS = 100 };

struct seen {
    unsigned count[RECORDS];
    unsigned total;
    unsigned stop_after;
    bool with_values;
};

static bool see(void *context, const struct nkv_client_record *record)
{
    struct seen *seen = context;
    unsigned number;
    char key[64];
    memcpy(key, record->key.data, record->key.size);
    key[record->key.size] = '\0';
    assert_int_equal(sscanf(key, "group/%u", &number), 1);
    assert_in_range(number, 0, RECORDS - 1);
    assert_int_equal(record->status, NKV_OK);
    assert_int_equal(record->value_size, number * 3);
    assert_int_equal(record->value.size, seen->with_values ? number * 3 : 0);
    assert_false(record->value_omitted);
    seen->count[number]++;
    seen->total++;
    return seen->total != seen->stop_after;
}

static void put_records(struct rig *rig)
{
    static const uint8_t bytes[3 * RECORDS];
    for (unsigned i = 0; i < RECORDS; i++) {
        char key[16];
        struct nkv_span value = {bytes, i * 3};
        snprintf(key, sizeof(key), "group/%u", i);
        assert_done(rig->client,
                    nkv_client_put(rig->client, NULL, text_span(key), value));
    }
    assert_done(rig->client,
                nkv_client_put(rig->client, NULL, text_span("other"),
                               text_span("not of the group")));
}

static void a_scan_gives_every_record_of_the_prefix(void **state)
{
    (void)state;
    struct nkv_device_options options = {.packet_size = 512};
    struct rig *rig = open_rig(&options);
    put_records(rig);
    for (int with_values = 0; with_values < 2; with_values++) {
        struct seen seen = {.with_values = with_values != 0};
        struct nkv_client_scan scan = {
            .prefix = text_span("group/"),
            .keys_only = with_values == 0,
            .record = see,
            .context = &seen,
        };
        assert_done(rig->client, nkv_client_scan(rig->client, NULL, &scan));
        assert_int_equal(seen.total, RECORDS);
        for (unsigned i = 0; i < RECORDS; i++)
            assert_int_equal(seen.count[i], 1);
        assert_false(scan.changed);
    }
    close_rig(rig);
}

static void a_scan_can_be_stopped(void **state)
{
    (void)state;
    struct nkv_device_options options = {.packet_size = 512};
    struct rig *rig = open_rig(&options);
    put_records(rig);
    struct seen seen = {.with_values = true, .stop_after = 5};
    struct nkv_client_scan scan = {
        .prefix = text_span("group/"),
        .record = see,
        .context = &seen,
    };
    assert_int_equal(nkv_client_scan(rig->client, NULL, &scan), NKV_CANCELLED);
    assert_int_equal(seen.total, 5);
    /* The device has stopped, too, and serves the next call. */
    struct nkv_client_value value;
    assert_done(rig->client,
                nkv_client_get(rig->client, NULL, text_span("other"), &value));
    nkv_client_value_clear(&value);
    assert_false(nkv_rpc_is_running(&rig->device.server.rpc));
    close_rig(rig);
}

static bool see_omitted(void *context, const struct nkv_client_record *record)
{
    bool *omitted = context;
    *omitted = record->value_omitted && record->value.size == 0 &&
               record->value_size == 1500;
    return true;
}

static void a_scan_says_when_a_value_fits_no_packet(void **state)
{
    (void)state;
    static const uint8_t bytes[1500];
    struct nkv_device_options options = {.packet_size = 512};
    struct rig *rig = open_rig(&options);
    struct nkv_span large = {bytes, sizeof(bytes)};
    bool omitted = false;
    struct nkv_client_scan scan = {.record = see_omitted, .context = &omitted};
    assert_done(rig->client,
                nkv_client_put(rig->client, NULL, text_span("large"), large));
    assert_done(rig->client, nkv_client_scan(rig->client, NULL, &scan));
    assert_true(omitted);
    close_rig(rig);
}

/* ---- Maintenance ------------------------------------------------------ */

static void count_progress(void *context, uint32_t steps)
{
    unsigned *count = context;
    (void)steps;
    (*count)++;
}

static void collecting_frees_stale_bytes(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct nkv_client_statistics before;
    struct nkv_client_statistics after;
    unsigned reports = 0;
    struct nkv_client_progress progress = {count_progress, &reports};
    for (unsigned i = 0; i < 200; i++) {
        char value[16];
        snprintf(value, sizeof(value), "%u", i);
        assert_done(rig->client,
                    nkv_client_put(rig->client, NULL, text_span("counter"),
                                   text_span(value)));
    }
    assert_done(rig->client, nkv_client_statistics(rig->client, NULL, &before));
    assert_true(before.stale_bytes > 0);
    assert_int_equal(before.sector_count, 16);
    assert_int_equal(before.program_unit, 16);
    assert_true(before.frames_received >= 200);
    assert_done(rig->client,
                nkv_client_collect(rig->client, NULL, NKV_COLLECT_FULL, NULL));
    assert_done(rig->client, nkv_client_collect(rig->client, NULL,
                                                NKV_COLLECT_HEAVY, &progress));
    assert_true(reports > 0);
    assert_done(rig->client, nkv_client_statistics(rig->client, NULL, &after));
    assert_int_equal(after.stale_bytes, 0);
    assert_int_equal(after.keys, 1);
    assert_int_equal(
        nkv_client_collect(rig->client, NULL, NKV_COLLECT_PARTIAL, NULL),
        NKV_NOT_FOUND);
    assert_says(rig->client, "no sector gains");
    close_rig(rig);
}

static void erase_all_wants_the_units_id(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct nkv_client_statistics statistics;
    assert_done(rig->client, nkv_client_put(rig->client, NULL, text_span("k"),
                                            text_span("v")));
    assert_int_equal(
        nkv_client_erase_all(rig->client, NULL, "BENCH-0041", NULL),
        NKV_INVALID_ARGUMENT);
    assert_int_equal(nkv_client_reason(rig->client), NKV_REASON_WRONG_UNIT_ID);
    assert_says(rig->client, "erase-all: the device has another unit id");
    assert_done(rig->client,
                nkv_client_statistics(rig->client, NULL, &statistics));
    assert_int_equal(statistics.keys, 1);
    assert_done(rig->client, nkv_client_erase_all(rig->client, NULL,
                                                  NKV_DEVICE_UNIT_ID, NULL));
    assert_done(rig->client,
                nkv_client_statistics(rig->client, NULL, &statistics));
    assert_int_equal(statistics.keys, 0);
    close_rig(rig);
}

static void echo_brings_the_text_back(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    uint32_t time = 0;
    assert_done(rig->client,
                nkv_client_echo(rig->client, NULL, "hello ~}\n", &time));
    assert_in_range(time, 1, 100);
    close_rig(rig);
}

/* ---- Trace ------------------------------------------------------------ */

struct traced {
    char text[4096];
    unsigned sent;
    unsigned received;
};

static void keep_trace(void *context, const struct nkv_client_trace *trace)
{
    struct traced *traced = context;
    size_t used = strlen(traced->text);
    assert_int_equal(trace->bytes.data[0], 0x7e);
    assert_int_equal(trace->bytes.data[trace->bytes.size - 1], 0x7e);
    traced->sent += trace->sent;
    traced->received += !trace->sent;
    snprintf(traced->text + used, sizeof(traced->text) - used, "%s\n",
             trace->meaning);
}

static void a_trace_shows_each_frame_and_what_it_means(void **state)
{
    (void)state;
    struct traced traced = {.text = ""};
    struct nkv_client_options options = {
        .trace = keep_trace,
        .trace_context = &traced,
    };
    struct rig *rig = open_rig(NULL);
    struct nkv_client *client = nkv_bench_open(&rig->bench, &options);
    assert_done(client, nkv_client_put(client, NULL, text_span("boot"),
                                       text_span("\x01\xff")));
    assert_int_equal(traced.sent, 2);
    assert_int_equal(traced.received, 2);
    assert_non_null(strstr(traced.text, "REQUEST norkv.v1.Device/Open call "));
    assert_non_null(strstr(traced.text, "product=bench unit_id=BENCH-0042"));
    assert_non_null(strstr(traced.text, "REQUEST norkv.v1.Store/Put call "));
    assert_non_null(strstr(traced.text, ": key=boot value=hex:01ff op={ "));
    assert_non_null(strstr(traced.text, "RESPONSE norkv.v1.Store/Put call "));
    rig->bench.closed = 0;
    nkv_client_free(&client);
    rig->bench.closed = 0;
    close_rig(rig);
}

static void counters_tell_what_the_line_did(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct nkv_client_counters counters;
    assert_done(rig->client, nkv_client_echo(rig->client, NULL, "x", NULL));
    nkv_client_get_counters(rig->client, &counters);
    assert_int_equal(counters.frames_sent, 1);
    assert_int_equal(counters.frames_received, 1);
    assert_true(counters.bytes_sent > 20 && counters.bytes_received > 20);
    assert_int_equal(counters.retries, 0);
    assert_int_equal(counters.bad_frames, 0);
    close_rig(rig);
}

static bool count_record(void *context, const struct nkv_client_record *record)
{
    unsigned *count = context;
    (void)record;
    (*count)++;
    return true;
}

/* A byte that is escaped takes two on the line, and a chunk of a scan its
 * time: nothing is repeated before it can have been answered. */
static void a_slow_line_is_given_the_time_it_needs(void **state)
{
    (void)state;
    static uint8_t bytes[1800];
    struct nkv_bench bench;
    static struct nkv_real_device device;
    struct nkv_client_counters counters;
    struct nkv_client_options options = {.deadline_ms = 60000};
    struct nkv_client_value value;
    unsigned count = 0;
    struct nkv_client_scan scan = {.record = count_record, .context = &count};
    struct nkv_span put = {bytes, sizeof(bytes)};
    memset(bytes, 0x7e, sizeof(bytes));
    nkv_bench_init(&bench, 1);
    bench.line.speed = (struct nkv_line_speed){9600, 1};
    nkv_real_device_init(&device, &bench, NULL);
    struct nkv_client *client = nkv_bench_open(&bench, &options);
    for (int i = 0; i < 4; i++)
        assert_done(client,
                    nkv_client_put(client, NULL, text_span(&"abcd"[i]), put));
    assert_done(client, nkv_client_get(client, NULL, text_span("d"), &value));
    assert_int_equal(value.size, sizeof(bytes));
    nkv_client_value_clear(&value);
    assert_done(client, nkv_client_scan(client, NULL, &scan));
    assert_int_equal(count, 4);
    nkv_client_get_counters(client, &counters);
    assert_int_equal(counters.retries, 0);
    assert_int_equal(counters.late_answers, 0);
    nkv_client_free(&client);
    nkv_real_device_free(&device);
    nkv_bench_free(&bench);
}

/* What a call sends and gets, flags and escapes included. */
struct bytes {
    uint64_t sent;
    uint64_t received;
};

static struct bytes bytes_of(struct nkv_client *client)
{
    struct nkv_client_counters counters;
    nkv_client_get_counters(client, &counters);
    return (struct bytes){counters.bytes_sent, counters.bytes_received};
}

/* The bytes of a put of a 12-byte key and a 32-byte value, and of its get. */
static void measure(bool omit_value_crc, struct bytes *put, struct bytes *got)
{
    struct rig *rig = open_rig(NULL);
    struct nkv_client_options options = {
        .omit_value_crc = omit_value_crc,
        /* Call ids of three bytes, none of them one that is escaped. */
        .seed = 0x123456,
    };
    struct nkv_client *client = nkv_bench_open(&rig->bench, &options);
    struct nkv_span key = text_span("key-00000001");
    struct nkv_client_value value;
    const struct nkv_device *device;
    assert_done(client, nkv_client_device(client, NULL, &device));
    struct bytes before = bytes_of(client);
    assert_done(client,
                nkv_client_put(client, NULL, key,
                               text_span("0123456789abcdef0123456789abcdef")));
    struct bytes between = bytes_of(client);
    assert_done(client, nkv_client_get(client, NULL, key, &value));
    assert_int_equal(value.crc32, nkv_crc32(0, value.data, value.size));
    nkv_client_value_clear(&value);
    struct bytes after = bytes_of(client);
    *put = (struct bytes){between.sent - before.sent,
                          between.received - before.received};
    *got = (struct bytes){after.sent - between.sent,
                          after.received - between.received};
    nkv_client_free(&client);
    rig->bench.closed--;
    close_rig(rig);
}

static void a_put_without_its_values_crc_is_5_bytes_less(void **state)
{
    (void)state;
    struct bytes put, got, put_less, got_less;
    measure(false, &put, &got);
    measure(true, &put_less, &got_less);
    /* An escape more or less, in the frame's CRC. */
    assert_in_range(put.sent - put_less.sent, 4, 6);
    assert_in_range(put.sent, 86, 90);
    assert_in_range(put.received, 28, 30);
    assert_in_range(got.sent, 39, 42);
    assert_in_range(got.received, 66, 69);
}

static void
nothing_is_lost_at_a_part_that_is_deaf_while_it_programs(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    static char keys[COUNT][16];
    static struct nkv_mutation mutations[COUNT];
    struct nkv_device_options options = {
        .frame_size = 400,
        .rx_window = 400,
        .program_us = 164,
        .erase_us = 20000,
        .is_deaf = true,
    };
    struct nkv_client_counters counters;
    struct rig *rig = open_rig(&options);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(keys[i], sizeof(keys[i]), "key%zu", i);
        mutations[i] = (struct nkv_mutation){
            .key = text_span(keys[i]),
            .value = text_span("a value of a few bytes"),
        };
    }
    assert_done(rig->client,
                nkv_client_apply(rig->client, NULL, mutations, COUNT, NULL));
    nkv_client_get_counters(rig->client, &counters);
    assert_int_equal(rig->device.unheard, 0);
    assert_int_equal(counters.retries, 0);
    close_rig(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_device_tells_who_it_is),
        cmocka_unit_test(a_value_comes_back_byte_for_byte),
        cmocka_unit_test(a_value_larger_than_a_packet_comes_in_parts),
        cmocka_unit_test(keys_are_any_bytes),
        cmocka_unit_test(a_missing_key_is_not_found),
        cmocka_unit_test(a_deleted_key_is_gone),
        cmocka_unit_test(describe_tells_version_size_and_crc),
        cmocka_unit_test(stores_are_apart),
        cmocka_unit_test(a_store_may_be_called_by_its_name),
        cmocka_unit_test(bad_keys_and_values_are_refused_before_they_are_sent),
        cmocka_unit_test(a_conditional_write_compares_the_version),
        cmocka_unit_test(a_batch_goes_on_after_a_refusal),
        cmocka_unit_test(a_batch_tells_how_many_are_done),
        cmocka_unit_test(mutations_in_flight_save_time),
        cmocka_unit_test(a_line_slower_than_told_is_not_flooded),
        cmocka_unit_test(a_full_store_says_so),
        cmocka_unit_test(a_full_table_of_keys_says_so),
        cmocka_unit_test(a_scan_gives_every_record_of_the_prefix),
        cmocka_unit_test(a_scan_can_be_stopped),
        cmocka_unit_test(a_scan_says_when_a_value_fits_no_packet),
        cmocka_unit_test(collecting_frees_stale_bytes),
        cmocka_unit_test(erase_all_wants_the_units_id),
        cmocka_unit_test(echo_brings_the_text_back),
        cmocka_unit_test(a_trace_shows_each_frame_and_what_it_means),
        cmocka_unit_test(counters_tell_what_the_line_did),
        cmocka_unit_test(a_slow_line_is_given_the_time_it_needs),
        cmocka_unit_test(a_put_without_its_values_crc_is_5_bytes_less),
        cmocka_unit_test(
            nothing_is_lost_at_a_part_that_is_deaf_while_it_programs),
    };
    return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
