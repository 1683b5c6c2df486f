/* What is wrong with a line, told by layer; and what a device says besides its
 * answers: boot messages, logs, consoles. */
#include "fake_device.h"
#include "live_device.h"
#include "real_device.h"
#include "test.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Remarks, a line each: "log x" or "text x". */
struct notes {
    char text[4000];
    size_t size;
    unsigned count;
    uint64_t last_ms;
};

static void note(void *context, const struct nkv_client_remark *remark)
{
    struct notes *notes = context;
    int size =
        snprintf(notes->text + notes->size, sizeof(notes->text) - notes->size,
                 "%s %.*s\n", remark->is_log ? "log" : "text",
                 (int)remark->text.size, (const char *)remark->text.data);
    assert_true(size > 0);
    assert_true(remark->time_ms >= notes->last_ms);
    notes->last_ms = remark->time_ms;
    notes->size += (size_t)size;
    notes->count++;
}

/* Says once what it has to say, and nothing more. */
struct speaker {
    struct nkv_span words;
    bool is_done;
};

static bool speak(void *context, struct nkv_line_sim *line)
{
    struct speaker *speaker = context;
    if (!speaker->is_done)
        nkv_line_sim_write(line, NKV_BENCH_DEVICE, speaker->words);
    speaker->is_done = true;
    return false;
}

static void assert_silence_says(struct nkv_span words, uint32_t baud,
                                const char *piece)
{
    struct nkv_bench bench;
    struct speaker speaker = {.words = words};
    struct nkv_call_options call = {.deadline_ms = 3000};
    nkv_bench_init(&bench, 1);
    bench.line.speed.baud = baud;
    bench.device = speak;
    bench.device_context = &speaker;
    struct nkv_client *client = nkv_bench_open(&bench, NULL);
    assert_int_equal(nkv_client_echo(client, &call, "x", NULL),
                     NKV_DEADLINE_EXCEEDED);
    assert_says(client, "bench: echo: no answer within 3.000 s: ");
    assert_says(client, piece);
    nkv_client_free(&client);
    nkv_bench_free(&bench);
}

/* ---- Layers ----------------------------------------------------------- */

/* What ser2net sends first with accepter telnet(rfc2217),tcp. */
static const uint8_t greeting[] = {0xff, 0xfb, 0x03, 0xff, 0xfb,
                                   0x01, 0xff, 0xfe, 0x01, 0xff,
                                   0xfd, 0x00, 0xff, 0xfd, 0x2c};

static void a_telnet_server_is_told_from_others(void **state)
{
    (void)state;
    struct nkv_span words = {greeting, sizeof(greeting)};
    assert_silence_says(words, 0,
                        "the other end speaks Telnet (RFC 2217), which changes "
                        "bytes: have it pass them as they are, in ser2net.yaml "
                        "by 'accepter: tcp,PORT'");
    /* Noise of the same bytes is not that. */
    words.data++;
    words.size--;
    assert_silence_says(words, 0, "14 bytes came but no frames");
}

static void a_telnet_server_that_hangs_up_is_told_from_others(void **state)
{
    (void)state;
    struct nkv_bench bench;
    struct speaker speaker = {.words = {greeting, sizeof(greeting)}};
    nkv_bench_init(&bench, 1);
    bench.device = speak;
    bench.device_context = &speaker;
    bench.cut_at_ms = 100;
    struct nkv_client *client = nkv_bench_open(&bench, NULL);
    assert_int_equal(nkv_client_echo(client, NULL, "x", NULL), NKV_UNAVAILABLE);
    assert_says(client, "the port is gone: end of file");
    assert_says(client, "the other end speaks Telnet");
    nkv_client_free(&client);
    nkv_bench_free(&bench);
}

static void the_last_line_of_a_console_is_shown(void **state)
{
    (void)state;
    assert_silence_says(
        text_span("\r\nU-Boot 2024.01\r\n\x1b[0mPress a key\r\n=> "), 0,
        "text came but no answer, last \"?[0mPress a key\" (a boot loader, a "
        "console");
}

/* ---- Line rates ------------------------------------------------------- */

/* What a UART makes of bytes that are sent at another rate: both count time in
 * sixteenths of the sender's bit. */
struct wire {
    uint8_t level[200000];
    size_t size;
};

