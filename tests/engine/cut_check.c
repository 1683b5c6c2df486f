/* What must hold when the power is back. */
#include "cut.h"

#include "entry_image.h"
#include "random.h"

#include <stdio.h>
#include <string.h>

enum {
    /* One image in so many has its log go round twice more. */
    ROUND_EVERY = 16,
    DEFAULT_MAGIC = NKV_DEFAULT_MAGIC
};

static bool complain(const char *what, enum nkv_status status)
{
    fprintf(stderr, "%s: %s\n", what, nkv_status_name(status));
    return false;
}

/* Whether the store holds what the action was to write. */
static bool holds_new(struct nkv_store *store,
                      const struct nkv_cut_action *action)
{
    uint8_t bytes[NKV_CUT_VALUE_MAX];
    struct nkv_buffer to = {bytes, sizeof bytes};
    struct nkv_value got = {0};
    enum nkv_status status = nkv_get(store, action->key, 0, to, &got);

    if (action->kind == NKV_CUT_DELETE) {
        return status == NKV_NOT_FOUND;
    }
    return status == NKV_OK && got.size == action->value.size &&
           memcmp(bytes, action->value_bytes, got.size) == 0;
}

/* After a cut in nkv_erase_all: as it was, empty, or to be called again. */
static bool resolve_erase_all(struct nkv_bench *bench, enum nkv_status status,
                              struct nkv_model *model)
{
    if (status == NKV_FAILED_PRECONDITION) {
        status = nkv_erase_all(&bench->store);
        nkv_model_free(model);
    } else if (nkv_bench_statistics(bench).keys == 0) {
        nkv_model_free(model);
    }
    return status == NKV_OK || complain("erase_all again", status);
}

/* Mounts, and finds out whether the write in flight is there. */
static bool resolve(struct nkv_bench *bench,
                    const struct nkv_cut_action *action, bool acknowledged,
                    struct nkv_model *model)
{
    enum nkv_status status = nkv_bench_mount(bench);

    if (action->kind == NKV_CUT_ERASE_ALL) {
        return resolve_erase_all(bench, status, model);
    }
    if (status != NKV_OK) {
        return complain("mount", status);
    }
    if (action->kind != NKV_CUT_PUT && action->kind != NKV_CUT_DELETE) {
        return true;
    }
    if (holds_new(&bench->store, action)) {
        nkv_cut_apply(model, action);
    } else if (acknowledged) {
        return complain("an acknowledged write is gone", NKV_OK);
    }
    return true;
}

/* Bounds what mounting may take: to write the whole flash a few times. */
static bool is_bounded(const struct nkv_bench *bench, uint64_t since)
{
    uint64_t done = bench->sim.counts.operations - since;
    uint64_t most =
        4u * ((uint64_t)bench->sim.units + bench->setup.sector_count) + 64;

    return done <= most || complain("mount took too many operations", NKV_OK);
}

/* The second mount writes nothing and finds the same. Where bits read at random
 * it may meet damage that the first one could not see, and repair that. */
static bool mounts_again_alike(struct nkv_cut_run *run,
                               const struct nkv_model *model)
{
    struct nkv_bench *bench = &run->trial;
    uint64_t operations = bench->sim.counts.operations;
    enum nkv_status status = nkv_bench_mount(bench);

    if (status != NKV_OK) {
        return complain("second mount", status);
    }
    if (bench->sim.counts.operations != operations) {
        if (!run->is_weak) {
            return complain("the second mount wrote", status);
        }
        run->counts.weak_again++;
    }
    return nkv_model_agrees(model, &bench->store) ||
           complain("after the second mount", status);
}

/* An overwrite, or a first put, of one key works. */
static bool takes_put(struct nkv_bench *bench, struct nkv_model *model,
                      struct nkv_span key, struct nkv_span value)
{
    enum nkv_status status = nkv_put(&bench->store, key, value);

    if (status == NKV_RESOURCE_EXHAUSTED &&
        nkv_may_be_full(bench, true, 16 + key.size + value.size, 50)) {
        return true;
    }
    if (status != NKV_OK) {
        return complain("put after the cut", status);
    }
    nkv_model_put(model, key, value);
    return true;
}

