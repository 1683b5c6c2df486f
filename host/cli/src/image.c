#include "image.h"

#include "file_lock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <text.h>
#include <unistd.h>

/* The smallest entry: so many keys fit into a file. */
enum { ENTRY_SIZE_MIN = 32 };

static uint32_t keys_that_fit(uint64_t size)
{
    uint64_t keys = size / ENTRY_SIZE_MIN;

    return keys < NKV_GEOMETRY_KEYS_MAX ? (uint32_t)keys
                                        : NKV_GEOMETRY_KEYS_MAX;
}

/* Sets the store up over bytes; the geometry has its sectors. */
static enum nkv_exit set_up(struct nkv_image *image)
{
    struct nkv_geometry *geometry = &image->geometry;
    struct nkv_geometry_error error;

    if (!nkv_geometry_check(geometry, &error)) {
        return nkv_fail(NKV_EXIT_USAGE, "'%s': %s", image->path, error.text);
    }
    if ((geometry->given & 1u << NKV_GEOMETRY_MAX_KEYS) == 0) {
        geometry->max_keys = keys_that_fit(nkv_geometry_size(geometry));
    }
    nkv_geometry_configure(geometry, &image->flash, &image->config);
    if (!nkv_geometry_allocate(geometry, &image->config.memory)) {
        return nkv_fail_for_memory();
    }
    image->ram = (struct nkv_ram_flash){
        image->bytes.data, (uint32_t)image->bytes.size, geometry->sector_size};
    nkv_ram_flash_connect(&image->ram, &image->flash);
    return NKV_EXIT_DONE;
}

static enum nkv_exit fail_no_image(const char *path)
{
    return nkv_fail(NKV_EXIT_FAILED,
                    "no flash file '%s': 'norkv image create %s' makes an "
                    "erased one",
                    path, path);
}

static enum nkv_exit read_file(struct nkv_image *image)
{
    enum nkv_exit code;

    if (access(image->path, F_OK) != 0 && errno == ENOENT) {
        return fail_no_image(image->path);
    }
    code = nkv_read_file(image->path, UINT32_MAX, &image->original);
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    image->bytes.data = malloc(image->original.size + 1);
    if (image->bytes.data == NULL) {
        return nkv_fail_for_memory();
    }
    image->bytes.size = image->original.size;
    memcpy(image->bytes.data, image->original.data, image->bytes.size);
    return NKV_EXIT_DONE;
}

static enum nkv_exit fit(struct nkv_image *image)
{
    struct nkv_geometry_error error;

    if (nkv_geometry_fit(&image->geometry, image->bytes.size, &error)) {
        return NKV_EXIT_DONE;
    }
    return nkv_fail(NKV_EXIT_USAGE, "'%s': %s", image->path, error.text);
}

enum nkv_exit nkv_image_load(const struct nkv_options *options,
                             const char *path, struct nkv_image *image)
{
    enum nkv_exit code;

    *image = (struct nkv_image){
        .path = path, .geometry = options->geometry, .lock = -1};
    code = read_file(image);
    if (code == NKV_EXIT_DONE) {
        code = fit(image);
    }
    if (code == NKV_EXIT_DONE) {
        code = set_up(image);
    }
    if (code != NKV_EXIT_DONE) {
        nkv_image_free(image);
    }
    return code;
}

enum nkv_exit nkv_image_create(const struct nkv_options *options,
                               const char *path, struct nkv_image *image)
{
    struct nkv_geometry_error error;
    enum nkv_exit code;

    *image = (struct nkv_image){
        .path = path, .geometry = options->geometry, .lock = -1};
    if (!nkv_geometry_check(&image->geometry, &error)) {
        return nkv_fail(NKV_EXIT_USAGE, "%s", error.text);
    }
    image->bytes.size = (size_t)nkv_geometry_size(&image->geometry);
    image->bytes.data = malloc(image->bytes.size);
    if (image->bytes.data == NULL) {
        return nkv_fail_for_memory();
    }
    memset(image->bytes.data, 0xff, image->bytes.size);
    code = set_up(image);
    if (code != NKV_EXIT_DONE) {
        nkv_image_free(image);
    }
    return code;
}

void nkv_image_mount(const struct nkv_options *options, struct nkv_image *image)
{
    image->config.manual_repair = nkv_given(options, NKV_OPTION_NO_REPAIR);
    image->mounted = nkv_mount(&image->store, &image->config);
}

