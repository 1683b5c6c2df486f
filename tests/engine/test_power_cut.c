/*
 * Acknowledged values survive every power cut.
 *
 * test_power_cut [--long] [--steady] [--seed SEED] [CASE...]: all cases, or the
 * named ones; a long run tries many more of the ways in which power fails, a
 * steady one none that leave bits that read at random.
 * test_power_cut --replay CASE/SEED/NAME: one image, as a failure prints it.
 * test_power_cut --are-all CASE...: whether these are the cases there are.
 */
#include "cut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAILURES_MAX = 5 };

struct options {
    bool is_long;
    bool is_steady;
    uint64_t seed;
};

/* NORKV_CUT_FAILURES sets another number, 0 for no end, to see them all. */
static uint64_t failures_max(void)
{
    const char *text = getenv("NORKV_CUT_FAILURES");

    return text != NULL ? strtoull(text, NULL, 10) : FAILURES_MAX;
}

static const struct nkv_cut_case *find_case(const char *name, size_t size)
{
    const struct nkv_cut_case *the_case = nkv_cut_find_case(name, size);

    if (the_case == NULL) {
        fprintf(stderr, "no case named %.*s\n", (int)size, name);
        exit(2);
    }
    return the_case;
}

static void print(const char *name, const struct nkv_cut_counts *counts)
{
    printf("%s: %llu of %llu cut points, %llu of %llu ways to cut them, %llu "
           "images (%llu with two cuts, %llu with three; %llu recoveries of "
           "%llu steps cut throughout; %llu taken round the log)",
           name, (unsigned long long)counts->points_cut,
           (unsigned long long)counts->points,
           (unsigned long long)counts->ways_tried,
           (unsigned long long)counts->ways, (unsigned long long)counts->images,
           (unsigned long long)counts->images_of_two_cuts,
           (unsigned long long)counts->images_of_three_cuts,
           (unsigned long long)counts->recoveries,
           (unsigned long long)counts->recovery_steps,
           (unsigned long long)counts->rounds);
    printf(", crc_collisions %llu, failures %llu\n",
           (unsigned long long)counts->crc_collisions,
           (unsigned long long)counts->failures);
    fflush(stdout);
}

static bool run_case(const struct nkv_cut_case *the_case,
                     const struct options *options,
                     const struct nkv_cut_name *only)
{
    static struct nkv_cut_run run;

    memset(&run, 0, sizeof run);
    run.the_case = the_case;
    run.effort = options->is_long ? &the_case->full : &the_case->brief;
    run.seed = options->seed;
    run.only = only;
    run.failures_max = failures_max();
    run.is_steady = options->is_steady;
    nkv_results_begin();
    nkv_cut_run_case(&run);
    print(the_case->name, &run.counts);
    if (only == NULL) {
        nkv_results_cuts(the_case->name, &run.counts);
    }
    return run.counts.failures == 0 && run.counts.images > 0;
}

static int replay(const char *text)
{
    const char *slash = strchr(text, '/');
    struct options options = {.seed = 0};
    struct nkv_cut_name name;
    char *end;

    if (slash != NULL) {
        options.seed = strtoull(slash + 1, &end, 10);
    }
    if (slash == NULL || *end != '/' || !nkv_cut_parse_name(end + 1, &name)) {
        fprintf(stderr, "not CASE/SEED/NAME: %s\n", text);
        return 2;
    }
    return !run_case(find_case(text, (size_t)(slash - text)), &options, &name);
}

/* So that none is left out where they are listed. */
static int are_all(char **names, int count)
{
    int there_are = 0;

    for (int i = 0; i < count; i++) {
        (void)find_case(names[i], strlen(names[i]));
    }
    while (nkv_cut_cases[there_are].name != NULL) {
        there_are++;
    }
    if (count != there_are) {
        fprintf(stderr, "%d cases listed of %d\n", count, there_are);
    }
    return count != there_are;
}

static int read_options(int argc, char **argv, struct options *options)
{
    int i = 1;

    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--long") == 0) {
            options->is_long = true;
        } else if (strcmp(argv[i], "--steady") == 0) {
            options->is_steady = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            options->seed = strtoull(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "no option %s\n", argv[i]);
            exit(2);
        }
    }
    return i;
}

int main(int argc, char **argv)
{
    struct options options = {.seed = 1};
    int failed = 0, first;

    if (argc == 3 && strcmp(argv[1], "--replay") == 0) {
        return replay(argv[2]);
    }
    if (argc > 2 && strcmp(argv[1], "--are-all") == 0) {
        return are_all(argv + 2, argc - 2);
    }
    first = read_options(argc, argv, &options);
    for (int i = first; i < argc; i++) {
        failed +=
            !run_case(find_case(argv[i], strlen(argv[i])), &options, NULL);
    }
    for (size_t i = 0; argc == first && nkv_cut_cases[i].name != NULL; i++) {
        failed += !run_case(&nkv_cut_cases[i], &options, NULL);
    }
    return failed > 0;
}
