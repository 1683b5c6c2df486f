/* An hour of the line's time with noise, all kinds of calls, hosts and devices
 * that start anew: every call ends in time, what is in the stores is right, and
 * memory does not grow. */
#include "storm.h"
#include "test.h"
#include <malloc.h>
#include <norkv/record.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef NORKV_LONG
enum { HOURS = 10, PAUSE_MAX_MS = 200 };
#else
enum { HOURS = 1, PAUSE_MAX_MS = 1500 };
#endif

enum { MINUTE_MS = 60000, WARM_UP_MINUTES = 10 };

/* The sanitizer's allocator is not malloc's. */
extern size_t __sanitizer_get_current_allocated_bytes(void)
    __attribute__((weak));

static size_t allocated(void)
{
    if (__sanitizer_get_current_allocated_bytes != NULL)
        return __sanitizer_get_current_allocated_bytes();
    return mallinfo2().uordblks;
}

/* But for what the line itself holds. */
static size_t in_use(const struct nkv_storm *storm)
{
    size_t line = storm->bench.line.pipes[0].capacity +
                  storm->bench.line.pipes[1].capacity;
    return allocated() - line * sizeof(struct nkv_line_byte);
}

/* ---- Calls ------------------------------------------------------------ */

struct listing {
    struct nkv_storm *storm;
    uint32_t store;
    unsigned seen[NKV_STORM_KEYS];
    struct nkv_digest digest;
};

static bool see(void *context, const struct nkv_client_record *record)
{
    struct listing *listing = context;
    char text[64] = "";
    unsigned number;
    assert_int_equal(record->status, NKV_OK);
    assert_true(record->key.size < sizeof(text));
    memcpy(text, record->key.data, record->key.size);
    if (nkv_storm_check(listing->storm, listing->store, record->key,
                        &record->value) &&
        sscanf(text, "key/%u", &number) == 1)
        listing->seen[number]++;
    nkv_digest_add(&listing->digest, record->key, record->value);
    return true;
}

/* What came is all there is. */
static void check_listing(const struct listing *listing)
{
    for (uint32_t i = 0; i < NKV_STORM_KEYS; i++) {
        bool known;
        bool is_there =
            nkv_storm_is_there(listing->storm, listing->store, i, &known);
        if (known)
            assert_int_equal(listing->seen[i] > 0, is_there);
    }
}

static void scan(struct nkv_storm *storm, uint32_t store)
{
    struct listing listing = {.storm = storm, .store = store};
    struct nkv_client_scan call = {.record = see, .context = &listing};
    struct nkv_call_options options = nkv_storm_begin(storm);
    options.store = store;
    enum nkv_status status = nkv_client_scan(storm->client, &options, &call);
    if (status == NKV_OK)
        check_listing(&listing);
    if (nkv_storm_end(storm, status))
        assert_int_equal(status, NKV_OK);
}

/* A backup, and the digest that tells the same. */
static void back_up(struct nkv_storm *storm, uint32_t store)
{
    struct listing listing = {.storm = storm, .store = store};
    struct nkv_client_backup backup = {.record = see, .context = &listing};
    struct nkv_client_digest digest;
    struct nkv_call_options options = nkv_storm_begin(storm);
    options.store = store;
    enum nkv_status status =
        nkv_client_backup(storm->client, &options, &backup);
    if (status == NKV_OK)
        check_listing(&listing);
    bool is_whole = nkv_storm_end(storm, status) && status == NKV_OK;
    options = nkv_storm_begin(storm);
    options.store = store;
    status = nkv_client_digest(storm->client, &options, text_span(""), &digest,
                               NULL);
    if (status == NKV_OK && is_whole) {
        assert_int_equal(digest.records, listing.digest.records);
        assert_true(digest.digest == listing.digest.sum);
    }
    if (nkv_storm_end(storm, status))
        assert_int_equal(status, NKV_OK);
}

