/* Uploads to the real server: over clean and bad lines, with small rings, deaf
 * parts, restarts, and to devices that refuse. */
#include "fake_device.h"
#include "restore_rig.h"
#include "test.h"
#include <stdio.h>
#include <stdlib.h>

/* Uploads all and checks what is on the device. */
static struct nkv_upload *upload_all(const struct nkv_upload_options *options)
{
    struct nkv_upload *upload = nkv_upload_open(options);
    assert_done(upload->client, nkv_upload_run(upload));
    upload->bench.line.faults = (struct nkv_line_faults){0};
    assert_int_equal(upload->restore.records, options->count);
    nkv_upload_check(upload, options->count);
    return upload;
}

static uint32_t retries(const struct nkv_upload *upload)
{
    struct nkv_client_counters counters;
    nkv_client_get_counters(upload->client, &counters);
    return counters.retries;
}

/* ---- A good line ------------------------------------------------------ */

static void every_ring_and_chunk_takes_everything_once(void **state)
{
    static const size_t rings[] = {256, 300, 512, 1024, 2048, 4096};
    static const uint32_t chunks[] = {0, 1, 46, 230, 460, 100000};
    (void)state;
    for (size_t r = 0; r < sizeof(rings) / sizeof(rings[0]); r++) {
        for (size_t c = 0; c < sizeof(chunks) / sizeof(chunks[0]); c++) {
            size_t frame = rings[r] / 2;
            struct nkv_upload_options options = {
                .device = {.ring_size = rings[r],
                           .frame_size = frame < 192 ? 192 : frame,
                           .program_us = 300},
                .speed = {.baud = 921600, .latency_ms = 1},
                .count = 300,
                .chunk_size = chunks[c],
            };
            struct nkv_upload *upload = upload_all(&options);
            assert_int_equal(upload->restore.written, 300);
            assert_int_equal(upload->restore.resumed, 0);
            assert_int_equal(retries(upload), 0);
            assert_int_equal(upload->device.server.counters.overruns, 0);
            nkv_upload_free(upload);
        }
    }
}

static void values_of_flags_and_escapes_overrun_no_ring(void **state)
{
    (void)state;
    struct nkv_upload_options options = {
        .device = {.ring_size = 512, .program_us = 300},
        .speed = {.baud = 921600, .latency_ms = 1},
        .count = 300,
        .is_escaped = true,
    };
    struct nkv_upload *upload = upload_all(&options);
    assert_int_equal(upload->device.server.counters.overruns, 0);
    nkv_upload_free(upload);
}

static void a_part_that_is_deaf_while_it_programs_misses_nothing(void **state)
{
    (void)state;
    for (size_t frame = 192; frame <= 2048; frame *= 2) {
        struct nkv_upload_options options = {
            .device = {.frame_size = frame,
                       .sector_size = 1024,
                       .program_us = 2000,
                       .erase_us = 20000,
                       .is_deaf = true},
            .speed = {.baud = 115200, .latency_ms = 1},
            .count = 400,
        };
        struct nkv_upload *upload = upload_all(&options);
        assert_true(upload->device.unheard == 0);
        assert_int_equal(retries(upload), 0);
        nkv_upload_free(upload);
    }
}

/* It tells of more room than it has, or hears less than it says. */
static void
a_device_that_promises_too_much_gets_everything_all_the_same(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 2; way++) {
        struct nkv_upload_options options = {
            .device = {.ring_size = way == 0 ? 300 : 0,
                       .rx_window = 3000,
                       .program_us = 1000,
                       .is_deaf = way == 1},
            .speed = {.baud = 921600, .latency_ms = 1},
            .count = 300,
        };
        struct nkv_upload *upload = upload_all(&options);
        assert_true(retries(upload) > 0);
        nkv_upload_free(upload);
    }
}

static void what_is_there_already_is_not_written_again(void **state)
{
    (void)state;
    struct nkv_upload_options options = {.count = 100};
    struct nkv_upload *upload = upload_all(&options);
    assert_int_equal(upload->restore.written, 100);
    upload->next = 0;
    assert_done(upload->client, nkv_upload_run(upload));
    assert_int_equal(upload->restore.records, 100);
    assert_int_equal(upload->restore.written, 0);
    nkv_upload_free(upload);
}

