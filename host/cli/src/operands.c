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

/* A key or a prefix of one. */
static enum nkv_exit take_key(const struct nkv_options *options,
                              const char *text, const char *what,
                              size_t smallest, struct nkv_blob *bytes)
{
    enum nkv_exit code;
    size_t size;

    *bytes = (struct nkv_blob){0};
    code = nkv_given(options, NKV_OPTION_KEY_HEX) ? decode(text, what, bytes)
                                                  : copy(text, bytes);
    size = bytes->size;
    if (code != NKV_EXIT_DONE ||
        (size >= smallest && size <= NKV_KEY_SIZE_MAX)) {
        return code;
    }
    nkv_blob_free(bytes);
    return nkv_fail(NKV_EXIT_USAGE,
                    "%s '%.80s' has %zu bytes: give one of %zu to %d", what,
                    text, size, smallest, NKV_KEY_SIZE_MAX);
}

enum nkv_exit nkv_prefix_operand(const struct nkv_options *options,
                                 const char *text, struct nkv_blob *prefix)
{
    return take_key(options, text != NULL ? text : "", "prefix", 0, prefix);
}

enum nkv_exit nkv_key_operand(const struct nkv_options *options,
                              const char *text, struct nkv_blob *key)
{
    return take_key(options, text, "key", 1, key);
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
