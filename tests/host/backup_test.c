/* Backup and digest: each record once, whatever the line and the device do, and
 * as fast as the line is. */
#include "random.h"
#include "real_device.h"
#include "test.h"
#include <norkv/record.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEYS_MAX = 600, KEYS = 100, VALUE_MAX = 1800 };

struct rig {
    struct nkv_bench bench;
    struct nkv_real_device device;
    struct nkv_client *client;
    size_t keys;
    /* How often each key came. */
    unsigned came[KEYS_MAX];
    size_t count;
    size_t nameless;
    size_t stop_at;
    struct nkv_digest digest;
    /* For hooks: how often something was done, and whether it was. */
    uint32_t writes;
    bool happened;
};

static struct nkv_span key_of(size_t number, char text[16])
{
    snprintf(text, 16, "key/%08zu", number);
    return (struct nkv_span){(const uint8_t *)text, 12};
}

/* Values of 32 bytes but for some: empty ones, and large ones. */
static size_t size_of(size_t number)
{
    static const size_t sizes[] = {32, 0, 700, 32, 300, 1, 32, 1800, 60, 32};
    return sizes[number % (sizeof(sizes) / sizeof(sizes[0]))];
}

static struct nkv_span value_of(size_t number, size_t size,
                                uint8_t bytes[VALUE_MAX])
{
    uint64_t random = number;
    nkv_random_fill(&random, bytes, size);
    return (struct nkv_span){bytes, size};
}

static void put(struct rig *rig, size_t number, size_t size)
{
    char text[16];
    uint8_t bytes[VALUE_MAX];
    assert_int_equal(nkv_put(&rig->device.parts[0].store, key_of(number, text),
                             value_of(number, size, bytes)),
                     NKV_OK);
}

struct rig_options {
    uint64_t seed;
    struct nkv_line_speed speed;
    uint32_t max_packet;
    /* 0: KEYS of the sizes of size_of. */
    size_t small_keys;
};

static struct rig *open_rig(const struct rig_options *options)
{
    struct nkv_device_options device = {.sector_size = 8192,
                                        .sector_count = 16,
                                        .max_keys = KEYS_MAX + 50,
                                        .packet_size = NKV_DEVICE_PACKET_MAX};
    struct nkv_client_options client = {
        .deadline_ms = 600000,
        .attempts = 8,
        .latency_ms = options->speed.latency_ms,
        .max_packet = options->max_packet,
    };
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    nkv_bench_init(&rig->bench, options->seed + 1);
    rig->bench.line.speed = options->speed;
    nkv_real_device_init(&rig->device, &rig->bench, &device);
    rig->keys = options->small_keys > 0 ? options->small_keys : KEYS;
    for (size_t i = 0; i < rig->keys; i++)
        put(rig, i, options->small_keys > 0 ? 32 : size_of(i));
    rig->device.hook_context = rig;
    rig->client = nkv_bench_open(&rig->bench, &client);
    return rig;
}

static void close_rig(struct rig *rig)
{
    nkv_client_free(&rig->client);
    nkv_real_device_free(&rig->device);
    nkv_bench_free(&rig->bench);
    free(rig);
}

static bool take_record(void *context, const struct nkv_client_record *record)
{
    struct rig *rig = context;
    uint8_t bytes[VALUE_MAX];
    char text[16] = "";
    size_t number;
    rig->count++;
    if (record->key.size == 0) {
        assert_int_equal(record->status, NKV_DATA_LOSS);
        rig->nameless++;
        return true;
    }
    memcpy(text, record->key.data, record->key.size);
    assert_int_equal(sscanf(text, "key/%zu", &number), 1);
    assert_true(number < KEYS_MAX);
    rig->came[number]++;
    if (record->status == NKV_OK) {
        assert_int_equal(record->value_size, record->value.size);
        value_of(number, record->value.size, bytes);
        if (record->value.size > 0)
            assert_memory_equal(record->value.data, bytes, record->value.size);
        nkv_digest_add(&rig->digest, record->key, record->value);
    }
    return rig->stop_at == 0 || rig->count < rig->stop_at;
}

static struct nkv_client_backup backup_of(struct rig *rig)
{
    memset(rig->came, 0, sizeof(rig->came));
    rig->count = 0;
    rig->nameless = 0;
    rig->digest = (struct nkv_digest){0};
    return (struct nkv_client_backup){.record = take_record, .context = rig};
}

static void expect_each_once(const struct rig *rig)
{
    for (size_t i = 0; i < rig->keys; i++) {
        if (rig->came[i] != 1)
            fail_msg("key %zu came %u times", i, rig->came[i]);
    }
    assert_int_equal(rig->count, rig->keys + rig->nameless);
}