static void no_records_are_an_upload_too(void **state)
{
    (void)state;
    struct nkv_upload_options options = {.count = 0};
    struct nkv_upload *upload = upload_all(&options);
    nkv_upload_free(upload);
}

/* ---- A bad line ------------------------------------------------------- */

static void a_bad_line_loses_nothing(void **state)
{
    static const struct nkv_line_faults faults[] = {
        {.lose_write = 30000},
        {.drop = 500, .flip = 500, .double_byte = 500},
        {.double_write = 100000, .delay = 100000, .delay_max_ms = 400},
        {.lose_write = 20000,
         .flip = 300,
         .double_write = 30000,
         .delay = 30000,
         .delay_max_ms = 900,
         .split = true},
    };
    static const size_t rings[] = {256, 1024, 0};
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
            struct nkv_upload_options options = {
                .device = {.ring_size = rings[seed % 3], .program_us = 200},
                .speed = {.baud = 460800, .latency_ms = 2},
                .faults = faults[i],
                .count = 400,
                .seed = seed,
            };
            nkv_upload_free(upload_all(&options));
        }
    }
}

static void one_frame_in_a_thousand_costs_little(void **state)
{
    (void)state;
    struct nkv_upload_options options = {
        .device = {.ring_size = 2048, .frame_size = 1024},
        .speed = {.baud = 921600, .latency_ms = 1},
        .count = 12000,
        .value_size = 32,
        .chunk_size = 460,
    };
    struct nkv_upload *upload = upload_all(&options);
    unsigned clean = nkv_upload_share(upload);
    assert_true(clean >= 8600);
    assert_true(nkv_upload_busy(upload) >= 9500);
    nkv_upload_free(upload);
    options.faults.lose_write = 1000;
    for (options.seed = 1; options.seed <= 3; options.seed++) {
        upload = upload_all(&options);
        assert_true(upload->bench.line.counts.writes_lost > 0);
        assert_true(nkv_upload_share(upload) * 100 >= clean * 95);
        nkv_upload_free(upload);
    }
}

enum { BRIEF_COUNT = 60 };

static const struct nkv_upload_options brief = {
    .device = {.ring_size = 512},
    .speed = {.baud = 115200, .latency_ms = 1},
    .count = BRIEF_COUNT,
};

static void every_message_of_the_client_may_meet_with_a_mishap(void **state)
{
    static const struct nkv_line_faults ways[] = {
        {.lose_write = 1000000},
        {.double_write = 1000000},
        {.delay = 1000000, .delay_max_ms = 1500},
        {.flip = 20000},
        {.drop = 20000},
    };
    (void)state;
    for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
        unsigned last = 1;
        for (unsigned at = 1; at <= last; at++) {
            struct nkv_upload *upload = nkv_upload_open(&brief);
            nkv_client_free(&upload->client);
            nkv_bench_arm(&upload->bench, &ways[way], at);
            upload->client = nkv_bench_open(&upload->bench, NULL);
            assert_done(upload->client, nkv_upload_run(upload));
            assert_int_equal(upload->restore.records, BRIEF_COUNT);
            nkv_upload_check(upload, BRIEF_COUNT);
            last = upload->bench.writes;
            nkv_upload_free(upload);
        }
        assert_in_range(last, 8, 60);
    }
}

static void every_message_of_the_device_may_get_lost(void **state)
{
    (void)state;
    uint32_t last = 2;
    for (uint32_t at = 2; at <= last; at++) {
        struct nkv_upload *upload = nkv_upload_open(&brief);
        upload->device.lose_at_frame = at;
        assert_done(upload->client, nkv_upload_run(upload));
        assert_int_equal(upload->restore.records, BRIEF_COUNT);
        nkv_upload_check(upload, BRIEF_COUNT);
        last = upload->device.frames_sent;
        nkv_upload_free(upload);
    }
    assert_in_range(last, 8, 60);
}

/* ---- Restarts --------------------------------------------------------- */

static void a_restart_at_any_frame_costs_nothing(void **state)
{
    (void)state;
    bool restarted = true;
    for (uint32_t at = 2; restarted; at++) {
        struct nkv_upload *upload = nkv_upload_open(&brief);
        upload->device.restart_at_frame = at;
        assert_done(upload->client, nkv_upload_run(upload));
        assert_int_equal(upload->restore.records, BRIEF_COUNT);
        nkv_upload_check(upload, BRIEF_COUNT);
        restarted = upload->device.boots > 1;
        assert_true(at < 60);
        nkv_upload_free(upload);
    }
}

