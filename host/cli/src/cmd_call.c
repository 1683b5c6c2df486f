/* norkv call: any method of any pw_rpc server, on bytes. */
#include "command.h"
#include "device.h"
#include "operands.h"
#include "output.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

struct call {
    const struct nkv_options *options;
    bool ended;
    enum nkv_exit code;
};

static void print_hex(struct nkv_span bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        printf("%02x", bytes.data[i]);
    }
    putchar('\n');
}

/* A message of a stream: a line of hex digits, or an object. */
static void show_message(void *context, struct nkv_span payload)
{
    const struct call *call = context;

    if (nkv_given(call->options, NKV_OPTION_JSON)) {
        json_t *object = json_object();

        nkv_json_set_hex(object, "message_hex", payload);
        (void)nkv_print_json(object);
    } else {
        print_hex(payload);
    }
}

/* The response's object; file is where it went, or NULL. */
static enum nkv_exit print_response(const char *file, struct nkv_span payload)
{
    json_t *object = json_object();

    if (file != NULL) {
        nkv_json_set_text(object, "file", file);
        nkv_json_set_integer(object, "size", (json_int_t)payload.size);
    } else {
        nkv_json_set_hex(object, "response_hex", payload);
    }
    return nkv_print_json(object);
}

static enum nkv_exit show_response(const struct nkv_options *options,
                                   struct nkv_span payload)
{
    const char *output = options->output;
    const char *file =
        output != NULL && strcmp(output, "-") != 0 ? output : NULL;
    enum nkv_exit code = NKV_EXIT_DONE;

    if (file != NULL) {
        code = nkv_write_file(file, payload);
    }
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    if (nkv_given(options, NKV_OPTION_JSON)) {
        return print_response(file, payload);
    }
    if (file == NULL && output != NULL) {
        nkv_print_bytes(payload);
    } else if (file == NULL && payload.size > 0) {
        print_hex(payload);
    }
    return NKV_EXIT_DONE;
}

static void finish(void *context, const struct nkv_client_outcome *outcome,
                   struct nkv_span payload)
{
    struct call *call = context;

    call->ended = true;
    if (outcome->status == NKV_OK) {
        call->code = show_response(call->options, payload);
    } else {
        call->code = nkv_fail(NKV_EXIT_FAILED, "%s", outcome->error);
    }
}

/* Lets the client go on until the call has ended, as it does in any case. */
static void wait_for(struct nkv_client *client, const struct call *call)
{
    while (!call->ended) {
        struct pollfd item = {0};
        enum nkv_status status;

        item.fd = nkv_client_fd(client, &item.events);
        (void)poll(&item, 1, nkv_client_timeout_ms(client));
        status = nkv_client_process(client);
        /* A port that is gone ends the call, which says so. */
        (void)status;
    }
}

static enum nkv_exit make_call(const struct nkv_options *options,
                               struct nkv_client *client,
                               const struct nkv_generic_call *what,
                               struct call *call)
{
    struct nkv_call_options how = nkv_call_of(options, NKV_TIMEOUT_SHORT);
    uint64_t number;
    enum nkv_status status = nkv_client_start_call(client, &how, what, &number);

    if (status != NKV_OK) {
        return nkv_fail(NKV_EXIT_FAILED, "the call cannot be started (%s): %s",
                        nkv_status_name(status), nkv_client_error(client));
    }
    wait_for(client, call);
    return call->code;
}

/* Cuts SERVICE/METHOD in two. */
static enum nkv_exit split(char *text, struct nkv_generic_call *what)
{
    char *slash = strrchr(text, '/');

    if (slash == NULL || slash == text || slash[1] == '\0') {
        return nkv_fail(NKV_EXIT_USAGE,
                        "'%.80s' is no SERVICE/METHOD: give names like "
                        "pw.rpc.EchoService/Echo",
                        text);
    }
    *slash = '\0';
    what->service = text;
    what->method = slash + 1;
    return NKV_EXIT_DONE;
}

enum nkv_exit nkv_run_call(const struct nkv_options *options, int count,
                           char **operands)
{
    struct call call = {.options = options};
    struct nkv_generic_call what = {
        .message = show_message,
        .done = finish,
        .context = &call,
    };
    struct nkv_blob request = {0};
    struct nkv_client *client;
    enum nkv_exit code;

    if (count > 1 && strcmp(operands[1], "-") != 0) {
        return nkv_fail(NKV_EXIT_USAGE,
                        "the request is given by --hex BYTES, --file F or -");
    }
    code = split(operands[0], &what);
    if (code == NKV_EXIT_DONE &&
        (count > 1 || options->hex != NULL || options->file != NULL)) {
        code = nkv_value_operand(options, count > 1 ? "-" : NULL, &request);
    }
    if (code == NKV_EXIT_DONE) {
        what.request = nkv_blob_span(&request);
        code = nkv_connect(options, NKV_TIMEOUT_SHORT, &client);
    }
    if (code == NKV_EXIT_DONE) {
        code = make_call(options, client, &what, &call);
        nkv_client_free(&client);
    }
    nkv_blob_free(&request);
    return code;
}
