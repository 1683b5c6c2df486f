#include "settings_file.h"

#include "files.h"

#include <norkv/client.h>
#include <stdlib.h>
#include <string.h>

/* More than any device's settings have. */
enum { CSV_SIZE_MAX = 64 << 20 };

/* The path of a file that the CSV file names. NULL: no memory. */
static char *join(const char *csv_path, const char *path)
{
    const char *slash = strrchr(csv_path, '/');
    size_t folder = slash != NULL ? (size_t)(slash - csv_path) + 1 : 0;
    size_t size = strlen(path) + 1;
    char *joined;

    if (path[0] == '/') {
        folder = 0;
    }
    joined = malloc(folder + size);
    if (joined != NULL) {
        memcpy(joined, csv_path, folder);
        memcpy(joined + folder, path, size);
    }
    return joined;
}

static enum nkv_exit load_value(const char *csv_path,
                                struct nkv_setting *setting)
{
    char *path = join(csv_path, (const char *)setting->value);
    struct nkv_blob value;
    enum nkv_exit code;

    if (path == NULL) {
        return nkv_fail_for_memory();
    }
    code = nkv_read_file(path, NKV_CLIENT_VALUE_SIZE_MAX, &value);
    free(path);
    if (code == NKV_EXIT_DONE) {
        free(setting->value);
        setting->value = value.data;
        setting->value_size = value.size;
    }
    return code;
}

static enum nkv_exit load_values(const char *csv_path,
                                 struct nkv_settings *settings)
{
    enum nkv_exit code = NKV_EXIT_DONE;

    for (size_t i = 0; i < settings->count && code == NKV_EXIT_DONE; i++) {
        if (settings->items[i].encoding == NKV_ENCODING_FILE) {
            code = load_value(csv_path, &settings->items[i]);
        }
    }
    return code;
}

enum nkv_exit nkv_settings_load(const struct nkv_options *options,
                                const char *path, struct nkv_settings *settings)
{
    struct nkv_parse_error error;
    struct nkv_blob csv;
    enum nkv_exit code = nkv_read_file(path, CSV_SIZE_MAX, &csv);

    *settings = (struct nkv_settings){0};
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    if (!nkv_settings_parse(nkv_blob_span(&csv),
                            nkv_given(options, NKV_OPTION_KEY_HEX), settings,
                            &error)) {
        code =
            nkv_fail(NKV_EXIT_FAILED, "'%s' line %lu: %s; nothing was written",
                     path, error.line, error.text);
    }
    nkv_blob_free(&csv);
    if (code == NKV_EXIT_DONE) {
        code = load_values(path, settings);
    }
    if (code != NKV_EXIT_DONE) {
        nkv_settings_free(settings);
    }
    return code;
}
