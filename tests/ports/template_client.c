#include "template_client.h"
#include "packet_frame.h"
#include "template/template_line.h"
#include "template_chip.h"

#include <norkv/ids.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static enum nkv_status receive(void *context, const uint8_t *data, size_t size)
{
    (void)context;
    for (size_t i = 0; i < size; i++) {
        nkv_template_line_receive(data[i]);
    }
    return NKV_OK;
}

static void send(uint32_t service, uint32_t method, struct nkv_span payload)
{
    const struct nkv_hdlc_sink sink = {.write = receive};
    const struct nkv_packet packet = {
        .type = NKV_PACKET_REQUEST,
        .channel_id = 1,
        .service_id = service,
        .method_id = method,
        .call_id = 7,
        .payload = payload,
    };

    assert_int_equal(nkv_packet_frame_send(&sink, &packet), NKV_OK);
}

void template_send_open(void)
{
    send(NKV_SERVICE_DEVICE, NKV_METHOD_DEVICE_OPEN, (struct nkv_span){0});
}

void template_send_put(void)
{
    static const uint8_t request[] = {0x12, 1,   'k', 0x1A, 5,
                                      'v',  'a', 'l', 'u',  'e'};

    send(NKV_SERVICE_STORE, NKV_METHOD_STORE_PUT,
         (struct nkv_span){request, sizeof request});
}

void template_send_get(void)
{
    static const uint8_t request[] = {0x12, 1, 'k'};

    send(NKV_SERVICE_STORE, NKV_METHOD_STORE_GET,
         (struct nkv_span){request, sizeof request});
}

struct nkv_packet template_answer(void)
{
    static uint8_t buffer[1024];
    struct nkv_packet packet = {.status = NKV_UNKNOWN};
    const enum nkv_status status = nkv_packet_frame_last(
        (struct nkv_span){chip.output, chip.output_size},
        (struct nkv_buffer){buffer, sizeof buffer}, &packet);

    assert_true(status == NKV_OK || status == NKV_NOT_FOUND);
    chip.output_size = 0;
    return packet;
}
