/* Maintenance: statistics, collecting beside other calls, erasing. */
#include "messages.h"
#include "pb_io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What came of a long operation. */
struct outcome {
    size_t reports;
    norkv_v1_Progress last;
    bool ended;
    enum nkv_status status;
};

/* Adds what the last poll sent for a call. */
static void watch(const struct nkv_rig *rig, uint32_t call_id,
                  struct outcome *outcome)
{
    for (size_t i = 0; i < rig->frame_count; i++) {
        struct nkv_packet packet = nkv_rig_packet(rig, i);

        if (packet.call_id != call_id) {
            continue;
        }
        assert_false(outcome->ended);
        if (packet.type == NKV_PACKET_SERVER_STREAM) {
            outcome->last = (norkv_v1_Progress)norkv_v1_Progress_init_zero;
            assert_true(nkv_pb_decode(packet.payload, norkv_v1_Progress_fields,
                                      &outcome->last));
            outcome->reports++;
            continue;
        }
        assert_int_equal(packet.type, NKV_PACKET_RESPONSE);
        assert_int_equal(packet.payload.size, 0);
        outcome->ended = true;
        outcome->status = (enum nkv_status)packet.status;
    }
}

static uint32_t start_collect(struct nkv_rig *rig, uint32_t store,
                              norkv_v1_CollectKind kind)
{
    norkv_v1_CollectRequest request = {.store = store, .kind = kind};
    uint8_t bytes[16];
    struct nkv_span payload = {NULL, 0};

    assert_true(nkv_pb_encode((struct nkv_buffer){bytes, sizeof bytes},
                              norkv_v1_CollectRequest_fields, &request,
                              &payload));
    return nkv_rig_request(rig, NKV_SERVICE_MAINTENANCE,
                           NKV_METHOD_MAINTENANCE_COLLECT, payload);
}

static uint32_t start_erase(struct nkv_rig *rig, uint32_t store,
                            const char *unit_id)
{
    norkv_v1_EraseAllRequest request = norkv_v1_EraseAllRequest_init_zero;
    struct nkv_span id = nkv_text(unit_id);
    uint8_t bytes[128];
    struct nkv_span payload = {NULL, 0};

    request.store = store;
    nkv_pb_give(&request.unit_id, &id);
    assert_true(nkv_pb_encode((struct nkv_buffer){bytes, sizeof bytes},
                              norkv_v1_EraseAllRequest_fields, &request,
                              &payload));
    return nkv_rig_request(rig, NKV_SERVICE_MAINTENANCE,
                           NKV_METHOD_MAINTENANCE_ERASE_ALL, payload);
}

static struct outcome finish(struct nkv_rig *rig, uint32_t call_id)
{
    struct outcome outcome = {0};

    nkv_rig_run(rig);
    watch(rig, call_id, &outcome);
    assert_true(outcome.ended);
    return outcome;
}

/* Leaves many superseded entries. */
static void make_work(struct nkv_rig *rig)
{
    static char value[201];

    memset(value, 'v', sizeof value - 1);
    for (int i = 0; i < 60; i++) {
        char key[] = {'k', (char)('a' + i % 7), '\0'};

        value[0] = (char)('a' + i % 26);
        nkv_rig_put(rig, key, value);
    }
}

