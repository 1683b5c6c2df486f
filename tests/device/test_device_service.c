/* Device.Open and the echo. */
#include "echo.pb.h"
#include "messages.h"
#include "pb_io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void open_tells_who_the_device_is_and_what_it_takes(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_opened opened = nkv_rig_open(rig, 77, 0);
    const norkv_v1_OpenResponse *message = &opened.message;

    assert_int_equal(opened.status, NKV_OK);
    assert_int_equal(message->protocol_version, NKV_PROTOCOL_VERSION);
    assert_int_equal(message->boot_id, 0x1000);
    assert_int_not_equal(message->session, 0);
    assert_int_equal(message->last_seq, 0);
    assert_true(nkv_span_is(opened.product, "bench"));
    assert_true(nkv_span_is(opened.unit_id, NKV_RIG_UNIT_ID));
    assert_true(nkv_span_is(opened.firmware, "1.2.3"));
    assert_true(message->has_limits);
    assert_int_equal(message->limits.max_frame, NKV_RIG_FRAME);
    assert_int_equal(message->limits.rx_window, NKV_RIG_FRAME);
    assert_int_equal(message->limits.max_calls, NKV_RIG_ANSWERS);
    assert_int_equal(message->limits.max_key, NKV_KEY_SIZE_MAX);
    assert_int_equal(message->features, 0);
    assert_int_equal(message->access, 0);
}

static void open_lists_all_stores(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_opened opened = nkv_rig_open(rig, 77, 0);

    assert_int_equal(opened.store_count, 2);
    assert_true(nkv_span_is(opened.stores[0].name, "settings"));
    assert_true(nkv_span_is(opened.stores[1].name, "identity"));
    for (uint32_t i = 0; i < 2; i++) {
        const norkv_v1_StoreInfo *info = &opened.stores[i].message;

        assert_int_equal(info->number, i);
        assert_int_equal(info->capacity, NKV_RIG_SECTOR_SIZE * NKV_RIG_SECTORS);
        assert_int_equal(info->max_keys, NKV_RIG_MAX_KEYS);
        assert_int_equal(info->mount_status, NKV_OK);
    }
}

static void open_tells_window_and_stall_as_configured(void **state)
{
    struct nkv_rig rig;
    struct nkv_rig_options options = {.stall_max_ms = 85};
    struct nkv_test_opened opened;

    (void)state;
    nkv_rig_init(&rig, &options);
    rig.config.rx_window = 6000;
    opened = nkv_rig_open(&rig, 1, 0);
    assert_int_equal(opened.message.limits.rx_window, 6000);
    assert_int_equal(opened.message.limits.stall_max_ms, 85);
    nkv_rig_free(&rig);
}

static void a_client_that_gives_no_number_gets_no_session(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_opened opened = nkv_rig_open(rig, 0, 0);

    assert_int_equal(opened.status, NKV_OK);
    assert_int_equal(opened.message.session, 0);
}

/* Writes a value of this size in the fullest request there can be. */
static enum nkv_status put_largest(struct nkv_rig *rig, uint32_t session,
                                   uint32_t size)
{
    uint8_t key[NKV_KEY_SIZE_MAX];
    uint8_t *value = calloc(size + 1, 1);
    uint8_t *bytes = calloc(size + 200, 1);
    struct nkv_packet packet = {
        .channel_id = 1,
        .service_id = NKV_SERVICE_STORE,
        .method_id = NKV_METHOD_STORE_PUT,
        .call_id = 0xFFFFFFF0,
    };
    struct nkv_test_write write = {
        .store = 1,
        .key = {key, sizeof key},
        .session = session,
        .seq = UINT32_MAX,
        .is_conditional = true,
        .if_version = UINT32_MAX - 1,
        .crc32 = 1,
    };

    assert_non_null(value);
    assert_non_null(bytes);
    memset(key, 'k', sizeof key);
    write.value = (struct nkv_span){value, size};
    packet.payload =
        nkv_write_payload(&write, (struct nkv_buffer){bytes, size + 200});
    nkv_rig_send_packet(rig, &packet);
    nkv_rig_run(rig);
    free(value);
    free(bytes);
    return rig->frame_count == 0
               ? NKV_DEADLINE_EXCEEDED
               : (enum nkv_status)nkv_rig_packet(rig, 0).status;
}

