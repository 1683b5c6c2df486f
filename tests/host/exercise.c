#include "exercise.h"

#include "test.h"
#include <stdio.h>

static bool count_record(void *context, const struct nkv_client_record *record)
{
    unsigned *count = context;
    (void)record;
    (*count)++;
    return true;
}

void nkv_exercise(struct nkv_client *client)
{
    static uint8_t bytes[1500];
    struct nkv_client_value value;
    unsigned count = 0;
    struct nkv_client_scan scan = {
        .prefix = text_span("exercise/"),
        .record = count_record,
        .context = &count,
    };
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    for (unsigned i = 0; i < 20; i++) {
        char text[32];
        snprintf(text, sizeof(text), "exercise/%u", i);
        struct nkv_span key = text_span(text);
        struct nkv_span put = {bytes, i * sizeof(bytes) / 20};
        assert_done(client, nkv_client_put(client, NULL, key, put));
        assert_done(client, nkv_client_get(client, NULL, key, &value));
        assert_int_equal(value.size, put.size);
        if (value.size > 0)
            assert_memory_equal(value.data, put.data, put.size);
        nkv_client_value_clear(&value);
    }
    assert_done(client, nkv_client_scan(client, NULL, &scan));
    assert_int_equal(count, 20);
    assert_done(client,
                nkv_client_delete(client, NULL, text_span("exercise/0")));
    assert_int_equal(
        nkv_client_get(client, NULL, text_span("exercise/0"), &value),
        NKV_NOT_FOUND);
}