static void statistics_are_the_stores(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_statistics expected;
    norkv_v1_StatisticsResponse got;

    make_work(rig);
    nkv_rig_delete(rig, "ka");
    got = nkv_rig_statistics(rig, 0);
    nkv_statistics(&rig->stores[0].store, &expected);
    assert_true(got.has_store && got.has_counters && got.has_line);
    assert_int_equal(got.reason, norkv_v1_Reason_REASON_NONE);
    assert_int_equal(got.store.keys, 6);
    assert_int_equal(got.store.max_keys, NKV_RIG_MAX_KEYS);
    assert_int_equal(got.store.max_tombstones, expected.max_tombstones);
    assert_int_equal(got.store.transaction_count, 61);
    assert_int_equal(got.store.live_bytes, expected.live_bytes);
    assert_int_equal(got.store.stale_bytes, expected.stale_bytes);
    assert_int_equal(got.store.live_bytes + got.store.stale_bytes +
                         got.store.free_bytes,
                     NKV_RIG_SECTOR_SIZE * NKV_RIG_SECTORS);
    assert_int_equal(got.store.sector_size, NKV_RIG_SECTOR_SIZE);
    assert_int_equal(got.store.sector_count, NKV_RIG_SECTORS);
    assert_int_equal(got.store.copies, 1);
    assert_int_equal(got.store.program_unit, 16);
    assert_int_equal(got.counters.bytes_programmed, expected.bytes_programmed);
    assert_true(got.counters.bytes_programmed > 60 * 200);
    assert_int_equal(got.mount_status, NKV_OK);
    assert_int_equal(got.line.frames_received, 62);
    assert_int_equal(got.line.frames_sent, 61);
}

static void more_statistics_are_the_stores(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_statistics expected;
    norkv_v1_StatisticsResponse got;
    uint32_t value_room;

    make_work(rig);
    got = nkv_rig_more_statistics(rig, 0);
    nkv_statistics(&rig->stores[0].store, &expected);
    value_room = nkv_value_size_free(&rig->stores[0].store, NKV_KEY_SIZE_MAX);
    assert_true(got.has_room && got.has_work && got.has_calls);
    assert_false(got.has_store || got.has_counters || got.has_line);
    assert_int_equal(got.room.reserved_bytes, NKV_RIG_SECTOR_SIZE);
    assert_int_equal(got.room.reserved_bytes, expected.reserved_bytes);
    assert_int_equal(got.room.retired_bytes, 0);
    assert_true(got.room.has_room);
    assert_int_equal(got.room.value_room, value_room);
    assert_int_equal(got.room.pending_steps,
                     nkv_pending_steps(&rig->stores[0].store));
    assert_int_equal(got.work.steps, expected.steps);
    assert_int_equal(got.work.longest_write_steps,
                     expected.longest_write_steps);
    assert_int_equal(got.work.entries_lost, 0);
    assert_int_equal(got.mount_status, NKV_OK);
}

static void lost_entries_are_in_the_statistics(void **state)
{
    struct nkv_rig *rig = *state;

    nkv_rig_put(rig, "key", "value");
    nkv_flash_sim_poke(&rig->stores[0].flash, 20, 0x55);
    (void)nkv_rig_get(rig, 0, "key", 0, 0);
    (void)finish(rig,
                 start_collect(rig, 0, norkv_v1_CollectKind_COLLECT_HEAVY));
    assert_int_equal(nkv_rig_more_statistics(rig, 0).work.entries_lost, 1);
}

static void a_store_without_room_says_so(void **state)
{
    const struct nkv_rig_options options = {.max_keys = 3};
    struct nkv_rig rig;

    (void)state;
    nkv_rig_init(&rig, &options);
    nkv_rig_put(&rig, "a", "1");
    nkv_rig_put(&rig, "b", "2");
    assert_true(nkv_rig_more_statistics(&rig, 0).room.has_room);
    nkv_rig_put(&rig, "c", "3");
    assert_false(nkv_rig_more_statistics(&rig, 0).room.has_room);
    nkv_rig_free(&rig);
}

static void statistics_of_an_unknown_store_name_the_reason(void **state)
{
    static const uint8_t store_9[] = {0x08, 9};
    norkv_v1_StatisticsResponse response =
        norkv_v1_StatisticsResponse_init_zero;
    struct nkv_packet reply = nkv_rig_call(
        *state, NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_STATISTICS,
        (struct nkv_span){store_9, sizeof store_9});

    assert_int_equal(reply.status, NKV_INVALID_ARGUMENT);
    assert_true(nkv_pb_decode(reply.payload, norkv_v1_StatisticsResponse_fields,
                              &response));
    assert_int_equal(response.reason, norkv_v1_Reason_REASON_NO_SUCH_STORE);
    assert_false(response.has_store);
}

