#include "reopen.h"

#include "device.h"
#include "interrupt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    /* A port that comes back is tried so often. */
    PAUSE_MS = 250,
    FRUITLESS_MAX = 3
};

uint64_t nkv_now_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void nkv_reopen_begin(struct nkv_reopen *reopen,
                      const struct nkv_options *options, uint32_t timeout_ms)
{
    *reopen = (struct nkv_reopen){
        .options = options,
        .end_ms = nkv_now_ms() + timeout_ms,
    };
}

enum nkv_exit nkv_reopen_note_unit(struct nkv_reopen *reopen,
                                   struct nkv_client *client)
{
    struct nkv_call_options call = {.deadline_ms = nkv_reopen_left_ms(reopen)};
    const struct nkv_device *device;
    enum nkv_status status = nkv_client_device(client, &call, &device);

    if (status != NKV_OK) {
        return nkv_fail_call(client, status);
    }
    free(reopen->unit_id);
    reopen->unit_id = strdup(device->unit_id);
    return reopen->unit_id != NULL ? NKV_EXIT_DONE : nkv_fail_for_memory();
}

/* 0 would be the client's own deadline. */
uint32_t nkv_reopen_left_ms(const struct nkv_reopen *reopen)
{
    uint64_t now = nkv_now_ms();

    return reopen->end_ms > now ? (uint32_t)(reopen->end_ms - now) : 1;
}

bool nkv_await_port(uint64_t end_ms, bool (*attempt)(void *context),
                    void *context)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

    while (!nkv_interrupted() && nkv_now_ms() + PAUSE_MS < end_ms) {
        (void)nanosleep(&pause, NULL);
        if (attempt(context)) {
            return true;
        }
    }
    return false;
}

struct attempt {
    struct nkv_reopen *reopen;
    struct nkv_client **client;
    const char *port;
};

/* Whether the port is there again, with the same unit at it. */
static bool is_back(void *context)
{
    const struct attempt *attempt = context;
    const struct nkv_reopen *reopen = attempt->reopen;
    struct nkv_call_options call = {.deadline_ms = nkv_reopen_left_ms(reopen)};
    const struct nkv_device *device;

    nkv_client_free(attempt->client);
    return nkv_reconnect(reopen->options, attempt->port, call.deadline_ms,
                         attempt->client) == NKV_OK &&
           nkv_client_device(*attempt->client, &call, &device) == NKV_OK &&
           strcmp(device->unit_id, reopen->unit_id) == 0;
}

bool nkv_reopen(struct nkv_reopen *reopen, struct nkv_client **client,
                const char *so_far)
{
    short events;
    char *port;
    bool is_open;

    /* A device that stayed busy is still there. */
    if (nkv_client_fd(*client, &events) != -1 || reopen->unit_id == NULL ||
        reopen->fruitless++ == FRUITLESS_MAX) {
        return false;
    }
    port = strdup(nkv_client_port(*client));
    if (port == NULL) {
        return false;
    }
    fprintf(stderr, "norkv: %s: %s; waiting for the port to go on\n", port,
            so_far);
    struct attempt attempt = {reopen, client, port};
    is_open = nkv_await_port(reopen->end_ms, is_back, &attempt);
    free(port);
    return is_open;
}

void nkv_reopen_end(struct nkv_reopen *reopen)
{
    free(reopen->unit_id);
    reopen->unit_id = NULL;
}
