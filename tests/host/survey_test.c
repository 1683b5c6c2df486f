/* Sectors, checks and statistics, on lines that lose messages. */
#include "fake_device.h"
#include "real_device.h"
#include "test.h"
#include <norkv/ids.h>
#include <norkv/survey.h>
#include <stdio.h>
#include <stdlib.h>

enum { SECTORS = 160, SECTOR_SIZE = 4096, FINDINGS_MAX = 64 };

struct rig {
    struct nkv_bench bench;
    struct nkv_real_device device;
    struct nkv_client *client;
    /* What the callbacks got. */
    struct nkv_client_sector sectors[SECTORS];
    struct nkv_client_finding findings[FINDINGS_MAX];
    char keys[FINDINGS_MAX][NKV_KEY_SIZE_MAX + 1];
    uint32_t count;
    uint32_t stop_at;
    uint32_t progress;
    /* What a survey finds. */
    struct nkv_place places[FINDINGS_MAX];
    uint32_t place_count;
    uint32_t entries;
};

/* A device with keys in its first sectors. */
static struct rig *open_rig(uint64_t seed, const struct nkv_line_faults *faults)
{
    const struct nkv_client_options options = {
        .deadline_ms = 600000,
        .attempts = 8,
        .seed = (uint32_t)seed,
    };
    const struct nkv_device_options device = {
        .sector_size = SECTOR_SIZE,
        .sector_count = SECTORS,
        .packet_size = NKV_SERVER_PACKET_MIN,
    };
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    nkv_bench_init(&rig->bench, seed);
    nkv_real_device_init(&rig->device, &rig->bench, &device);
    rig->client = nkv_bench_open(&rig->bench, &options);
    for (unsigned i = 0; i < 60; i++) {
        char key[16];
        uint8_t value[200];
        memset(value, (int)i, sizeof(value));
        snprintf(key, sizeof(key), "key/%02u", i % 12);
        assert_done(rig->client,
                    nkv_client_put(rig->client, NULL, text_span(key),
                                   (struct nkv_span){value, sizeof(value)}));
    }
    if (faults != NULL)
        rig->bench.line.faults = *faults;
    return rig;
}

static void close_rig(struct rig *rig)
{
    nkv_client_free(&rig->client);
    nkv_real_device_free(&rig->device);
    nkv_bench_free(&rig->bench);
    free(rig);
}

static bool gather(void *context, const struct nkv_place *place)
{
    struct rig *rig = context;
    if (place->kind == NKV_PLACE_LIVE || place->kind == NKV_PLACE_TOMBSTONE)
        rig->entries++;
    else if (place->kind != NKV_PLACE_STALE && place->kind != NKV_PLACE_FREE)
        rig->places[rig->place_count++] = *place;
    assert_true(rig->place_count < FINDINGS_MAX);
    return true;
}

/* Damages entries, so that a check has something to find. */
static void damage(struct rig *rig)
{
    struct nkv_flash_sim *flash = &rig->device.parts[0].flash;
    for (uint32_t at = 40; at < 3 * SECTOR_SIZE; at += 500)
        nkv_flash_sim_poke(flash, at, (uint8_t)(flash->bytes[at] ^ 0x10));
    assert_int_equal(nkv_survey(&rig->device.parts[0].store, gather, rig),
                     NKV_OK);
    assert_true(rig->place_count > 8);
}

static bool take_finding(void *context,
                         const struct nkv_client_finding *finding)
{
    struct rig *rig = context;
    assert_true(rig->count < FINDINGS_MAX);
    rig->findings[rig->count] = *finding;
    if (finding->key.size > 0)
        memcpy(rig->keys[rig->count], finding->key.data, finding->key.size);
    rig->count++;
    return rig->count != rig->stop_at;
}

static void take_progress(void *context, uint32_t sectors, uint32_t total)
{
    struct rig *rig = context;
    assert_int_equal(total, SECTORS);
    assert_true(sectors >= rig->progress && sectors <= SECTORS);
    rig->progress = sectors;
}

static enum nkv_status check(struct rig *rig, struct nkv_client_check *check)
{
    *check = (struct nkv_client_check){
        .finding = take_finding,
        .progress = take_progress,
        .context = rig,
    };
    rig->count = 0;
    rig->progress = 0;
    return nkv_client_check(rig->client, NULL, check);
}

