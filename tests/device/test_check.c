/* Maintenance.Sectors and Maintenance.Check. */
#include "messages.h"
#include "pb_io.h"

#include <norkv/survey.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <pb_decode.h>

enum { FINDINGS_MAX = 64, SECTORS_MAX = 32 };

struct finding {
    norkv_v1_FindingKind kind;
    uint32_t sector;
    uint32_t offset;
    uint32_t size;
    bool intact_elsewhere;
    uint8_t key[NKV_KEY_SIZE_MAX];
    size_t key_size;
};

/* What came of a check. */
struct check {
    struct finding findings[FINDINGS_MAX];
    size_t count;
    size_t messages;
    norkv_v1_CheckResponse last;
    bool ended;
    enum nkv_status status;
};

/* Sectors and Check take the same two numbers. */
static uint32_t start(struct nkv_rig *rig, uint32_t method, uint32_t store,
                      uint32_t first)
{
    norkv_v1_CheckRequest request = {.store = store, .first = first};
    uint8_t bytes[16];
    struct nkv_span payload = {NULL, 0};

    assert_true(nkv_pb_encode((struct nkv_buffer){bytes, sizeof bytes},
                              norkv_v1_CheckRequest_fields, &request,
                              &payload));
    return nkv_rig_request(rig, NKV_SERVICE_MAINTENANCE, method, payload);
}

static void take_finding(struct check *check, const norkv_v1_Finding *from,
                         struct nkv_span key)
{
    struct finding *to = &check->findings[check->count++];

    assert_true(check->count < FINDINGS_MAX);
    assert_true(key.size <= sizeof to->key);
    *to = (struct finding){
        .kind = from->kind,
        .sector = from->sector,
        .offset = from->offset,
        .size = from->size,
        .intact_elsewhere = from->intact_elsewhere,
        .key_size = key.size,
    };
    if (key.size > 0) {
        memcpy(to->key, key.data, key.size);
    }
    assert_int_equal(from->sector, from->offset / NKV_RIG_SECTOR_SIZE);
    assert_int_equal(check->last.sectors_checked, from->sector);
}

static void take_message(struct check *check, struct nkv_span payload)
{
    struct nkv_span key = {NULL, 0};

    check->last = (norkv_v1_CheckResponse)norkv_v1_CheckResponse_init_zero;
    nkv_pb_take(&check->last.finding.key, &key);
    assert_true(
        nkv_pb_decode(payload, norkv_v1_CheckResponse_fields, &check->last));
    assert_int_equal(check->last.index, check->messages++);
    if (check->last.has_finding) {
        take_finding(check, &check->last.finding, key);
    }
}

/* Adds what the last poll sent for a check. */
static void watch(const struct nkv_rig *rig, uint32_t call_id,
                  struct check *check)
{
    for (size_t i = 0; i < rig->frame_count; i++) {
        struct nkv_packet packet = nkv_rig_packet(rig, i);

        if (packet.call_id != call_id) {
            continue;
        }
        assert_false(check->ended);
        if (packet.type == NKV_PACKET_SERVER_STREAM) {
            take_message(check, packet.payload);
        } else {
            assert_int_equal(packet.type, NKV_PACKET_RESPONSE);
            assert_int_equal(packet.payload.size, 0);
            check->ended = true;
            check->status = (enum nkv_status)packet.status;
        }
    }
}

static struct check run_check(struct nkv_rig *rig, uint32_t store,
                              uint32_t first)
{
    struct check check = {.count = 0};
    uint32_t id = start(rig, NKV_METHOD_MAINTENANCE_CHECK, store, first);

    nkv_rig_run(rig);
    watch(rig, id, &check);
    assert_true(check.ended);
    return check;
}

/* Fills some sectors, with keys k0 to k9 rewritten again and again. */
static void fill(struct nkv_rig *rig, int puts)
{
    static char value[201];

    memset(value, 'v', sizeof value - 1);
    for (int i = 0; i < puts; i++) {
        char key[] = {'k', (char)('0' + i % 10), '\0'};

        value[0] = (char)('a' + i % 26);
        nkv_rig_put(rig, key, value);
    }
}

struct places {
    struct nkv_place list[FINDINGS_MAX];
    size_t count;
    uint32_t entries;
};

static bool gather(void *context, const struct nkv_place *place)
{
    struct places *places = context;

    if (place->kind == NKV_PLACE_LIVE || place->kind == NKV_PLACE_TOMBSTONE) {
        places->entries++;
    } else if (place->kind != NKV_PLACE_STALE &&
               place->kind != NKV_PLACE_FREE) {
        assert_true(places->count < FINDINGS_MAX);
        places->list[places->count++] = *place;
    }
    return true;
}

