/* Devices that are silent, talk something else, die, or lie: each gives one
 * line that says which, in time, and nothing worse. */
#include "fake_device.h"
#include "random.h"
#include "test.h"
#include <errno.h>
#include <norkv/ids.h>
#include <stdlib.h>

struct rig {
    struct nkv_bench bench;
    struct nkv_fake_device device;
    struct nkv_client *client;
};

static struct rig *open_rig(const struct nkv_client_options *options)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    nkv_bench_init(&rig->bench, 1);
    nkv_fake_device_init(&rig->device, &rig->bench);
    rig->client = nkv_bench_open(&rig->bench, options);
    return rig;
}

static void close_rig(struct rig *rig)
{
    nkv_client_free(&rig->client);
    nkv_bench_free(&rig->bench);
    free(rig);
}

static enum nkv_status get(struct rig *rig, uint32_t deadline_ms)
{
    struct nkv_client_value value;
    struct nkv_call_options call = {.deadline_ms = deadline_ms};
    enum nkv_status status =
        nkv_client_get(rig->client, &call, text_span("k"), &value);
    nkv_client_value_clear(&value);
    return status;
}

static enum nkv_status put(struct rig *rig, uint32_t deadline_ms)
{
    struct nkv_call_options call = {.deadline_ms = deadline_ms};
    return nkv_client_put(rig->client, &call, text_span("k"), text_span("v"));
}

/* ---- Silence and noise ------------------------------------------------ */

static void a_silent_device_is_told_from_others(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    rig->bench.device = NULL;
    assert_int_equal(get(rig, 3000), NKV_DEADLINE_EXCEEDED);
    assert_string_equal(nkv_client_error(rig->client),
                        "bench: get k: no answer within 3.000 s: not a byte "
                        "came back (is the device on and connected, and is "
                        "this its port?)");
    close_rig(rig);
}

static void no_call_waits_past_its_deadline(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    rig->bench.device = NULL;
    for (uint32_t deadline = 1; deadline < 20000; deadline = deadline * 3) {
        uint64_t begin = nkv_bench_now_ms(&rig->bench);
        assert_int_equal(get(rig, deadline), NKV_DEADLINE_EXCEEDED);
        assert_true(nkv_bench_now_ms(&rig->bench) - begin <= deadline);
        begin = nkv_bench_now_ms(&rig->bench);
        assert_int_equal(put(rig, deadline), NKV_DEADLINE_EXCEEDED);
        assert_true(nkv_bench_now_ms(&rig->bench) - begin <= deadline);
    }
    close_rig(rig);
}

static void the_limit_holds_for_all_calls_together(void **state)
{
    (void)state;
    struct nkv_client_options options = {.limit_ms = 5000};
    struct rig *rig = open_rig(&options);
    rig->bench.device = NULL;
    uint64_t begin = nkv_bench_now_ms(&rig->bench);
    for (int i = 0; i < 4; i++)
        assert_int_equal(get(rig, 3000), NKV_DEADLINE_EXCEEDED);
    assert_int_equal(nkv_bench_now_ms(&rig->bench) - begin, 5000);
    close_rig(rig);
}

/* 1: it succeeded. */
static void count_end(void *context, const struct nkv_client_outcome *outcome,
                      struct nkv_client_value *value)
{
    uint64_t *end = context;
    (void)value;
    *end = outcome->status == NKV_OK ? 1 : 2;
}

static void answer_get(struct nkv_fake_device *device,
                       const struct nkv_packet *request)
{
    Norkv__V1__GetResponse response = NORKV__V1__GET_RESPONSE__INIT;
    nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_OK,
                          &response.base);
}

/* Once it has been heard. */
static void
a_device_that_falls_silent_is_given_up_after_five_attempts(void **state)
{
    (void)state;
    struct nkv_client_counters before;
    struct nkv_client_counters after;
    const struct nkv_device *device;
    struct rig *rig = open_rig(NULL);
    assert_done(rig->client, nkv_client_device(rig->client, NULL, &device));
    nkv_client_get_counters(rig->client, &before);
    rig->bench.device = NULL;
    assert_int_equal(get(rig, 1000000), NKV_DEADLINE_EXCEEDED);
    assert_true(nkv_bench_now_ms(&rig->bench) < 200000);
    nkv_client_get_counters(rig->client, &after);
    /* Those that ask for smaller packets meanwhile among them. */
    assert_in_range(after.frames_sent - before.frames_sent, 5, 25);
    close_rig(rig);
}

/* Its first answer comes to what was sent within the second before it was
 * ready, whatever the number of attempts. */
