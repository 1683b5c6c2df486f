/* Which port norkv opens, and how: the options as they are typed, the list of
 * ports, and the opening are there; the list and the port are the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <device.h>
#include <reopen.h>
#include <shell_port.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text that is not const. */
#define TEXT(text) ((char[]){text})

static struct nkv_port ports[] = {
    {.name = TEXT("/dev/ttyS0"), .usb_vendor = -1, .usb_product = -1},
    {.name = TEXT("/dev/ttyUSB0"),
     .usb_vendor = 0x0403,
     .usb_product = 0x6001,
     .serial_number = TEXT("A1")},
    {.name = TEXT("/dev/ttyUSB1"),
     .usb_vendor = 0x0403,
     .usb_product = 0x6001,
     .serial_number = TEXT("A2")},
    {.name = TEXT("/dev/ttyACM0"),
     .usb_vendor = 0x0483,
     .usb_product = 0x5740,
     .serial_number = TEXT("A1")},
};

/* What was done. */
static struct {
    size_t port_count;
    int lists;
    int opens;
    char opened[64];
    struct nkv_client_options how;
    char said[300];
} seen;

enum nkv_status nkv_ports_list(struct nkv_port **list, size_t *count)
{
    seen.lists++;
    *list = ports;
    *count = seen.port_count;
    return NKV_OK;
}

void nkv_ports_free(struct nkv_port *list, size_t count)
{
    assert_ptr_equal(list, ports);
    assert_int_equal(count, seen.port_count);
}

enum nkv_status nkv_client_open(const char *port,
                                const struct nkv_client_options *options,
                                struct nkv_client **client)
{
    seen.opens++;
    snprintf(seen.opened, sizeof seen.opened, "%s", port);
    seen.how = *options;
    *client = NULL;
    return NKV_OK;
}

enum nkv_exit nkv_fail(enum nkv_exit code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(seen.said, sizeof seen.said, format, arguments);
    va_end(arguments);
    return code;
}

enum nkv_exit nkv_fail_for_memory(void)
{
    return nkv_fail(NKV_EXIT_FAILED, "no memory");
}

/* ---- What is not used here ------------------------------------------------
 */

void nkv_client_free(struct nkv_client **client)
{
    *client = NULL;
}

const char *nkv_client_error(const struct nkv_client *client)
{
    (void)client;
    return "";
}

const char *nkv_client_hint(const struct nkv_client *client)
{
    (void)client;
    return "";
}

const char *nkv_client_port(const struct nkv_client *client)
{
    (void)client;
    return "";
}

enum nkv_reason nkv_client_reason(const struct nkv_client *client)
{
    (void)client;
    return NKV_REASON_NONE;
}

bool nkv_await_port(uint64_t end_ms, bool (*attempt)(void *context),
                    void *context)
{
    (void)end_ms, (void)attempt, (void)context;
    return false;
}

enum nkv_status nkv_shell_port_connect(struct nkv_shell_port *port,
                                       const struct nkv_client_options *how,
                                       struct nkv_client **client,
                                       char why[NKV_CLIENT_WHY_SIZE])
{
    (void)port, (void)how, (void)client, (void)why;
    return NKV_INTERNAL;
}

bool nkv_shell_port_was_lost(const struct nkv_shell_port *port)
{
    (void)port;
    return false;
}

void nkv_shell_port_look(struct nkv_shell_port *port)
{
    (void)port;
}

bool nkv_shell_port_drop_lost(struct nkv_shell_port *port)
{
    (void)port;
    return false;
}

/* ---- The tests ------------------------------------------------------------
 */

enum { WORDS_MAX = 12 };

/* Connects as "norkv info" with these words behind it. */
static enum nkv_exit connect_with(const char *words)
{
    char line[100], *rest;
    char *arguments[WORDS_MAX + 1];
    int count = 0;
    struct nkv_options options;
    struct nkv_client *client;
    int first;
    enum nkv_exit code;

