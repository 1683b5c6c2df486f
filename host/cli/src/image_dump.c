/* norkv image dump: all keys and values in a flash file. */
#include "command.h"
#include "image_keys.h"
#include "output.h"

#include <stdio.h>

static enum nkv_exit print_json(struct nkv_span key, struct nkv_span value,
                                uint32_t version)
{
    json_t *object = json_object();

    nkv_json_set_key(object, key);
    nkv_json_set_hex(object, "value_hex", value);
    nkv_json_set_integer(object, "version", version);
    return nkv_print_json(object);
}

static void print_line(struct nkv_span key, struct nkv_span value)
{
    nkv_print_shown(key);
    putchar('\t');
    nkv_print_shown(value);
    putchar('\n');
}

/* Prints one key. What cannot be read was counted as damaged. */
static enum nkv_exit print(const struct nkv_options *options,
                           struct nkv_image *image,
                           const struct nkv_listed *record)
{
    struct nkv_span key = nkv_listed_key(record);
    enum nkv_exit code = NKV_EXIT_DONE;
    struct nkv_blob value;
    uint32_t version;
    enum nkv_status status = nkv_image_get(image, key, &value, &version);

    if (status == NKV_INTERNAL) {
        return nkv_fail_for_memory();
    }
    if (status != NKV_OK) {
        return NKV_EXIT_DONE;
    }
    if (nkv_given(options, NKV_OPTION_JSON)) {
        code = print_json(key, nkv_blob_span(&value), version);
    } else {
        print_line(key, nkv_blob_span(&value));
    }
    nkv_blob_free(&value);
    return code;
}

static enum nkv_exit dump(const struct nkv_options *options,
                          struct nkv_image *image)
{
    struct nkv_records records = {0};
    struct nkv_span all = {0};
    size_t damaged;
    enum nkv_exit code = nkv_image_keys(image, all, &records, &damaged);

    for (size_t i = 0;
         i < records.count && code == NKV_EXIT_DONE && nkv_output_works();
         i++) {
        code = print(options, image, &records.items[i]);
    }
    nkv_records_free(&records);
    return code == NKV_EXIT_DONE ? nkv_image_judge_keys(image, damaged) : code;
}

enum nkv_exit nkv_run_image_dump(const struct nkv_options *options, int count,
                                 char **operands)
{
    struct nkv_image image;
    enum nkv_exit code = nkv_image_open(options, operands[0], &image);

    (void)count;
    if (code == NKV_EXIT_DONE) {
        code = dump(options, &image);
        nkv_image_free(&image);
    }
    return code;
}