static void a_device_that_starts_slowly_is_asked_each_second(void **state)
{
    (void)state;
    for (uint64_t ready_ms = 100; ready_ms < 60000; ready_ms += 7300) {
        struct nkv_client_counters counters;
        struct rig *rig = open_rig(NULL);
        bool (*device)(void *context, struct nkv_line_sim *line) =
            rig->bench.device;
        rig->bench.device = NULL;
        rig->device.answer = answer_get;
        rig->bench.line.speed = (struct nkv_line_speed){115200, 1};
        uint64_t number;
        struct nkv_get_call call = {text_span("k"), count_end, &number};
        struct nkv_call_options options = {.deadline_ms = 70000};
        assert_done(rig->client, nkv_client_start_get(rig->client, &options,
                                                      &call, &number));
        number = 0;
        while (number == 0) {
            if (nkv_bench_now_ms(&rig->bench) >= ready_ms &&
                rig->bench.device == NULL) {
                nkv_line_sim_clear(&rig->bench.line, NKV_BENCH_DEVICE);
                rig->bench.device = device;
            }
            nkv_bench_pass(&rig->bench, 10);
            assert_int_equal(nkv_client_process(rig->client), NKV_OK);
        }
        assert_int_equal(number, 1);
        assert_in_range(nkv_bench_now_ms(&rig->bench), ready_ms,
                        ready_ms + 1100);
        nkv_client_get_counters(rig->client, &counters);
        assert_in_range(counters.frames_sent, 1, ready_ms / 1000 + 4);
        close_rig(rig);
    }
}

static bool chatter(void *context, struct nkv_line_sim *line)
{
    struct nkv_span *text = context;
    if (nkv_line_sim_next_us(line, NKV_BENCH_CLIENT) == UINT64_MAX)
        nkv_line_sim_write(line, NKV_BENCH_DEVICE, *text);
    return false;
}

static void assert_chatter_says(struct nkv_span text, const char *what)
{
    struct rig *rig = open_rig(NULL);
    rig->bench.line.speed.latency_ms = 10;
    rig->bench.device = chatter;
    rig->bench.device_context = &text;
    assert_int_equal(get(rig, 2000), NKV_DEADLINE_EXCEEDED);
    assert_says(rig->client, what);
    close_rig(rig);
}

static void a_console_is_told_from_others(void **state)
{
    (void)state;
    assert_chatter_says(text_span("[    1.23] usb 1-1: new device ~ ok\r\n"),
                        "text came but no answer");
}

static void noise_is_told_from_others(void **state)
{
    (void)state;
    static const uint8_t noise[] = {0x80, 0x00, 0xf8, 0x1c, 0x00, 0xe0};
    assert_chatter_says((struct nkv_span){noise, sizeof(noise)},
                        "bytes came but no frames (wrong baud rate?)");
}

static void damaged_frames_are_told_from_others(void **state)
{
    (void)state;
    static const uint8_t frame[] = {0x7e, 0xa5, 0x03, 0x10, 0x01,
                                    0x99, 0x98, 0x97, 0x96, 0x7e};
    assert_chatter_says((struct nkv_span){frame, sizeof(frame)},
                        "frames came, but all were damaged");
}

static void a_stuck_port_is_told_from_others(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    rig->bench.is_stuck = true;
    uint64_t begin = nkv_bench_now_ms(&rig->bench);
    assert_int_equal(get(rig, 2000), NKV_DEADLINE_EXCEEDED);
    assert_says(rig->client, "the port takes no bytes");
    assert_true(nkv_bench_now_ms(&rig->bench) - begin <= 2020);
    close_rig(rig);
}

static void a_line_that_takes_bytes_too_slowly_keeps_the_deadline(void **state)
{
    (void)state;
    static const uint8_t bytes[700];
    struct nkv_call_options call = {.deadline_ms = 1000};
    const struct nkv_device *device;
    struct rig *rig = open_rig(NULL);
    assert_done(rig->client, nkv_client_device(rig->client, NULL, &device));
    uint64_t begin = nkv_bench_now_ms(&rig->bench);
    rig->bench.byte_ms = 8;
    assert_int_equal(nkv_client_put(rig->client, &call, text_span("k"),
                                    (struct nkv_span){bytes, sizeof(bytes)}),
                     NKV_DEADLINE_EXCEEDED);
    assert_in_range(nkv_bench_now_ms(&rig->bench) - begin, 1000, 1008);
    assert_says(rig->client, "put k: the line took only 125 bytes");
    close_rig(rig);
}

static bool echo(void *context, struct nkv_line_sim *line)
{
    uint8_t bytes[256];
    struct nkv_buffer room = {bytes, sizeof(bytes)};
    (void)context;
    size_t size = nkv_line_sim_read(line, NKV_BENCH_DEVICE, room);
    if (size > 0)
        nkv_line_sim_write(line, NKV_BENCH_DEVICE,
                           (struct nkv_span){bytes, size});
    return false;
}

