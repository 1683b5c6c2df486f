/* What the power is cut in. */
#include "cut.h"

#include "random.h"

#include <string.h>

static const struct nkv_cut_mix everything = {
    .steps = 80, .maintenances = 40, .erases = 10, .deletes = 200};

static void choose_key(struct nkv_workload *workload,
                       struct nkv_cut_action *action)
{
    uint32_t number = nkv_random_below(&workload->random, workload->key_count);

    action->key.data = action->key_bytes;
    action->key.size = nkv_workload_key(workload, number, action->key_bytes);
}

static void choose_present_key(struct nkv_workload *workload,
                               const struct nkv_model *model,
                               struct nkv_cut_action *action)
{
    const struct nkv_model_entry *entry = &model->entries[nkv_random_below(
        &workload->random, (uint32_t)model->count)];

    memcpy(action->key_bytes, entry->key, entry->key_size);
    action->key = (struct nkv_span){action->key_bytes, entry->key_size};
}

static void choose_put(struct nkv_workload *workload,
                       struct nkv_cut_action *action)
{
    action->kind = NKV_CUT_PUT;
    choose_key(workload, action);
    action->value.data = action->value_bytes;
    action->value.size = nkv_workload_value(workload, action->value_bytes);
}

/* The operations that are the same whatever the workload: where the flash or
 * the configuration is another one. Whether this is one of them. */
static bool choose_fixed(const struct nkv_cut_run *run,
                         struct nkv_cut_action *action)
{
    const struct nkv_cut_case *the_case = run->the_case;
    uint32_t change = the_case->operations / 2;

    if (the_case->is_foreign && run->operation == 0) {
        action->kind = NKV_CUT_ERASE_ALL;
        return true;
    }
    if (the_case->changed.sector_count == 0 || run->operation < change ||
        run->operation > change + 1) {
        return false;
    }
    action->kind = run->operation == change ? NKV_CUT_MOUNT : NKV_CUT_MAINTAIN;
    action->maintenance = NKV_MAINTAIN_FULL;
    return true;
}

void nkv_cut_choose(struct nkv_cut_run *run, struct nkv_cut_action *action)
{
    const struct nkv_cut_mix *mix =
        run->the_case->mix != NULL ? run->the_case->mix : &everything;
    uint32_t die = nkv_random_below(&run->workload.random, 1000);

    memset(action, 0, sizeof *action);
    if (choose_fixed(run, action)) {
        return;
    }
    if (die < mix->steps) {
        action->kind = NKV_CUT_STEP;
        return;
    }
    die -= mix->steps;
    if (die < mix->maintenances) {
        action->kind = NKV_CUT_MAINTAIN;
        action->maintenance =
            die % 2 == 0 ? NKV_MAINTAIN_FULL : NKV_MAINTAIN_HEAVY;
        return;
    }
    die -= mix->maintenances;
    if (die < mix->erases) {
        action->kind = NKV_CUT_ERASE_ALL;
    } else if (die - mix->erases < mix->deletes && run->model.count > 0) {
        action->kind = NKV_CUT_DELETE;
        choose_present_key(&run->workload, &run->model, action);
    } else {
        choose_put(&run->workload, action);
    }
}

void nkv_cut_choose_write(const struct nkv_cut_run *run, uint64_t random,
                          struct nkv_cut_action *action)
{
    struct nkv_workload workload = run->workload;

    workload.random = random;
    memset(action, 0, sizeof *action);
    if (nkv_random_below(&workload.random, 3) == 0 && run->expected.count > 0) {
        action->kind = NKV_CUT_DELETE;
        choose_present_key(&workload, &run->expected, action);
    } else {
        choose_put(&workload, action);
    }
}

enum nkv_status nkv_cut_perform(struct nkv_bench *bench,
                                const struct nkv_cut_action *action)
{
    struct nkv_store *store = &bench->store;
    bool more;

    switch (action->kind) {
    case NKV_CUT_PUT:
        return nkv_put(store, action->key, action->value);
    case NKV_CUT_DELETE:
        return nkv_delete(store, action->key);
    case NKV_CUT_STEP:
        return nkv_step(store, &more);
    case NKV_CUT_MAINTAIN:
        return nkv_maintain(store, action->maintenance);
    case NKV_CUT_ERASE_ALL:
        return nkv_erase_all(store);
    case NKV_CUT_MOUNT:
    default:
        return nkv_bench_mount(bench);
    }
}

void nkv_cut_apply(struct nkv_model *model, const struct nkv_cut_action *action)
{
    if (action->kind == NKV_CUT_PUT) {
        nkv_model_put(model, action->key, action->value);
    } else if (action->kind == NKV_CUT_DELETE) {
        nkv_model_delete(model, action->key);
    } else if (action->kind == NKV_CUT_ERASE_ALL) {
        nkv_model_free(model);
    }
}
