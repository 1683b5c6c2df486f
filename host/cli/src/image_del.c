/* norkv image del: removes a key from a flash file. */
#include "command.h"
#include "image.h"
#include "operands.h"
#include "show_value.h"

static enum nkv_exit del(const struct nkv_options *options,
                         struct nkv_image *image, struct nkv_span key)
{
    enum nkv_exit code = nkv_image_judge(image);
    enum nkv_status status;

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    status = nkv_delete(&image->store, key);
    if (status != NKV_OK) {
        return nkv_image_fail(image, key, status);
    }
    code = nkv_image_save(image);
    return code == NKV_EXIT_DONE
               ? nkv_show_write(options, key,
                                nkv_transaction_count(&image->store), -1)
               : code;
}

enum nkv_exit nkv_run_image_del(const struct nkv_options *options, int count,
                                char **operands)
{
    struct nkv_image image;
    struct nkv_blob key;
    enum nkv_exit code = nkv_key_operand(options, operands[1], &key);

    (void)count;
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    code = nkv_image_open_to_write(options, operands[0], &image);
    if (code == NKV_EXIT_DONE) {
        code = del(options, &image, nkv_blob_span(&key));
        nkv_image_free(&image);
    }
    nkv_blob_free(&key);
    return code;
}
