/* The device restarts between a mutation and its answer: what is done again,
 * what must not be, and what is then said. */
#include "real_device.h"
#include "test.h"
#include <stdio.h>
#include <stdlib.h>

struct rig {
    struct nkv_bench bench;
    struct nkv_real_device device;
    struct nkv_client *client;
};

static struct rig *open_rig(void)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    nkv_bench_init(&rig->bench, 1);
    nkv_real_device_init(&rig->device, &rig->bench, NULL);
    rig->client = nkv_bench_open(&rig->bench, NULL);
    assert_done(rig->client, nkv_client_put(rig->client, NULL, text_span("k"),
                                            text_span("old")));
    return rig;
}

static void close_rig(struct rig *rig)
{
    nkv_client_free(&rig->client);
    nkv_real_device_free(&rig->device);
    nkv_bench_free(&rig->bench);
    free(rig);
}

/* The next answer is the last thing the device does before it restarts, and
 * nobody hears of it. */
static void lose_next_answer(struct rig *rig)
{
    rig->device.restart_at_frame = rig->device.frames_sent + 1;
}

static uint32_t version_of(struct rig *rig, const char *key)
{
    struct nkv_client_key_info info;
    assert_done(rig->client,
                nkv_client_describe(rig->client, NULL, text_span(key), &info));
    return info.version;
}

static void expect(struct rig *rig, const char *key, const char *text)
{
    struct nkv_client_value value;
    enum nkv_status status =
        nkv_client_get(rig->client, NULL, text_span(key), &value);
    if (text == NULL) {
        assert_int_equal(status, NKV_NOT_FOUND);
        return;
    }
    assert_done(rig->client, status);
    assert_int_equal(value.size, strlen(text));
    assert_memory_equal(value.data, text, value.size);
    nkv_client_value_clear(&value);
}

static unsigned reopened(const struct rig *rig)
{
    struct nkv_client_counters counters;
    nkv_client_get_counters(rig->client, &counters);
    return counters.reopened;
}

static void a_plain_put_is_done_again(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    lose_next_answer(rig);
    assert_done(rig->client, nkv_client_put(rig->client, NULL, text_span("k"),
                                            text_span("new")));
    assert_int_equal(rig->device.boots, 2);
    assert_int_equal(reopened(rig), 1);
    expect(rig, "k", "new");
    close_rig(rig);
}

static void a_repeated_deletion_that_finds_nothing_is_done(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    lose_next_answer(rig);
    assert_done(rig->client,
                nkv_client_delete(rig->client, NULL, text_span("k")));
    assert_int_equal(rig->device.boots, 2);
    expect(rig, "k", NULL);
    close_rig(rig);
}

static void a_deletion_refused_at_its_first_sending_is_not_found(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    nkv_real_device_restart(&rig->device);
    assert_int_equal(nkv_client_delete(rig->client, NULL, text_span("none")),
                     NKV_NOT_FOUND);
    assert_int_equal(reopened(rig), 1);
    close_rig(rig);
}

static struct nkv_mutation conditional_put(struct rig *rig)
{
    return (struct nkv_mutation){
        .key = text_span("k"),
        .value = text_span("mine"),
        .conditional = true,
        .if_version = version_of(rig, "k"),
    };
}

static void a_conditional_put_that_was_done_counts_as_done(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    struct nkv_mutation mutation = conditional_put(rig);
    lose_next_answer(rig);
    assert_done(rig->client,
                nkv_client_apply(rig->client, NULL, &mutation, 1, NULL));
    assert_int_equal(mutation.version, version_of(rig, "k"));
    expect(rig, "k", "mine");
    close_rig(rig);
}

/* Once the device has failed and before it is asked anything else, somebody at
 * its own console writes the key. */
static bool meddle(struct nkv_real_device *device)
{
    const char *text = device->hook_context;
    if (device->boots < 2 || text == NULL)
        return false;
    device->hook_context = NULL;
    struct nkv_store *store = &device->parts[0].store;
    if (text[0] == '\0')
        assert_int_equal(nkv_delete(store, text_span("k")), NKV_OK);
    else
        assert_int_equal(nkv_put(store, text_span("k"), text_span(text)),
                         NKV_OK);
    return false;
}

static void meddle_after_failure(struct rig *rig, char *text)
{
    rig->device.before_poll = meddle;
    rig->device.hook_context = text;
    lose_next_answer(rig);
}