static void heavy_collection_leaves_nothing_stale(void **state)
{
    struct nkv_rig *rig = *state;
    struct outcome outcome;

    make_work(rig);
    assert_true(nkv_rig_statistics(rig, 0).store.stale_bytes > 0);
    outcome =
        finish(rig, start_collect(rig, 0, norkv_v1_CollectKind_COLLECT_HEAVY));
    assert_int_equal(outcome.status, NKV_OK);
    assert_true(outcome.reports >= 2);
    assert_true(outcome.last.steps > 2);
    assert_int_equal(outcome.last.reason, norkv_v1_Reason_REASON_NONE);
    assert_int_equal(nkv_rig_statistics(rig, 0).store.stale_bytes, 0);
    assert_int_equal(nkv_rig_statistics(rig, 0).store.keys, 7);
}

static void partial_collection_frees_some_or_finds_nothing(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t before;
    struct outcome outcome;

    outcome = finish(
        rig, start_collect(rig, 0, norkv_v1_CollectKind_COLLECT_PARTIAL));
    assert_int_equal(outcome.status, NKV_NOT_FOUND);
    make_work(rig);
    before = nkv_rig_statistics(rig, 0).store.stale_bytes;
    outcome = finish(
        rig, start_collect(rig, 0, norkv_v1_CollectKind_COLLECT_PARTIAL));
    assert_int_equal(outcome.status, NKV_OK);
    assert_true(nkv_rig_statistics(rig, 0).store.stale_bytes < before);
}

static void other_calls_go_on_beside_a_collection(void **state)
{
    struct nkv_rig *rig = *state;
    struct outcome outcome = {0};
    uint32_t call_id;
    int others = 0;

    make_work(rig);
    call_id = start_collect(rig, 0, norkv_v1_CollectKind_COLLECT_HEAVY);
    while (!outcome.ended) {
        static const uint8_t payload[] = {0x12, 2, 'k', 'a'};
        uint32_t get_id =
            nkv_rig_request(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_GET,
                            (struct nkv_span){payload, sizeof payload});

        assert_true(nkv_rig_poll(rig));
        watch(rig, call_id, &outcome);
        for (size_t i = 0; i < rig->frame_count; i++) {
            struct nkv_packet packet = nkv_rig_packet(rig, i);

            if (packet.call_id == get_id) {
                assert_int_equal(packet.status, NKV_OK);
                others++;
            }
        }
        assert_true(others < 10000);
    }
    assert_int_equal(outcome.status, NKV_OK);
    assert_true(others > 3);
}

static void a_long_collection_reports_from_time_to_time(void **state)
{
    struct nkv_rig *rig = *state;
    struct outcome outcome = {0};
    uint32_t call_id;
    uint32_t polls = 0;

    make_work(rig);
    call_id = start_collect(rig, 0, norkv_v1_CollectKind_COLLECT_HEAVY);
    while (!outcome.ended) {
        rig->now_ms += 100;
        assert_true(nkv_rig_poll(rig));
        watch(rig, call_id, &outcome);
        polls++;
    }
    assert_true(polls > 6);
    assert_true(outcome.reports >= 2 + polls / 4);
    assert_true(outcome.reports <= 3 + polls / 3);
}

static void a_second_long_operation_on_a_store_is_told_busy(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t first;
    uint32_t second;
    uint32_t third;
    uint32_t elsewhere;
    struct outcome outcome = {0};

    make_work(rig);
    first = start_collect(rig, 0, norkv_v1_CollectKind_COLLECT_HEAVY);
    second = start_collect(rig, 0, norkv_v1_CollectKind_COLLECT_FULL);
    third = start_erase(rig, 0, NKV_RIG_UNIT_ID);
    elsewhere = start_collect(rig, 1, norkv_v1_CollectKind_COLLECT_FULL);
    nkv_rig_run(rig);
    watch(rig, second, &outcome);
    assert_int_equal(outcome.status, NKV_UNAVAILABLE);
    assert_int_equal(outcome.last.reason, norkv_v1_Reason_REASON_BUSY);
    outcome = (struct outcome){0};
    watch(rig, third, &outcome);
    assert_int_equal(outcome.status, NKV_UNAVAILABLE);
    assert_int_equal(outcome.last.reason, norkv_v1_Reason_REASON_BUSY);
    outcome = (struct outcome){0};
    watch(rig, first, &outcome);
    assert_true(outcome.ended);
    assert_int_equal(outcome.status, NKV_OK);
    outcome = (struct outcome){0};
    watch(rig, elsewhere, &outcome);
    assert_true(outcome.ended);
    assert_int_equal(outcome.status, NKV_OK);
    assert_int_equal(nkv_rig_statistics(rig, 0).store.keys, 7);
}