static void send_level(struct wire *wire, unsigned level, unsigned bits)
{
    for (unsigned i = 0; i < 16 * bits; i++)
        wire->level[wire->size++] = (uint8_t)level;
}

static void send_byte(struct wire *wire, uint8_t byte)
{
    send_level(wire, 0, 1);
    for (unsigned i = 0; i < 8; i++)
        send_level(wire, ((unsigned)byte >> i) & 1u, 1);
    send_level(wire, 1, 1);
}

static unsigned level_at(const struct wire *wire, size_t time)
{
    return time < wire->size ? wire->level[time] : 1;
}

/* step: sixteenths of the sender's bit that the receiver's lasts. */
static size_t receive(const struct wire *wire, size_t step, uint8_t *to,
                      size_t capacity)
{
    size_t size = 0;
    size_t time = 0;
    while (time < wire->size && size < capacity) {
        if (level_at(wire, time) != 0) {
            time++;
            continue;
        }
        uint8_t byte = 0;
        for (size_t i = 0; i < 8; i++)
            byte |= (uint8_t)(level_at(wire, time + (i + 1) * step + step / 2)
                              << i);
        to[size++] = byte;
        time += 9 * step + step / 2;
        while (time < wire->size && level_at(wire, time) == 0)
            time++;
    }
    return size;
}

/* A device's answers and boot text, heard at another rate than its own. */
static void assert_rate_says(size_t step, const char *piece)
{
    static const char text[] = "ROM boot, version 1.2.3\r\nstarting\r\n";
    static const uint8_t frame[] = {0x7e, 0xa5, 0x03, 0x08, 0x01, 0x10, 0x01,
                                    0x1d, 0x0e, 0xd4, 0xa7, 0x35, 0x25, 0xed,
                                    0xc5, 0x19, 0x47, 0x99, 0x1d, 0x49, 0x7e};
    struct wire *wire = calloc(1, sizeof(*wire));
    uint8_t bytes[1000];
    assert_non_null(wire);
    send_level(wire, 1, 20);
    for (int i = 0; i < 3; i++) {
        for (size_t j = 0; j < sizeof(text) - 1; j++)
            send_byte(wire, (uint8_t)text[j]);
        for (size_t j = 0; j < sizeof(frame); j++)
            send_byte(wire, frame[j]);
        send_level(wire, 1, 7);
    }
    size_t size = receive(wire, step, bytes, sizeof(bytes));
    assert_silence_says((struct nkv_span){bytes, size}, 115200, piece);
    free(wire);
}

static void a_rate_that_is_too_high_is_told(void **state)
{
    (void)state;
    static const char what[] = "(115200 baud is too high";
    assert_rate_says(4, what);
    assert_rate_says(3, what);
    assert_rate_says(2, what);
    assert_rate_says(1, what);
}

static void a_rate_that_is_too_low_is_a_wrong_one(void **state)
{
    (void)state;
    assert_rate_says(32, "wrong baud rate");
    assert_rate_says(48, "wrong baud rate");
    assert_rate_says(128, "wrong baud rate");
}

/* ---- Devices that reboot when the port is opened ---------------------- */

/* Boot messages and what a reset makes of the line, then silence, then the real
 * device. */
struct rebooting {
    struct nkv_real_device device;
    uint64_t ready_at_ms;
    bool has_begun;
};

static bool poll_rebooting(void *context, struct nkv_line_sim *line)
{
    static const char boot[] =
        "\0\0\xff\x80~ROM v1\r\n\xa5\x03~~}~load 0x7e \r\nrun\r\n\xfe~\xa5";
    struct rebooting *rebooting = context;
    struct nkv_span words = {(const uint8_t *)boot, sizeof(boot) - 1};
    if (!rebooting->has_begun)
        nkv_line_sim_write(line, NKV_BENCH_DEVICE, words);
    rebooting->has_begun = true;
    if (line->now_us >= rebooting->ready_at_ms * 1000)
        return nkv_server_poll(&rebooting->device.server);
    nkv_line_sim_clear(line, NKV_BENCH_DEVICE);
    return false;
}