static void a_conditional_put_that_cannot_be_told_is_unknown(void **state)
{
    (void)state;
    char theirs[] = "theirs";
    struct rig *rig = open_rig();
    struct nkv_mutation mutation = conditional_put(rig);
    meddle_after_failure(rig, theirs);
    assert_int_equal(nkv_client_apply(rig->client, NULL, &mutation, 1, NULL),
                     NKV_UNKNOWN);
    assert_int_equal(mutation.status, NKV_UNKNOWN);
    assert_says(rig->client, "put k: unknown outcome");
    expect(rig, "k", "theirs");
    close_rig(rig);
}

static void a_conditional_put_whose_request_was_lost_is_done(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    struct nkv_mutation mutation = conditional_put(rig);
    /* The request dies with the device's power: only the retry arrives. */
    rig->bench.line.faults.lose_write = 1000000;
    rig->bench.line.now_us += 1000;
    struct nkv_call_options brief = {.deadline_ms = 100};
    assert_int_equal(nkv_client_apply(rig->client, &brief, &mutation, 1, NULL),
                     NKV_DEADLINE_EXCEEDED);
    rig->bench.line.faults.lose_write = 0;
    nkv_real_device_restart(&rig->device);
    assert_done(rig->client,
                nkv_client_apply(rig->client, NULL, &mutation, 1, NULL));
    expect(rig, "k", "mine");
    close_rig(rig);
}

static void a_conditional_deletion_that_was_done_counts_as_done(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    struct nkv_mutation mutation = conditional_put(rig);
    mutation.kind = NKV_MUTATION_DELETE;
    lose_next_answer(rig);
    assert_done(rig->client,
                nkv_client_apply(rig->client, NULL, &mutation, 1, NULL));
    expect(rig, "k", NULL);
    close_rig(rig);
}

static void a_conditional_deletion_of_a_newer_key_is_unknown(void **state)
{
    (void)state;
    char theirs[] = "theirs";
    struct rig *rig = open_rig();
    struct nkv_mutation mutation = conditional_put(rig);
    mutation.kind = NKV_MUTATION_DELETE;
    meddle_after_failure(rig, theirs);
    assert_int_equal(nkv_client_apply(rig->client, NULL, &mutation, 1, NULL),
                     NKV_UNKNOWN);
    assert_says(rig->client, "delete k: unknown outcome");
    close_rig(rig);
}

/* Restarts the device when it has sent as many frames as the hook's context
 * says. */
static bool restarts_at_frame(struct nkv_real_device *device)
{
    const uint32_t *frames = device->hook_context;
    return device->boots == 1 && device->frames_sent >= *frames;
}

/* Applies two mutations; of their two answers the first ones get lost, then
 * the device restarts. */
static enum nkv_status apply_two(struct rig *rig, uint32_t lost,
                                 struct nkv_mutation mutations[2])
{
    uint32_t frames = rig->device.frames_sent + 2;
    rig->device.lose_frames = lost;
    rig->device.before_poll = restarts_at_frame;
    rig->device.hook_context = &frames;
    enum nkv_status status =
        nkv_client_apply(rig->client, NULL, mutations, 2, NULL);
    rig->device.before_poll = NULL;
    assert_int_equal(rig->device.boots, 2);
    return status;
}

static struct nkv_mutation creation_of(const char *key)
{
    return (struct nkv_mutation){
        .key = text_span(key),
        .value = text_span("made"),
        .conditional = true,
    };
}

static struct nkv_mutation deletion_of(const char *key)
{
    return (struct nkv_mutation){
        .kind = NKV_MUTATION_DELETE,
        .key = text_span(key),
    };
}

static void a_creation_is_not_done_again_over_a_later_deletion(void **state)
{
    (void)state;
    for (uint32_t lost = 1; lost <= 2; lost++) {
        struct rig *rig = open_rig();
        struct nkv_mutation mutations[] = {creation_of("n"), deletion_of("n")};
        assert_int_equal(apply_two(rig, lost, mutations), NKV_UNKNOWN);
        assert_int_equal(mutations[0].status, NKV_UNKNOWN);
        assert_int_equal(mutations[1].status, NKV_OK);
        expect(rig, "n", NULL);
        close_rig(rig);
    }
}

