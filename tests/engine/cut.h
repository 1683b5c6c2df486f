/*
 * Power cuts: a workload runs on a store, and each of its operations is run
 * again from what was before it with the power cut at each of its steps, in
 * each way; and again in the recovery, and in the write that follows it.
 */
#ifndef NORKV_TESTS_CUT_H
#define NORKV_TESTS_CUT_H

#include "bench.h"
#include "model.h"
#include "results.h"
#include "workload.h"

enum {
    NKV_CUT_VALUE_MAX = 1024,
    NKV_CUT_LOG_MAX = 1 << 16,
    NKV_CUT_DEPTH_MAX = 3,
    /* The magic of the format that cases upgrade to. */
    NKV_CUT_NEW_MAGIC = 0x41a2db83
};

/* How often, of 1000 operations, each kind comes; the rest are puts. */
struct nkv_cut_mix {
    uint16_t steps;
    uint16_t maintenances;
    uint16_t erases;
    uint16_t deletes;
};

/* How much is tried of all there is: one in so many. 0: none, but where said
 * otherwise. */
struct nkv_cut_effort {
    /* Program units to cut; erases all are. 0: all. */
    uint32_t points;
    /* Of the ways to cut one, but at least one of them. 0: all. */
    uint32_t ways;
    /* Random ones of each way that has a random part. 0: 1. */
    uint32_t seeds;
    /* Images of one cut whose recovery is cut too, at each of its steps, and of
     * the ways to do that, as above. */
    uint32_t twice;
    uint32_t twice_ways;
    /* And of each cut point the recovery of at least one image. */
    bool twice_everywhere;
    /* Images of one cut that are recovered, and then the next write is cut at
     * a random place. */
    uint32_t writes;
    /* Images of two cuts that are cut again, at a random place. */
    uint32_t thrice;
    /* Images whose log is taken round twice more. */
    uint32_t rounds;
};

struct nkv_cut_case {
    const char *name;
    struct nkv_bench_setup setup;
    /* What the store is mounted with from half of the operations on: that mount
     * and a full maintenance behind it are cut as well. No sectors: it does not
     * change. */
    struct nkv_bench_setup changed;
    /* NULL: a bit of everything. */
    const struct nkv_cut_mix *mix;
    uint32_t key_count;
    uint32_t key_size_max;
    uint32_t value_size_max;
    uint32_t operations;
    /* The flash holds something else, and is erased first of all. */
    bool is_foreign;
    /* The format has no checksum: no more is asked than that other keys than
     * the one being written come to no harm. */
    bool is_unchecked;
    /* Copies are raised with too little room for all: those that mount adds may
     * take what a put had found. */
    bool is_short_of_room;
    struct nkv_cut_effort brief;
    struct nkv_cut_effort full;
};

/* All cases; a name of NULL ends them. */
extern const struct nkv_cut_case nkv_cut_cases[];

enum nkv_cut_action_kind {
    NKV_CUT_PUT,
    NKV_CUT_DELETE,
    NKV_CUT_STEP,
    NKV_CUT_MAINTAIN,
    NKV_CUT_ERASE_ALL,
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

/* What the power is cut in. */
enum nkv_cut_place {
    /* Only the first cut is. */
    NKV_CUT_IN_OPERATION,
    /* The mount after the cut before. */
    NKV_CUT_IN_RECOVERY,
    /* The first write after that mount. */
    NKV_CUT_IN_WRITE
};

/* What identifies one image: enough to make it again. */
struct nkv_cut_name {
    uint32_t operation;
    uint32_t depth;
    struct {
        enum nkv_cut_place place;
        struct nkv_sim_cut cut;
    } cuts[NKV_CUT_DEPTH_MAX];
};

struct nkv_cut_run {
    const struct nkv_cut_case *the_case;
    const struct nkv_cut_effort *effort;
    uint64_t seed;
    /* Only this image, when not NULL. */
    const struct nkv_cut_name *only;
    /* Operations to run; 0: all of the case. */
    uint32_t operations;
    /* Failures after which the run gives up; 0: never. */
    uint64_t failures_max;
    /* Only ways after which each bit reads the same time after time. */
    bool is_steady;

    /* Private from here on, but for the results at the end. */
    uint32_t operation;
    struct nkv_workload workload;
    struct nkv_model model;
    uint64_t programmed;
    char *log;
    /* The one store. The others are what is kept of it. */
    struct nkv_bench bench;
    struct nkv_bench before;
    struct nkv_bench after;
    /* Of the image at hand: what it must hold, the write that may or may not be
     * there, and what is known of that. */
    struct nkv_model expected;
    struct nkv_cut_action flight;
    bool is_acknowledged;
    bool is_write_known_to_fit;
    /* The operation at hand, run without a cut, was good, and collected. */
    bool was_good;
    bool has_erased;
    /* Set to look for a torn entry whose CRC-16 is right by chance. */
    bool seeks_collision;
    bool has_collision;
    bool gave_up;

