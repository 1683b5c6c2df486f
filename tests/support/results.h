/*
 * What the tests did, for the summary that scripts/test prints in the end: a
 * program adds lines to the file that the environment's NORKV_RESULTS names,
 * and tests/summary adds them up. Without NORKV_RESULTS nothing is written.
 */
#ifndef NORKV_TESTS_RESULTS_H
#define NORKV_TESTS_RESULTS_H

#include <stdint.h>

/* What the cutting of one workload came to. */
struct nkv_cut_counts {
    /* Program units and erases of the workload, and those that were cut. */
    uint64_t points;
    uint64_t points_cut;
    /* The ways to cut them, and those that were tried. */
    uint64_t ways;
    uint64_t ways_tried;
    /* Images checked: all, and those of two and of three cuts. */
    uint64_t images;
    uint64_t images_of_two_cuts;
    uint64_t images_of_three_cuts;
    /* Images of one cut whose recovery was cut at each of its steps; the steps
     * that these had. */
    uint64_t recoveries;
    uint64_t recovery_steps;
    /* Images whose log was taken round twice more. */
    uint64_t rounds;
    uint64_t crc_collisions;
    uint64_t failures;
    /* 1: after so many failures that the rest was not tried. */
    uint64_t gave_up;
};

/* Says that this program has begun, and when it exits that it has ended: one
 * that dies is seen to. The calls below do so themselves. */
void nkv_results_begin(void);

/* Adds a line for a case of the power-cut test. */
void nkv_results_cuts(const char *name, const struct nkv_cut_counts *counts);

/*
 * Counts a fault of a class that is about to be tried, and that it did no harm:
 * those that are tried and not survived are failures. The class is a text that
 * lives on. Written when the program exits.
 */
void nkv_fault_tried(const char *fault_class);
void nkv_fault_survived(void);

#endif
