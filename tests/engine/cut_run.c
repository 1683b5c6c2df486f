/* Tries the images of a case. */
#include "cut.h"

#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const struct nkv_cut_run *run,
                        const struct nkv_cut_name *name, uint32_t lot)
{
    uint64_t hash = run->seed * 31u + name->operation * 1000003u + lot;

    for (uint32_t i = 0; i < name->depth; i++) {
        const struct nkv_sim_cut *cut = &name->cuts[i].cut;

        hash = hash * 1099511628211u + cut->at * 8191u + cut->kind * 131u +
               cut->amount * 17u + cut->seed + name->cuts[i].place * 7u;
    }
    return hash;
}

bool nkv_cut_draws(const struct nkv_cut_run *run,
                   const struct nkv_cut_name *name, uint32_t lot,
                   uint32_t one_in)
{
    uint64_t hash = hash_of(run, name, lot);

    return one_in > 0 && nkv_random(&hash) % one_in == 0;
}

/* Prints what an image came to, and how to make it again. */
static void print_name(const struct nkv_cut_run *run, const char *what,
                       const struct nkv_cut_action *action,
                       const struct nkv_cut_name *name)
{
    static const char *const kinds[] = {"put",      "delete",    "step",
                                        "maintain", "erase_all", "mount"};
    char text[256];

    nkv_cut_format_name(name, text, sizeof text);
    fprintf(stderr, "%s in %s; again: --replay %s/%llu/%s\n", what,
            kinds[action->kind], run->the_case->name,
            (unsigned long long)run->seed, text);
}

static void report(struct nkv_cut_run *run, const struct nkv_cut_action *action,
                   const struct nkv_cut_name *name)
{
    print_name(run, "FAILED", action, name);
    if (++run->counts.failures == run->failures_max) {
        fprintf(stderr, "too many failures, giving up\n");
        run->gave_up = true;
        run->counts.gave_up = 1;
    }
}

/* Remembers the image, for a test to hold a replay against. */
static void remember(struct nkv_cut_run *run, const struct nkv_cut_name *name)
{
    const struct nkv_flash_sim *sim = &run->bench.sim;
    uint32_t sum = 0;

    for (uint32_t i = 0; i < sim->size; i++) {
        sum = sum * 31 + sim->bytes[i] + sim->doubtful[i];
    }
    run->last[name->depth - 1] = *name;
    run->last_sum[name->depth - 1] = sum;
}

/* Makes the image and judges it. */
static bool is_good(struct nkv_cut_run *run,
                    const struct nkv_cut_action *action,
                    const struct nkv_cut_name *name)
{
    if (!nkv_cut_make(run, action, name)) {
        return false;
    }
    if (run->operations > 0 || run->only != NULL) {
        remember(run, name);
    }
    return nkv_cut_check(run, name);
}

static void try_image(struct nkv_cut_run *run,
                      const struct nkv_cut_action *action,
                      const struct nkv_cut_name *name)
{
    run->counts.images++;
    run->counts.images_of_two_cuts += name->depth == 2;
    run->counts.images_of_three_cuts += name->depth == 3;
    if (is_good(run, action, name)) {
        return;
    }
    run->seeks_collision = true;
    (void)nkv_cut_make(run, action, name);
    run->seeks_collision = false;
    if (run->has_collision) {
        run->counts.crc_collisions++;
        print_name(run, "CRC collision", action, name);
    } else {
        report(run, action, name);
    }
}

/* Cuts once more, at one random place of what comes next, in one random way. */
static void try_deeper(struct nkv_cut_run *run,
                       const struct nkv_cut_action *action,
                       struct nkv_cut_name *name, enum nkv_cut_place place)
{
    uint64_t random = hash_of(run, name, NKV_CUT_LOT_PLACE);
    uint32_t at, i = name->depth;
    size_t length;
    char kind;

    if (i == NKV_CUT_DEPTH_MAX || run->gave_up) {
        return;
    }
    length = nkv_cut_look_ahead(run, action, name, place);
    if (length == 0) {
        return;
    }
    at = nkv_random_below(&random, (uint32_t)length);
    kind = run->log[at];
    name->depth++;
    name->cuts[i].place = place;
    name->cuts[i].cut = nkv_cut_way(
        run, kind, nkv_random_below(&random, nkv_cut_ways(run, kind)));
    name->cuts[i].cut.at = at + 1;
    try_image(run, action, name);
    if (nkv_cut_draws(run, name, NKV_CUT_LOT_THRICE, run->effort->thrice)) {
        try_deeper(run, action, name, NKV_CUT_IN_RECOVERY);
        try_deeper(run, action, name, NKV_CUT_IN_WRITE);
    }
    name->depth--;
}

/* The way of a cut point that is tried whatever share of them is. The name is
 * that of the images to be, but for the last cut's way. */
static uint32_t sure_way(const struct nkv_cut_run *run,
                         const struct nkv_cut_name *name, uint32_t ways)
{
    uint64_t hash = hash_of(run, name, NKV_CUT_LOT_ONE_WAY);

    return nkv_random_below(&hash, ways);
}