    struct nkv_cut_counts counts;
    /* The last image of each depth, by name and by a sum of its bytes. */
    struct nkv_cut_name last[NKV_CUT_DEPTH_MAX];
    uint32_t last_sum[NKV_CUT_DEPTH_MAX];
};

/* The case with this name, or NULL. */
const struct nkv_cut_case *nkv_cut_find_case(const char *name, size_t size);

/* Runs a case; prints failures with the names to replay them. */
void nkv_cut_run_case(struct nkv_cut_run *run);

/* What is drawn for an image; the ways to cut follow. */
enum nkv_cut_lot {
    NKV_CUT_LOT_POINT,
    NKV_CUT_LOT_TWICE,
    NKV_CUT_LOT_WRITE,
    NKV_CUT_LOT_THRICE,
    NKV_CUT_LOT_PLACE,
    NKV_CUT_LOT_ROUND,
    NKV_CUT_LOT_SURVEY,
    NKV_CUT_LOT_LARGEST,
    NKV_CUT_LOT_ONE_WAY,
    NKV_CUT_LOT_WAYS
};

/* Whether the image with this name is in a random share of one in so many;
 * each lot draws anew. One in 0: none is. */
bool nkv_cut_draws(const struct nkv_cut_run *run,
                   const struct nkv_cut_name *name, uint32_t lot,
                   uint32_t one_in);

/* cut_action.c */

/* The next action of the workload. */
void nkv_cut_choose(struct nkv_cut_run *run, struct nkv_cut_action *action);

/* A put or delete, on what run->expected holds. */
void nkv_cut_choose_write(const struct nkv_cut_run *run, uint64_t random,
                          struct nkv_cut_action *action);

enum nkv_status nkv_cut_perform(struct nkv_bench *bench,
                                const struct nkv_cut_action *action);

/* Changes the model as a successful action changes the store. */
void nkv_cut_apply(struct nkv_model *model,
                   const struct nkv_cut_action *action);

/* cut_variant.c */

/* The number of ways to cut an operation of a kind, 'P' or 'E'. */
uint32_t nkv_cut_ways(const struct nkv_cut_run *run, char kind);

/* One of them, but for the place. */
struct nkv_sim_cut nkv_cut_way(const struct nkv_cut_run *run, char kind,
                               uint32_t number);

/* A name as text, and back; parse tells whether it is one. */
void nkv_cut_format_name(const struct nkv_cut_name *name, char *to,
                         size_t capacity);
bool nkv_cut_parse_name(const char *text, struct nkv_cut_name *name);

/* cut_image.c */

/* Makes the image with this name in run->bench, from what was before action.
 * Whether the store was right up to the last cut; prints what is wrong. */
bool nkv_cut_make(struct nkv_cut_run *run, const struct nkv_cut_action *action,
                  const struct nkv_cut_name *name);

/* Makes it and lets what comes next in a place run without a cut. The number of
 * its operations, whose kinds are in run->log. */
size_t nkv_cut_look_ahead(struct nkv_cut_run *run,
                          const struct nkv_cut_action *action,
                          const struct nkv_cut_name *name,
                          enum nkv_cut_place place);

/* cut_check.c */

/* Mounts, and finds out what became of the write in flight: run->expected is
 * then what the store must hold. Prints what is wrong. */
bool nkv_cut_settle(struct nkv_cut_run *run);

/* Whether run->bench, whose power is back, is as it must be. Prints what is
 * wrong. */
bool nkv_cut_check(struct nkv_cut_run *run, const struct nkv_cut_name *name);

/* cut_after.c */

/* Whether the store, which holds run->expected, takes writes. */
bool nkv_cut_takes_writes(struct nkv_cut_run *run,
                          const struct nkv_cut_name *name);

/* Whether what was deleted stays so while the log goes round twice. */
bool nkv_cut_goes_round(struct nkv_cut_run *run);

/* cut_survey.c: by calculations of the test's own. */

/* Whether the statistics are what the bytes on the flash say. */
bool nkv_cut_statistics_are_right(const struct nkv_bench *bench);

/* Whether the wound of the last cut left an entry that is not what was written
 * but whose CRC-16 is right by chance. */
bool nkv_cut_is_crc_collision(const struct nkv_flash_sim *sim);

/* Prints, with the name of the status. False. */
bool nkv_cut_complain(const char *what, enum nkv_status status);

#endif
