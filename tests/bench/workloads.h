/*
 * What is measured, each into figures that start with the name of its workload
 * (docs/performance.md).
 */
#ifndef NORKV_TESTS_WORKLOADS_H
#define NORKV_TESTS_WORKLOADS_H

#include "figures.h"

/* How much is run. Counts from runs of one effort are the same each time. */
struct nkv_effort {
    /* Overwrites before anything is measured and while it is, a key. */
    uint32_t puts_a_key;
    /* The least that are measured. */
    uint32_t puts_min;
    /* Puts of hot10_static90, and of its variant that mounts now and then; 0:
     * it is not run. */
    uint32_t hot_static_puts;
    uint32_t restarts_puts;
    /* Puts of each worst_put, to warm up and again to watch. */
    uint32_t worst_puts;
    /* Times are measured too. */
    bool is_timed;
};

/* get_hit, get_miss, mount_full and mount_fast on one store. */
void nkv_measure_reads(struct nkv_figures *figures,
                       const struct nkv_effort *effort, uint32_t keys);

/* overwrite_uniform and overwrite_hot90. */
void nkv_measure_overwrites(struct nkv_figures *figures,
                            const struct nkv_effort *effort, uint32_t keys);

/* hot10_static90 and hot10_static90_restarts. When wear is not NULL, the first
 * one's erases of each sector are written there, a line "SECTOR ERASES" each.
 */
void nkv_measure_wear(struct nkv_figures *figures,
                      const struct nkv_effort *effort, FILE *wear);

/* worst_put_idle, worst_put_steps4 and worst_put_busy of 40 sectors of which so
 * many percent are live. */
void nkv_measure_worst_put(struct nkv_figures *figures,
                           const struct nkv_effort *effort, uint32_t fill);

#endif
