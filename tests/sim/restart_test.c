/* What a host finds after the device was ended, killed, or lost its power at
 * any operation. */
#include "report.h"
#include "sim_process.h"

#include <norkv/client.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const on_link[] = {"--flash", "FLASH", "--pty",
                                      "--link",  "LINK",  NULL};

static struct nkv_span span(const char *text)
{
    return (struct nkv_span){(const uint8_t *)text, strlen(text)};
}

static struct nkv_client *open_client(const char *port)
{
    struct nkv_client *client = NULL;

    if (nkv_client_open(port, NULL, &client) != NKV_OK)
        fail_msg("%s", nkv_client_error(client));
    return client;
}

static void assert_put(struct nkv_client *client, const char *key,
                       const char *value)
{
    if (nkv_client_put(client, NULL, span(key), span(value)) != NKV_OK)
        fail_msg("%s", nkv_client_error(client));
}

static void assert_value(struct nkv_client *client, const char *key,
                         const char *expected)
{
    struct nkv_client_value value;

    if (nkv_client_get(client, NULL, span(key), &value) != NKV_OK)
        fail_msg("%s", nkv_client_error(client));
    assert_int_equal(value.size, strlen(expected));
    assert_memory_equal(value.data, expected, value.size);
    nkv_client_value_clear(&value);
}

static void values_survive_an_end_and_a_kill(void **state)
{
    const int signals[] = {SIGTERM, SIGKILL};
    struct sim *sim = *state;
    struct nkv_client *client;
    char port[256];

    for (size_t i = 0; i < 2; i++) {
        nkv_sim_start(sim, on_link);
        nkv_sim_port(sim, port);
        client = open_client(port);
        if (i > 0)
            assert_value(client, "serial", "SN-1");
        assert_put(client, "serial", "SN-1");
        assert_put(client, "region", i == 0 ? "EU" : "US");
        nkv_client_free(&client);
        (void)nkv_sim_end(sim, signals[i]);
    }
    nkv_sim_start(sim, on_link);
    nkv_sim_port(sim, port);
    client = open_client(port);
    assert_value(client, "serial", "SN-1");
    assert_value(client, "region", "US");
    nkv_client_free(&client);
    assert_int_equal(nkv_sim_end(sim, SIGTERM), NKV_SIM_DONE);
}

static void both_lines_show_one_store(void **state)
{
    static const char *const arguments[] = {"--flash", "FLASH", "--pty",
                                            "--tcp",   "0",     NULL};
    struct sim *sim = *state;
    struct nkv_client *on_pty, *on_tcp;
    char pty[256], tcp[256];

    nkv_sim_start(sim, arguments);
    nkv_sim_port(sim, pty);
    nkv_sim_port(sim, tcp);
    on_pty = open_client(pty);
    on_tcp = open_client(tcp);
    assert_put(on_pty, "a", "1");
    assert_put(on_tcp, "b", "2");
    assert_value(on_tcp, "a", "1");
    assert_value(on_pty, "b", "2");
    assert_put(on_tcp, "a", "3");
    assert_value(on_pty, "a", "3");
    nkv_client_free(&on_pty);
    nkv_client_free(&on_tcp);
    assert_int_equal(nkv_sim_end(sim, SIGTERM), NKV_SIM_DONE);
}

static void the_unit_id_and_the_geometry_are_told(void **state)
{
    static const char *const arguments[] = {"--flash",
                                            "FLASH",
                                            "--tcp",
                                            "0",
                                            "--unit-id",
                                            "NK 7",
                                            "--max-frame",
                                            "512",
                                            "--sectors",
                                            "5",
                                            "--max-keys",
                                            "33",
                                            "--sector-size",
                                            "512",
                                            "--program-unit",
                                            "32",
                                            "--copies",
                                            "2",
                                            NULL};
    struct nkv_client_statistics statistics;
    const struct nkv_device *device;
    struct sim *sim = *state;
    struct nkv_client *client;
    char port[256];

    nkv_sim_start(sim, arguments);
    nkv_sim_port(sim, port);
    client = open_client(port);
    assert_int_equal(nkv_client_device(client, NULL, &device), NKV_OK);
    assert_string_equal(device->unit_id, "NK 7");
    assert_int_equal(device->max_frame, 512);
    assert_int_equal(device->stores[0].capacity, 5 * 512);
    assert_int_equal(device->stores[0].max_keys, 33);
    assert_int_equal(nkv_client_statistics(client, NULL, &statistics), NKV_OK);
    assert_int_equal(statistics.sector_size, 512);
    assert_int_equal(statistics.sector_count, 5);
    assert_int_equal(statistics.program_unit, 32);
    assert_int_equal(statistics.copies, 2);
    nkv_client_free(&client);
    assert_int_equal(nkv_sim_end(sim, SIGTERM), NKV_SIM_DONE);
}