static void assert_finds_all(struct rig *rig)
{
    struct nkv_client_check result;
    assert_done(rig->client, check(rig, &result));
    assert_int_equal(rig->count, rig->place_count);
    assert_int_equal(result.findings, rig->place_count);
    assert_int_equal(result.entries, rig->entries);
    assert_int_equal(result.sector_count, SECTORS);
    assert_int_equal(rig->progress, SECTORS);
    for (uint32_t i = 0; i < rig->place_count; i++) {
        const struct nkv_place *place = &rig->places[i];
        assert_int_equal(rig->findings[i].sector, place->sector);
        assert_int_equal(rig->findings[i].offset, place->offset);
        assert_int_equal(rig->findings[i].size, place->size);
        assert_int_equal(rig->findings[i].kind == NKV_CLIENT_FINDING_TORN,
                         place->kind == NKV_PLACE_TORN);
        assert_int_equal(rig->findings[i].kind == NKV_CLIENT_FINDING_CORRUPT,
                         place->kind == NKV_PLACE_CORRUPT);
        assert_int_equal(rig->findings[i].intact_elsewhere,
                         place->intact_elsewhere);
        assert_int_equal(rig->findings[i].key.size, place->key_size);
        assert_memory_equal(rig->keys[i], place->key, place->key_size);
    }
}

static bool take_sector(void *context, const struct nkv_client_sector *sector)
{
    struct rig *rig = context;
    assert_int_equal(sector->number, rig->count);
    rig->sectors[rig->count++] = *sector;
    return rig->count != rig->stop_at;
}

static enum nkv_status list(struct rig *rig, struct nkv_client_sectors *sectors)
{
    *sectors = (struct nkv_client_sectors){
        .sector = take_sector,
        .context = rig,
    };
    rig->count = 0;
    return nkv_client_sectors(rig->client, NULL, sectors);
}

static void assert_lists_all(struct rig *rig)
{
    struct nkv_client_sectors sectors;
    assert_done(rig->client, list(rig, &sectors));
    assert_int_equal(rig->count, SECTORS);
    assert_int_equal(sectors.sector_count, SECTORS);
    assert_int_equal(sectors.sector_size, SECTOR_SIZE);
    for (uint32_t i = 0; i < SECTORS; i++) {
        struct nkv_sector_report report;
        assert_int_equal(
            nkv_report_sector(&rig->device.parts[0].store, i, &report), NKV_OK);
        assert_int_equal(rig->sectors[i].used_bytes, report.used_bytes);
        assert_int_equal(rig->sectors[i].live_bytes, report.live_bytes);
        assert_int_equal(rig->sectors[i].erases, report.erases);
        assert_int_equal(rig->sectors[i].age, report.age);
        assert_int_equal(rig->sectors[i].state == NKV_CLIENT_SECTOR_ERASED,
                         report.condition == NKV_SECTOR_IS_ERASED);
        assert_int_equal(rig->sectors[i].state == NKV_CLIENT_SECTOR_OPEN,
                         report.condition == NKV_SECTOR_IS_OPEN);
    }
}

/* ---- Tests ------------------------------------------------------------ */

static void a_clean_line_brings_all_sectors_and_findings(void **state)
{
    (void)state;
    struct rig *rig = open_rig(1, NULL);
    assert_lists_all(rig);
    damage(rig);
    assert_finds_all(rig);
    close_rig(rig);
}

static void a_bad_line_brings_each_finding_once(void **state)
{
    (void)state;
    const struct nkv_line_faults faults = {
        .drop = 300,
        .flip = 300,
        .double_byte = 100,
        .lose_write = 50000,
        .double_write = 50000,
        .delay = 50000,
        .delay_max_ms = 1000,
        .split = true,
    };
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct rig *rig = open_rig(seed, &faults);
        assert_lists_all(rig);
        damage(rig);
        assert_finds_all(rig);
        close_rig(rig);
    }
}

/* Message after message, until none of a run was lost. */
static void any_message_may_get_lost(void **state)
{
    (void)state;
    struct rig *rig = open_rig(3, NULL);
    damage(rig);
    uint32_t at = 1;
    do {
        rig->device.lose_at_frame = rig->device.frames_sent + at;
        assert_lists_all(rig);
        assert_finds_all(rig);
        at++;
    } while (rig->device.lose_at_frame == 0);
    assert_true(at > 20);
    close_rig(rig);
}

