/*
 * BBC micro:bit V1: an nRF51822-QFAA, its UART joined to the USB interface's.
 * Pins: micro:bit V1.5 schematic, TGT_TX P0.24 and TGT_RX P0.25.
 */
#include "board.h"
#include "cortex_m.h"
#include "nrf51_clock.h"
#include "nrf51_nvmc.h"
#include "nrf51_rng.h"
#include "nrf51_timer.h"
#include "nrf51_uart.h"

enum {
    TX_PIN = 24,
    RX_PIN = 25,
    /* DEVICEID[0] and [1] (nRF51 Series Reference Manual v3.0, FICR). */
    FICR_DEVICEID = 0x10000060,
    DEVICE_ID_WORDS = 2,
    WORD_DIGITS = 8,
    WAIT_MS = 100
};

/* Of the linker script: addresses, with nothing of ours at them. */
extern const uint8_t nkv_store_start[];
extern const uint8_t nkv_store_end[];

static struct nkv_nrf51_partition partition;
static struct nkv_flash flash;
static char unit_id[DEVICE_ID_WORDS * WORD_DIGITS + 1];
static struct nkv_board board = {
    .product = "norkv-microbit",
    .unit_id = unit_id,
    .flash = &flash,
};
static struct nkv_nrf51_uart_setup uart_setup = {
    .tx_pin = TX_PIN,
    .rx_pin = RX_PIN,
    .line = {.wait = nkv_board_wait, .now_ms = nkv_nrf51_timer_ms},
};

static void put_hex(char *to, uint32_t word)
{
    for (int i = WORD_DIGITS - 1; i >= 0; i--) {
        to[i] = "0123456789abcdef"[word & 0xF];
        word >>= 4;
    }
}

/* The chip's own number, the high word first. */
static void make_unit_id(void)
{
    put_hex(unit_id, nkv_register_read(FICR_DEVICEID + 4));
    put_hex(unit_id + WORD_DIGITS, nkv_register_read(FICR_DEVICEID));
}

static void describe_flash(void)
{
    partition.start = (uint32_t)(uintptr_t)nkv_store_start;
    partition.size =
        (uint32_t)((uintptr_t)nkv_store_end - (uintptr_t)nkv_store_start);
    nkv_nrf51_flash_init(&flash, &partition);
    if (partition.start + partition.size > nkv_nrf51_flash_size()) {
        board.fault = NKV_FAULT_FLASH_TOO_SMALL;
        board.fault_detail = nkv_nrf51_flash_size();
    }
}

const struct nkv_board *nkv_board_start(void (*receive)(uint8_t byte),
                                        void (*overrun)(void))
{
    nkv_nrf51_clock_start();
    nkv_nrf51_timer_start();
    describe_flash();
    make_unit_id();
    board.boot_id = nkv_nrf51_random();
    uart_setup.line.receive = receive;
    uart_setup.line.overrun = overrun;
    nkv_nrf51_uart_start(&uart_setup);
    return &board;
}

enum nkv_status nkv_board_write(void *context, const uint8_t *from, size_t size)
{
    (void)context;
    return nkv_nrf51_uart_write(from, size);
}

uint32_t nkv_board_now_ms(void)
{
    return nkv_nrf51_timer_ms();
}

/* The alarm bounds the sleep. In QEMU 7.2 it also has the emulator look whether
 * the UART can receive, which it does not do when STARTRX is triggered. */
void nkv_board_wait(void)
{
    nkv_nrf51_timer_set_alarm(WAIT_MS);
    nkv_wait_for_interrupt();
}
