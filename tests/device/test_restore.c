/* Store.Restore: chunks and credits, what is lost, doubled or wrong on the way,
 * and what else happens meanwhile. */
#include "messages.h"
#include "pb_io.h"

#include <norkv/crc32.h>
#include <norkv/record.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { RECORDS_MAX = 256, STREAM_MAX = 16384 };

/* A stream of records, and where each begins and the last one ends. */
struct stream {
    uint8_t bytes[STREAM_MAX];
    size_t at[RECORDS_MAX + 1];
    size_t count;
};

static struct nkv_rig *slow_rig;

/* ---- Streams ---------------------------------------------------------- */

static void add(struct stream *stream, const char *key, struct nkv_span value)
{
    uint8_t *to = stream->bytes + stream->at[stream->count];
    size_t size = nkv_record_head(to, nkv_text(key), value.size);

    memcpy(to + size, value.data, value.size);
    stream->count++;
    stream->at[stream->count] =
        stream->at[stream->count - 1] + size + value.size;
}

/* Keys k0, k1, ... with values of one size. */
static void fill(struct stream *stream, size_t count, size_t value_size)
{
    static uint8_t value[4096];

    memset(stream, 0, sizeof *stream);
    for (size_t i = 0; i < count; i++) {
        char key[8];

        snprintf(key, sizeof key, "k%zu", i);
        memset(value, (int)('a' + i % 26), value_size);
        add(stream, key, (struct nkv_span){value, value_size});
    }
}

/* The records from number first up to number end. */
static struct nkv_span slice(const struct stream *stream, size_t first,
                             size_t end)
{
    return (struct nkv_span){stream->bytes + stream->at[first],
                             stream->at[end] - stream->at[first]};
}

static uint32_t crc_up_to(const struct stream *stream, size_t end)
{
    return nkv_crc32(0, stream->bytes, stream->at[end]);
}

/* ---- Messages --------------------------------------------------------- */

static void send_message(struct nkv_rig *rig, uint32_t call_id, uint32_t type,
                         struct nkv_span payload)
{
    struct nkv_packet packet = {
        .type = type,
        .channel_id = 1,
        .service_id = NKV_SERVICE_STORE,
        .method_id = NKV_METHOD_STORE_RESTORE,
        .call_id = call_id,
        .payload = payload,
    };

    nkv_rig_send_packet(rig, &packet);
}

/* Records first to end - 1, as one chunk; the stream's last one ends it. */
static void send_chunk(struct nkv_rig *rig, uint32_t call_id,
                       const struct stream *stream, size_t first, size_t end)
{
    norkv_v1_RestoreRequest request = norkv_v1_RestoreRequest_init_zero;

    request.offset = (uint32_t)stream->at[first];
    request.last = end == stream->count;
    request.crc32 = request.last ? crc_up_to(stream, end) : 0;
    nkv_rig_send_restore(rig, call_id, request, slice(stream, first, end));
}

static uint32_t begin(struct nkv_rig *rig)
{
    uint32_t call_id =
        nkv_rig_request(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_RESTORE,
                        (struct nkv_span){NULL, 0});

    nkv_rig_run(rig);
    return call_id;
}

static norkv_v1_RestoreResponse credit_at(const struct nkv_rig *rig, size_t i)
{
    norkv_v1_RestoreResponse credit = norkv_v1_RestoreResponse_init_zero;
    struct nkv_packet packet = nkv_rig_packet(rig, i);

    assert_int_equal(packet.type, NKV_PACKET_SERVER_STREAM);
    assert_int_equal(packet.method_id, NKV_METHOD_STORE_RESTORE);
    assert_true(nkv_pb_decode(packet.payload, norkv_v1_RestoreResponse_fields,
                              &credit));
    return credit;
}

