/* norkv image ls: the keys in a flash file, sorted by their bytes. */
#include "command.h"
#include "image_keys.h"
#include "operands.h"

static enum nkv_exit list(const struct nkv_options *options,
                          struct nkv_image *image, struct nkv_span prefix)
{
    struct nkv_records records = {0};
    size_t damaged;
    enum nkv_exit code = nkv_image_keys(image, prefix, &records, &damaged);

    if (code == NKV_EXIT_DONE) {
        code = nkv_records_print(&records, nkv_given(options, NKV_OPTION_LONG),
                                 nkv_given(options, NKV_OPTION_JSON));
    }
    nkv_records_free(&records);
    return code == NKV_EXIT_DONE ? nkv_image_judge_keys(image, damaged) : code;
}

enum nkv_exit nkv_run_image_ls(const struct nkv_options *options, int count,
                               char **operands)
{
    struct nkv_image image;
    struct nkv_blob prefix;
    enum nkv_exit code =
        nkv_prefix_operand(options, count > 1 ? operands[1] : NULL, &prefix);

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    code = nkv_image_open(options, operands[0], &image);
    if (code == NKV_EXIT_DONE) {
        code = list(options, &image, nkv_blob_span(&prefix));
        nkv_image_free(&image);
    }
    nkv_blob_free(&prefix);
    return code;
}