/* The answer does not matter, only whether the frame is taken at all. */
static void max_value_is_what_fits_the_fullest_frame(void **state)
{
    static const size_t frames[] = {NKV_SERVER_FRAME_MIN + 40, 256, 512, 1024,
                                    2048};

    (void)state;
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct nkv_rig rig;
        struct nkv_rig_options options = {.max_frame = frames[i]};
        struct nkv_test_opened opened;
        uint32_t max_value;

        nkv_rig_init(&rig, &options);
        opened = nkv_rig_open(&rig, 5, 0);
        max_value = opened.message.limits.max_value;
        assert_true(max_value > 0);
        assert_int_not_equal(
            put_largest(&rig, opened.message.session, max_value),
            NKV_DEADLINE_EXCEEDED);
        assert_int_equal(
            put_largest(&rig, opened.message.session, max_value + 8),
            NKV_DEADLINE_EXCEEDED);
        assert_int_equal(nkv_server_line_counters(&rig.server)->oversize_frames,
                         1);
        nkv_rig_free(&rig);
    }
}

static void max_value_is_what_fits_the_smaller_store(void **state)
{
    struct nkv_rig rig;
    struct nkv_rig_options options = {.sector_size = 512};
    struct nkv_test_opened opened;

    (void)state;
    nkv_rig_init(&rig, &options);
    opened = nkv_rig_open(&rig, 5, 0);
    assert_int_equal(
        opened.message.limits.max_value,
        nkv_value_size_max(&rig.stores[0].store, NKV_KEY_SIZE_MAX));
    assert_true(opened.message.limits.max_value < 512);
    nkv_rig_free(&rig);
}

static void max_value_is_the_same_for_a_store_that_only_reads(void **state)
{
    struct nkv_rig rig;
    struct nkv_rig_options options = {.sector_size = 512};
    uint32_t max_value;

    (void)state;
    nkv_rig_init(&rig, &options);
    max_value = nkv_rig_open(&rig, 5, 0).message.limits.max_value;
    for (size_t i = 0; i < NKV_RIG_STORES; i++) {
        for (uint32_t at = 0; at < rig.stores[i].flash.size; at++) {
            nkv_flash_sim_poke(&rig.stores[i].flash, at, (uint8_t)(at % 64));
        }
    }
    nkv_rig_restart(&rig);
    assert_int_equal(rig.served[0].mount_status, NKV_FAILED_PRECONDITION);
    assert_int_equal(rig.served[1].mount_status, NKV_FAILED_PRECONDITION);
    assert_int_equal(nkv_rig_open(&rig, 5, 0).message.limits.max_value,
                     max_value);
    nkv_rig_free(&rig);
}

static void packets_too_small_for_answers_are_refused(void **state)
{
    struct nkv_rig *rig = *state;

    assert_int_equal(nkv_rig_open(rig, 1, NKV_SERVER_PACKET_MIN - 1).status,
                     NKV_INVALID_ARGUMENT);
    assert_int_equal(nkv_rig_open(rig, 1, NKV_SERVER_PACKET_MIN).status,
                     NKV_OK);
    assert_int_equal(nkv_rig_open(rig, 1, UINT32_MAX).status, NKV_OK);
}

/* Who comes next may have less room. */
static void large_packets_end_with_the_line_that_asked_for_them(void **state)
{
    static const uint8_t value[1500];
    const struct nkv_test_write put = {
        .key = nkv_text("key"),
        .value = {value, sizeof value},
    };
    struct nkv_rig *rig = *state;

    assert_int_equal(nkv_rig_write(rig, &put).status, NKV_OK);
    assert_int_equal(nkv_rig_open(rig, 1, NKV_RIG_PACKET).status, NKV_OK);
    assert_int_equal(nkv_rig_get(rig, 0, "key", 0, 0).value.size, sizeof value);
    nkv_server_disconnect(&rig->server);
    assert_in_range(nkv_rig_get(rig, 0, "key", 0, 0).value.size, 1,
                    NKV_SERVER_PACKET_DEFAULT);
    assert_int_equal(nkv_rig_open(rig, 1, NKV_RIG_PACKET).status, NKV_OK);
    assert_int_equal(nkv_rig_get(rig, 0, "key", 0, 0).value.size, sizeof value);
}

