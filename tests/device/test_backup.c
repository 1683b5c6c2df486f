/* Store.Backup and Store.Digest: every record once, in packets that the client
 * can take, beside writes; and what they amount to. */
#include "messages.h"
#include "pb_io.h"

#include <norkv/record.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RECORDS_MAX = 400, VALUE_MAX = 4000 };

struct request {
    uint32_t store;
    struct nkv_span prefix;
    struct nkv_span after;
};

struct record {
    uint8_t key[NKV_KEY_SIZE_MAX];
    size_t key_size;
    uint8_t *value;
    size_t size;
    bool skipped;
    uint32_t status;
};

/* What came of a backup. */
struct result {
    struct record records[RECORDS_MAX];
    size_t count;
    size_t skipped;
    size_t chunks;
    size_t largest_packet;
    /* Of the records that came with their values. */
    struct nkv_digest digest;
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

static struct record *add(struct nkv_span key)
{
    struct record *record = &result.records[result.count];

    assert_true(result.count < RECORDS_MAX);
    assert_true(key.size <= sizeof record->key);
    if (key.size > 0) {
        memcpy(record->key, key.data, key.size);
    }
    record->key_size = key.size;
    result.count++;
    return record;
}

static void take_records(struct nkv_span bytes)
{
    struct nkv_record from;

    while (nkv_record_next(&bytes, &from) == NKV_OK) {
        struct record *record = add(from.key);

        record->value = malloc(from.value.size + 1);
        assert_non_null(record->value);
        memcpy(record->value, from.value.data, from.value.size);
        record->size = from.value.size;
        nkv_digest_add(&result.digest, from.key, from.value);
    }
    assert_int_equal(bytes.size, 0);
}

static void take_chunk(struct nkv_span payload)
{
    norkv_v1_BackupResponse response = norkv_v1_BackupResponse_init_zero;
    struct nkv_span records;
    struct nkv_span key;

    assert_false(result.done);
    nkv_pb_take(&response.records, &records);
    nkv_pb_take(&response.skipped.key, &key);
    assert_true(
        nkv_pb_decode(payload, norkv_v1_BackupResponse_fields, &response));
    assert_int_equal(response.index, result.chunks);
    take_records(records);
    if (response.has_skipped) {
        struct record *record = add(key);

        record->skipped = true;
        record->status = response.skipped.status;
        result.skipped++;
    }
    result.done = response.done;
    result.changed = response.changed;
    result.chunks++;
}

/* Takes the packets of the backup that the last poll sent. */
static void take_packets(const struct nkv_rig *rig)
{
    for (size_t i = 0; i < rig->frame_count; i++) {
        struct nkv_packet packet = nkv_rig_packet(rig, i);

        if (packet.method_id != NKV_METHOD_STORE_BACKUP) {
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

static struct nkv_span backup_payload(const struct request *request,
                                      struct nkv_buffer to)
{
    norkv_v1_BackupRequest message = norkv_v1_BackupRequest_init_zero;
    struct nkv_span payload = {NULL, 0};

    message.store = request->store;
    nkv_pb_give(&message.prefix, &request->prefix);
    nkv_pb_give(&message.after, &request->after);
    assert_true(
        nkv_pb_encode(to, norkv_v1_BackupRequest_fields, &message, &payload));
    return payload;
}

static uint32_t start_backup(struct nkv_rig *rig, const struct request *request)
{
    uint8_t bytes[256];

    forget_result();
    return nkv_rig_request(
        rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_BACKUP,
        backup_payload(request, (struct nkv_buffer){bytes, sizeof bytes}));
}

static void backup(struct nkv_rig *rig, const struct request *request)
{
    (void)start_backup(rig, request);
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

static void name_key(char key[16], int number)
{
    (void)snprintf(key, 16, "key/%03d", number);
}

static void put_numbered(struct nkv_rig *rig, int from, int to)
{
    for (int i = from; i < to; i++) {
        char key[16];
        char value[32];

        name_key(key, i);
        (void)snprintf(value, sizeof value, "value number %d", i);
        nkv_rig_put(rig, key, value);
    }
}

/* A value of this size. */
static void put_large(struct nkv_rig *rig, const char *key, size_t size)
{
    static uint8_t value[VALUE_MAX];
    struct nkv_test_write write = {
        .key = nkv_text(key),
        .value = {value, size},
    };

    assert_true(size <= sizeof value);
    memset(value, 'v', sizeof value);
    assert_int_equal(nkv_rig_write(rig, &write).status, NKV_OK);
}

static void expect_numbered(int from, int to)
{
    for (int i = from; i < to; i++) {
        char key[16];

        name_key(key, i);
        assert_int_equal(count_of(key), 1);
    }
}

/* Makes the byte of the flash that holds this text another one. */
static void damage(struct nkv_rig *rig, const char *text)
{
    struct nkv_flash_sim *flash = &rig->stores[0].flash;
    size_t size = strlen(text);
    uint32_t at = 0;

    while (memcmp(flash->bytes + at, text, size) != 0) {
        at++;
        assert_true(at < flash->size - size);
    }
    nkv_flash_sim_poke(flash, at, 0);
}

/* ---- Backup ------------------------------------------------------------ */

static void an_empty_store_gives_one_chunk_that_is_done(void **state)
{
    backup(*state, &(struct request){0});
    assert_int_equal(result.status, NKV_OK);
    assert_int_equal(result.chunks, 1);
    assert_int_equal(result.count, 0);
    assert_true(result.done);
    assert_false(result.changed);
}

static void every_record_comes_once_with_its_value(void **state)
{
    struct nkv_rig *rig = *state;

    put_numbered(rig, 0, 50);
    nkv_rig_delete(rig, "key/007");
    nkv_rig_put(rig, "empty", "");
    backup(rig, &(struct request){0});
    assert_int_equal(result.status, NKV_OK);
    assert_int_equal(result.count, 50);
    assert_int_equal(result.skipped, 0);
    assert_true(result.chunks > 1);
    assert_true(result.largest_packet <= NKV_SERVER_PACKET_DEFAULT);
    assert_true(result.largest_packet > NKV_SERVER_PACKET_DEFAULT - 64);
    assert_false(result.changed);
    expect_numbered(0, 7);
    expect_numbered(8, 50);
    assert_int_equal(count_of("key/007"), 0);
    for (size_t i = 0; i < result.count; i++) {
        const struct record *record = &result.records[i];
        char value[32] = "";

        if (record->key[0] == 'k') {
            (void)snprintf(
                value, sizeof value, "value number %d",
                (int)strtol((const char *)record->key + 4, NULL, 10));
        }
        assert_int_equal(record->size, strlen(value));
        assert_memory_equal(record->value, value, record->size);
    }
}

static void only_keys_with_the_prefix_come(void **state)
{
    struct nkv_rig *rig = *state;

    put_numbered(rig, 0, 12);
    nkv_rig_put(rig, "other", "1");
    nkv_rig_put(rig, "key", "2");
    backup(rig, &(struct request){.prefix = nkv_text("key/")});
    assert_int_equal(result.count, 12);
    backup(rig, &(struct request){.prefix = nkv_text("key")});
    assert_int_equal(result.count, 13);
    backup(rig, &(struct request){.prefix = nkv_text("nothing")});
    assert_int_equal(result.count, 0);
    assert_int_equal(result.status, NKV_OK);
}

/* As a client does after a gap: behind the last key of any chunk the rest
 * comes, from the same device or from one that was started again. */
static void a_backup_goes_on_behind_the_last_key_of_each_chunk(void **state)
{
    struct nkv_rig *rig = *state;
    size_t chunks;

    put_numbered(rig, 0, 60);
    backup(rig, &(struct request){0});
    assert_int_equal(result.count, 60);
    chunks = result.chunks;
    for (size_t stop = 1; stop < chunks; stop++) {
        uint32_t call_id = start_backup(rig, &(struct request){0});
        struct record last;
        size_t seen;

        while (result.chunks < stop) {
            assert_true(nkv_rig_poll(rig));
            take_packets(rig);
        }
        seen = result.count;
        last = result.records[seen - 1];
        if (stop % 2 == 0) {
            nkv_rig_restart(rig);
        } else {
            nkv_rig_cancel(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_BACKUP,
                           call_id);
        }
        nkv_rig_run(rig);
        assert_int_equal(rig->frame_count, 0);
        backup(rig, &(struct request){.after = {last.key, last.key_size}});
        assert_int_equal(seen + result.count, 60);
    }
}

static void a_cancelled_backup_ends(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t call_id;

    put_numbered(rig, 0, 60);
    call_id = start_backup(rig, &(struct request){0});
    assert_true(nkv_rig_poll(rig));
    assert_true(rig->frame_count > 0);
    nkv_rig_cancel(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_BACKUP, call_id);
    (void)nkv_rig_poll(rig);
    assert_false(nkv_rpc_is_running(&rig->server.rpc));
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 0);
}

static void every_packet_limit_is_kept_and_used(void **state)
{
    struct nkv_rig *rig = *state;

    put_numbered(rig, 0, 60);
    for (uint32_t limit = NKV_SERVER_PACKET_MIN; limit <= 600; limit++) {
        assert_int_equal(nkv_rig_open(rig, 1, limit).status, NKV_OK);
        backup(rig, &(struct request){0});
        assert_int_equal(result.count, 60);
        assert_true(result.largest_packet <= limit);
        assert_true(result.largest_packet > limit - 64);
    }
    assert_int_equal(nkv_rig_open(rig, 1, 2000).status, NKV_OK);
    backup(rig, &(struct request){0});
    assert_int_equal(result.count, 60);
    assert_true(result.largest_packet > 1000);
}

static void the_smallest_transmit_buffer_serves_the_longest_keys(void **state)
{
    static struct nkv_rig rig;
    struct nkv_rig_options options = {.max_packet = NKV_SERVER_PACKET_MIN};
    uint8_t key[NKV_KEY_SIZE_MAX];

    (void)state;
    memset(key, 'k', sizeof key);
    nkv_rig_init(&rig, &options);
    for (uint8_t i = 0; i < 20; i++) {
        struct nkv_test_write write = {.key = {key, sizeof key}};
        uint8_t value[300];

        memset(value, i, sizeof value);
        key[0] = i;
        write.value = (struct nkv_span){value, i * 15u};
        assert_int_equal(nkv_rig_write(&rig, &write).status, NKV_OK);
    }
    backup(&rig, &(struct request){0});
    assert_int_equal(result.status, NKV_OK);
    assert_int_equal(result.count, 20);
    assert_true(result.skipped > 8 && result.skipped < 15);
    assert_true(result.largest_packet <= NKV_SERVER_PACKET_MIN);
    for (size_t i = 0; i < result.count; i++) {
        const struct record *record = &result.records[i];

        assert_int_equal(record->key_size, NKV_KEY_SIZE_MAX);
        assert_int_equal(record->status, NKV_OK);
        if (!record->skipped) {
            assert_int_equal(record->size, record->key[0] * 15);
        }
    }
    nkv_rig_free(&rig);
    forget_result();
}

/* Each size around the packet's limit comes whole or is told as skipped. */
static void records_of_every_size_come_or_are_skipped(void **state)
{
    struct nkv_rig *rig = *state;
    bool was_skipped = false;

    nkv_rig_put(rig, "other", "1");
    for (size_t size = 400; size <= 512; size++) {
        put_large(rig, "k", size);
        backup(rig, &(struct request){0});
        assert_int_equal(result.count, 2);
        assert_true(result.largest_packet <= NKV_SERVER_PACKET_DEFAULT);
        assert_true(result.skipped == 1 || !was_skipped);
        was_skipped = result.skipped == 1;
        assert_int_equal(count_of("k"), 1);
        assert_int_equal(count_of("other"), 1);
    }
    assert_true(was_skipped);
    assert_int_equal(nkv_rig_open(rig, 1, 1000).status, NKV_OK);
    backup(rig, &(struct request){0});
    assert_int_equal(result.skipped, 0);
}

/* Whichever entry it is, and whatever room is left where it comes. */
static void a_damaged_entry_is_told_and_the_rest_comes(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        static struct nkv_rig rig;
        char value[32];
        int damaged = 0;

        nkv_rig_init(&rig, NULL);
        assert_int_equal(nkv_rig_open(&rig, 1, 256 + 3 * (uint32_t)i).status,
                         NKV_OK);
        put_numbered(&rig, 10, 30);
        (void)snprintf(value, sizeof value, "value number %d", 10 + i);
        damage(&rig, value);
        backup(&rig, &(struct request){0});
        assert_int_equal(result.status, NKV_OK);
        assert_int_equal(result.count, 20);
        assert_int_equal(result.skipped, 1);
        expect_numbered(10, 30);
        for (size_t j = 0; j < result.count; j++) {
            damaged += result.records[j].status == NKV_DATA_LOSS ? 1 : 0;
        }
        assert_int_equal(damaged, 1);
        nkv_rig_free(&rig);
        forget_result();
    }
}

static void an_entry_without_a_readable_key_is_told_without_one(void **state)
{
    struct nkv_rig *rig = *state;

    put_numbered(rig, 0, 20);
    damage(rig, "key/013");
    backup(rig, &(struct request){.prefix = nkv_text("key/")});
    assert_int_equal(result.count, 20);
    assert_int_equal(result.skipped, 1);
    assert_int_equal(count_of("key/013"), 0);
    for (size_t i = 0; i < result.count; i++) {
        if (result.records[i].skipped) {
            assert_int_equal(result.records[i].key_size, 0);
            assert_int_equal(result.records[i].status, NKV_DATA_LOSS);
        }
    }
}

static void a_backup_beside_writes_misses_no_key_that_stays(void **state)
{
    struct nkv_rig *rig = *state;
    int round = 0;

    put_numbered(rig, 0, 40);
    (void)start_backup(rig, &(struct request){0});
    while (!result.ended) {
        char key[16];
        struct nkv_test_write write = {.value = nkv_text("new")};
        uint8_t bytes[64];

        assert_true(nkv_rig_poll(rig));
        take_packets(rig);
        (void)snprintf(key, sizeof key, "new/%d", round++);
        write.key = nkv_text(key);
        (void)nkv_rig_request(
            rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_PUT,
            nkv_write_payload(&write,
                              (struct nkv_buffer){bytes, sizeof bytes}));
        assert_true(round < 20);
    }
    assert_int_equal(result.status, NKV_OK);
    assert_true(result.changed);
    assert_true(round > 2);
    expect_numbered(0, 40);
    nkv_rig_run(rig);
    backup(rig, &(struct request){0});
    assert_false(result.changed);
}

static void a_long_search_without_a_hit_lets_others_through(void **state)
{
    static struct nkv_rig rig;
    struct nkv_rig_options options = {.max_keys = 300, .sectors = 16};
    int polls = 0;

    (void)state;
    nkv_rig_init(&rig, &options);
    put_numbered(&rig, 0, 300);
    (void)start_backup(&rig, &(struct request){.prefix = nkv_text("none")});
    while (!result.ended) {
        assert_true(nkv_rig_poll(&rig));
        take_packets(&rig);
        polls++;
    }
    assert_int_equal(result.count, 0);
    assert_true(polls >= 4);
    backup(&rig, &(struct request){0});
    assert_int_equal(result.count, 300);
    expect_numbered(0, 300);
    nkv_rig_free(&rig);
    forget_result();
}

/* The same call id again: the old call gives way, and its stream begins anew.
 */
static void a_request_with_the_same_id_begins_anew(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t bytes[256];
    struct nkv_packet again = {
        .type = NKV_PACKET_REQUEST,
        .channel_id = 1,
        .service_id = NKV_SERVICE_STORE,
        .method_id = NKV_METHOD_STORE_BACKUP,
    };

    put_numbered(rig, 0, 60);
    again.call_id = start_backup(rig, &(struct request){0});
    assert_true(nkv_rig_poll(rig));
    take_packets(rig);
    assert_int_equal(result.chunks, 1);
    forget_result();
    again.payload = backup_payload(&(struct request){0},
                                   (struct nkv_buffer){bytes, sizeof bytes});
    nkv_rig_send_packet(rig, &again);
    nkv_rig_run(rig);
    take_packets(rig);
    assert_true(result.ended);
    assert_int_equal(result.count, 60);
}

static void a_lost_line_ends_the_backup(void **state)
{
    struct nkv_rig *rig = *state;

    put_numbered(rig, 0, 50);
    (void)start_backup(rig, &(struct request){0});
    assert_true(nkv_rig_poll(rig));
    rig->write_status = NKV_UNAVAILABLE;
    nkv_rig_run(rig);
    rig->write_status = NKV_OK;
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 0);
    (void)start_backup(rig, &(struct request){0});
    assert_true(nkv_rig_poll(rig));
    nkv_server_disconnect(&rig->server);
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 0);
}

static void wrong_requests_are_refused(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t long_key[NKV_KEY_SIZE_MAX + 1];
    struct nkv_span span = {long_key, sizeof long_key};

    memset(long_key, 'k', sizeof long_key);
    backup(rig, &(struct request){.store = 2});
    assert_int_equal(result.status, NKV_INVALID_ARGUMENT);
    assert_int_equal(result.chunks, 0);
    backup(rig, &(struct request){.prefix = span});
    assert_int_equal(result.status, NKV_INVALID_ARGUMENT);
    backup(rig, &(struct request){.after = span});
    assert_int_equal(result.status, NKV_INVALID_ARGUMENT);
    span.size--;
    backup(rig, &(struct request){.prefix = span, .after = span});
    assert_int_equal(result.status, NKV_OK);
    backup(rig, &(struct request){.store = 1});
    assert_int_equal(result.status, NKV_OK);
}

/* ---- Digest ------------------------------------------------------------ */

struct digest {
    norkv_v1_DigestResponse last;
    size_t messages;
    bool ended;
    enum nkv_status status;
};

static uint32_t start_digest(struct nkv_rig *rig, uint32_t store,
                             struct nkv_span prefix)
{
    norkv_v1_DigestRequest message = norkv_v1_DigestRequest_init_zero;
    uint8_t bytes[128];
    struct nkv_span payload = {NULL, 0};