/* Answer number i is a credit for the first count records. */
static void expect_credit(const struct nkv_rig *rig, size_t i,
                          const struct stream *stream, size_t count)
{
    norkv_v1_RestoreResponse credit = credit_at(rig, i);

    assert_int_equal(credit.next_offset, stream->at[count]);
    assert_int_equal(credit.crc32, crc_up_to(stream, count));
    assert_int_equal(credit.reason, norkv_v1_Reason_REASON_NONE);
    assert_false(credit.retransmit);
}

static void expect_end(const struct nkv_rig *rig, size_t i,
                       enum nkv_status status)
{
    struct nkv_packet packet = nkv_rig_packet(rig, i);

    assert_int_equal(packet.type, NKV_PACKET_RESPONSE);
    assert_int_equal(packet.status, status);
    assert_int_equal(packet.payload.size, 0);
    assert_int_equal(rig->frame_count, i + 1);
}

/* Answers number 0 and 1 end the call: why, and with which status. */
static norkv_v1_RestoreResponse expect_failure(const struct nkv_rig *rig,
                                               enum nkv_status status,
                                               norkv_v1_Reason reason)
{
    norkv_v1_RestoreResponse credit = credit_at(rig, 0);

    assert_int_equal(credit.reason, reason);
    expect_end(rig, 1, status);
    return credit;
}

static void expect_unknown_call(const struct nkv_rig *rig)
{
    struct nkv_packet packet = nkv_rig_packet(rig, 0);

    assert_int_equal(rig->frame_count, 1);
    assert_int_equal(packet.type, NKV_PACKET_SERVER_ERROR);
    assert_int_equal(packet.status, NKV_FAILED_PRECONDITION);
}

/* The store holds the first count records of stream, and no other keys. */
static void expect_records(struct nkv_rig *rig, const struct stream *stream,
                           size_t count)
{
    struct nkv_span records = slice(stream, 0, count);
    struct nkv_record record;

    while (nkv_record_next(&records, &record) == NKV_OK) {
        char key[NKV_KEY_SIZE_MAX + 1] = "";
        struct nkv_test_value got;

        memcpy(key, record.key.data, record.key.size);
        got = nkv_rig_get(rig, 0, key, 0, 0);
        assert_int_equal(got.status, NKV_OK);
        assert_int_equal(got.value.size, record.value.size);
        assert_memory_equal(got.value.data, record.value.data, got.value.size);
    }
    assert_int_equal(nkv_rig_statistics(rig, 0).store.keys, count);
}

/* ---- Going well ------------------------------------------------------- */

static void the_first_answer_is_a_credit(void **state)
{
    struct nkv_rig *rig = *state;
    norkv_v1_RestoreResponse credit;

    (void)begin(rig);
    assert_int_equal(rig->frame_count, 1);
    credit = credit_at(rig, 0);
    assert_int_equal(credit.next_offset, 0);
    assert_int_equal(credit.window, NKV_RIG_FRAME);
    assert_false(credit.retransmit);
    rig->config.rx_window = 777;
    (void)begin(rig);
    assert_int_equal(nkv_rig_packet(rig, 0).status, NKV_ABORTED);
    assert_int_equal(credit_at(rig, 1).window, 777);
}

static void records_are_put_and_credited_chunk_by_chunk(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);

    fill(&stream, 40, 32);
    for (size_t i = 0; i < 40; i += 10) {
        send_chunk(rig, call_id, &stream, i, i + 10);
        nkv_rig_run(rig);
        expect_credit(rig, 0, &stream, i + 10);
        assert_int_equal(credit_at(rig, 0).records, i + 10);
        assert_int_equal(credit_at(rig, 0).written, i + 10);
    }
    expect_end(rig, 1, NKV_OK);
    expect_records(rig, &stream, 40);
}

static void what_is_there_already_costs_no_flash(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint64_t operations;
    uint32_t call_id = begin(rig);

    fill(&stream, 10, 32);
    send_chunk(rig, call_id, &stream, 0, 10);
    nkv_rig_run(rig);
    operations = rig->stores[0].flash.counts.operations;
    call_id = begin(rig);
    send_chunk(rig, call_id, &stream, 0, 10);
    nkv_rig_run(rig);
    assert_int_equal(credit_at(rig, 0).records, 10);
    assert_int_equal(credit_at(rig, 0).written, 0);
    assert_int_equal(rig->stores[0].flash.counts.operations, operations);
}

