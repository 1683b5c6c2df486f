/* norkv echo: a test of the line. */
#include "command.h"
#include "device.h"
#include "interrupt.h"
#include "output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    COUNT = 20,
    COUNT_MAX = 10000000,
    SIZE = 64,
    TEXT_MAX = 3900,
    /* What a frame, a packet and the message add to the text. */
    OVERHEAD = 48,
    /* The device's counters are asked for so often; the line may be bad. */
    TRIES = 4
};

/* One test. Times are in microseconds, of those that came back. */
struct test {
    uint32_t count;
    uint32_t size;
    uint32_t sent;
    uint32_t received;
    uint64_t *times;
    uint64_t passed;
    struct nkv_client_counters counters;
    /* Of the last that got lost. */
    char failure[1024];
    /* Whether the device has counters, and by how much they grew. */
    bool has_device;
    uint32_t bad_frames;
    uint32_t oversize_frames;
    uint32_t overruns;
};

static uint64_t now_us(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Each text differs: an answer to another is not taken for it. */
static void fill(char *text, uint32_t size, uint32_t number)
{
    for (uint32_t i = 0; i < size; i++) {
        number = number * 1664525u + 1013904223u;
        text[i] = (char)('!' + (number >> 16) % ('~' - '!'));
    }
    text[size] = '\0';
}

static void pause_between(uint32_t interval_ms)
{
    struct timespec pause = {
        .tv_sec = interval_ms / 1000,
        .tv_nsec = (long)(interval_ms % 1000) * 1000000,
    };

    /* An interrupt ends it. */
    nanosleep(&pause, NULL);
}

/* False: there is nothing more to be sent. */
static bool send_one(struct nkv_client *client, struct test *test, char *text)
{
    uint64_t begin;
    enum nkv_status status;

    fill(text, test->size, test->sent + 1);
    begin = now_us();
    status = nkv_client_echo(client, NULL, text, NULL);
    test->sent++;
    test->passed += now_us() - begin;
    if (status == NKV_OK) {
        test->times[test->received++] = now_us() - begin;
    } else {
        snprintf(test->failure, sizeof test->failure, "%s",
                 nkv_client_error(client));
    }
    return status == NKV_OK || status == NKV_DEADLINE_EXCEEDED ||
           status == NKV_DATA_LOSS;
}

static bool ask_statistics(struct nkv_client *client, int tries,
                           struct nkv_client_statistics *statistics)
{
    for (int i = 0; i < tries; i++) {
        enum nkv_status status =
            nkv_client_statistics(client, NULL, statistics);

        if (status == NKV_OK) {
            return true;
        }
        if (status != NKV_DEADLINE_EXCEEDED) {
            return false;
        }
    }
    return false;
}

static void run_test(struct nkv_client *client, struct test *test,
                     uint32_t interval_ms, char *text)
{
    struct nkv_client_statistics before;
    struct nkv_client_statistics after;
    struct nkv_client_counters counters;

    test->has_device = ask_statistics(client, TRIES, &before);
    nkv_client_get_counters(client, &counters);
    nkv_catch_interrupts();
    while (test->sent < test->count && !nkv_interrupted() &&
           send_one(client, test, text)) {
        if (interval_ms > 0 && test->sent < test->count) {
            pause_between(interval_ms);
        }
    }
    nkv_release_interrupts();
    nkv_client_get_counters(client, &test->counters);
    test->counters.bad_frames -= counters.bad_frames;
    test->counters.late_answers -= counters.late_answers;
    if (!test->has_device) {
        return;
    }
    /* Whoever has interrupted it does not want to wait. */
    test->has_device =
        ask_statistics(client, nkv_interrupted() ? 1 : TRIES, &after);
    test->bad_frames = after.bad_frames - before.bad_frames;
    test->oversize_frames = after.oversize_frames - before.oversize_frames;
    test->overruns = after.overruns - before.overruns;
}

/* ---- The result ------------------------------------------------------- */

static int compare(const void *left, const void *right)
{
    const uint64_t *one = left;
    const uint64_t *other = right;

    return (*one > *other) - (*one < *other);
}

/* Bytes of text a second, each way. */
static uint64_t throughput(const struct test *test)
{
    return test->passed == 0
               ? 0
               : (uint64_t)test->received * test->size * 1000000 / test->passed;
}

static enum nkv_exit print_json(const struct nkv_client *client,
                                const struct test *test)
{
    json_t *object = json_object();

    nkv_json_set_text(object, "port", nkv_client_port(client));
    nkv_json_set_integer(object, "size", test->size);
    nkv_json_set_integer(object, "sent", test->sent);
    nkv_json_set_integer(object, "received", test->received);
    nkv_json_set_integer(object, "lost", test->sent - test->received);
    if (test->received > 0) {
        nkv_json_set_integer(object, "min_us", (json_int_t)test->times[0]);
        nkv_json_set_integer(object, "median_us",
                             (json_int_t)test->times[test->received / 2]);
        nkv_json_set_integer(object, "max_us",
                             (json_int_t)test->times[test->received - 1]);
    }
    nkv_json_set_integer(object, "bytes_per_second",
                         (json_int_t)throughput(test));
    nkv_json_set_integer(object, "bad_frames", test->counters.bad_frames);
    nkv_json_set_integer(object, "late_answers", test->counters.late_answers);
    if (test->has_device) {
        nkv_json_set_integer(object, "device_bad_frames", test->bad_frames);
        nkv_json_set_integer(object, "device_oversize_frames",
                             test->oversize_frames);
        nkv_json_set_integer(object, "device_overruns", test->overruns);
    }
    return nkv_print_json(object);
}

static void print_ms(const char *label, uint64_t us)
{
    printf("%-26s%8" PRIu64 ".%03u\n", label, us / 1000, (unsigned)(us % 1000));
}

static void print_number(const char *label, uint64_t number)
{
    printf("%-26s%8" PRIu64 "\n", label, number);
}

static void print_lines(const struct test *test)
{
    print_number("bytes of text each", test->size);
    print_number("sent", test->sent);
    print_number("received", test->received);
    print_number("lost", test->sent - test->received);
    if (test->received > 0) {
        print_ms("shortest time, ms", test->times[0]);
        print_ms("median time, ms", test->times[test->received / 2]);
        print_ms("longest time, ms", test->times[test->received - 1]);
    }
    print_number("bytes a second each way", throughput(test));
    print_number("bad frames received", test->counters.bad_frames);
    print_number("late answers", test->counters.late_answers);
    if (test->has_device) {
        print_number("device: bad frames", test->bad_frames);
        print_number("device: frames too large", test->oversize_frames);
        print_number("device: receive overruns", test->overruns);
    }
}

static enum nkv_exit report(const struct nkv_options *options,
                            const struct nkv_client *client, struct test *test)
{
    enum nkv_exit code = NKV_EXIT_DONE;

    qsort(test->times, test->received, sizeof test->times[0], compare);
    if (nkv_given(options, NKV_OPTION_JSON)) {
        code = print_json(client, test);
    } else {
        print_lines(test);
    }
    return code;
}

/* ---- The command ------------------------------------------------------ */

static enum nkv_exit take_numbers(const struct nkv_options *options,
                                  struct test *test)
{
    test->count =
        nkv_given(options, NKV_OPTION_COUNT_OF) ? options->count : COUNT;
    test->size = nkv_given(options, NKV_OPTION_SIZE) ? options->size : SIZE;
    if (test->size > TEXT_MAX) {
        return nkv_fail(NKV_EXIT_USAGE,
                        "--size %" PRIu32 " fits no packet: give 1 to %d",
                        test->size, TEXT_MAX);
    }
    if (test->count > COUNT_MAX) {
        return nkv_fail(NKV_EXIT_USAGE,
                        "--count %" PRIu32 " is too many: give 1 to %d",
                        test->count, COUNT_MAX);
    }
    return NKV_EXIT_DONE;
}

/* What the device says of itself, if it is one of ours. */
static enum nkv_exit check_size(struct nkv_client *client,
                                const struct test *test)
{
    const struct nkv_device *device = NULL;
    enum nkv_status status = NKV_DEADLINE_EXCEEDED;

    for (int i = 0; i < TRIES && status == NKV_DEADLINE_EXCEEDED; i++) {
        status = nkv_client_device(client, NULL, &device);
    }
    if (status == NKV_OK && (device->max_frame < OVERHEAD ||
                             test->size > device->max_frame - OVERHEAD)) {
        return nkv_fail(
            NKV_EXIT_USAGE,
            "%s: --size %" PRIu32 " is too large for the device's "
            "frames: give %" PRIu32 " at most",
            nkv_client_port(client), test->size,
            device->max_frame > OVERHEAD ? device->max_frame - OVERHEAD : 1);
    }
    /* Another device that speaks pw_rpc can be tested, too. */
    return status == NKV_OK || status == NKV_FAILED_PRECONDITION
               ? NKV_EXIT_DONE
               : nkv_fail_call(client, status);
}

static enum nkv_exit test_line(const struct nkv_options *options,
                               struct nkv_client *client, struct test *test)
{
    char text[TEXT_MAX + 1];
    enum nkv_exit code = check_size(client, test);
    enum nkv_exit printed;

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    test->times = calloc(test->count, sizeof test->times[0]);
    if (test->times == NULL) {
        return nkv_fail_for_memory();
    }
    run_test(client, test, options->interval_ms, text);
    printed = report(options, client, test);
    free(test->times);
    if (printed != NKV_EXIT_DONE) {
        return printed;
    }
    if (test->received == test->sent) {
        return NKV_EXIT_DONE;
    }
    return nkv_fail(NKV_EXIT_FAILED,
                    "%" PRIu32 " of %" PRIu32 " lost, the last: %s",
                    test->sent - test->received, test->sent, test->failure);
}

enum nkv_exit nkv_run_echo(const struct nkv_options *options, int count,
                           char **operands)
{
    /* Nothing is repeated: what gets lost is to be seen. */
    struct nkv_client_options how = {
        .deadline_ms = NKV_TIMEOUT_SHORT,
        .limit_ms = options->timeout_ms,
        .attempts = 1,
    };
    struct test test = {0};
    struct nkv_client *client;
    enum nkv_exit code = take_numbers(options, &test);

    (void)count;
    (void)operands;
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    code = nkv_connect_as(options, &how, &client);
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    code = test_line(options, client, &test);
    nkv_client_free(&client);
    return code;
}
