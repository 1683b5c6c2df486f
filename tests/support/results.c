#include "results.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES_MAX = 32, LINE_MAX_SIZE = 512 };

struct fault_class {
    const char *name;
    uint64_t tried;
    uint64_t survived;
};

static struct fault_class classes[CLASSES_MAX];
static struct fault_class *current;
static bool has_begun;

/* In one write, so that programs that run side by side do not mix lines. */
static void add_line(const char *line)
{
    const char *path = getenv("NORKV_RESULTS");
    FILE *file = path != NULL ? fopen(path, "a") : NULL;

    if (file == NULL) {
        return;
    }
    (void)setvbuf(file, NULL, _IOFBF, LINE_MAX_SIZE);
    (void)fputs(line, file);
    (void)fclose(file);
}

static void write_faults(void)
{
    char line[LINE_MAX_SIZE];

    for (size_t i = 0; i < CLASSES_MAX && classes[i].name != NULL; i++) {
        snprintf(line, sizeof line, "fault\t%s\t%" PRIu64 "\t%" PRIu64 "\n",
                 classes[i].name, classes[i].tried,
                 classes[i].tried - classes[i].survived);
        add_line(line);
    }
    add_line("end\n");
}

void nkv_results_begin(void)
{
    if (has_begun) {
        return;
    }
    has_begun = true;
    add_line("begin\n");
    if (atexit(write_faults) != 0) {
        fprintf(stderr, "results: no room to write them at exit\n");
        exit(1);
    }
}

void nkv_results_cuts(const char *name, const struct nkv_cut_counts *counts)
{
    char line[LINE_MAX_SIZE];

    nkv_results_begin();
    snprintf(line, sizeof line,
             "cuts\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
             "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
             "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n",
             name, counts->points, counts->points_cut, counts->ways,
             counts->ways_tried, counts->images, counts->images_of_two_cuts,
             counts->images_of_three_cuts, counts->recoveries,
             counts->recovery_steps, counts->rounds, counts->crc_collisions,
             counts->failures, counts->gave_up);
    add_line(line);
}

void nkv_fault_tried(const char *fault_class)
{
    nkv_results_begin();
    for (size_t i = 0; i < CLASSES_MAX; i++) {
        if (classes[i].name == NULL) {
            classes[i].name = fault_class;
        }
        if (strcmp(classes[i].name, fault_class) == 0) {
            current = &classes[i];
            current->tried++;
            return;
        }
    }
    fprintf(stderr, "results: too many classes of faults\n");
    exit(1);
}

void nkv_fault_survived(void)
{
    current->survived++;
}
