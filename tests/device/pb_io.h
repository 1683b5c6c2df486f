/* nanopb messages from and to pieces of memory, bytes not copied on the way
 * in. */
#ifndef NKV_PB_IO_H
#define NKV_PB_IO_H

#include <norkv/bytes.h>
#include <pb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes decoding point *to at the field's bytes; *to is empty when the field
 * is absent. */
void nkv_pb_take(pb_callback_t *field, struct nkv_span *to);

/* Makes encoding write *from as the field, and nothing when it is empty. */
void nkv_pb_give(pb_callback_t *field, const struct nkv_span *from);

/* Decodes bytes into message, which was prepared with its init_zero and
 * nkv_pb_take. False: these bytes are no such message. */
bool nkv_pb_decode(struct nkv_span bytes, const pb_msgdesc_t *fields,
                   void *message);

/* Encodes message into room; *encoded is where it is. False: it does not
 * fit. */
bool nkv_pb_encode(struct nkv_buffer room, const pb_msgdesc_t *fields,
                   const void *message, struct nkv_span *encoded);

#endif
