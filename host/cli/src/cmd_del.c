/* norkv del: removes a key. */
#include "command.h"
#include "operands.h"
#include "write.h"

enum nkv_exit nkv_run_del(const struct nkv_options *options, int count,
                          char **operands)
{
    struct nkv_mutation del = {.kind = NKV_MUTATION_DELETE};
    struct nkv_blob key;
    enum nkv_exit code = nkv_key_operand(options, operands[0], &key);

    (void)count;
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    del.key = nkv_blob_span(&key);
    code = nkv_write_one(options, &del);
    nkv_blob_free(&key);
    return code;
}
