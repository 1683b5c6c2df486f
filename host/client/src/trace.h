/* What a packet means, in one line. */
#ifndef NORKV_HOST_TRACE_H
#define NORKV_HOST_TRACE_H

#include "text.h"
#include <norkv/packet.h>

/* Adds type, method, call id, and the fields of the message inside. */
void nkv_trace_packet(const struct nkv_packet *packet,
                      struct nkv_text *meaning);

/* The same for the payload of a good frame: a packet, a log line, or another
 * protocol's. */
void nkv_trace_frame(uint64_t address, struct nkv_span payload,
                     struct nkv_text *meaning);

#endif
