#include "device.h"

#include <inttypes.h>
#include <stdio.h>

/* For -v: two lines a frame, what it means and its bytes. */
static void trace(void *context, const struct nkv_client_trace *frame)
{
    FILE *to = context;

    fprintf(to, "%s %" PRIu64 ".%03u s  %s\n  ", frame->sent ? ">" : "<",
            frame->time_ms / 1000, (unsigned)(frame->time_ms % 1000),
            frame->meaning);
    for (size_t i = 0; i < frame->bytes.size; i++) {
        fprintf(to, " %02x", frame->bytes.data[i]);
    }
    fputc('\n', to);
}

static uint32_t timeout_of(const struct nkv_options *options,
                           uint32_t timeout_ms)
{
    return options->timeout_ms > 0 ? options->timeout_ms : timeout_ms;
}

enum nkv_exit nkv_connect(const struct nkv_options *options,
                          uint32_t timeout_ms, struct nkv_client **client)
{
    struct nkv_client_options how = {
        .baud = options->baud,
        .deadline_ms = timeout_of(options, timeout_ms),
        .limit_ms = timeout_of(options, timeout_ms),
        .client_name = "norkv",
    };
    enum nkv_status status;

    *client = NULL;
    if (options->port == NULL || options->port[0] == '\0') {
        return nkv_fail(NKV_EXIT_USAGE,
                        "no port: give --port PORT or set NORKV_PORT; 'norkv "
                        "ports' lists the serial ports");
    }
    if (nkv_given(options, NKV_OPTION_VERBOSE)) {
        how.trace = trace;
        how.trace_context = stderr;
    }
    status = nkv_client_open(options->port, &how, client);
    if (status == NKV_OK) {
        return NKV_EXIT_DONE;
    }
    if (*client == NULL) {
        return nkv_fail_for_memory();
    }
    nkv_fail(NKV_EXIT_FAILED, "%s", nkv_client_error(*client));
    nkv_client_free(client);
    return status == NKV_INVALID_ARGUMENT ? NKV_EXIT_USAGE : NKV_EXIT_FAILED;
}

struct nkv_call_options nkv_call_of(const struct nkv_options *options,
                                    uint32_t timeout_ms)
{
    return (struct nkv_call_options){
        .store = options->store,
        .deadline_ms = timeout_of(options, timeout_ms),
    };
}

enum nkv_exit nkv_fail_call(const struct nkv_client *client,
                            enum nkv_status status)
{
    bool no_key =
        status == NKV_NOT_FOUND && nkv_client_reason(client) == NKV_REASON_NONE;

    return nkv_fail(no_key ? NKV_EXIT_KEY_NOT_FOUND : NKV_EXIT_FAILED, "%s",
                    nkv_client_error(client));
}
