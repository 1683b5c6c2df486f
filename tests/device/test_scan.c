/* Store.Scan: every key once, in chunks that the client can take, beside
 * writes. */
#include "messages.h"
#include "pb_io.h"

#include <pb_decode.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RECORDS_MAX = 400 };

struct request {
    uint32_t store;
    struct nkv_span prefix;
    struct nkv_span cursor;
    uint32_t limit;
    bool keys_only;
};

struct record {
    uint8_t key[NKV_KEY_SIZE_MAX];
    size_t key_size;
    uint8_t *value;
    size_t size;
    norkv_v1_Record message;
};

/* What came of a scan. */
struct result {
    struct record records[RECORDS_MAX];
    size_t count;
    size_t chunks;
    size_t largest_packet;
    uint8_t cursor[NKV_KEY_SIZE_MAX];
    size_t cursor_size;
    bool done;
    bool changed;
    bool ended;
    enum nkv_status status;
};

static struct result result;

static int set_up(void **state)
{
    static struct nkv_rig rig;

    memset(&result, 0, sizeof result);
    nkv_rig_init(&rig, NULL);
    *state = &rig;
    return 0;
}

static void forget_result(void)
{
    for (size_t i = 0; i < result.count; i++) {
        free(result.records[i].value);
    }
    memset(&result, 0, sizeof result);
}

static int tear_down(void **state)
{
    forget_result();
    nkv_rig_free(*state);
    return 0;
}

static bool take_record(pb_istream_t *stream, const pb_field_t *field,
                        void **arg)
{
    struct record *record = &result.records[result.count];
    struct nkv_span key;
    struct nkv_span value;

    (void)field;
    (void)arg;
    assert_true(result.count < RECORDS_MAX);
    nkv_pb_take(&record->message.key, &key);
    nkv_pb_take(&record->message.value, &value);
    if (!pb_decode(stream, norkv_v1_Record_fields, &record->message)) {
        return false;
    }
    assert_true(key.size <= sizeof record->key);
    record->value = calloc(value.size + 1, 1);
    assert_non_null(record->value);
    if (key.size > 0) {
        memcpy(record->key, key.data, key.size);
    }
    if (value.size > 0) {
        memcpy(record->value, value.data, value.size);
    }
    record->key_size = key.size;
    record->size = value.size;
    result.count++;
    return true;
}

static void take_chunk(struct nkv_span payload)
{
    norkv_v1_ScanResponse response = norkv_v1_ScanResponse_init_zero;
    struct nkv_span cursor;

    assert_false(result.done);
    response.records.funcs.decode = take_record;
    nkv_pb_take(&response.cursor, &cursor);
    assert_true(
        nkv_pb_decode(payload, norkv_v1_ScanResponse_fields, &response));
    assert_int_equal(response.index, result.chunks);
    assert_true(cursor.size <= sizeof result.cursor);
    if (cursor.size > 0) {
        memcpy(result.cursor, cursor.data, cursor.size);
    }
    result.cursor_size = cursor.size;
    result.done = response.done;
    result.changed = response.changed;
    result.chunks++;
}

/* Takes the packets of the scan that the last poll sent. */
static void take_packets(const struct nkv_rig *rig)
{
    for (size_t i = 0; i < rig->frame_count; i++) {
        struct nkv_packet packet = nkv_rig_packet(rig, i);

        if (packet.method_id != NKV_METHOD_STORE_SCAN) {
            continue;
        }
        if (rig->frames[i].payload.size > result.largest_packet) {
            result.largest_packet = rig->frames[i].payload.size;
        }
        assert_false(result.ended);
        if (packet.type == NKV_PACKET_SERVER_STREAM) {
            take_chunk(packet.payload);
            continue;
        }
        assert_int_equal(packet.type, NKV_PACKET_RESPONSE);
        assert_int_equal(packet.payload.size, 0);
        result.ended = true;
        result.status = (enum nkv_status)packet.status;
    }
}

