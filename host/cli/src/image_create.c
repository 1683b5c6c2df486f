/* norkv image create: an erased flash file. */
#include "command.h"
#include "file_lock.h"
#include "image.h"
#include "output.h"

#include <unistd.h>

static enum nkv_exit print(const struct nkv_options *options,
                           const struct nkv_image *image)
{
    const struct nkv_geometry *geometry = &image->geometry;
    json_t *object;

    if (!nkv_given(options, NKV_OPTION_JSON)) {
        return NKV_EXIT_DONE;
    }
    object = json_object();
    nkv_json_set_text(object, "file", image->path);
    nkv_json_set_integer(object, "size", (json_int_t)image->bytes.size);
    nkv_json_set_integer(object, "sector_size", geometry->sector_size);
    nkv_json_set_integer(object, "sectors", geometry->sector_count);
    return nkv_print_json(object);
}

static enum nkv_exit create(const struct nkv_options *options,
                            struct nkv_image *image)
{
    enum nkv_exit code;

    /* That the store takes this geometry is tried, not assumed. */
    nkv_image_mount(options, image);
    code = nkv_image_judge(image);
    if (code == NKV_EXIT_DONE) {
        code = nkv_image_save(image);
    }
    return code == NKV_EXIT_DONE ? print(options, image) : code;
}

enum nkv_exit nkv_run_image_create(const struct nkv_options *options, int count,
                                   char **operands)
{
    struct nkv_image image;
    enum nkv_exit code;
    int lock;

    (void)count;
    if (access(operands[0], F_OK) == 0 &&
        !nkv_given(options, NKV_OPTION_FORCE)) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "'%s' is there already: --force replaces it by an "
                        "erased one",
                        operands[0]);
    }
    code = nkv_lock_file(operands[0], &lock);
    if (code == NKV_EXIT_DONE) {
        code = nkv_image_create(options, operands[0], &image);
    }
    if (code == NKV_EXIT_DONE) {
        code = create(options, &image);
        nkv_image_free(&image);
    }
    nkv_unlock_file(lock);
    return code;
}