enum nkv_exit nkv_image_open(const struct nkv_options *options,
                             const char *path, struct nkv_image *image)
{
    enum nkv_exit code = nkv_image_load(options, path, image);

    if (code == NKV_EXIT_DONE) {
        nkv_image_mount(options, image);
    }
    return code;
}

enum nkv_exit nkv_image_judge(const struct nkv_image *image)
{
    const char *status = nkv_status_name(image->mounted);

    switch ((int)image->mounted) {
    case NKV_OK:
        return NKV_EXIT_DONE;
    case NKV_DATA_LOSS:
        /* What a bare scan is to show. */
        if (image->config.manual_repair) {
            return NKV_EXIT_DONE;
        }
        break;
    case NKV_FAILED_PRECONDITION:
        return nkv_fail(
            NKV_EXIT_FAILED, "'%s': %s: %s", image->path, status,
            nkv_is_erase_cut(&image->store)
                ? "an erase of all of it was cut short: erase-all on the "
                  "device finishes it, 'norkv image create --force' makes an "
                  "erased file"
                : "no store of this geometry and format: check --sector-size "
                  "and --format, see 'norkv image check'");
    case NKV_RESOURCE_EXHAUSTED:
        return nkv_fail(NKV_EXIT_FAILED,
                        "'%s': %s: more keys than --max-keys, or no room to "
                        "repair it: it can only be read",
                        image->path, status);
    default:
        break;
    }
    return nkv_fail(NKV_EXIT_FAILED,
                    "'%s': mounting says %s: see 'norkv image check'",
                    image->path, status);
}

enum nkv_exit nkv_image_open_to_write(const struct nkv_options *options,
                                      const char *path, struct nkv_image *image)
{
    int lock = -1;
    enum nkv_exit code = nkv_lock_file(path, &lock);

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    code = nkv_image_open(options, path, image);
    if (code == NKV_EXIT_DONE) {
        image->lock = lock;
    } else {
        nkv_unlock_file(lock);
    }
    return code;
}

static const char *advice(enum nkv_status status)
{
    switch ((int)status) {
    case NKV_NOT_FOUND:
        return "no such key; 'norkv image ls' lists them";
    case NKV_RESOURCE_EXHAUSTED:
        return "the store or its index is full; delete keys, or see --max-keys";
    case NKV_DATA_LOSS:
        return "no copy of the entry is intact; put the key again";
    case NKV_FAILED_PRECONDITION:
        return "the store is read-only; see 'norkv image check'";
    default:
        return "the file was not changed";
    }
}

enum nkv_exit nkv_image_fail(const struct nkv_image *image, struct nkv_span key,
                             enum nkv_status status)
{
    char shown[NKV_SHOW_SHORT_SIZE];

    return nkv_fail(
        status == NKV_NOT_FOUND ? NKV_EXIT_KEY_NOT_FOUND : NKV_EXIT_FAILED,
        "'%s': key '%s': %s: %s%s", image->path, nkv_show_short(key, shown),
        nkv_status_name(status), advice(status),
        status == NKV_NOT_FOUND ? nkv_shown_hint(key) : "");
}

enum nkv_exit nkv_image_save(struct nkv_image *image)
{
    if (image->original.size == image->bytes.size &&
        memcmp(image->original.data, image->bytes.data, image->bytes.size) ==
            0) {
        return NKV_EXIT_DONE;
    }
    return nkv_write_file(image->path, nkv_blob_span(&image->bytes));
}

enum nkv_status nkv_image_get(struct nkv_image *image, struct nkv_span key,
                              struct nkv_blob *value, uint32_t *version)
{
    struct nkv_value info = {0};
    struct nkv_buffer to;
    enum nkv_status status = nkv_describe(&image->store, key, &info);

    *value = (struct nkv_blob){0};
    if (status != NKV_OK) {
        return status;
    }
    to = (struct nkv_buffer){malloc(info.total_size + 1u), info.total_size};
    if (to.data == NULL) {
        return NKV_INTERNAL;
    }
    status = nkv_get(&image->store, key, 0, to, &info);
    if (status != NKV_OK) {
        free(to.data);
        return status;
    }
    *value = (struct nkv_blob){to.data, info.size};
    *version = info.version;
    return NKV_OK;
}

void nkv_image_free(struct nkv_image *image)
{
    nkv_geometry_release(&image->config.memory);
    nkv_blob_free(&image->bytes);
    nkv_blob_free(&image->original);
    nkv_unlock_file(image->lock);
    image->lock = -1;
}