static uint32_t start_scan(struct nkv_rig *rig, const struct request *request)
{
    norkv_v1_ScanRequest message = norkv_v1_ScanRequest_init_zero;
    uint8_t bytes[256];
    struct nkv_span payload = {NULL, 0};

    message.store = request->store;
    nkv_pb_give(&message.prefix, &request->prefix);
    nkv_pb_give(&message.cursor, &request->cursor);
    message.limit = request->limit;
    message.keys_only = request->keys_only;
    assert_true(nkv_pb_encode((struct nkv_buffer){bytes, sizeof bytes},
                              norkv_v1_ScanRequest_fields, &message, &payload));
    forget_result();
    return nkv_rig_request(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_SCAN,
                           payload);
}

static void scan(struct nkv_rig *rig, const struct request *request)
{
    (void)start_scan(rig, request);
    nkv_rig_run(rig);
    take_packets(rig);
    assert_true(result.ended);
}

/* The number of records of this key. */
static int count_of(const char *key)
{
    int count = 0;

    for (size_t i = 0; i < result.count; i++) {
        if (result.records[i].key_size == strlen(key) &&
            memcmp(result.records[i].key, key, strlen(key)) == 0) {
            count++;
        }
    }
    return count;
}

static void put_numbered(struct nkv_rig *rig, int from, int to)
{
    for (int i = from; i < to; i++) {
        char key[16];
        char value[32];

        (void)snprintf(key, sizeof key, "key/%03d", i);
        (void)snprintf(value, sizeof value, "value number %d", i);
        nkv_rig_put(rig, key, value);
    }
}

static void expect_numbered(int from, int to)
{
    for (int i = from; i < to; i++) {
        char key[16];

        (void)snprintf(key, sizeof key, "key/%03d", i);
        assert_int_equal(count_of(key), 1);
    }
}

static void an_empty_store_gives_one_chunk_that_is_done(void **state)
{
    scan(*state, &(struct request){0});
    assert_int_equal(result.status, NKV_OK);
    assert_int_equal(result.chunks, 1);
    assert_int_equal(result.count, 0);
    assert_true(result.done);
    assert_false(result.changed);
}

static void every_key_comes_once_with_value_version_and_size(void **state)
{
    struct nkv_rig *rig = *state;

    put_numbered(rig, 0, 50);
    nkv_rig_delete(rig, "key/007");
    scan(rig, &(struct request){0});
    assert_int_equal(result.status, NKV_OK);
    assert_int_equal(result.count, 49);
    assert_true(result.chunks > 1);
    assert_true(result.largest_packet <= NKV_SERVER_PACKET_DEFAULT);
    assert_true(result.done);
    assert_false(result.changed);
    expect_numbered(0, 7);
    expect_numbered(8, 50);
    assert_int_equal(count_of("key/007"), 0);
    for (size_t i = 0; i < result.count; i++) {
        const struct record *record = &result.records[i];
        char value[32];
        int number = (int)strtol((const char *)record->key + 4, NULL, 10);

        (void)snprintf(value, sizeof value, "value number %d", number);
        assert_int_equal(record->size, strlen(value));
        assert_memory_equal(record->value, value, record->size);
        assert_int_equal(record->message.value_size, record->size);
        assert_int_equal(record->message.version, (uint32_t)number + 1);
        assert_int_equal(record->message.status, NKV_OK);
        assert_false(record->message.value_omitted);
    }
}

static void keys_only_leaves_the_values_out(void **state)
{
    struct nkv_rig *rig = *state;

    put_numbered(rig, 0, 20);
    scan(rig, &(struct request){.keys_only = true});
    assert_int_equal(result.count, 20);
    expect_numbered(0, 20);
    for (size_t i = 0; i < result.count; i++) {
        assert_int_equal(result.records[i].size, 0);
        assert_true(result.records[i].message.value_size > 0);
        assert_false(result.records[i].message.value_omitted);
    }
}

