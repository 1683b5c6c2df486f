/* That messages name the port that is open, however it was chosen: with
 * --serial-number or --vid-pid no option has its name, and the environment may
 * have that of another. The client is the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <apply_check.h>
#include <cmocka.h>
#include <command.h>
#include <device.h>
#include <operands.h>
#include <output.h>
#include <records.h>
#include <stdio.h>

static char said[300];

enum nkv_exit nkv_fail(enum nkv_exit code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(said, sizeof said, format, arguments);
    va_end(arguments);
    return code;
}

enum nkv_exit nkv_fail_for_memory(void)
{
    return nkv_fail(NKV_EXIT_FAILED, "no memory");
}

enum nkv_exit nkv_fail_call(const struct nkv_client *client,
                            enum nkv_status status)
{
    (void)client;
    return nkv_fail(NKV_EXIT_FAILED, "%s", nkv_status_name(status));
}

/* ---- A client on the port bench, whose device takes little ----------------
 */

enum nkv_exit nkv_connect(const struct nkv_options *options,
                          uint32_t timeout_ms, struct nkv_client **client)
{
    (void)options, (void)timeout_ms;
    *client = NULL;
    return NKV_EXIT_DONE;
}

struct nkv_call_options nkv_call_of(const struct nkv_options *options,
                                    uint32_t timeout_ms)
{
    (void)options, (void)timeout_ms;
    return (struct nkv_call_options){0};
}

void nkv_client_free(struct nkv_client **client)
{
    (void)client;
}

const char *nkv_client_port(const struct nkv_client *client)
{
    (void)client;
    return "bench";
}

enum nkv_reason nkv_client_reason(const struct nkv_client *client)
{
    (void)client;
    return NKV_REASON_NONE;
}

enum nkv_status nkv_client_device(struct nkv_client *client,
                                  const struct nkv_call_options *call,
                                  const struct nkv_device **device)
{
    static const struct nkv_device small = {.max_key = 4, .max_value = 4};

    (void)client, (void)call;
    *device = &small;
    return NKV_OK;
}

enum nkv_status nkv_client_statistics(struct nkv_client *client,
                                      const struct nkv_call_options *call,
                                      struct nkv_client_statistics *statistics)
{
    (void)client, (void)call;
    *statistics =
        (struct nkv_client_statistics){.sector_size = 256, .max_keys = 1};
    return NKV_OK;
}

/* Two keys, one of them damaged. */
enum nkv_status nkv_client_scan(struct nkv_client *client,
                                const struct nkv_call_options *call,
                                struct nkv_client_scan *scan)
{
    struct nkv_client_record record = {.key = {(const uint8_t *)"k", 1}};

    (void)client, (void)call;
    assert_true(scan->record(scan->context, &record));
    record.key.data = (const uint8_t *)"l";
    record.status = NKV_DATA_LOSS;
    assert_true(scan->record(scan->context, &record));
    return NKV_OK;
}

/* ---- What ls needs and does not matter here -------------------------------
 */

enum nkv_exit nkv_prefix_operand(const struct nkv_options *options,
                                 const char *text, struct nkv_blob *prefix)
{
    (void)options, (void)text;
    *prefix = (struct nkv_blob){0};
    return NKV_EXIT_DONE;
}

void nkv_blob_free(struct nkv_blob *blob)
{
    (void)blob;
}

bool nkv_records_add(struct nkv_records *records,
                     const struct nkv_listed *record)
{
    (void)records, (void)record;
    return true;
}

void nkv_records_sort(struct nkv_records *records)
{
    (void)records;
}

enum nkv_exit nkv_records_print(const struct nkv_records *records, bool is_long,
                                bool as_json)
{
    (void)records, (void)is_long, (void)as_json;
    return NKV_EXIT_DONE;
}

void nkv_records_free(struct nkv_records *records)
{
    (void)records;
}

/* ---- The tests ------------------------------------------------------------
 */

static void expect_apply(struct nkv_setting *setting, const char *message)
{
    const struct nkv_settings settings = {
        .items = setting, .count = 1, .place = "line"};
    const struct nkv_call_options call = {0};
    uint32_t version = 0;
    const struct nkv_apply_check check = {.path = "file",
                                          .settings = &settings,
                                          .call = &call,
                                          .versions = &version};

    assert_int_equal(nkv_apply_check(&check), NKV_EXIT_FAILED);
    assert_string_equal(said, message);
}

static void apply_names_the_port_that_is_open(void **state)
{
    uint8_t bytes[] = "vwxyz";
    struct nkv_setting setting = {.key = bytes, .key_size = 5, .line = 2};

    (void)state;
    expect_apply(&setting, "'file' line 2: key 'vwxyz': the key has 5 bytes, "
                           "bench takes 4 at most; nothing was written");
    setting.key_size = 1;
    expect_apply(&setting,
                 "'file': its 1 keys and 2 others make more than the 1 that "
                 "bench holds: delete some; nothing was written");
}

static void ls_names_the_port_that_is_open(void **state)
{
    const struct nkv_options options = {.port = "another"};

    (void)state;
    assert_int_equal(nkv_run_ls(&options, 0, NULL), NKV_EXIT_FAILED);
    assert_string_equal(said, "bench: 1 damaged entries: put their keys again");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apply_names_the_port_that_is_open),
        cmocka_unit_test(ls_names_the_port_that_is_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
