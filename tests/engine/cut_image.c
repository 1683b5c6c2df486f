/* Makes an image by its name. */
#include "cut.h"

#include "random.h"

#include <stdio.h>

static const struct nkv_cut_action mounting = {.kind = NKV_CUT_MOUNT};

static void copy_model(struct nkv_model *to, const struct nkv_model *from)
{
    nkv_model_free(to);
    for (size_t i = 0; i < from->count; i++) {
        const struct nkv_model_entry *entry = &from->entries[i];
        struct nkv_span key = {entry->key, entry->key_size};

        nkv_model_put(to, key, nkv_model_value(entry));
    }
}

/* Its spans lead to its own bytes. */
static void copy_action(struct nkv_cut_action *to,
                        const struct nkv_cut_action *from)
{
    *to = *from;
    to->key.data = to->key_bytes;
    to->value.data = to->value_bytes;
}

/* Performs with the power cut. What reads at random afterwards follows from the
 * cut, so that a recovery is the same each time. */
static bool cut_once(struct nkv_cut_run *run,
                     const struct nkv_cut_action *action,
                     const struct nkv_sim_cut *cut, enum nkv_status *status)
{
    struct nkv_flash_sim *sim = &run->bench.sim;

    nkv_flash_sim_cut(sim, *cut);
    *status = nkv_cut_perform(&run->bench, action);
    if (!sim->is_off) {
        fprintf(stderr, "the cut was not reached\n");
        nkv_flash_sim_power_on(sim);
        return false;
    }
    nkv_flash_sim_power_on(sim);
    sim->random = ((uint64_t)cut->seed << 32) + cut->at * 8 + cut->kind;
    run->has_collision |= run->seeks_collision && nkv_cut_is_crc_collision(sim);
    return true;
}

/* What runs in a place after the cuts so far: run->flight, or a mount. */
static bool prepare(struct nkv_cut_run *run, const struct nkv_cut_name *name,
                    uint32_t depth, enum nkv_cut_place place)
{
    if (place == NKV_CUT_IN_WRITE) {
        const struct nkv_sim_cut *last = &name->cuts[depth - 1].cut;
        uint64_t random = name->operation * 1000003u + last->at * 8191u +
                          last->amount * 31u + last->seed;

        if (!nkv_cut_settle(run)) {
            return false;
        }
        nkv_cut_choose_write(run, random, &run->flight);
        run->is_acknowledged = false;
        run->is_write_known_to_fit = false;
    }
    return true;
}

static const struct nkv_cut_action *action_in(const struct nkv_cut_run *run,
                                              enum nkv_cut_place place)
{
    return place == NKV_CUT_IN_RECOVERY ? &mounting : &run->flight;
}

bool nkv_cut_make(struct nkv_cut_run *run, const struct nkv_cut_action *action,
                  const struct nkv_cut_name *name)
{
    run->has_collision = false;
    run->is_acknowledged = false;
    run->is_write_known_to_fit = run->was_good;
    nkv_bench_keep(&run->bench, &run->before);
    copy_model(&run->expected, &run->model);
    copy_action(&run->flight, action);
    for (uint32_t i = 0; i < name->depth; i++) {
        enum nkv_cut_place place = name->cuts[i].place;
        enum nkv_status status;

        if ((i > 0 && !prepare(run, name, i, place)) ||
            !cut_once(run, action_in(run, place), &name->cuts[i].cut,
                      &status)) {
            return false;
        }
        run->is_acknowledged |=
            place != NKV_CUT_IN_RECOVERY && status == NKV_OK;
    }
    return true;
}

size_t nkv_cut_look_ahead(struct nkv_cut_run *run,
                          const struct nkv_cut_action *action,
                          const struct nkv_cut_name *name,
                          enum nkv_cut_place place)
{
    struct nkv_flash_sim *sim = &run->bench.sim;
    size_t length;

    /* What is wrong with it was said when the image was judged. */
    if (!nkv_cut_make(run, action, name) ||
        !prepare(run, name, name->depth, place)) {
        return 0;
    }
    sim->log = run->log;
    sim->log_capacity = NKV_CUT_LOG_MAX;
    sim->log_size = 0;
    (void)nkv_cut_perform(&run->bench, action_in(run, place));
    length = sim->log_size;
    sim->log_capacity = 0;
    return length;
}