static void only_keys_with_the_prefix_come(void **state)
{
    struct nkv_rig *rig = *state;

    put_numbered(rig, 0, 12);
    nkv_rig_put(rig, "other", "1");
    nkv_rig_put(rig, "key", "2");
    scan(rig, &(struct request){.prefix = nkv_text("key/")});
    assert_int_equal(result.count, 12);
    scan(rig, &(struct request){.prefix = nkv_text("key")});
    assert_int_equal(result.count, 13);
    scan(rig, &(struct request){.prefix = nkv_text("key/01")});
    assert_int_equal(result.count, 2);
    scan(rig, &(struct request){.prefix = nkv_text("nothing")});
    assert_int_equal(result.count, 0);
    assert_int_equal(result.status, NKV_OK);
}

static void limit_bounds_the_records_and_the_cursor_goes_on(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t cursor[NKV_KEY_SIZE_MAX];
    size_t cursor_size = 0;
    size_t seen = 0;

    put_numbered(rig, 0, 23);
    do {
        scan(rig,
             &(struct request){.limit = 5, .cursor = {cursor, cursor_size}});
        assert_int_equal(result.status, NKV_OK);
        assert_true(result.count <= 5);
        assert_true(result.done);
        cursor_size = result.cursor_size;
        memcpy(cursor, result.cursor, cursor_size);
        seen += result.count;
    } while (result.count == 5);
    assert_int_equal(seen, 23);
}

/* As a client does after a gap: from the cursor of any chunk the rest comes. */
static void a_scan_goes_on_from_the_cursor_of_each_chunk(void **state)
{
    struct nkv_rig *rig = *state;
    size_t all;
    size_t chunks;

    put_numbered(rig, 0, 60);
    scan(rig, &(struct request){0});
    all = result.count;
    chunks = result.chunks;
    for (size_t stop = 1; stop < chunks; stop++) {
        uint8_t cursor[NKV_KEY_SIZE_MAX];
        size_t cursor_size;
        size_t seen;
        uint32_t call_id = start_scan(rig, &(struct request){0});

        while (result.chunks < stop) {
            assert_true(nkv_rig_poll(rig));
            take_packets(rig);
        }
        seen = result.count;
        cursor_size = result.cursor_size;
        memcpy(cursor, result.cursor, cursor_size);
        nkv_rig_cancel(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_SCAN, call_id);
        nkv_rig_run(rig);
        assert_int_equal(rig->frame_count, 0);
        scan(rig, &(struct request){.cursor = {cursor, cursor_size}});
        assert_int_equal(seen + result.count, all);
    }
}

static void a_value_that_fits_no_packet_is_omitted(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t value[1000];
    struct nkv_test_write write = {
        .key = nkv_text("large"),
        .value = {value, sizeof value},
    };

    memset(value, 'v', sizeof value);
    nkv_rig_put(rig, "before", "1");
    assert_int_equal(nkv_rig_write(rig, &write).status, NKV_OK);
    nkv_rig_put(rig, "after", "2");
    scan(rig, &(struct request){.prefix = nkv_text("large")});
    assert_int_equal(result.count, 1);
    assert_true(result.records[0].message.value_omitted);
    assert_int_equal(result.records[0].size, 0);
    assert_int_equal(result.records[0].message.value_size, 1000);
    scan(rig, &(struct request){0});
    assert_int_equal(result.count, 3);
    assert_int_equal(nkv_rig_open(rig, 1, 2000).status, NKV_OK);
    scan(rig, &(struct request){0});
    assert_int_equal(result.count, 3);
    assert_true(result.largest_packet > 1000);
    for (size_t i = 0; i < result.count; i++) {
        assert_false(result.records[i].message.value_omitted);
        assert_int_equal(result.records[i].message.value_size,
                         result.records[i].size);
    }
}