static void a_line_that_echoes_is_told_from_others(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    rig->bench.device = echo;
    assert_int_equal(get(rig, 2000), NKV_DEADLINE_EXCEEDED);
    assert_says(rig->client, "the line sends back what is sent to it (look for "
                             "a loopback plug");
    close_rig(rig);
}

static bool say_once(void *context, struct nkv_line_sim *line)
{
    const char **text = context;
    nkv_line_sim_write(line, NKV_BENCH_DEVICE, text_span(*text));
    *text = "";
    return false;
}

static void the_last_words_of_a_bridge_are_passed_on(void **state)
{
    (void)state;
    const char *text = "bridge: port in use by \x07 10.0.0.7\r\nbye\r\n";
    struct rig *rig = open_rig(NULL);
    rig->bench.device = say_once;
    rig->bench.device_context = &text;
    rig->bench.cut_at_ms = 100;
    assert_int_equal(get(rig, 5000), NKV_UNAVAILABLE);
    assert_says(rig->client, "get k: the other end hung up, saying \"bridge: "
                             "port in use by ? 10.0.0.7\" (if another client");
    close_rig(rig);
}

/* ---- Others ----------------------------------------------------------- */

static void reject_all(struct nkv_fake_device *device,
                       const struct nkv_packet *request)
{
    nkv_fake_device_reply(device, request, NKV_PACKET_SERVER_ERROR,
                          NKV_NOT_FOUND, NULL);
}

static void another_pw_rpc_device_is_told_from_others(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    rig->device.answer_open_too = true;
    rig->device.answer = reject_all;
    assert_int_equal(get(rig, 0), NKV_FAILED_PRECONDITION);
    assert_says(rig->client,
                "get k: this speaks pw_rpc but is no norkv device");
    close_rig(rig);
}

static void an_unknown_method_is_told_from_a_missing_key(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    rig->device.answer = reject_all;
    assert_int_equal(get(rig, 0), NKV_UNIMPLEMENTED);
    assert_says(rig->client, "the device has no such method");
    assert_int_equal(put(rig, 0), NKV_UNIMPLEMENTED);
    close_rig(rig);
}

static void open_with_version_7(struct nkv_fake_device *device,
                                const struct nkv_packet *request)
{
    nkv_fake_device_reply_open(device, request, 7);
}

static void another_protocol_version_is_told_from_others(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    rig->device.answer_open_too = true;
    rig->device.answer = open_with_version_7;
    assert_int_equal(get(rig, 0), NKV_FAILED_PRECONDITION);
    assert_says(rig->client, "speaks protocol version 7, this program 1");
    close_rig(rig);
}

static void stay_busy(struct nkv_fake_device *device,
                      const struct nkv_packet *request)
{
    unsigned *left = device->context;
    if (*left == 0) {
        Norkv__V1__GetResponse response = NORKV__V1__GET_RESPONSE__INIT;
        nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_OK,
                              &response.base);
        return;
    }
    (*left)--;
    nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_UNAVAILABLE,
                          NULL);
}

static void a_busy_device_is_asked_again(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    unsigned left = 8;
    rig->device.answer = stay_busy;
    rig->device.context = &left;
    assert_done(rig->client, get(rig, 0));
    assert_int_equal(left, 0);
    left = 1000000;
    assert_int_equal(get(rig, 3000), NKV_UNAVAILABLE);
    assert_says(rig->client, "the device stayed busy");
    assert_int_equal(put(rig, 3000), NKV_UNAVAILABLE);
    assert_says(rig->client, "the device stayed busy");
    assert_true(rig->device.requests < 100);
    close_rig(rig);
}

static bool accept_record(void *context, const struct nkv_client_record *record)
{
    (void)context;
    (void)record;
    return true;
}

/* ---- Scans that are interrupted --------------------------------------- */

/* A scan's chunk: a record for each letter, the last of which is its cursor. */
static void reply_chunk(struct nkv_fake_device *device,
                        const struct nkv_packet *request, uint32_t index,
                        const char *letters, bool done)
{
    Norkv__V1__ScanResponse chunk = NORKV__V1__SCAN_RESPONSE__INIT;
    Norkv__V1__Record records[8];
    Norkv__V1__Record *pointers[8];
    char copy[8];
    size_t count = strlen(letters);
    memcpy(copy, letters, count);
    for (size_t i = 0; i < count; i++) {
        norkv__v1__record__init(&records[i]);
        records[i].key = (ProtobufCBinaryData){1, (uint8_t *)&copy[i]};
        pointers[i] = &records[i];
    }
    chunk.index = index;
    chunk.records = pointers;
    chunk.n_records = count;
    chunk.done = done;
    chunk.cursor = (ProtobufCBinaryData){1, (uint8_t *)&copy[count - 1]};
    nkv_fake_device_reply(device, request, NKV_PACKET_SERVER_STREAM, NKV_OK,
                          &chunk.base);
}