    message.store = store;
    nkv_pb_give(&message.prefix, &prefix);
    assert_true(nkv_pb_encode((struct nkv_buffer){bytes, sizeof bytes},
                              norkv_v1_DigestRequest_fields, &message,
                              &payload));
    return nkv_rig_request(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_DIGEST,
                           payload);
}

static void take_digest(const struct nkv_rig *rig, struct digest *digest)
{
    for (size_t i = 0; i < rig->frame_count; i++) {
        struct nkv_packet packet = nkv_rig_packet(rig, i);

        if (packet.method_id != NKV_METHOD_STORE_DIGEST) {
            continue;
        }
        assert_false(digest->ended);
        if (packet.type == NKV_PACKET_SERVER_STREAM) {
            assert_false(digest->last.done);
            digest->last =
                (norkv_v1_DigestResponse)norkv_v1_DigestResponse_init_zero;
            assert_true(nkv_pb_decode(
                packet.payload, norkv_v1_DigestResponse_fields, &digest->last));
            digest->messages++;
            continue;
        }
        assert_int_equal(packet.type, NKV_PACKET_RESPONSE);
        digest->ended = true;
        digest->status = (enum nkv_status)packet.status;
    }
}

static struct digest get_digest(struct nkv_rig *rig, uint32_t store,
                                struct nkv_span prefix)
{
    struct digest digest = {0};