static void a_device_that_reboots_at_opening_costs_no_call(void **state)
{
    (void)state;
    for (uint64_t ready_ms = 1; ready_ms < 9000; ready_ms += 499) {
        struct nkv_bench bench;
        struct rebooting *rebooting = calloc(1, sizeof(*rebooting));
        struct notes notes = {0};
        struct nkv_client_options options = {
            .remark = note,
            .remark_context = &notes,
        };
        struct nkv_client_value value;
        assert_non_null(rebooting);
        nkv_bench_init(&bench, 1);
        bench.line.speed.baud = 115200;
        nkv_real_device_init(&rebooting->device, &bench, NULL);
        bench.device = poll_rebooting;
        bench.device_context = rebooting;
        rebooting->ready_at_ms = ready_ms;
        struct nkv_client *client = nkv_bench_open(&bench, &options);
        assert_done(client, nkv_client_put(client, NULL, text_span("k"),
                                           text_span("v")));
        assert_done(client,
                    nkv_client_get(client, NULL, text_span("k"), &value));
        nkv_client_value_clear(&value);
        /* Not long after it is ready. */
        assert_in_range(nkv_bench_now_ms(&bench), ready_ms, ready_ms + 1100);
        assert_non_null(strstr(notes.text, "text ROM v1\n"));
        assert_non_null(strstr(notes.text, "text load 0x7e \ntext run\n"));
        nkv_client_free(&client);
        nkv_real_device_free(&rebooting->device);
        nkv_bench_free(&bench);
        free(rebooting);
    }
}

static void *boot(void *context)
{
    static const char text[] = "\0\xff\r\nROM v1\r\nloading ~ done\r\n\xfe~";
    struct nkv_live_device *live = context;
    assert_int_equal(write(live->fd, text, sizeof(text) - 1), sizeof(text) - 1);
    usleep(1000000);
    atomic_store(&live->silent, false);
    return NULL;
}

static void a_live_device_that_reboots_costs_no_call(void **state)
{
    (void)state;
    struct nkv_live_device live;
    struct notes notes = {0};
    struct nkv_client_options options = {
        .remark = note,
        .remark_context = &notes,
    };
    struct nkv_client *client;
    pthread_t thread;
    nkv_live_device_start_pty(&live);
    atomic_store(&live.silent, true);
    assert_done(client, nkv_client_open(live.port, &options, &client));
    assert_int_equal(pthread_create(&thread, NULL, boot, &live), 0);
    assert_done(client,
                nkv_client_put(client, NULL, text_span("k"), text_span("v")));
    pthread_join(thread, NULL);
    assert_non_null(strstr(notes.text, "ROM v1\n"));
    nkv_client_free(&client);
    nkv_live_device_end(&live);
}

/* ---- Remarks ---------------------------------------------------------- */

static enum nkv_status collect(void *context, const uint8_t *data, size_t size)
{
    struct notes *frame = context;
    memcpy(frame->text + frame->size, data, size);
    frame->size += size;
    return NKV_OK;
}

/* Adds a frame, all of it or its beginning, to bytes. */
static void add_frame(struct notes *bytes, uint64_t address, const char *text,
                      size_t cut)
{
    struct nkv_hdlc_sink sink = {collect, bytes};
    assert_int_equal(nkv_hdlc_encode(&sink, address, text_span(text)), NKV_OK);
    bytes->size -= cut;
}

static void add_text(struct notes *bytes, const char *text)
{
    assert_int_equal(collect(bytes, (const uint8_t *)text, strlen(text)),
                     NKV_OK);
}

/* What must come of bytes, however they are cut and however slowly they come.
 */
static void assert_remarks(const struct notes *bytes, const char *wanted)
{
    for (unsigned i = 0; i < 20; i++) {
        struct nkv_bench bench;
        struct notes notes = {0};
        struct speaker speaker = {
            .words = {(const uint8_t *)bytes->text, bytes->size}};
        struct nkv_client_options options = {
            .remark = note,
            .remark_context = &notes,
        };
        nkv_bench_init(&bench, i);
        bench.line.faults.split = i > 0;
        bench.line.speed.baud = i < 10 ? 0 : 1200;
        bench.device = speak;
        bench.device_context = &speaker;
        struct nkv_client *client = nkv_bench_open(&bench, &options);
        unsigned count = 0;
        while (nkv_client_listen(client, 2000) == NKV_OK) {
            assert_true(notes.count > count);
            count = notes.count;
        }
        assert_string_equal(nkv_client_error(client), "");
        assert_int_equal(notes.count, count);
        assert_string_equal(notes.text, wanted);
        nkv_client_free(&client);
        nkv_bench_free(&bench);
    }
}

