/* What the power is cut in. */
#include "cut.h"

#include "random.h"

#include <string.h>

static void choose_key(struct nkv_cut_run *run, struct nkv_cut_action *action)
{
    struct nkv_workload *workload = &run->workload;
    uint32_t number = nkv_random_below(&workload->random, workload->key_count);

    action->key.data = action->key_bytes;
    action->key.size = nkv_workload_key(workload, number, action->key_bytes);
}

static void choose_present_key(struct nkv_cut_run *run,
                               struct nkv_cut_action *action)
{
    const struct nkv_model *model = &run->model;
    const struct nkv_model_entry *entry = &model->entries[nkv_random_below(
        &run->workload.random, (uint32_t)model->count)];

    memcpy(action->key_bytes, entry->key, entry->key_size);
    action->key = (struct nkv_span){action->key_bytes, entry->key_size};
}

void nkv_cut_choose(struct nkv_cut_run *run, struct nkv_cut_action *action)
{
    uint32_t die = nkv_random_below(&run->workload.random, 1000);

    memset(action, 0, sizeof *action);
    if (die < 80) {
        action->kind = NKV_CUT_STEP;
    } else if (die < 120) {
        action->kind = NKV_CUT_MAINTAIN;
        action->maintenance =
            die < 100 ? NKV_MAINTAIN_FULL : NKV_MAINTAIN_HEAVY;
    } else if (die < 130) {
        action->kind = NKV_CUT_ERASE_ALL;
    } else if (die < 330 && run->model.count > 0) {
        action->kind = NKV_CUT_DELETE;
        choose_present_key(run, action);
    } else {
        action->kind = NKV_CUT_PUT;
        choose_key(run, action);
        action->value.data = action->value_bytes;
        action->value.size =
            nkv_workload_value(&run->workload, action->value_bytes);
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