static void the_first_format_is_written_and_all_are_read(void **state)
{
    static const char *const first[] = {"--flash",  "FLASH",       "--tcp", "0",
                                        "--format", "0x1111:none", NULL};
    static const char *const second[] = {"--flash",  "FLASH",     "--tcp",
                                         "0",        "--format",  "2222",
                                         "--format", "1111:none", NULL};
    struct sim *sim = *state;
    struct nkv_client *client;
    uint8_t bytes[36];
    char port[256];

    nkv_sim_start(sim, first);
    nkv_sim_port(sim, port);
    client = open_client(port);
    assert_put(client, "old", "1");
    nkv_client_free(&client);
    assert_int_equal(nkv_sim_end(sim, SIGTERM), NKV_SIM_DONE);
    nkv_sim_start(sim, second);
    nkv_sim_port(sim, port);
    client = open_client(port);
    assert_value(client, "old", "1");
    assert_put(client, "new", "2");
    nkv_client_free(&client);
    assert_int_equal(nkv_sim_end(sim, SIGTERM), NKV_SIM_DONE);
    assert_int_equal(nkv_temp_read(sim->flash, bytes, sizeof bytes),
                     sizeof bytes);
    assert_int_equal(nkv_load_le32(bytes), 0x1111);
    assert_int_equal(nkv_load_le32(bytes + 4), 0);
    assert_int_equal(nkv_load_le32(bytes + 32), 0x2222);
}

/* A run until the power cut, and the run after it. */
struct cut_run {
    struct sim *sim;
    char at[40];
    /* Acknowledged, of two keys that are written in turn. */
    int acknowledged[2];
    bool was_erase;
};

static const char *const cut_keys[] = {"first", "second"};

static void write_until_cut(struct cut_run *run)
{
    const char *const arguments[] = {"--flash",       "FLASH", "--tcp",     "0",
                                     "--sector-size", "256",   "--sectors", "3",
                                     "--cut-at",      run->at, NULL};
    struct nkv_client *client;
    enum nkv_status status = NKV_OK;
    char port[256], text[300];

    nkv_sim_start(run->sim, arguments);
    nkv_sim_port(run->sim, port);
    client = open_client(port);
    for (int i = 0; status == NKV_OK && i < 1000; i++) {
        char value[16];

        (void)snprintf(value, sizeof value, "%d", run->acknowledged[i % 2] + 1);
        status =
            nkv_client_put(client, NULL, span(cut_keys[i % 2]), span(value));
        if (status == NKV_OK)
            run->acknowledged[i % 2]++;
    }
    nkv_client_free(&client);
    assert_int_equal(nkv_sim_end(run->sim, 0), NKV_SIM_POWER_CUT);
    nkv_sim_errors(run->sim, text, sizeof text);
    run->was_erase = strstr(text, "(erase at") != NULL;
}

/* Every key has the value that was acknowledged last, but that the one whose
 * turn it was may have the next. */
static void check_after_cut(const struct cut_run *run)
{
    static const char *const arguments[] = {
        "--flash", "FLASH",     "--tcp", "0", "--sector-size",
        "256",     "--sectors", "3",     NULL};
    int turn = run->acknowledged[0] == run->acknowledged[1] ? 0 : 1;
    struct nkv_client *client;
    char port[256];

    nkv_sim_start(run->sim, arguments);
    nkv_sim_port(run->sim, port);
    client = open_client(port);
    for (int i = 0; i < 2; i++) {
        struct nkv_client_value value;
        int found = 0;

        if (nkv_client_get(client, NULL, span(cut_keys[i]), &value) == NKV_OK) {
            assert_in_range(value.size, 1, 10);
            for (size_t d = 0; d < value.size; d++)
                found = found * 10 + (value.data[d] - '0');
        }
        nkv_client_value_clear(&value);
        if (found != run->acknowledged[i])
            assert_int_equal(found, run->acknowledged[i] + (i == turn));
    }
    assert_put(client, "third", "x");
    assert_value(client, "third", "x");
    nkv_client_free(&client);
    assert_int_equal(nkv_sim_end(run->sim, SIGTERM), NKV_SIM_DONE);
}

static void acknowledged_values_survive_a_cut_at_any_operation(void **state)
{
    static const char *const variants[] = {"", ":untouched", ":torn", ":half",
                                           ":whole"};
    unsigned erases = 0;

    for (int at = 1; at <= 100; at++) {
        struct cut_run run = {.sim = *state};

        (void)snprintf(run.at, sizeof run.at, "%d%s", at, variants[at % 5]);
        (void)unlink(run.sim->flash);
        write_until_cut(&run);
        check_after_cut(&run);
        erases += run.was_erase;
    }
    assert_int_not_equal(erases, 0);
}

#define A_TEST(name)                                                           \
    cmocka_unit_test_setup_teardown(name, nkv_sim_setup, nkv_sim_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(values_survive_an_end_and_a_kill),
        A_TEST(both_lines_show_one_store),
        A_TEST(the_unit_id_and_the_geometry_are_told),
        A_TEST(the_first_format_is_written_and_all_are_read),
        A_TEST(acknowledged_values_survive_a_cut_at_any_operation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