static void a_stream_of_nothing_ends_well(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);

    fill(&stream, 0, 0);
    send_chunk(rig, call_id, &stream, 0, 0);
    nkv_rig_run(rig);
    expect_credit(rig, 0, &stream, 0);
    expect_end(rig, 1, NKV_OK);
    nkv_rig_put(rig, "still", "served");
}

static void the_first_chunk_names_the_store(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    norkv_v1_RestoreRequest request = norkv_v1_RestoreRequest_init_zero;
    uint32_t call_id = begin(rig);

    fill(&stream, 2, 8);
    request.store = 1;
    nkv_rig_send_restore(rig, call_id, request, slice(&stream, 0, 1));
    send_chunk(rig, call_id, &stream, 1, 2);
    nkv_rig_run(rig);
    expect_end(rig, 2, NKV_OK);
    assert_int_equal(nkv_rig_statistics(rig, 1).store.keys, 2);
    assert_int_equal(nkv_rig_statistics(rig, 0).store.keys, 0);
}

/* ---- Lost and doubled ------------------------------------------------- */

static void a_gap_is_told_of_once_a_round(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);

    fill(&stream, 8, 32);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 1; i < 5; i++) {
            send_chunk(rig, call_id, &stream, i, i + 1);
        }
        nkv_rig_run(rig);
        assert_int_equal(rig->frame_count, 1);
        assert_true(credit_at(rig, 0).retransmit);
        assert_int_equal(credit_at(rig, 0).next_offset, 0);
    }
    for (size_t i = 0; i < 8; i++) {
        send_chunk(rig, call_id, &stream, i, i + 1);
    }
    nkv_rig_run(rig);
    expect_end(rig, 8, NKV_OK);
    expect_records(rig, &stream, 8);
}

static void a_later_gap_is_told_of_too(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);

    fill(&stream, 8, 32);
    send_chunk(rig, call_id, &stream, 3, 4);
    send_chunk(rig, call_id, &stream, 0, 1);
    send_chunk(rig, call_id, &stream, 2, 3);
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 3);
    assert_true(credit_at(rig, 0).retransmit);
    expect_credit(rig, 1, &stream, 1);
    assert_true(credit_at(rig, 2).retransmit);
    assert_int_equal(credit_at(rig, 2).next_offset, stream.at[1]);
}

static void a_doubled_chunk_gets_the_current_credit(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);

    fill(&stream, 4, 32);
    for (size_t i = 0; i < 2; i++) {
        send_chunk(rig, call_id, &stream, i, i + 1);
        send_chunk(rig, call_id, &stream, i, i + 1);
    }
    send_chunk(rig, call_id, &stream, 0, 1);
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 5);
    expect_credit(rig, 0, &stream, 1);
    expect_credit(rig, 1, &stream, 1);
    expect_credit(rig, 2, &stream, 2);
    expect_credit(rig, 3, &stream, 2);
    expect_credit(rig, 4, &stream, 2);
    assert_int_equal(credit_at(rig, 4).records, 2);
}

static void of_a_chunk_that_overlaps_the_rest_is_taken(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);

    fill(&stream, 6, 32);
    send_chunk(rig, call_id, &stream, 0, 3);
    send_chunk(rig, call_id, &stream, 1, 6);
    nkv_rig_run(rig);
    expect_credit(rig, 1, &stream, 6);
    assert_int_equal(credit_at(rig, 1).records, 6);
    expect_end(rig, 2, NKV_OK);
}

