/* A line that loses, flips, doubles and delays bytes costs time, never data. */
#include "random.h"
#include "real_device.h"
#include "test.h"
#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 24, VALUE_MAX = 300, BATCH_MAX = 20 };

/* What must be in the store. */
struct model {
    bool present[KEYS];
    size_t sizes[KEYS];
    uint8_t values[KEYS][VALUE_MAX];
};

struct rig {
    struct nkv_bench bench;
    struct nkv_real_device device;
    struct nkv_client *client;
    struct model model;
    uint64_t random;
    unsigned missed_deletions;
};

static struct rig *open_rig(uint64_t seed, const struct nkv_line_faults *faults)
{
    struct nkv_client_options options = {
        .deadline_ms = 600000,
        .attempts = 8,
        .seed = (uint32_t)seed,
    };
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    nkv_bench_init(&rig->bench, seed);
    rig->bench.line.speed = (struct nkv_line_speed){115200, 1};
    rig->bench.line.faults = *faults;
    rig->random = seed;
    nkv_real_device_init(&rig->device, &rig->bench, NULL);
    rig->client = nkv_bench_open(&rig->bench, &options);
    return rig;
}

static void close_rig(struct rig *rig)
{
    nkv_client_free(&rig->client);
    nkv_real_device_free(&rig->device);
    nkv_bench_free(&rig->bench);
    free(rig);
}

static uint32_t below(struct rig *rig, uint32_t limit)
{
    return nkv_random_below(&rig->random, limit);
}

static struct nkv_span key_of(unsigned number, char text[16])
{
    snprintf(text, 16, "key/%u", number);
    return text_span(text);
}

/* ---- Operations on both the device and the model ---------------------- */

static void choose_value(struct rig *rig, unsigned number)
{
    struct model *model = &rig->model;
    model->present[number] = true;
    model->sizes[number] = below(rig, VALUE_MAX);
    nkv_random_fill(&rig->random, model->values[number], model->sizes[number]);
}

static struct nkv_span value_of(const struct rig *rig, unsigned number)
{
    return (struct nkv_span){rig->model.values[number],
                             rig->model.sizes[number]};
}

static void put(struct rig *rig)
{
    char text[16];
    unsigned number = below(rig, KEYS);
    choose_value(rig, number);
    assert_done(rig->client,
                nkv_client_put(rig->client, NULL, key_of(number, text),
                               value_of(rig, number)));
}

/* A deletion's answer tells whether the key was there: a retry must not turn
 * it around. */
static void delete_key(struct rig *rig)
{
    char text[16];
    unsigned number = below(rig, KEYS);
    bool present = rig->model.present[number];
    enum nkv_status status =
        nkv_client_delete(rig->client, NULL, key_of(number, text));
    rig->model.present[number] = false;
    rig->missed_deletions += !present;
    assert_int_equal(status, present ? NKV_OK : NKV_NOT_FOUND);
}

static void check_key(struct rig *rig, unsigned number)
{
    char text[16];
    struct nkv_client_value value;
    struct nkv_span expected = value_of(rig, number);
    enum nkv_status status =
        nkv_client_get(rig->client, NULL, key_of(number, text), &value);
    if (!rig->model.present[number]) {
        assert_int_equal(status, NKV_NOT_FOUND);
        return;
    }
    assert_done(rig->client, status);
    assert_int_equal(value.size, expected.size);
    if (value.size > 0)
        assert_memory_equal(value.data, expected.data, value.size);
    nkv_client_value_clear(&value);
}

/* Each write goes through only if the one before it did, exactly once. */
static void write_conditionally(struct rig *rig)
{
    char text[16];
    struct nkv_client_key_info info = {0};
    unsigned number = below(rig, KEYS);
    struct nkv_mutation mutation = {
        .key = key_of(number, text),
        .conditional = true,
    };
    enum nkv_status status =
        nkv_client_describe(rig->client, NULL, mutation.key, &info);
    assert_int_equal(status,
                     rig->model.present[number] ? NKV_OK : NKV_NOT_FOUND);
    choose_value(rig, number);
    mutation.value = value_of(rig, number);
    mutation.if_version = info.version;
    assert_done(rig->client,
                nkv_client_apply(rig->client, NULL, &mutation, 1, NULL));
}

