/* What must hold when the power is back. */
#include "cut.h"

#include <stdio.h>
#include <string.h>

enum {
    /* One image in so many has its statistics held against a calculation of the
     * test's own, which takes longer than the rest. */
    SURVEY_EVERY = 8
};

bool nkv_cut_complain(const char *what, enum nkv_status status)
{
    fprintf(stderr, "%s: %s\n", what, nkv_status_name(status));
    return false;
}

/* Whether the store holds what the action was to write. */
static bool holds_new(struct nkv_store *store,
                      const struct nkv_cut_action *action)
{
    uint8_t bytes[NKV_CUT_VALUE_MAX];
    struct nkv_buffer to = {bytes, sizeof bytes};
    struct nkv_value got = {0};
    enum nkv_status status = nkv_get(store, action->key, 0, to, &got);

    if (action->kind == NKV_CUT_DELETE) {
        return status == NKV_NOT_FOUND;
    }
    return status == NKV_OK && got.size == action->value.size &&
           memcmp(bytes, action->value_bytes, got.size) == 0;
}

/* After a cut in nkv_erase_all: as it was, empty, or to be called again. */
static bool settle_erase_all(struct nkv_cut_run *run, enum nkv_status status)
{
    struct nkv_bench *bench = &run->bench;

    if (status == NKV_FAILED_PRECONDITION) {
        status = nkv_erase_all(&bench->store);
        nkv_model_free(&run->expected);
    } else if (nkv_bench_statistics(bench).keys == 0) {
        nkv_model_free(&run->expected);
    } else if (run->is_acknowledged) {
        return nkv_cut_complain("what was erased is back", status);
    }
    return status == NKV_OK || nkv_cut_complain("erase_all again", status);
}

/* Bounds what mounting may take: to write the whole flash a few times, and to
 * read it a few hundred times. */
static bool is_bounded(const struct nkv_bench *bench,
                       const struct nkv_sim_counts *since)
{
    const struct nkv_sim_counts *now = &bench->sim.counts;
    uint64_t operations = now->operations - since->operations;
    uint64_t size = bench->sim.size;

    if (operations >
        4u * ((uint64_t)bench->sim.units + bench->setup.sector_count) + 64) {
        return nkv_cut_complain("mount wrote too much", NKV_OK);
    }
    return (now->read_bytes - since->read_bytes <= 256 * size &&
            now->reads - since->reads <= 64 * size) ||
           nkv_cut_complain("mount read too much", NKV_OK);
}

bool nkv_cut_settle(struct nkv_cut_run *run)
{
    struct nkv_bench *bench = &run->bench;
    struct nkv_sim_counts before = bench->sim.counts;
    const struct nkv_cut_action *flight = &run->flight;
    enum nkv_status status = nkv_bench_mount(bench);

    if (!is_bounded(bench, &before)) {
        return false;
    }
    if (flight->kind == NKV_CUT_ERASE_ALL) {
        return settle_erase_all(run, status);
    }
    if (status != NKV_OK) {
        return nkv_cut_complain("mount", status);
    }
    if (flight->kind != NKV_CUT_PUT && flight->kind != NKV_CUT_DELETE) {
        return true;
    }
    if (holds_new(&bench->store, flight)) {
        nkv_cut_apply(&run->expected, flight);
    } else if (run->is_acknowledged) {
        return nkv_cut_complain("an acknowledged write is gone", NKV_OK);
    }
    return true;
}

/* The second mount writes nothing and finds the same. */
static bool mounts_again_alike(struct nkv_cut_run *run)
{
    struct nkv_bench *bench = &run->bench;
    struct nkv_statistics before = nkv_bench_statistics(bench), now;
    uint64_t operations = bench->sim.counts.operations;
    enum nkv_status status = nkv_bench_mount(bench);

    if (status != NKV_OK) {
        return nkv_cut_complain("second mount", status);
    }
    if (bench->sim.counts.operations != operations) {
        return nkv_cut_complain("the second mount wrote", status);
    }
    now = nkv_bench_statistics(bench);
    if (now.transaction_count != before.transaction_count ||
        now.live_bytes != before.live_bytes) {
        return nkv_cut_complain("the second mount counts differently", status);
    }
    return nkv_model_agrees(&run->expected, &bench->store) ||
           nkv_cut_complain("after the second mount", status);
}

/* Of a format without a checksum: the other keys are there as long as nothing
 * was collected, and the store goes on. */
static bool check_unchecked(struct nkv_cut_run *run)
{
    struct nkv_bench *bench = &run->bench;
    const struct nkv_cut_action *flight = &run->flight;
    enum nkv_status status = nkv_bench_mount(bench);

    if (flight->kind == NKV_CUT_ERASE_ALL) {
        return settle_erase_all(run, status) && nkv_bench_is_sound(bench);
    }
    if (status != NKV_OK) {
        return nkv_cut_complain("mount without checksums", status);
    }
    if (flight->kind != NKV_CUT_PUT && flight->kind != NKV_CUT_DELETE) {
        return nkv_bench_is_sound(bench);
    }
    nkv_model_delete(&run->expected, flight->key);
    for (size_t i = 0; !run->has_erased && i < run->expected.count; i++) {
        const struct nkv_model_entry *entry = &run->expected.entries[i];
        struct nkv_span key = {entry->key, entry->key_size};

        if (!nkv_store_gives(&bench->store, key, nkv_model_value(entry))) {
            return nkv_cut_complain("another key came to harm", NKV_OK);
        }
    }
    status = nkv_delete(&bench->store, flight->key);
    if (status != NKV_OK && status != NKV_NOT_FOUND) {
        return nkv_cut_complain("delete without checksums", status);
    }
    return nkv_bench_is_sound(bench);
}

bool nkv_cut_check(struct nkv_cut_run *run, const struct nkv_cut_name *name)
{
    struct nkv_bench *bench = &run->bench;

    if (run->the_case->is_unchecked) {
        return check_unchecked(run);
    }
    if (!nkv_cut_settle(run) ||
        !nkv_model_agrees(&run->expected, &bench->store) ||
        !nkv_bench_is_sound(bench)) {
        return false;
    }
    if (nkv_cut_draws(run, name, NKV_CUT_LOT_SURVEY, SURVEY_EVERY) &&
        !nkv_cut_statistics_are_right(bench)) {
        return false;
    }
    if (!mounts_again_alike(run) || !nkv_cut_takes_writes(run, name)) {
        return false;
    }
    if (nkv_cut_draws(run, name, NKV_CUT_LOT_ROUND, run->effort->rounds)) {
        run->counts.rounds++;
        return nkv_cut_goes_round(run) && nkv_bench_is_sound(bench);
    }
    return nkv_bench_is_sound(bench);
}
