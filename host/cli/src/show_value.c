#include "show_value.h"

#include "files.h"
#include "output.h"

#include <string.h>

enum nkv_exit nkv_show_value(const struct nkv_options *options,
                             const struct nkv_shown_value *shown)
{
    bool to_file = options->output != NULL && strcmp(options->output, "-") != 0;
    enum nkv_exit code = NKV_EXIT_DONE;
    json_t *object;

    if (to_file) {
        code = nkv_write_file(options->output, shown->value);
    }
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    if (!nkv_given(options, NKV_OPTION_JSON)) {
        if (!to_file) {
            nkv_print_bytes(shown->value);
        }
        return NKV_EXIT_DONE;
    }
    object = json_object();
    nkv_json_set_key(object, shown->key);
    if (to_file) {
        nkv_json_set_text(object, "file", options->output);
    } else {
        nkv_json_set_value(object, shown->value);
    }
    nkv_json_set_integer(object, "version", shown->version);
    nkv_json_set_integer(object, "size", (json_int_t)shown->value.size);
    return nkv_print_json(object);
}

enum nkv_exit nkv_show_write(const struct nkv_options *options,
                             struct nkv_span key, uint32_t version,
                             int64_t size)
{
    json_t *object;

    if (!nkv_given(options, NKV_OPTION_JSON)) {
        return NKV_EXIT_DONE;
    }
    object = json_object();
    nkv_json_set_key(object, key);
    nkv_json_set_integer(object, "version", version);
    if (size >= 0) {
        nkv_json_set_integer(object, "size", size);
    }
    return nkv_print_json(object);
}
