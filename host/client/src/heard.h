/* What came over the line, to tell a dead one from a wrong one. */
#ifndef NORKV_HOST_HEARD_H
#define NORKV_HOST_HEARD_H

#include <stdint.h>

struct nkv_heard {
    uint64_t bytes;
    /* Those of them that are printable ASCII, CR, LF or TAB. */
    uint64_t printable;
    /* Those whose bits change at one place at most, as 00, F0 and FE do: what a
     * line looks like that is sampled too fast. One in sixteen of any bytes. */
    uint64_t smooth;
    uint64_t flags;
    /* Good frames that carry RPC packets; others that are good. */
    uint32_t packets;
    /* Those of the packets that only clients send: our own, sent back. */
    uint32_t echoes;
    uint32_t others;
    uint32_t bad;
};

/* Counts a byte. */
void nkv_heard_byte(struct nkv_heard *heard, uint8_t byte);

#endif