/* A backup whose digest is the device's. */
static void back_up(struct rig *rig)
{
    struct nkv_client_backup backup = backup_of(rig);
    struct nkv_client_digest digest;
    assert_done(rig->client, nkv_client_backup(rig->client, NULL, &backup));
    expect_each_once(rig);
    assert_int_equal(backup.damaged, 0);
    assert_done(rig->client, nkv_client_digest(rig->client, NULL, text_span(""),
                                               &digest, NULL));
    assert_int_equal(digest.records, rig->keys);
    assert_int_equal(digest.bytes, rig->digest.bytes);
    assert_true(digest.digest == rig->digest.sum);
    assert_int_equal(digest.damaged, 0);
}

static void every_record_comes_once_in_packets_of_any_size(void **state)
{
    static const uint32_t sizes[] = {512, 700, 1024, 2000, 4096};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct rig *rig =
            open_rig(&(struct rig_options){.max_packet = sizes[i]});
        struct nkv_client_counters counters;
        back_up(rig);
        nkv_client_get_counters(rig->client, &counters);
        assert_int_equal(counters.retries, 0);
        assert_int_equal(counters.late_answers, 0);
        close_rig(rig);
    }
}

static void only_the_prefix_comes(void **state)
{
    (void)state;
    struct rig *rig = open_rig(&(struct rig_options){0});
    struct nkv_client_backup backup = backup_of(rig);
    struct nkv_client_digest digest;
    backup.prefix = text_span("key/0000001");
    assert_done(rig->client, nkv_client_backup(rig->client, NULL, &backup));
    assert_int_equal(rig->count, 10);
    assert_done(rig->client, nkv_client_digest(rig->client, NULL, backup.prefix,
                                               &digest, NULL));
    assert_true(digest.digest == rig->digest.sum);
    assert_int_equal(digest.records, 10);
    backup = backup_of(rig);
    assert_done(rig->client,
                nkv_client_backup(rig->client,
                                  &(struct nkv_call_options){.store = 1},
                                  &backup));
    assert_int_equal(rig->count, 0);
    assert_int_equal(nkv_client_digest(rig->client,
                                       &(struct nkv_call_options){.store = 7},
                                       text_span(""), &digest, NULL),
                     NKV_INVALID_ARGUMENT);
    assert_int_equal(nkv_client_reason(rig->client), NKV_REASON_NO_SUCH_STORE);
    close_rig(rig);
}

static void a_backup_can_be_stopped(void **state)
{
    (void)state;
    struct rig *rig = open_rig(&(struct rig_options){.max_packet = 512});
    for (size_t stop = 1; stop <= KEYS; stop += 9) {
        struct nkv_client_backup backup = backup_of(rig);
        rig->stop_at = stop;
        assert_int_equal(nkv_client_backup(rig->client, NULL, &backup),
                         NKV_CANCELLED);
        assert_int_equal(rig->count, stop);
    }
    rig->stop_at = 0;
    back_up(rig);
    close_rig(rig);
}

static void a_bad_line_costs_time_and_no_record(void **state)
{
    static const struct nkv_line_faults faults[] = {
        {.drop = 300, .flip = 300, .double_byte = 300, .split = true},
        {.lose_write = 200000},
        {.double_write = 300000},
        {.delay = 200000, .delay_max_ms = 2000},
        {.drop = 100,
         .flip = 100,
         .lose_write = 50000,
         .double_write = 50000,
         .delay = 50000,
         .delay_max_ms = 500,
         .split = true},
    };
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct rig *rig = open_rig(&(struct rig_options){
            .seed = seed,
            .speed = {115200, 1},
            .max_packet = seed % 2 == 0 ? 512 : 4096,
        });
        rig->bench.line.faults =
            faults[seed % (sizeof(faults) / sizeof(faults[0]))];
        back_up(rig);
        close_rig(rig);
    }
}

/* Of one backup and digest on a good line. */
static uint32_t frames_of(const struct rig_options *options)
{
    struct rig *rig = open_rig(options);
    uint32_t frames = rig->device.frames_sent;
    back_up(rig);
    frames = rig->device.frames_sent - frames;
    close_rig(rig);
    return frames;
}

static void a_restart_at_any_frame_costs_no_record(void **state)
{
    const struct rig_options options = {.max_packet = 512};
    uint32_t frames = frames_of(&options);
    (void)state;
    for (uint32_t i = 1; i <= frames; i++) {
        struct rig *rig = open_rig(&options);
        rig->device.restart_at_frame = rig->device.frames_sent + i;
        back_up(rig);
        assert_int_equal(rig->device.boots, 2);
        close_rig(rig);
    }
}

static void any_lost_frame_is_asked_for_again(void **state)
{
    const struct rig_options options = {.max_packet = 512};
    uint32_t frames = frames_of(&options);
    (void)state;
    for (uint32_t i = 1; i <= frames; i++) {
        struct rig *rig = open_rig(&options);
        rig->device.lose_at_frame = rig->device.frames_sent + i;
        back_up(rig);
        assert_int_equal(rig->device.lose_at_frame, 0);
        close_rig(rig);
    }
}

