/* The service of tests/vectors/demo.proto, "Missing" left out, as the server
 * that the conversations were recorded from has it. */
#ifndef NKV_DEMO_SERVICE_H
#define NKV_DEMO_SERVICE_H

#include <norkv/rpc.h>

enum {
    NKV_DEMO_KEYS = 8,
    NKV_DEMO_TEXT = 16,
    NKV_DEMO_SLOTS = 4,
    NKV_DEMO_PACKET = 256,
    NKV_DEMO_REPLIES = 8
};

struct nkv_demo_text {
    uint8_t bytes[NKV_DEMO_TEXT];
    size_t size;
};

struct nkv_demo_pair {
    struct nkv_demo_text key;
    struct nkv_demo_text value;
    uint32_t version;
};

/* A dispatcher with that service, and what it sent. */
struct nkv_demo {
    struct nkv_rpc rpc;
    struct nkv_rpc_config config;
    struct nkv_rpc_call calls[NKV_DEMO_SLOTS];
    uint8_t packet[NKV_DEMO_PACKET];
    /* Sent since it was last set to 0. */
    uint8_t replies[NKV_DEMO_REPLIES][NKV_DEMO_PACKET];
    size_t reply_sizes[NKV_DEMO_REPLIES];
    size_t reply_count;
    /* What the sink returns. */
    enum nkv_status sink_status;
    /* The store. */
    struct nkv_demo_pair pairs[NKV_DEMO_KEYS];
    size_t pair_count;
    uint32_t version;
    /* Messages of the Restore call in each slot. */
    uint32_t restored[NKV_DEMO_SLOTS];
    /* Calls that were cancelled, and turns that calls got. */
    uint32_t cancelled;
    uint32_t steps;
};

/* Ids of the service; Kv's methods are nkv_name_id of their names. */
#define NKV_DEMO_SERVICE 0x4C9126ADu
#define NKV_DEMO_GET 0x4719C5EDu
#define NKV_DEMO_PUT 0x4F03C034u
#define NKV_DEMO_SCAN 0x01B8FE21u
#define NKV_DEMO_RESTORE 0x32108479u
#define NKV_DEMO_CHAT 0x9BA981BCu

void nkv_demo_init(struct nkv_demo *demo);

#endif
