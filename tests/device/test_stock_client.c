/* A client that knows nothing of norkv but its schema, as one generated with a
 * stock library is: no Device.Open, no op, no crc32, and the call ids that such
 * libraries choose. What such clients take is measured in
 * tests/vectors/rpc.json (client_behaviour_measured): one end a call, none of
 * it behind a stream's messages but a RESPONSE without payload, statuses that
 * google.rpc.Code has, and packets of 512 bytes. */
#include "messages.h"
#include "pb_io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <norkv/crc32.h>
#include <norkv/receive_ring.h>
#include <norkv/record.h>

enum {
    PACKET_MAX = 512,
    STATUS_MAX = 16,
    KEYS = 60,
    RING = 1024,
    CHUNKS = 24,
    CHUNK_MAX = 128,
    CHUNK_RECORDS = 3
};

struct method {
    uint32_t service;
    uint32_t id;
    bool is_stream;
    struct nkv_span request;
    uint32_t call_id;
};

/* How a call went. */
struct outcome {
    enum nkv_packet_type type;
    enum nkv_status status;
    size_t messages;
    struct nkv_span payload;
};

#define BYTES(...)                                                             \
    {                                                                          \
        (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}) \
    }

static void send(struct nkv_rig *rig, const struct method *method,
                 enum nkv_packet_type type, struct nkv_span payload)
{
    nkv_rig_send_packet(rig, &(struct nkv_packet){
                                 .type = type,
                                 .channel_id = 1,
                                 .service_id = method->service,
                                 .method_id = method->id,
                                 .call_id = method->call_id,
                                 .payload = payload,
                             });
}

/* Takes all that came to a call: messages, if it is a stream, and one end. */
static struct outcome take(struct nkv_rig *rig, const struct method *method)
{
    struct outcome outcome = {.messages = 0};

    nkv_rig_run(rig);
    assert_true(rig->frame_count > 0);
    for (size_t i = 0; i < rig->frame_count; i++) {
        struct nkv_packet packet = nkv_rig_packet(rig, i);
        bool is_end = i + 1 == rig->frame_count;

        assert_in_range(rig->frames[i].payload.size, 1, PACKET_MAX);
        assert_int_equal(packet.channel_id, 1);
        assert_int_equal(packet.service_id, method->service);
        assert_int_equal(packet.method_id, method->id);
        assert_int_equal(packet.call_id, method->call_id);
        assert_int_equal(packet.type == NKV_PACKET_SERVER_STREAM, !is_end);
        assert_in_range(packet.status, 0, STATUS_MAX);
        if (!is_end) {
            assert_true(method->is_stream);
            outcome.messages++;
        } else {
            outcome.type = packet.type;
            outcome.status = (enum nkv_status)packet.status;
            outcome.payload = packet.payload;
        }
    }
    if (method->is_stream) {
        assert_int_equal(outcome.payload.size, 0);
    }
    if (outcome.type == NKV_PACKET_SERVER_ERROR) {
        assert_int_not_equal(outcome.status, NKV_OK);
    } else {
        assert_int_equal(outcome.type, NKV_PACKET_RESPONSE);
    }
    assert_false(nkv_rpc_is_running(&rig->server.rpc));
    return outcome;
}

static struct outcome call(struct nkv_rig *rig, const struct method *method)
{
    send(rig, method, NKV_PACKET_REQUEST, method->request);
    return take(rig, method);
}

static void put_many(struct nkv_rig *rig)
{
    for (int i = 0; i < KEYS; i++) {
        char key[16];

        snprintf(key, sizeof key, "key/%02d", i);
        nkv_rig_put(rig, key, "a value of thirty and two bytes.");
    }
}

#define METHOD(service, method, is_stream, ...)                                \
    {                                                                          \
        NKV_SERVICE_##service, NKV_METHOD_##service##_##method, is_stream,     \
            BYTES(__VA_ARGS__), 0                                              \
    }

/* In an order in which each has something to do; the unit id is that of the
 * rig. */
static const struct method methods[] = {
    METHOD(ECHO_SERVICE, ECHO, false, 0x0a, 1, 'x'),
    METHOD(STORE, PUT, false, 0x12, 1, 'k', 0x1a, 1, 'v'),
    METHOD(STORE, GET, false, 0x12, 1, 'k'),
    METHOD(STORE, DESCRIBE, false, 0x12, 1, 'k'),
    METHOD(STORE, SCAN, true, 0x12, 1, 'k'),
    METHOD(STORE, BACKUP, true, 0x12, 1, 'k'),
    METHOD(STORE, DIGEST, true, 0x12, 1, 'k'),
    METHOD(STORE, DELETE, false, 0x12, 1, 'k'),
    METHOD(MAINTENANCE, STATISTICS, false, 0x10, 1),
    METHOD(MAINTENANCE, SECTORS, true, 0x10, 0),
    METHOD(MAINTENANCE, CHECK, true, 0x10, 0),
    METHOD(MAINTENANCE, COLLECT, true, 0x10, 2),
    METHOD(MAINTENANCE, ERASE_ALL, true, 0x12, 10, 'B', 'E', 'N', 'C', 'H', '-',
           '0', '0', '0', '7'),
    METHOD(DEVICE, OPEN, false, 0x18, 0),
};