static void a_cancelled_collection_stops_and_leaves_the_store_free(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t call_id;

    make_work(rig);
    call_id = start_collect(rig, 0, norkv_v1_CollectKind_COLLECT_HEAVY);
    assert_true(nkv_rig_poll(rig));
    nkv_rig_cancel(rig, NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_COLLECT,
                   call_id);
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 0);
    assert_int_equal(
        finish(rig, start_collect(rig, 0, norkv_v1_CollectKind_COLLECT_HEAVY))
            .status,
        NKV_OK);
    assert_int_equal(nkv_rig_statistics(rig, 0).store.keys, 7);
}

static void an_unknown_kind_or_store_is_refused(void **state)
{
    struct nkv_rig *rig = *state;
    struct outcome outcome =
        finish(rig, start_collect(rig, 0, (norkv_v1_CollectKind)3));

    assert_int_equal(outcome.status, NKV_INVALID_ARGUMENT);
    outcome =
        finish(rig, start_collect(rig, 2, norkv_v1_CollectKind_COLLECT_FULL));
    assert_int_equal(outcome.status, NKV_INVALID_ARGUMENT);
    assert_int_equal(outcome.last.reason, norkv_v1_Reason_REASON_NO_SUCH_STORE);
    outcome = finish(rig, start_erase(rig, 2, NKV_RIG_UNIT_ID));
    assert_int_equal(outcome.status, NKV_INVALID_ARGUMENT);
    assert_int_equal(outcome.last.reason, norkv_v1_Reason_REASON_NO_SUCH_STORE);
}

static void erase_all_needs_the_units_own_id(void **state)
{
    static const char *const wrong[] = {"", "BENCH-000", "BENCH-00077",
                                        "BENCH-0008", "bench-0007"};
    struct nkv_rig *rig = *state;

    nkv_rig_put(rig, "key", "value");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct outcome outcome = finish(rig, start_erase(rig, 0, wrong[i]));

        assert_int_equal(outcome.status, NKV_INVALID_ARGUMENT);
        assert_int_equal(outcome.reports, 1);
        assert_int_equal(outcome.last.reason,
                         norkv_v1_Reason_REASON_WRONG_UNIT_ID);
    }
    assert_int_equal(rig->stores[0].flash.counts.erases, 0);
    nkv_rig_expect(rig, "key", "value");
}

static void a_unit_without_id_cannot_be_erased(void **state)
{
    struct nkv_rig rig;
    struct nkv_rig_options options = {.unit_id = ""};
    struct outcome outcome;

    (void)state;
    nkv_rig_init(&rig, &options);
    nkv_rig_put(&rig, "key", "value");
    outcome = finish(&rig, start_erase(&rig, 0, ""));
    assert_int_equal(outcome.status, NKV_INVALID_ARGUMENT);
    assert_int_equal(outcome.last.reason, norkv_v1_Reason_REASON_WRONG_UNIT_ID);
    nkv_rig_expect(&rig, "key", "value");
    nkv_rig_free(&rig);
}

