#include "restore_plan.h"

#include "device.h"
#include "value_limit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <text.h>

/* What entries are a multiple of at least. */
enum { ENTRY_UNIT = 16 };

/* ---- What the device has ---------------------------------------------- */

/* A damaged entry is missing: its key is written anew. */
static enum nkv_exit read_device(struct nkv_restore_plan *plan)
{
    enum nkv_exit code = nkv_fetch_once(plan->fetch, 0, &plan->device);

    /* A store that did not mount whole takes no records. */
    if (code == NKV_EXIT_DONE && plan->device.partial) {
        return nkv_fail_call(plan->fetch->client, NKV_FAILED_PRECONDITION);
    }
    return code;
}

/* ---- Comparing -------------------------------------------------------- */

static enum nkv_exit compare(struct nkv_restore_plan *plan)
{
    struct nkv_backup_pairs pairs = {.left = plan->file,
                                     .right = &plan->device};

    plan->writes = calloc(plan->file->count + 1, sizeof(void *));
    plan->extras = calloc(plan->device.count + 1, sizeof(void *));
    if (plan->writes == NULL || plan->extras == NULL) {
        (void)nkv_fail_for_memory();
        return NKV_EXIT_FAILED;
    }
    plan->digest = plan->file->digest;
    while (nkv_backup_next_pair(&pairs)) {
        const struct nkv_record *ours = pairs.in_left;
        const struct nkv_record *theirs = pairs.in_right;

        if (ours == NULL) {
            plan->extras[plan->extra_count++] = theirs;
        } else if (theirs == NULL || !nkv_record_has_value_of(ours, theirs)) {
            plan->writes[plan->write_count++] = ours;
        }
        if (ours == NULL && !plan->is_replace) {
            nkv_digest_add(&plan->digest, theirs->key, theirs->value);
        }
    }
    plan->delete_count = plan->is_replace ? plan->extra_count : 0;
    return NKV_EXIT_DONE;
}

/* ---- What the device takes -------------------------------------------- */

static enum nkv_exit fail_record(const struct nkv_restore_plan *plan,
                                 const struct nkv_record *record,
                                 const char *what, size_t size, size_t limit)
{
    char shown[NKV_SHOW_SHORT_SIZE];

    return nkv_fail(NKV_EXIT_FAILED,
                    "'%s': key '%s': the %s has %zu bytes, %s takes %zu at "
                    "most; nothing was written",
                    plan->path, nkv_show_short(record->key, shown), what, size,
                    nkv_client_port(plan->fetch->client), limit);
}

static enum nkv_exit check_sizes(const struct nkv_restore_plan *plan,
                                 const struct nkv_device *device,
                                 uint32_t sector_size)
{
    for (size_t i = 0; i < plan->write_count; i++) {
        const struct nkv_record *it = plan->writes[i];
        size_t limit;

        if (it->key.size > device->max_key) {
            return fail_record(plan, it, "key", it->key.size, device->max_key);
        }
        limit = nkv_value_limit(device, sector_size, it->key.size);
        if (it->value.size > limit) {
            return fail_record(plan, it, "value", it->value.size, limit);
        }
    }
    return NKV_EXIT_DONE;
}

/* Keys of the device that the file has not, and does not delete. */
static enum nkv_exit
check_key_count(const struct nkv_restore_plan *plan,
                const struct nkv_client_statistics *statistics)
{
    size_t known = plan->device.count;
    size_t others = statistics->keys > known ? statistics->keys - known : 0;
    size_t keys =
        others + plan->file->count + plan->extra_count - plan->delete_count;

    if (keys <= statistics->max_keys) {
        return NKV_EXIT_DONE;
    }
    return nkv_fail(NKV_EXIT_FAILED,
                    "'%s': with its %zu keys there would be %zu, more than the "
                    "%" PRIu32 " that %s holds: delete some%s; nothing was "
                    "written",
                    plan->path, plan->file->count, keys, statistics->max_keys,
                    nkv_client_port(plan->fetch->client),
                    plan->is_replace ? "" : ", or use --replace");
}

static uint64_t entry_size(const struct nkv_record *record,
                           const struct nkv_client_statistics *statistics)
{
    uint64_t unit = statistics->program_unit > ENTRY_UNIT
                        ? statistics->program_unit
                        : ENTRY_UNIT;
    uint64_t size = NKV_ENTRY_OVERHEAD + record->key.size + record->value.size;

    return (size + unit - 1) / unit * unit *
           (statistics->copies == 0 ? 1 : statistics->copies);
}

static uint64_t size_of(const struct nkv_record *records, size_t count,
                        const struct nkv_client_statistics *statistics)
{
    uint64_t size = 0;

    for (size_t i = 0; i < count; i++) {
        size += entry_size(&records[i], statistics);
    }
    return size;
}

/* What would be live in the end must fit what may be: all but what is kept for
 * collection and what failed. */
static enum nkv_exit check_room(const struct nkv_restore_plan *plan,
                                const struct nkv_client_statistics *statistics)
{
    uint64_t live = statistics->live_bytes +
                    size_of(plan->file->records, plan->file->count, statistics);
    uint64_t gone =
        size_of(plan->device.records, plan->device.count, statistics);
    uint64_t room = (uint64_t)statistics->live_bytes + statistics->free_bytes +
                    statistics->stale_bytes;
    uint64_t kept =
        (uint64_t)statistics->reserved_bytes + statistics->retired_bytes;

    for (size_t i = plan->delete_count; i < plan->extra_count; i++) {
        live += entry_size(plan->extras[i], statistics);
    }
    if (live <= gone + room - (kept < room ? kept : room)) {
        return NKV_EXIT_DONE;
    }
    return nkv_fail(NKV_EXIT_FAILED,
                    "'%s': %s has no room for it: %" PRIu64 " bytes are too "
                    "many: delete keys%s; nothing was written",
                    plan->path, nkv_client_port(plan->fetch->client),
                    live - (gone + room - (kept < room ? kept : room)),
                    plan->is_replace ? "" : ", or use --replace");
}

static enum nkv_exit check(const struct nkv_restore_plan *plan)
{
    struct nkv_client_statistics statistics;
    const struct nkv_device *device;
    struct nkv_client *client = plan->fetch->client;
    struct nkv_call_options call = nkv_fetch_call(plan->fetch);
    enum nkv_exit code;
    enum nkv_status status = nkv_client_statistics(client, &call, &statistics);

    if (status == NKV_OK) {
        status = nkv_client_device(client, &call, &device);
    }
    if (status != NKV_OK) {
        return nkv_fail_call(plan->fetch->client, status);
    }
    code = check_sizes(plan, device, statistics.sector_size);
    if (code == NKV_EXIT_DONE) {
        code = check_key_count(plan, &statistics);
    }
    return code == NKV_EXIT_DONE ? check_room(plan, &statistics) : code;
}

enum nkv_exit nkv_restore_plan_make(struct nkv_restore_plan *plan)
{
    enum nkv_exit code = read_device(plan);

    if (code == NKV_EXIT_DONE) {
        code = compare(plan);
    }
    return code == NKV_EXIT_DONE ? check(plan) : code;
}

void nkv_restore_plan_free(struct nkv_restore_plan *plan)
{
    nkv_backup_free(&plan->device);
    free(plan->writes);
    free(plan->extras);
    plan->writes = NULL;
    plan->extras = NULL;
}