enum { METHODS = sizeof methods / sizeof methods[0] };

static const struct method restore = {
    .service = NKV_SERVICE_STORE,
    .id = NKV_METHOD_STORE_RESTORE,
    .is_stream = true,
};

static void every_method_serves_it(void **state)
{
    /* Old libraries leave it out; new ones count, and start again at 1. */
    static const uint32_t call_ids[] = {0, 1, 1, 0x1FFFFF, NKV_CALL_ID_ANY};
    struct nkv_rig *rig = *state;

    for (size_t id = 0; id < sizeof call_ids / sizeof call_ids[0]; id++) {
        put_many(rig);
        for (size_t i = 0; i < METHODS; i++) {
            struct method method = methods[i];
            struct outcome outcome;

            method.call_id = call_ids[id];
            outcome = call(rig, &method);
            assert_int_equal(outcome.type, NKV_PACKET_RESPONSE);
            assert_int_equal(outcome.status, NKV_OK);
            assert_int_equal(outcome.messages > 0, method.is_stream);
            assert_int_equal(outcome.payload.size > 0, !method.is_stream);
        }
        nkv_rig_expect(rig, "k", NULL);
        nkv_rig_expect(rig, "key/07", NULL);
    }
}

/* One that was started again does not know the calls of the one before: what
 * they bring it answers with an error, and so it does with the end of a call
 * that came twice. */
static void what_it_does_not_expect_ends(void **state)
{
    static const uint32_t errors[] = {NKV_CANCELLED, NKV_NOT_FOUND,
                                      NKV_FAILED_PRECONDITION, NKV_DATA_LOSS};
    struct nkv_rig *rig = *state;
    const struct method backup = {
        .service = NKV_SERVICE_STORE,
        .id = NKV_METHOD_STORE_BACKUP,
        .is_stream = true,
        .call_id = 7,
    };
    const size_t count = sizeof errors / sizeof errors[0];

    put_many(rig);
    for (size_t i = 0; i < 2 * count; i++) {
        struct nkv_packet error = {
            .type = NKV_PACKET_CLIENT_ERROR,
            .channel_id = 1,
            .service_id = backup.service,
            .method_id = backup.id,
            .call_id = backup.call_id,
            .status = errors[i % count],
        };

        /* Of the second half no call is there. */
        if (i < count) {
            send(rig, &backup, NKV_PACKET_REQUEST, backup.request);
            assert_true(nkv_rig_poll(rig));
            assert_int_equal(nkv_rig_packet(rig, 0).type,
                             NKV_PACKET_SERVER_STREAM);
        }
        nkv_rig_send_packet(rig, &error);
        (void)nkv_rig_poll(rig);
        assert_false(nkv_rpc_is_running(&rig->server.rpc));
        nkv_rig_run(rig);
        assert_int_equal(rig->frame_count, 0);
    }
    assert_int_equal(call(rig, &backup).status, NKV_OK);
}

static const struct nkv_span no_store = BYTES(0x08, 9);
static const struct nkv_span no_message = BYTES(0x0a, 5);

static void what_a_method_refuses_ends_once_too(void **state)
{
    struct nkv_rig *rig = *state;

    for (size_t i = 1; i + 1 < METHODS; i++) {
        struct method method = methods[i];

        method.request = no_store;
        assert_int_equal(call(rig, &method).status, NKV_INVALID_ARGUMENT);
        method.request = no_message;
        assert_int_equal(call(rig, &method).type, NKV_PACKET_SERVER_ERROR);
    }
    for (size_t i = 0; i < METHODS; i++) {
        struct method method = methods[i];
        struct outcome outcome;

        method.id++;
        outcome = call(rig, &method);
        assert_int_equal(outcome.type, NKV_PACKET_SERVER_ERROR);
        assert_int_equal(outcome.status, NKV_NOT_FOUND);
        send(rig, &methods[i], NKV_PACKET_CLIENT_STREAM, no_store);
        outcome = take(rig, &methods[i]);
        assert_int_equal(outcome.type, NKV_PACKET_SERVER_ERROR);
        assert_int_equal(outcome.status, NKV_FAILED_PRECONDITION);
    }
}

