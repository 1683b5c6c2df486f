#include "template_line.h"

#include "chip.h"
#include "line_quiet.h"

#include <norkv/hdlc.h>
#include <norkv/receive_ring.h>

enum {
    SEND_MAX_MS = 1000,
    /* Idle work may make the part deaf: it waits for so long a silence. */
    QUIET_MS = 100
};

static uint8_t ring_memory[NKV_TEMPLATE_RX_WINDOW + NKV_RECEIVE_RING_RESERVE];
static struct nkv_receive_ring ring;
static struct nkv_line_quiet quiet;
/*
 * Set by the interrupt, behind the byte that it put; cleared by the main
 * program before it reads, so that what comes meanwhile sets it again. volatile
 * makes each use an access of its own; a byte is read and written in one. The
 * bytes themselves go through the ring, which has atomics of its own.
 */
static volatile bool has_arrived;

void nkv_template_line_start(void)
{
    nkv_receive_ring_init(&ring,
                          (struct nkv_buffer){ring_memory, sizeof ring_memory});
    has_arrived = false;
}

void nkv_template_line_receive(uint8_t byte)
{
    nkv_receive_ring_put(&ring, byte);
    nkv_line_quiet_note(&quiet);
    if (byte == NKV_HDLC_FLAG) {
        has_arrived = true;
    }
}

void nkv_template_line_overrun(void)
{
    nkv_receive_ring_lose(&ring, 1);
}

bool nkv_template_line_has_arrived(void)
{
    return has_arrived;
}

uint32_t nkv_template_line_take_overruns(void)
{
    return nkv_receive_ring_take_overruns(&ring);
}

static size_t read(void *context, uint8_t *to, size_t capacity)
{
    (void)context;
    has_arrived = false;
    return nkv_receive_ring_read(&ring, to, capacity);
}

static bool wait_until_free(void)
{
    uint32_t since_ms = nkv_chip_now_ms();

    while (!nkv_chip_uart_is_free()) {
        if (nkv_chip_now_ms() - since_ms > SEND_MAX_MS) {
            return false;
        }
    }
    return true;
}

static enum nkv_status write(void *context, const uint8_t *from, size_t size)
{
    (void)context;
    for (size_t i = 0; i < size; i++) {
        if (!wait_until_free()) {
            return NKV_DEADLINE_EXCEEDED;
        }
        nkv_chip_uart_send(from[i]);
    }
    return NKV_OK;
}

static bool is_quiet(void *context)
{
    (void)context;
    return nkv_line_quiet_is(&quiet, nkv_chip_now_ms(), QUIET_MS);
}

const struct nkv_byte_stream nkv_template_line = {
    .read = read, .write = write, .is_quiet = is_quiet};