static void collect(struct nkv_storm *storm, uint32_t store)
{
    struct nkv_call_options options = nkv_storm_begin(storm);
    options.store = store;
    enum nkv_collect_kind kind = nkv_storm_below(storm, 3);
    enum nkv_status status =
        nkv_client_collect(storm->client, &options, kind, NULL);
    if (nkv_storm_end(storm, status))
        assert_true(status == NKV_OK ||
                    (kind == NKV_COLLECT_PARTIAL && status == NKV_NOT_FOUND));
}

static bool pass_sector(void *context, const struct nkv_client_sector *sector)
{
    (void)context;
    (void)sector;
    return true;
}

static bool pass_finding(void *context,
                         const struct nkv_client_finding *finding)
{
    (void)context;
    (void)finding;
    return true;
}

static void look(struct nkv_storm *storm, uint32_t store)
{
    struct nkv_client_statistics statistics;
    struct nkv_client_sectors sectors = {.sector = pass_sector};
    struct nkv_client_check check = {.finding = pass_finding};
    uint32_t choice = nkv_storm_below(storm, 4);
    struct nkv_call_options options = nkv_storm_begin(storm);
    options.store = store;
    enum nkv_status status = NKV_OK;
    if (choice == 0)
        status = nkv_client_sectors(storm->client, &options, &sectors);
    else if (choice == 1)
        status = nkv_client_check(storm->client, &options, &check);
    else if (choice == 2)
        status = nkv_client_echo(storm->client, &options, "soak", NULL);
    else
        status = nkv_client_statistics(storm->client, &options, &statistics);
    if (nkv_storm_end(storm, status))
        assert_int_equal(status, NKV_OK);
}

static void operate(struct nkv_storm *storm)
{
    uint32_t store = nkv_storm_below(storm, NKV_DEVICE_STORES);
    uint32_t choice = nkv_storm_below(storm, 100);
    if (choice < 40)
        nkv_storm_write(storm);
    else if (choice < 65)
        nkv_storm_read(storm);
    else if (choice < 75)
        scan(storm, store);
    else if (choice < 82)
        back_up(storm, store);
    else if (choice < 88)
        nkv_storm_upload(storm);
    else if (choice < 92)
        collect(storm, store);
    else
        look(storm, store);
    nkv_bench_wait(&storm->bench, nkv_storm_below(storm, PAUSE_MAX_MS));
}

/* ---- Tests ------------------------------------------------------------ */

static void an_hour_of_trouble_leaves_nothing_behind(void **state)
{
    (void)state;
    struct nkv_storm_setup setup = {
        .seed = 4711,
        .faults =
            {
                .drop = 30,
                .flip = 60,
                .double_byte = 20,
                .lose_write = 10000,
                .double_write = 10000,
                .delay = 10000,
                .delay_max_ms = 500,
                .split = true,
            },
        .speed = {115200, 2},
        .device = {.ring_size = 1024, .frame_size = 512, .transmit_size = 64},
        .host_restart_every = 40,
        .device_restart_every = 40,
        .power_cut_every = 30,
        .brief_every = 30,
    };
    struct nkv_storm *storm = nkv_storm_open(&setup);
    size_t before = 0;
    unsigned calls = 0;
    while (nkv_bench_now_ms(&storm->bench) < (uint64_t)HOURS * 60 * MINUTE_MS) {
        if (before == 0 && nkv_bench_now_ms(&storm->bench) >
                               (uint64_t)WARM_UP_MINUTES * MINUTE_MS)
            before = in_use(storm);
        operate(storm);
        calls++;
    }
    /* A client holds some answers, of more bytes or fewer. */
    assert_in_range(in_use(storm), 1, before + 16384);
    nkv_storm_settle(storm);
    print_message("%u calls, %u mutations, %u hosts, %u boots, %u power cuts, "
                  "%llu requests repeated\n",
                  calls, storm->mutations, storm->hosts, storm->device.boots,
                  storm->power_cuts, (unsigned long long)storm->retries);
    assert_true(storm->hosts > 30 && storm->device.boots > 60);
    nkv_storm_close(storm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_hour_of_trouble_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("soak", tests, NULL, NULL);
}