static void a_chunk_that_begins_within_a_record_is_refused(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    norkv_v1_RestoreRequest request = norkv_v1_RestoreRequest_init_zero;
    uint32_t call_id = begin(rig);

    fill(&stream, 6, 32);
    send_chunk(rig, call_id, &stream, 0, 3);
    /* Whole records, but not cut where those of the first chunk were. */
    request.offset = (uint32_t)stream.at[2] + 5;
    nkv_rig_send_restore(rig, call_id, request, slice(&stream, 3, 6));
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 3);
    expect_end(rig, 2, NKV_DATA_LOSS);
    expect_records(rig, &stream, 3);
}

static void a_restart_of_the_request_starts_at_zero(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);

    fill(&stream, 4, 32);
    send_chunk(rig, call_id, &stream, 0, 2);
    send_message(rig, call_id, NKV_PACKET_REQUEST, (struct nkv_span){NULL, 0});
    send_chunk(rig, call_id, &stream, 0, 4);
    nkv_rig_run(rig);
    expect_credit(rig, 0, &stream, 2);
    expect_credit(rig, 1, &stream, 0);
    expect_credit(rig, 2, &stream, 4);
    expect_end(rig, 3, NKV_OK);
}

/* ---- Refused ---------------------------------------------------------- */

static void a_wrong_crc_keeps_the_last_chunk_out(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    norkv_v1_RestoreRequest request = norkv_v1_RestoreRequest_init_zero;
    uint32_t call_id = begin(rig);

    fill(&stream, 4, 32);
    send_chunk(rig, call_id, &stream, 0, 2);
    nkv_rig_run(rig);
    request.offset = (uint32_t)stream.at[2];
    request.last = true;
    request.crc32 = crc_up_to(&stream, 4) ^ 1;
    nkv_rig_send_restore(rig, call_id, request, slice(&stream, 2, 4));
    nkv_rig_run(rig);
    expect_failure(rig, NKV_DATA_LOSS, norkv_v1_Reason_REASON_CRC_MISMATCH);
    expect_records(rig, &stream, 2);
}

static void a_record_that_fails_is_told_by_its_offset(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    norkv_v1_RestoreResponse credit;
    uint32_t call_id = begin(rig);

    fill(&stream, NKV_RIG_MAX_KEYS + 6, 16);
    for (size_t i = 0; i < NKV_RIG_MAX_KEYS; i += 16) {
        send_chunk(rig, call_id, &stream, i, i + 16);
    }
    nkv_rig_run(rig);
    /* An old key goes on, then one too many. */
    memcpy(stream.bytes + stream.at[NKV_RIG_MAX_KEYS],
           stream.bytes + stream.at[10], stream.at[11] - stream.at[10]);
    send_chunk(rig, call_id, &stream, NKV_RIG_MAX_KEYS, NKV_RIG_MAX_KEYS + 6);
    nkv_rig_run(rig);
    credit = expect_failure(rig, NKV_RESOURCE_EXHAUSTED,
                            norkv_v1_Reason_REASON_KEY_TABLE_FULL);
    assert_int_equal(credit.next_offset, stream.at[NKV_RIG_MAX_KEYS + 1]);
    assert_int_equal(credit.records, NKV_RIG_MAX_KEYS + 1);
    assert_int_equal(credit.written, NKV_RIG_MAX_KEYS);
    send_chunk(rig, call_id, &stream, NKV_RIG_MAX_KEYS, NKV_RIG_MAX_KEYS + 6);
    nkv_rig_run(rig);
    expect_unknown_call(rig);
}

static void a_value_that_no_sector_holds_is_refused(void **state)
{
    struct nkv_rig_options options = {.sector_size = 512, .sectors = 4};
    struct nkv_rig rig;
    struct stream stream;
    uint32_t call_id;

    (void)state;
    nkv_rig_init(&rig, &options);
    call_id = begin(&rig);
    fill(&stream, 1, 1000);
    send_chunk(&rig, call_id, &stream, 0, 1);
    nkv_rig_run(&rig);
    expect_failure(&rig, NKV_INVALID_ARGUMENT,
                   norkv_v1_Reason_REASON_VALUE_TOO_LARGE);
    nkv_rig_free(&rig);
}

