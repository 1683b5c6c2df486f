/* The port to copy, over a chip that is memory: it compiles, passes the
 * self-test and serves. */
#include "line_quiet.h"
#include "template/chip.h"
#include "template/template_flash.h"
#include "template/template_line.h"
#include "template/template_service.h"

#include <norkv/hdlc.h>
#include <norkv/ids.h>
#include <norkv/packet.h>
#include <norkv/selftest.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { OUTPUT_SIZE = 65536, ERASE_MS = 40, PROGRAM_MS = 1 };

/* ---- The chip ---------------------------------------------------------- */

static struct {
    uint8_t cells[NKV_CHIP_SECTOR_SIZE * NKV_CHIP_SECTOR_COUNT];
    uint32_t now_ms;
    uint32_t busy_until_ms;
    bool is_other;
    /* From the next start on. */
    bool stays_busy_from_now;
    bool stays_busy;
    bool has_failed;
    bool line_is_stuck;
    uint8_t output[OUTPUT_SIZE];
    size_t output_size;
} chip;

bool nkv_chip_flash_is_there(uint32_t *id)
{
    *id = 0xC84016;
    return !chip.is_other;
}

void nkv_chip_flash_start_erase(uint32_t sector)
{
    assert_false(nkv_chip_flash_is_busy());
    assert_true(sector < NKV_CHIP_SECTOR_COUNT);
    memset(chip.cells + (size_t)sector * NKV_CHIP_SECTOR_SIZE, 0xFF,
           NKV_CHIP_SECTOR_SIZE);
    chip.busy_until_ms = chip.now_ms + ERASE_MS;
    chip.stays_busy = chip.stays_busy_from_now;
}

void nkv_chip_flash_start_program(uint32_t offset, const uint8_t *unit)
{
    assert_false(nkv_chip_flash_is_busy());
    assert_int_equal(offset % NKV_CHIP_PROGRAM_UNIT, 0);
    assert_true(offset < sizeof chip.cells);
    for (uint32_t i = 0; i < NKV_CHIP_PROGRAM_UNIT; i++) {
        chip.cells[offset + i] &= unit[i];
    }
    chip.busy_until_ms = chip.now_ms + PROGRAM_MS;
}

bool nkv_chip_flash_is_busy(void)
{
    return chip.stays_busy || nkv_chip_now_ms() < chip.busy_until_ms;
}

bool nkv_chip_flash_has_failed(void)
{
    return chip.has_failed;
}

uint8_t nkv_chip_flash_byte(uint32_t offset)
{
    assert_true(offset < sizeof chip.cells);
    return chip.cells[offset];
}

bool nkv_chip_uart_is_free(void)
{
    return !chip.line_is_stuck;
}

void nkv_chip_uart_send(uint8_t byte)
{
    assert_true(chip.output_size < sizeof chip.output);
    chip.output[chip.output_size++] = byte;
}

/* Time passes by being looked at. */
uint32_t nkv_chip_now_ms(void)
{
    return chip.now_ms++;
}

/* ---- A client ---------------------------------------------------------- */

static enum nkv_status receive(void *context, const uint8_t *data, size_t size)
{
    (void)context;
    for (size_t i = 0; i < size; i++) {
        nkv_template_line_receive(data[i]);
    }
    return NKV_OK;
}

static void send(uint32_t service, uint32_t method, struct nkv_span payload)
{
    const struct nkv_hdlc_sink sink = {.write = receive};
    const struct nkv_packet packet = {
        .type = NKV_PACKET_REQUEST,
        .channel_id = 1,
        .service_id = service,
        .method_id = method,
        .call_id = 7,
        .payload = payload,
    };
    uint8_t bytes[256];
    size_t size = 0;

    assert_int_equal(nkv_packet_encode(&packet,
                                       (struct nkv_buffer){bytes, sizeof bytes},
                                       &size),
                     NKV_OK);
    assert_int_equal(nkv_hdlc_encode(&sink, NKV_HDLC_ADDRESS_RPC,
                                     (struct nkv_span){bytes, size}),
                     NKV_OK);
}

/* The last packet that came; it is in `buffer`. */
static struct nkv_packet last_packet(uint8_t *buffer, size_t size)
{
    struct nkv_hdlc_decoder decoder;
    struct nkv_hdlc_frame frame;
    struct nkv_packet packet = {.status = NKV_UNKNOWN};

    nkv_hdlc_decoder_init(&decoder, (struct nkv_buffer){buffer, size});
    for (size_t i = 0; i < chip.output_size; i++) {
        if (nkv_hdlc_decode(&decoder, chip.output[i], &frame) == NKV_OK) {
            assert_int_equal(nkv_packet_decode(frame.payload, &packet), NKV_OK);
        }
    }
    chip.output_size = 0;
    return packet;
}

static struct nkv_packet call(uint32_t service, uint32_t method,
                              struct nkv_span payload)
{
    static uint8_t buffer[1024];

    send(service, method, payload);
    while (nkv_template_poll()) {
    }
    return last_packet(buffer, sizeof buffer);
}

static enum nkv_status put(void)
{
    static const uint8_t request[] = {0x12, 1,   'k', 0x1A, 5,
                                      'v',  'a', 'l', 'u',  'e'};

    return call(NKV_SERVICE_STORE, NKV_METHOD_STORE_PUT,
                (struct nkv_span){request, sizeof request})
        .status;
}

static struct nkv_packet get(void)
{
    static const uint8_t request[] = {0x12, 1, 'k'};

    return call(NKV_SERVICE_STORE, NKV_METHOD_STORE_GET,
                (struct nkv_span){request, sizeof request});
}