/* Busy in the middle of the first call; by the second, a has been deleted, so
 * that the chunks from the beginning on begin at other keys. */
static void interrupt_scan(struct nkv_fake_device *device,
                           const struct nkv_packet *request)
{
    unsigned *calls = device->context;
    if (request->type != NKV_PACKET_REQUEST)
        return;
    Norkv__V1__ScanRequest *scan = norkv__v1__scan_request__unpack(
        NULL, request->payload.size, request->payload.data);
    assert_non_null(scan);
    bool goes_on = scan->cursor.len == 1 && scan->cursor.data[0] == 'd';
    norkv__v1__scan_request__free_unpacked(scan, NULL);
    if ((*calls)++ == 0) {
        reply_chunk(device, request, 0, "ab", false);
        reply_chunk(device, request, 1, "cd", false);
        nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE,
                              NKV_UNAVAILABLE, NULL);
        return;
    }
    if (goes_on) {
        reply_chunk(device, request, 0, "efg", true);
    } else {
        reply_chunk(device, request, 0, "bcd", false);
        reply_chunk(device, request, 1, "ef", false);
        reply_chunk(device, request, 2, "g", true);
    }
    nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_OK, NULL);
}

static bool note_letter(void *context, const struct nkv_client_record *record)
{
    unsigned *seen = context;
    assert_int_equal(record->key.size, 1);
    assert_in_range(record->key.data[0], 'a', 'g');
    seen[record->key.data[0] - 'a']++;
    return true;
}

static void a_device_busy_in_mid_scan_costs_no_key(void **state)
{
    (void)state;
    unsigned seen[7] = {0};
    unsigned calls = 0;
    struct rig *rig = open_rig(NULL);
    struct nkv_client_scan scan = {
        .keys_only = true,
        .record = note_letter,
        .context = seen,
    };
    rig->device.answer = interrupt_scan;
    rig->device.context = &calls;
    assert_done(rig->client, nkv_client_scan(rig->client, NULL, &scan));
    assert_int_equal(calls, 2);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(seen[i], 1);
    close_rig(rig);
}

static void stay_busy_in_scans(struct nkv_fake_device *device,
                               const struct nkv_packet *request)
{
    unsigned *calls = device->context;
    (*calls)++;
    nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_UNAVAILABLE,
                          NULL);
}

static void a_scan_of_a_busy_device_ends_at_the_deadline(void **state)
{
    (void)state;
    unsigned calls = 0;
    struct rig *rig = open_rig(NULL);
    struct nkv_call_options call = {.deadline_ms = 5000};
    struct nkv_client_scan scan = {.record = accept_record};
    rig->device.answer = stay_busy_in_scans;
    rig->device.context = &calls;
    assert_int_equal(nkv_client_scan(rig->client, &call, &scan),
                     NKV_UNAVAILABLE);
    assert_says(rig->client, "the device stayed busy");
    assert_int_equal(nkv_bench_now_ms(&rig->bench), 5000);
    assert_in_range(calls, 5, 50);
    close_rig(rig);
}

/* The first chunk of each call gets lost, until the context says otherwise. */
static void lose_first_chunks(struct nkv_fake_device *device,
                              const struct nkv_packet *request)
{
    unsigned *left = device->context;
    if (request->type != NKV_PACKET_REQUEST)
        return;
    if (*left == 0)
        reply_chunk(device, request, 0, "ab", false);
    else
        (*left)--;
    reply_chunk(device, request, 1, "cd", true);
}

static void chunks_lost_time_and_again_do_not_end_a_scan(void **state)
{
    (void)state;
    unsigned seen[7] = {0};
    unsigned left = 12;
    struct rig *rig = open_rig(NULL);
    struct nkv_call_options call = {.deadline_ms = 20000};
    struct nkv_client_scan scan = {.record = note_letter, .context = seen};
    rig->device.answer = lose_first_chunks;
    rig->device.context = &left;
    assert_done(rig->client, nkv_client_scan(rig->client, &call, &scan));
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(seen[i], 1);
    left = 1000000;
    uint64_t begin = nkv_bench_now_ms(&rig->bench);
    assert_int_equal(nkv_client_scan(rig->client, &call, &scan),
                     NKV_DEADLINE_EXCEEDED);
    assert_int_equal(nkv_bench_now_ms(&rig->bench) - begin, 20000);
    assert_says(rig->client, "packets came, but no answer to this call");
    /* It was not asked without a pause. */
    assert_true(1000000 - left < 100);
    close_rig(rig);
}

