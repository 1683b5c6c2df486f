#include "settings_file.h"

#include "files.h"

#include <norkv/client.h>
#include <stdlib.h>
#include <string.h>

/* More than any device's settings have. */
enum { FILE_SIZE_MAX = 64 << 20 };

/* The path of a file that the file of settings names. NULL: no memory. */
static char *join(const char *settings_path, const char *path)
{
    const char *slash = strrchr(settings_path, '/');
    size_t folder = slash != NULL ? (size_t)(slash - settings_path) + 1 : 0;
    size_t size = strlen(path) + 1;
    char *joined;

    if (path[0] == '/') {
        folder = 0;
    }
    joined = malloc(folder + size);
    if (joined != NULL) {
        memcpy(joined, settings_path, folder);
        memcpy(joined + folder, path, size);
    }
    return joined;
}

static enum nkv_exit load_value(const char *settings_path, const char *place,
                                struct nkv_setting *setting)
{
    char *path = join(settings_path, (const char *)setting->value);
    char why[NKV_FILE_WHY_SIZE];
    struct nkv_blob value;
    bool is_good;

    if (path == NULL) {
        return nkv_fail_for_memory();
    }
    is_good = nkv_load_file(path, NKV_CLIENT_VALUE_SIZE_MAX, &value, why);
    free(path);
    if (!is_good) {
        return nkv_fail(NKV_EXIT_FAILED, "'%s' %s %lu: %s; nothing was written",
                        settings_path, place, setting->line, why);
    }
    free(setting->value);
    setting->value = value.data;
    setting->value_size = value.size;
    return NKV_EXIT_DONE;
}

static enum nkv_exit load_values(const char *settings_path,
                                 struct nkv_settings *settings)
{
    enum nkv_exit code = NKV_EXIT_DONE;

    for (size_t i = 0; i < settings->count && code == NKV_EXIT_DONE; i++) {
        if (settings->items[i].encoding == NKV_ENCODING_FILE) {
            code =
                load_value(settings_path, settings->place, &settings->items[i]);
        }
    }
    return code;
}

/* --type says it, or else the name of the file. */
static enum nkv_exit choose_json(const struct nkv_options *options,
                                 const char *path, bool *is_json)
{
    size_t size = strlen(path);

    *is_json = size > 5 && strcmp(path + size - 5, ".json") == 0;
    if (options->type == NULL) {
        return NKV_EXIT_DONE;
    }
    *is_json = strcmp(options->type, "json") == 0;
    if (!*is_json && strcmp(options->type, "csv") != 0) {
        return nkv_fail(NKV_EXIT_USAGE, "--type '%s': give csv or json",
                        options->type);
    }
    return NKV_EXIT_DONE;
}

static enum nkv_exit parse(const struct nkv_options *options, const char *path,
                           struct nkv_span bytes, struct nkv_settings *settings)
{
    bool keys_are_hex = nkv_given(options, NKV_OPTION_KEY_HEX);
    struct nkv_parse_error error;
    bool is_json;
    enum nkv_exit code = choose_json(options, path, &is_json);

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    if (is_json ? nkv_settings_parse_json(bytes, keys_are_hex, settings, &error)
                : nkv_settings_parse(bytes, keys_are_hex, settings, &error)) {
        return NKV_EXIT_DONE;
    }
    if (error.line == 0) {
        return nkv_fail(NKV_EXIT_FAILED, "'%s' %s; nothing was written", path,
                        error.text);
    }
    return nkv_fail(NKV_EXIT_FAILED, "'%s' line %lu: %s; nothing was written",
                    path, error.line, error.text);
}

enum nkv_exit nkv_settings_load(const struct nkv_options *options,
                                const char *path, struct nkv_settings *settings)
{
    struct nkv_blob file;
    enum nkv_exit code = nkv_read_file(path, FILE_SIZE_MAX, &file);

    *settings = (struct nkv_settings){0};
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    code = parse(options, path, nkv_blob_span(&file), settings);
    nkv_blob_free(&file);
    if (code == NKV_EXIT_DONE) {
        code = load_values(path, settings);
    }
    if (code != NKV_EXIT_DONE) {
        nkv_settings_free(settings);
    }
    return code;
}
