/*
 * A client and a device on one simulated line, in one process and on one
 * simulated clock: waiting costs nothing, and every run is the same.
 */
#ifndef NORKV_TESTS_HOST_BENCH_H
#define NORKV_TESTS_HOST_BENCH_H

#include "line_sim.h"
#include <norkv/client.h>

/* The line's ends. */
enum { NKV_BENCH_CLIENT = 0, NKV_BENCH_DEVICE = 1 };

struct nkv_bench {
    struct nkv_line_sim line;
    /* Lets the device read and write at the line's time. True: it has more to
     * do at once. NULL: it is silent. */
    bool (*device)(void *context, struct nkv_line_sim *line);
    void *device_context;
    /* When the device wants its turn, whatever happens; 0: never. */
    uint64_t device_at_us;
    /* When not 0: the line is cut at this time. */
    uint64_t cut_at_ms;
    /* errno's value of the cut; 0: end of file. */
    int cut_error;
    /* What has arrived before the cut can be read behind it. */
    bool keeps_arrived;
    /* The line takes nothing, and says that it is gone. */
    bool fails_writes;
    /* The line takes nothing. */
    bool is_stuck;
    /* When not 0: the line takes a byte at a time, and this long for each. */
    uint32_t byte_ms;
    /* What the client wrote, in writes, a frame being a write; that with the
     * number mishap_at, counted from 1, meets with these faults alone. */
    unsigned writes;
    unsigned mishap_at;
    struct nkv_line_faults mishap;
    /* How often a client was opened, and closed its transport. */
    unsigned opened;
    unsigned closed;
};

void nkv_bench_init(struct nkv_bench *bench, uint64_t seed);

void nkv_bench_free(struct nkv_bench *bench);

/* A transport to the line's client end; its context is the bench. */
struct nkv_client_transport nkv_bench_transport(struct nkv_bench *bench);

/* Opens a client on the bench, or fails the test. options may be NULL. */
struct nkv_client *nkv_bench_open(struct nkv_bench *bench,
                                  const struct nkv_client_options *options);

/* The client's next writes are counted from 1, and number at meets with a
 * mishap. */
void nkv_bench_arm(struct nkv_bench *bench,
                   const struct nkv_line_faults *mishap, unsigned at);

/* Lets time pass in which the client does nothing, and the device what it
 * likes. */
void nkv_bench_wait(struct nkv_bench *bench, uint32_t time_ms);

/* Lets time pass until something has arrived for the client, or as long. */
void nkv_bench_pass(struct nkv_bench *bench, uint32_t time_ms);

uint64_t nkv_bench_now_ms(const struct nkv_bench *bench);

#endif
