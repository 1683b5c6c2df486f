/* norkv ports: the serial ports of this machine. */
#include "command.h"
#include "output.h"

#include <norkv/client.h>
#include <stdio.h>
#include <string.h>

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL) {
        nkv_json_set_text(object, name, text);
    }
}

static enum nkv_exit print_json(const struct nkv_port *port)
{
    json_t *object = json_object();

    nkv_json_set_text(object, "port", port->name);
    set_text(object, "description", port->description);
    if (port->usb_vendor >= 0) {
        nkv_json_set_integer(object, "usb_vendor", port->usb_vendor);
        nkv_json_set_integer(object, "usb_product", port->usb_product);
    }
    set_text(object, "manufacturer", port->manufacturer);
    set_text(object, "product", port->product);
    set_text(object, "serial_number", port->serial_number);
    return nkv_print_json(object);
}

static void print_part(const char *label, const char *text)
{
    if (text != NULL) {
        printf("  %s", label);
        nkv_print_shown((struct nkv_span){(const uint8_t *)text, strlen(text)});
    }
}

static void print_line(const struct nkv_port *port)
{
    printf("%s", port->name);
    if (port->usb_vendor >= 0) {
        printf("  usb %04x:%04x", (unsigned)port->usb_vendor,
               (unsigned)port->usb_product);
    }
    print_part("serial number ", port->serial_number);
    print_part("", port->description);
    putchar('\n');
}

enum nkv_exit nkv_run_ports(const struct nkv_options *options, int count,
                            char **operands)
{
    struct nkv_port *ports;
    size_t port_count;
    enum nkv_exit code = NKV_EXIT_DONE;

    (void)count;
    (void)operands;
    if (nkv_ports_list(&ports, &port_count) != NKV_OK) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "cannot list the serial ports: is /sys there, and may "
                        "it be read?");
    }
    for (size_t i = 0; i < port_count && code == NKV_EXIT_DONE; i++) {
        if (nkv_given(options, NKV_OPTION_JSON)) {
            code = print_json(&ports[i]);
        } else {
            print_line(&ports[i]);
        }
    }
    if (port_count == 0 && !nkv_given(options, NKV_OPTION_JSON)) {
        fputs("norkv: there are no serial ports\n", stderr);
    }
    nkv_ports_free(ports, port_count);
    return code;
}