/* The port is gone in mid-upload; another client goes on behind what was
 * acknowledged. */
static void an_upload_goes_on_after_a_pulled_cable(void **state)
{
    (void)state;
    for (uint64_t after_ms = 1; after_ms < 400; after_ms += 23) {
        struct nkv_upload *upload = nkv_upload_open(&brief);
        uint64_t now = nkv_bench_now_ms(&upload->bench);
        upload->bench.cut_at_ms = now + after_ms;
        enum nkv_status status = nkv_upload_run(upload);
        if (status == NKV_OK) {
            nkv_upload_free(upload);
            continue;
        }
        assert_int_equal(status, NKV_UNAVAILABLE);
        assert_says(upload->client, "the port is gone");
        uint32_t done = upload->restore.records;
        assert_true(done < BRIEF_COUNT);
        nkv_client_free(&upload->client);
        upload->bench.cut_at_ms = 0;
        nkv_line_sim_clear(&upload->bench.line, NKV_BENCH_CLIENT);
        upload->client = nkv_bench_open(&upload->bench, NULL);
        upload->next = done;
        assert_done(upload->client, nkv_upload_run(upload));
        assert_int_equal(upload->restore.records, BRIEF_COUNT - done);
        nkv_upload_check(upload, BRIEF_COUNT);
        nkv_upload_free(upload);
    }
}

/* ---- Refusals --------------------------------------------------------- */

static void a_full_table_names_the_key_that_failed(void **state)
{
    (void)state;
    struct nkv_upload_options options = {
        .device = {.max_keys = 41, .ring_size = 1024},
        .count = 100,
    };
    struct nkv_upload *upload = nkv_upload_open(&options);
    assert_int_equal(nkv_upload_run(upload), NKV_RESOURCE_EXHAUSTED);
    assert_int_equal(nkv_client_reason(upload->client),
                     NKV_REASON_KEY_TABLE_FULL);
    assert_says(upload->client,
                "restore key-00000041: the device's table of keys is full");
    assert_int_equal(upload->restore.records, 41);
    assert_int_equal(upload->restore.failed_key_size, NKV_UPLOAD_KEY);
    assert_memory_equal(upload->restore.failed_key, "key-00000041",
                        NKV_UPLOAD_KEY);
    nkv_upload_check(upload, 41);
    nkv_upload_free(upload);
}

static void a_value_that_fits_no_frame_is_not_sent(void **state)
{
    (void)state;
    struct nkv_upload_options options = {
        .device = {.frame_size = 512},
        .count = 3,
        .value_size = 500,
    };
    struct nkv_upload *upload = nkv_upload_open(&options);
    assert_int_equal(nkv_upload_run(upload), NKV_INVALID_ARGUMENT);
    assert_says(upload->client, "restore key-00000000: the value is too large");
    assert_int_equal(upload->restore.records, 0);
    nkv_upload_free(upload);
}

static void a_record_of_a_whole_frame_fits(void **state)
{
    (void)state;
    for (size_t size = 440; size < 475; size++) {
        struct nkv_upload_options options = {
            .device = {.frame_size = 512, .ring_size = 1024},
            .count = 3,
            .value_size = size,
        };
        struct nkv_upload *upload = nkv_upload_open(&options);
        enum nkv_status status = nkv_upload_run(upload);
        assert_true(size > 455 ? true : status == NKV_OK);
        if (status == NKV_OK)
            nkv_upload_check(upload, 3);
        else
            assert_int_equal(status, NKV_INVALID_ARGUMENT);
        nkv_upload_free(upload);
    }
}

static enum nkv_status stop(void *context, struct nkv_span *key,
                            struct nkv_span *value)
{
    struct nkv_upload *upload = context;
    *key = text_span("some");
    *value = text_span("value");
    return upload->next++ < 50 ? NKV_OK : NKV_CANCELLED;
}

static void a_caller_may_stop(void **state)
{
    (void)state;
    struct nkv_upload *upload = nkv_upload_open(&brief);
    upload->restore.next = stop;
    assert_int_equal(nkv_upload_run(upload), NKV_CANCELLED);
    /* And the device has let go of it. */
    struct nkv_client_statistics statistics;
    assert_done(upload->client,
                nkv_client_statistics(upload->client, NULL, &statistics));
    assert_null(upload->device.server.restore.call);
    nkv_upload_free(upload);
}

