/* The reader of backups: any bytes give one that is written and read the same
 * way again, or an error. */
#include "fuzz.h"

#include <backup_file.h>
#include <stdlib.h>
#include <string.h>

static void check_records(const struct nkv_backup *backup)
{
    for (size_t i = 0; i < backup->count; i++) {
        const struct nkv_record *it = &backup->records[i];

        if (it->key.size == 0 || it->key.size > NKV_RECORD_KEY_MAX ||
            it->value.size > NKV_RECORD_VALUE_MAX ||
            (i > 0 && nkv_backup_compare_keys(it[-1].key, it->key) >= 0)) {
            abort();
        }
    }
}

static void check_again(const struct nkv_backup *backup)
{
    struct nkv_parse_error error;
    struct nkv_backup again;
    size_t size;
    size_t again_size;
    char *text = nkv_backup_write(backup, &size);
    char *again_text;

    if (text == NULL ||
        !nkv_backup_read((struct nkv_span){(const uint8_t *)text, size}, &again,
                         &error)) {
        abort();
    }
    again_text = nkv_backup_write(&again, &again_size);
    if (again_text == NULL || again_size != size ||
        memcmp(text, again_text, size) != 0) {
        abort();
    }
    free(again_text);
    free(text);
    nkv_backup_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nkv_parse_error error = {0};
    struct nkv_backup backup;

    if (nkv_backup_read((struct nkv_span){data, size}, &backup, &error)) {
        check_records(&backup);
        check_again(&backup);
    } else if (strlen(error.text) == 0 || backup.records != NULL ||
               backup.blocks != NULL) {
        abort();
    }
    nkv_backup_free(&backup);
    return 0;
}