static void erase_all_empties_its_store_only(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_write elsewhere = {
        .store = 1,
        .key = nkv_text("key"),
        .value = nkv_text("kept"),
    };
    struct outcome outcome;

    make_work(rig);
    assert_int_equal(nkv_rig_write(rig, &elsewhere).status, NKV_OK);
    outcome = finish(rig, start_erase(rig, 0, NKV_RIG_UNIT_ID));
    assert_int_equal(outcome.status, NKV_OK);
    assert_true(outcome.reports >= 2);
    assert_int_equal(nkv_rig_statistics(rig, 0).store.keys, 0);
    nkv_rig_expect(rig, "ka", NULL);
    assert_true(nkv_span_is(nkv_rig_get(rig, 1, "key", 0, 0).value, "kept"));
    nkv_rig_put(rig, "key", "again");
    nkv_rig_restart(rig);
    nkv_rig_expect(rig, "key", "again");
}

/* They may all have arrived before the device looks. */
static void what_is_put_behind_an_erase_all_stays(void **state)
{
    const struct nkv_test_write put = {
        .key = nkv_text("key"),
        .value = nkv_text("new"),
    };
    struct nkv_rig *rig = *state;
    struct outcome outcome = {0};
    uint8_t bytes[64];
    uint32_t erase_id, put_id;

    nkv_rig_put(rig, "key", "old");
    nkv_rig_put(rig, "other", "old");
    erase_id = start_erase(rig, 0, NKV_RIG_UNIT_ID);
    put_id = nkv_rig_request(
        rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_PUT,
        nkv_write_payload(&put, (struct nkv_buffer){bytes, sizeof bytes}));
    nkv_rig_run(rig);
    watch(rig, erase_id, &outcome);
    assert_true(outcome.ended);
    assert_int_equal(outcome.status, NKV_OK);
    assert_int_equal(nkv_rig_packet(rig, rig->frame_count - 1).call_id, put_id);
    assert_int_equal(nkv_rig_packet(rig, rig->frame_count - 1).status, NKV_OK);
    nkv_rig_expect(rig, "key", "new");
    nkv_rig_expect(rig, "other", NULL);
}

static void erase_all_makes_a_foreign_flash_usable(void **state)
{
    struct nkv_rig *rig = *state;

    for (uint32_t i = 0; i < rig->stores[0].flash.size; i++) {
        nkv_flash_sim_poke(&rig->stores[0].flash, i, (uint8_t)(i * 13 + 1));
    }
    nkv_rig_restart(rig);
    assert_int_not_equal(nkv_rig_statistics(rig, 0).mount_status, NKV_OK);
    assert_int_equal(finish(rig, start_erase(rig, 0, NKV_RIG_UNIT_ID)).status,
                     NKV_OK);
    assert_int_equal(nkv_rig_statistics(rig, 0).mount_status, NKV_OK);
    nkv_rig_put(rig, "key", "value");
    nkv_rig_restart(rig);
    nkv_rig_expect(rig, "key", "value");
}

/* All is deleted; that some of it is still there, in sectors that are retired,
 * is told by the statistics. */
static void a_failing_erase_is_reported(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_statistics statistics;
    struct outcome outcome;

    make_work(rig);
    nkv_flash_sim_add_fault(&rig->stores[0].flash,
                            (struct nkv_sim_fault){
                                .kind = NKV_SIM_FAULT_ERASE,
                                .size = rig->stores[0].flash.size,
                                .status = NKV_INTERNAL,
                            });
    outcome = finish(rig, start_erase(rig, 0, NKV_RIG_UNIT_ID));
    assert_int_equal(outcome.status, NKV_OK);
    nkv_statistics(&rig->stores[0].store, &statistics);
    assert_int_equal(statistics.keys, 0);
    assert_true(statistics.erase_errors > 0);
    assert_true(statistics.retired_sectors > 0);
    nkv_flash_sim_clear_faults(&rig->stores[0].flash);
    assert_int_equal(finish(rig, start_erase(rig, 0, NKV_RIG_UNIT_ID)).status,
                     NKV_OK);
}

/* Puts until the open sectors are all but full and one more erased is left:
 * then there is room to prepare. */