/* ---- Uploads ---------------------------------------------------------- */

/* As a client with generated code sends it, which does not read what comes. */
static void send_chunk(struct nkv_rig *rig, uint32_t offset,
                       struct nkv_span records, bool is_last, uint32_t crc32)
{
    norkv_v1_RestoreRequest chunk = norkv_v1_RestoreRequest_init_zero;

    chunk.offset = offset;
    chunk.last = is_last;
    chunk.crc32 = crc32;
    nkv_rig_send_restore(rig, restore.call_id, chunk, records);
}

static const struct nkv_span record = BYTES(1, 1, 'r', 's');

static void it_uploads_what_fits_the_window(void **state)
{
    struct nkv_rig *rig = *state;
    struct outcome outcome;

    send(rig, &restore, NKV_PACKET_REQUEST, (struct nkv_span){NULL, 0});
    send_chunk(rig, 0, record, true, nkv_crc32(0, record.data, record.size));
    outcome = take(rig, &restore);
    assert_int_equal(outcome.type, NKV_PACKET_RESPONSE);
    assert_int_equal(outcome.status, NKV_OK);
    assert_true(outcome.messages > 0);
    nkv_rig_expect(rig, "r", "s");
}

/* Records for CHUNKS chunks; the value says whose it is. */
struct stream {
    uint8_t bytes[CHUNKS * CHUNK_MAX];
    size_t at[CHUNKS + 1];
};

static void name_record(size_t number, char key[16], char value[48])
{
    snprintf(key, 16, "s%02zu", number);
    snprintf(value, 48, "record %02zu, with } and ~ to be escaped", number);
}

static void fill(struct stream *stream)
{
    size_t size = 0;

    for (size_t i = 0; i < CHUNKS * CHUNK_RECORDS; i++) {
        char key[16];
        char value[48];

        name_record(i, key, value);
        stream->at[i / CHUNK_RECORDS] =
            i % CHUNK_RECORDS == 0 ? size : stream->at[i / CHUNK_RECORDS];
        size +=
            nkv_record_head(stream->bytes + size, nkv_text(key), strlen(value));
        memcpy(stream->bytes + size, value, strlen(value));
        size += strlen(value);
    }
    stream->at[CHUNKS] = size;
}

static void send_chunk_of(struct nkv_rig *rig, const struct stream *stream,
                          size_t number, bool is_told_as_last)
{
    bool is_last = is_told_as_last && number == CHUNKS - 1;
    size_t at = stream->at[number];

    send_chunk(
        rig, (uint32_t)at,
        (struct nkv_span){stream->bytes + at, stream->at[number + 1] - at},
        is_last, is_last ? nkv_crc32(0, stream->bytes, stream->at[CHUNKS]) : 0);
}

/* The store holds the first records of the stream, whole: how many. */
static size_t count_records(struct nkv_rig *rig)
{
    size_t count = 0;

    for (size_t i = 0; i < CHUNKS * CHUNK_RECORDS; i++) {
        char key[16];
        char value[48];

        name_record(i, key, value);
        if (count == i &&
            nkv_rig_get(rig, 0, key, 0, 0).status != NKV_NOT_FOUND) {
            nkv_rig_expect(rig, key, value);
            count++;
        } else {
            nkv_rig_expect(rig, key, NULL);
        }
    }
    assert_int_equal(nkv_rig_statistics(rig, 0).store.keys, count);
    return count;
}

/* A line without flow control: what the ring has no room for is lost. */
struct line {
    struct nkv_receive_ring ring;
    uint8_t memory[RING];
    /* The rig's own. */
    struct nkv_byte_stream stream;
};

static size_t read_ring(void *context, uint8_t *to, size_t capacity)
{
    struct line *line = context;

    return nkv_receive_ring_read(&line->ring, to, capacity);
}

static enum nkv_status write_line(void *context, const uint8_t *from,
                                  size_t size)
{
    const struct line *line = context;

    return line->stream.write(line->stream.context, from, size);
}

/* Carries what the client has sent to the device, which polls once in pace
 * bytes. Returns how many got lost. */
static uint32_t carry(struct nkv_rig *rig, size_t pace)
{
    static struct line line;
    uint32_t lost;

    line.stream = rig->config.stream;
    nkv_receive_ring_init(&line.ring, (struct nkv_buffer){line.memory, RING});
    rig->config.stream = (struct nkv_byte_stream){
        .context = &line, .read = read_ring, .write = write_line};
    for (size_t i = 1; rig->input_taken < rig->input_size; i++) {
        nkv_receive_ring_put(&line.ring, rig->input[rig->input_taken++]);
        if (i % pace == 0) {
            (void)nkv_server_poll(&rig->server);
        }
    }
    while (nkv_server_poll(&rig->server)) {
    }
    rig->config.stream = line.stream;
    lost = nkv_receive_ring_take_overruns(&line.ring);
    nkv_server_count_overruns(&rig->server, lost);
    return lost;
}

