/*
 * The line: a UART whose receive interrupt fills a ring, and which is written
 * to byte by byte. 8 data bits, no parity, one stop bit, no flow control.
 */
#ifndef NORKV_TEMPLATE_LINE_H
#define NORKV_TEMPLATE_LINE_H

#include <norkv/server.h>

enum {
    NKV_TEMPLATE_MAX_FRAME = 512,
    /* A frame that is being worked on, and the next one. A part that is deaf
     * while it programs says 0, for one frame at a time (docs/porting.md). */
    NKV_TEMPLATE_RX_WINDOW = 2 * NKV_TEMPLATE_MAX_FRAME
};

/* Prepares the ring. Call before the UART's interrupt is on. */
void nkv_template_line_start(void);

/* To be called by the UART's receive interrupt for each byte, and when the UART
 * says that it lost some. */
void nkv_template_line_receive(uint8_t byte);
void nkv_template_line_overrun(void);

/* Whether a frame may have come since the server last read. With interrupts off
 * it tells whether the program may sleep. */
bool nkv_template_line_has_arrived(void);

/* Bytes lost since this was last asked, in the ring and in the UART. */
uint32_t nkv_template_line_take_overruns(void);

/* For the server. Its write gives NKV_DEADLINE_EXCEEDED when the UART takes no
 * byte for a second. */
extern const struct nkv_byte_stream nkv_template_line;

#endif