/* ---- Dying ------------------------------------------------------------ */

static void a_port_that_goes_away_in_mid_call_is_told_at_once(void **state)
{
    (void)state;
    static const int errors[] = {0, EIO};
    static const char *const texts[] = {"end of file", "Input/output error"};
    for (int i = 0; i < 2; i++) {
        struct rig *rig = open_rig(NULL);
        rig->bench.cut_at_ms = 100;
        rig->bench.cut_error = errors[i];
        assert_int_equal(get(rig, 5000), NKV_UNAVAILABLE);
        assert_int_equal(nkv_bench_now_ms(&rig->bench), 100);
        assert_says(rig->client, "get k: the port is gone: ");
        assert_says(rig->client, texts[i]);
        /* It stays so, and nothing else happens. */
        assert_int_equal(put(rig, 5000), NKV_UNAVAILABLE);
        assert_says(rig->client, "put k: the port is gone");
        close_rig(rig);
    }
}

/* ---- Late answers ----------------------------------------------------- */

/* Answers each Get under the call id before it, then under its own. */
static void answer_late(struct nkv_fake_device *device,
                        const struct nkv_packet *request)
{
    struct nkv_packet *before = device->context;
    Norkv__V1__GetResponse response = NORKV__V1__GET_RESPONSE__INIT;
    uint8_t byte = 'L';
    response.value = (ProtobufCBinaryData){1, &byte};
    response.total_size = 1;
    response.version = 1;
    response.crc32 = 0;
    nkv_fake_device_reply(device, before, NKV_PACKET_RESPONSE, NKV_OK,
                          &response.base);
    response = (Norkv__V1__GetResponse)NORKV__V1__GET_RESPONSE__INIT;
    nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_OK,
                          &response.base);
    *before = *request;
}

static void an_answer_to_another_call_is_dropped(void **state)
{
    (void)state;
    struct nkv_client_counters counters;
    struct nkv_packet before = {
        .channel_id = 1,
        .service_id = NKV_SERVICE_STORE,
        .method_id = NKV_METHOD_STORE_GET,
        .call_id = 77,
    };
    struct rig *rig = open_rig(NULL);
    rig->device.answer = answer_late;
    rig->device.context = &before;
    for (int i = 0; i < 10; i++) {
        struct nkv_client_value value;
        assert_done(rig->client,
                    nkv_client_get(rig->client, NULL, text_span("k"), &value));
        assert_int_equal(value.size, 0);
    }
    nkv_client_get_counters(rig->client, &counters);
    assert_int_equal(counters.late_answers, 10);
    assert_int_equal(counters.retries, 0);
    close_rig(rig);
}

static void note_cancel(struct nkv_fake_device *device,
                        const struct nkv_packet *request)
{
    unsigned *cancelled = device->context;
    Norkv__V1__ScanResponse chunk = NORKV__V1__SCAN_RESPONSE__INIT;
    struct nkv_packet stray = *request;
    Norkv__V1__GetResponse response = NORKV__V1__GET_RESPONSE__INIT;
    if (request->type == NKV_PACKET_CLIENT_ERROR) {
        assert_int_equal(request->method_id, NKV_METHOD_STORE_SCAN);
        assert_int_equal(request->call_id, 4711);
        (*cancelled)++;
        return;
    }
    stray.method_id = NKV_METHOD_STORE_SCAN;
    stray.call_id = 4711;
    nkv_fake_device_reply(device, &stray, NKV_PACKET_SERVER_STREAM, NKV_OK,
                          &chunk.base);
    nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_OK,
                          &response.base);
}

static void a_stream_that_nobody_waits_for_is_stopped(void **state)
{
    (void)state;
    unsigned cancelled = 0;
    struct rig *rig = open_rig(NULL);
    rig->device.answer = note_cancel;
    rig->device.context = &cancelled;
    assert_done(rig->client, get(rig, 0));
    assert_done(rig->client, get(rig, 0));
    assert_int_equal(cancelled, 1);
    close_rig(rig);
}

/* ---- Lies ------------------------------------------------------------- */

static void get_lie(struct nkv_fake_device *device,
                    const struct nkv_packet *request)
{
    const Norkv__V1__GetResponse *lie = device->context;
    nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_OK,
                          &lie->base);
}

