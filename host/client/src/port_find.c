/* The one port that is meant, among those there are. */
#include "text.h"

#include <norkv/client.h>
#include <stdio.h>
#include <string.h>

/* Ports that a text names; the others are counted. */
enum { NAMED_MAX = 8 };

static bool fits(const struct nkv_port *port,
                 const struct nkv_port_choice *choice)
{
    if (choice->usb_vendor != 0 && port->usb_vendor != choice->usb_vendor)
        return false;
    if (choice->usb_product != 0 && port->usb_product != choice->usb_product)
        return false;
    return choice->serial_number == NULL ||
           (port->serial_number != NULL &&
            strcmp(port->serial_number, choice->serial_number) == 0);
}

static void add_safe(struct nkv_text *text, const char *label,
                     const char *value)
{
    char copy[80];
    if (value == NULL)
        return;
    snprintf(copy, sizeof(copy), "%s", value);
    nkv_text_make_safe(copy);
    nkv_text_add(text, "%s%s", label, copy);
}

/* " /dev/ttyUSB0 (0403:6001, serial number A1)" */
static void add_port(struct nkv_text *text, const struct nkv_port *port)
{
    add_safe(text, " ", port->name);
    if (port->usb_vendor < 0)
        return;
    nkv_text_add(text, " (%04x:%04x", (unsigned)port->usb_vendor,
                 (unsigned)port->usb_product);
    add_safe(text, ", serial number ", port->serial_number);
    nkv_text_add(text, ")");
}

/* Names the ports that fit; choice NULL: all. */
static void add_ports(struct nkv_text *text, const struct nkv_port *ports,
                      size_t count, const struct nkv_port_choice *choice)
{
    size_t named = 0;
    for (size_t i = 0; i < count; i++) {
        if (choice != NULL && !fits(&ports[i], choice))
            continue;
        if (named < NAMED_MAX) {
            nkv_text_add(text, "%s", named == 0 ? "" : ",");
            add_port(text, &ports[i]);
        }
        named++;
    }
    if (named > NAMED_MAX)
        nkv_text_add(text, " and %zu more", named - NAMED_MAX);
}

static void add_all(struct nkv_text *text, const struct nkv_port *ports,
                    size_t count)
{
    nkv_text_add(text, count == 0 ? "there are no serial ports" : "there are");
    add_ports(text, ports, count, NULL);
}

static void add_choice(struct nkv_text *text,
                       const struct nkv_port_choice *choice)
{
    if (choice->usb_vendor != 0 || choice->usb_product != 0)
        nkv_text_add(text, " %04x:%04x", (unsigned)choice->usb_vendor,
                     (unsigned)choice->usb_product);
    add_safe(text, " serial number ", choice->serial_number);
}

static enum nkv_status find(const struct nkv_port *ports, size_t count,
                            const struct nkv_port_choice *choice,
                            const struct nkv_port **port, struct nkv_text *why)
{
    size_t found = 0;
    if (choice->usb_vendor == 0 && choice->usb_product == 0 &&
        choice->serial_number == NULL) {
        nkv_text_add(why, "no port was named; ");
        add_all(why, ports, count);
        return NKV_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < count; i++) {
        if (fits(&ports[i], choice)) {
            *port = &ports[i];
            found++;
        }
    }
    if (found == 1)
        return NKV_OK;
    *port = NULL;
    nkv_text_add(why, found == 0 ? "no port fits" : "more than one port fits");
    add_choice(why, choice);
    nkv_text_add(why, found == 0 ? "; " : ":");
    if (found == 0)
        add_all(why, ports, count);
    else
        add_ports(why, ports, count, choice);
    return found == 0 ? NKV_NOT_FOUND : NKV_FAILED_PRECONDITION;
}

enum nkv_status nkv_ports_find(const struct nkv_port *ports, size_t count,
                               const struct nkv_port_choice *choice,
                               const struct nkv_port **port,
                               char why[NKV_PORTS_WHY_SIZE])
{
    struct nkv_text text = {0};
    *port = NULL;
    enum nkv_status status = find(ports, count, choice, port, &text);
    snprintf(why, NKV_PORTS_WHY_SIZE, "%s", text.text);
    return status;
}
