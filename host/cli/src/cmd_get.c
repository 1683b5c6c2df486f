/* norkv get: the bytes of a value. */
#include "command.h"
#include "device.h"
#include "operands.h"
#include "show_value.h"

static enum nkv_exit get(const struct nkv_options *options,
                         struct nkv_client *client, struct nkv_span key)
{
    struct nkv_call_options call = nkv_call_of(options, NKV_TIMEOUT_SHORT);
    struct nkv_client_value value;
    enum nkv_status status = nkv_client_get(client, &call, key, &value);
    enum nkv_exit code;

    if (status == NKV_OK) {
        struct nkv_shown_value shown = {
            key, {value.data, value.size}, value.version};

        code = nkv_show_value(options, &shown);
    } else {
        code = nkv_fail_key(client, key, status);
    }
    nkv_client_value_clear(&value);
    return code;
}

enum nkv_exit nkv_run_get(const struct nkv_options *options, int count,
                          char **operands)
{
    struct nkv_client *client;
    struct nkv_blob key;
    enum nkv_exit code = nkv_key_operand(options, operands[0], &key);

    (void)count;
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    code = nkv_connect(options, NKV_TIMEOUT_SHORT, &client);
    if (code == NKV_EXIT_DONE) {
        code = get(options, client, nkv_blob_span(&key));
        nkv_client_free(&client);
    }
    nkv_blob_free(&key);
    return code;
}
