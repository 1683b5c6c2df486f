#include "image_keys.h"

#include <string.h>

static bool starts_with(const struct nkv_iterator *at, struct nkv_span prefix)
{
    return at->key_size >= prefix.size &&
           (prefix.size == 0 || memcmp(at->key, prefix.data, prefix.size) == 0);
}

/* The key an iterator is at, verified. */
static struct nkv_listed record_at(struct nkv_image *image,
                                   const struct nkv_iterator *at)
{
    struct nkv_listed record = {
        .key_size = at->key_size,
        .version = at->value.version,
        .value_size = at->value.total_size,
    };
    struct nkv_value value;

    memcpy(record.key, at->key, at->key_size);
    record.status =
        nkv_describe(&image->store, nkv_listed_key(&record), &value);
    return record;
}

/* Takes in what an iterator came to with status. False: no memory. */
static bool take(struct nkv_image *image, const struct nkv_iterator *at,
                 enum nkv_status status, struct nkv_records *records,
                 size_t *damaged)
{
    struct nkv_listed record;

    if (status != NKV_OK) {
        (*damaged)++;
        return true;
    }
    record = record_at(image, at);
    *damaged += record.status != NKV_OK ? 1 : 0;
    return nkv_records_add(records, &record);
}

enum nkv_exit nkv_image_keys(struct nkv_image *image, struct nkv_span prefix,
                             struct nkv_records *records, size_t *damaged)
{
    struct nkv_iterator at = {0};
    enum nkv_status status = nkv_next(&image->store, &at);

    *damaged = 0;
    while (status == NKV_OK || status == NKV_DATA_LOSS) {
        bool wanted = status != NKV_OK || starts_with(&at, prefix);

        if (wanted && !take(image, &at, status, records, damaged)) {
            return nkv_fail_for_memory();
        }
        status = nkv_next(&image->store, &at);
    }
    nkv_records_sort(records);
    return NKV_EXIT_DONE;
}

enum nkv_exit nkv_image_judge_keys(const struct nkv_image *image,
                                   size_t damaged)
{
    enum nkv_exit code = nkv_image_judge(image);

    if (code == NKV_EXIT_DONE && damaged > 0) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "'%s': %zu damaged entries: see 'norkv image check'",
                        image->path, damaged);
    }
    return code;
}
