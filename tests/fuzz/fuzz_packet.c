/* The packet decoder: what it accepts means the same when written again. */
#include "fuzz.h"
#include <norkv/packet.h>
#include <stdlib.h>
#include <string.h>

/* More than any head: type and status may be wider than they ever are. */
enum { HEAD_MAX = 64 };

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_same(const struct nkv_packet *one,
                       const struct nkv_packet *other)
{
    check(one->type == other->type && one->status == other->status);
    check(one->channel_id == other->channel_id);
    check(one->service_id == other->service_id);
    check(one->method_id == other->method_id);
    check(one->call_id == other->call_id);
    check(one->payload.size == other->payload.size);
    check(one->payload.size == 0 ||
          memcmp(one->payload.data, other->payload.data, one->payload.size) ==
              0);
}

static void check_round_trip(const struct nkv_packet *packet)
{
    const size_t capacity = HEAD_MAX + packet->payload.size;
    uint8_t *bytes = malloc(capacity);
    check(bytes != NULL);
    size_t size = 0;
    check(nkv_packet_encode(packet, (struct nkv_buffer){bytes, capacity},
                            &size) == NKV_OK);
    struct nkv_packet again;
    check(nkv_packet_decode((struct nkv_span){bytes, size}, &again) == NKV_OK);
    check_same(&again, packet);

    /* One byte less is too little room. */
    uint8_t *small = malloc(size > 0 ? size - 1 : 0);
    if (size > 0) {
        check(nkv_packet_encode(packet, (struct nkv_buffer){small, size - 1},
                                &size) == NKV_RESOURCE_EXHAUSTED);
    }
    free(small);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nkv_packet packet;
    if (nkv_packet_decode((struct nkv_span){data, size}, &packet) != NKV_OK) {
        return 0;
    }
    check(packet.payload.size == 0 ||
          (packet.payload.data >= data &&
           packet.payload.size <= (size_t)(data + size - packet.payload.data)));
    check_round_trip(&packet);
    return 0;
}
