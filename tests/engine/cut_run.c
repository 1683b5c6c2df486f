#include "cut.h"

#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* In short runs, one image in so many has its recovery cut, in one of so
     * many ways. In long ones, where the short run tries every cut point, all
     * are; of the others one in so many. */
    TWICE_EVERY_SHORT = 7,
    SECOND_EVERY_SHORT = 5,
    TWICE_EVERY_LONG = 20,
    /* How often a weak image that went wrong is tried again, and how often it
     * must go wrong again to be a failure. */
    STREAMS = 12,
    STREAMS_WRONG = 3,
    FAILURES_MAX = 5
};

static bool is_same_cut(const struct nkv_sim_cut *a,
                        const struct nkv_sim_cut *b)
{
    return a->kind == b->kind &&
           (a->kind == NKV_SIM_CUT_NONE ||
            (a->at == b->at && a->amount == b->amount && a->seed == b->seed));
}

/* Whether a random share, one in `stride`, of a short run has this name. */
static bool is_in_share(const struct nkv_cut_name *name, uint32_t stride)
{
    uint64_t hash = name->operation * 1000003u + name->first.at * 8191u +
                    name->first.kind * 131u + name->first.amount * 17u +
                    name->first.seed + name->second.at * 257u +
                    name->second.kind * 31u + name->second.amount * 7u;

    return stride <= 1 || nkv_random(&hash) % stride == 0;
}

/* Runs action on a copy of from with a cut. Whether it was acknowledged. */
static bool cut_once(struct nkv_cut_run *run, const struct nkv_bench *from,
                     const struct nkv_cut_action *action,
                     const struct nkv_sim_cut *cut)
{
    enum nkv_status status;

    nkv_bench_copy(&run->trial, from);
    nkv_flash_sim_cut(&run->trial.sim, *cut);
    status = nkv_cut_perform(&run->trial, action);
    if (!run->trial.sim.is_off && run->stream == 0) {
        fprintf(stderr, "the cut was not reached\n");
        exit(1);
    }
    nkv_flash_sim_power_on(&run->trial.sim);
    return status == NKV_OK;
}

/* Makes the image of the first cut alone. What reads at random afterwards
 * follows from its seed, so that a recovery is the same each time. */
static bool cut_first(struct nkv_cut_run *run,
                      const struct nkv_cut_action *action,
                      const struct nkv_cut_name *name)
{
    run->before.sim.random = name->first.seed + run->stream * 7919u;
    return cut_once(run, &run->before, action, &name->first);
}

/* Makes the image with this name in run->trial. Sets *collides when a torn
 * entry's CRC-16 was right by chance. Whether action was acknowledged. */
static bool make_image(struct nkv_cut_run *run,
                       const struct nkv_cut_action *action,
                       const struct nkv_cut_name *name, bool *collides)
{
    static const struct nkv_cut_action mount = {.kind = NKV_CUT_MOUNT};
    bool acknowledged = cut_first(run, action, name);

    *collides = nkv_cut_is_crc_collision(&run->trial.sim);
    if (name->second.kind != NKV_SIM_CUT_NONE) {
        nkv_bench_copy(&run->wounded, &run->trial);
        (void)cut_once(run, &run->wounded, &mount, &name->second);
        *collides |= nkv_cut_is_crc_collision(&run->trial.sim);
    }
    return acknowledged;
}

/* Failures after which a run gives up; NORKV_CUT_FAILURES sets another number,
 * to see them all. */
static uint64_t failures_max(void)
{
    const char *text = getenv("NORKV_CUT_FAILURES");

    return text != NULL ? strtoull(text, NULL, 10) : FAILURES_MAX;
}