/* The size of the packet that echoes a text of size bytes; 0: refused. */
static size_t echo(struct nkv_rig *rig, size_t size)
{
    pw_rpc_EchoMessage message = pw_rpc_EchoMessage_init_zero;
    pw_rpc_EchoMessage reply_message = pw_rpc_EchoMessage_init_zero;
    uint8_t text[NKV_RIG_FRAME];
    uint8_t bytes[NKV_RIG_FRAME];
    struct nkv_span span = {text, size};
    struct nkv_span echoed;
    struct nkv_span payload;
    struct nkv_packet reply;

    memset(text, 'e', sizeof text);
    nkv_pb_give(&message.msg, &span);
    assert_true(nkv_pb_encode((struct nkv_buffer){bytes, sizeof bytes},
                              pw_rpc_EchoMessage_fields, &message, &payload));
    reply = nkv_rig_call(rig, NKV_SERVICE_ECHO_SERVICE,
                         NKV_METHOD_ECHO_SERVICE_ECHO, payload);
    if (reply.status != NKV_OK) {
        assert_int_equal(reply.status, NKV_RESOURCE_EXHAUSTED);
        assert_int_equal(reply.payload.size, 0);
        return 0;
    }
    nkv_pb_take(&reply_message.msg, &echoed);
    assert_true(nkv_pb_decode(reply.payload, pw_rpc_EchoMessage_fields,
                              &reply_message));
    assert_int_equal(echoed.size, size);
    assert_memory_equal(echoed.data, text, size);
    return rig->frames[0].payload.size;
}

static void echo_gives_back_what_it_gets(void **state)
{
    assert_true(echo(*state, 0) > 0);
    assert_true(echo(*state, 1) > 0);
    assert_true(echo(*state, 200) > 0);
}

static void
answers_stay_within_512_bytes_unless_open_asks_for_more(void **state)
{
    struct nkv_rig *rig = *state;
    size_t size = 512 - NKV_PACKET_OVERHEAD_MAX - 3;

    assert_true(echo(rig, size) <= 512);
    assert_int_equal(echo(rig, size + 1), 0);
    assert_int_equal(nkv_rig_open(rig, 1, 1500).status, NKV_OK);
    assert_true(echo(rig, size + 1) > 0);
    assert_int_equal(echo(rig, 1500), 0);
    assert_int_equal(nkv_rig_open(rig, 1, 0).status, NKV_OK);
    assert_int_equal(echo(rig, size + 1), 0);
}

static void a_config_that_lacks_something_is_refused(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_server_config config = rig->config;
    struct nkv_server server;

    assert_int_equal(nkv_server_init(&server, &config), NKV_OK);
    config.stream.read = NULL;
    assert_int_equal(nkv_server_init(&server, &config), NKV_INVALID_ARGUMENT);
    config = rig->config;
    config.stream.write = NULL;
    assert_int_equal(nkv_server_init(&server, &config), NKV_INVALID_ARGUMENT);
    config = rig->config;
    config.now_ms = NULL;
    assert_int_equal(nkv_server_init(&server, &config), NKV_INVALID_ARGUMENT);
    config = rig->config;
    config.store_count = 0;
    assert_int_equal(nkv_server_init(&server, &config), NKV_INVALID_ARGUMENT);
    config = rig->config;
    config.memory.receive.capacity = NKV_SERVER_FRAME_MIN - 1;
    assert_int_equal(nkv_server_init(&server, &config), NKV_INVALID_ARGUMENT);
    config = rig->config;
    config.memory.transmit.capacity = NKV_SERVER_PACKET_MIN - 1;
    assert_int_equal(nkv_server_init(&server, &config), NKV_INVALID_ARGUMENT);
    config = rig->config;
    config.memory.client_count = 1;
    assert_int_equal(nkv_server_init(&server, &config), NKV_INVALID_ARGUMENT);
    config = rig->config;
    config.memory.answers_per_client = 0;
    assert_int_equal(nkv_server_init(&server, &config), NKV_INVALID_ARGUMENT);
    config = rig->config;
    config.memory.call_count = 1;
    assert_int_equal(nkv_server_init(&server, &config), NKV_INVALID_ARGUMENT);
}

