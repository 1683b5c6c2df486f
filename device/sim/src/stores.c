#include "stores.h"
#include "report.h"

#include <inttypes.h>

/* What to do about a store that did not mount well. */
static const char *advice(enum nkv_status status)
{
    switch (status) {
    case NKV_FAILED_PRECONDITION:
        return "what is on it is not this store's, or an erase was cut short; "
               "it only reads until it is erased (norkv erase-all)";
    case NKV_RESOURCE_EXHAUSTED:
        return "it has more keys than --max-keys; it only reads";
    default:
        return "it cannot be read";
    }
}

/* Opens the next store's file and gives it memory. */
static bool open_next(struct nkv_sim_stores *stores,
                      const struct nkv_sim_options *options, int *exit_code)
{
    const struct nkv_sim_store_option *option = &options->stores[stores->count];
    struct nkv_sim_store *store = &stores->all[stores->count];
    struct nkv_flash described = {0};
    enum nkv_status status = nkv_flash_file_open(
        &store->file, option->path, &options->geometry, options->cut);

    if (status != NKV_OK) {
        *exit_code =
            status == NKV_INVALID_ARGUMENT ? NKV_SIM_USAGE : NKV_SIM_FAILED;
        return false;
    }
    stores->count++;
    store->file.operations = &stores->operations;
    if (options->store_count > 1)
        store->file.name = option->name;
    nkv_geometry_configure(&options->geometry, &described, &store->config);
    store->config.flash = &store->file.flash;
    if (nkv_geometry_allocate(&options->geometry, &store->config.memory))
        return true;
    nkv_sim_say("not enough memory for the store: give fewer --max-keys");
    *exit_code = NKV_SIM_FAILED;
    return false;
}

static bool mount(struct nkv_server_store *served,
                  const struct nkv_sim_store_option *option)
{
    nkv_server_mount(served);
    if (served->fault != NKV_FAULT_NONE) {
        nkv_sim_say("%s is left alone: the device says that its flash has the "
                    "fault %s",
                    option->path, nkv_fault_name(served->fault));
        return true;
    }
    if (served->mount_status == NKV_INVALID_ARGUMENT) {
        nkv_sim_say("the store takes no such geometry");
        return false;
    }
    if (served->mount_status != NKV_OK) {
        nkv_sim_say("mounting %s: %s: %s", option->path,
                    nkv_status_name(served->mount_status),
                    advice(served->mount_status));
    }
    return true;
}

bool nkv_sim_stores_open(struct nkv_sim_stores *stores,
                         const struct nkv_sim_options *options, int *exit_code)
{
    stores->count = 0;
    stores->operations = 0;
    /* All files first: what is wrong with any is found before any is
     * written. */
    while (stores->count < options->store_count) {
        if (!open_next(stores, options, exit_code)) {
            nkv_sim_stores_discard(stores);
            return false;
        }
    }
    for (size_t i = 0; i < stores->count; i++) {
        stores->served[i] = (struct nkv_server_store){
            .name = options->stores[i].name,
            .store = &stores->all[i].store,
            .config = &stores->all[i].config,
            .fault = i == 0 ? options->fault : NKV_FAULT_NONE,
            .fault_detail = i == 0 ? options->fault_detail : 0,
        };
        if (!mount(&stores->served[i], &options->stores[i])) {
            *exit_code = NKV_SIM_FAILED;
            nkv_sim_stores_discard(stores);
            return false;
        }
    }
    return true;
}

static void tell_counters(const struct nkv_flash_file *file)
{
    const struct nkv_flash_counters *counters = &file->counters;
    const char *of = file->name == NULL ? "" : " of ";
    const char *name = file->name == NULL ? "" : file->name;

    nkv_sim_say("ended; flash%s%s: %" PRIu64 " units programmed, %" PRIu64
                " sectors erased, %" PRIu64 " programs refused",
                of, name, counters->programs, counters->erases,
                counters->refused_programs);
    if (counters->refused_programs > 0) {
        nkv_sim_say("%" PRIu64 " programs were refused because the flash%s%s "
                    "was not erased there: the store is at fault",
                    counters->refused_programs, of, name);
    }
    if (counters->refused_calls > 0) {
        nkv_sim_say("%" PRIu64 " calls of the flash%s%s were refused because "
                    "they were unaligned or out of range: the store is at "
                    "fault",
                    counters->refused_calls, of, name);
    }
}

void nkv_sim_stores_close(struct nkv_sim_stores *stores)
{
    for (size_t i = 0; i < stores->count; i++) {
        tell_counters(&stores->all[i].file);
        nkv_geometry_release(&stores->all[i].config.memory);
        nkv_flash_file_close(&stores->all[i].file);
    }
    stores->count = 0;
}

void nkv_sim_stores_discard(struct nkv_sim_stores *stores)
{
    for (size_t i = 0; i < stores->count; i++) {
        nkv_geometry_release(&stores->all[i].config.memory);
        nkv_flash_file_discard(&stores->all[i].file);
    }
    stores->count = 0;
}
