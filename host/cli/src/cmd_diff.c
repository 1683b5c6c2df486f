/* norkv diff: what a device's store has otherwise than a backup. */
#include "backup_load.h"
#include "command.h"
#include "device.h"
#include "fetch.h"
#include "operands.h"
#include "output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum change { CHANGE_MISSING, CHANGE_ADDED, CHANGE_CHANGED, CHANGE_COUNT };

static const char marks[CHANGE_COUNT] = {'-', '+', '~'};
static const char *const names[CHANGE_COUNT] = {"missing", "added", "changed"};

struct diff {
    struct nkv_fetch fetch;
    const char *path;
    /* Of the records with the prefix. */
    struct nkv_backup file;
    struct nkv_backup device;
    size_t counts[CHANGE_COUNT];
    uint32_t damaged;
    bool partial;
    bool is_different;
};

/* ---- What is compared -------------------------------------------------- */

static bool has_prefix(struct nkv_span key, struct nkv_span prefix)
{
    return key.size >= prefix.size &&
           (prefix.size == 0 ||
            memcmp(key.data, prefix.data, prefix.size) == 0);
}

/* Leaves the records with the prefix. */
static void narrow(struct nkv_backup *backup, struct nkv_span prefix)
{
    size_t kept = 0;

    backup->digest = (struct nkv_digest){0};
    for (size_t i = 0; i < backup->count; i++) {
        const struct nkv_record *it = &backup->records[i];

        if (has_prefix(it->key, prefix)) {
            nkv_digest_add(&backup->digest, it->key, it->value);
            backup->records[kept++] = *it;
        }
    }
    backup->count = kept;
}

/* Without a prefix that of the backup counts. */
static enum nkv_exit choose_prefix(struct diff *diff, bool given,
                                   struct nkv_span prefix)
{
    if (!given) {
        diff->fetch.prefix = diff->file.prefix;
        return NKV_EXIT_DONE;
    }
    if (!has_prefix(prefix, diff->file.prefix)) {
        return nkv_fail(NKV_EXIT_USAGE,
                        "'%s' has only keys that begin with another prefix: "
                        "give one that begins with it, or none",
                        diff->path);
    }
    diff->fetch.prefix = prefix;
    narrow(&diff->file, prefix);
    return NKV_EXIT_DONE;
}

/* ---- Comparing --------------------------------------------------------- */

static enum nkv_exit print_change(struct diff *diff, enum change change,
                                  struct nkv_span key,
                                  const struct nkv_backup_pairs *pair)
{
    json_t *object;

    diff->counts[change]++;
    if (!nkv_given(diff->fetch.options, NKV_OPTION_JSON)) {
        printf("%c ", marks[change]);
        nkv_print_shown(key);
        putchar('\n');
        return NKV_EXIT_DONE;
    }
    object = json_object();
    nkv_json_set_text(object, "change", names[change]);
    nkv_json_set_key(object, key);
    if (pair->in_left != NULL) {
        nkv_json_set_hex(object, "file_value_hex", pair->in_left->value);
    }
    if (pair->in_right != NULL) {
        nkv_json_set_hex(object, "device_value_hex", pair->in_right->value);
    }
    return nkv_print_json(object);
}

/* Says how the two differ in a key. */
static enum nkv_exit print_pair(struct diff *diff,
                                const struct nkv_backup_pairs *pair)
{
    if (pair->in_right == NULL) {
        return print_change(diff, CHANGE_MISSING, pair->in_left->key, pair);
    }
    if (pair->in_left == NULL) {
        return print_change(diff, CHANGE_ADDED, pair->in_right->key, pair);
    }
    if (nkv_record_has_value_of(pair->in_left, pair->in_right)) {
        return NKV_EXIT_DONE;
    }
    return print_change(diff, CHANGE_CHANGED, pair->in_left->key, pair);
}