static void a_deletion_is_not_done_again_over_a_later_creation(void **state)
{
    (void)state;
    for (uint32_t lost = 1; lost <= 2; lost++) {
        struct rig *rig = open_rig();
        struct nkv_mutation mutations[] = {deletion_of("k"), creation_of("k")};
        assert_done(rig->client, apply_two(rig, lost, mutations));
        assert_int_equal(mutations[1].version, version_of(rig, "k"));
        expect(rig, "k", "made");
        close_rig(rig);
    }
}

static void a_later_put_of_the_same_value_proves_nothing(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    struct nkv_mutation mutations[] = {creation_of("k"), creation_of("k")};
    /* The first is refused, as k is there. */
    mutations[1].conditional = false;
    assert_int_equal(apply_two(rig, 2, mutations), NKV_UNKNOWN);
    assert_int_equal(mutations[0].status, NKV_UNKNOWN);
    assert_int_equal(mutations[1].status, NKV_OK);
    expect(rig, "k", "made");
    close_rig(rig);
}

static void a_batch_survives_a_restart_in_its_middle(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    static char keys[COUNT][16];
    static struct nkv_mutation mutations[COUNT];
    for (uint32_t at = 1; at < COUNT; at++) {
        struct rig *rig = open_rig();
        for (size_t i = 0; i < COUNT; i++) {
            snprintf(keys[i], sizeof(keys[i]), "key%zu", i % 7);
            mutations[i] = (struct nkv_mutation){
                .kind = i % 11 == 10 ? NKV_MUTATION_DELETE : NKV_MUTATION_PUT,
                .key = text_span(keys[i]),
                .value = text_span(&"abcdefghijklmnopqrstuvwxyz"[i % 26]),
            };
        }
        rig->device.restart_at_frame = rig->device.frames_sent + at;
        assert_done(rig->client, nkv_client_apply(rig->client, NULL, mutations,
                                                  COUNT, NULL));
        assert_int_equal(rig->device.boots, 2);
        for (size_t i = COUNT - 7; i < COUNT; i++)
            expect(rig, keys[i], &"abcdefghijklmnopqrstuvwxyz"[i % 26]);
        close_rig(rig);
    }
}

static bool count_record(void *context, const struct nkv_client_record *record)
{
    unsigned *count = context;
    (void)record;
    (*count)++;
    return true;
}

static void put_many(struct rig *rig)
{
    static uint8_t value[400];
    for (unsigned i = 0; i < 60; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key%u", i);
        struct nkv_span bytes = {value, sizeof(value)};
        assert_done(rig->client,
                    nkv_client_put(rig->client, NULL, text_span(key), bytes));
    }
}

static void a_scan_survives_a_restart_at_any_frame(void **state)
{
    (void)state;
    uint32_t at = 1;
    for (bool restarted = true; restarted; at++) {
        struct rig *rig = open_rig();
        unsigned count = 0;
        struct nkv_client_scan scan = {.record = count_record,
                                       .context = &count};
        put_many(rig);
        rig->device.restart_at_frame = rig->device.frames_sent + at;
        assert_done(rig->client, nkv_client_scan(rig->client, NULL, &scan));
        assert_true(count >= 61);
        restarted = rig->device.boots > 1;
        close_rig(rig);
    }
    assert_true(at > 6);
}

static void a_scan_asks_again_for_any_frame_of_the_device(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    put_many(rig);
    uint32_t at = 0;
    for (bool lost = true; lost; at++) {
        unsigned count = 0;
        struct nkv_client_scan scan = {.record = count_record,
                                       .context = &count};
        rig->device.lose_at_frame = rig->device.frames_sent + 1 + at;
        assert_done(rig->client, nkv_client_scan(rig->client, NULL, &scan));
        lost = rig->device.lose_at_frame == 0;
        assert_true(count >= 61);
    }
    assert_true(at > 6);
    close_rig(rig);
}

static void a_scan_sends_again_any_frame_of_the_client(void **state)
{
    const struct nkv_line_faults loss = {.lose_write = 1000000};
    (void)state;
    struct rig *rig = open_rig();
    put_many(rig);
    unsigned at = 0;
    do {
        unsigned count = 0;
        struct nkv_client_scan scan = {.record = count_record,
                                       .context = &count};
        nkv_client_free(&rig->client);
        nkv_bench_arm(&rig->bench, &loss, ++at);
        rig->client = nkv_bench_open(&rig->bench, NULL);
        assert_done(rig->client, nkv_client_scan(rig->client, NULL, &scan));
        assert_int_equal(count, 61);
    } while (rig->bench.line.counts.writes_lost == at);
    /* Opening, the scan, and then a run in which nothing was lost. */
    assert_int_equal(at, 3);
    close_rig(rig);
}