/* Each size around the packet's limit comes whole or is marked. */
static void
values_of_every_size_around_the_limit_come_or_are_marked(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t value[512];
    bool came = false;
    bool omitted = false;

    memset(value, 'v', sizeof value);
    for (size_t size = 300; size <= sizeof value; size++) {
        struct nkv_test_write write = {
            .key = nkv_text("k"),
            .value = {value, size},
        };

        assert_int_equal(nkv_rig_write(rig, &write).status, NKV_OK);
        scan(rig, &(struct request){0});
        assert_int_equal(result.count, 1);
        assert_true(result.largest_packet <= NKV_SERVER_PACKET_DEFAULT);
        if (result.records[0].message.value_omitted) {
            omitted = true;
        } else {
            assert_false(omitted);
            assert_int_equal(result.records[0].size, size);
            came = true;
        }
    }
    assert_true(came);
    assert_true(omitted);
}

static void a_scan_beside_writes_misses_no_key_that_stays(void **state)
{
    struct nkv_rig *rig = *state;
    int round = 0;

    put_numbered(rig, 0, 40);
    (void)start_scan(rig, &(struct request){0});
    while (!result.ended) {
        char key[16];

        assert_true(nkv_rig_poll(rig));
        take_packets(rig);
        (void)snprintf(key, sizeof key, "new/%d", round);
        rig->input_size = 0;
        rig->input_taken = 0;
        if (round < 12) {
            struct nkv_test_write write = {
                .key = nkv_text(key),
                .value = nkv_text("new"),
            };
            uint8_t bytes[64];

            (void)nkv_rig_request(
                rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_PUT,
                nkv_write_payload(&write,
                                  (struct nkv_buffer){bytes, sizeof bytes}));
        }
        round++;
        assert_true(round < 100);
    }
    assert_int_equal(result.status, NKV_OK);
    assert_true(result.changed);
    assert_true(round > 3);
    expect_numbered(0, 40);
    scan(rig, &(struct request){0});
    assert_false(result.changed);
}

static void two_scans_run_side_by_side(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t first;
    uint32_t second;
    size_t chunks[2] = {0, 0};
    size_t turns = 0;
    uint32_t last = 0;

    put_numbered(rig, 0, 50);
    first = start_scan(rig, &(struct request){0});
    second = start_scan(rig, &(struct request){.keys_only = true});
    nkv_rig_run(rig);
    for (size_t i = 0; i < rig->frame_count; i++) {
        struct nkv_packet packet = nkv_rig_packet(rig, i);

        assert_true(packet.call_id == first || packet.call_id == second);
        if (packet.call_id != last) {
            turns++;
        }
        last = packet.call_id;
        chunks[packet.call_id == second]++;
    }
    assert_true(chunks[0] > 3);
    assert_true(chunks[1] > 2);
    assert_true(turns >= 4);
}

static void a_long_search_without_a_hit_lets_others_through(void **state)
{
    struct nkv_rig rig;
    struct nkv_rig_options options = {.max_keys = 300, .sectors = 16};
    int polls = 0;

    (void)state;
    memset(&result, 0, sizeof result);
    nkv_rig_init(&rig, &options);
    put_numbered(&rig, 0, 300);
    (void)start_scan(&rig, &(struct request){.prefix = nkv_text("none")});
    while (!result.ended) {
        assert_true(nkv_rig_poll(&rig));
        take_packets(&rig);
        polls++;
    }
    assert_int_equal(result.count, 0);
    assert_int_equal(result.status, NKV_OK);
    assert_true(polls >= 4);
    scan(&rig, &(struct request){0});
    assert_int_equal(result.count, 300);
    expect_numbered(0, 300);
    nkv_rig_free(&rig);
    forget_result();
}