    (void)start_digest(rig, store, prefix);
    nkv_rig_run(rig);
    take_digest(rig, &digest);
    assert_true(digest.ended);
    return digest;
}

static void expect_digest(const struct digest *digest,
                          const struct nkv_digest *wanted)
{
    assert_int_equal(digest->status, NKV_OK);
    assert_true(digest->last.done);
    assert_int_equal(digest->last.records, wanted->records);
    assert_int_equal(digest->last.bytes, wanted->bytes);
    assert_true(digest->last.digest == wanted->sum);
}

static void a_digest_is_that_of_the_records(void **state)
{
    struct nkv_rig *rig = *state;
    struct digest digest = get_digest(rig, 0, nkv_text(""));
    struct nkv_digest none = {0};

    expect_digest(&digest, &none);
    put_numbered(rig, 0, 50);
    nkv_rig_put(rig, "empty", "");
    nkv_rig_delete(rig, "key/003");
    backup(rig, &(struct request){0});
    digest = get_digest(rig, 0, nkv_text(""));
    expect_digest(&digest, &result.digest);
    assert_int_equal(digest.last.records, 50);
    assert_false(digest.last.changed);
    assert_int_equal(digest.last.damaged, 0);
    backup(rig, &(struct request){.prefix = nkv_text("key/01")});
    digest = get_digest(rig, 0, nkv_text("key/01"));
    expect_digest(&digest, &result.digest);
    assert_int_equal(digest.last.records, 10);
    digest = get_digest(rig, 1, nkv_text(""));
    expect_digest(&digest, &none);
}

/* Larger than the transmit buffer, by any number of bytes. */
static void values_larger_than_the_room_are_hashed_in_pieces(void **state)
{
    static struct nkv_rig rig;
    static uint8_t value[VALUE_MAX];
    struct nkv_rig_options options = {.max_packet = NKV_SERVER_PACKET_MIN,
                                      .max_frame = VALUE_MAX + 200};

    (void)state;
    memset(value, 'v', sizeof value);
    nkv_rig_init(&rig, &options);
    for (size_t size = 200; size < 1100; size += 7) {
        struct nkv_digest wanted = {0};
        struct digest digest;

        put_large(&rig, "large", size);
        nkv_digest_add(&wanted, nkv_text("large"),
                       (struct nkv_span){value, size});
        digest = get_digest(&rig, 0, nkv_text(""));
        expect_digest(&digest, &wanted);
    }
    nkv_rig_free(&rig);
}

/* A turn takes at most the reads that verifying one value and a packet's worth
 * of small ones need, and calls between turns are answered. */
static void a_turn_is_bounded_and_others_get_theirs(void **state)
{
    static struct nkv_rig rig;
    struct nkv_rig_options options = {.max_packet = NKV_SERVER_PACKET_MIN,
                                      .max_frame = VALUE_MAX + 200};
    struct digest digest = {0};
    int polls = 0;
    int answers = 0;

    (void)state;
    nkv_rig_init(&rig, &options);
    put_large(&rig, "large", VALUE_MAX - 300);
    put_numbered(&rig, 0, 50);
    (void)start_digest(&rig, 0, nkv_text(""));
    while (!digest.ended) {
        norkv_v1_GetRequest get = norkv_v1_GetRequest_init_zero;
        struct nkv_span key = nkv_text("key/001");
        uint8_t bytes[64];
        struct nkv_span payload = {NULL, 0};
        uint64_t read = rig.stores[0].flash.counts.read_bytes;

        nkv_pb_give(&get.key, &key);
        assert_true(nkv_pb_encode((struct nkv_buffer){bytes, sizeof bytes},
                                  norkv_v1_GetRequest_fields, &get, &payload));
        (void)nkv_rig_request(&rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_GET,
                              payload);
        assert_true(nkv_rig_poll(&rig));
        assert_true(rig.stores[0].flash.counts.read_bytes - read < 16384);
        for (size_t i = 0; i < rig.frame_count; i++) {
            answers +=
                nkv_rig_packet(&rig, i).method_id == NKV_METHOD_STORE_GET;
        }
        take_digest(&rig, &digest);
        polls++;
    }
    /* 3700 bytes in pieces of 256, and 50 small ones. */
    assert_true(polls >= 15);
    assert_int_equal(answers, polls);
    assert_int_equal(digest.last.records, 51);
    nkv_rig_free(&rig);
}

/* One is written between its pieces, again and again: the digest is that of a
 * value which was there. */
static void
a_value_that_is_written_between_its_pieces_is_begun_anew(void **state)
{
    static struct nkv_rig rig;
    struct nkv_rig_options options = {.max_packet = NKV_SERVER_PACKET_MIN,
                                      .max_frame = VALUE_MAX + 200};
    size_t sizes[] = {2000, 1000, 3000, 2000};

    (void)state;
    for (size_t polls = 1; polls < 12; polls++) {
        struct digest digest = {0};
        struct nkv_digest wanted = {0};
        static uint8_t value[VALUE_MAX];

        memset(value, 'v', sizeof value);
        nkv_rig_init(&rig, &options);
        put_large(&rig, "large", sizes[0]);
        (void)start_digest(&rig, 0, nkv_text(""));
        for (size_t i = 1; i < 4; i++) {
            struct nkv_test_write write = {.key = nkv_text("large"),
                                           .value = {value, sizes[i]}};
            static uint8_t bytes[VALUE_MAX + 64];

            for (size_t j = 0; j < polls && !digest.ended; j++) {
                (void)nkv_rig_poll(&rig);
                take_digest(&rig, &digest);
            }
            if (digest.ended) {
                break;
            }
            (void)nkv_rig_request(
                &rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_PUT,
                nkv_write_payload(&write,
                                  (struct nkv_buffer){bytes, sizeof bytes}));
        }
        nkv_rig_run(&rig);
        take_digest(&rig, &digest);
        nkv_digest_add(&wanted, nkv_text("large"),
                       (struct nkv_span){value, digest.last.bytes - 5});
        expect_digest(&digest, &wanted);
        assert_true(digest.last.changed || digest.last.bytes == 2005);
        nkv_rig_free(&rig);
    }
}

static void damaged_entries_are_counted_and_not_summed(void **state)
{
    struct nkv_rig *rig = *state;
    struct digest digest;

    put_numbered(rig, 10, 30);
    damage(rig, "value number 12");
    damage(rig, "key/017");
    backup(rig, &(struct request){0});
    digest = get_digest(rig, 0, nkv_text(""));
    expect_digest(&digest, &result.digest);
    assert_int_equal(digest.last.records, 18);
    assert_int_equal(digest.last.damaged, 2);
}

static void a_long_digest_shows_that_it_goes_on(void **state)
{
    struct nkv_rig *rig = *state;
    struct digest digest = {0};
    int polls = 0;

    for (int i = 0; i < 12; i++) {
        char key[16];

        name_key(key, i);
        put_large(rig, key, 1000);
    }
    (void)start_digest(rig, 0, nkv_text(""));
    while (!digest.ended) {
        assert_true(nkv_rig_poll(rig));
        rig->now_ms += 300;
        take_digest(rig, &digest);
        assert_true(digest.messages >= 1);
        polls++;
    }
    assert_true(polls > 1);
    assert_true(digest.messages >= (size_t)polls);
    assert_true(get_digest(rig, 0, nkv_text("")).messages <= 2);
}

static void a_cancelled_digest_ends(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t call_id;

    put_numbered(rig, 0, 60);
    call_id = start_digest(rig, 0, nkv_text(""));
    nkv_rig_cancel(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_DIGEST, call_id);
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 1);
    rig->write_status = NKV_UNAVAILABLE;
    (void)start_digest(rig, 0, nkv_text(""));
    nkv_rig_run(rig);
    rig->write_status = NKV_OK;
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 0);
}