static void a_store_that_is_not_there_is_refused(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    norkv_v1_RestoreRequest request = norkv_v1_RestoreRequest_init_zero;
    uint32_t call_id = begin(rig);

    fill(&stream, 1, 8);
    request.store = NKV_RIG_STORES;
    nkv_rig_send_restore(rig, call_id, request, slice(&stream, 0, 1));
    nkv_rig_run(rig);
    expect_failure(rig, NKV_INVALID_ARGUMENT,
                   norkv_v1_Reason_REASON_NO_SUCH_STORE);
}

static void a_store_that_only_reads_is_left_alone(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id;

    for (uint32_t i = 0; i < NKV_RIG_SECTORS; i++) {
        nkv_flash_sim_poke(&rig->stores[0].flash, i * NKV_RIG_SECTOR_SIZE,
                           0x13);
    }
    nkv_rig_restart(rig);
    assert_int_equal(rig->served[0].mount_status, NKV_FAILED_PRECONDITION);
    call_id = begin(rig);
    fill(&stream, 1, 8);
    send_chunk(rig, call_id, &stream, 0, 1);
    nkv_rig_run(rig);
    expect_failure(rig, NKV_FAILED_PRECONDITION,
                   norkv_v1_Reason_REASON_STORE_READ_ONLY);
}

static void a_chunk_of_no_records_is_refused_whole(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    norkv_v1_RestoreRequest request = norkv_v1_RestoreRequest_init_zero;
    struct nkv_span records;

    fill(&stream, 4, 32);
    /* Cut in the middle of the last, or with a key of no bytes. */
    for (int way = 0; way < 2; way++) {
        uint32_t call_id = begin(rig);

        records = slice(&stream, 0, 4);
        if (way == 0) {
            records.size -= 1;
        } else {
            stream.bytes[stream.at[3]] = 0;
        }
        nkv_rig_send_restore(rig, call_id, request, records);
        nkv_rig_run(rig);
        expect_failure(rig, NKV_DATA_LOSS, norkv_v1_Reason_REASON_NONE);
        assert_int_equal(nkv_rig_statistics(rig, 0).store.keys, 0);
    }
}

static void a_message_that_is_no_chunk_ends_the_call(void **state)
{
    struct nkv_rig *rig = *state;
    static const uint8_t garbage[] = {0x1A, 0x7F, 0x00};
    uint32_t call_id = begin(rig);
    struct nkv_packet packet;

    send_message(rig, call_id, NKV_PACKET_CLIENT_STREAM,
                 (struct nkv_span){garbage, sizeof garbage});
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 1);
    packet = nkv_rig_packet(rig, 0);
    assert_int_equal(packet.type, NKV_PACKET_SERVER_ERROR);
    assert_int_equal(packet.status, NKV_DATA_LOSS);
    (void)begin(rig);
    assert_int_equal(rig->frame_count, 1);
}

static void completion_before_the_last_chunk_is_refused(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);

    fill(&stream, 4, 32);
    send_chunk(rig, call_id, &stream, 0, 2);
    send_message(rig, call_id, NKV_PACKET_CLIENT_REQUEST_COMPLETION,
                 (struct nkv_span){NULL, 0});
    nkv_rig_run(rig);
    expect_credit(rig, 0, &stream, 2);
    expect_credit(rig, 1, &stream, 2);
    expect_end(rig, 2, NKV_OUT_OF_RANGE);
    expect_records(rig, &stream, 2);
}

static void what_comes_after_the_end_belongs_to_no_call(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);

    fill(&stream, 2, 32);
    send_chunk(rig, call_id, &stream, 0, 2);
    nkv_rig_run(rig);
    send_chunk(rig, call_id, &stream, 0, 2);
    nkv_rig_run(rig);
    expect_unknown_call(rig);
    send_message(rig, call_id, NKV_PACKET_CLIENT_REQUEST_COMPLETION,
                 (struct nkv_span){NULL, 0});
    nkv_rig_run(rig);
    expect_unknown_call(rig);
}

