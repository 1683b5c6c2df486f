#include "operands.h"

#include "hex.h"

#include <norkv/store.h>
#include <stdlib.h>
#include <string.h>

static enum nkv_exit copy(const char *text, struct nkv_blob *bytes)
{
    bytes->size = strlen(text);
    bytes->data = malloc(bytes->size + 1);
    if (bytes->data == NULL) {
        *bytes = (struct nkv_blob){0};
        return nkv_fail_for_memory();
    }
    memcpy(bytes->data, text, bytes->size + 1);
    return NKV_EXIT_DONE;
}

static enum nkv_exit decode(const char *text, const char *what,
                            struct nkv_blob *bytes)
{
    enum nkv_exit code = copy(text, bytes);

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    if (!nkv_hex_decode(text, bytes->size, bytes->data)) {
        nkv_blob_free(bytes);
        return nkv_fail(NKV_EXIT_USAGE,
                        "%s '%.80s' is not hex: write two digits a byte", what,
                        text);
    }
    bytes->size /= 2;
    return NKV_EXIT_DONE;
}

enum nkv_exit nkv_prefix_operand(const struct nkv_options *options,
                                 const char *text, struct nkv_blob *prefix)
{
    if (text == NULL) {
        text = "";
    }
    return nkv_given(options, NKV_OPTION_KEY_HEX) ? decode(text, "key", prefix)
                                                  : copy(text, prefix);
}

enum nkv_exit nkv_key_operand(const struct nkv_options *options,
                              const char *text, struct nkv_blob *key)
{
    enum nkv_exit code = nkv_prefix_operand(options, text, key);
    size_t size = key->size;

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    if (size == 0 || size > NKV_KEY_SIZE_MAX) {
        nkv_blob_free(key);
        return nkv_fail(NKV_EXIT_USAGE,
                        "key '%.80s' has %zu bytes: give one of 1 to %d", text,
                        size, NKV_KEY_SIZE_MAX);
    }
    return NKV_EXIT_DONE;
}

enum nkv_exit nkv_value_operand(const struct nkv_options *options,
                                const char *text, struct nkv_blob *value)
{
    int sources =
        (text != NULL) + (options->file != NULL) + (options->hex != NULL);

    *value = (struct nkv_blob){0};
    if (sources != 1) {
        return nkv_fail(NKV_EXIT_USAGE,
                        "%s: give one of VALUE, --file F, --hex BYTES, or - "
                        "for standard input",
                        sources == 0 ? "no value" : "more than one value");
    }
    if (options->file != NULL) {
        return nkv_read_file(options->file, NKV_VALUE_SIZE_MAX, value);
    }
    if (options->hex != NULL) {
        return decode(options->hex, "value", value);
    }
    if (strcmp(text, "-") == 0) {
        return nkv_read_file("-", NKV_VALUE_SIZE_MAX, value);
    }
    return copy(text, value);
}