static void any_message_of_the_client_may_get_lost(void **state)
{
    const struct nkv_line_faults loss = {.lose_write = 1000000};
    (void)state;
    struct rig *rig = open_rig(3, NULL);
    damage(rig);
    unsigned lost = 0;
    for (unsigned at = 1; at <= rig->bench.writes; at++) {
        nkv_bench_arm(&rig->bench, &loss, at);
        assert_lists_all(rig);
        assert_finds_all(rig);
        lost += rig->bench.writes >= at;
    }
    assert_true(lost >= 2);
    assert_int_equal(rig->bench.line.counts.writes_lost, lost);
    close_rig(rig);
}

/* What was found stands in the order of the flash, each thing once. */
static void assert_found_once(const struct rig *rig)
{
    for (uint32_t i = 1; i < rig->count; i++) {
        const struct nkv_client_finding *before = &rig->findings[i - 1];
        const struct nkv_client_finding *finding = &rig->findings[i];
        assert_true(finding->sector > before->sector ||
                    (finding->sector == before->sector &&
                     finding->offset > before->offset));
    }
}

static void a_device_may_restart_at_any_message_of_a_list(void **state)
{
    (void)state;
    struct rig *rig = open_rig(4, NULL);
    struct nkv_client_sectors sectors;
    unsigned restarts = 0;
    for (unsigned boots = 0; boots != rig->device.boots; restarts++) {
        boots = rig->device.boots;
        rig->device.restart_at_frame = rig->device.frames_sent + restarts + 1;
        assert_done(rig->client, list(rig, &sectors));
        assert_int_equal(rig->count, SECTORS);
    }
    assert_true(restarts > 5);
    close_rig(rig);
}

/* The device repairs what is damaged when it starts: no more is found then. */
static void a_device_may_restart_at_any_message_of_a_check(void **state)
{
    (void)state;
    bool restarted = true;
    uint32_t at = 1;
    while (restarted) {
        struct nkv_client_check result;
        struct rig *rig = open_rig(4, NULL);
        damage(rig);
        rig->device.restart_at_frame = rig->device.frames_sent + at;
        assert_done(rig->client, check(rig, &result));
        restarted = rig->device.boots > 1;
        assert_int_equal(result.findings, rig->count);
        assert_found_once(rig);
        /* Message 1 tells how many sectors there are, the last two end it. */
        assert_int_equal(rig->count, at < 2 ? 0
                                     : at - 2 < rig->place_count
                                         ? at - 2
                                         : rig->place_count);
        assert_int_equal(result.sector_count, SECTORS);
        close_rig(rig);
        at++;
    }
    assert_true(at > 8);
}

static enum nkv_status list_and_check(struct rig *rig)
{
    struct nkv_client_check result;
    struct nkv_client_sectors sectors;
    enum nkv_status status = list(rig, &sectors);
    return status == NKV_OK ? check(rig, &result) : status;
}

static void a_host_may_go_at_any_message(void **state)
{
    (void)state;
    struct rig *rig = open_rig(8, NULL);
    damage(rig);
    rig->bench.line.speed.latency_ms = 1;
    uint32_t at = 1;
    for (enum nkv_status status = NKV_UNAVAILABLE; status != NKV_OK; at++) {
        rig->device.cut_at_frame = rig->device.frames_sent + at;
        status = list_and_check(rig);
        assert_true(status == NKV_OK || status == NKV_UNAVAILABLE);
        nkv_client_free(&rig->client);
        rig->device.cut_at_frame = 0;
        rig->bench.cut_at_ms = 0;
        rig->client = nkv_bench_open(&rig->bench, NULL);
        assert_lists_all(rig);
        assert_finds_all(rig);
        assert_false(nkv_rpc_is_running(&rig->device.server.rpc));
    }
    assert_true(at > 20);
    close_rig(rig);
}

static void a_callback_that_has_enough_ends_the_call(void **state)
{
    (void)state;
    struct nkv_client_check result;
    struct nkv_client_sectors sectors;
    struct rig *rig = open_rig(5, NULL);
    damage(rig);
    rig->stop_at = 3;
    assert_int_equal(check(rig, &result), NKV_CANCELLED);
    assert_int_equal(rig->count, 3);
    assert_int_equal(list(rig, &sectors), NKV_CANCELLED);
    assert_int_equal(rig->count, 3);
    rig->stop_at = 0;
    assert_lists_all(rig);
    assert_finds_all(rig);
    close_rig(rig);
}

