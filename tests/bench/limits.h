/* What the figures must not exceed, and which test holds them to it. */
#ifndef NORKV_TESTS_LIMITS_H
#define NORKV_TESTS_LIMITS_H

#include "figures.h"

enum nkv_limit_kind { NKV_AT_MOST, NKV_AT_LEAST };

enum nkv_limit_holder {
    /* The tests bench_figures and bench_line_figures, from a short run. */
    NKV_HELD_BY_FIGURES,
    /* The tests bench_engine_size and bench_server_size. */
    NKV_HELD_BY_SIZE,
    /* None: it takes a long run, and scripts/bench tells. */
    NKV_HELD_BY_NONE
};

struct nkv_limit {
    const char *figure;
    enum nkv_limit_kind kind;
    double value;
    enum nkv_limit_holder holder;
};

extern const struct nkv_limit nkv_limits[];
extern const size_t nkv_limit_count;

/* Those of the line. */
extern const struct nkv_limit nkv_line_limits[];
extern const size_t nkv_line_limit_count;

/* Whether the figures meet a limit; prints a line on it. A figure that is not
 * there does not. */
bool nkv_limit_is_met(const struct nkv_limit *limit,
                      const struct nkv_figures *figures);

#endif
