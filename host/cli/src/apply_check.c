#include "apply_check.h"

#include "device.h"
#include "value_limit.h"

#include <inttypes.h>
#include <string.h>
#include <text.h>

static struct nkv_span key_of(const struct nkv_setting *setting)
{
    return (struct nkv_span){setting->key, setting->key_size};
}

static enum nkv_exit fail_setting(const struct nkv_apply_check *check,
                                  const struct nkv_setting *setting,
                                  const char *what, size_t size, size_t limit)
{
    char shown[NKV_SHOW_SHORT_SIZE];

    return nkv_fail(NKV_EXIT_FAILED,
                    "'%s' %s %lu: key '%s': the %s has %zu bytes, %s takes "
                    "%zu at most; nothing was written",
                    check->path, check->settings->place, setting->line,
                    nkv_show_short(key_of(setting), shown), what, size,
                    nkv_client_port(check->client), limit);
}

static enum nkv_exit check_sizes(const struct nkv_apply_check *check,
                                 const struct nkv_device *device,
                                 uint32_t sector_size)
{
    for (size_t i = 0; i < check->settings->count; i++) {
        const struct nkv_setting *it = &check->settings->items[i];
        size_t limit;

        if (it->key_size > device->max_key) {
            return fail_setting(check, it, "key", it->key_size,
                                device->max_key);
        }
        limit = nkv_value_limit(device, sector_size, it->key_size);
        if (it->value_size > limit) {
            return fail_setting(check, it, "value", it->value_size, limit);
        }
    }
    return NKV_EXIT_DONE;
}

/* The number of a key's setting; their count: it has none. */
static size_t find_setting(const struct nkv_settings *settings,
                           struct nkv_span key)
{
    size_t i = 0;

    for (; i < settings->count; i++) {
        const struct nkv_setting *it = &settings->items[i];

        if (it->key_size == key.size &&
            memcmp(it->key, key.data, key.size) == 0) {
            break;
        }
    }
    return i;
}

struct others {
    const struct nkv_apply_check *check;
    size_t count;
};

static bool take_key(void *context, const struct nkv_client_record *record)
{
    struct others *others = context;
    const struct nkv_settings *settings = others->check->settings;
    const size_t i = find_setting(settings, record->key);

    if (i < settings->count) {
        others->check->versions[i] = record->version;
    } else {
        others->count++;
    }
    return true;
}

/* What does the device have already, and does its table hold the keys that it
 * will have then? */
static enum nkv_exit check_keys(const struct nkv_apply_check *check,
                                uint32_t max_keys)
{
    struct others others = {.check = check};
    struct nkv_client_scan scan = {
        .keys_only = true, .record = take_key, .context = &others};
    enum nkv_status status = nkv_client_scan(check->client, check->call, &scan);

    if (status != NKV_OK) {
        return nkv_fail_call(check->client, status);
    }
    if (others.count + check->settings->count > max_keys) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "'%s': its %zu keys and %zu others make more than the "
                        "%" PRIu32 " that %s holds: delete some; nothing was "
                        "written",
                        check->path, check->settings->count, others.count,
                        max_keys, nkv_client_port(check->client));
    }
    return NKV_EXIT_DONE;
}

enum nkv_exit nkv_apply_check(const struct nkv_apply_check *check)
{
    struct nkv_client_statistics statistics;
    const struct nkv_device *device;
    enum nkv_exit code;
    enum nkv_status status =
        nkv_client_statistics(check->client, check->call, &statistics);

    /* What it points to holds until the next call. */
    if (status == NKV_OK) {
        status = nkv_client_device(check->client, check->call, &device);
    }
    if (status != NKV_OK) {
        return nkv_fail_call(check->client, status);
    }
    code = check_sizes(check, device, statistics.sector_size);
    return code == NKV_EXIT_DONE ? check_keys(check, statistics.max_keys)
                                 : code;
}