static void report(struct nkv_cut_run *run, const struct nkv_cut_action *action,
                   const struct nkv_cut_name *name)
{
    static const char *const kinds[] = {"put",      "delete",    "step",
                                        "maintain", "erase_all", "mount"};
    char text[128];

    nkv_cut_format_name(name, text, sizeof text);
    fprintf(stderr, "FAILED in %s; again: --replay %s/%llu/%s\n",
            kinds[action->kind], run->the_case->name,
            (unsigned long long)run->seed, text);
    if (++run->counts.failures >= failures_max()) {
        fprintf(stderr, "too many failures, giving up\n");
        exit(1);
    }
}

/* Makes the image and judges it. */
static bool is_good(struct nkv_cut_run *run,
                    const struct nkv_cut_action *action,
                    const struct nkv_cut_name *name, bool *collides)
{
    bool acknowledged = make_image(run, action, name, collides);

    return nkv_cut_check(run, action, acknowledged);
}

/* A bit that reads at random may read well while mount looks, and badly ever
 * after; nothing can be done about that. Whether it goes wrong now and then
 * only, and not with several of the ways to read. */
static bool is_bad_luck(struct nkv_cut_run *run,
                        const struct nkv_cut_action *action,
                        const struct nkv_cut_name *name)
{
    unsigned wrong = 0;
    bool collides;

    if (!run->is_weak) {
        return false;
    }
    for (run->stream = 1; run->stream <= STREAMS; run->stream++) {
        wrong += !is_good(run, action, name, &collides);
    }
    run->stream = 0;
    return wrong < STREAMS_WRONG;
}

static void try_image(struct nkv_cut_run *run,
                      const struct nkv_cut_action *action,
                      const struct nkv_cut_name *name)
{
    bool collides;

    if (run->only != NULL &&
        (!is_same_cut(&run->only->first, &name->first) ||
         !is_same_cut(&run->only->second, &name->second))) {
        return;
    }
    run->is_weak = name->first.kind == NKV_SIM_CUT_WEAK ||
                   name->second.kind == NKV_SIM_CUT_WEAK;
    run->counts.images++;
    run->counts.images_of_two_cuts += name->second.kind != NKV_SIM_CUT_NONE;
    run->counts.weak_images += run->is_weak;
    if (is_good(run, action, name, &collides)) {
        return;
    }
    if (collides) {
        run->counts.crc_collisions++;
    } else if (is_bad_luck(run, action, name)) {
        fprintf(stderr, "bad luck with a weak bit\n");
        run->counts.weak_luck++;
    } else {
        report(run, action, name);
    }
}

static uint32_t twice_stride(const struct nkv_cut_run *run)
{
    uint32_t stride = run->the_case->short_stride;

    if (!run->is_long) {
        return stride * TWICE_EVERY_SHORT;
    }
    return stride == 1 ? 1 : TWICE_EVERY_LONG;
}

static uint32_t second_stride(const struct nkv_cut_run *run)
{
    return run->is_long || run->only != NULL ? 1 : SECOND_EVERY_SHORT;
}

/* Two weak units at a time are not asked of a store. */
static bool is_asked(const struct nkv_cut_run *run,
                     const struct nkv_cut_name *name)
{
    if (name->second.kind == NKV_SIM_CUT_NONE ||
        (name->first.kind == NKV_SIM_CUT_WEAK &&
         name->second.kind == NKV_SIM_CUT_WEAK)) {
        return false;
    }
    return is_in_share(name, second_stride(run));
}

/* Cuts the recovery from the first cut of name at each of its operations. */
static void try_second_cuts(struct nkv_cut_run *run,
                            const struct nkv_cut_action *action,
                            struct nkv_cut_name *name)
{
    struct nkv_flash_sim *sim = &run->trial.sim;
    size_t length;

    (void)cut_first(run, action, name);
    sim->log = run->log;
    sim->log_capacity = NKV_CUT_LOG_MAX;
    sim->log_size = 0;
    (void)nkv_bench_mount(&run->trial);
    length = sim->log_size;
    sim->log_capacity = 0;
    for (size_t at = 0; at < length; at++) {
        char kind = run->log[at];

        for (uint32_t i = 0; nkv_cut_variant(run, kind, i, &name->second);
             i++) {
            name->second.at = at + 1;
            if (is_asked(run, name)) {
                try_image(run, action, name);
            }
        }
    }
    name->second.kind = NKV_SIM_CUT_NONE;
}

