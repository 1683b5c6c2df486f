/*
 * A device made by hand, for what the real server never does: it takes packets
 * apart and hands them to the test, which answers as it likes.
 */
#ifndef NORKV_TESTS_HOST_FAKE_DEVICE_H
#define NORKV_TESTS_HOST_FAKE_DEVICE_H

#include "bench.h"
#include "norkv.pb-c.h"
#include <norkv/hdlc.h>
#include <norkv/packet.h>

struct nkv_fake_device {
    struct nkv_bench *bench;
    struct nkv_hdlc_decoder decoder;
    uint8_t buffer[4096];
    /* Called for each packet; NULL: it is not answered. */
    void (*answer)(struct nkv_fake_device *device,
                   const struct nkv_packet *request);
    void *context;
    /* Packets that came, and those of them that were Device.Open. */
    unsigned requests;
    unsigned opens;
    /* Device.Open is answered by itself, unless this is set. */
    bool answer_open_too;
};

void nkv_fake_device_init(struct nkv_fake_device *device,
                          struct nkv_bench *bench);

/* Sends bytes as they are. */
void nkv_fake_device_send(struct nkv_fake_device *device, const void *bytes,
                          size_t size);

/* Answers a request with a packet of this type. message may be NULL. */
void nkv_fake_device_reply(struct nkv_fake_device *device,
                           const struct nkv_packet *request,
                           enum nkv_packet_type type, enum nkv_status status,
                           const ProtobufCMessage *message);

/* Answers with a payload that need be no message. */
void nkv_fake_device_reply_bytes(struct nkv_fake_device *device,
                                 const struct nkv_packet *request,
                                 enum nkv_packet_type type,
                                 enum nkv_status status,
                                 struct nkv_span payload);

/* What it says to Device.Open: protocol version 1, one store. */
void nkv_fake_device_reply_open(struct nkv_fake_device *device,
                                const struct nkv_packet *request,
                                uint32_t protocol_version);

#endif