/* A client that knows no credits sends everything at once; the small receive
 * ring loses one of its frames. */
static void a_client_that_ignores_credits_is_refused(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;

    fill(&stream, 60, 40);
    for (size_t lost = 0; lost < 12; lost++) {
        uint32_t call_id;
        size_t end;

        nkv_rig_free(rig);
        nkv_rig_init(rig, NULL);
        rig->config.rx_window = 1024;
        call_id = begin(rig);
        for (size_t i = 0; i < 12; i++) {
            if (i != lost) {
                send_chunk(rig, call_id, &stream, 5 * i, 5 * i + 5);
            }
        }
        send_message(rig, call_id, NKV_PACKET_CLIENT_REQUEST_COMPLETION,
                     (struct nkv_span){NULL, 0});
        nkv_rig_run(rig);
        for (end = 0; nkv_rig_packet(rig, end).type != NKV_PACKET_RESPONSE;) {
            end++;
        }
        assert_int_equal(nkv_rig_packet(rig, end).status, NKV_OUT_OF_RANGE);
        for (size_t i = end + 1; i < rig->frame_count; i++) {
            assert_int_equal(nkv_rig_packet(rig, i).type,
                             NKV_PACKET_SERVER_ERROR);
        }
        expect_records(rig, &stream, 5 * lost);
    }
}

/* ---- Others at the same time ------------------------------------------ */

static void other_calls_are_served_between_chunks(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);
    static const uint8_t heavy[] = {0x10, 0x02};

    fill(&stream, 30, 32);
    for (size_t i = 0; i < 30; i += 5) {
        nkv_rig_put(rig, "k29", "mine");
        nkv_rig_expect(rig, "k29", "mine");
        (void)nkv_rig_request(rig, NKV_SERVICE_MAINTENANCE,
                              NKV_METHOD_MAINTENANCE_COLLECT,
                              (struct nkv_span){heavy, sizeof heavy});
        send_chunk(rig, call_id, &stream, i, i + 5);
        nkv_rig_run(rig);
    }
    expect_records(rig, &stream, 30);
}

static void erasing_ends_the_restore_of_that_store(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint8_t bytes[32] = {0x12, sizeof NKV_RIG_UNIT_ID - 1};
    uint32_t call_id = begin(rig);

    fill(&stream, 4, 32);
    memcpy(bytes + 2, NKV_RIG_UNIT_ID, sizeof NKV_RIG_UNIT_ID - 1);
    send_chunk(rig, call_id, &stream, 0, 2);
    nkv_rig_run(rig);
    (void)nkv_rig_request(rig, NKV_SERVICE_MAINTENANCE,
                          NKV_METHOD_MAINTENANCE_ERASE_ALL,
                          (struct nkv_span){bytes, sizeof NKV_RIG_UNIT_ID + 1});
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 5);
    expect_credit(rig, 1, &stream, 2);
    assert_int_equal(nkv_rig_packet(rig, 2).call_id, call_id);
    assert_int_equal(nkv_rig_packet(rig, 2).status, NKV_ABORTED);
    assert_int_equal(nkv_rig_packet(rig, 4).status, NKV_OK);
    send_chunk(rig, call_id, &stream, 2, 4);
    nkv_rig_run(rig);
    expect_unknown_call(rig);
    assert_int_equal(nkv_rig_statistics(rig, 0).store.keys, 0);
}

/* A host that was started again does not wait for its predecessor's call. */
static void a_second_restore_takes_the_place_of_the_first(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t first;
    uint32_t second;

    /* The only slot for streams. */
    rig->config.memory.call_count = 2;
    nkv_rig_restart(rig);
    first = begin(rig);
    fill(&stream, 4, 32);
    send_chunk(rig, first, &stream, 0, 2);
    nkv_rig_run(rig);
    second = begin(rig);
    assert_int_equal(rig->frame_count, 2);
    assert_int_equal(nkv_rig_packet(rig, 0).call_id, first);
    assert_int_equal(nkv_rig_packet(rig, 0).type, NKV_PACKET_RESPONSE);
    assert_int_equal(nkv_rig_packet(rig, 0).status, NKV_ABORTED);
    expect_credit(rig, 1, &stream, 0);
    send_chunk(rig, first, &stream, 2, 4);
    nkv_rig_run(rig);
    expect_unknown_call(rig);
    send_chunk(rig, second, &stream, 0, 4);
    nkv_rig_run(rig);
    expect_end(rig, 1, NKV_OK);
}

