#include "collect.h"
#include "cmocka_all.h"
#include <string.h>

static enum nkv_status collect(void *context, const uint8_t *data, size_t size)
{
    struct nkv_collected *collected = context;
    if (collected->writes_left == 0) {
        return NKV_ABORTED;
    }
    collected->writes_left--;
    nkv_collect_bytes(collected, (struct nkv_span){data, size});
    return NKV_OK;
}

void nkv_collect_init(struct nkv_collected *collected)
{
    collected->size = 0;
    collected->writes_left = SIZE_MAX;
}

struct nkv_hdlc_sink nkv_collect_sink(struct nkv_collected *collected)
{
    return (struct nkv_hdlc_sink){.write = collect, .context = collected};
}

void nkv_collect_frame(struct nkv_collected *collected, uint64_t address,
                       struct nkv_span payload)
{
    const struct nkv_hdlc_sink sink = nkv_collect_sink(collected);
    assert_int_equal(nkv_hdlc_encode(&sink, address, payload), NKV_OK);
}

void nkv_collect_bytes(struct nkv_collected *collected, struct nkv_span bytes)
{
    assert_true(bytes.size <= sizeof collected->data - collected->size);
    memcpy(collected->data + collected->size, bytes.data, bytes.size);
    collected->size += bytes.size;
}