static void a_scan_goes_well_after_one_whose_host_went(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    put_many(rig);
    rig->bench.line.speed.latency_ms = 1;
    uint32_t at = 1;
    for (enum nkv_status status = NKV_UNAVAILABLE; status != NKV_OK; at++) {
        unsigned count = 0;
        struct nkv_client_scan scan = {.record = count_record,
                                       .context = &count};
        rig->device.cut_at_frame = rig->device.frames_sent + at;
        status = nkv_client_scan(rig->client, NULL, &scan);
        assert_true(status == NKV_OK || status == NKV_UNAVAILABLE);
        nkv_client_free(&rig->client);
        rig->device.cut_at_frame = 0;
        rig->bench.cut_at_ms = 0;
        rig->client = nkv_bench_open(&rig->bench, NULL);
        count = 0;
        assert_done(rig->client, nkv_client_scan(rig->client, NULL, &scan));
        assert_int_equal(count, 61);
        assert_false(nkv_rpc_is_running(&rig->device.server.rpc));
    }
    assert_true(at > 6);
    close_rig(rig);
}

static void an_evicted_session_is_opened_again(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    for (unsigned i = 0; i < NKV_DEVICE_CLIENTS; i++) {
        struct nkv_client *other = nkv_bench_open(&rig->bench, NULL);
        assert_done(
            other, nkv_client_put(other, NULL, text_span("o"), text_span("v")));
        nkv_client_free(&other);
    }
    assert_done(rig->client, nkv_client_put(rig->client, NULL, text_span("k"),
                                            text_span("new")));
    assert_int_equal(reopened(rig), 1);
    expect(rig, "k", "new");
    close_rig(rig);
}

static void a_mutation_given_up_does_not_disturb_the_next(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    struct nkv_call_options brief = {.deadline_ms = 50};
    for (unsigned i = 0; i < 10; i++) {
        char text[16];
        snprintf(text, sizeof(text), "value%u", i);
        /* Sometimes the request is lost, sometimes the answer is late. */
        rig->bench.line.faults.lose_write = i % 2 == 0 ? 1000000 : 0;
        rig->bench.line.speed.latency_ms = i % 2 == 0 ? 0 : 60;
        assert_int_equal(nkv_client_put(rig->client, &brief, text_span("k"),
                                        text_span("abandoned")),
                         NKV_DEADLINE_EXCEEDED);
        rig->bench.line.faults.lose_write = 0;
        rig->bench.line.speed.latency_ms = 0;
        assert_done(
            rig->client,
            nkv_client_put(rig->client, NULL, text_span("k"), text_span(text)));
        expect(rig, "k", text);
    }
    close_rig(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_put_is_done_again),
        cmocka_unit_test(a_repeated_deletion_that_finds_nothing_is_done),
        cmocka_unit_test(a_deletion_refused_at_its_first_sending_is_not_found),
        cmocka_unit_test(a_conditional_put_that_was_done_counts_as_done),
        cmocka_unit_test(a_conditional_put_that_cannot_be_told_is_unknown),
        cmocka_unit_test(a_conditional_put_whose_request_was_lost_is_done),
        cmocka_unit_test(a_conditional_deletion_that_was_done_counts_as_done),
        cmocka_unit_test(a_conditional_deletion_of_a_newer_key_is_unknown),
        cmocka_unit_test(a_creation_is_not_done_again_over_a_later_deletion),
        cmocka_unit_test(a_deletion_is_not_done_again_over_a_later_creation),
        cmocka_unit_test(a_later_put_of_the_same_value_proves_nothing),
        cmocka_unit_test(a_batch_survives_a_restart_in_its_middle),
        cmocka_unit_test(a_scan_survives_a_restart_at_any_frame),
        cmocka_unit_test(a_scan_asks_again_for_any_frame_of_the_device),
        cmocka_unit_test(a_scan_sends_again_any_frame_of_the_client),
        cmocka_unit_test(a_scan_goes_well_after_one_whose_host_went),
        cmocka_unit_test(an_evicted_session_is_opened_again),
        cmocka_unit_test(a_mutation_given_up_does_not_disturb_the_next),
    };
    return cmocka_run_group_tests_name("restart", tests, NULL, NULL);
}