static void texts_too_long_for_open_are_refused_at_init(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_server_config config = rig->config;
    struct nkv_server server;
    char product[513];
    size_t length = sizeof product - 1;

    memset(product, 'p', length);
    product[length] = '\0';
    config.product = product;
    assert_int_equal(nkv_server_init(&server, &config), NKV_INVALID_ARGUMENT);
    while (nkv_server_init(&server, &config) != NKV_OK) {
        assert_true(length > 0);
        product[--length] = '\0';
    }
    assert_true(length > 200);
    rig->config.product = product;
    assert_int_equal(nkv_server_init(&rig->server, &rig->config), NKV_OK);
    assert_int_equal(nkv_rig_open(rig, UINT32_MAX, 0).status, NKV_OK);
}

static void the_smallest_buffers_answer_open_and_statistics(void **state)
{
    struct nkv_rig rig;
    struct nkv_rig_options options = {
        .max_frame = NKV_SERVER_FRAME_MIN,
        .max_packet = NKV_SERVER_PACKET_MIN,
    };

    (void)state;
    nkv_rig_init(&rig, &options);
    assert_int_equal(nkv_rig_open(&rig, 1, 0).status, NKV_OK);
    assert_true(nkv_rig_statistics(&rig, 0).has_store);
    nkv_rig_put(&rig, "k", "v");
    nkv_rig_expect(&rig, "k", "v");
    nkv_rig_free(&rig);
}

static void a_store_that_did_not_mount_is_shown_and_not_written(void **state)
{
    static const uint8_t foreign[64] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct nkv_rig rig;
    struct nkv_test_write write = {
        .key = nkv_text("k"),
        .value = nkv_text("v"),
    };
    struct nkv_test_opened opened;
    struct nkv_test_answer answer;

    (void)state;
    nkv_rig_init(&rig, NULL);
    for (uint32_t i = 0; i < rig.stores[0].flash.size; i++) {
        nkv_flash_sim_poke(&rig.stores[0].flash, i, foreign[i % 64]);
    }
    nkv_rig_restart(&rig);
    assert_int_not_equal(rig.served[0].mount_status, NKV_OK);
    opened = nkv_rig_open(&rig, 1, 0);
    assert_int_equal(opened.status, NKV_OK);
    assert_int_equal(opened.stores[0].message.mount_status,
                     rig.served[0].mount_status);
    assert_int_equal(opened.stores[1].message.mount_status, NKV_OK);
    assert_int_equal(nkv_rig_statistics(&rig, 0).mount_status,
                     rig.served[0].mount_status);
    answer = nkv_rig_write(&rig, &write);
    assert_int_equal(answer.status, NKV_FAILED_PRECONDITION);
    assert_int_equal(answer.message.reason,
                     norkv_v1_Reason_REASON_STORE_READ_ONLY);
    write.store = 1;
    assert_int_equal(nkv_rig_write(&rig, &write).status, NKV_OK);
    nkv_rig_free(&rig);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, nkv_rig_set_up, nkv_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(open_tells_who_the_device_is_and_what_it_takes),
        TEST(open_lists_all_stores),
        cmocka_unit_test(open_tells_window_and_stall_as_configured),
        TEST(a_client_that_gives_no_number_gets_no_session),
        cmocka_unit_test(max_value_is_what_fits_the_fullest_frame),
        cmocka_unit_test(max_value_is_what_fits_the_smaller_store),
        cmocka_unit_test(max_value_is_the_same_for_a_store_that_only_reads),
        TEST(packets_too_small_for_answers_are_refused),
        TEST(large_packets_end_with_the_line_that_asked_for_them),
        TEST(echo_gives_back_what_it_gets),
        TEST(answers_stay_within_512_bytes_unless_open_asks_for_more),
        TEST(a_config_that_lacks_something_is_refused),
        TEST(texts_too_long_for_open_are_refused_at_init),
        cmocka_unit_test(the_smallest_buffers_answer_open_and_statistics),
        cmocka_unit_test(a_store_that_did_not_mount_is_shown_and_not_written),
    };

    return cmocka_run_group_tests_name("device service", tests, NULL, NULL);
}
