#include "backup_load.h"

#include "files.h"

/* More than any device's records are in hex. */
enum { BACKUP_SIZE_MAX = 256 << 20 };

static enum nkv_exit refuse(const char *path,
                            const struct nkv_parse_error *error,
                            const char *otherwise)
{
    if (error->line > 0) {
        return nkv_fail(NKV_EXIT_FAILED, "'%s' line %lu: %s; %s", path,
                        error->line, error->text, otherwise);
    }
    return nkv_fail(NKV_EXIT_FAILED, "'%s': %s; %s", path, error->text,
                    otherwise);
}

enum nkv_exit nkv_backup_load(const char *path, const char *otherwise,
                              struct nkv_backup *backup)
{
    struct nkv_parse_error error;
    struct nkv_blob file;
    enum nkv_exit code = nkv_read_file(path, BACKUP_SIZE_MAX, &file);

    *backup = (struct nkv_backup){0};
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    if (!nkv_backup_read(nkv_blob_span(&file), backup, &error)) {
        code = refuse(path, &error, otherwise);
    }
    nkv_blob_free(&file);
    return code;
}