static void values_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[10] = {0};
    Norkv__V1__GetResponse lies[] = {
        NORKV__V1__GET_RESPONSE__INIT,
        NORKV__V1__GET_RESPONSE__INIT,
        NORKV__V1__GET_RESPONSE__INIT,
        NORKV__V1__GET_RESPONSE__INIT,
    };
    /* More than it told, nothing of what it told, too much, a wrong CRC. */
    lies[0].value = (ProtobufCBinaryData){sizeof(bytes), bytes};
    lies[0].total_size = 5;
    lies[1].total_size = 5;
    lies[2].value = (ProtobufCBinaryData){sizeof(bytes), bytes};
    lies[2].total_size = UINT32_MAX;
    lies[3].value = (ProtobufCBinaryData){sizeof(bytes), bytes};
    lies[3].total_size = sizeof(bytes);
    lies[3].crc32 = 1;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct rig *rig = open_rig(NULL);
        rig->device.answer = get_lie;
        rig->device.context = &lies[i];
        assert_int_equal(get(rig, 0), NKV_DATA_LOSS);
        assert_says(rig->client, "bench: get k: the ");
        close_rig(rig);
    }
}

static void change_each_time(struct nkv_fake_device *device,
                             const struct nkv_packet *request)
{
    uint32_t *version = device->context;
    uint8_t bytes[10] = {0};
    Norkv__V1__GetResponse response = NORKV__V1__GET_RESPONSE__INIT;
    response.value = (ProtobufCBinaryData){sizeof(bytes), bytes};
    response.total_size = 100;
    response.version = ++*version;
    nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_OK,
                          &response.base);
}

static void parts_of_different_versions_are_not_joined(void **state)
{
    (void)state;
    uint32_t version = 0;
    struct rig *rig = open_rig(NULL);
    rig->device.answer = change_each_time;
    rig->device.context = &version;
    assert_int_equal(get(rig, 0), NKV_ABORTED);
    assert_says(rig->client, "written faster than it can be read");
    close_rig(rig);
}

static void scan_lie(struct nkv_fake_device *device,
                     const struct nkv_packet *request)
{
    const Norkv__V1__ScanResponse *lie = device->context;
    if (request->type == NKV_PACKET_REQUEST)
        nkv_fake_device_reply(device, request, NKV_PACKET_SERVER_STREAM, NKV_OK,
                              &lie->base);
}

static void assert_scan_refuses(Norkv__V1__ScanResponse *lie)
{
    struct rig *rig = open_rig(NULL);
    struct nkv_client_scan scan = {
        .prefix = text_span("p/"),
        .record = accept_record,
    };
    rig->device.answer = scan_lie;
    rig->device.context = lie;
    assert_int_equal(nkv_client_scan(rig->client, NULL, &scan), NKV_DATA_LOSS);
    assert_says(rig->client, "records that make no sense");
    close_rig(rig);
}

static void records_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[300] = "q/key";
    Norkv__V1__Record record = NORKV__V1__RECORD__INIT;
    Norkv__V1__Record *records[] = {&record};
    Norkv__V1__ScanResponse lie = NORKV__V1__SCAN_RESPONSE__INIT;
    lie.n_records = 1;
    lie.records = records;
    /* Another prefix, no key, a key that is too long, another size. */
    record.key = (ProtobufCBinaryData){5, bytes};
    assert_scan_refuses(&lie);
    record.key.len = 0;
    assert_scan_refuses(&lie);
    bytes[0] = 'p';
    record.key.len = 64;
    assert_scan_refuses(&lie);
    record.key.len = 5;
    record.value_size = 7;
    assert_scan_refuses(&lie);
    /* A cursor without end. */
    lie.n_records = 0;
    lie.cursor = (ProtobufCBinaryData){sizeof(bytes), bytes};
    assert_scan_refuses(&lie);
}

static void backup_lie(struct nkv_fake_device *device,
                       const struct nkv_packet *request)
{
    const Norkv__V1__BackupResponse *lie = device->context;
    if (request->type == NKV_PACKET_REQUEST)
        nkv_fake_device_reply(device, request, NKV_PACKET_SERVER_STREAM, NKV_OK,
                              &lie->base);
}

static void assert_backup_refuses(Norkv__V1__BackupResponse *lie)
{
    struct rig *rig = open_rig(NULL);
    struct nkv_client_backup backup = {
        .prefix = text_span("p/"),
        .record = accept_record,
    };
    rig->device.answer = backup_lie;
    rig->device.context = lie;
    assert_int_equal(nkv_client_backup(rig->client, NULL, &backup),
                     NKV_DATA_LOSS);
    assert_says(rig->client, "records that make no sense");
    close_rig(rig);
}

