#include "fake_device.h"

#include "packet_frame.h"
#include "test.h"
#include <norkv/ids.h>

static enum nkv_status write_line(void *context, const uint8_t *data,
                                  size_t size)
{
    struct nkv_fake_device *device = context;
    struct nkv_span bytes = {data, size};
    nkv_line_sim_write(&device->bench->line, NKV_BENCH_DEVICE, bytes);
    return NKV_OK;
}

void nkv_fake_device_send(struct nkv_fake_device *device, const void *bytes,
                          size_t size)
{
    (void)write_line(device, bytes, size);
}

void nkv_fake_device_reply_bytes(struct nkv_fake_device *device,
                                 const struct nkv_packet *request,
                                 enum nkv_packet_type type,
                                 enum nkv_status status,
                                 struct nkv_span payload)
{
    struct nkv_hdlc_sink sink = {write_line, device};
    struct nkv_packet packet = *request;
    packet.type = type;
    packet.status = (uint32_t)status;
    packet.payload = payload;
    assert_int_equal(nkv_packet_frame_send(&sink, &packet), NKV_OK);
}

void nkv_fake_device_reply(struct nkv_fake_device *device,
                           const struct nkv_packet *request,
                           enum nkv_packet_type type, enum nkv_status status,
                           const ProtobufCMessage *message)
{
    uint8_t bytes[3000];
    struct nkv_span payload = {bytes, 0};
    if (message != NULL) {
        payload.size = protobuf_c_message_get_packed_size(message);
        assert_in_range(payload.size, 0, sizeof(bytes));
        protobuf_c_message_pack(message, bytes);
    }
    nkv_fake_device_reply_bytes(device, request, type, status, payload);
}

void nkv_fake_device_reply_open(struct nkv_fake_device *device,
                                const struct nkv_packet *request,
                                uint32_t protocol_version)
{
    Norkv__V1__OpenResponse response;
    Norkv__V1__Limits limits = NORKV__V1__LIMITS__INIT;
    norkv__v1__open_response__init(&response);
    limits.max_frame = 1000;
    limits.rx_window = 1024;
    limits.max_calls = 4;
    limits.max_key = 63;
    limits.max_value = 800;
    response.protocol_version = protocol_version;
    response.session = 0x1234;
    response.boot_id = 1;
    response.limits = &limits;
    nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_OK,
                          &response.base);
}

static void take_packet(struct nkv_fake_device *device,
                        const struct nkv_packet *packet)
{
    device->requests++;
    bool is_open = packet->service_id == NKV_SERVICE_DEVICE &&
                   packet->method_id == NKV_METHOD_DEVICE_OPEN;
    device->opens += is_open;
    if (is_open && !device->answer_open_too)
        nkv_fake_device_reply_open(device, packet, 1);
    else if (device->answer != NULL)
        device->answer(device, packet);
}

static bool poll_device(void *context, struct nkv_line_sim *line)
{
    struct nkv_fake_device *device = context;
    uint8_t byte;
    struct nkv_buffer room = {&byte, 1};
    while (nkv_line_sim_read(line, NKV_BENCH_DEVICE, room) == 1) {
        struct nkv_packet packet;
        if (nkv_packet_frame_take(&device->decoder, byte, &packet) == NKV_OK)
            take_packet(device, &packet);
    }
    return false;
}

void nkv_fake_device_init(struct nkv_fake_device *device,
                          struct nkv_bench *bench)
{
    memset(device, 0, sizeof(*device));
    struct nkv_buffer room = {device->buffer, sizeof(device->buffer)};
    device->bench = bench;
    nkv_hdlc_decoder_init(&device->decoder, room);
    bench->device = poll_device;
    bench->device_context = device;
}
