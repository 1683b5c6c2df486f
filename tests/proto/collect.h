/* Gathers what the HDLC codec gives out. */
#ifndef NORKV_TESTS_PROTO_COLLECT_H
#define NORKV_TESTS_PROTO_COLLECT_H

#include <norkv/hdlc.h>

enum { NKV_COLLECT_MAX = 8192 };

/* Takes what nkv_hdlc_encode writes. */
struct nkv_collected {
    uint8_t data[NKV_COLLECT_MAX];
    size_t size;
    /* Writes that are still taken; the next one gives NKV_ABORTED. */
    size_t writes_left;
};

/* An empty one that never fails. */
void nkv_collect_init(struct nkv_collected *collected);

/* Writes to collected, which stays the caller's. */
struct nkv_hdlc_sink nkv_collect_sink(struct nkv_collected *collected);

/* Appends a frame; fails the test when it cannot. */
void nkv_collect_frame(struct nkv_collected *collected, uint64_t address,
                       struct nkv_span payload);

/* Appends bytes that are no frame. */
void nkv_collect_bytes(struct nkv_collected *collected, struct nkv_span bytes);

#endif
