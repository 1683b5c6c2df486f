/* The ast1030-evb's sizes; ../board.h says what each is. */
#ifndef NORKV_BOARDS_AST1030_BOARD_SIZES_H
#define NORKV_BOARDS_AST1030_BOARD_SIZES_H

#include <norkv/receive_ring.h>

enum {
    NKV_BOARD_MAX_KEYS = 512,
    /* Of 4 KiB each, at the end of the flash; the firmware has its start. */
    NKV_BOARD_SECTORS = 64,
    NKV_BOARD_SECTOR_SIZE = 4096,
    NKV_BOARD_BUFFER = 256,
    /* The largest value that fits a sector fits one frame. */
    NKV_BOARD_MAX_FRAME = 4352,
    NKV_BOARD_MAX_PACKET = 4096,
    NKV_BOARD_CALLS = 4,
    NKV_BOARD_CLIENTS = 4,
    NKV_BOARD_ANSWERS = 4,
    /* The interrupt puts bytes into it whatever else is going on. */
    NKV_BOARD_RING = 8192,
    NKV_BOARD_RX_WINDOW = NKV_BOARD_RING - NKV_RECEIVE_RING_RESERVE,
    /* An erase takes up to 0.4 s and a sector's pages 16 times 5 ms, by the
     * data sheets; a put does one or two, and its own entry. */
    NKV_BOARD_STALL_MAX_MS = 1500
};

#endif