static int set_up(void **state)
{
    (void)state;
    memset(&chip, 0, sizeof chip);
    memset(chip.cells, 0xFF, sizeof chip.cells);
    return nkv_template_start(1, "template-1") == NKV_OK ? 0 : -1;
}

/* ---- Tests ------------------------------------------------------------- */

static void it_passes_the_self_test(void **state)
{
    uint8_t memory[256];
    const struct nkv_selftest_setup setup = {.flash = &nkv_template_flash,
                                             .sector =
                                                 NKV_CHIP_SECTOR_COUNT - 1,
                                             .buffer = {memory, sizeof memory}};
    struct nkv_selftest_result result;
    struct nkv_selftest test;

    (void)state;
    nkv_selftest_begin(&test, &setup);
    while (nkv_selftest_step(&test, &result) != NKV_SELFTEST_DONE) {
    }
    assert_int_equal(test.failed, NKV_SELFTEST_NONE);
}

static void it_serves_and_keeps_what_it_got(void **state)
{
    struct nkv_packet answer;

    (void)state;
    assert_int_equal(
        call(NKV_SERVICE_DEVICE, NKV_METHOD_DEVICE_OPEN, (struct nkv_span){0})
            .status,
        NKV_OK);
    assert_int_equal(put(), NKV_OK);
    answer = get();
    assert_int_equal(answer.status, NKV_OK);
    assert_memory_equal(answer.payload.data + 2, "value", 5);
    assert_int_equal(nkv_template_start(2, "template-1"), NKV_OK);
    answer = get();
    assert_int_equal(answer.status, NKV_OK);
    assert_memory_equal(answer.payload.data + 2, "value", 5);
}

static void another_chip_is_served_with_its_fault(void **state)
{
    (void)state;
    assert_int_equal(put(), NKV_OK);
    chip.is_other = true;
    assert_int_equal(nkv_template_start(2, "template-1"), NKV_OK);
    assert_int_equal(
        call(NKV_SERVICE_DEVICE, NKV_METHOD_DEVICE_OPEN, (struct nkv_span){0})
            .status,
        NKV_OK);
    assert_int_equal(put(), NKV_FAILED_PRECONDITION);
    chip.is_other = false;
    assert_int_equal(nkv_template_start(3, "template-1"), NKV_OK);
    assert_int_equal(get().status, NKV_OK);
}

static void a_flash_that_stays_busy_or_fails_ends_the_wait(void **state)
{
    uint8_t unit[NKV_CHIP_PROGRAM_UNIT] = {0};

    (void)state;
    chip.has_failed = true;
    assert_int_equal(nkv_template_flash.erase(NULL, 0), NKV_INTERNAL);
    assert_int_equal(nkv_template_flash.program(NULL, 0, unit, sizeof unit),
                     NKV_INTERNAL);
    chip.has_failed = false;
    chip.stays_busy_from_now = true;
    assert_int_equal(nkv_template_flash.erase(NULL, 0), NKV_DEADLINE_EXCEEDED);
}

static void a_stuck_line_costs_the_answer_only(void **state)
{
    (void)state;
    chip.line_is_stuck = true;
    assert_int_equal(put(), NKV_UNKNOWN);
    chip.line_is_stuck = false;
    assert_int_equal(get().status, NKV_OK);
}

static void lost_bytes_are_counted(void **state)
{
    (void)state;
    assert_int_equal(nkv_template_line_take_overruns(), 0);
    nkv_template_line_overrun();
    nkv_template_line_overrun();
    assert_int_equal(nkv_template_line_take_overruns(), 2);
    nkv_template_line_receive(0x7E);
    for (int i = 0; i < 2 * NKV_TEMPLATE_RX_WINDOW; i++) {
        nkv_template_line_receive('x');
    }
    assert_true(nkv_template_line_take_overruns() > 0);
}

/* A frame that is not whole shows by it alone. */
static void it_is_not_quiet_while_bytes_come(void **state)
{
    (void)state;
    nkv_template_line_receive(0x7E);
    for (int i = 0; i < 20; i++) {
        nkv_template_line_receive('x');
        chip.now_ms += 50;
        assert_false(nkv_template_line.is_quiet(NULL));
    }
    chip.now_ms += 100;
    assert_true(nkv_template_line.is_quiet(NULL));
}

static void silence_counts_from_the_first_look_and_time_may_wrap(void **state)
{
    struct nkv_line_quiet line = {0};
    uint32_t start_ms = UINT32_MAX - 49;

    (void)state;
    assert_true(nkv_line_quiet_is(&line, 100, 100));
    nkv_line_quiet_note(&line);
    assert_false(nkv_line_quiet_is(&line, start_ms, 100));
    assert_false(nkv_line_quiet_is(&line, start_ms + 99, 100));
    assert_true(nkv_line_quiet_is(&line, start_ms + 100, 100));
    nkv_line_quiet_note(&line);
    assert_false(nkv_line_quiet_is(&line, start_ms + 200, 100));
    assert_false(nkv_line_quiet_is(&line, start_ms + 299, 100));
    assert_true(nkv_line_quiet_is(&line, start_ms + 300, 100));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_passes_the_self_test),
        TEST(it_serves_and_keeps_what_it_got),
        TEST(another_chip_is_served_with_its_fault),
        TEST(a_flash_that_stays_busy_or_fails_ends_the_wait),
        TEST(a_stuck_line_costs_the_answer_only),
        TEST(lost_bytes_are_counted),
        TEST(it_is_not_quiet_while_bytes_come),
        TEST(silence_counts_from_the_first_look_and_time_may_wrap),
    };

    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