/* Whether a way is in the share of the others that is tried. */
static bool is_way_tried(const struct nkv_cut_run *run,
                         const struct nkv_cut_name *name, uint32_t i,
                         uint32_t one_in)
{
    return one_in <= 1 ||
           nkv_cut_draws(run, name, NKV_CUT_LOT_WAYS + i, one_in);
}

/* Cuts a step of the recovery from the cuts of name, which lacks the last. */
static void try_second_cuts(struct nkv_cut_run *run,
                            const struct nkv_cut_action *action,
                            struct nkv_cut_name *name, uint64_t at, char kind)
{
    uint32_t ways = nkv_cut_ways(run, kind), sure;
    struct nkv_sim_cut none = {.at = at};

    name->cuts[1].cut = none;
    sure = sure_way(run, name, ways);
    for (uint32_t i = 0; i < ways && !run->gave_up; i++) {
        name->cuts[1].cut = none;
        if (i != sure && !is_way_tried(run, name, i, run->effort->twice_ways)) {
            continue;
        }
        name->cuts[1].cut = nkv_cut_way(run, kind, i);
        name->cuts[1].cut.at = at;
        try_image(run, action, name);
        if (nkv_cut_draws(run, name, NKV_CUT_LOT_THRICE, run->effort->thrice)) {
            try_deeper(run, action, name, NKV_CUT_IN_RECOVERY);
            try_deeper(run, action, name, NKV_CUT_IN_WRITE);
        }
    }
}

/* Cuts the recovery from the one cut of name at each of its steps. */
static void try_recovery(struct nkv_cut_run *run,
                         const struct nkv_cut_action *action,
                         struct nkv_cut_name *name)
{
    size_t length = nkv_cut_look_ahead(run, action, name, NKV_CUT_IN_RECOVERY);
    char *log = malloc(length + 1);

    if (log == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    memcpy(log, run->log, length);
    run->counts.recoveries++;
    run->counts.recovery_steps += length;
    name->depth = 2;
    name->cuts[1].place = NKV_CUT_IN_RECOVERY;
    for (size_t at = 0; at < length; at++) {
        try_second_cuts(run, action, name, at + 1, log[at]);
    }
    name->depth = 1;
    free(log);
}

static void try_way(struct nkv_cut_run *run,
                    const struct nkv_cut_action *action,
                    struct nkv_cut_name *name, bool is_sure)
{
    const struct nkv_cut_effort *effort = run->effort;

