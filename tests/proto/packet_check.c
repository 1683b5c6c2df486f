#include "packet_check.h"
#include "cmocka_all.h"
#include <stdlib.h>
#include <string.h>

void nkv_check_same_packet(const struct nkv_packet *packet,
                           const struct nkv_packet *expected)
{
    assert_int_equal(packet->type, expected->type);
    assert_int_equal(packet->channel_id, expected->channel_id);
    assert_int_equal(packet->service_id, expected->service_id);
    assert_int_equal(packet->method_id, expected->method_id);
    assert_int_equal(packet->call_id, expected->call_id);
    assert_int_equal(packet->status, expected->status);
    assert_int_equal(packet->payload.size, expected->payload.size);
    if (expected->payload.size > 0) {
        assert_memory_equal(packet->payload.data, expected->payload.data,
                            expected->payload.size);
    }
}

void nkv_check_decodes_to(struct nkv_span bytes,
                          const struct nkv_packet *expected)
{
    uint8_t *copy = malloc(bytes.size);
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    struct nkv_packet packet;
    memset(&packet, 0xA5, sizeof packet);
    const enum nkv_status status =
        nkv_packet_decode((struct nkv_span){copy, bytes.size}, &packet);
    if (expected == NULL) {
        assert_int_equal(status, NKV_DATA_LOSS);
    } else {
        assert_int_equal(status, NKV_OK);
        nkv_check_same_packet(&packet, expected);
    }
    free(copy);
}
