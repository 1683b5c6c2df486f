#include "send_queue.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 4096 };

static enum nkv_status grow(struct nkv_send_queue *queue, size_t size)
{
    size_t capacity = queue->capacity == 0 ? CAPACITY_MIN : queue->capacity;
    uint8_t *bytes;

    while (capacity < size)
        capacity *= 2;
    bytes = realloc(queue->bytes, capacity);
    if (bytes == NULL)
        return NKV_RESOURCE_EXHAUSTED;
    queue->bytes = bytes;
    queue->capacity = capacity;
    return NKV_OK;
}

enum nkv_status nkv_send_queue_add(struct nkv_send_queue *queue,
                                   const uint8_t *from, size_t size)
{
    if (size == 0)
        return NKV_OK;
    if (queue->start > 0 && queue->size > 0)
        memmove(queue->bytes, queue->bytes + queue->start, queue->size);
    queue->start = 0;
    if (size > queue->capacity - queue->size) {
        enum nkv_status status = grow(queue, queue->size + size);

        if (status != NKV_OK)
            return status;
    }
    memcpy(queue->bytes + queue->size, from, size);
    queue->size += size;
    return NKV_OK;
}

void nkv_send_queue_take(struct nkv_send_queue *queue, size_t size)
{
    queue->start += size;
    queue->size -= size;
}

void nkv_send_queue_clear(struct nkv_send_queue *queue)
{
    free(queue->bytes);
    *queue = (struct nkv_send_queue){0};
}
