/*
 * RPC packets as pw_rpc makes them (docs/protocol.md, Packets). One travels in
 * each frame with address 'R'.
 */
#ifndef NORKV_PACKET_H
#define NORKV_PACKET_H

#include <norkv/bytes.h>
#include <norkv/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Even ones go to the server, odd ones to the client. */
enum nkv_packet_type {
    NKV_PACKET_REQUEST = 0,
    NKV_PACKET_RESPONSE = 1,
    NKV_PACKET_CLIENT_STREAM = 2,
    NKV_PACKET_CLIENT_ERROR = 4,
    NKV_PACKET_SERVER_ERROR = 5,
    NKV_PACKET_SERVER_STREAM = 7,
    NKV_PACKET_CLIENT_REQUEST_COMPLETION = 8
};

enum {
    /* Call ids that match any active call of the method. */
    NKV_CALL_ID_NONE = 0,
    /* The most bytes that a packet adds to its payload, if type and status
     * are below 128, as all that exist are. */
    NKV_PACKET_OVERHEAD_MAX = 32
};

#define NKV_CALL_ID_ANY 0xFFFFFFFFu

struct nkv_packet {
    /* A number that may be none of enum nkv_packet_type. */
    uint32_t type;
    uint32_t channel_id;
    uint32_t service_id;
    uint32_t method_id;
    uint32_t call_id;
    /* A number that may be none of enum nkv_status. */
    uint32_t status;
    /* Borrowed; after decoding it points into the decoded bytes. */
    struct nkv_span payload;
};

/*
 * Takes a packet apart. Fields come in any order, the last of a kind wins,
 * unknown ones are skipped, absent ones are 0.
 *
 * - NKV_DATA_LOSS: these bytes are no packet.
 */
NKV_MUST_USE enum nkv_status nkv_packet_decode(struct nkv_span bytes,
                                               struct nkv_packet *packet);

/*
 * Writes a packet; zero fields and an empty payload are left out. *size is set
 * to its bytes.
 *
 * - NKV_RESOURCE_EXHAUSTED: it does not fit.
 */
NKV_MUST_USE enum nkv_status nkv_packet_encode(const struct nkv_packet *packet,
                                               struct nkv_buffer to,
                                               size_t *size);

/*
 * Writes all of a packet but its payload's bytes at the end of to: so that a
 * payload can be written where it will be sent from, and this in front of it.
 * packet->payload.size counts, its data is not read.
 */
NKV_MUST_USE enum nkv_status
nkv_packet_encode_head(const struct nkv_packet *packet, struct nkv_buffer to,
                       size_t *size);

/* pw_rpc's name hash, which gives service and method ids. */
uint32_t nkv_name_id(const char *name);

#endif