    run->counts.ways_tried++;
    try_image(run, action, name);
    if (!run->gave_up &&
        ((is_sure && effort->twice_everywhere) ||
         nkv_cut_draws(run, name, NKV_CUT_LOT_TWICE, effort->twice))) {
        try_recovery(run, action, name);
    }
    if (!run->gave_up &&
        nkv_cut_draws(run, name, NKV_CUT_LOT_WRITE, effort->writes)) {
        try_deeper(run, action, name, NKV_CUT_IN_WRITE);
    }
}

static void try_cut_point(struct nkv_cut_run *run,
                          const struct nkv_cut_action *action, uint64_t at,
                          char kind)
{
    const struct nkv_cut_effort *effort = run->effort;
    struct nkv_sim_cut none = {.at = at};
    struct nkv_cut_name name = {.operation = run->operation, .depth = 1};
    uint32_t ways = nkv_cut_ways(run, kind), sure;

    name.cuts[0].cut = none;
    sure = sure_way(run, &name, ways);
    run->counts.points++;
    run->counts.ways += ways;
    if (kind == 'P' && effort->points > 1 &&
        !nkv_cut_draws(run, &name, NKV_CUT_LOT_POINT, effort->points)) {
        return;
    }
    run->counts.points_cut++;
    for (uint32_t i = 0; i < ways && !run->gave_up; i++) {
        name.cuts[0].cut = none;
        if (i == sure || is_way_tried(run, &name, i, effort->ways)) {
            name.cuts[0].cut = nkv_cut_way(run, kind, i);
            name.cuts[0].cut.at = at;
            try_way(run, action, &name, i == sure);
        }
    }
}

/* Cuts the action at hand in each of its steps, whose kinds are in the log. */
static void try_cut_points(struct nkv_cut_run *run,
                           const struct nkv_cut_action *action, size_t length)
{
    char *log = malloc(length + 1);

    if (log == NULL || length == NKV_CUT_LOG_MAX) {
        fprintf(stderr, "no room for the log\n");
        exit(1);
    }
    memcpy(log, run->log, length);
    run->has_erased = memchr(log, 'E', length) != NULL;
    if (run->only == NULL) {
        for (size_t at = 0; at < length && !run->gave_up; at++) {
            try_cut_point(run, action, at + 1, log[at]);
        }
    } else if (run->only->operation == run->operation) {
        try_image(run, action, run->only);
    }
    free(log);
}

/* What is mounted from here on has the other setup; the flash stays. */
static void change_setup(struct nkv_cut_run *run)
{
    const struct nkv_bench_setup *setup = &run->the_case->changed;
    uint8_t *image = malloc(run->bench.sim.size);

    if (image == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    memcpy(image, run->bench.sim.bytes, run->bench.sim.size);
    run->programmed += run->bench.sim.counts.programmed_bytes;
    nkv_bench_free(&run->bench);
    nkv_bench_free(&run->before);
    nkv_bench_free(&run->after);
    nkv_bench_init(&run->bench, setup);
    nkv_bench_init(&run->before, setup);
    nkv_bench_init(&run->after, setup);
    nkv_flash_sim_load(&run->bench.sim, image);
    free(image);
}

static bool is_change(const struct nkv_cut_run *run)
{
    return run->the_case->changed.sector_count > 0 &&
           run->operation == run->the_case->operations / 2;
}

/* Without a cut, and then with all the cuts there are. */
static void do_operation(struct nkv_cut_run *run)
{
    struct nkv_cut_action action;
    struct nkv_flash_sim *sim = &run->bench.sim;
    enum nkv_status status;

    if (is_change(run)) {
        change_setup(run);
    }
    nkv_cut_choose(run, &action);
    nkv_bench_keep(&run->before, &run->bench);
    sim->log = run->log;
    sim->log_capacity = NKV_CUT_LOG_MAX;
    sim->log_size = 0;
    status = nkv_cut_perform(&run->bench, &action);
    sim->log_capacity = 0;
    run->was_good = status == NKV_OK;
    nkv_bench_keep(&run->after, &run->bench);
    try_cut_points(run, &action, sim->log_size);
    nkv_bench_keep(&run->bench, &run->after);
    if (status == NKV_OK) {
        nkv_cut_apply(&run->model, &action);
    } else if (status != NKV_RESOURCE_EXHAUSTED ||
               (action.kind != NKV_CUT_PUT &&
                action.kind != NKV_CUT_MAINTAIN)) {
        fprintf(stderr, "operation %u gave %s without a cut\n", run->operation,
                nkv_status_name(status));
        run->counts.failures++;
    }
}

static void init(struct nkv_cut_run *run)
{
    const struct nkv_cut_case *the_case = run->the_case;
    uint64_t random = 3;

    nkv_bench_init(&run->bench, &the_case->setup);
    nkv_bench_init(&run->before, &the_case->setup);
    nkv_bench_init(&run->after, &the_case->setup);
    run->workload = (struct nkv_workload){
        .random = run->seed,
        .key_count = the_case->key_count,
        .key_size_max = the_case->key_size_max,
        .value_size_max = the_case->value_size_max,
    };
    run->log = malloc(NKV_CUT_LOG_MAX);
    if (run->log == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    for (uint32_t i = 0; the_case->is_foreign && i < run->bench.sim.size; i++) {
        nkv_flash_sim_poke(&run->bench.sim, i, (uint8_t)nkv_random(&random));
    }
}

static void clean_up(struct nkv_cut_run *run)
{
    free(run->log);
    nkv_model_free(&run->model);
    nkv_model_free(&run->expected);
    nkv_bench_free(&run->bench);
    nkv_bench_free(&run->before);
    nkv_bench_free(&run->after);
}

/* A workload that does not go round all sectors twice shows too little. */
static void expect_two_rounds(struct nkv_cut_run *run)
{
    uint64_t programmed =
        run->programmed + run->bench.sim.counts.programmed_bytes;

    if (programmed < 2u * (uint64_t)run->bench.sim.size) {
        fprintf(stderr, "%s: the workload wrote %llu bytes only\n",
                run->the_case->name, (unsigned long long)programmed);
        run->counts.failures++;
    }
}

static uint32_t operations_of(const struct nkv_cut_run *run)
{
    if (run->only != NULL) {
        return run->only->operation + 1;
    }
    return run->operations > 0 ? run->operations : run->the_case->operations;
}

void nkv_cut_run_case(struct nkv_cut_run *run)
{
    uint32_t end = operations_of(run);
    enum nkv_status first =
        run->the_case->is_foreign ? NKV_FAILED_PRECONDITION : NKV_OK;

    init(run);
    if (nkv_bench_mount(&run->bench) != first) {
        fprintf(stderr, "the first mount went wrong\n");
        run->counts.failures++;
    }
    for (; run->operation < end && !run->gave_up; run->operation++) {
        do_operation(run);
        if (!nkv_model_agrees(&run->model, &run->bench.store) ||
            !nkv_bench_is_sound(&run->bench)) {
            fprintf(stderr, "operation %u went wrong without a cut\n",
                    run->operation);
            run->counts.failures++;
            run->gave_up = true;
            run->counts.gave_up = 1;
        }
    }
    if (run->operations == 0 && run->only == NULL && !run->gave_up) {
        expect_two_rounds(run);
    }
    clean_up(run);
}