/* Several writes to few keys in flight at once: the last one must win. */
static void apply(struct rig *rig)
{
    static char texts[BATCH_MAX][16];
    static uint8_t values[BATCH_MAX][4];
    static struct nkv_mutation mutations[BATCH_MAX];
    struct model *model = &rig->model;
    size_t count = 1 + below(rig, BATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        unsigned number = below(rig, 4);
        nkv_random_fill(&rig->random, values[i], sizeof(values[i]));
        mutations[i] = (struct nkv_mutation){
            .key = key_of(number, texts[i]),
            .value = {values[i], sizeof(values[i])},
        };
        model->present[number] = true;
        model->sizes[number] = sizeof(values[i]);
        memcpy(model->values[number], values[i], sizeof(values[i]));
    }
    assert_done(rig->client,
                nkv_client_apply(rig->client, NULL, mutations, count, NULL));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(mutations[i].status, NKV_OK);
    for (unsigned i = 0; i < 4; i++)
        check_key(rig, i);
}

struct listing {
    struct rig *rig;
    unsigned seen[KEYS];
};

static bool see(void *context, const struct nkv_client_record *record)
{
    struct listing *listing = context;
    char text[64];
    unsigned number;
    memcpy(text, record->key.data, record->key.size);
    text[record->key.size] = '\0';
    assert_int_equal(sscanf(text, "key/%u", &number), 1);
    assert_in_range(number, 0, KEYS - 1);
    struct nkv_span expected = value_of(listing->rig, number);
    assert_true(listing->rig->model.present[number]);
    assert_int_equal(record->value.size, expected.size);
    if (expected.size > 0)
        assert_memory_equal(record->value.data, expected.data, expected.size);
    listing->seen[number]++;
    return true;
}

static void list(struct rig *rig)
{
    struct listing listing = {.rig = rig};
    struct nkv_client_scan scan = {
        .prefix = text_span("key/"),
        .record = see,
        .context = &listing,
    };
    assert_done(rig->client, nkv_client_scan(rig->client, NULL, &scan));
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(listing.seen[i], rig->model.present[i]);
}

static void operate(struct rig *rig, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t choice = below(rig, 100);
        if (choice < 40)
            put(rig);
        else if (choice < 60)
            delete_key(rig);
        else if (choice < 80)
            check_key(rig, below(rig, KEYS));
        else if (choice < 90)
            write_conditionally(rig);
        else if (choice < 95)
            apply(rig);
        else if (choice < 97)
            list(rig);
        else
            assert_done(
                rig->client,
                nkv_client_collect(rig->client, NULL, NKV_COLLECT_FULL, NULL));
    }
    for (unsigned i = 0; i < KEYS; i++)
        check_key(rig, i);
}

static struct nkv_client_counters counters_of(const struct rig *rig)
{
    struct nkv_client_counters counters;
    nkv_client_get_counters(rig->client, &counters);
    return counters;
}

/* ---- Tests ------------------------------------------------------------ */

static void lost_and_flipped_bytes_lose_no_data(void **state)
{
    (void)state;
    struct nkv_line_faults faults = {.drop = 300, .flip = 300, .split = true};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct rig *rig = open_rig(seed, &faults);
        operate(rig, 1000);
        assert_true(rig->bench.line.counts.dropped > 50);
        assert_true(rig->bench.line.counts.flipped > 50);
        assert_true(rig->missed_deletions > 0);
        assert_true(counters_of(rig).retries > 50);
        assert_true(counters_of(rig).bad_frames > 50);
        close_rig(rig);
    }
}

static void doubled_frames_are_applied_once(void **state)
{
    (void)state;
    struct nkv_line_faults faults = {
        .double_write = 300000,
        .lose_write = 50000,
    };
    struct rig *rig = open_rig(4, &faults);
    operate(rig, 1000);
    assert_true(rig->bench.line.counts.writes_doubled > 100);
    assert_true(counters_of(rig).late_answers > 100);
    assert_true(rig->device.server.counters.replays > 50);
    close_rig(rig);
}

