/*
 * What was measured: names with a number each, in the order in which they were
 * found.
 */
#ifndef NORKV_TESTS_FIGURES_H
#define NORKV_TESTS_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { NKV_FIGURES_MAX = 1024, NKV_FIGURE_NAME_MAX = 80 };

struct nkv_figure {
    char name[NKV_FIGURE_NAME_MAX];
    double value;
    int decimals;
};

/* Start with all zero. */
struct nkv_figures {
    struct nkv_figure all[NKV_FIGURES_MAX];
    size_t count;
    /* When not NULL: each figure is written there once it is known. */
    FILE *out;
};

/* Adds engine.WORKLOAD.nKEYS.FIGURE. Ends the program when there is no room. */
void nkv_figures_add(struct nkv_figures *figures, const char *workload,
                     uint32_t keys, const char *figure, double value);

/* Adds a figure under its whole name. Ends the program when there is no
 * room. */
void nkv_figures_put(struct nkv_figures *figures, const char *name,
                     double value);

/* Adds the lines "NAME VALUE" of a file, and passes over empty ones. False:
 * another line was met, and printed. */
bool nkv_figures_read(struct nkv_figures *figures, FILE *from);

/* NULL: there is none of that name. */
const struct nkv_figure *nkv_figures_find(const struct nkv_figures *figures,
                                          const char *name);

#endif