static void any_lost_frame_of_the_client_is_sent_again(void **state)
{
    const struct nkv_line_faults loss = {.lose_write = 1000000};
    unsigned i = 1;
    (void)state;
    for (bool lost = true; lost; i++) {
        struct rig *rig = open_rig(&(struct rig_options){.max_packet = 512});
        nkv_bench_arm(&rig->bench, &loss, i);
        back_up(rig);
        lost = rig->bench.line.counts.writes_lost > 0;
        close_rig(rig);
    }
    /* Opening, the backup, the values of large records, the digest. */
    assert_true(i > 10);
}

/* A backup and a digest, in the course of which the host goes. */
static void lose_host(struct rig *rig, uint32_t at_frame)
{
    struct nkv_client_backup backup = backup_of(rig);
    struct nkv_client_digest digest;
    rig->device.cut_at_frame = at_frame;
    enum nkv_status status = nkv_client_backup(rig->client, NULL, &backup);
    if (status == NKV_OK)
        status =
            nkv_client_digest(rig->client, NULL, text_span(""), &digest, NULL);
    if (status == NKV_OK)
        assert_int_equal(rig->device.cut_at_frame, 0);
    else
        assert_int_equal(status, NKV_UNAVAILABLE);
    nkv_client_free(&rig->client);
    rig->bench.cut_at_ms = 0;
}

static void a_host_may_go_at_any_message(void **state)
{
    const struct rig_options options = {.speed = {115200, 1},
                                        .max_packet = 512};
    uint32_t frames = frames_of(&options);
    (void)state;
    for (uint32_t i = 1; i <= frames; i++) {
        struct rig *rig = open_rig(&options);
        lose_host(rig, rig->device.frames_sent + i);
        rig->client = nkv_bench_open(
            &rig->bench,
            &(struct nkv_client_options){.max_packet = options.max_packet});
        back_up(rig);
        assert_int_equal(rig->device.cut_at_frame, 0);
        assert_false(nkv_rpc_is_running(&rig->device.server.rpc));
        close_rig(rig);
    }
}

/* Nothing arrives either way for a while, as when the cable is out. */
static bool pull_cable(struct nkv_real_device *device)
{
    struct rig *rig = device->hook_context;
    uint64_t now_ms = nkv_bench_now_ms(device->bench);
    bool out = now_ms >= 300 && now_ms < 5300;
    device->bench->line.faults.lose_write = out ? 1000000 : 0;
    rig->happened = rig->happened || out;
    return false;
}

static void a_backup_goes_on_after_seconds_of_silence(void **state)
{
    (void)state;
    struct rig *rig = open_rig(&(struct rig_options){.speed = {115200, 1}});
    rig->device.before_poll = pull_cable;
    rig->bench.device_at_us = 5300 * 1000;
    back_up(rig);
    assert_true(rig->happened);
    assert_true(nkv_bench_now_ms(&rig->bench) < 20000);
    close_rig(rig);
}

/* Somebody writes other keys all the time. */
static bool meddle(struct nkv_real_device *device)
{
    struct rig *rig = device->hook_context;
    rig->writes++;
    put(rig, KEYS + rig->writes % 40, rig->writes % 200);
    return false;
}

static void writes_meanwhile_are_told_and_cost_no_record(void **state)
{
    (void)state;
    struct rig *rig = open_rig(
        &(struct rig_options){.speed = {921600, 1}, .max_packet = 512});
    struct nkv_client_backup backup = backup_of(rig);
    rig->device.before_poll = meddle;
    assert_done(rig->client, nkv_client_backup(rig->client, NULL, &backup));
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(rig->came[i], 1);
    assert_true(backup.changed);
    rig->device.before_poll = NULL;
    backup = backup_of(rig);
    assert_done(rig->client, nkv_client_backup(rig->client, NULL, &backup));
    assert_false(backup.changed);
    close_rig(rig);
}

/* A record that fits no packet is deleted before its value was fetched. */
static bool delete_large(struct nkv_real_device *device)
{
    struct rig *rig = device->hook_context;
    char text[16];
    if (rig->count > 50 && !rig->happened) {
        rig->happened = true;
        for (size_t i = 7; i < KEYS; i += 10)
            assert_int_equal(
                nkv_delete(&device->parts[0].store, key_of(i, text)), NKV_OK);
    }
    return false;
}