static void a_cancelled_restore_ends_silently(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);

    fill(&stream, 4, 32);
    send_chunk(rig, call_id, &stream, 0, 2);
    nkv_rig_cancel(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_RESTORE, call_id);
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 1);
    send_chunk(rig, call_id, &stream, 2, 4);
    nkv_rig_run(rig);
    expect_unknown_call(rig);
    expect_records(rig, &stream, 2);
}

static void a_client_that_is_gone_is_forgotten(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);

    fill(&stream, 4, 32);
    rig->now_ms += 29000;
    send_chunk(rig, call_id, &stream, 0, 1);
    nkv_rig_run(rig);
    rig->now_ms += 29999;
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 0);
    rig->now_ms += 1;
    nkv_rig_run(rig);
    expect_credit(rig, 0, &stream, 1);
    expect_end(rig, 1, NKV_DEADLINE_EXCEEDED);
}

/* Noise that never pauses leaves no time for idle work, but hides no silence.
 */
static void noise_keeps_no_client_alive(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;

    (void)begin(rig);
    fill(&stream, 4, 32);
    for (int i = 0; i < 600; i++) {
        rig->now_ms += 50;
        nkv_rig_send_bytes(rig, "x", 1);
        nkv_rig_run(rig);
    }
    expect_credit(rig, 0, &stream, 0);
    expect_end(rig, 1, NKV_DEADLINE_EXCEEDED);
}

static void a_line_that_takes_nothing_ends_the_call(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);

    fill(&stream, 4, 32);
    send_chunk(rig, call_id, &stream, 0, 2);
    rig->write_status = NKV_UNAVAILABLE;
    nkv_rig_run(rig);
    rig->write_status = NKV_OK;
    send_chunk(rig, call_id, &stream, 2, 4);
    nkv_rig_run(rig);
    expect_unknown_call(rig);
    expect_records(rig, &stream, 2);
}

/* ---- Slow flash ------------------------------------------------------- */

static enum nkv_status (*fast_program)(void *context, uint32_t offset,
                                       const void *from, size_t size);

static enum nkv_status slow_program(void *context, uint32_t offset,
                                    const void *from, size_t size)
{
    slow_rig->now_ms += 30;
    return fast_program(context, offset, from, size);
}

static void slow_down(struct nkv_rig *rig)
{
    struct nkv_flash *flash = &rig->stores[0].flash.flash;

    slow_rig = rig;
    fast_program = flash->program;
    flash->program = slow_program;
}

static void a_chunk_of_slow_puts_is_spread_over_polls(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);
    uint32_t longest = 0;
    size_t credits = 0;
    bool pending = true;

    fill(&stream, 40, 32);
    slow_down(rig);
    send_chunk(rig, call_id, &stream, 0, 40);
    (void)nkv_rig_request(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_GET,
                          (struct nkv_span){(const uint8_t *)"\x12\2k9", 4});
    while (pending) {
        uint32_t before = rig->now_ms;
        bool is_slow;

        pending = nkv_rig_poll(rig);
        is_slow = rig->now_ms != before;
        if (rig->now_ms - before > longest) {
            longest = rig->now_ms - before;
        }
        credits += is_slow ? rig->frame_count : 0;
        /* What came behind the chunk waits for its end. */
        if (!is_slow && rig->frame_count > 0) {
            assert_int_equal(nkv_rig_packet(rig, 0).method_id,
                             NKV_METHOD_STORE_GET);
            assert_int_equal(nkv_rig_packet(rig, 0).status, NKV_OK);
        }
    }
    assert_true(longest < 70);
    assert_in_range(credits, 4, 12);
    expect_records(rig, &stream, 40);
}

