/* Which serial ports this machine has. */
#include <libserialport.h>
#include <norkv/client.h>
#include <stdlib.h>
#include <string.h>

static char *copy_text(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

static void describe(const struct sp_port *from, struct nkv_port *to)
{
    to->name = copy_text(sp_get_port_name(from));
    to->description = copy_text(sp_get_port_description(from));
    to->usb_vendor = -1;
    to->usb_product = -1;
    if (sp_get_port_transport(from) != SP_TRANSPORT_USB)
        return;
    if (sp_get_port_usb_vid_pid(from, &to->usb_vendor, &to->usb_product) !=
        SP_OK) {
        to->usb_vendor = -1;
        to->usb_product = -1;
    }
    to->manufacturer = copy_text(sp_get_port_usb_manufacturer(from));
    to->product = copy_text(sp_get_port_usb_product(from));
    to->serial_number = copy_text(sp_get_port_usb_serial(from));
}

enum nkv_status nkv_ports_list(struct nkv_port **ports, size_t *count)
{
    *ports = NULL;
    *count = 0;
    struct sp_port **list;
    if (sp_list_ports(&list) != SP_OK)
        return NKV_INTERNAL;
    size_t size = 0;
    while (list[size] != NULL)
        size++;
    *ports = calloc(size + 1, sizeof(**ports));
    if (*ports == NULL) {
        sp_free_port_list(list);
        return NKV_INTERNAL;
    }
    for (size_t i = 0; i < size; i++)
        describe(list[i], &(*ports)[i]);
    *count = size;
    sp_free_port_list(list);
    for (size_t i = 0; i < size; i++) {
        if ((*ports)[i].name == NULL) {
            nkv_ports_free(*ports, *count);
            *ports = NULL;
            *count = 0;
            return NKV_INTERNAL;
        }
    }
    return NKV_OK;
}

void nkv_ports_free(struct nkv_port *ports, size_t count)
{
    for (size_t i = 0; ports != NULL && i < count; i++) {
        free(ports[i].name);
        free(ports[i].description);
        free(ports[i].manufacturer);
        free(ports[i].product);
        free(ports[i].serial_number);
    }
    free(ports);
}
