/*
 * Holds the figures of the line to their limits; reads their lines.
 *
 * test_line --figures     those of bench_line
 * test_line --size        those of scripts/server-size
 * test_line --all         both, and tells all limits
 */
#include "limits.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    static struct nkv_figures figures;
    const char *mode = argc == 2 ? argv[1] : "";
    bool is_all = strcmp(mode, "--all") == 0;
    bool is_size = strcmp(mode, "--size") == 0;
    size_t failed = 0, held = 0;

    if (!is_all && !is_size && strcmp(mode, "--figures") != 0) {
        fprintf(stderr, "usage: test_line --figures | --size | --all\n");
        return 2;
    }
    if (!nkv_figures_read(&figures, stdin)) {
        return 1;
    }
    for (size_t i = 0; i < nkv_line_limit_count; i++) {
        const struct nkv_limit *limit = &nkv_line_limits[i];

        if (is_all || limit->holder ==
                          (is_size ? NKV_HELD_BY_SIZE : NKV_HELD_BY_FIGURES)) {
            failed += !nkv_limit_is_met(limit, &figures);
            held++;
        }
    }
    printf("%zu limits, %zu not met\n", held, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
