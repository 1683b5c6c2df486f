/*
 * Holds the figures of the line to their limits.
 *
 * test_line               measures them itself
 * test_line --size        reads the lines of scripts/server-size
 * test_line --all         reads lines of both kinds, and tells all limits
 */
#include "limits.h"
#include "work_line.h"

#include <stdlib.h>
#include <string.h>

static void measure(struct nkv_figures *figures)
{
    nkv_measure_puts(figures);
    nkv_measure_uploads(figures);
    nkv_measure_downloads(figures);
    nkv_measure_wire_bytes(figures);
}

int main(int argc, char **argv)
{
    static struct nkv_figures figures;
    const char *mode = argc == 2 ? argv[1] : "";
    bool is_all = strcmp(mode, "--all") == 0;
    bool is_size = strcmp(mode, "--size") == 0;
    size_t failed = 0, held = 0;

    if (argc > 2 || (argc == 2 && !is_all && !is_size)) {
        fprintf(stderr, "usage: test_line [--size | --all]\n");
        return 2;
    }
    if (argc == 1) {
        measure(&figures);
    } else if (!nkv_figures_read(&figures, stdin)) {
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
