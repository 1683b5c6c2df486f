/*
 * Two devices and more at once, in one thread: writes a key on each and reads
 * it back, whichever answers first. The arguments are ports.
 */
#include <norkv/client.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { DEVICES_MAX = 8 };

struct device {
    const char *port;
    struct nkv_client *client;
    /* Calls that have not ended, and whether any failed. */
    unsigned pending;
    int failed;
};

static struct nkv_span text(const char *string)
{
    return (struct nkv_span){(const uint8_t *)string, strlen(string)};
}

static void end(struct device *device, const struct nkv_client_outcome *outcome)
{
    device->pending--;
    if (outcome->status == NKV_OK)
        return;
    device->failed = 1;
    fprintf(stderr, "%s\n", outcome->error);
}

static void got(void *context, const struct nkv_client_outcome *outcome,
                struct nkv_client_value *value)
{
    struct device *device = context;
    if (outcome->status == NKV_OK)
        printf("%s: %.*s\n", device->port, (int)value->size,
               (const char *)value->data);
    end(device, outcome);
}

/* Callbacks may start calls: what was written is read back. */
static void wrote(void *context, const struct nkv_client_outcome *outcome,
                  const struct nkv_mutation *mutation)
{
    struct device *device = context;
    struct nkv_get_call get = {mutation->key, got, device};
    uint64_t number;
    if (outcome->status == NKV_OK &&
        nkv_client_start_get(device->client, NULL, &get, &number) == NKV_OK)
        device->pending++;
    end(device, outcome);
}

static int start(struct device *device)
{
    uint64_t number;
    struct nkv_mutation_call put = {
        .mutation = {.key = text("greeting"), .value = text("hello")},
        .done = wrote,
        .context = device,
    };
    if (nkv_client_open(device->port, NULL, &device->client) != NKV_OK ||
        nkv_client_start_mutation(device->client, NULL, &put, &number) !=
            NKV_OK) {
        fprintf(stderr, "%s\n", nkv_client_error(device->client));
        return 0;
    }
    device->pending = 1;
    return 1;
}

/* Waits for whichever is first, and lets all go on. Returns what is pending. */
static unsigned go_on(struct device *devices, nfds_t count)
{
    struct pollfd items[DEVICES_MAX] = {{0}};
    unsigned pending = 0;
    int timeout_ms = -1;
    for (nfds_t i = 0; i < count; i++) {
        int own_ms = nkv_client_timeout_ms(devices[i].client);
        items[i].fd = nkv_client_fd(devices[i].client, &items[i].events);
        if (own_ms >= 0 && (timeout_ms < 0 || own_ms < timeout_ms))
            timeout_ms = own_ms;
    }
    (void)poll(items, count, timeout_ms);
    for (nfds_t i = 0; i < count; i++) {
        /* A port that is gone has ended its calls, which said so. */
        if (nkv_client_process(devices[i].client) != NKV_OK)
            devices[i].failed = 1;
        pending += devices[i].pending;
    }
    return pending;
}

int main(int argc, char **argv)
{
    struct device devices[DEVICES_MAX] = {{0}};
    nfds_t count = 0;
    int failed = argc < 2 || argc > DEVICES_MAX + 1;
    for (int i = 1; i < argc && !failed; i++) {
        devices[count].port = argv[i];
        failed = !start(&devices[count++]);
    }
    while (!failed && go_on(devices, count) > 0)
        ;
    for (nfds_t i = 0; i < count; i++) {
        nkv_client_free(&devices[i].client);
        failed |= devices[i].failed;
    }
    return failed;
}
