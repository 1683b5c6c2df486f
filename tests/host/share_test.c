/* An upload beside other calls of the same client: they share the device's
 * receive buffer, and neither has to wait for the other's end. */
#include "restore_rig.h"
#include "test.h"
#include <stdlib.h>

enum { CHAINS = 8 };

/* Calls one after another, for as long as the upload takes. */
struct chain {
    struct nkv_upload *upload;
    unsigned number;
    unsigned ends;
    bool *is_over;
};

struct share {
    struct nkv_upload *upload;
    struct chain chains[CHAINS];
    bool is_over;
};

static void start(struct chain *chain);

static void go_on(struct chain *chain, enum nkv_status status)
{
    assert_true(status == NKV_OK || status == NKV_NOT_FOUND);
    chain->ends++;
    if (!*chain->is_over)
        start(chain);
}

static void got(void *context, const struct nkv_client_outcome *outcome,
                struct nkv_client_value *value)
{
    (void)value;
    go_on(context, outcome->status);
}

static void wrote(void *context, const struct nkv_client_outcome *outcome,
                  const struct nkv_mutation *mutation)
{
    (void)mutation;
    go_on(context, outcome->status);
}

/* Half of them read, half of them delete what is not there. */
static void start(struct chain *chain)
{
    struct nkv_client *client = chain->upload->client;
    const struct nkv_call_options call = {.deadline_ms = 100000};
    const struct nkv_get_call get = {text_span("none"), got, chain};
    const struct nkv_mutation_call mutation = {
        .mutation = {.kind = NKV_MUTATION_DELETE, .key = text_span("none")},
        .done = wrote,
        .context = chain,
    };
    uint64_t number;
    enum nkv_status status =
        chain->number % 2 == 0
            ? nkv_client_start_get(client, &call, &get, &number)
            : nkv_client_start_mutation(client, &call, &mutation, &number);
    assert_done(client, status);
}

/* Uploads all while the chains go on. */
static struct share *share(const struct nkv_upload_options *options)
{
    struct share *share = calloc(1, sizeof(*share));
    assert_non_null(share);
    share->upload = nkv_upload_open(options);
    for (unsigned i = 0; i < CHAINS; i++) {
        share->chains[i] = (struct chain){
            .upload = share->upload,
            .number = i,
            .is_over = &share->is_over,
        };
        start(&share->chains[i]);
    }
    assert_done(share->upload->client, nkv_upload_run(share->upload));
    assert_int_equal(share->upload->restore.records, options->count);
    nkv_upload_check(share->upload, options->count);
    return share;
}

static unsigned ends(const struct share *share)
{
    unsigned ends = 0;
    for (unsigned i = 0; i < CHAINS; i++)
        ends += share->chains[i].ends;
    return ends;
}

/* The chains come to their ends. */
static void end(struct share *share)
{
    struct nkv_client *client = share->upload->client;
    share->is_over = true;
    for (unsigned i = 0; nkv_client_timeout_ms(client) >= 0; i++) {
        assert_in_range(i, 0, 10000);
        nkv_bench_pass(&share->upload->bench,
                       (uint32_t)nkv_client_timeout_ms(client));
        assert_int_equal(nkv_client_process(client), NKV_OK);
    }
    nkv_upload_free(share->upload);
    free(share);
}

static uint32_t retries(const struct share *share)
{
    struct nkv_client_counters counters;
    nkv_client_get_counters(share->upload->client, &counters);
    return counters.retries;
}

static void a_small_ring_never_runs_over(void **state)
{
    static const size_t rings[] = {256, 512, 1024, 4096};
    (void)state;
    for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
        struct nkv_upload_options options = {
            .device = {.ring_size = rings[i], .program_us = 300},
            .speed = {.baud = 921600, .latency_ms = 1},
            .count = 300,
        };
        struct share *shared = share(&options);
        assert_int_equal(shared->upload->device.server.counters.overruns, 0);
        assert_int_equal(retries(shared), 0);
        assert_true(ends(shared) >= CHAINS);
        end(shared);
    }
}

static void a_deaf_part_misses_nothing(void **state)
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
            .count = 300,
        };
        struct share *shared = share(&options);
        assert_true(shared->upload->device.unheard == 0);
        assert_int_equal(retries(shared), 0);
        assert_true(ends(shared) >= CHAINS);
        end(shared);
    }
}

/* Answers to other calls do not make the wait for a credit endless. */
static void a_lost_chunk_is_sent_again(void **state)
{
    static const size_t rings[] = {256, 1024};
    (void)state;
    for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
        struct nkv_upload_options options = {
            .device = {.ring_size = rings[i]},
            .speed = {.baud = 115200, .latency_ms = 1},
            .faults = {.lose_write = 100000},
            .count = 300,
            .deadline_ms = 300000,
        };
        struct share *shared = share(&options);
        assert_true(retries(shared) > 0);
        end(shared);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_ring_never_runs_over),
        cmocka_unit_test(a_deaf_part_misses_nothing),
        cmocka_unit_test(a_lost_chunk_is_sent_again),
    };
    return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
