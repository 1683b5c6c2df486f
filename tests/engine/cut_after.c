/* That a store goes on after a cut. */
#include "cut.h"

#include "random.h"

#include <string.h>

enum {
    /* One image in so many takes a put of the largest value that it says is
     * free. */
    LARGEST_EVERY = 8,
    /* A put of a new key finds the store full only if more than this share of
     * it is live. */
    FULL_PERCENT = 50,
    ATTEMPTS_MAX = 100000
};

/* A key that no workload has. */
static struct nkv_span new_key(void)
{
    return nkv_text("~");
}

/* The write that the power was cut in is done again: what found room before
 * finds room now. */
static bool takes_flight_again(struct nkv_cut_run *run)
{
    const struct nkv_cut_action *flight = &run->flight;
    enum nkv_status status;

    if (!run->is_write_known_to_fit ||
        (flight->kind != NKV_CUT_PUT && flight->kind != NKV_CUT_DELETE)) {
        return true;
    }
    status = nkv_cut_perform(&run->bench, flight);
    if (status == NKV_NOT_FOUND && flight->kind == NKV_CUT_DELETE &&
        nkv_model_find(&run->expected, flight->key) == NULL) {
        return true;
    }
    if (status == NKV_RESOURCE_EXHAUSTED && flight->kind == NKV_CUT_PUT &&
        run->the_case->is_short_of_room) {
        return true;
    }
    if (status != NKV_OK) {
        return nkv_cut_complain("the write that was cut, once more", status);
    }
    nkv_cut_apply(&run->expected, flight);
    return true;
}

/* A first put of a key: it may find the store full, but not too early. */
static bool takes_new_key(struct nkv_cut_run *run)
{
    struct nkv_span value = nkv_text("a");
    enum nkv_status status = nkv_put(&run->bench.store, new_key(), value);

    if (status == NKV_RESOURCE_EXHAUSTED &&
        nkv_may_be_full(&run->bench, true, 16 + new_key().size + value.size,
                        FULL_PERCENT)) {
        return true;
    }
    if (status != NKV_OK) {
        return nkv_cut_complain("put of a new key after the cut", status);
    }
    nkv_model_put(&run->expected, new_key(), value);
    return true;
}

/* An overwrite of the same size finds room however full the store is. */
static bool takes_overwrite(struct nkv_cut_run *run,
                            const struct nkv_model_entry *entry)
{
    uint8_t bytes[NKV_CUT_VALUE_MAX];
    struct nkv_span key = {entry->key, entry->key_size};
    struct nkv_span value = {bytes, entry->size};
    enum nkv_status status;

    if (entry->size == 0) {
        return true;
    }
    memcpy(bytes, entry->value, entry->size);
    bytes[0] ^= (uint8_t)(1 + run->bench.sim.counts.operations % 255);
    status = nkv_put(&run->bench.store, key, value);
    if (status != NKV_OK) {
        return nkv_cut_complain("overwrite after the cut", status);
    }
    nkv_model_put(&run->expected, key, value);
    return true;
}

static bool takes_delete(struct nkv_cut_run *run,
                         const struct nkv_model_entry *entry)
{
    uint8_t bytes[NKV_KEY_SIZE_MAX];
    struct nkv_span key = {bytes, entry->key_size};
    enum nkv_status status;

    memcpy(bytes, entry->key, entry->key_size);
    status = nkv_delete(&run->bench.store, key);
    if (status != NKV_OK) {
        return nkv_cut_complain("delete after the cut", status);
    }
    nkv_model_delete(&run->expected, key);
    return true;
}

/* What the store says is free, it takes. */
static bool takes_what_is_free(struct nkv_cut_run *run)
{
    static const uint8_t bytes[NKV_BENCH_VALUE_MAX];
    struct nkv_store *store = &run->bench.store;
    uint32_t room = nkv_value_size_free(store, new_key().size);
    struct nkv_span value = {bytes, room};
    enum nkv_status status;

    if (room == NKV_NONE_FITS || room == 0 ||
        nkv_model_find(&run->expected, new_key()) != NULL) {
        return true;
    }
    status = nkv_put(store, new_key(), value);
    if (status != NKV_OK) {
        return nkv_cut_complain("a put of what is free", status);
    }
    nkv_model_put(&run->expected, new_key(), value);
    return true;
}

static const struct nkv_model_entry *any_entry(const struct nkv_cut_run *run,
                                               uint64_t *random)
{
    return &run->expected.entries[nkv_random_below(
        random, (uint32_t)run->expected.count)];
}

bool nkv_cut_takes_writes(struct nkv_cut_run *run,
                          const struct nkv_cut_name *name)
{
    uint64_t random = name->operation + name->cuts[0].cut.at;

    if (!takes_flight_again(run)) {
        return false;
    }
    if (nkv_cut_draws(run, name, NKV_CUT_LOT_LARGEST, LARGEST_EVERY) &&
        !takes_what_is_free(run)) {
        return false;
    }
    if (!takes_new_key(run)) {
        return false;
    }
    if (run->expected.count > 0 &&
        (!takes_overwrite(run, any_entry(run, &random)) ||
         !takes_delete(run, any_entry(run, &random)))) {
        return false;
    }
    return nkv_model_agrees(&run->expected, &run->bench.store) ||
           nkv_cut_complain("after more writes", NKV_OK);
}

/* A write of a key that is there, or of the one that no workload has: no key
 * that was deleted is ever put again. */
static bool goes_on(struct nkv_cut_run *run, uint64_t *random)
{
    const struct nkv_model_entry *entry =
        nkv_model_find(&run->expected, new_key());

    if (run->expected.count > 0 && nkv_random_below(random, 4) > 0) {
        entry = any_entry(run, random);
        /* With nothing to overwrite it with, it goes. */
        return entry->size > 0 ? takes_overwrite(run, entry)
                               : takes_delete(run, entry);
    }
    return entry != NULL ? takes_delete(run, entry) : takes_new_key(run);
}

bool nkv_cut_goes_round(struct nkv_cut_run *run)
{
    struct nkv_bench *bench = &run->bench;
    uint64_t random = bench->sim.counts.operations;
    uint64_t end =
        bench->sim.counts.programmed_bytes + 2u * (uint64_t)bench->sim.size;

    for (unsigned i = 0; bench->sim.counts.programmed_bytes < end; i++) {
        if (i == ATTEMPTS_MAX) {
            return nkv_cut_complain("the log does not go round", NKV_OK);
        }
        if (!goes_on(run, &random)) {
            return false;
        }
    }
    if (!nkv_model_agrees(&run->expected, &bench->store)) {
        return nkv_cut_complain("after going round", NKV_OK);
    }
    return (nkv_bench_mount(bench) == NKV_OK &&
            nkv_model_agrees(&run->expected, &bench->store)) ||
           nkv_cut_complain("mount after going round", NKV_OK);
}
