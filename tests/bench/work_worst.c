/* The longest that one put takes. */
#include "load.h"
#include "workloads.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECTORS = 40,
    ENTRIES = SECTORS * NKV_LOAD_SECTOR_SIZE / NKV_LOAD_ENTRY_SIZE,
    STEPS_MAX = 100000
};

struct kind {
    const char *name;
    uint16_t steps_per_write;
    /* All idle work is done between two puts. */
    bool is_idle;
};

/* Of the puts so far, the most that one of them did. */
struct worst {
    uint64_t erases;
    uint32_t steps;
    uint32_t copies;
    uint64_t ns[NKV_PARTS];
};

static void idle(struct nkv_load *load)
{
    bool more = true;

    for (uint32_t i = 0; more; i++) {
        nkv_expect_ok(nkv_step(&load->bench.store, &more), "step");
        if (i == STEPS_MAX) {
            fprintf(stderr, "step: there is always more to do\n");
            exit(1);
        }
    }
}

/* What nkv_statistics tells of counters, which come last in it, in their order;
 * to sum up the rest, of all keys, would take longer than the put. */
struct counted {
    uint32_t entries_relocated;
    uint32_t steps;
};

static uint32_t counter(const struct nkv_load *load, size_t offset)
{
    offset -= offsetof(struct nkv_statistics, erases);
    return load->bench.store.counters[offset / sizeof(uint32_t)];
}

static struct counted count(const struct nkv_load *load)
{
    return (struct counted){
        .entries_relocated =
            counter(load, offsetof(struct nkv_statistics, entries_relocated)),
        .steps = counter(load, offsetof(struct nkv_statistics, steps)),
    };
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void put_and_watch(struct nkv_load *load, struct worst *worst)
{
    const struct nkv_pattern uniform = {.hot_keys = 100, .hot_writes = 100};
    struct counted before = count(load);
    struct nkv_meter meter = load->meter;
    uint64_t erases = load->bench.sim.counts.erases;
    struct counted after;

    nkv_load_put(load, nkv_load_choose(load, uniform));
    after = count(load);
    worst->erases =
        larger(worst->erases, load->bench.sim.counts.erases - erases);
    worst->steps = (uint32_t)larger(worst->steps, after.steps - before.steps);
    worst->copies = (uint32_t)larger(
        worst->copies, after.entries_relocated - before.entries_relocated);
    for (size_t i = 0; i < NKV_PARTS; i++) {
        worst->ns[i] = larger(worst->ns[i], load->meter.ns[i] - meter.ns[i]);
    }
}

static struct worst watch(struct nkv_load *load, const struct kind *kind,
                          uint32_t puts)
{
    struct worst worst = {0};

    for (uint32_t i = 0; i < puts; i++) {
        if (kind->is_idle) {
            idle(load);
        }
        put_and_watch(load, &worst);
    }
    return worst;
}

static void measure(struct nkv_figures *figures,
                    const struct nkv_effort *effort, uint32_t fill,
                    const struct kind *kind)
{
    static struct nkv_load load;
    const struct nkv_sim_counts *counts = &load.bench.sim.counts;
    uint32_t keys = ENTRIES * fill / 100;
    uint32_t puts = effort->worst_puts;
    char workload[40];
    struct worst worst;

    snprintf(workload, sizeof workload, "%s_f%u", kind->name, fill);
    nkv_load_init(&load, keys, SECTORS);
    load.bench.config.steps_per_write = kind->steps_per_write;
    nkv_load_mount(&load);
    nkv_load_fill(&load);
    watch(&load, kind, puts);
    nkv_flash_sim_reset_counts(&load.bench.sim);
    worst = watch(&load, kind, puts);
    nkv_figures_add(figures, workload, keys, "erases", (double)worst.erases);
    nkv_figures_add(figures, workload, keys, "steps", worst.steps);
    nkv_figures_add(figures, workload, keys, "copies", worst.copies);
    for (enum nkv_part_kind part = 0; part < NKV_PARTS; part++) {
        char name[32];

        snprintf(name, sizeof name, "modelled_ms_%s", nkv_part_name(part));
        nkv_figures_add(figures, workload, keys, name,
                        (double)worst.ns[part] / 1e6);
    }
    nkv_figures_add(figures, workload, keys, "programmed_per_payload",
                    (double)counts->programmed_bytes /
                        ((double)puts * NKV_LOAD_PAYLOAD));
    nkv_load_free(&load);
}

void nkv_measure_worst_put(struct nkv_figures *figures,
                           const struct nkv_effort *effort, uint32_t fill)
{
    static const struct kind kinds[] = {
        {"worst_put_idle", 0, true},
        {"worst_put_steps4", 4, false},
        {"worst_put_busy", 0, false},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        measure(figures, effort, fill, &kinds[i]);
    }
}