/* Damages each second entry of the sectors that are in use; returns how many
 * places a survey finds. */
static struct places damage(struct nkv_rig *rig)
{
    struct nkv_flash_sim *flash = &rig->stores[0].flash;
    struct places places = {.count = 0};

    /* An entry of fill takes 224 bytes; the padding does not matter. */
    for (uint32_t at = 32; at < 2 * NKV_RIG_SECTOR_SIZE; at += 2 * 224) {
        nkv_flash_sim_poke(flash, at, (uint8_t)(flash->bytes[at] ^ 0x01));
    }
    assert_int_equal(nkv_survey(&rig->stores[0].store, gather, &places),
                     NKV_OK);
    return places;
}

static void an_intact_store_has_no_findings(void **state)
{
    struct nkv_rig *rig = *state;
    struct check check;

    fill(rig, 60);
    nkv_rig_delete(rig, "k3");
    check = run_check(rig, 0, 0);
    assert_int_equal(check.status, NKV_OK);
    assert_int_equal(check.count, 0);
    assert_true(check.last.done);
    assert_int_equal(check.last.sectors_checked, NKV_RIG_SECTORS);
    assert_int_equal(check.last.sector_count, NKV_RIG_SECTORS);
    /* Nine values and a tombstone. */
    assert_int_equal(check.last.entries, 10);
}

static void each_finding_of_the_survey_comes_once_and_in_order(void **state)
{
    struct nkv_rig *rig = *state;
    struct places places;
    struct check check;

    fill(rig, 60);
    places = damage(rig);
    assert_true(places.count > 2 * NKV_SERVER_FINDINGS_MAX + 1);
    check = run_check(rig, 0, 0);
    assert_int_equal(check.status, NKV_OK);
    assert_int_equal(check.count, places.count);
    assert_int_equal(check.last.entries, places.entries);
    for (size_t i = 0; i < places.count; i++) {
        assert_int_equal(check.findings[i].offset, places.list[i].offset);
        assert_int_equal(check.findings[i].size, places.list[i].size);
        assert_int_equal(check.findings[i].kind,
                         places.list[i].kind == NKV_PLACE_TORN
                             ? norkv_v1_FindingKind_FINDING_TORN
                             : norkv_v1_FindingKind_FINDING_CORRUPT);
        assert_int_equal(check.findings[i].intact_elsewhere,
                         places.list[i].intact_elsewhere);
        assert_int_equal(check.findings[i].key_size, places.list[i].key_size);
        assert_memory_equal(check.findings[i].key, places.list[i].key,
                            places.list[i].key_size);
    }
}

static void a_check_begins_where_it_is_told_to(void **state)
{
    struct nkv_rig *rig = *state;
    struct places places;
    struct check check;
    size_t before = 0;

    fill(rig, 60);
    places = damage(rig);
    while (places.list[before].sector == 0) {
        before++;
    }
    check = run_check(rig, 0, 1);
    assert_int_equal(check.status, NKV_OK);
    assert_int_equal(check.count, places.count - before);
    assert_int_equal(check.findings[0].offset, places.list[before].offset);
    check = run_check(rig, 0, NKV_RIG_SECTORS);
    assert_int_equal(check.status, NKV_OK);
    assert_int_equal(check.messages, 1);
    assert_true(check.last.done);
}

static void a_turn_reads_one_sector_at_most_and_writes_nothing(void **state)
{
    struct nkv_rig *rig = *state;
    struct check check = {.count = 0};
    uint64_t operations;
    uint64_t most;
    uint32_t id;

    fill(rig, 60);
    (void)damage(rig);
    most = rig->stores[0].flash.counts.read_bytes;
    assert_int_equal(nkv_survey_sector(&rig->stores[0].store, 0, gather,
                                       &(struct places){.count = 0}),
                     NKV_OK);
    most = rig->stores[0].flash.counts.read_bytes - most;
    operations = rig->stores[0].flash.counts.operations;
    id = start(rig, NKV_METHOD_MAINTENANCE_CHECK, 0, 0);
    while (!check.ended) {
        uint64_t before = rig->stores[0].flash.counts.read_bytes;

        assert_true(nkv_rig_poll(rig));
        assert_true(rig->stores[0].flash.counts.read_bytes - before <= most);
        watch(rig, id, &check);
    }
    assert_int_equal(rig->stores[0].flash.counts.operations, operations);
    assert_true(check.count > 0);
}

static void a_long_check_reports_from_time_to_time(void **state)
{
    struct nkv_rig *rig = *state;
    struct check check = {.count = 0};
    uint32_t id = start(rig, NKV_METHOD_MAINTENANCE_CHECK, 0, 0);

    while (!check.ended) {
        assert_true(nkv_rig_poll(rig));
        watch(rig, id, &check);
        rig->now_ms += 150;
    }
    /* Each sector takes two turns. */
    assert_true(check.messages >= NKV_RIG_SECTORS);
}

