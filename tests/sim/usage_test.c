/* What norkv-sim says to wrong arguments: one line, exit code 2, and nothing
 * else is done. */
#include "report.h"
#include "sim_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Up to 8 arguments, and what the line must contain. */
struct usage_case {
    const char *arguments[9];
    const char *says;
};

/* One line, from norkv-sim. */
static void assert_one_line(const struct sim *sim, const char *says)
{
    char text[1024];

    nkv_sim_errors(sim, text, sizeof text);
    assert_memory_equal(text, "norkv-sim: ", 11);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    if (strstr(text, says) == NULL)
        fail_msg("'%s' is not in '%s'", says, text);
}

static void wrong_arguments_get_one_line_and_exit_code_2(void **state)
{
    static const struct usage_case cases[] = {
        {{NULL}, "--flash FILE"},
        {{"--pty", NULL}, "--flash FILE"},
        {{"--flash", "", "--pty", NULL}, "--flash FILE"},
        {{"--flash", "FLASH", NULL}, "--pty"},
        {{"--flash", NULL}, "a value is missing after --flash"},
        {{"--flash", "FLASH", "--pty", "more", NULL}, "more"},
        {{"--flash", "FLASH", "--pty", "--wrong", NULL}, "--wrong"},
        {{"--flash", "FLASH", "--pty=x", NULL}, "--pty=x"},
        {{"--flash", "FLASH", "-x", NULL}, "-x"},
        {{"--flash", "FLASH", "--tcp", "0", "--link", "LINK", NULL}, "--pty"},
        {{"--flash", "FLASH", "--pty", "--link", "", NULL}, "--link"},
        {{"--flash", "FLASH", "--tcp", "host", NULL}, "--tcp host"},
        {{"--flash", "FLASH", "--tcp", "1.2.3.4:", NULL}, "--tcp 1.2.3.4:"},
        {{"--flash", "FLASH", "--tcp", "::1:0", NULL}, "--tcp ::1:0"},
        {{"--flash", "FLASH", "--tcp", "65536", NULL}, "65535"},
        {{"--flash", "FLASH", "--tcp", "0", "--tcp", "1", NULL}, "--tcp 1"},
        {{"--flash", "FLASH", "--pty", "--baud", "fast", NULL}, "--baud fast"},
        {{"--flash", "FLASH", "--pty", "--baud", "49", NULL}, "--baud 49"},
        {{"--flash", "FLASH", "--pty", "--max-frame", "159", NULL}, "160"},
        {{"--flash", "FLASH", "--pty", "--rx-window", "159", NULL}, "160"},
        {{"--flash", "FLASH", "--pty", "--rx-window", "2000", NULL},
         "--max-frame 2048"},
        {{"--flash", "FLASH", "--pty", "--fault", "fire", NULL}, "no-flash"},
        {{"--flash", "FLASH", "--pty", "--fault", "no-flash:", NULL},
         "--fault no-flash:"},
        {{"--flash", "FLASH", "--pty", "--fault", "no-flash:x", NULL},
         "--fault no-flash:x"},
        {{"--flash", "FLASH", "--pty", "--fault", "no-flash:4294967296", NULL},
         "--fault no-flash:4294967296"},
        {{"--flash", "FLASH", "--pty", "--store", "name", NULL}, "NAME=FILE"},
        {{"--flash", "FLASH", "--pty", "--store", "name=", NULL}, "NAME=FILE"},
        {{"--flash", "FLASH", "--pty", "--store", "=x", NULL}, "the name"},
        {{"--flash", "FLASH", "--pty", "--store", "1a=x", NULL}, "the name"},
        {{"--flash", "FLASH", "--pty", "--store", "a b=x", NULL}, "the name"},
        {{"--flash", "FLASH", "--pty", "--store", "a2345678901234567=x", NULL},
         "the name"},
        {{"--flash", "FLASH", "--pty", "--store", "main=x", NULL},
         "of that name"},
        {{"--flash", "FLASH", "--pty", "--unit-id", "", NULL}, "--unit-id"},
        {{"--flash", "FLASH", "--pty", "--unit-id", "a\nb", NULL}, "a?b"},
        {{"--flash", "FLASH", "--pty", "--cut-at", "0", NULL}, "--cut-at 0"},
        {{"--flash", "FLASH", "--pty", "--cut-at", "1:no", NULL}, "untouched"},
        {{"--flash", "FLASH", "--pty", "--sectors", "1", NULL}, "--sectors 1"},
        {{"--flash", "FLASH", "--pty", "--sector-size", "40", NULL},
         "--sector-size 40"},
        {{"--flash", "FLASH", "--pty", "--program-unit", "3", NULL},
         "--program-unit 3"},
        {{"--flash", "FLASH", "--pty", "--copies", "3", "--sectors", "3", NULL},
         "--copies 3"},
        {{"--flash", "FLASH", "--pty", "--format", "1:md5", NULL}, "1:md5"},
        {{"--flash", "FLASH", "--pty", "--max-keys", "0", NULL},
         "--max-keys 0"},
    };
    struct sim *sim = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char character;

        nkv_sim_start(sim, cases[i].arguments);
        assert_int_equal(read(sim->output, &character, 1), 0);
        assert_int_equal(nkv_sim_end(sim, 0), NKV_SIM_USAGE);
        assert_one_line(sim, cases[i].says);
        assert_int_equal(access(sim->flash, F_OK), -1);
    }
}

