/*
 * ast1030-evb: an AST1030 (Cortex-M4, 200 MHz) whose store lies at the end of
 * the SPI NOR flash that it starts from, and whose line is UART5, the console.
 */
#include "board.h"
#include "ast1030_fmc.h"
#include "ast1030_random.h"
#include "ast1030_timer.h"
#include "ast1030_uart.h"
#include "board_sizes.h"
#include "cortex_m.h"
#include "spi_nor.h"

enum {
    UNIT_ID_PREFIX = 4,
    /* How late the end of an erase may be noticed. */
    PAUSE_MS = 1
};

static uint32_t now_us(void *context)
{
    (void)context;
    return nkv_ast1030_timer_us();
}

static void pause(void *context)
{
    (void)context;
    nkv_ast1030_timer_set_alarm(PAUSE_MS);
    nkv_wait_for_interrupt();
}

static struct nkv_spi_bus bus = {.now_us = now_us, .pause = pause};
static const struct nkv_spi_nor_config nor_config = {
    .bus = &bus,
    .sector_size = NKV_BOARD_SECTOR_SIZE,
    .size = (uint32_t)NKV_BOARD_SECTORS * NKV_BOARD_SECTOR_SIZE,
    .offset = NKV_SPI_NOR_AT_END,
};
static struct nkv_spi_nor nor;
/* What is told when the flash has no number: such boards cannot be told apart.
 */
static char unit_id[UNIT_ID_PREFIX + 2 * NKV_SPI_NOR_UNIQUE_ID_SIZE + 1] =
    "evb-unnumbered";
static struct nkv_board board = {
    .product = "norkv-ast1030",
    .unit_id = unit_id,
    .flash = &nor.flash,
};
static struct nkv_uart_setup uart_setup = {
    .wait = nkv_board_wait,
    .now_ms = nkv_ast1030_timer_ms,
};

/* What is wrong with it the server tells. */
static void start_flash(void)
{
    nkv_ast1030_fmc_start(&bus);
    if (nkv_spi_nor_start(&nor, &nor_config) != NKV_OK) {
        board.fault = nkv_spi_nor_store_fault(&nor, &board.fault_detail);
    }
}

static void make_unit_id(void)
{
    uint8_t id[NKV_SPI_NOR_UNIQUE_ID_SIZE];
    char *to = unit_id + UNIT_ID_PREFIX;

    if (nkv_spi_nor_unique_id(&nor, id) != NKV_OK) {
        return;
    }
    for (size_t i = 0; i < sizeof id; i++) {
        *to++ = "0123456789abcdef"[id[i] >> 4];
        *to++ = "0123456789abcdef"[id[i] & 0xF];
    }
    *to = '\0';
}

const struct nkv_board *nkv_board_start(void (*receive)(uint8_t byte),
                                        void (*overrun)(void))
{
    nkv_ast1030_timer_start();
    start_flash();
    make_unit_id();
    board.boot_id = nkv_ast1030_random();
    uart_setup.receive = receive;
    uart_setup.overrun = overrun;
    nkv_ast1030_uart_start(&uart_setup);
    return &board;
}

enum nkv_status nkv_board_write(void *context, const uint8_t *from, size_t size)
{
    (void)context;
    return nkv_ast1030_uart_write(from, size);
}

uint32_t nkv_board_now_ms(void)
{
    return nkv_ast1030_timer_ms();
}

void nkv_board_wait(void)
{
    nkv_ast1030_timer_set_alarm(NKV_AST1030_ALARM_MAX_MS);
    nkv_wait_for_interrupt();
}