static void other_calls_go_on_beside_a_check(void **state)
{
    struct nkv_rig *rig = *state;
    struct check check = {.count = 0};
    uint32_t id;
    size_t others = 0;

    fill(rig, 60);
    id = start(rig, NKV_METHOD_MAINTENANCE_CHECK, 0, 0);
    while (!check.ended) {
        static const uint8_t payload[] = {0x12, 2, 'k', '0'};
        uint32_t get_id =
            nkv_rig_request(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_GET,
                            (struct nkv_span){payload, sizeof payload});

        assert_true(nkv_rig_poll(rig));
        watch(rig, id, &check);
        for (size_t i = 0; i < rig->frame_count; i++) {
            struct nkv_packet packet = nkv_rig_packet(rig, i);

            others += packet.call_id == get_id && packet.status == NKV_OK;
        }
    }
    assert_int_equal(check.status, NKV_OK);
    assert_true(others >= NKV_RIG_SECTORS);
}

static void a_cancelled_check_stops(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t call_id = start(rig, NKV_METHOD_MAINTENANCE_CHECK, 0, 0);

    assert_true(nkv_rig_poll(rig));
    nkv_rig_cancel(rig, NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_CHECK,
                   call_id);
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 0);
    assert_int_equal(run_check(rig, 0, 0).status, NKV_OK);
}

static void cancelled_sectors_stop(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t call_id;

    /* A packet takes but a few of them. */
    assert_int_equal(nkv_rig_open(rig, 1, NKV_SERVER_PACKET_MIN).status,
                     NKV_OK);
    call_id = start(rig, NKV_METHOD_MAINTENANCE_SECTORS, 0, 0);
    assert_true(nkv_rig_poll(rig));
    assert_true(rig->frame_count > 0);
    nkv_rig_cancel(rig, NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_SECTORS,
                   call_id);
    (void)nkv_rig_poll(rig);
    assert_false(nkv_rpc_is_running(&rig->server.rpc));
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 0);
}

static void a_check_of_a_failing_flash_says_so(void **state)
{
    struct nkv_rig *rig = *state;
    struct check check;

    nkv_flash_sim_add_fault(&rig->stores[0].flash,
                            (struct nkv_sim_fault){NKV_SIM_FAULT_READ,
                                                   NKV_RIG_SECTOR_SIZE, 16,
                                                   .status = NKV_UNAVAILABLE});
    check = run_check(rig, 0, 0);
    assert_int_equal(check.status, NKV_INTERNAL);
    assert_false(check.last.done);
}

static void a_wrong_store_or_sector_is_refused(void **state)
{
    static const uint32_t methods[] = {NKV_METHOD_MAINTENANCE_SECTORS,
                                       NKV_METHOD_MAINTENANCE_CHECK};
    struct nkv_rig *rig = *state;

    for (size_t i = 0; i < 2; i++) {
        norkv_v1_SectorsResponse sectors = norkv_v1_SectorsResponse_init_zero;
        norkv_v1_CheckResponse check = norkv_v1_CheckResponse_init_zero;
        struct nkv_packet packet;

        (void)start(rig, methods[i], 9, 0);
        nkv_rig_run(rig);
        assert_int_equal(rig->frame_count, 2);
        packet = nkv_rig_packet(rig, 0);
        if (methods[i] == NKV_METHOD_MAINTENANCE_CHECK) {
            assert_true(nkv_pb_decode(packet.payload,
                                      norkv_v1_CheckResponse_fields, &check));
        } else {
            assert_true(nkv_pb_decode(
                packet.payload, norkv_v1_SectorsResponse_fields, &sectors));
            check.reason = sectors.reason;
        }
        assert_int_equal(check.reason, norkv_v1_Reason_REASON_NO_SUCH_STORE);
        assert_int_equal(nkv_rig_packet(rig, 1).status, NKV_INVALID_ARGUMENT);

        (void)start(rig, methods[i], 0, NKV_RIG_SECTORS + 1);
        nkv_rig_run(rig);
        assert_int_equal(nkv_rig_packet(rig, 1).status, NKV_OUT_OF_RANGE);
    }
}

/* ---- Sectors ---------------------------------------------------------- */

struct sectors {
    norkv_v1_SectorInfo list[SECTORS_MAX];
    size_t count;
    size_t messages;
    norkv_v1_SectorsResponse last;
};