static enum nkv_exit compare(struct diff *diff)
{
    struct nkv_backup_pairs pairs = {.left = &diff->file,
                                     .right = &diff->device};
    enum nkv_exit code = NKV_EXIT_DONE;

    while (code == NKV_EXIT_DONE && nkv_output_works() &&
           nkv_backup_next_pair(&pairs)) {
        code = print_pair(diff, &pairs);
    }
    return code;
}

/* ---- The device's side ------------------------------------------------- */

/* Reads the records, unless the digest says that they are the same. */
static enum nkv_exit compare_with_device(struct diff *diff)
{
    struct nkv_client_digest digest;
    enum nkv_exit code =
        nkv_fetch_digest(&diff->fetch, &digest, &diff->partial);

    diff->damaged = digest.damaged;
    if (code != NKV_EXIT_DONE ||
        nkv_fetch_is_same(&diff->file.digest, &digest)) {
        return code;
    }
    code = nkv_fetch_records(&diff->fetch, &digest, &diff->device);
    if (code == NKV_EXIT_DONE) {
        diff->damaged = diff->device.damaged;
        code = compare(diff);
    }
    return code;
}

static void warn(const struct diff *diff)
{
    const char *port = nkv_client_port(diff->fetch.client);

    if (diff->device.changed) {
        fputs("norkv: the store was written during the comparison, again and "
              "again: its records are not all of one moment\n",
              stderr);
    }
    if (diff->partial) {
        fprintf(stderr,
                "norkv: %s: the store did not mount whole: keys that are "
                "missing may be on its flash\n",
                port);
    }
    if (diff->damaged > 0) {
        fprintf(stderr,
                "norkv: %s: %" PRIu32 " damaged entries: they count as "
                "missing\n",
                port, diff->damaged);
    }
}

static enum nkv_exit conclude(struct diff *diff)
{
    json_t *object;

    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        diff->is_different = diff->is_different || diff->counts[i] > 0;
    }
    warn(diff);
    if (!nkv_given(diff->fetch.options, NKV_OPTION_JSON)) {
        return NKV_EXIT_DONE;
    }
    object = json_object();
    json_object_set_new(object, "same", json_boolean(!diff->is_different));
    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        nkv_json_set_integer(object, names[i], (json_int_t)diff->counts[i]);
    }
    return nkv_print_json(object);
}

/* ---- The command ------------------------------------------------------- */

static enum nkv_exit run(struct diff *diff)
{
    enum nkv_exit code = nkv_fetch_begin(&diff->fetch);

    if (code == NKV_EXIT_DONE) {
        code = compare_with_device(diff);
    }
    if (code == NKV_EXIT_DONE) {
        code = conclude(diff);
    }
    nkv_backup_free(&diff->device);
    nkv_fetch_end(&diff->fetch);
    return code;
}

enum nkv_exit nkv_run_diff(const struct nkv_options *options, int count,
                           char **operands)
{
    struct diff diff = {
        .fetch = {.options = options,
                  .timeout_ms = NKV_TIMEOUT_LONG,
                  .what = "diff"},
        .path = operands[0],
    };
    struct nkv_blob prefix;
    enum nkv_exit code =
        nkv_prefix_operand(options, count > 1 ? operands[1] : NULL, &prefix);

    if (code != NKV_EXIT_DONE) {
        return NKV_EXIT_TROUBLE;
    }
    code = nkv_backup_load(diff.path, "nothing was compared", &diff.file);
    if (code == NKV_EXIT_DONE) {
        code = choose_prefix(&diff, count > 1, nkv_blob_span(&prefix));
    }
    if (code == NKV_EXIT_DONE) {
        code = run(&diff);
    }
    nkv_backup_free(&diff.file);
    nkv_blob_free(&prefix);
    /* What could not be written must not look like a difference. */
    if (code != NKV_EXIT_DONE || !nkv_flush_output()) {
        return NKV_EXIT_TROUBLE;
    }
    return diff.is_different ? NKV_EXIT_DIFFERENT : NKV_EXIT_DONE;
}