static void too_little_time_is_told_as_such(void **state)
{
    (void)state;
    struct nkv_upload_options options = {
        .device = {.ring_size = 1024},
        .speed = {.baud = 9600, .latency_ms = 1},
        .count = 500,
        .deadline_ms = 3000,
    };
    struct nkv_upload *upload = nkv_upload_open(&options);
    assert_int_equal(nkv_upload_run(upload), NKV_DEADLINE_EXCEEDED);
    assert_says(upload->client, "records were stored in time");
    assert_true(upload->restore.records > 10);
    nkv_upload_free(upload);
}

static bool take_over(struct nkv_real_device *device)
{
    struct nkv_upload *upload = device->hook_context;
    if (upload == NULL || upload->restore.records < 20)
        return false;
    device->hook_context = NULL;
    /* The REQUEST of another client, with an id of its own. */
    static const uint8_t packet[] = {0x10, 0x01, 0x1d, 0x0e, 0xd4,
                                     0xa7, 0x35, 0x25, 0x79, 0x84,
                                     0x10, 0x32, 0x38, 0x99, 0x4e};
    struct nkv_span bytes = {packet, sizeof(packet)};
    assert_int_equal(nkv_rpc_process(&device->server.rpc, bytes), NKV_OK);
    return false;
}

static void another_upload_takes_over(void **state)
{
    (void)state;
    struct nkv_upload *upload = nkv_upload_open(&brief);
    upload->device.before_poll = take_over;
    upload->device.hook_context = upload;
    assert_int_equal(nkv_upload_run(upload), NKV_ABORTED);
    assert_says(upload->client, "another client has erased the store, or began "
                                "an upload");
    nkv_upload_check(upload, upload->restore.records);
    nkv_upload_free(upload);
}

/* ---- Devices made by hand --------------------------------------------- */

struct fake {
    struct nkv_bench bench;
    struct nkv_fake_device device;
    struct nkv_client *client;
    struct nkv_client_restore restore;
    unsigned records;
};

static enum nkv_status give_three(void *context, struct nkv_span *key,
                                  struct nkv_span *value)
{
    struct fake *fake = context;
    *key = text_span("key");
    *value = text_span("value");
    return fake->records++ < 3 ? NKV_OK : NKV_NOT_FOUND;
}

static enum nkv_status
restore_to(struct fake *fake, void (*answer)(struct nkv_fake_device *device,
                                             const struct nkv_packet *request))
{
    memset(fake, 0, sizeof(*fake));
    nkv_bench_init(&fake->bench, 1);
    nkv_fake_device_init(&fake->device, &fake->bench);
    fake->device.answer = answer;
    fake->client = nkv_bench_open(&fake->bench, NULL);
    fake->restore = (struct nkv_client_restore){
        .next = give_three,
        .context = fake,
    };
    struct nkv_call_options call = {.deadline_ms = 300000};
    return nkv_client_restore(fake->client, &call, &fake->restore);
}

static void end_fake(struct fake *fake)
{
    nkv_client_free(&fake->client);
    nkv_bench_free(&fake->bench);
}

static void know_no_restore(struct nkv_fake_device *device,
                            const struct nkv_packet *request)
{
    nkv_fake_device_reply(device, request, NKV_PACKET_SERVER_ERROR,
                          NKV_NOT_FOUND, NULL);
}

static void a_device_without_restore_is_told_apart(void **state)
{
    (void)state;
    struct fake fake;
    assert_int_equal(restore_to(&fake, know_no_restore), NKV_UNIMPLEMENTED);
    assert_says(fake.client, "no such method");
    assert_int_equal(fake.restore.records, 0);
    end_fake(&fake);
}

static void reply_credit(struct nkv_fake_device *device,
                         const struct nkv_packet *request, uint32_t offset,
                         uint32_t crc32)
{
    Norkv__V1__RestoreResponse credit = NORKV__V1__RESTORE_RESPONSE__INIT;
    credit.next_offset = offset;
    credit.window = 500;
    credit.crc32 = crc32;
    nkv_fake_device_reply(device, request, NKV_PACKET_SERVER_STREAM, NKV_OK,
                          &credit.base);
}

