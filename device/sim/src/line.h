/*
 * A line of bytes over a descriptor, a pseudo terminal's or a socket's: the
 * server's byte stream. At a rate, each byte takes its ten bits' time each way,
 * and both ways at once, as on a UART. Nothing here waits.
 */
#ifndef NORKV_SIM_LINE_H
#define NORKV_SIM_LINE_H

#include "send_queue.h"

#include <norkv/status.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nkv_line {
    /* Not blocking. -1: nobody is at the other end. */
    int fd;
    /* Bits a second; 0: as fast as it goes. */
    uint32_t baud;
    /* The other end sends no more, and all it sent was read; it may still
     * read. */
    bool ended;
    /* The other end has closed, and all it sent was read. */
    bool gone;
    /* The other end does not read: what is sent is lost until it does. */
    bool stuck;
    /* Bytes in the descriptor that were noticed, and when the last of them will
     * have come over the line. */
    size_t noticed;
    uint64_t receive_end_ns;
    /* What waits to leave, and when the last byte of it will have gone over the
     * line. */
    struct nkv_send_queue queue;
    uint64_t send_end_ns;
    /* Since when there is no room for what could leave; 0: there is. */
    uint64_t blocked_ns;
};

/* Prepares a line with nobody at the other end. */
void nkv_line_init(struct nkv_line *line, uint32_t baud);

/* Connects the line to fd, which becomes the line's. */
void nkv_line_attach(struct nkv_line *line, int fd);

/* Closes the descriptor; what waits to leave is lost. */
void nkv_line_detach(struct nkv_line *line);

/* nkv_byte_stream's read; context is the line. */
size_t nkv_line_read(void *context, uint8_t *to, size_t capacity);

/*
 * nkv_byte_stream's write; context is the line. Bytes that cannot leave at once
 * wait in the line; whoever writes is asked to hold back while it is sending.
 *
 * - NKV_UNAVAILABLE: lost, because the other end has closed or does not read.
 * - NKV_RESOURCE_EXHAUSTED: lost, no memory.
 */
NKV_MUST_USE enum nkv_status nkv_line_write(void *context, const uint8_t *from,
                                            size_t size);

/* Do bytes wait to leave? */
bool nkv_line_is_sending(const struct nkv_line *line);

/* Fills in what to poll for, and lowers *timeout_ns (negative: for ever) to
 * when something is due: bytes will have come or gone over the line. */
void nkv_line_before_poll(struct nkv_line *line, struct pollfd *entry,
                          int64_t *timeout_ns);

/*
 * Notices what poll found, and sends what is due. Bytes for which there is no
 * room for two seconds are lost, and all that follow, as a UART's are when
 * nobody listens, until the other end reads again.
 */
void nkv_line_after_poll(struct nkv_line *line, const struct pollfd *entry);

/* Has the other end closed, or said that it sends no more, though what it sent
 * may not be read yet? */
bool nkv_line_is_closing(const struct nkv_line *line);

#endif
