/*
 * Power cuts: a workload runs on a store, and each of its operations is run
 * again from a snapshot with the power cut at each of its steps, in each way.
 */
#ifndef NORKV_TESTS_CUT_H
#define NORKV_TESTS_CUT_H

#include "bench.h"
#include "model.h"
#include "workload.h"

enum { NKV_CUT_VALUE_MAX = 1024, NKV_CUT_LOG_MAX = 1 << 16 };

struct nkv_cut_case {
    const char *name;
    struct nkv_bench_setup setup;
    uint32_t key_count;
    uint32_t key_size_max;
    uint32_t value_size_max;
    uint32_t operations;
    /* Of the cut points, one in so many is tried in a short run. */
    uint32_t short_stride;
};

enum nkv_cut_action_kind {
    NKV_CUT_PUT,
    NKV_CUT_DELETE,
    NKV_CUT_STEP,
    NKV_CUT_MAINTAIN,
    NKV_CUT_ERASE_ALL,
    /* Mounting: for cuts in the recovery from a cut. */
    NKV_CUT_MOUNT
};

struct nkv_cut_action {
    enum nkv_cut_action_kind kind;
    enum nkv_maintenance_kind maintenance;
    uint8_t key_bytes[NKV_KEY_SIZE_MAX];
    uint8_t value_bytes[NKV_CUT_VALUE_MAX];
    struct nkv_span key;
    struct nkv_span value;
};

/* What identifies one image: enough to make it again. */
struct nkv_cut_name {
    uint32_t operation;
    struct nkv_sim_cut first;
    /* In the mount after the first; kind NKV_SIM_CUT_NONE: only one cut. */
    struct nkv_sim_cut second;
};

struct nkv_cut_counts {
    /* Program units and erases met, and those that were cut. */
    uint64_t points;
    uint64_t points_cut;
    uint64_t images;
    uint64_t images_of_two_cuts;
    uint64_t rounds;
    uint64_t crc_collisions;
    /* Images with bits that read at random; second mounts that wrote, because
     * such a bit read differently; and those that went wrong, but only with
     * few of the ways in which the bits may read. */
    uint64_t weak_images;
    uint64_t weak_again;
    uint64_t weak_luck;
    uint64_t failures;
};

struct nkv_cut_run {
    const struct nkv_cut_case *the_case;
    uint64_t seed;
    bool is_long;
    /* Only this image, when not NULL. */
    const struct nkv_cut_name *only;
    uint32_t operation;
    struct nkv_workload workload;
    struct nkv_model model;
    struct nkv_bench live;
    struct nkv_bench before;
    struct nkv_bench trial;
    struct nkv_bench wounded;
    char *log;
    /* The image at hand has bits that read at random, in this way of many. */
    bool is_weak;
    uint32_t stream;
    struct nkv_cut_counts counts;
};

/* Runs a case; prints failures with the names to replay them. */
void nkv_cut_run_case(struct nkv_cut_run *run);

/* The next action of the workload. */
void nkv_cut_choose(struct nkv_cut_run *run, struct nkv_cut_action *action);

enum nkv_status nkv_cut_perform(struct nkv_bench *bench,
                                const struct nkv_cut_action *action);

/* Changes the model as a successful action changes the store. */
void nkv_cut_apply(struct nkv_model *model,
                   const struct nkv_cut_action *action);

/* The ways to cut an operation of a kind, 'P' or 'E': fills in number i of
 * them, but for the place. Whether there is one. */
bool nkv_cut_variant(const struct nkv_cut_run *run, char kind, uint32_t i,
                     struct nkv_sim_cut *cut);

/*
 * Whether run->trial, whose power was cut in action and is back, is as it must
 * be. acknowledged: the action had returned NKV_OK. Prints what is wrong.
 */
bool nkv_cut_check(struct nkv_cut_run *run, const struct nkv_cut_action *action,
                   bool acknowledged);

/* Whether the wound of the last cut left an entry that is not what was written
 * but whose CRC-16 is right by chance. */
bool nkv_cut_is_crc_collision(const struct nkv_flash_sim *sim);

/* A name as text, and back; parse tells whether it is one. */
void nkv_cut_format_name(const struct nkv_cut_name *name, char *to,
                         size_t capacity);
bool nkv_cut_parse_name(const char *text, struct nkv_cut_name *name);

#endif
