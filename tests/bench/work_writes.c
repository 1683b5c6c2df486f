/* Overwrites, and how they wear the sectors. */
#include "load.h"
#include "workloads.h"

#include <stdio.h>

enum { BATCHES = 20, RESTART_EVERY = 50, WEAR_KEYS = 1024 };

struct overwrite {
    const char *workload;
    struct nkv_pattern pattern;
};

static void add_programmed(struct nkv_figures *figures, const char *workload,
                           const struct nkv_load *load, uint64_t puts)
{
    const struct nkv_sim_counts *counts = &load->bench.sim.counts;
    double payload = (double)puts * NKV_LOAD_PAYLOAD;

    nkv_figures_add(figures, workload, load->keys, "programmed_per_payload",
                    (double)counts->programmed_bytes / payload);
}

static void measure_overwrite(struct nkv_figures *figures,
                              const struct nkv_effort *effort, uint32_t keys,
                              const struct overwrite *kind)
{
    static struct nkv_load load;
    const struct nkv_sim_counts *counts = &load.bench.sim.counts;
    uint32_t puts = effort->puts_a_key * keys;
    double ns[BATCHES];

    nkv_load_init(&load, keys, nkv_load_sectors(keys));
    nkv_load_fill(&load);
    puts = puts < effort->puts_min ? effort->puts_min : puts;
    nkv_load_overwrite(&load, kind->pattern, puts);
    nkv_flash_sim_reset_counts(&load.bench.sim);
    puts = puts / BATCHES * BATCHES;
    for (size_t i = 0; i < BATCHES; i++) {
        uint64_t start = nkv_now_ns();

        nkv_load_overwrite(&load, kind->pattern, puts / BATCHES);
        ns[i] = (double)(nkv_now_ns() - start) / (puts / BATCHES);
    }
    add_programmed(figures, kind->workload, &load, puts);
    nkv_figures_add(figures, kind->workload, keys, "read_bytes_per_put",
                    (double)counts->read_bytes / puts);
    nkv_figures_add(figures, kind->workload, keys, "erases_per_put",
                    (double)counts->erases / puts);
    if (effort->is_timed) {
        nkv_figures_add(figures, kind->workload, keys, "ns",
                        nkv_median(ns, BATCHES));
    }
    nkv_load_free(&load);
}

void nkv_measure_overwrites(struct nkv_figures *figures,
                            const struct nkv_effort *effort, uint32_t keys)
{
    static const struct overwrite kinds[] = {
        {"overwrite_uniform", {.hot_keys = 100, .hot_writes = 100}},
        {"overwrite_hot90", {.hot_keys = 10, .hot_writes = 90}},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        measure_overwrite(figures, effort, keys, &kinds[i]);
    }
}

static void add_wear(struct nkv_figures *figures, const char *workload,
                     const struct nkv_load *load)
{
    const struct nkv_flash_sim *sim = &load->bench.sim;
    uint32_t sectors = sim->flash.sector_count;
    uint32_t least = UINT32_MAX, most = 0;
    double mean = (double)sim->counts.erases / sectors;

    for (uint32_t i = 0; i < sectors; i++) {
        least = sim->erases[i] < least ? sim->erases[i] : least;
        most = sim->erases[i] > most ? sim->erases[i] : most;
    }
    nkv_figures_add(figures, workload, load->keys, "erases_min", least);
    nkv_figures_add(figures, workload, load->keys, "erases_max", most);
    nkv_figures_add(figures, workload, load->keys, "erases_mean", mean);
    nkv_figures_add(figures, workload, load->keys, "max_per_mean", most / mean);
    nkv_figures_add(figures, workload, load->keys, "min_per_mean",
                    least / mean);
}

/* Overwrites the hot tenth; 0: never mounts in between. */
static void wear_out(struct nkv_load *load, uint32_t puts,
                     uint32_t restart_every)
{
    const struct nkv_pattern hot = {.hot_keys = 10, .hot_writes = 100};

    if (restart_every == 0) {
        nkv_load_overwrite(load, hot, puts);
        return;
    }
    for (uint32_t done = 0; done < puts; done += restart_every) {
        nkv_load_overwrite(load, hot, restart_every);
        nkv_load_mount(load);
    }
}

static void measure_wear(struct nkv_figures *figures, const char *workload,
                         uint32_t puts, uint32_t restart_every, FILE *wear)
{
    static struct nkv_load load;

    nkv_load_init(&load, WEAR_KEYS, nkv_load_sectors(WEAR_KEYS));
    nkv_load_fill(&load);
    /* Until the static sectors have gone round. */
    wear_out(&load, puts / 4, restart_every);
    nkv_flash_sim_reset_counts(&load.bench.sim);
    wear_out(&load, puts, restart_every);
    add_wear(figures, workload, &load);
    add_programmed(figures, workload, &load, puts);
    for (uint32_t i = 0; wear != NULL && i < load.bench.setup.sector_count;
         i++) {
        fprintf(wear, "%u %u\n", i, load.bench.sim.erases[i]);
    }
    nkv_load_free(&load);
}

void nkv_measure_wear(struct nkv_figures *figures,
                      const struct nkv_effort *effort, FILE *wear)
{
    measure_wear(figures, "hot10_static90", effort->hot_static_puts, 0, wear);
    if (effort->restarts_puts > 0) {
        measure_wear(figures, "hot10_static90_restarts", effort->restarts_puts,
                     RESTART_EVERY, NULL);
    }
}
