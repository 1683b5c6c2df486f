/* norkv image get: the bytes of a value in a flash file. */
#include "command.h"
#include "image.h"
#include "operands.h"
#include "show_value.h"

static enum nkv_exit get(const struct nkv_options *options,
                         struct nkv_image *image, struct nkv_span key)
{
    struct nkv_blob value;
    struct nkv_shown_value shown = {.key = key};
    enum nkv_status status = nkv_image_get(image, key, &value, &shown.version);
    enum nkv_exit code;

    if (status != NKV_OK) {
        /* A store that did not mount explains a key that is not there. */
        code = nkv_image_judge(image);
        return code != NKV_EXIT_DONE ? code
                                     : nkv_image_fail(image, key, status);
    }
    shown.value = nkv_blob_span(&value);
    code = nkv_show_value(options, &shown);
    nkv_blob_free(&value);
    return code;
}

enum nkv_exit nkv_run_image_get(const struct nkv_options *options, int count,
                                char **operands)
{
    struct nkv_image image;
    struct nkv_blob key;
    enum nkv_exit code = nkv_key_operand(options, operands[1], &key);

    (void)count;
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    code = nkv_image_open(options, operands[0], &image);
    if (code == NKV_EXIT_DONE) {
        code = get(options, &image, nkv_blob_span(&key));
        nkv_image_free(&image);
    }
    nkv_blob_free(&key);
    return code;
}