static void use_up_room(struct nkv_rig *rig)
{
    struct nkv_statistics statistics;
    uint32_t open_bytes;
    int puts = 0;

    do {
        uint8_t value[100];

        memset(value, puts, sizeof value);
        assert_int_equal(nkv_put(&rig->stores[0].store, nkv_text("key"),
                                 (struct nkv_span){value, sizeof value}),
                         NKV_OK);
        nkv_statistics(&rig->stores[0].store, &statistics);
        open_bytes = statistics.free_bytes -
                     statistics.erased_sectors * NKV_RIG_SECTOR_SIZE;
        puts++;
        assert_true(puts < 1000);
    } while (statistics.erased_sectors > 1 ||
             open_bytes >= NKV_RIG_SECTOR_SIZE / 4);
}

static void idle_polls_prepare_room_for_the_next_writes(void **state)
{
    struct nkv_rig *rig = *state;

    use_up_room(rig);
    assert_true(nkv_rig_poll(rig));
    nkv_rig_run(rig);
    assert_true(nkv_rig_statistics(rig, 0).store.erased_sectors > 1);
}

static void idle_work_waits_for_the_end_of_a_frame(void **state)
{
    static const uint8_t half[] = {0x7E, 0xA5, 0x03, 0x10};
    struct nkv_rig *rig = *state;
    uint64_t before;

    use_up_room(rig);
    before = rig->stores[0].flash.counts.operations;
    nkv_rig_send_bytes(rig, half, sizeof half);
    assert_true(nkv_rig_poll(rig));
    for (int i = 0; i < 50; i++) {
        rig->now_ms += 1;
        assert_false(nkv_rig_poll(rig));
    }
    assert_int_equal(rig->stores[0].flash.counts.operations, before);
    rig->now_ms += 100;
    nkv_rig_run(rig);
    assert_true(rig->stores[0].flash.counts.operations > before);
}

static bool not_quiet(void *context)
{
    (void)context;
    return false;
}

static bool quiet(void *context)
{
    (void)context;
    return true;
}

/* What has arrived may lie where the server cannot see it yet. */
static void
idle_work_waits_until_the_board_says_that_the_line_is_quiet(void **state)
{
    struct nkv_rig *rig = *state;
    uint64_t before;

    use_up_room(rig);
    before = rig->stores[0].flash.counts.operations;
    rig->config.stream.is_quiet = not_quiet;
    for (int i = 0; i < 50; i++) {
        rig->now_ms += 100;
        assert_false(nkv_rig_poll(rig));
    }
    assert_int_equal(rig->stores[0].flash.counts.operations, before);
    rig->config.stream.is_quiet = quiet;
    assert_true(nkv_rig_poll(rig));
    nkv_rig_run(rig);
    assert_true(rig->stores[0].flash.counts.operations > before);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, nkv_rig_set_up, nkv_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(statistics_are_the_stores),
        TEST(more_statistics_are_the_stores),
        TEST(lost_entries_are_in_the_statistics),
        TEST(a_store_without_room_says_so),
        TEST(statistics_of_an_unknown_store_name_the_reason),
        TEST(heavy_collection_leaves_nothing_stale),
        TEST(partial_collection_frees_some_or_finds_nothing),
        TEST(other_calls_go_on_beside_a_collection),
        TEST(a_long_collection_reports_from_time_to_time),
        TEST(a_second_long_operation_on_a_store_is_told_busy),
        TEST(a_cancelled_collection_stops_and_leaves_the_store_free),
        TEST(an_unknown_kind_or_store_is_refused),
        TEST(erase_all_needs_the_units_own_id),
        cmocka_unit_test(a_unit_without_id_cannot_be_erased),
        TEST(erase_all_empties_its_store_only),
        TEST(what_is_put_behind_an_erase_all_stays),
        TEST(erase_all_makes_a_foreign_flash_usable),
        TEST(a_failing_erase_is_reported),
        TEST(idle_polls_prepare_room_for_the_next_writes),
        TEST(idle_work_waits_for_the_end_of_a_frame),
        TEST(idle_work_waits_until_the_board_says_that_the_line_is_quiet),
    };

    return cmocka_run_group_tests_name("maintenance", tests, NULL, NULL);
}