    seen.lists = 0;
    seen.opens = 0;
    seen.said[0] = '\0';
    snprintf(line, sizeof line, "norkv info %s", words);
    for (char *word = strtok_r(line, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        assert_true(count < WORDS_MAX);
        arguments[count++] = word;
    }
    arguments[count] = NULL;
    code = nkv_options_parse(count, arguments, &options, &first);
    assert_int_equal(code, NKV_EXIT_DONE);
    return nkv_connect(&options, 1000, &client);
}

static void expect_opens(const char *words, const char *port)
{
    assert_int_equal(connect_with(words), NKV_EXIT_DONE);
    assert_string_equal(seen.said, "");
    assert_int_equal(seen.opens, 1);
    assert_string_equal(seen.opened, port);
}

/* No other port is opened, and none where it is not clear which is meant. */
static void expect_opens_none(const char *words, enum nkv_exit code,
                              const char *said)
{
    assert_int_equal(connect_with(words), code);
    assert_int_equal(seen.opens, 0);
    assert_non_null(strstr(seen.said, said));
}

static void the_port_with_these_ids_alone_is_opened(void **state)
{
    (void)state;
    expect_opens("--serial-number A2", "/dev/ttyUSB1");
    expect_opens("--vid-pid 0483:5740", "/dev/ttyACM0");
    expect_opens("--vid-pid 0403:6001 --serial-number A1", "/dev/ttyUSB0");
    assert_int_equal(seen.lists, 1);
}

static void a_named_port_is_opened_without_a_list(void **state)
{
    (void)state;
    expect_opens("--port /dev/serial/by-id/usb-Acme_A2-if00-port0",
                 "/dev/serial/by-id/usb-Acme_A2-if00-port0");
    assert_int_equal(seen.lists, 0);
}

static void no_port_is_tried_to_find_out(void **state)
{
    (void)state;
    expect_opens_none("--serial-number A1", NKV_EXIT_FAILED, "/dev/ttyUSB0");
    assert_non_null(strstr(seen.said, "/dev/ttyACM0"));
    expect_opens_none("--vid-pid 0403:6001", NKV_EXIT_FAILED, "say more");
    expect_opens_none("--serial-number A3", NKV_EXIT_FAILED,
                      "is the device plugged in?");
    expect_opens_none("--vid-pid 0403:6001 --port /dev/ttyUSB0", NKV_EXIT_USAGE,
                      "--port names the port already");
    /* Not even the only one. */
    seen.port_count = 1;
    expect_opens_none("", NKV_EXIT_USAGE, "give --port PORT");
    seen.port_count = sizeof ports / sizeof ports[0];
}

static void control_lines_and_rate_reach_the_port(void **state)
{
    static const char *const names[] = {"keep", "on", "off"};
    char words[100];

    (void)state;
    expect_opens("--port p", "p");
    assert_int_equal(seen.how.dtr, NKV_LINE_KEEP);
    assert_int_equal(seen.how.rts, NKV_LINE_KEEP);
    assert_int_equal(seen.how.baud, 0);
    for (int i = 0; i < 9; i++) {
        snprintf(words, sizeof words, "--port p --baud 9600 --dtr %s --rts %s",
                 names[i % 3], names[i / 3]);
        expect_opens(words, "p");
        assert_int_equal(seen.how.dtr, i % 3);
        assert_int_equal(seen.how.rts, i / 3);
        assert_int_equal(seen.how.baud, 9600);
    }
}

static int forget_environment(void **state)
{
    (void)state;
    seen.port_count = sizeof ports / sizeof ports[0];
    return unsetenv("NORKV_PORT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_port_with_these_ids_alone_is_opened),
        cmocka_unit_test(a_named_port_is_opened_without_a_list),
        cmocka_unit_test(no_port_is_tried_to_find_out),
        cmocka_unit_test(control_lines_and_rate_reach_the_port),
    };

    return cmocka_run_group_tests(tests, forget_environment, NULL);
}