static void a_damaged_entry_is_marked_and_the_rest_comes(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_flash_sim *flash = &rig->stores[0].flash;
    uint32_t at = 0;
    int damaged = 0;

    put_numbered(rig, 0, 20);
    while (memcmp(flash->bytes + at, "value number 9", 14) != 0) {
        at++;
        assert_true(at < flash->size - 14);
    }
    nkv_flash_sim_poke(flash, at, 0);
    scan(rig, &(struct request){0});
    assert_int_equal(result.status, NKV_OK);
    assert_int_equal(result.count, 20);
    for (size_t i = 0; i < result.count; i++) {
        if (result.records[i].message.status != NKV_OK) {
            assert_int_equal(result.records[i].message.status, NKV_DATA_LOSS);
            assert_int_equal(result.records[i].size, 0);
            damaged++;
        }
    }
    assert_int_equal(damaged, 1);
}

static void wrong_requests_are_refused(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t long_key[NKV_KEY_SIZE_MAX + 1];
    struct nkv_span span = {long_key, sizeof long_key};

    memset(long_key, 'k', sizeof long_key);
    scan(rig, &(struct request){.store = 2});
    assert_int_equal(result.status, NKV_INVALID_ARGUMENT);
    assert_int_equal(result.chunks, 0);
    scan(rig, &(struct request){.prefix = span});
    assert_int_equal(result.status, NKV_INVALID_ARGUMENT);
    scan(rig, &(struct request){.cursor = span});
    assert_int_equal(result.status, NKV_INVALID_ARGUMENT);
    span.size--;
    scan(rig, &(struct request){.prefix = span});
    assert_int_equal(result.status, NKV_OK);
    scan(rig, &(struct request){.cursor = span});
    assert_int_equal(result.status, NKV_OK);
}

/* A 63-byte key fits the smallest packet, with its cursor. */
static void the_longest_keys_fit_the_smallest_packets(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t key[NKV_KEY_SIZE_MAX];

    memset(key, 'k', sizeof key);
    for (uint8_t i = 0; i < 10; i++) {
        struct nkv_test_write write = {
            .key = {key, sizeof key},
            .value = nkv_text("value"),
        };

        key[0] = i;
        assert_int_equal(nkv_rig_write(rig, &write).status, NKV_OK);
    }
    assert_int_equal(nkv_rig_open(rig, 1, NKV_SERVER_PACKET_MIN).status,
                     NKV_OK);
    scan(rig, &(struct request){0});
    assert_int_equal(result.count, 10);
    assert_true(result.largest_packet <= NKV_SERVER_PACKET_MIN);
    for (size_t i = 0; i < result.count; i++) {
        assert_int_equal(result.records[i].key_size, NKV_KEY_SIZE_MAX);
        assert_int_equal(result.records[i].size, 5);
    }
}

static void a_lost_line_ends_the_scan(void **state)
{
    struct nkv_rig *rig = *state;

    put_numbered(rig, 0, 50);
    (void)start_scan(rig, &(struct request){0});
    assert_true(nkv_rig_poll(rig));
    rig->write_status = NKV_UNAVAILABLE;
    nkv_rig_run(rig);
    rig->write_status = NKV_OK;
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 0);
    (void)start_scan(rig, &(struct request){0});
    assert_true(nkv_rig_poll(rig));
    nkv_server_disconnect(&rig->server);
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_store_gives_one_chunk_that_is_done),
        TEST(every_key_comes_once_with_value_version_and_size),
        TEST(keys_only_leaves_the_values_out),
        TEST(only_keys_with_the_prefix_come),
        TEST(limit_bounds_the_records_and_the_cursor_goes_on),
        TEST(a_scan_goes_on_from_the_cursor_of_each_chunk),
        TEST(a_value_that_fits_no_packet_is_omitted),
        TEST(values_of_every_size_around_the_limit_come_or_are_marked),
        TEST(a_scan_beside_writes_misses_no_key_that_stays),
        TEST(two_scans_run_side_by_side),
        cmocka_unit_test(a_long_search_without_a_hit_lets_others_through),
        TEST(a_damaged_entry_is_marked_and_the_rest_comes),
        TEST(wrong_requests_are_refused),
        TEST(the_longest_keys_fit_the_smallest_packets),
        TEST(a_lost_line_ends_the_scan),
    };

    return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
