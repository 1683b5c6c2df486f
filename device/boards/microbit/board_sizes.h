/* The micro:bit's sizes; ../board.h says what each is. Of its 16 KiB of RAM 6
 * are used, stack included (docs/boards.md). */
#ifndef NORKV_BOARDS_MICROBIT_BOARD_SIZES_H
#define NORKV_BOARDS_MICROBIT_BOARD_SIZES_H

#include <norkv/receive_ring.h>

enum {
    NKV_BOARD_MAX_KEYS = 64,
    /* The size of the region STORE in microbit.ld; with another one nkv_mount
     * says NKV_INVALID_ARGUMENT. */
    NKV_BOARD_SECTORS = 16,
    NKV_BOARD_BUFFER = 64,
    NKV_BOARD_MAX_FRAME = 512,
    NKV_BOARD_MAX_PACKET = 512,
    NKV_BOARD_CALLS = 2,
    NKV_BOARD_CLIENTS = 2,
    NKV_BOARD_ANSWERS = 4,
    /* The part is deaf while it erases, as the processor stands still: a client
     * is to send one frame at a time. The ring takes it, and one more that ends
     * a call. */
    NKV_BOARD_RX_WINDOW = 0,
    NKV_BOARD_RING = NKV_BOARD_MAX_FRAME + NKV_RECEIVE_RING_RESERVE,
    /* Collecting a sector takes an erase (22.3 ms), a page of words (11.9 ms)
     * and reading it. For each copy a put does one or two, and its entry. */
    NKV_BOARD_STALL_MAX_MS = 100 * NKV_BOARD_COPIES
};

#endif
