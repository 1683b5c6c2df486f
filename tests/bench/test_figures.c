/*
 * Holds figures to their limits.
 *
 * test_figures               measures the counts itself, in a short run
 * test_figures --size        reads the lines of scripts/engine-size
 * test_figures --all         reads lines of both kinds, and tells all limits
 */
#include "limits.h"
#include "workloads.h"

#include <stdlib.h>
#include <string.h>

static void measure(struct nkv_figures *figures)
{
    static const uint32_t keys[] = {64, 256, 1024, 4096};
    static const uint32_t fills[] = {50, 60, 70, 80};
    static const struct nkv_effort effort = {
        .puts_a_key = 10,
        .puts_min = 40000,
        .hot_static_puts = 400000,
        .worst_puts = 30000,
    };

    /* The last one for the overwrites only. */
    for (size_t i = 0; i < sizeof keys / sizeof *keys - 1; i++) {
        nkv_measure_reads(figures, &effort, keys[i]);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        nkv_measure_overwrites(figures, &effort, keys[i]);
    }
    nkv_measure_wear(figures, &effort, NULL);
    for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
        nkv_measure_worst_put(figures, &effort, fills[i]);
    }
}

int main(int argc, char **argv)
{
    static struct nkv_figures figures;
    const char *mode = argc == 2 ? argv[1] : "";
    bool is_all = strcmp(mode, "--all") == 0;
    bool is_size = strcmp(mode, "--size") == 0;
    size_t failed = 0, held = 0;

    if (argc > 2 || (argc == 2 && !is_all && !is_size)) {
        fprintf(stderr, "usage: test_figures [--size | --all]\n");
        return 2;
    }
    if (argc == 1) {
        measure(&figures);
    } else if (!nkv_figures_read(&figures, stdin)) {
        return 1;
    }
    for (size_t i = 0; i < nkv_limit_count; i++) {
        const struct nkv_limit *limit = &nkv_limits[i];

        if (is_all || limit->holder ==
                          (is_size ? NKV_HELD_BY_SIZE : NKV_HELD_BY_FIGURES)) {
            failed += !nkv_limit_is_met(limit, &figures);
            held++;
        }
    }
    printf("%zu limits, %zu not met\n", held, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
