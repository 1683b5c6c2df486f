/* Gets and mounts. */
#include "load.h"
#include "random.h"
#include "workloads.h"

#include <stdio.h>
#include <string.h>

enum { BATCHES = 9, GETS_A_BATCH = 8192, MOUNTS = 9 };

static const struct nkv_pattern uniform = {.hot_keys = 100, .hot_writes = 100};

static void get(struct nkv_load *load, struct nkv_span key,
                enum nkv_status expected)
{
    uint8_t bytes[NKV_LOAD_VALUE_SIZE];
    struct nkv_buffer to = {bytes, sizeof bytes};
    enum nkv_status status = nkv_get(&load->bench.store, key, 0, to, NULL);

    nkv_expect_ok(status == expected ? NKV_OK : NKV_INTERNAL, "get");
}

/* A key like the others that was never put. */
static struct nkv_span missing_key(const struct nkv_load *load, uint32_t number,
                                   uint8_t bytes[NKV_LOAD_KEY_SIZE])
{
    memcpy(bytes, load->names[number], NKV_LOAD_KEY_SIZE);
    bytes[0] = 'm';
    return (struct nkv_span){bytes, NKV_LOAD_KEY_SIZE};
}

static void get_one(struct nkv_load *load, uint32_t number, bool is_hit)
{
    uint8_t bytes[NKV_LOAD_KEY_SIZE];

    if (is_hit) {
        get(load, nkv_load_key(load, number), NKV_OK);
    } else {
        get(load, missing_key(load, number, bytes), NKV_NOT_FOUND);
    }
}

static double time_gets(struct nkv_load *load, bool is_hit)
{
    double ns[BATCHES];

    for (size_t i = 0; i < BATCHES; i++) {
        uint64_t start = nkv_now_ns();

        for (uint32_t j = 0; j < GETS_A_BATCH; j++) {
            get_one(load, nkv_random_below(&load->random, load->keys), is_hit);
        }
        ns[i] = (double)(nkv_now_ns() - start) / GETS_A_BATCH;
    }
    return nkv_median(ns, BATCHES);
}

static void measure_gets(struct nkv_figures *figures,
                         const struct nkv_effort *effort, struct nkv_load *load,
                         bool is_hit)
{
    const char *workload = is_hit ? "get_hit" : "get_miss";
    const struct nkv_sim_counts *counts = &load->bench.sim.counts;

    nkv_flash_sim_reset_counts(&load->bench.sim);
    for (uint32_t i = 0; i < load->keys; i++) {
        get_one(load, i, is_hit);
    }
    nkv_figures_add(figures, workload, load->keys, "read_bytes",
                    (double)counts->read_bytes / load->keys);
    nkv_figures_add(figures, workload, load->keys, "read_calls",
                    (double)counts->reads / load->keys);
    if (effort->is_timed) {
        nkv_figures_add(figures, workload, load->keys, "ns",
                        time_gets(load, is_hit));
    }
}

static double time_mount(struct nkv_load *load)
{
    double ns[MOUNTS];

    for (size_t i = 0; i < MOUNTS; i++) {
        uint64_t start = nkv_now_ns();

        nkv_expect_ok(nkv_mount(&load->bench.store, &load->bench.config),
                      "mount");
        ns[i] = (double)(nkv_now_ns() - start);
    }
    return nkv_median(ns, MOUNTS);
}

static void measure_mount(struct nkv_figures *figures,
                          const struct nkv_effort *effort,
                          struct nkv_load *load, bool is_fast)
{
    const char *workload = is_fast ? "mount_fast" : "mount_full";
    const struct nkv_flash_sim *sim = &load->bench.sim;
    struct nkv_meter *meter = &load->meter;

    load->bench.config.fast_mount = is_fast;
    nkv_flash_sim_reset_counts(&load->bench.sim);
    memset(meter->ns, 0, sizeof meter->ns);
    nkv_load_mount(load);
    nkv_figures_add(figures, workload, load->keys, "read_bytes",
                    (double)sim->counts.read_bytes);
    nkv_figures_add(figures, workload, load->keys, "read_share",
                    (double)sim->counts.read_bytes / sim->size);
    for (enum nkv_part_kind part = 0; part < NKV_PARTS; part++) {
        char name[32];

        snprintf(name, sizeof name, "modelled_ms_%s", nkv_part_name(part));
        nkv_figures_add(figures, workload, load->keys, name,
                        (double)meter->ns[part] / 1e6);
    }
    if (effort->is_timed) {
        double ns = time_mount(load);

        nkv_figures_add(figures, workload, load->keys, "ns", ns);
        nkv_figures_add(figures, workload, load->keys, "ns_per_key",
                        ns / load->keys);
    }
}

void nkv_measure_reads(struct nkv_figures *figures,
                       const struct nkv_effort *effort, uint32_t keys)
{
    static struct nkv_load load;

    nkv_load_init(&load, keys, nkv_load_sectors(keys));
    nkv_load_fill(&load);
    nkv_load_overwrite(&load, uniform, effort->puts_a_key * keys);
    measure_gets(figures, effort, &load, true);
    measure_gets(figures, effort, &load, false);
    measure_mount(figures, effort, &load, false);
    measure_mount(figures, effort, &load, true);
    nkv_load_free(&load);
}
