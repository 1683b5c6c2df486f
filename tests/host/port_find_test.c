/* One port among several, told apart by what the system knows of them. */
#include "test.h"

/* A text that is not const. */
#define TEXT(text) ((char[]){text})

static const struct nkv_port ports[] = {
    {.name = TEXT("/dev/ttyS0"), .usb_vendor = -1, .usb_product = -1},
    {.name = TEXT("/dev/ttyUSB0"),
     .usb_vendor = 0x0403,
     .usb_product = 0x6001,
     .serial_number = TEXT("A1")},
    {.name = TEXT("/dev/ttyUSB1"),
     .usb_vendor = 0x0403,
     .usb_product = 0x6001,
     .serial_number = TEXT("A2")},
    {.name = TEXT("/dev/ttyUSB2"), .usb_vendor = 0x1a86, .usb_product = 0x7523},
    {.name = TEXT("/dev/ttyACM0"),
     .usb_vendor = 0x0483,
     .usb_product = 0x5740,
     .serial_number = TEXT("A2\x1b[2J")},
};

enum { COUNT = sizeof(ports) / sizeof(ports[0]) };

static void assert_finds(int vendor, int product, const char *serial_number,
                         const char *name)
{
    const struct nkv_port_choice choice = {vendor, product, serial_number};
    const struct nkv_port *port;
    char why[NKV_PORTS_WHY_SIZE];
    assert_int_equal(nkv_ports_find(ports, COUNT, &choice, &port, why), NKV_OK);
    assert_string_equal(port->name, name);
    assert_string_equal(why, "");
}

static void assert_finds_none(struct nkv_port_choice choice, size_t count,
                              enum nkv_status status, const char *wanted)
{
    const struct nkv_port *port = ports;
    char why[NKV_PORTS_WHY_SIZE];
    assert_int_equal(nkv_ports_find(ports, count, &choice, &port, why), status);
    assert_null(port);
    assert_string_equal(why, wanted);
}

static void the_one_port_that_fits_is_found(void **state)
{
    (void)state;
    assert_finds(0x0403, 0x6001, "A1", "/dev/ttyUSB0");
    assert_finds(0, 0, "A2", "/dev/ttyUSB1");
    assert_finds(0x1a86, 0x7523, NULL, "/dev/ttyUSB2");
    assert_finds(0x0483, 0, NULL, "/dev/ttyACM0");
}

static void more_than_one_is_an_error_that_names_them(void **state)
{
    (void)state;
    assert_finds_none(
        (struct nkv_port_choice){0x0403, 0x6001, NULL}, COUNT,
        NKV_FAILED_PRECONDITION,
        "more than one port fits 0403:6001: /dev/ttyUSB0 (0403:6001, serial "
        "number A1), /dev/ttyUSB1 (0403:6001, serial number A2)");
}

static void none_is_an_error_that_names_all(void **state)
{
    (void)state;
    assert_finds_none((struct nkv_port_choice){0, 0, "A"}, 2, NKV_NOT_FOUND,
                      "no port fits serial number A; there are /dev/ttyS0, "
                      "/dev/ttyUSB0 (0403:6001, serial number A1)");
    assert_finds_none((struct nkv_port_choice){0x1a86, 0x7523, "A1"}, 0,
                      NKV_NOT_FOUND,
                      "no port fits 1a86:7523 serial number A1; there are no "
                      "serial ports");
}

/* Even where there is only one: it may be another's. */
static void nothing_to_go_by_finds_none(void **state)
{
    (void)state;
    assert_finds_none((struct nkv_port_choice){0, 0, NULL}, 1,
                      NKV_INVALID_ARGUMENT,
                      "no port was named; there are /dev/ttyS0");
    assert_finds_none((struct nkv_port_choice){0, 0, NULL}, 0,
                      NKV_INVALID_ARGUMENT,
                      "no port was named; there are no serial ports");
}

static void a_long_list_is_cut_and_names_are_made_safe(void **state)
{
    (void)state;
    struct nkv_port many[100];
    const struct nkv_port_choice choice = {0x0483, 0, NULL};
    const struct nkv_port *port;
    char why[NKV_PORTS_WHY_SIZE];
    for (int i = 0; i < 100; i++)
        many[i] = ports[4];
    assert_int_equal(nkv_ports_find(many, 100, &choice, &port, why),
                     NKV_FAILED_PRECONDITION);
    assert_non_null(strstr(why, "A2?[2J) and 92 more"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_port_that_fits_is_found),
        cmocka_unit_test(more_than_one_is_an_error_that_names_them),
        cmocka_unit_test(none_is_an_error_that_names_all),
        cmocka_unit_test(nothing_to_go_by_finds_none),
        cmocka_unit_test(a_long_list_is_cut_and_names_are_made_safe),
    };
    return cmocka_run_group_tests_name("port_find", tests, NULL, NULL);
}