static void late_answers_are_not_taken_for_the_next_calls(void **state)
{
    (void)state;
    struct nkv_line_faults faults = {
        .delay = 100000,
        .delay_max_ms = 3000,
    };
    struct rig *rig = open_rig(5, &faults);
    operate(rig, 500);
    assert_true(rig->bench.line.counts.writes_delayed > 50);
    assert_true(counters_of(rig).late_answers > 10);
    assert_true(counters_of(rig).retries > 10);
    close_rig(rig);
}

static void everything_at_once_loses_no_data(void **state)
{
    (void)state;
    struct nkv_line_faults faults = {
        .drop = 300,
        .flip = 300,
        .double_byte = 300,
        .lose_write = 10000,
        .double_write = 20000,
        .delay = 20000,
        .delay_max_ms = 1000,
        .split = true,
    };
    struct rig *rig = open_rig(6, &faults);
    operate(rig, 1500);
    close_rig(rig);
}

/* A restart as some bytes arrive, about one in thirty frames. */
static bool restarts_now_and_then(struct nkv_real_device *device)
{
    uint64_t *random = device->hook_context;
    const struct nkv_line_sim *line = &device->bench->line;
    bool hears = nkv_line_sim_next_us(line, NKV_BENCH_DEVICE) <= line->now_us;
    return hears && nkv_random_below(random, 2000) == 0;
}

static void restarts_on_a_bad_line_lose_no_plain_write(void **state)
{
    (void)state;
    struct nkv_line_faults faults = {.drop = 300, .flip = 300};
    struct rig *rig = open_rig(7, &faults);
    uint64_t random = 77;
    rig->device.before_poll = restarts_now_and_then;
    rig->device.hook_context = &random;
    for (unsigned i = 0; i < 1000; i++) {
        if (below(rig, 4) == 0)
            apply(rig);
        else
            put(rig);
    }
    rig->device.before_poll = NULL;
    assert_true(rig->device.boots > 20);
    assert_true(counters_of(rig).reopened > 20);
    for (unsigned i = 0; i < KEYS; i++)
        check_key(rig, i);
    close_rig(rig);
}

/* Erases hold the device up for longer than a request usually takes. */
static uint32_t retries_with_stall(uint32_t stall_max_ms)
{
    const struct nkv_device_options options = {
        .sector_count = 4,
        .erase_us = 800000,
        .stall_max_ms = stall_max_ms,
    };
    struct nkv_bench bench;
    struct nkv_real_device device;
    struct nkv_client_counters counters;
    uint8_t value[800];
    nkv_bench_init(&bench, 1);
    bench.line.speed = (struct nkv_line_speed){115200, 1};
    nkv_real_device_init(&device, &bench, &options);
    struct nkv_client *client = nkv_bench_open(&bench, NULL);
    for (unsigned i = 0; i < 40; i++) {
        memset(value, (int)i, sizeof(value));
        assert_done(client,
                    nkv_client_put(client, NULL, text_span("k"),
                                   (struct nkv_span){value, sizeof(value)}));
    }
    assert_true(device.parts[0].flash.counts.erases > 4);
    nkv_client_get_counters(client, &counters);
    nkv_client_free(&client);
    nkv_real_device_free(&device);
    nkv_bench_free(&bench);
    return counters.retries;
}

static void a_device_is_given_the_time_it_says_it_hears_nothing(void **state)
{
    (void)state;
    assert_int_equal(retries_with_stall(900), 0);
    assert_true(retries_with_stall(50) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_and_flipped_bytes_lose_no_data),
        cmocka_unit_test(doubled_frames_are_applied_once),
        cmocka_unit_test(late_answers_are_not_taken_for_the_next_calls),
        cmocka_unit_test(everything_at_once_loses_no_data),
        cmocka_unit_test(restarts_on_a_bad_line_lose_no_plain_write),
        cmocka_unit_test(a_device_is_given_the_time_it_says_it_hears_nothing),
    };
    return cmocka_run_group_tests_name("bad_line", tests, NULL, NULL);
}