static void a_flash_file_of_another_size_is_wrong_usage(void **state)
{
    static const char *const arguments[] = {"--flash", "FLASH", "--pty", NULL};
    struct sim *sim = *state;
    uint8_t bytes[101];

    nkv_temp_fill(sim->flash, 'x', 100);
    nkv_sim_start(sim, arguments);
    assert_int_equal(nkv_sim_end(sim, 0), NKV_SIM_USAGE);
    assert_one_line(sim, "65536 bytes");
    assert_int_equal(nkv_temp_read(sim->flash, bytes, sizeof bytes), 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(bytes[i], 'x');
}

static void a_flash_file_in_use_is_refused(void **state)
{
    static const char *const arguments[] = {"--flash", "FLASH", "--pty", NULL};
    struct sim *sim = *state;
    struct sim second = *sim;
    char port[256];

    nkv_temp_path(&sim->folder, "errors2", second.errors);
    second.output = -1;
    nkv_sim_start(sim, arguments);
    nkv_sim_port(sim, port);
    nkv_sim_start(&second, arguments);
    assert_int_equal(nkv_sim_end(&second, 0), NKV_SIM_FAILED);
    close(second.output);
    assert_one_line(&second, "in use");
    assert_int_equal(nkv_sim_end(sim, SIGTERM), NKV_SIM_DONE);
}

static void a_port_in_use_is_named(void **state)
{
    struct sim *sim = *state;
    struct sim second = *sim;
    const char *arguments[] = {"--flash", "FLASH", "--tcp", "0", NULL};
    char port[256];

    nkv_temp_path(&sim->folder, "errors2", second.errors);
    nkv_temp_path(&sim->folder, "flash2.bin", second.flash);
    second.output = -1;
    nkv_sim_start(sim, arguments);
    nkv_sim_port(sim, port);
    arguments[3] = port + strlen("tcp:");
    nkv_sim_start(&second, arguments);
    assert_int_equal(nkv_sim_end(&second, 0), NKV_SIM_FAILED);
    close(second.output);
    assert_one_line(&second, arguments[3]);
    assert_one_line(&second, strerror(EADDRINUSE));
    assert_int_equal(access(second.flash, F_OK), -1);
    assert_int_equal(nkv_sim_end(sim, SIGTERM), NKV_SIM_DONE);
}

/* But one that was there before stays. */
static void a_start_that_fails_leaves_no_new_flash_file(void **state)
{
    static const char *const arguments[] = {"--flash", "FLASH",         "--pty",
                                            "--link",  "/nowhere/link", NULL};
    struct sim *sim = *state;
    uint8_t bytes[65536];

    nkv_sim_start(sim, arguments);
    assert_int_equal(nkv_sim_end(sim, 0), NKV_SIM_FAILED);
    assert_one_line(sim, "/nowhere/link");
    assert_int_equal(access(sim->flash, F_OK), -1);
    nkv_temp_fill(sim->flash, 0xFF, sizeof bytes);
    nkv_sim_start(sim, arguments);
    assert_int_equal(nkv_sim_end(sim, 0), NKV_SIM_FAILED);
    assert_int_equal(nkv_temp_read(sim->flash, bytes, sizeof bytes),
                     sizeof bytes);
}

static size_t read_all(struct sim *sim, char *text, size_t capacity)
{
    size_t size = 0;
    ssize_t got;

    while ((got = read(sim->output, text + size, capacity - 1 - size)) > 0)
        size += (size_t)got;
    text[size] = '\0';
    return size;
}

static void help_names_every_option_and_exit_code(void **state)
{
    static const char *const arguments[] = {"--help", NULL};
    static const char *const said[] = {
        "--flash",       "--sector-size", "--sectors",  "--program-unit",
        "--copies",      "--format",      "--max-keys", "--max-frame",
        "--pty",         "--link",        "--tcp",      "--baud",
        "--cut-at",      "--unit-id",     "--help",     "--version",
        "torn",          "untouched",     "half",       "whole",
        "Exit codes: 0",
    };
    struct sim *sim = *state;
    char text[8192];

    nkv_sim_start(sim, arguments);
    assert_in_range(read_all(sim, text, sizeof text), 1000, sizeof text - 2);
    assert_int_equal(nkv_sim_end(sim, 0), NKV_SIM_DONE);
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        assert_non_null(strstr(text, said[i]));
}

static void the_version_is_one_line(void **state)
{
    static const char *const arguments[] = {"--version", NULL};
    struct sim *sim = *state;
    char text[100];
    unsigned major, minor, patch;

    nkv_sim_start(sim, arguments);
    read_all(sim, text, sizeof text);
    assert_int_equal(nkv_sim_end(sim, 0), NKV_SIM_DONE);
    assert_int_equal(
        sscanf(text, "norkv-sim %u.%u.%u\n", &major, &minor, &patch), 3);
}

static void help_without_standard_output_fails(void **state)
{
    static const char *const arguments[] = {"--help", NULL};
    struct sim *sim = *state;

    nkv_sim_start_into(sim, -1, arguments);
    assert_int_equal(nkv_sim_end(sim, 0), NKV_SIM_FAILED);
    assert_one_line(sim, "standard output");
}

#define A_TEST(name)                                                           \
    cmocka_unit_test_setup_teardown(name, nkv_sim_setup, nkv_sim_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(wrong_arguments_get_one_line_and_exit_code_2),
        A_TEST(a_flash_file_of_another_size_is_wrong_usage),
        A_TEST(a_flash_file_in_use_is_refused),
        A_TEST(a_port_in_use_is_named),
        A_TEST(a_start_that_fails_leaves_no_new_flash_file),
        A_TEST(help_names_every_option_and_exit_code),
        A_TEST(the_version_is_one_line),
        A_TEST(help_without_standard_output_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
