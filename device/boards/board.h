/*
 * What main.c needs of a board. Each board is a folder: wiring, vectors, linker
 * script, and board_sizes.h with the constants
 *
 *   NKV_BOARD_MAX_KEYS    keys of the store
 *   NKV_BOARD_COPIES      copies of each entry
 *   NKV_BOARD_SECTORS     sectors of the store at most
 *   NKV_BOARD_BUFFER      bytes of its program buffer
 *   NKV_BOARD_MAX_FRAME   bytes of the largest frame taken
 *   NKV_BOARD_MAX_PACKET  bytes of the largest packet sent
 *   NKV_BOARD_CALLS, NKV_BOARD_CLIENTS, NKV_BOARD_ANSWERS
 *                         see NKV_DEFINE_SERVER_MEMORY
 *   NKV_BOARD_RING        bytes of the receive ring
 *   NKV_BOARD_RX_WINDOW   content bytes that may be unanswered; 0: the part is
 *                         deaf while it programs, so max_frame
 *   NKV_BOARD_STALL_MAX_MS
 *                         the longest time between two polls
 */
#ifndef NORKV_BOARDS_BOARD_H
#define NORKV_BOARDS_BOARD_H

#include <norkv/fault.h>
#include <norkv/flash.h>
#include <norkv/status.h>

#include <stddef.h>
#include <stdint.h>

/* Valid as long as the program runs. */
struct nkv_board {
    const char *product;
    /* Another one on each board of a kind. */
    const char *unit_id;
    /* The store's partition. */
    const struct nkv_flash *flash;
    /* The flash is not what it should be: the server runs all the same, tells
     * so, and leaves it alone. */
    enum nkv_fault fault;
    uint32_t fault_detail;
    /* Random, another one after each start. */
    uint32_t boot_id;
};

/*
 * Starts all that there is on the board, the line last. From then on receive is
 * called by an interrupt for each byte that comes over the line, and overrun
 * each time that the UART says it lost some; neither while the other one runs.
 */
const struct nkv_board *nkv_board_start(void (*receive)(uint8_t byte),
                                        void (*overrun)(void));

/* Sends bytes over the line: nkv_byte_stream's write. */
NKV_MUST_USE enum nkv_status nkv_board_write(void *context, const uint8_t *from,
                                             size_t size);

/* Milliseconds since any moment; wraps. Not called by interrupts. */
uint32_t nkv_board_now_ms(void);

/* Sleeps until an interrupt pends, about 100 ms at most. Called with interrupts
 * off, and they stay so: a byte that came just before ends it at once. */
void nkv_board_wait(void);

#endif
