/*
 * Measures the engine and prints a line for each figure.
 *
 * bench_engine [WEAR]   WEAR: a file for the erases of each sector
 */
#include "workloads.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
    static const uint32_t keys[] = {64, 256, 1024, 4096, 16384};
    static const uint32_t fills[] = {50, 60, 70, 80};
    static const struct nkv_effort effort = {
        .puts_a_key = 20,
        .puts_min = 40000,
        .hot_static_puts = 800000,
        .restarts_puts = 400000,
        .worst_puts = 30000,
        .is_timed = true,
    };
    static struct nkv_figures figures;
    FILE *wear = NULL;

    if (argc > 2) {
        fprintf(stderr, "usage: bench_engine [WEAR]\n");
        return 2;
    }
    if (argc == 2) {
        wear = fopen(argv[1], "w");
        if (wear == NULL) {
            perror(argv[1]);
            return 1;
        }
    }
    figures.out = stdout;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        nkv_measure_reads(&figures, &effort, keys[i]);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        nkv_measure_overwrites(&figures, &effort, keys[i]);
    }
    nkv_measure_wear(&figures, &effort, wear);
    for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
        nkv_measure_worst_put(&figures, &effort, fills[i]);
    }
    if (wear != NULL && fclose(wear) != 0) {
        perror(argv[1]);
        return 1;
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
