/* How norkv reads a store that is written meanwhile: against a client that is
 * none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <device.h>
#include <fetch.h>
#include <progress.h>
#include <stdio.h>
#include <string.h>

/* What the store holds: one record, with a number for its value. */
static struct {
    uint8_t value;
    /* So many reads and digests are each followed by a write. */
    int writes;
    int reads;
    int digests;
    bool twice;
    uint32_t damaged;
    enum nkv_status status;
    enum nkv_reason reason;
    char said[200];
} store;

static const struct nkv_span key = {(const uint8_t *)"k", 1};

static void write_store(void)
{
    if (store.writes > 0) {
        store.writes--;
        store.value++;
    }
}

/* The port never goes away. */
enum nkv_exit nkv_connect(const struct nkv_options *options,
                          uint32_t timeout_ms, struct nkv_client **client)
{
    (void)options, (void)timeout_ms, (void)client;
    return NKV_EXIT_DONE;
}

void nkv_client_free(struct nkv_client **client)
{
    (void)client;
}

const char *nkv_client_error(const struct nkv_client *client)
{
    (void)client;
    return "";
}

void nkv_reopen_begin(struct nkv_reopen *reopen,
                      const struct nkv_options *options, uint32_t timeout_ms)
{
    (void)reopen, (void)options, (void)timeout_ms;
}

enum nkv_exit nkv_reopen_note_unit(struct nkv_reopen *reopen,
                                   struct nkv_client *client)
{
    (void)reopen, (void)client;
    return NKV_EXIT_DONE;
}

bool nkv_reopen(struct nkv_reopen *reopen, struct nkv_client **client,
                enum nkv_status status, const char *so_far)
{
    (void)reopen, (void)client, (void)status, (void)so_far;
    return false;
}

uint32_t nkv_reopen_left_ms(const struct nkv_reopen *reopen)
{
    (void)reopen;
    return 1000;
}

const char *nkv_reopen_why(const struct nkv_reopen *reopen)
{
    (void)reopen;
    return "";
}

void nkv_reopen_end(struct nkv_reopen *reopen)
{
    (void)reopen;
}

enum nkv_status nkv_client_digest(struct nkv_client *client,
                                  const struct nkv_call_options *call,
                                  struct nkv_span prefix,
                                  struct nkv_client_digest *digest,
                                  const struct nkv_client_progress *progress)
{
    struct nkv_digest sum = {0};

    (void)client, (void)call, (void)prefix, (void)progress;
    nkv_digest_add(&sum, key, (struct nkv_span){&store.value, 1});
    *digest = (struct nkv_client_digest){
        .records = sum.records,
        .bytes = (uint32_t)sum.bytes,
        .digest = sum.sum,
        .damaged = store.damaged,
    };
    store.digests++;
    write_store();
    return store.status;
}

enum nkv_status nkv_client_backup(struct nkv_client *client,
                                  const struct nkv_call_options *call,
                                  struct nkv_client_backup *backup)
{
    struct nkv_client_record record = {.key = key, .value = {&store.value, 1}};

    (void)client, (void)call;
    backup->damaged = store.damaged;
    assert_true(backup->record(backup->context, &record));
    if (store.twice) {
        assert_true(backup->record(backup->context, &record));
    }
    record.status = NKV_DATA_LOSS;
    for (uint32_t i = 0; i < store.damaged; i++) {
        assert_true(backup->record(backup->context, &record));
    }
    store.reads++;
    write_store();
    return store.status;
}

enum nkv_reason nkv_client_reason(const struct nkv_client *client)
{
    (void)client;
    return store.reason;
}

const char *nkv_client_port(const struct nkv_client *client)
{
    (void)client;
    return "bench";
}

struct nkv_call_options nkv_call_of(const struct nkv_options *options,
                                    uint32_t timeout_ms)
{
    (void)options, (void)timeout_ms;
    return (struct nkv_call_options){0};
}

enum nkv_exit nkv_fail_call(const struct nkv_client *client,
                            enum nkv_status status)
{
    (void)client, (void)status;
    return NKV_EXIT_FAILED;
}

enum nkv_exit nkv_fail_transfer(const struct nkv_client *client,
                                enum nkv_status status)
{
    return nkv_fail_call(client, status);
}

