/* norkv image exec: a script of operations on a flash file. */
#include "command.h"
#include "image.h"
#include "output.h"

#include <hex.h>
#include <script.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCRIPT_SIZE_MAX = 256 << 20 };

static const char *const verb_names[] = {
    [NKV_SCRIPT_PUT] = "put",
    [NKV_SCRIPT_DEL] = "del",
    [NKV_SCRIPT_GET] = "get",
    [NKV_SCRIPT_MAINTAIN_PARTIAL] = "maintain",
    [NKV_SCRIPT_MAINTAIN_FULL] = "maintain",
    [NKV_SCRIPT_MAINTAIN_HEAVY] = "maintain",
    [NKV_SCRIPT_REMOUNT] = "remount",
};

/* Prints one status; value is NULL where there is none. */
static enum nkv_exit print(const struct nkv_options *options, const char *verb,
                           enum nkv_status status, const struct nkv_span *value)
{
    json_t *object;

    if (nkv_given(options, NKV_OPTION_JSON)) {
        object = json_object();
        nkv_json_set_text(object, "command", verb);
        nkv_json_set_text(object, "status", nkv_status_name(status));
        if (value != NULL) {
            nkv_json_set_hex(object, "value_hex", *value);
        }
        return nkv_print_json(object);
    }
    fputs(nkv_status_name(status), stdout);
    if (value != NULL) {
        char *digits = malloc(2 * value->size + 1);

        if (digits == NULL) {
            return nkv_fail_for_memory();
        }
        nkv_hex_encode(*value, digits);
        printf(" %s", value->size > 0 ? digits : "-");
        free(digits);
    }
    putchar('\n');
    return NKV_EXIT_DONE;
}

static enum nkv_exit get(const struct nkv_options *options,
                         struct nkv_image *image, struct nkv_span key)
{
    struct nkv_blob value;
    uint32_t version;
    enum nkv_status status = nkv_image_get(image, key, &value, &version);
    struct nkv_span bytes = nkv_blob_span(&value);
    enum nkv_exit code =
        print(options, "get", status, status == NKV_OK ? &bytes : NULL);

    nkv_blob_free(&value);
    return code;
}

static enum nkv_status run_other(const struct nkv_options *options,
                                 struct nkv_image *image,
                                 const struct nkv_script_command *command)
{
    struct nkv_store *store = &image->store;

    switch (command->verb) {
    case NKV_SCRIPT_PUT:
        return nkv_put(store, command->key, command->value);
    case NKV_SCRIPT_DEL:
        return nkv_delete(store, command->key);
    case NKV_SCRIPT_MAINTAIN_PARTIAL:
        return nkv_maintain(store, NKV_MAINTAIN_PARTIAL);
    case NKV_SCRIPT_MAINTAIN_FULL:
        return nkv_maintain(store, NKV_MAINTAIN_FULL);
    case NKV_SCRIPT_MAINTAIN_HEAVY:
        return nkv_maintain(store, NKV_MAINTAIN_HEAVY);
    case NKV_SCRIPT_REMOUNT:
        nkv_image_mount(options, image);
        return image->mounted;
    case NKV_SCRIPT_GET:
    default:
        return NKV_INTERNAL;
    }
}

static enum nkv_exit run(const struct nkv_options *options,
                         struct nkv_image *image,
                         const struct nkv_script *script)
{
    enum nkv_exit code = print(options, "mount", image->mounted, NULL);

    for (size_t i = 0; i < script->count && code == NKV_EXIT_DONE; i++) {
        const struct nkv_script_command *it = &script->commands[i];

        if (it->verb == NKV_SCRIPT_GET) {
            code = get(options, image, it->key);
        } else {
            code = print(options, verb_names[it->verb],
                         run_other(options, image, it), NULL);
        }
    }
    return code == NKV_EXIT_DONE ? nkv_image_save(image) : code;
}

static enum nkv_exit read_script(const char *path, struct nkv_script *script)
{
    struct nkv_parse_error error;
    struct nkv_blob text;
    enum nkv_exit code = nkv_read_file(path, SCRIPT_SIZE_MAX, &text);

    if (code == NKV_EXIT_DONE &&
        !nkv_script_parse(nkv_blob_span(&text), script, &error)) {
        code = nkv_fail(NKV_EXIT_USAGE, "'%s' line %lu: %s; nothing was done",
                        path, error.line, error.text);
    }
    nkv_blob_free(&text);
    return code;
}

enum nkv_exit nkv_run_image_exec(const struct nkv_options *options, int count,
                                 char **operands)
{
    struct nkv_script script = {0};
    struct nkv_image image;
    enum nkv_exit code = read_script(operands[1], &script);

    (void)count;
    if (code == NKV_EXIT_DONE) {
        code = nkv_image_open_to_write(options, operands[0], &image);
    }
    if (code == NKV_EXIT_DONE) {
        code = run(options, &image, &script);
        nkv_image_free(&image);
    }
    nkv_script_free(&script);
    return code;
}