static void a_store_that_is_none_is_told(void **state)
{
    (void)state;
    const struct nkv_call_options call = {.store = 7};
    struct rig *rig = open_rig(6, NULL);
    struct nkv_client_check result = {.finding = take_finding};
    struct nkv_client_sectors sectors = {.sector = take_sector};
    assert_int_equal(nkv_client_check(rig->client, &call, &result),
                     NKV_INVALID_ARGUMENT);
    assert_int_equal(nkv_client_sectors(rig->client, &call, &sectors),
                     NKV_INVALID_ARGUMENT);
    close_rig(rig);
}

static void statistics_tell_room_work_and_calls(void **state)
{
    (void)state;
    struct rig *rig = open_rig(7, NULL);
    struct nkv_client_statistics got;
    struct nkv_statistics store;
    assert_done(rig->client, nkv_client_statistics(rig->client, NULL, &got));
    nkv_statistics(&rig->device.parts[0].store, &store);
    assert_int_equal(got.keys, 12);
    assert_int_equal(got.reserved_bytes, SECTOR_SIZE);
    assert_true(got.has_room);
    assert_int_equal(
        got.value_room,
        nkv_value_size_free(&rig->device.parts[0].store, NKV_KEY_SIZE_MAX));
    assert_int_equal(got.steps, store.steps);
    assert_int_equal(got.longest_write_steps, store.longest_write_steps);
    assert_int_equal(got.entries_lost, 0);
    assert_int_equal(got.stray_frames, 0);
    assert_int_equal(got.calls_refused, 0);
    close_rig(rig);
}

/* A device that streams one message of nonsense. */
static void answer_nonsense(struct nkv_fake_device *device,
                            const struct nkv_packet *request)
{
    const struct nkv_span *payload = device->context;
    if (request->type != NKV_PACKET_REQUEST)
        return;
    nkv_fake_device_reply_bytes(device, request, NKV_PACKET_SERVER_STREAM,
                                NKV_OK, *payload);
}

static void nonsense_ends_the_call(void **state)
{
    (void)state;
    /* No message; more sectors done than there are; done too early; a sector
     * out of order, or beyond the last. */
    static const uint8_t none[] = {0x0A, 0x05};
    static const uint8_t beyond[] = {0x08, 9, 0x10, 8};
    static const uint8_t early[] = {0x08, 7, 0x10, 8, 0x20, 1};
    static const uint8_t order[] = {0x0A, 2, 0x08, 1, 0x18, 8};
    static const uint8_t last[] = {0x0A, 0, 0x18, 0};
    static const uint8_t empty[] = {0x18, 8, 0x20, 1};
    const struct nkv_span checks[] = {
        {none, sizeof(none)}, {beyond, sizeof(beyond)}, {early, sizeof(early)}};
    const struct nkv_span lists[] = {{none, sizeof(none)},
                                     {order, sizeof(order)},
                                     {last, sizeof(last)},
                                     {empty, sizeof(empty)}};
    struct nkv_bench bench;
    struct nkv_fake_device device;
    struct nkv_client *client;
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    nkv_bench_init(&bench, 1);
    nkv_fake_device_init(&device, &bench);
    device.answer = answer_nonsense;
    client = nkv_bench_open(&bench, NULL);
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        struct nkv_client_check result = {.finding = take_finding,
                                          .context = rig};
        struct nkv_span payload = checks[i];
        device.context = &payload;
        assert_int_equal(nkv_client_check(client, NULL, &result),
                         NKV_DATA_LOSS);
    }
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct nkv_client_sectors result = {.sector = take_sector,
                                            .context = rig};
        struct nkv_span payload = lists[i];
        rig->count = 0;
        device.context = &payload;
        assert_int_equal(nkv_client_sectors(client, NULL, &result),
                         NKV_DATA_LOSS);
    }
    nkv_client_free(&client);
    nkv_bench_free(&bench);
    free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_line_brings_all_sectors_and_findings),
        cmocka_unit_test(a_bad_line_brings_each_finding_once),
        cmocka_unit_test(any_message_may_get_lost),
        cmocka_unit_test(any_message_of_the_client_may_get_lost),
        cmocka_unit_test(a_device_may_restart_at_any_message_of_a_list),
        cmocka_unit_test(a_device_may_restart_at_any_message_of_a_check),
        cmocka_unit_test(a_host_may_go_at_any_message),
        cmocka_unit_test(a_callback_that_has_enough_ends_the_call),
        cmocka_unit_test(a_store_that_is_none_is_told),
        cmocka_unit_test(statistics_tell_room_work_and_calls),
        cmocka_unit_test(nonsense_ends_the_call),
    };
    return cmocka_run_group_tests_name("survey", tests, NULL, NULL);
}
