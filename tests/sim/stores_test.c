/* Several stores on one device: each on a flash of its own. */
#include "report.h"
#include "sim_process.h"

#include <norkv/client.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const with_identity[] = {"--flash", "FLASH", "--store",
                                            "STORE",   "--pty", NULL};

static const struct nkv_call_options identity = {.store = 1};

static struct nkv_span span(const char *text)
{
    return (struct nkv_span){(const uint8_t *)text, strlen(text)};
}

static struct nkv_client *start(struct sim *sim, const char *const *arguments)
{
    struct nkv_client *client = NULL;
    char port[256];

    nkv_sim_start(sim, arguments);
    nkv_sim_port(sim, port);
    if (nkv_client_open(port, NULL, &client) != NKV_OK)
        fail_msg("%s", nkv_client_error(client));
    return client;
}

static void assert_ok(const struct nkv_client *client, enum nkv_status status)
{
    if (status != NKV_OK)
        fail_msg("%s", nkv_client_error(client));
}

static void assert_value(struct nkv_client *client,
                         const struct nkv_call_options *call,
                         const char *expected)
{
    struct nkv_client_value value;
    enum nkv_status status = nkv_client_get(client, call, span("key"), &value);

    if (expected == NULL) {
        assert_int_equal(status, NKV_NOT_FOUND);
    } else {
        assert_ok(client, status);
        assert_int_equal(value.size, strlen(expected));
        assert_memory_equal(value.data, expected, value.size);
    }
    nkv_client_value_clear(&value);
}

static void erasing_one_leaves_the_other(void **state)
{
    struct sim *sim = *state;
    struct nkv_client *client = start(sim, with_identity);
    const struct nkv_device *device;

    assert_ok(client, nkv_client_device(client, NULL, &device));
    assert_int_equal(device->store_count, 2);
    assert_string_equal(device->stores[0].name, "main");
    assert_string_equal(device->stores[1].name, "identity");
    assert_ok(client, nkv_client_put(client, NULL, span("key"), span("blue")));
    assert_ok(client,
              nkv_client_put(client, &identity, span("key"), span("SN-1")));
    assert_value(client, NULL, "blue");
    assert_value(client, &identity, "SN-1");
    assert_ok(client, nkv_client_erase_all(client, NULL, "norkv-sim", NULL));
    assert_value(client, NULL, NULL);
    assert_value(client, &identity, "SN-1");
    nkv_client_free(&client);
    assert_int_equal(nkv_sim_end(sim, SIGTERM), NKV_SIM_DONE);

    client = start(sim, with_identity);
    assert_value(client, NULL, NULL);
    assert_value(client, &identity, "SN-1");
    nkv_client_free(&client);
}

static void each_flash_is_told_of_at_the_end(void **state)
{
    struct sim *sim = *state;
    struct nkv_client *client = start(sim, with_identity);
    char text[1024];

    assert_ok(client, nkv_client_put(client, &identity, span("key"), span("")));
    nkv_client_free(&client);
    assert_int_equal(nkv_sim_end(sim, SIGTERM), NKV_SIM_DONE);
    nkv_sim_errors(sim, text, sizeof text);
    assert_string_equal(
        text, "norkv-sim: ended; flash of main: 0 units programmed, 0 sectors "
              "erased, 0 programs refused\n"
              "norkv-sim: ended; flash of identity: 2 units programmed, 0 "
              "sectors erased, 0 programs refused\n");
}

/* Two units in one, the first of two in the other: the third of all. */
static void a_power_cut_counts_the_operations_of_all(void **state)
{
    static const char *const cut[] = {"--flash", "FLASH",    "--store", "STORE",
                                      "--pty",   "--cut-at", "3:whole", NULL};
    const struct nkv_call_options brief = {.store = 1, .deadline_ms = 2000};
    struct sim *sim = *state;
    struct nkv_client *client = start(sim, cut);
    char text[1024];

    assert_ok(client, nkv_client_put(client, NULL, span("key"), span("")));
    assert_int_not_equal(nkv_client_put(client, &brief, span("key"), span("")),
                         NKV_OK);
    nkv_client_free(&client);
    assert_int_equal(nkv_sim_end(sim, 0), NKV_SIM_POWER_CUT);
    nkv_sim_errors(sim, text, sizeof text);
    assert_string_equal(text, "norkv-sim: power cut at operation 3 (program "
                              "at 0x0 of identity, whole)\n");
}

static void one_file_serves_one_store(void **state)
{
    static const char *const twice[] = {"--flash", "FLASH", "--store",
                                        "SAME",    "--pty", NULL};
    struct sim *sim = *state;
    char text[1024];

    nkv_sim_start(sim, twice);
    assert_int_equal(nkv_sim_end(sim, 0), NKV_SIM_FAILED);
    nkv_sim_errors(sim, text, sizeof text);
    assert_non_null(strstr(text, "in use"));
    /* What was created for nothing is gone. */
    assert_int_equal(access(sim->flash, F_OK), -1);
}

static void as_many_stores_as_are_allowed_fit_an_answer(void **state)
{
    static const char *const first[] = {
        "--flash", "FLASH", "--unit-id",
        "0123456789012345678901234567890123456789012345678901234567890123"};
    struct sim *sim = *state;
    const char *arguments[32] = {NULL};
    char stores[7][300];
    size_t count = 0;
    struct nkv_client *client;
    const struct nkv_device *device;

    for (; count < 4; count++)
        arguments[count] = first[count];
    for (int i = 0; i < 7; i++) {
        snprintf(stores[i], sizeof stores[i], "%c234567890123456=%s.%d",
                 'a' + i, sim->flash, i);
        arguments[count++] = "--store";
        arguments[count++] = stores[i];
    }
    arguments[count++] = "--pty";
    client = start(sim, arguments);
    assert_ok(client, nkv_client_device(client, NULL, &device));
    assert_int_equal(device->store_count, 8);
    assert_string_equal(device->stores[7].name, "g234567890123456");
    nkv_client_free(&client);
    assert_int_equal(nkv_sim_end(sim, SIGTERM), NKV_SIM_DONE);
    for (int i = 0; i < 7; i++)
        assert_int_equal(unlink(strchr(stores[i], '=') + 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(erasing_one_leaves_the_other,
                                        nkv_sim_setup, nkv_sim_teardown),
        cmocka_unit_test_setup_teardown(each_flash_is_told_of_at_the_end,
                                        nkv_sim_setup, nkv_sim_teardown),
        cmocka_unit_test_setup_teardown(
            a_power_cut_counts_the_operations_of_all, nkv_sim_setup,
            nkv_sim_teardown),
        cmocka_unit_test_setup_teardown(one_file_serves_one_store,
                                        nkv_sim_setup, nkv_sim_teardown),
        cmocka_unit_test_setup_teardown(
            as_many_stores_as_are_allowed_fit_an_answer, nkv_sim_setup,
            nkv_sim_teardown),
    };

    return cmocka_run_group_tests_name("stores", tests, NULL, NULL);
}