static void try_cut_point(struct nkv_cut_run *run,
                          const struct nkv_cut_action *action, uint64_t at,
                          char kind)
{
    struct nkv_cut_name name = {.operation = run->operation};
    uint32_t stride = run->is_long ? 1 : run->the_case->short_stride;
    bool tried = false;

    for (uint32_t i = 0; nkv_cut_variant(run, kind, i, &name.first); i++) {
        name.first.at = at;
        if (name.first.kind == NKV_SIM_CUT_NONE ||
            (run->only == NULL && !is_in_share(&name, stride))) {
            continue;
        }
        tried = true;
        try_image(run, action, &name);
        if (run->only != NULL ? is_same_cut(&name.first, &run->only->first)
                              : is_in_share(&name, twice_stride(run))) {
            try_second_cuts(run, action, &name);
        }
    }
    run->counts.points++;
    run->counts.points_cut += tried;
}

static void do_operation(struct nkv_cut_run *run)
{
    struct nkv_cut_action action;
    struct nkv_flash_sim *sim = &run->live.sim;
    char *log;
    size_t length;
    enum nkv_status status;

    nkv_cut_choose(run, &action);
    nkv_bench_copy(&run->before, &run->live);
    sim->log_size = 0;
    status = nkv_cut_perform(&run->live, &action);
    length = sim->log_size;
    log = malloc(length + 1);
    if (log == NULL || length == NKV_CUT_LOG_MAX) {
        fprintf(stderr, "no room for the log\n");
        exit(1);
    }
    memcpy(log, sim->log, length);
    if (run->only == NULL || run->only->operation == run->operation) {
        for (size_t at = 0; at < length; at++) {
            try_cut_point(run, &action, at + 1, log[at]);
        }
    }
    free(log);
    if (status == NKV_OK) {
        nkv_cut_apply(&run->model, &action);
    } else if (status != NKV_RESOURCE_EXHAUSTED) {
        fprintf(stderr, "operation %u gave %s without a cut\n", run->operation,
                nkv_status_name(status));
        run->counts.failures++;
    }
}

static void init(struct nkv_cut_run *run)
{
    const struct nkv_cut_case *the_case = run->the_case;

    nkv_bench_init(&run->live, &the_case->setup);
    nkv_bench_init(&run->before, &the_case->setup);
    nkv_bench_init(&run->trial, &the_case->setup);
    nkv_bench_init(&run->wounded, &the_case->setup);
    run->workload = (struct nkv_workload){
        .random = run->seed,
        .key_count = the_case->key_count,
        .key_size_max = the_case->key_size_max,
        .value_size_max = the_case->value_size_max,
    };
    run->live.sim.log = malloc(NKV_CUT_LOG_MAX);
    run->log = malloc(NKV_CUT_LOG_MAX);
    if (run->live.sim.log == NULL || run->log == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    run->live.sim.log_capacity = NKV_CUT_LOG_MAX;
}

void nkv_cut_run_case(struct nkv_cut_run *run)
{
    init(run);
    if (nkv_bench_mount(&run->live) != NKV_OK) {
        fprintf(stderr, "a blank flash does not mount\n");
        run->counts.failures++;
    }
    for (; run->operation < run->the_case->operations; run->operation++) {
        do_operation(run);
        if (!nkv_model_agrees(&run->model, &run->live.store) ||
            !nkv_bench_is_sound(&run->live)) {
            fprintf(stderr, "operation %u went wrong without a cut\n",
                    run->operation);
            run->counts.failures++;
            break;
        }
    }
    free(run->live.sim.log);
    free(run->log);
    nkv_model_free(&run->model);
    nkv_bench_free(&run->live);
    nkv_bench_free(&run->before);
    nkv_bench_free(&run->trial);
    nkv_bench_free(&run->wounded);
}