static void a_wrong_digest_is_refused_with_a_reason(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t long_key[NKV_KEY_SIZE_MAX + 1] = {'k'};
    struct digest digest = get_digest(rig, 2, nkv_text(""));

    assert_int_equal(digest.status, NKV_INVALID_ARGUMENT);
    assert_int_equal(digest.last.reason, norkv_v1_Reason_REASON_NO_SUCH_STORE);
    assert_false(digest.last.done);
    digest = get_digest(rig, 0, (struct nkv_span){long_key, sizeof long_key});
    assert_int_equal(digest.status, NKV_INVALID_ARGUMENT);
    assert_int_equal(digest.last.reason, norkv_v1_Reason_REASON_BAD_KEY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_store_gives_one_chunk_that_is_done),
        TEST(every_record_comes_once_with_its_value),
        TEST(only_keys_with_the_prefix_come),
        TEST(a_backup_goes_on_behind_the_last_key_of_each_chunk),
        TEST(a_cancelled_backup_ends),
        TEST(every_packet_limit_is_kept_and_used),
        cmocka_unit_test(the_smallest_transmit_buffer_serves_the_longest_keys),
        TEST(records_of_every_size_come_or_are_skipped),
        cmocka_unit_test(a_damaged_entry_is_told_and_the_rest_comes),
        TEST(an_entry_without_a_readable_key_is_told_without_one),
        TEST(a_backup_beside_writes_misses_no_key_that_stays),
        cmocka_unit_test(a_long_search_without_a_hit_lets_others_through),
        TEST(a_request_with_the_same_id_begins_anew),
        TEST(a_lost_line_ends_the_backup),
        TEST(wrong_requests_are_refused),
        TEST(a_digest_is_that_of_the_records),
        cmocka_unit_test(values_larger_than_the_room_are_hashed_in_pieces),
        cmocka_unit_test(a_turn_is_bounded_and_others_get_theirs),
        cmocka_unit_test(
            a_value_that_is_written_between_its_pieces_is_begun_anew),
        TEST(damaged_entries_are_counted_and_not_summed),
        TEST(a_long_digest_shows_that_it_goes_on),
        TEST(a_cancelled_digest_ends),
        TEST(a_wrong_digest_is_refused_with_a_reason),
    };

    return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