static void a_line_that_is_cut_within_a_chunk_is_read_again(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint32_t call_id = begin(rig);

    fill(&stream, 40, 32);
    slow_down(rig);
    send_chunk(rig, call_id, &stream, 0, 40);
    while (rig->stores[0].flash.counts.programs < 12) {
        assert_true(nkv_rig_poll(rig));
    }
    nkv_server_disconnect(&rig->server);
    nkv_rig_run(rig);
    nkv_rig_put(rig, "new", "peer");
    nkv_rig_expect(rig, "new", "peer");
    nkv_rig_expect(rig, "k30", NULL);
    call_id = begin(rig);
    send_chunk(rig, call_id, &stream, 0, 40);
    nkv_rig_run(rig);
    expect_end(rig, rig->frame_count - 1, NKV_OK);
}

/* An erase would make a part deaf just when the next chunk comes. */
static void no_idle_work_is_done_between_chunks(void **state)
{
    struct nkv_rig *rig = *state;
    struct stream stream;
    uint64_t operations;
    uint32_t call_id;

    fill(&stream, 30, 200);
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < 30; i++) {
            stream.bytes[stream.at[i + 1] - 1] = (uint8_t)round;
        }
        call_id = begin(rig);
        send_chunk(rig, call_id, &stream, 0, 9);
        for (size_t i = 9; i < 27; i += 9) {
            send_chunk(rig, call_id, &stream, i, i + 9);
        }
        while (nkv_rig_poll(rig)) {
        }
        operations = rig->stores[0].flash.counts.operations;
        rig->now_ms += 900;
        nkv_rig_run(rig);
        assert_int_equal(rig->stores[0].flash.counts.operations, operations);
    }
}

int main(void)
{
#define CASE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, nkv_rig_set_up, nkv_rig_tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(the_first_answer_is_a_credit),
        CASE(records_are_put_and_credited_chunk_by_chunk),
        CASE(what_is_there_already_costs_no_flash),
        CASE(a_stream_of_nothing_ends_well),
        CASE(the_first_chunk_names_the_store),
        CASE(a_gap_is_told_of_once_a_round),
        CASE(a_later_gap_is_told_of_too),
        CASE(a_doubled_chunk_gets_the_current_credit),
        CASE(of_a_chunk_that_overlaps_the_rest_is_taken),
        CASE(a_chunk_that_begins_within_a_record_is_refused),
        CASE(a_restart_of_the_request_starts_at_zero),
        CASE(a_wrong_crc_keeps_the_last_chunk_out),
        CASE(a_record_that_fails_is_told_by_its_offset),
        CASE(a_value_that_no_sector_holds_is_refused),
        CASE(a_store_that_is_not_there_is_refused),
        CASE(a_store_that_only_reads_is_left_alone),
        CASE(a_chunk_of_no_records_is_refused_whole),
        CASE(a_message_that_is_no_chunk_ends_the_call),
        CASE(completion_before_the_last_chunk_is_refused),
        CASE(what_comes_after_the_end_belongs_to_no_call),
        CASE(a_client_that_ignores_credits_is_refused),
        CASE(other_calls_are_served_between_chunks),
        CASE(erasing_ends_the_restore_of_that_store),
        CASE(a_second_restore_takes_the_place_of_the_first),
        CASE(a_cancelled_restore_ends_silently),
        CASE(a_client_that_is_gone_is_forgotten),
        CASE(noise_keeps_no_client_alive),
        CASE(a_line_that_takes_nothing_ends_the_call),
        CASE(a_chunk_of_slow_puts_is_spread_over_polls),
        CASE(a_line_that_is_cut_within_a_chunk_is_read_again),
        CASE(no_idle_work_is_done_between_chunks),
    };

    return cmocka_run_group_tests_name("restore", tests, NULL, NULL);
}
