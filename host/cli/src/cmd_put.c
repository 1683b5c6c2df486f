/* norkv put: stores a value. */
#include "command.h"
#include "operands.h"
#include "write.h"

enum nkv_exit nkv_run_put(const struct nkv_options *options, int count,
                          char **operands)
{
    const char *text = count > 1 ? operands[1] : NULL;
    struct nkv_mutation put = {.kind = NKV_MUTATION_PUT};
    struct nkv_blob value = {0};
    struct nkv_blob key;
    enum nkv_exit code = nkv_key_operand(options, operands[0], &key);

    if (code == NKV_EXIT_DONE) {
        code = nkv_value_operand(options, text, &value);
    }
    if (code == NKV_EXIT_DONE) {
        put.key = nkv_blob_span(&key);
        put.value = nkv_blob_span(&value);
        code = nkv_write_one(options, &put);
    }
    nkv_blob_free(&value);
    nkv_blob_free(&key);
    return code;
}