static void backups_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    uint8_t other_prefix[] = "\1\0q";
    uint8_t no_key[] = "\0\0";
    uint8_t cut[] = "\3\1p/a";
    uint8_t key[70] = "p/";
    Norkv__V1__SkippedRecord skipped = NORKV__V1__SKIPPED_RECORD__INIT;
    Norkv__V1__BackupResponse lie = NORKV__V1__BACKUP_RESPONSE__INIT;
    lie.records = (ProtobufCBinaryData){3, other_prefix};
    assert_backup_refuses(&lie);
    lie.records = (ProtobufCBinaryData){2, no_key};
    assert_backup_refuses(&lie);
    lie.records = (ProtobufCBinaryData){5, cut};
    assert_backup_refuses(&lie);
    lie.records.len = 0;
    lie.skipped = &skipped;
    /* Nothing to fetch, a key that is too long, another prefix. */
    assert_backup_refuses(&lie);
    skipped.key = (ProtobufCBinaryData){64, key};
    assert_backup_refuses(&lie);
    key[0] = 'q';
    skipped.key.len = 5;
    assert_backup_refuses(&lie);
}

/* The call ends well, and never with a digest. */
static void end_digest(struct nkv_fake_device *device,
                       const struct nkv_packet *request)
{
    if (request->type == NKV_PACKET_REQUEST)
        nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_OK,
                              NULL);
}

static void a_digest_that_never_comes_is_an_error(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct nkv_client_digest digest;
    rig->device.answer = end_digest;
    assert_int_equal(
        nkv_client_digest(rig->client, NULL, text_span(""), &digest, NULL),
        NKV_DATA_LOSS);
    assert_says(rig->client, "without a digest");
    close_rig(rig);
}

/* Answers everything with a random status and random bytes, or with what a
 * good message becomes when some bytes of it change. */
static void answer_garbage(struct nkv_fake_device *device,
                           const struct nkv_packet *request)
{
    uint64_t *random = device->context;
    uint8_t bytes[256];
    struct nkv_span payload = {bytes, nkv_random_below(random, sizeof(bytes))};
    Norkv__V1__WriteResponse good = NORKV__V1__WRITE_RESPONSE__INIT;
    nkv_random_fill(random, bytes, sizeof(bytes));
    if (nkv_random_below(random, 2) == 0) {
        good.version = nkv_random(random);
        good.reason = (Norkv__V1__Reason)nkv_random_below(random, 20);
        good.next_seq = nkv_random_below(random, 8);
        payload.size = norkv__v1__write_response__pack(&good, bytes);
    }
    uint32_t kind = nkv_random_below(random, 4);
    enum nkv_packet_type type = kind == 0   ? NKV_PACKET_SERVER_ERROR
                                : kind == 1 ? NKV_PACKET_SERVER_STREAM
                                            : NKV_PACKET_RESPONSE;
    if (request->type == NKV_PACKET_REQUEST)
        nkv_fake_device_reply_bytes(
            device, request, type,
            (enum nkv_status)nkv_random_below(random, 20), payload);
}

static void garbage_in_answers_does_no_harm(void **state)
{
    (void)state;
    uint64_t random = 11;
    struct nkv_client_options options = {.deadline_ms = 3000};
    struct rig *rig = open_rig(&options);
    struct nkv_client_scan scan = {.record = accept_record};
    struct nkv_client_backup backup = {.record = accept_record};
    struct nkv_client_digest digest;
    struct nkv_client_statistics statistics;
    struct nkv_client_key_info info;
    struct nkv_mutation mutations[5];
    enum nkv_status status;
    rig->bench.line.speed.latency_ms = 1;
    rig->device.answer = answer_garbage;
    rig->device.context = &random;
    for (int i = 0; i < 500; i++) {
        (void)get(rig, 0);
        status = nkv_client_scan(rig->client, NULL, &scan);
        status = nkv_client_backup(rig->client, NULL, &backup);
        status =
            nkv_client_digest(rig->client, NULL, text_span("k"), &digest, NULL);
        status = nkv_client_statistics(rig->client, NULL, &statistics);
        status = nkv_client_describe(rig->client, NULL, text_span("k"), &info);
        status = nkv_client_collect(rig->client, NULL, NKV_COLLECT_FULL, NULL);
        status = nkv_client_echo(rig->client, NULL, "x", NULL);
        for (int j = 0; j < 5; j++)
            mutations[j] = (struct nkv_mutation){
                .key = text_span("k"),
                .conditional = j % 2 == 0,
            };
        status = nkv_client_apply(rig->client, NULL, mutations, 5, NULL);
        bool failed = status != NKV_OK;
        assert_int_equal(failed, nkv_client_error(rig->client)[0] != '\0');
    }
    close_rig(rig);
}