enum nkv_exit nkv_fail_for_memory(void)
{
    return NKV_EXIT_FAILED;
}

enum nkv_exit nkv_fail(enum nkv_exit code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(store.said, sizeof store.said, format, arguments);
    va_end(arguments);
    return code;
}

void nkv_progress_begin(struct nkv_progress *progress,
                        const struct nkv_options *options, const char *what,
                        enum nkv_progress_unit unit)
{
    (void)progress, (void)options, (void)what, (void)unit;
}

void nkv_progress_set_total(struct nkv_progress *progress, uint64_t total)
{
    (void)progress, (void)total;
}

void nkv_progress_update(struct nkv_progress *progress, uint64_t done)
{
    (void)progress, (void)done;
}

struct nkv_client_progress nkv_progress_follow(struct nkv_progress *progress)
{
    return (struct nkv_client_progress){.context = progress};
}

void nkv_progress_end(struct nkv_progress *progress)
{
    (void)progress;
}

static enum nkv_exit fetch(struct nkv_backup *backup)
{
    struct nkv_fetch what = {.what = "test"};
    struct nkv_client_digest digest;
    bool partial;
    enum nkv_exit code = nkv_fetch_digest(&what, &digest, &partial);

    return code == NKV_EXIT_DONE ? nkv_fetch_records(&what, &digest, backup)
                                 : code;
}

/* After this many writes there is a backup of this many reads. */
static void expect_reads(int writes, int reads, bool changed)
{
    struct nkv_backup backup;

    memset(&store, 0, sizeof store);
    store.writes = writes;
    assert_int_equal(fetch(&backup), NKV_EXIT_DONE);
    assert_int_equal(store.reads, reads);
    assert_int_equal(backup.changed, changed);
    assert_int_equal(backup.count, 1);
    nkv_backup_free(&backup);
}

static void a_quiet_store_is_read_once(void **state)
{
    (void)state;
    expect_reads(0, 1, false);
    assert_int_equal(store.digests, 1);
}

static void a_store_that_was_written_is_read_again(void **state)
{
    (void)state;
    /* Before it was read, and after that. */
    expect_reads(1, 1, false);
    assert_int_equal(store.digests, 2);
    expect_reads(2, 2, false);
    expect_reads(3, 2, false);
    expect_reads(4, 3, false);
}

static void a_store_that_is_always_written_is_read_three_times(void **state)
{
    (void)state;
    expect_reads(100, 3, true);
}

static void a_key_that_comes_twice_is_refused(void **state)
{
    struct nkv_backup backup;

    (void)state;
    memset(&store, 0, sizeof store);
    store.twice = true;
    assert_int_equal(fetch(&backup), NKV_EXIT_FAILED);
    assert_string_equal(store.said,
                        "bench: the device gives the key 'k' twice: try again");
    assert_null(backup.records);
}

static void damage_is_counted_and_left_out(void **state)
{
    struct nkv_backup backup;

    (void)state;
    memset(&store, 0, sizeof store);
    store.damaged = 2;
    assert_int_equal(fetch(&backup), NKV_EXIT_DONE);
    assert_int_equal(backup.damaged, 2);
    assert_int_equal(backup.count, 1);
    nkv_backup_free(&backup);
}

static void only_a_store_that_mounted_in_part_may_fail(void **state)
{
    struct nkv_backup backup;

    (void)state;
    memset(&store, 0, sizeof store);
    store.status = NKV_FAILED_PRECONDITION;
    assert_int_equal(fetch(&backup), NKV_EXIT_FAILED);
    store.reason = NKV_REASON_STORE_READ_ONLY;
    assert_int_equal(fetch(&backup), NKV_EXIT_DONE);
    assert_true(backup.partial);
    nkv_backup_free(&backup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_store_is_read_once),
        cmocka_unit_test(a_store_that_was_written_is_read_again),
        cmocka_unit_test(a_store_that_is_always_written_is_read_three_times),
        cmocka_unit_test(a_key_that_comes_twice_is_refused),
        cmocka_unit_test(damage_is_counted_and_left_out),
        cmocka_unit_test(only_a_store_that_mounted_in_part_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
