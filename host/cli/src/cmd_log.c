/* norkv log: what the device says besides its answers. */
#include "clock.h"
#include "command.h"
#include "device.h"
#include "interrupt.h"
#include "output.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* How long an interrupt that comes between two waits goes unnoticed. */
enum { SLICE_MS = 200 };

struct log {
    const struct nkv_options *options;
    uint32_t count;
    enum nkv_exit code;
};

static enum nkv_exit print_json(const struct nkv_client_remark *remark)
{
    json_t *object = json_object();

    nkv_json_set_integer(object, "time_ms", (json_int_t)remark->time_ms);
    nkv_json_set_text(object, "kind", remark->is_log ? "log" : "text");
    if (nkv_is_utf8(remark->text)) {
        json_object_set_new(
            object, "text",
            json_stringn((const char *)remark->text.data, remark->text.size));
    }
    nkv_json_set_hex(object, "text_hex", remark->text);
    return nkv_print_json(object);
}

static enum nkv_exit print_line(const struct log *log,
                                const struct nkv_client_remark *remark)
{
    char *line = malloc(NKV_ESCAPE_SIZE(remark->text.size));

    if (line == NULL) {
        return nkv_fail_for_memory();
    }
    if (nkv_given(log->options, NKV_OPTION_TIMESTAMPS)) {
        printf("%7" PRIu64 ".%03u  ", remark->time_ms / 1000,
               (unsigned)(remark->time_ms % 1000));
    }
    puts(nkv_escape(remark->text, line));
    free(line);
    return NKV_EXIT_DONE;
}

static bool is_enough(const struct log *log)
{
    return nkv_given(log->options, NKV_OPTION_COUNT_OF) &&
           log->count >= log->options->count;
}

static void take(void *context, const struct nkv_client_remark *remark)
{
    struct log *log = context;

    if (is_enough(log) || log->code != NKV_EXIT_DONE) {
        return;
    }
    log->count++;
    log->code = nkv_given(log->options, NKV_OPTION_JSON)
                    ? print_json(remark)
                    : print_line(log, remark);
    /* Whoever reads a pipe wants each line as it comes. */
    fflush(stdout);
}

/* Whether --timeout has passed; *slice_ms is how long to wait at most. */
static bool is_late(const struct nkv_options *options, uint64_t begin,
                    uint32_t *slice_ms)
{
    uint64_t passed = nkv_now_ms() - begin;

    *slice_ms = SLICE_MS;
    if (!nkv_given(options, NKV_OPTION_TIMEOUT)) {
        return false;
    }
    if (passed >= options->timeout_ms) {
        return true;
    }
    if (options->timeout_ms - passed < SLICE_MS) {
        *slice_ms = (uint32_t)(options->timeout_ms - passed);
    }
    return false;
}

static enum nkv_exit follow(struct nkv_client *client, struct log *log)
{
    uint64_t begin = nkv_now_ms();
    enum nkv_status status = NKV_OK;
    uint32_t slice_ms;

    while (!nkv_interrupted() && !is_enough(log) && nkv_output_works() &&
           log->code == NKV_EXIT_DONE &&
           !is_late(log->options, begin, &slice_ms)) {
        status = nkv_client_listen(client, slice_ms);
        if (status != NKV_OK && status != NKV_DEADLINE_EXCEEDED) {
            return nkv_fail_call(client, status);
        }
    }
    if (log->code != NKV_EXIT_DONE || is_enough(log) || nkv_interrupted() ||
        !nkv_given(log->options, NKV_OPTION_COUNT_OF)) {
        return log->code;
    }
    return nkv_fail(NKV_EXIT_FAILED,
                    "%s: %" PRIu32 " of %" PRIu32 " lines came within "
                    "--timeout",
                    nkv_client_port(client), log->count, log->options->count);
}

enum nkv_exit nkv_run_log(const struct nkv_options *options, int count,
                          char **operands)
{
    struct log log = {.options = options};
    struct nkv_client_options how = {
        .deadline_ms = NKV_TIMEOUT_SHORT,
        .remark = take,
        .remark_context = &log,
    };
    struct nkv_client *client;
    enum nkv_exit code;

    (void)count;
    (void)operands;
    code = nkv_connect_as(options, &how, &client);
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    nkv_catch_interrupts();
    code = follow(client, &log);
    nkv_release_interrupts();
    nkv_client_free(&client);
    return code;
}
