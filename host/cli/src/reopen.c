#include "reopen.h"

#include "clock.h"
#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    /* A port that comes back is tried so often. */
    PAUSE_MS = 250,
    FRUITLESS_MAX = 3
};

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

uint32_t nkv_reopen_left_ms(const struct nkv_reopen *reopen)
{
    return nkv_left_ms(reopen->end_ms);
}

bool nkv_await_port(uint64_t end_ms, bool (*attempt)(void *context),
                    void *context)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

    while (nkv_now_ms() + PAUSE_MS < end_ms) {
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
                enum nkv_status status, const char *so_far)
{
    short events;
    char *port;
    bool is_open;

    free(reopen->why);
    reopen->why = strdup(nkv_client_error(*client));
    /* A device that stayed busy is still there. */
    if (status != NKV_UNAVAILABLE || nkv_client_fd(*client, &events) != -1 ||
        reopen->unit_id == NULL || reopen->fruitless++ == FRUITLESS_MAX) {
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

const char *nkv_reopen_why(const struct nkv_reopen *reopen)
{
    return reopen->why != NULL ? reopen->why : "no memory";
}

void nkv_reopen_end(struct nkv_reopen *reopen)
{
    free(reopen->unit_id);
    free(reopen->why);
    reopen->unit_id = NULL;
    reopen->why = NULL;
}
