/* norkv image put: stores a value in a flash file. */
#include "command.h"
#include "image.h"
#include "operands.h"
#include "show_value.h"

#include <inttypes.h>

static enum nkv_exit put(const struct nkv_options *options,
                         struct nkv_image *image, struct nkv_span key,
                         struct nkv_span value)
{
    enum nkv_exit code = nkv_image_judge(image);
    struct nkv_value info = {0};
    enum nkv_status status;
    uint32_t limit;

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    limit = nkv_value_size_max(&image->store, key.size);
    if (value.size > limit) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "'%s': the value has %zu bytes, a sector holds %" PRIu32
                        " under this key: the file was not changed",
                        image->path, value.size, limit);
    }
    status = nkv_put(&image->store, key, value);
    if (status == NKV_OK) {
        status = nkv_describe(&image->store, key, &info);
    }
    if (status != NKV_OK) {
        return nkv_image_fail(image, key, status);
    }
    code = nkv_image_save(image);
    return code == NKV_EXIT_DONE
               ? nkv_show_write(options, key, info.version, (int64_t)value.size)
               : code;
}

enum nkv_exit nkv_run_image_put(const struct nkv_options *options, int count,
                                char **operands)
{
    const char *text = count > 2 ? operands[2] : NULL;
    struct nkv_image image;
    struct nkv_blob value = {0};
    struct nkv_blob key;
    enum nkv_exit code = nkv_key_operand(options, operands[1], &key);

    if (code == NKV_EXIT_DONE) {
        code = nkv_value_operand(options, text, &value);
    }
    if (code == NKV_EXIT_DONE) {
        code = nkv_image_open_to_write(options, operands[0], &image);
    }
    if (code == NKV_EXIT_DONE) {
        code = put(options, &image, nkv_blob_span(&key), nkv_blob_span(&value));
        nkv_image_free(&image);
    }
    nkv_blob_free(&value);
    nkv_blob_free(&key);
    return code;
}
