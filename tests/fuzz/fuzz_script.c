/* The reader of image exec's scripts: any bytes give commands or an error. */
#include "fuzz.h"

#include <script.h>
#include <stdlib.h>
#include <string.h>

static size_t sum(struct nkv_span bytes)
{
    size_t total = 0;

    for (size_t i = 0; i < bytes.size; i++) {
        total += bytes.data[i];
    }
    return total;
}

/* Two hex digits make a byte: keys and values are at most half the text. */
static void check_script(const struct nkv_script *script, size_t size)
{
    size_t bytes = 0;
    size_t total = 0;

    for (size_t i = 0; i < script->count; i++) {
        const struct nkv_script_command *it = &script->commands[i];

        if (it->verb > NKV_SCRIPT_REMOUNT) {
            abort();
        }
        bytes += it->key.size + it->value.size;
        total += sum(it->key) + sum(it->value);
    }
    if (bytes > size / 2 || total > 255 * bytes) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nkv_script script;
    struct nkv_parse_error error = {0};

    if (nkv_script_parse((struct nkv_span){data, size}, &script, &error)) {
        check_script(&script, size);
    } else if (error.line == 0 || strlen(error.text) == 0 ||
               script.commands != NULL) {
        abort();
    }
    nkv_script_free(&script);
    return 0;
}
