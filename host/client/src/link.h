/*
 * A transport with frames and packets on it: sends packets, takes what arrives
 * apart, and counts what was heard, so that silence can be explained.
 */
#ifndef NORKV_HOST_LINK_H
#define NORKV_HOST_LINK_H

#include "heard.h"
#include "prose.h"
#include "text.h"
#include <norkv/client.h>
#include <norkv/hdlc.h>
#include <norkv/packet.h>

enum {
    /* The smallest packet that may be asked for: what a device sends to those
     * who ask for nothing. */
    NKV_LINK_PACKET_MIN = 512,
    /* The largest packet that may be asked for: what Java clients take. */
    NKV_LINK_PACKET_MAX = 4096,
    NKV_LINK_CONTENT_MAX = NKV_LINK_PACKET_MAX + NKV_HDLC_ADDRESS_SIZE_MAX + 5,
    /* Bytes of a greeting that are kept. */
    NKV_LINK_GREETING_MAX = 120,
    /* Bytes on the wire that a trace shows of one thing. */
    NKV_LINK_RAW_MAX = 2 * NKV_LINK_CONTENT_MAX + 2
};

struct nkv_link {
    struct nkv_client_transport transport;
    uint32_t channel_id;
    uint64_t start_ms;
    struct nkv_hdlc_decoder decoder;
    uint8_t content[NKV_LINK_CONTENT_MAX];
    struct nkv_client_counters counters;
    struct nkv_heard heard;
    /* The first bytes that came: a bridge that hangs up says why. */
    uint8_t greeting[NKV_LINK_GREETING_MAX];
    /* Gets each packet, of any channel. It must not send. */
    void (*receive)(void *context, const struct nkv_packet *packet);
    void *receive_context;
    void (*trace)(void *context, const struct nkv_client_trace *trace);
    void *trace_context;
    /* Text between frames. */
    struct nkv_prose prose;
    void (*remark)(void *context, const struct nkv_client_remark *remark);
    void *remark_context;
    /* How many remarks there were. */
    uint64_t remarks;
    /* What came since the last frame ended; kept for the trace only. */
    uint8_t raw[NKV_LINK_RAW_MAX];
    size_t raw_size;
    /* The frame that is going out: the transport has taken out_sent of its
     * out_size bytes. One at a time, so that what waits is bounded and its
     * timers start when it leaves. out is NULL when nothing waits. */
    uint8_t *out;
    size_t out_size;
    size_t out_sent;
    uint32_t out_call_id;
    /* Set when the transport failed; error is errno's value then, or 0 when
     * the other end closed. */
    bool dead;
    int error;
};

/* Readies a link over transport, which is the link's from here on. receive is
 * to be set; trace and remark may be. */
void nkv_link_init(struct nkv_link *link,
                   const struct nkv_client_transport *transport,
                   uint32_t channel_id);

/* Closes the transport, if there is one. */
void nkv_link_close(struct nkv_link *link);

/* Milliseconds on the transport's clock. */
uint64_t nkv_link_now(const struct nkv_link *link);

/* Whether no frame waits to go out, so that one can be started. */
bool nkv_link_is_ready(const struct nkv_link *link);

/* Whether a frame of this call waits to go out, in part or whole. */
bool nkv_link_is_sending(const struct nkv_link *link, uint32_t call_id);

/* Content bytes of the frame that carries a packet, whose payload's bytes are
 * not looked at; and bytes on the wire, with flags and escapes. */
size_t nkv_link_content_size(const struct nkv_packet *packet);
size_t nkv_link_wire_size(const struct nkv_packet *packet);

/*
 * Starts sending a packet on a link that is ready: as much of it as the
 * transport takes at once.
 *
 * - NKV_UNAVAILABLE: the link is dead.
 * - NKV_INTERNAL: no memory.
 */
NKV_MUST_USE enum nkv_status nkv_link_start(struct nkv_link *link,
                                            const struct nkv_packet *packet);

/*
 * Goes on with a frame that waits, if there is one, until it is out or the
 * transport takes no more, which is waited for until until_ms once.
 *
 * - NKV_UNAVAILABLE: the link is dead.
 */
NKV_MUST_USE enum nkv_status nkv_link_flush(struct nkv_link *link,
                                            uint64_t until_ms);

/* Drops what waits of a call's frame; what has left is a frame that breaks off,
 * and costs no other, as each begins with a flag. */
void nkv_link_drop(struct nkv_link *link, uint32_t call_id);

/*
 * Sends one packet, reading meanwhile what arrives.
 *
 * - NKV_DEADLINE_EXCEEDED: the line has not taken it all by until_ms; the rest
 *   waits.
 * - NKV_UNAVAILABLE: the link is dead.
 * - NKV_INTERNAL: no memory.
 */
NKV_MUST_USE enum nkv_status nkv_link_send(struct nkv_link *link,
                                           const struct nkv_packet *packet,
                                           uint64_t until_ms);

/*
 * Waits until something has arrived, and takes it, or until until_ms.
 *
 * - NKV_UNAVAILABLE: the link is dead.
 */
NKV_MUST_USE enum nkv_status nkv_link_poll(struct nkv_link *link,
                                           uint64_t until_ms);

/* Shows bytes to the trace that are still waiting for a frame to end. */
void nkv_link_flush_trace(struct nkv_link *link);

/* Says why the line is dead. */
void nkv_link_explain_death(const struct nkv_link *link, struct nkv_text *why);

/* Says why no answer came, by what was heard since before. */
void nkv_link_explain_silence(const struct nkv_link *link,
                              const struct nkv_heard *before,
                              struct nkv_text *why);

#endif