static bool take_sector(pb_istream_t *stream, const pb_field_t *field,
                        void **arg)
{
    struct sectors *sectors = *arg;
    norkv_v1_SectorInfo *to = &sectors->list[sectors->count++];

    (void)field;
    assert_true(sectors->count <= SECTORS_MAX);
    *to = (norkv_v1_SectorInfo)norkv_v1_SectorInfo_init_zero;
    return pb_decode(stream, norkv_v1_SectorInfo_fields, to);
}

static struct sectors run_sectors(struct nkv_rig *rig, uint32_t first)
{
    struct sectors sectors = {.count = 0};

    (void)start(rig, NKV_METHOD_MAINTENANCE_SECTORS, 0, first);
    nkv_rig_run(rig);
    assert_int_equal(nkv_rig_packet(rig, rig->frame_count - 1).type,
                     NKV_PACKET_RESPONSE);
    assert_int_equal(nkv_rig_packet(rig, rig->frame_count - 1).status, NKV_OK);
    for (size_t i = 0; i + 1 < rig->frame_count; i++) {
        assert_false(sectors.last.done);
        sectors.last =
            (norkv_v1_SectorsResponse)norkv_v1_SectorsResponse_init_zero;
        sectors.last.sectors.funcs.decode = take_sector;
        sectors.last.sectors.arg = &sectors;
        assert_true(nkv_pb_decode(nkv_rig_packet(rig, i).payload,
                                  norkv_v1_SectorsResponse_fields,
                                  &sectors.last));
        assert_int_equal(sectors.last.index, sectors.messages++);
        assert_int_equal(sectors.last.sector_size, NKV_RIG_SECTOR_SIZE);
        assert_int_equal(sectors.last.sector_count,
                         rig->stores[0].flash.flash.sector_count);
    }
    assert_true(sectors.last.done);
    return sectors;
}

static void sectors_are_the_stores(void **state)
{
    struct nkv_rig *rig = *state;
    struct sectors sectors;

    fill(rig, 150);
    sectors = run_sectors(rig, 0);
    assert_int_equal(sectors.count, NKV_RIG_SECTORS);
    for (uint32_t i = 0; i < NKV_RIG_SECTORS; i++) {
        struct nkv_sector_report expected;

        assert_int_equal(nkv_report_sector(&rig->stores[0].store, i, &expected),
                         NKV_OK);
        assert_int_equal(sectors.list[i].number, i);
        assert_int_equal(sectors.list[i].used_bytes, expected.used_bytes);
        assert_int_equal(sectors.list[i].live_bytes, expected.live_bytes);
        assert_int_equal(sectors.list[i].erases, expected.erases);
        assert_int_equal(sectors.list[i].age, expected.age);
        assert_int_equal(sectors.list[i].state == 0,
                         expected.condition == NKV_SECTOR_IS_ERASED);
        assert_int_equal(sectors.list[i].state ==
                             norkv_v1_SectorState_SECTOR_OPEN,
                         expected.condition == NKV_SECTOR_IS_OPEN);
        assert_int_equal(sectors.list[i].state ==
                             norkv_v1_SectorState_SECTOR_FULL,
                         expected.condition == NKV_SECTOR_IS_FULL);
    }
    assert_int_not_equal(sectors.list[0].state,
                         norkv_v1_SectorState_SECTOR_ERASED);
    assert_int_equal(run_sectors(rig, 3).list[0].number, 3);
    assert_int_equal(run_sectors(rig, NKV_RIG_SECTORS).count, 0);
}

static void sectors_and_findings_fit_the_smallest_packets(void **state)
{
    const struct nkv_rig_options options = {.max_packet = NKV_SERVER_PACKET_MIN,
                                            .sectors = SECTORS_MAX};
    struct nkv_rig rig;
    struct sectors sectors;
    struct places places;

    (void)state;
    nkv_rig_init(&rig, &options);
    fill(&rig, 60);
    sectors = run_sectors(&rig, 0);
    assert_int_equal(sectors.count, SECTORS_MAX);
    assert_true(sectors.messages > 1);
    places = damage(&rig);
    assert_int_equal(run_check(&rig, 0, 0).count, places.count);
    nkv_rig_free(&rig);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, nkv_rig_set_up, nkv_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_intact_store_has_no_findings),
        TEST(each_finding_of_the_survey_comes_once_and_in_order),
        TEST(a_check_begins_where_it_is_told_to),
        TEST(a_turn_reads_one_sector_at_most_and_writes_nothing),
        TEST(a_long_check_reports_from_time_to_time),
        TEST(other_calls_go_on_beside_a_check),
        TEST(a_cancelled_check_stops),
        TEST(cancelled_sectors_stop),
        TEST(a_check_of_a_failing_flash_says_so),
        TEST(a_wrong_store_or_sector_is_refused),
        TEST(sectors_are_the_stores),
        TEST(sectors_and_findings_fit_the_smallest_packets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
