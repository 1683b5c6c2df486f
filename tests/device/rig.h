/*
 * A server in one process: a store on the flash simulator, a line in memory, a
 * clock that the test sets, and a client that makes packets by hand.
 */
#ifndef NKV_RIG_H
#define NKV_RIG_H

#include "flash_sim.h"

#include <norkv/ids.h>
#include <norkv/packet.h>
#include <norkv/server.h>

enum {
    NKV_RIG_STORES = 2,
    NKV_RIG_SLOTS = 4,
    NKV_RIG_CLIENTS_MAX = 4,
    NKV_RIG_ANSWERS = 8,
    NKV_RIG_SECTOR_SIZE = 4096,
    NKV_RIG_SECTORS = 8,
    NKV_RIG_MAX_KEYS = 64,
    NKV_RIG_FRAME = 2048,
    NKV_RIG_PACKET = 2048,
    NKV_RIG_LINE = 1 << 18,
    NKV_RIG_FRAMES = 4096
};

#define NKV_RIG_UNIT_ID "BENCH-0007"

/* How a rig differs from the usual one; 0: not at all. */
struct nkv_rig_options {
    uint32_t sector_size;
    uint32_t sectors;
    uint32_t max_keys;
    /* Bytes of the receive and transmit buffers. */
    size_t max_frame;
    size_t max_packet;
    size_t clients;
    uint32_t first_id;
    uint32_t stall_max_ms;
    /* Instead of NKV_RIG_UNIT_ID. */
    const char *unit_id;
};

/* A store and what it needs. */
struct nkv_rig_store {
    struct nkv_flash_sim flash;
    struct nkv_config config;
    struct nkv_store store;
};

/* A frame that the server sent. */
struct nkv_rig_frame {
    uint64_t address;
    struct nkv_span payload;
};

struct nkv_rig {
    struct nkv_rig_options options;
    struct nkv_rig_store stores[NKV_RIG_STORES];
    struct nkv_server_store served[NKV_RIG_STORES];
    struct nkv_server server;
    struct nkv_server_config config;
    struct nkv_rpc_call calls[NKV_RIG_SLOTS];
    struct nkv_server_work work[NKV_RIG_SLOTS];
    struct nkv_server_client clients[NKV_RIG_CLIENTS_MAX];
    struct nkv_server_answer answers[NKV_RIG_CLIENTS_MAX * NKV_RIG_ANSWERS];
    /* Exactly as large as configured, so that a sanitizer sees overruns. */
    uint8_t *receive;
    uint8_t *transmit;
    uint32_t now_ms;
    /* What the server is going to read, and what it wrote. */
    uint8_t *input;
    size_t input_size;
    size_t input_taken;
    uint8_t *output;
    size_t output_size;
    /* When not NKV_OK, writing to the line fails with it. */
    enum nkv_status write_status;
    /* Frames found in output by nkv_rig_run, and the bytes of them. */
    struct nkv_rig_frame *frames;
    size_t frame_count;
    uint8_t *frame_bytes;
    uint32_t next_call_id;
};

/* Makes a rig with two blank stores, mounted; options may be NULL. */
void nkv_rig_init(struct nkv_rig *rig, const struct nkv_rig_options *options);

void nkv_rig_free(struct nkv_rig *rig);

/* The same for a group of cmocka's tests, of the usual rig; *state is it. */
int nkv_rig_set_up(void **state);
int nkv_rig_tear_down(void **state);

/* Starts the device again on the same flash. */
void nkv_rig_restart(struct nkv_rig *rig);

/* Puts bytes, or a packet in a frame, onto the line to the server. */
void nkv_rig_send_bytes(struct nkv_rig *rig, const void *bytes, size_t size);
void nkv_rig_send_packet(struct nkv_rig *rig, const struct nkv_packet *packet);

/* Sends a REQUEST of a method with a new call id, which is returned. */
uint32_t nkv_rig_request(struct nkv_rig *rig, uint32_t service, uint32_t method,
                         struct nkv_span payload);

/* Sends the CLIENT_ERROR that cancels a call. */
void nkv_rig_cancel(struct nkv_rig *rig, uint32_t service, uint32_t method,
                    uint32_t call_id);

/* Polls once, or until there is nothing more to do, and finds the frames that
 * were sent since the last of these calls. */
bool nkv_rig_poll(struct nkv_rig *rig);
void nkv_rig_run(struct nkv_rig *rig);

/* The packet in frame number i, which must hold one. */
struct nkv_packet nkv_rig_packet(const struct nkv_rig *rig, size_t i);

/* Makes a unary call: the only packet that comes back must be its RESPONSE. */
struct nkv_packet nkv_rig_call(struct nkv_rig *rig, uint32_t service,
                               uint32_t method, struct nkv_span payload);

#endif