static void a_large_record_that_is_deleted_does_not_come(void **state)
{
    (void)state;
    struct rig *rig = open_rig(&(struct rig_options){.max_packet = 512});
    struct nkv_client_backup backup = backup_of(rig);
    rig->device.before_poll = delete_large;
    assert_done(rig->client, nkv_client_backup(rig->client, NULL, &backup));
    assert_true(rig->happened);
    assert_true(backup.changed);
    assert_int_equal(rig->count, KEYS - 10);
    close_rig(rig);
}

/* Finds text on the flash, and makes a byte of it another one. */
static void damage(struct rig *rig, struct nkv_span text)
{
    struct nkv_flash_sim *flash = &rig->device.parts[0].flash;
    uint32_t at = 0;
    while (memcmp(flash->bytes + at, text.data, text.size) != 0) {
        at++;
        assert_true(at < flash->size - text.size);
    }
    nkv_flash_sim_poke(flash, at, flash->bytes[at] ^ 0x21);
}

/* Each told once, although a frame gets lost somewhere. */
static void damaged_entries_are_told_once(void **state)
{
    const struct rig_options options = {.max_packet = 512};
    uint32_t frames = frames_of(&options);
    (void)state;
    for (uint32_t i = 1; i <= frames; i++) {
        struct rig *rig = open_rig(&options);
        struct nkv_client_backup backup = backup_of(rig);
        struct nkv_client_digest digest;
        uint8_t bytes[VALUE_MAX];
        char text[16];
        damage(rig, value_of(3, 32, bytes));
        damage(rig, value_of(7, 1800, bytes));
        damage(rig, key_of(55, text));
        damage(rig, key_of(56, text));
        rig->device.lose_at_frame = rig->device.frames_sent + i;
        assert_done(rig->client, nkv_client_backup(rig->client, NULL, &backup));
        assert_int_equal(rig->nameless, 2);
        assert_int_equal(backup.damaged, 4);
        assert_int_equal(rig->count, KEYS);
        assert_int_equal(rig->came[3], 1);
        assert_int_equal(rig->came[7], 1);
        assert_done(
            rig->client,
            nkv_client_digest(rig->client, NULL, text_span(""), &digest, NULL));
        assert_int_equal(digest.damaged, 4);
        assert_int_equal(digest.records, KEYS - 4);
        assert_true(digest.digest == rig->digest.sum);
        close_rig(rig);
    }
}

static void count_progress(void *context, uint32_t steps)
{
    uint32_t *last = context;
    *last = steps;
}

static void a_digest_tells_how_far_it_is(void **state)
{
    (void)state;
    struct rig *rig = open_rig(&(struct rig_options){0});
    uint32_t last = 0;
    struct nkv_client_progress progress = {count_progress, &last};
    struct nkv_client_digest digest;
    assert_done(rig->client, nkv_client_digest(rig->client, NULL, text_span(""),
                                               &digest, &progress));
    assert_int_equal(last, KEYS);
    assert_false(digest.changed);
    close_rig(rig);
}

/* Keys of 12 bytes and values of 32: what of the line's time is theirs. */
static void a_backup_fills_the_line(void **state)
{
    static const struct nkv_line_speed speeds[] = {{921600, 1}, {3000000, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
        struct rig *rig = open_rig(&(struct rig_options){
            .speed = speeds[i],
            .small_keys = KEYS_MAX,
        });
        const struct nkv_device *device;
        struct nkv_client_backup backup = backup_of(rig);
        uint64_t begun_us;
        double share;
        assert_done(rig->client, nkv_client_device(rig->client, NULL, &device));
        begun_us = rig->bench.line.now_us;
        assert_done(rig->client, nkv_client_backup(rig->client, NULL, &backup));
        expect_each_once(rig);
        share = (double)rig->digest.bytes * 10 * 1e6 / speeds[i].baud /
                (double)(rig->bench.line.now_us - begun_us);
        print_message("download.%u.1ms.share %.1f %%\n", speeds[i].baud,
                      100 * share);
        close_rig(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_comes_once_in_packets_of_any_size),
        cmocka_unit_test(only_the_prefix_comes),
        cmocka_unit_test(a_backup_can_be_stopped),
        cmocka_unit_test(a_bad_line_costs_time_and_no_record),
        cmocka_unit_test(a_restart_at_any_frame_costs_no_record),
        cmocka_unit_test(any_lost_frame_is_asked_for_again),
        cmocka_unit_test(any_lost_frame_of_the_client_is_sent_again),
        cmocka_unit_test(a_host_may_go_at_any_message),
        cmocka_unit_test(a_backup_goes_on_after_seconds_of_silence),
        cmocka_unit_test(writes_meanwhile_are_told_and_cost_no_record),
        cmocka_unit_test(a_large_record_that_is_deleted_does_not_come),
        cmocka_unit_test(damaged_entries_are_told_once),
        cmocka_unit_test(a_digest_tells_how_far_it_is),
        cmocka_unit_test(a_backup_fills_the_line),
    };
    return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