static void logs_and_text_come_in_their_order(void **state)
{
    (void)state;
    struct notes bytes = {0};
    add_text(&bytes, "booting\r\nready\n\n");
    add_frame(&bytes, 1, "first log", 0);
    add_frame(&bytes, 1, "second", 0);
    add_text(&bytes, "no end");
    add_frame(&bytes, 1, "third\nof two lines", 0);
    add_text(&bytes, "at the end");
    assert_remarks(&bytes, "text booting\ntext ready\nlog first log\n"
                           "log second\ntext no end\n"
                           "log third\nof two lines\ntext at the end\n");
}

static void frames_are_no_text_even_when_they_hold_some(void **state)
{
    (void)state;
    struct notes bytes = {0};
    add_frame(&bytes, 'R', "some text\nin a packet\n", 0);
    add_frame(&bytes, 'R', "a packet\nthat was cut\nhere", 3);
    add_text(&bytes, "~");
    add_frame(&bytes, 7, "for somebody else\n", 0);
    add_frame(&bytes, 1, "log", 0);
    assert_remarks(&bytes, "text a packet\ntext that was cut\nlog log\n");
}

static void text_behind_a_frame_that_broke_off_is_found(void **state)
{
    (void)state;
    struct notes bytes = {0};
    add_frame(&bytes, 'R', "\x01\x02\x03\x04\x05\x06\x07", 5);
    add_text(&bytes, "ROM boot\r\nagain\r\n");
    add_frame(&bytes, 1, "log", 0);
    assert_remarks(&bytes, "text ROM boot\ntext again\nlog log\n");
}

static void a_long_line_comes_in_pieces(void **state)
{
    (void)state;
    struct nkv_bench bench;
    struct notes notes = {0};
    char text[3001];
    struct speaker speaker;
    struct nkv_client_options options = {
        .remark = note,
        .remark_context = &notes,
    };
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    speaker = (struct speaker){.words = text_span(text)};
    nkv_bench_init(&bench, 1);
    bench.device = speak;
    bench.device_context = &speaker;
    struct nkv_client *client = nkv_bench_open(&bench, &options);
    while (nkv_client_listen(client, 1000) == NKV_OK)
        continue;
    assert_int_equal(notes.count, 6);
    assert_int_equal(notes.size, 3000 + 6 * strlen("text \n"));
    nkv_client_free(&client);
    nkv_bench_free(&bench);
}

static void listening_ends_when_the_port_is_gone(void **state)
{
    (void)state;
    struct nkv_bench bench;
    nkv_bench_init(&bench, 1);
    bench.cut_at_ms = 500;
    struct nkv_client *client = nkv_bench_open(&bench, NULL);
    assert_int_equal(nkv_client_listen(client, 300), NKV_DEADLINE_EXCEEDED);
    assert_int_equal(nkv_bench_now_ms(&bench), 300);
    assert_int_equal(nkv_client_listen(client, 60000), NKV_UNAVAILABLE);
    assert_int_equal(nkv_bench_now_ms(&bench), 500);
    assert_says(client, "bench: listen: the port is gone");
    assert_int_equal(bench.line.counts.written, 0);
    nkv_client_free(&client);
    nkv_bench_free(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_telnet_server_is_told_from_others),
        cmocka_unit_test(a_telnet_server_that_hangs_up_is_told_from_others),
        cmocka_unit_test(the_last_line_of_a_console_is_shown),
        cmocka_unit_test(a_rate_that_is_too_high_is_told),
        cmocka_unit_test(a_rate_that_is_too_low_is_a_wrong_one),
        cmocka_unit_test(a_device_that_reboots_at_opening_costs_no_call),
        cmocka_unit_test(a_live_device_that_reboots_costs_no_call),
        cmocka_unit_test(logs_and_text_come_in_their_order),
        cmocka_unit_test(frames_are_no_text_even_when_they_hold_some),
        cmocka_unit_test(text_behind_a_frame_that_broke_off_is_found),
        cmocka_unit_test(a_long_line_comes_in_pieces),
        cmocka_unit_test(listening_ends_when_the_port_is_gone),
    };
    return cmocka_run_group_tests_name("line_trouble", tests, NULL, NULL);
}
