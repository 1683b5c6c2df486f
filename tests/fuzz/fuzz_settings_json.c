/* The reader of apply's JSON files: any bytes give settings or an error. */
#include "fuzz.h"

#include <settings.h>
#include <stdlib.h>
#include <string.h>

static void check_settings(const struct nkv_settings *settings)
{
    if (settings->count == 0) {
        abort();
    }
    for (size_t i = 0; i < settings->count; i++) {
        const struct nkv_setting *it = &settings->items[i];

        if (it->key_size == 0 || it->key_size > 63 || it->line != i + 1 ||
            it->value[it->value_size] != '\0') {
            abort();
        }
    }
}

static void parse(struct nkv_span json, bool keys_are_hex)
{
    struct nkv_settings settings;
    struct nkv_parse_error error = {0};

    if (nkv_settings_parse_json(json, keys_are_hex, &settings, &error)) {
        check_settings(&settings);
    } else if (strlen(error.text) == 0 || settings.items != NULL) {
        abort();
    }
    nkv_settings_free(&settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse((struct nkv_span){data, size}, false);
    parse((struct nkv_span){data, size}, true);
    return 0;
}
