/*
 * The real client and the real server on a simulated line, on the line's clock,
 * for measuring: the same figures on every run.
 *
 * The device takes 100 us from a poll to the next, what it sends waits in 256
 * bytes in front of the line, and its flash takes no time: what is measured is
 * the line.
 */
#ifndef NORKV_TESTS_LINE_RIG_H
#define NORKV_TESTS_LINE_RIG_H

#include "real_device.h"

enum {
    NKV_LINE_KEY_SIZE = 12,
    NKV_LINE_VALUE_SIZE = 32,
    NKV_LINE_RECORD_SIZE = NKV_LINE_KEY_SIZE + NKV_LINE_VALUE_SIZE
};

struct nkv_line_setup {
    uint32_t baud;
    uint32_t latency_ms;
    /* Bytes of the receive ring, and of the largest frame taken. */
    uint32_t ring;
    uint32_t max_frame;
    /* Frames lost each way, in a million. */
    uint32_t loss;
    bool omit_value_crc;
};

/* A record with all its bytes. */
struct nkv_line_record {
    uint8_t key[NKV_LINE_KEY_SIZE];
    uint8_t value[NKV_LINE_VALUE_SIZE];
};

struct nkv_line_rig {
    struct nkv_bench bench;
    struct nkv_real_device device;
    struct nkv_client *client;
    struct nkv_line_record *records;
    size_t count;
};

/* What a transfer took. */
struct nkv_line_time {
    uint64_t us;
    /* Bytes on the line from the host, and to it. */
    uint64_t sent;
    uint64_t received;
};

/* Makes count records and opens a session. Ends the program when it cannot. */
struct nkv_line_rig *nkv_line_rig_open(const struct nkv_line_setup *setup,
                                       size_t count);

void nkv_line_rig_close(struct nkv_line_rig *rig);

struct nkv_span nkv_line_key(const struct nkv_line_rig *rig, size_t number);
struct nkv_span nkv_line_value(const struct nkv_line_rig *rig, size_t number);

/* Where the clock and the counters stand; and what passed since. */
struct nkv_line_time nkv_line_now(const struct nkv_line_rig *rig);
struct nkv_line_time nkv_line_since(const struct nkv_line_rig *rig,
                                    struct nkv_line_time begun);

/* Ends the program unless the status is NKV_OK. */
void nkv_line_expect_ok(const struct nkv_line_rig *rig, enum nkv_status status,
                        const char *what);

#endif