static void garbage_in_open_does_no_harm(void **state)
{
    (void)state;
    uint64_t random = 12;
    struct rig *rig = open_rig(NULL);
    const struct nkv_device *device;
    rig->device.answer_open_too = true;
    rig->device.answer = answer_garbage;
    rig->device.context = &random;
    rig->bench.line.speed.latency_ms = 1;
    for (int i = 0; i < 500; i++) {
        struct nkv_call_options call = {.deadline_ms = 1000};
        enum nkv_status status = nkv_client_device(rig->client, &call, &device);
        assert_int_equal(status == NKV_OK, device != NULL);
    }
    close_rig(rig);
}

/* ---- Transports of one's own ------------------------------------------ */

static void a_transport_without_a_function_is_refused(void **state)
{
    (void)state;
    struct nkv_bench bench;
    nkv_bench_init(&bench, 1);
    struct nkv_client_transport transport = nkv_bench_transport(&bench);
    struct nkv_client *client;
    transport.write = NULL;
    assert_int_equal(nkv_client_open_transport(&transport, NULL, &client),
                     NKV_INVALID_ARGUMENT);
    assert_says(client, "lacks a function");
    assert_int_equal(bench.closed, 1);
    assert_int_equal(nkv_client_echo(client, NULL, "x", NULL), NKV_UNAVAILABLE);
    nkv_client_free(&client);
    assert_int_equal(bench.closed, 1);
    nkv_bench_free(&bench);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    struct nkv_bench bench;
    nkv_bench_init(&bench, 1);
    struct nkv_client_transport transport = nkv_bench_transport(&bench);
    struct nkv_client_options options = {.max_packet = 100};
    struct nkv_client *client;
    assert_int_equal(nkv_client_open_transport(&transport, &options, &client),
                     NKV_INVALID_ARGUMENT);
    assert_says(client, "max_packet must be 512 to 4096");
    nkv_client_free(&client);
    nkv_bench_free(&bench);
}

static void nothing_can_be_freed(void **state)
{
    (void)state;
    struct nkv_client *client = NULL;
    nkv_client_free(NULL);
    nkv_client_free(&client);
    nkv_client_value_clear(NULL);
    nkv_ports_free(NULL, 0);
    assert_string_equal(nkv_client_error(NULL), "no memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_device_is_told_from_others),
        cmocka_unit_test(no_call_waits_past_its_deadline),
        cmocka_unit_test(the_limit_holds_for_all_calls_together),
        cmocka_unit_test(
            a_device_that_falls_silent_is_given_up_after_five_attempts),
        cmocka_unit_test(a_device_that_starts_slowly_is_asked_each_second),
        cmocka_unit_test(a_console_is_told_from_others),
        cmocka_unit_test(noise_is_told_from_others),
        cmocka_unit_test(damaged_frames_are_told_from_others),
        cmocka_unit_test(a_stuck_port_is_told_from_others),
        cmocka_unit_test(a_line_that_takes_bytes_too_slowly_keeps_the_deadline),
        cmocka_unit_test(a_line_that_echoes_is_told_from_others),
        cmocka_unit_test(the_last_words_of_a_bridge_are_passed_on),
        cmocka_unit_test(another_pw_rpc_device_is_told_from_others),
        cmocka_unit_test(an_unknown_method_is_told_from_a_missing_key),
        cmocka_unit_test(another_protocol_version_is_told_from_others),
        cmocka_unit_test(a_busy_device_is_asked_again),
        cmocka_unit_test(a_device_busy_in_mid_scan_costs_no_key),
        cmocka_unit_test(a_scan_of_a_busy_device_ends_at_the_deadline),
        cmocka_unit_test(chunks_lost_time_and_again_do_not_end_a_scan),
        cmocka_unit_test(a_port_that_goes_away_in_mid_call_is_told_at_once),
        cmocka_unit_test(an_answer_to_another_call_is_dropped),
        cmocka_unit_test(a_stream_that_nobody_waits_for_is_stopped),
        cmocka_unit_test(values_that_make_no_sense_are_refused),
        cmocka_unit_test(parts_of_different_versions_are_not_joined),
        cmocka_unit_test(records_that_make_no_sense_are_refused),
        cmocka_unit_test(backups_that_make_no_sense_are_refused),
        cmocka_unit_test(a_digest_that_never_comes_is_an_error),
        cmocka_unit_test(garbage_in_answers_does_no_harm),
        cmocka_unit_test(garbage_in_open_does_no_harm),
        cmocka_unit_test(a_transport_without_a_function_is_refused),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(nothing_can_be_freed),
    };
    return cmocka_run_group_tests_name("wrong_device", tests, NULL, NULL);
}
