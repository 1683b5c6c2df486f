/* Bytes that wait to leave, in memory that grows with them. */
#ifndef NORKV_SIM_SEND_QUEUE_H
#define NORKV_SIM_SEND_QUEUE_H

#include <norkv/status.h>
#include <stddef.h>
#include <stdint.h>

/* Start with all zero; end with nkv_send_queue_clear. */
struct nkv_send_queue {
    /* capacity of them; those that wait are size bytes at start. */
    uint8_t *bytes;
    size_t start;
    size_t size;
    size_t capacity;
};

/* Adds bytes behind those that wait. NKV_RESOURCE_EXHAUSTED: no memory. */
NKV_MUST_USE enum nkv_status nkv_send_queue_add(struct nkv_send_queue *queue,
                                                const uint8_t *from,
                                                size_t size);

/* Takes away the first of them, size or fewer than wait. */
void nkv_send_queue_take(struct nkv_send_queue *queue, size_t size);

/* Takes away all of them, and frees the memory. */
void nkv_send_queue_clear(struct nkv_send_queue *queue);

#endif