/* A put of a key that is new, an overwrite, and a delete. */
static bool takes_writes(struct nkv_bench *bench, struct nkv_model *model)
{
    struct nkv_span key = nkv_text("~");
    struct nkv_span old = key;
    enum nkv_status status;

    if (model->count > 0) {
        old.data = model->entries[0].key;
        old.size = model->entries[0].key_size;
    }
    if (!takes_put(bench, model, key, nkv_text("a")) ||
        !takes_put(bench, model, old, nkv_text("bc"))) {
        return false;
    }
    if (model->count == 0) {
        return true;
    }
    old = (struct nkv_span){model->entries[0].key, model->entries[0].key_size};
    status = nkv_delete(&bench->store, old);
    if (status != NKV_OK) {
        return complain("delete after the cut", status);
    }
    nkv_model_delete(model, old);
    return nkv_model_agrees(model, &bench->store) ||
           complain("after more writes", status);
}

/* Writes until the log has gone round twice: what was deleted stays so. */
static bool goes_round(struct nkv_cut_run *run, struct nkv_bench *bench,
                       struct nkv_model *model)
{
    static const struct nkv_workload_mix mix = {.puts = 800, .deletes = 150};
    struct nkv_workload workload = run->workload;
    uint64_t end =
        bench->sim.counts.programmed_bytes + 2u * (uint64_t)bench->sim.size;

    run->counts.rounds++;
    workload.mix = &mix;
    while (bench->sim.counts.programmed_bytes < end) {
        if (!nkv_workload_do(&workload, bench, model)) {
            return complain("going round", NKV_OK);
        }
    }
    return (nkv_bench_mount(bench) == NKV_OK &&
            nkv_model_agrees(model, &bench->store)) ||
           complain("after going round", NKV_OK);
}

static void copy_model(struct nkv_model *to, const struct nkv_model *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct nkv_model_entry *entry = &from->entries[i];
        struct nkv_span key = {entry->key, entry->key_size};

        nkv_model_put(to, key, nkv_model_value(entry));
    }
}

static bool check_all(struct nkv_cut_run *run,
                      const struct nkv_cut_action *action, bool acknowledged,
                      struct nkv_model *model)
{
    struct nkv_bench *bench = &run->trial;
    uint64_t operations = bench->sim.counts.operations;

    if (!resolve(bench, action, acknowledged, model) ||
        !is_bounded(bench, operations) ||
        !nkv_model_agrees(model, &bench->store) || !nkv_bench_is_sound(bench)) {
        return false;
    }
    if (!mounts_again_alike(run, model) || !takes_writes(bench, model)) {
        return false;
    }
    if (run->counts.images % ROUND_EVERY == 0 &&
        !goes_round(run, bench, model)) {
        return false;
    }
    return nkv_bench_is_sound(bench);
}

bool nkv_cut_check(struct nkv_cut_run *run, const struct nkv_cut_action *action,
                   bool acknowledged)
{
    struct nkv_model model = {0};
    bool good;

    copy_model(&model, &run->model);
    good = check_all(run, action, acknowledged, &model);
    nkv_model_free(&model);
    return good;
}

/* Whether the entry at offset overlaps the wound and, in it, is not what was
 * to be there. */
static bool is_false_entry(const struct nkv_flash_sim *sim, uint32_t offset,
                           uint32_t room)
{
    const struct nkv_sim_wound *wound = &sim->wound;
    size_t size = nkv_image_intact(sim->bytes + offset, room, DEFAULT_MAGIC);

    for (uint32_t at = offset; at < offset + size; at++) {
        if (at - wound->offset < wound->size &&
            sim->bytes[at] != wound->intended[at - wound->offset]) {
            return true;
        }
    }
    return false;
}

bool nkv_cut_is_crc_collision(const struct nkv_flash_sim *sim)
{
    uint32_t sector_size = sim->flash.sector_size;
    uint32_t start = sim->wound.offset / sector_size * sector_size;

    for (uint32_t at = 0; at < sector_size; at += 16) {
        if (is_false_entry(sim, start + at, sector_size - at)) {
            return true;
        }
    }
    return false;
}