static void garble(struct nkv_fake_device *device,
                   const struct nkv_packet *request)
{
    reply_credit(device, request, request->type == NKV_PACKET_REQUEST ? 0 : 10,
                 0x1234);
}

static void half_a_record(struct nkv_fake_device *device,
                          const struct nkv_packet *request)
{
    reply_credit(device, request, request->type == NKV_PACKET_REQUEST ? 0 : 9,
                 0);
}

static void too_much(struct nkv_fake_device *device,
                     const struct nkv_packet *request)
{
    reply_credit(device, request,
                 request->type == NKV_PACKET_REQUEST ? 0 : 1000, 0);
}

static void end_early(struct nkv_fake_device *device,
                      const struct nkv_packet *request)
{
    nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_OK, NULL);
}

static void no_message(struct nkv_fake_device *device,
                       const struct nkv_packet *request)
{
    struct nkv_span bytes = {(const uint8_t *)"\x0a\xff", 2};
    nkv_fake_device_reply_bytes(device, request, NKV_PACKET_SERVER_STREAM,
                                NKV_OK, bytes);
}

static void know_no_call(struct nkv_fake_device *device,
                         const struct nkv_packet *request)
{
    if (request->type == NKV_PACKET_REQUEST)
        reply_credit(device, request, 0, 0);
    else
        nkv_fake_device_reply(device, request, NKV_PACKET_SERVER_ERROR,
                              NKV_FAILED_PRECONDITION, NULL);
}

static void acknowledge_nothing(struct nkv_fake_device *device,
                                const struct nkv_packet *request)
{
    if (request->type != NKV_PACKET_CLIENT_ERROR)
        reply_credit(device, request, 0, 0);
}

static void nonsense_ends_the_upload(void **state)
{
    static const struct {
        void (*answer)(struct nkv_fake_device *device,
                       const struct nkv_packet *request);
        enum nkv_status status;
        const char *text;
    } cases[] = {
        {garble, NKV_DATA_LOSS, "what arrived at the device is not what"},
        {half_a_record, NKV_DATA_LOSS, ""},
        {too_much, NKV_DATA_LOSS, "acknowledges what was not sent"},
        {end_early, NKV_DATA_LOSS, ""},
        {no_message, NKV_DATA_LOSS, "does not decode"},
        {know_no_call, NKV_UNAVAILABLE, "gives up each upload"},
        {acknowledge_nothing, NKV_UNAVAILABLE, "gives up each upload"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fake fake;
        assert_int_equal(restore_to(&fake, cases[i].answer), cases[i].status);
        assert_says(fake.client, cases[i].text);
        assert_int_equal(fake.restore.records, 0);
        end_fake(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_ring_and_chunk_takes_everything_once),
        cmocka_unit_test(values_of_flags_and_escapes_overrun_no_ring),
        cmocka_unit_test(a_part_that_is_deaf_while_it_programs_misses_nothing),
        cmocka_unit_test(
            a_device_that_promises_too_much_gets_everything_all_the_same),
        cmocka_unit_test(what_is_there_already_is_not_written_again),
        cmocka_unit_test(no_records_are_an_upload_too),
        cmocka_unit_test(a_bad_line_loses_nothing),
        cmocka_unit_test(one_frame_in_a_thousand_costs_little),
        cmocka_unit_test(every_message_of_the_client_may_meet_with_a_mishap),
        cmocka_unit_test(every_message_of_the_device_may_get_lost),
        cmocka_unit_test(a_restart_at_any_frame_costs_nothing),
        cmocka_unit_test(an_upload_goes_on_after_a_pulled_cable),
        cmocka_unit_test(a_full_table_names_the_key_that_failed),
        cmocka_unit_test(a_value_that_fits_no_frame_is_not_sent),
        cmocka_unit_test(a_record_of_a_whole_frame_fits),
        cmocka_unit_test(a_caller_may_stop),
        cmocka_unit_test(too_little_time_is_told_as_such),
        cmocka_unit_test(another_upload_takes_over),
        cmocka_unit_test(a_device_without_restore_is_told_apart),
        cmocka_unit_test(nonsense_ends_the_upload),
    };
    return cmocka_run_group_tests_name("restore", tests, NULL, NULL);
}
