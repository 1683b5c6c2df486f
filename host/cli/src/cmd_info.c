/* norkv info: who the device is, what it takes, and its stores. */
#include "command.h"
#include "device.h"
#include "output.h"
#include "show_fault.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A number of struct nkv_device. */
struct number {
    const char *name;
    const char *label;
    size_t offset;
};

static const struct number numbers[] = {
    {"protocol_version", "protocol version",
     offsetof(struct nkv_device, protocol_version)},
    {"max_key", "longest key, bytes", offsetof(struct nkv_device, max_key)},
    {"max_value", "largest value, bytes",
     offsetof(struct nkv_device, max_value)},
    {"max_frame", "largest frame, bytes",
     offsetof(struct nkv_device, max_frame)},
    {"rx_window", "receive window, bytes",
     offsetof(struct nkv_device, rx_window)},
    {"max_calls", "writes in flight", offsetof(struct nkv_device, max_calls)},
    {"stall_max_ms", "longest stall, ms",
     offsetof(struct nkv_device, stall_max_ms)},
    {"features", "feature bits", offsetof(struct nkv_device, features)},
    {"access", "access level", offsetof(struct nkv_device, access)},
    {"boot_id", "boot id", offsetof(struct nkv_device, boot_id)},
};

static uint32_t number_of(const struct nkv_device *device,
                          const struct number *number)
{
    uint32_t value;

    memcpy(&value, (const uint8_t *)device + number->offset, sizeof value);
    return value;
}

static json_t *store_object(const struct nkv_device_store *store)
{
    json_t *object = json_object();

    nkv_json_set_integer(object, "number", store->number);
    nkv_json_set_text(object, "name", store->name);
    nkv_json_set_integer(object, "capacity", store->capacity);
    nkv_json_set_integer(object, "max_keys", store->max_keys);
    nkv_json_set_text(object, "mount_status",
                      nkv_status_name(store->mount_status));
    nkv_json_set_fault(object, store->fault, store->fault_detail);
    return object;
}

static enum nkv_exit print_json(const struct nkv_client *client,
                                const struct nkv_device *device)
{
    json_t *object = json_object();
    json_t *stores = json_array();

    nkv_json_set_text(object, "port", nkv_client_port(client));
    nkv_json_set_text(object, "product", device->product);
    nkv_json_set_text(object, "unit_id", device->unit_id);
    nkv_json_set_text(object, "firmware", device->firmware);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        nkv_json_set_integer(object, numbers[i].name,
                             number_of(device, &numbers[i]));
    }
    for (size_t i = 0; i < device->store_count; i++) {
        json_array_append_new(stores, store_object(&device->stores[i]));
    }
    json_object_set_new(object, "stores", stores);
    if (nkv_client_hint(client)[0] != '\0') {
        nkv_json_set_text(object, "hint", nkv_client_hint(client));
    }
    return nkv_print_json(object);
}

static void print_text(const char *label, const char *text)
{
    printf("%-24s", label);
    nkv_print_shown((struct nkv_span){(const uint8_t *)text, strlen(text)});
    putchar('\n');
}

static void print_fault(const struct nkv_device_store *store)
{
    char text[NKV_FAULT_TEXT_SIZE];

    if (store->fault != NKV_FAULT_NONE) {
        nkv_client_explain_fault(store->fault, store->fault_detail, text);
        printf("fault of store %-9" PRIu32 "%s\n", store->number, text);
    }
}

static void print_lines(const struct nkv_client *client,
                        const struct nkv_device *device)
{
    print_text("port", nkv_client_port(client));
    print_text("product", device->product);
    print_text("unit id", device->unit_id);
    print_text("firmware", device->firmware);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        printf("%-24s%" PRIu32 "\n", numbers[i].label,
               number_of(device, &numbers[i]));
    }
    for (size_t i = 0; i < device->store_count; i++) {
        const struct nkv_device_store *store = &device->stores[i];

        printf("store %-18" PRIu32, store->number);
        nkv_print_shown((struct nkv_span){(const uint8_t *)store->name,
                                          strlen(store->name)});
        printf(", %" PRIu32 " bytes, up to %" PRIu32 " keys, %s\n",
               store->capacity, store->max_keys,
               nkv_status_name(store->mount_status));
        print_fault(store);
    }
    if (nkv_client_hint(client)[0] != '\0') {
        print_text("hint", nkv_client_hint(client));
    }
}

enum nkv_exit nkv_run_info(const struct nkv_options *options, int count,
                           char **operands)
{
    struct nkv_call_options call = nkv_call_of(options, NKV_TIMEOUT_SHORT);
    const struct nkv_device *device;
    struct nkv_client *client;
    enum nkv_exit code = nkv_connect(options, NKV_TIMEOUT_SHORT, &client);
    enum nkv_status status;

    (void)count;
    (void)operands;
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    status = nkv_client_device(client, &call, &device);
    if (status != NKV_OK) {
        code = nkv_fail_call(client, status);
    } else if (nkv_given(options, NKV_OPTION_JSON)) {
        code = print_json(client, device);
    } else {
        print_lines(client, device);
    }
    nkv_client_free(&client);
    return code;
}