/* The one end of the upload; behind it come only errors, as to what belongs to
 * no call. If nothing came of it, the device ends it by itself. */
static enum nkv_status end_of_upload(struct nkv_rig *rig)
{
    enum nkv_status status = NKV_OK;
    size_t ends = 0;

    nkv_rig_run(rig);
    for (int i = 0; i < 2; i++) {
        for (size_t j = 0; j < rig->frame_count; j++) {
            struct nkv_packet packet = nkv_rig_packet(rig, j);

            assert_int_equal(packet.payload.size > 0,
                             packet.type == NKV_PACKET_SERVER_STREAM);
            if (packet.type == NKV_PACKET_RESPONSE) {
                status = (enum nkv_status)packet.status;
                ends++;
            }
            assert_int_equal(packet.type == NKV_PACKET_SERVER_ERROR,
                             ends > 0 && packet.type != NKV_PACKET_RESPONSE);
        }
        rig->now_ms += 30000;
        nkv_rig_run(rig);
    }
    assert_int_equal(ends, 1);
    assert_int_equal(rig->frame_count, 0);
    assert_false(nkv_rpc_is_running(&rig->server.rpc));
    return status;
}

static void upload_without_credits(struct nkv_rig *rig,
                                   const struct stream *stream, size_t pace,
                                   bool tells_last)
{
    enum nkv_status status;
    uint32_t lost;
    size_t count;

    send(rig, &restore, NKV_PACKET_REQUEST, (struct nkv_span){NULL, 0});
    for (size_t i = 0; i < CHUNKS; i++) {
        send_chunk_of(rig, stream, i, tells_last);
    }
    send(rig, &restore, NKV_PACKET_CLIENT_REQUEST_COMPLETION,
         (struct nkv_span){NULL, 0});
    lost = carry(rig, pace);
    status = end_of_upload(rig);
    count = count_records(rig);
    print_message("%s, a poll in %zu bytes: %u bytes lost, %zu records, %s\n",
                  tells_last ? "with a last chunk" : "without", pace,
                  (unsigned)lost, count, nkv_status_name(status));
    assert_int_equal(nkv_rig_statistics(rig, 0).line.overruns, lost);
    if (lost == 0) {
        assert_int_equal(status, tells_last ? NKV_OK : NKV_OUT_OF_RANGE);
        assert_int_equal(count, CHUNKS * CHUNK_RECORDS);
    } else {
        assert_true(status == NKV_OUT_OF_RANGE ||
                    status == NKV_DEADLINE_EXCEEDED);
        assert_true(count < CHUNKS * CHUNK_RECORDS);
    }
}

/* The same stream, a chunk for each credit. */
static void upload_by_credits(struct nkv_rig *rig, const struct stream *stream)
{
    send(rig, &restore, NKV_PACKET_REQUEST, (struct nkv_span){NULL, 0});
    for (size_t i = 0; i + 1 < CHUNKS; i++) {
        send_chunk_of(rig, stream, i, true);
        nkv_rig_run(rig);
        assert_int_equal(nkv_rig_packet(rig, rig->frame_count - 1).type,
                         NKV_PACKET_SERVER_STREAM);
    }
    send_chunk_of(rig, stream, CHUNKS - 1, true);
    assert_int_equal(take(rig, &restore).status, NKV_OK);
    assert_int_equal(count_records(rig), CHUNKS * CHUNK_RECORDS);
}

static void one_that_ignores_credits_is_refused_and_harms_nothing(void **state)
{
    static const size_t paces[] = {16, 150, 220, 300, 500, 1500, 100000};
    static struct stream stream;
    const size_t count = sizeof paces / sizeof paces[0];
    struct nkv_rig *rig = *state;

    fill(&stream);
    for (size_t i = 0; i < 2 * count; i++) {
        nkv_rig_free(rig);
        nkv_rig_init(rig, &(struct nkv_rig_options){.max_frame = PACKET_MAX,
                                                    .max_keys = 128});
        rig->config.rx_window = NKV_RECEIVE_RING_WINDOW(RING);
        upload_without_credits(rig, &stream, paces[i % count], i < count);
        upload_by_credits(rig, &stream);
    }
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, nkv_rig_set_up, nkv_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_method_serves_it),
        TEST(what_a_method_refuses_ends_once_too),
        TEST(what_it_does_not_expect_ends),
        TEST(it_uploads_what_fits_the_window),
        TEST(one_that_ignores_credits_is_refused_and_harms_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
