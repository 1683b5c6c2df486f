#include "limits.h"

#define MOST NKV_AT_MOST
#define LEAST NKV_AT_LEAST
#define COUNTS NKV_HELD_BY_FIGURES
#define SIZE NKV_HELD_BY_SIZE
#define SHOWN NKV_HELD_BY_NONE

/*
 * Counts and sizes only: a time is never right or wrong. Where the reference's
 * own figure is known it is the limit, or what it takes to be better.
 */
const struct nkv_limit nkv_limits[] = {
    /* The reference reads 60 bytes in 3 calls. */
    {"engine.get_hit.n64.read_bytes", MOST, 64, COUNTS},
    {"engine.get_hit.n256.read_bytes", MOST, 64, COUNTS},
    {"engine.get_hit.n1024.read_bytes", MOST, 64, COUNTS},
    {"engine.get_hit.n4096.read_bytes", MOST, 64, SHOWN},
    {"engine.get_hit.n16384.read_bytes", MOST, 64, SHOWN},
    {"engine.get_hit.n64.read_calls", MOST, 2, COUNTS},
    {"engine.get_hit.n256.read_calls", MOST, 2, COUNTS},
    {"engine.get_hit.n1024.read_calls", MOST, 2, COUNTS},
    {"engine.get_hit.n4096.read_calls", MOST, 2, SHOWN},
    {"engine.get_hit.n16384.read_calls", MOST, 2, SHOWN},
    {"engine.get_miss.n64.read_bytes", MOST, 0, COUNTS},
    {"engine.get_miss.n256.read_bytes", MOST, 0, COUNTS},
    {"engine.get_miss.n1024.read_bytes", MOST, 0, COUNTS},
    {"engine.get_miss.n4096.read_bytes", MOST, 0, SHOWN},
    {"engine.get_miss.n16384.read_bytes", MOST, 0, SHOWN},

    {"engine.mount_full.n1024.read_share", MOST, 1.35, COUNTS},
    {"engine.mount_full.n4096.read_share", MOST, 1.35, SHOWN},
    {"engine.mount_full.n16384.read_share", MOST, 1.35, SHOWN},
    {"engine.mount_fast.n1024.read_share", MOST, 0.8, COUNTS},
    {"engine.mount_fast.n4096.read_share", MOST, 0.8, SHOWN},
    {"engine.mount_fast.n16384.read_share", MOST, 0.8, SHOWN},

    /* No entry of this load costs less than 64 / 44 = 1.455. */
    {"engine.overwrite_uniform.n64.programmed_per_payload", MOST, 2.30, COUNTS},
    {"engine.overwrite_uniform.n256.programmed_per_payload", MOST, 2.05,
     COUNTS},
    {"engine.overwrite_uniform.n1024.programmed_per_payload", MOST, 1.75,
     COUNTS},
    {"engine.overwrite_uniform.n4096.programmed_per_payload", MOST, 1.70,
     COUNTS},
    {"engine.overwrite_hot90.n64.programmed_per_payload", MOST, 2.65, COUNTS},
    {"engine.overwrite_hot90.n256.programmed_per_payload", MOST, 1.85, COUNTS},
    {"engine.overwrite_hot90.n1024.programmed_per_payload", MOST, 1.60, COUNTS},
    {"engine.overwrite_hot90.n4096.programmed_per_payload", MOST, 1.58, COUNTS},

    {"engine.hot10_static90.n1024.max_per_mean", MOST, 1.4, COUNTS},
    {"engine.hot10_static90.n1024.min_per_mean", LEAST, 0.6, COUNTS},
    {"engine.hot10_static90.n1024.programmed_per_payload", MOST, 1.60, COUNTS},
    {"engine.hot10_static90_restarts.n1024.max_per_mean", MOST, 1.4, SHOWN},
    {"engine.hot10_static90_restarts.n1024.min_per_mean", LEAST, 0.6, SHOWN},
    {"engine.hot10_static90_restarts.n1024.programmed_per_payload", MOST, 1.60,
     SHOWN},

    /* A sector has 64 entries, and one that is collected has a stale one. */
    {"engine.worst_put_idle_f50.n1280.erases", MOST, 0, COUNTS},
    {"engine.worst_put_idle_f60.n1536.erases", MOST, 0, COUNTS},
    {"engine.worst_put_idle_f70.n1792.erases", MOST, 0, COUNTS},
    {"engine.worst_put_idle_f80.n2048.erases", MOST, 0, COUNTS},
    {"engine.worst_put_busy_f50.n1280.erases", MOST, 1, COUNTS},
    {"engine.worst_put_busy_f60.n1536.erases", MOST, 1, COUNTS},
    {"engine.worst_put_busy_f70.n1792.erases", MOST, 1, COUNTS},
    {"engine.worst_put_busy_f80.n2048.erases", MOST, 1, COUNTS},
    {"engine.worst_put_busy_f50.n1280.copies", MOST, 64, COUNTS},
    {"engine.worst_put_busy_f60.n1536.copies", MOST, 64, COUNTS},
    {"engine.worst_put_busy_f70.n1792.copies", MOST, 64, COUNTS},
    {"engine.worst_put_busy_f80.n2048.copies", MOST, 64, COUNTS},

    {"engine.size.ram.per_key_bytes", MOST, 10, SIZE},

    /* What must not grow further, and below what is aimed at. */
    {"engine.size.text.all", MOST, 18592, SIZE},
    {"engine.size.text.one_copy", MOST, 18064, SIZE},
    {"engine.size.text.minimal", MOST, 12928, SIZE},
    {"engine.size.stack.put", MOST, 712, SIZE},
    {"engine.size.text.all", MOST, 10240, SHOWN},
    {"engine.size.text.one_copy", MOST, 8192, SHOWN},
    {"engine.size.text.minimal", MOST, 5120, SHOWN},
    {"engine.size.stack.put", MOST, 400, SHOWN},
};

const size_t nkv_limit_count = sizeof nkv_limits / sizeof *nkv_limits;

bool nkv_limit_is_met(const struct nkv_limit *limit,
                      const struct nkv_figures *figures)
{
    const struct nkv_figure *figure = nkv_figures_find(figures, limit->figure);
    bool is_most = limit->kind == NKV_AT_MOST;
    const char *sense = is_most ? "at most" : "at least";
    bool is_met;

    if (figure == NULL) {
        printf("FAILED  %s is not there\n", limit->figure);
        return false;
    }
    is_met =
        is_most ? figure->value <= limit->value : figure->value >= limit->value;
    printf("%s  %s %.*f, %s %g\n", is_met ? "ok    " : "FAILED", figure->name,
           figure->decimals, figure->value, sense, limit->value);
    return is_met;
}
