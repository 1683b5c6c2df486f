#include "workload.h"

#include "random.h"

#include <stdio.h>
#include <string.h>

const struct nkv_workload_mix nkv_mix_simple = {
    .puts = 620,
    .deletes = 300,
    .remounts = 30,
};

const struct nkv_workload_mix nkv_mix_full = {
    .puts = 450,
    .deletes = 160,
    .same_puts = 50,
    .describes = 50,
    .remounts = 15,
    .steps = 60,
    .maintenances = 12,
    .iterations = 15,
    .erases = 1,
};

struct action {
    uint8_t key_bytes[NKV_KEY_SIZE_MAX];
    struct nkv_span key;
    struct nkv_model_entry *entry;
};

static bool complain(const struct nkv_workload *workload, const char *what,
                     enum nkv_status status)
{
    fprintf(stderr, "operation %u: %s gave %s\n", workload->done, what,
            nkv_status_name(status));
    return false;
}

/* Binary keys: two bytes are the number, so that many hold a NUL; the rest
 * and the length follow from it. */
static size_t binary_key(uint32_t number, uint32_t size_max, uint8_t *to)
{
    uint64_t random = number;
    size_t size = 2 + nkv_random_below(&random, size_max - 1);

    nkv_random_fill(&random, to, size);
    nkv_store_le16(to, (uint16_t)number);
    return size;
}

size_t nkv_workload_key(const struct nkv_workload *workload, uint32_t number,
                        uint8_t *to)
{
    if (workload->make_key != NULL) {
        return workload->make_key(number, to);
    }
    return binary_key(number, workload->key_size_max, to);
}

size_t nkv_workload_value(struct nkv_workload *workload, uint8_t *to)
{
    uint64_t *random = &workload->random;
    uint32_t max = workload->value_size_max;
    size_t size = nkv_random_below(random, max + 1);

    /* Many small ones, a few of the longest and the empty one. */
    if (nkv_random_below(random, 2) == 0) {
        size /= 4;
    } else if (nkv_random_below(random, 20) == 0) {
        size = nkv_random_below(random, 2) * max;
    }
    nkv_random_fill(random, to, size);
    if (nkv_random_below(random, 8) == 0) {
        memset(to, nkv_random_below(random, 2) ? 0xFF : 0x00, size);
    }
    return size;
}

bool nkv_may_be_full(const struct nkv_bench *bench, bool is_new_key,
                     size_t entry_size, uint32_t percent)
{
    struct nkv_statistics now = nkv_bench_statistics(bench);
    const struct nkv_bench_setup *setup = &bench->setup;
    uint64_t room =
        (uint64_t)(setup->sector_count - setup->copies) * setup->sector_size;
    uint64_t unit = setup->program_unit > 16 ? setup->program_unit : 16;
    uint64_t need = (entry_size + unit - 1) / unit * unit * setup->copies;

    if (is_new_key && now.keys == setup->max_keys) {
        return true;
    }
    return (now.live_bytes + need) * 100 > room * percent;
}

static bool may_be_full(const struct nkv_workload *workload,
                        const struct nkv_bench *bench,
                        const struct action *action, size_t value_size)
{
    uint32_t percent = workload->full_percent > 0 ? workload->full_percent : 50;

    return nkv_may_be_full(bench, action->entry == NULL,
                           16 + action->key.size + value_size, percent);
}

static bool do_put(struct nkv_workload *workload, struct nkv_bench *bench,
                   struct nkv_model *model, struct action *action)
{
    static uint8_t bytes[NKV_BENCH_VALUE_MAX];
    struct nkv_span value = {bytes, nkv_workload_value(workload, bytes)};
    enum nkv_status status = nkv_put(&bench->store, action->key, value);

    if (status == NKV_OK) {
        nkv_model_put(model, action->key, value);
    } else if (status == NKV_RESOURCE_EXHAUSTED &&
               may_be_full(workload, bench, action, value.size)) {
        workload->full_puts++;
        if (action->entry != NULL) {
            value = nkv_model_value(action->entry);
            return nkv_store_gives(&bench->store, action->key, value);
        }
        value.data = NULL;
    } else {
        return complain(workload, "put", status);
    }
    return nkv_store_gives(&bench->store, action->key, value);
}

static bool do_same_put(struct nkv_workload *workload, struct nkv_bench *bench,
                        const struct action *action)
{
    uint64_t operations = bench->sim.counts.operations;
    struct nkv_value before, after;
    enum nkv_status status;

    if (action->entry == NULL) {
        return true;
    }
    status = nkv_describe(&bench->store, action->key, &before);
    if (status == NKV_OK) {
        status =
            nkv_put(&bench->store, action->key, nkv_model_value(action->entry));
    }
    if (status == NKV_OK) {
        status = nkv_describe(&bench->store, action->key, &after);
    }
    if (status != NKV_OK) {
        return complain(workload, "put of the same value", status);
    }
    if (operations != bench->sim.counts.operations ||
        before.version != after.version) {
        return complain(workload, "put of the same value wrote and", status);
    }
    return true;
}

static bool do_delete(struct nkv_workload *workload, struct nkv_bench *bench,
                      struct nkv_model *model, struct action *action)
{
    struct nkv_span none = {NULL, 0};
    bool was_there = action->entry != NULL;
    enum nkv_status status = nkv_delete(&bench->store, action->key);

    if (status != (was_there ? NKV_OK : NKV_NOT_FOUND)) {
        return complain(workload, was_there ? "delete" : "delete of nothing",
                        status);
    }
    nkv_model_delete(model, action->key);
    return nkv_store_gives(&bench->store, action->key, none);
}

static bool do_describe(struct nkv_workload *workload, struct nkv_bench *bench,
                        const struct action *action)
{
    struct nkv_value value;
    enum nkv_status status = nkv_describe(&bench->store, action->key, &value);

    if (action->entry == NULL) {
        return status == NKV_NOT_FOUND ||
               complain(workload, "describe of nothing", status);
    }
    if (status != NKV_OK || value.size != 0 ||
        value.total_size != action->entry->size) {
        return complain(workload, "describe", status);
    }
    return true;
}

/* A get from the middle on, or of all. */
static bool do_get(struct nkv_workload *workload, struct nkv_bench *bench,
                   const struct action *action)
{
    static uint8_t bytes[NKV_BENCH_VALUE_MAX];
    struct nkv_buffer to = {bytes, sizeof bytes};
    struct nkv_value value;
    struct nkv_span expected = {NULL, 0};
    uint32_t offset;
    enum nkv_status status;

    if (action->entry == NULL) {
        return nkv_store_gives(&bench->store, action->key, expected);
    }
    expected = nkv_model_value(action->entry);
    offset = nkv_random_below(&workload->random, (uint32_t)expected.size + 1);
    status = nkv_get(&bench->store, action->key, offset, to, &value);
    if (status != NKV_OK || value.size != expected.size - offset ||
        (value.size > 0 &&
         memcmp(bytes, expected.data + offset, value.size) != 0)) {
        return complain(workload, "get", status);
    }
    return nkv_store_gives(&bench->store, action->key, expected);
}

/* Mounting writes nothing, unless a collection by steps was under way or copies
 * were missing, for which there may be room now. It may find that tombstones
 * are not needed. */
static bool do_remount(struct nkv_workload *workload, struct nkv_bench *bench,
                       const struct nkv_model *model)
{
    uint64_t operations = bench->sim.counts.operations;
    struct nkv_statistics before = nkv_bench_statistics(bench);
    struct nkv_statistics after;
    enum nkv_status status = nkv_bench_mount(bench);

    if (status != NKV_OK) {
        return complain(workload, "mount", status);
    }
    after = nkv_bench_statistics(bench);
    if (before.transaction_count != after.transaction_count ||
        before.tombstones < after.tombstones ||
        (before.missing_copies == 0 && before.live_bytes < after.live_bytes)) {
        fprintf(stderr, "id %u -> %u, tombstones %u -> %u, live %u -> %u\n",
                before.transaction_count, after.transaction_count,
                before.tombstones, after.tombstones, before.live_bytes,
                after.live_bytes);
        return complain(workload, "mount found something else and", status);
    }
    if (!workload->is_damaged &&
        (after.corrupt_entries > 0 || after.damaged_sectors > 0)) {
        return complain(workload, "mount found damage that is none and",
                        status);
    }
    if (operations != bench->sim.counts.operations) {
        if (!workload->is_collecting && before.missing_copies == 0) {
            return complain(workload, "mount wrote and", status);
        }
        workload->is_collecting = false;
        return do_remount(workload, bench, model);
    }
    workload->is_collecting = false;
    return nkv_model_agrees(model, &bench->store);
}

/* At most one erase, or one entry copied. */
static bool is_one_step(const struct nkv_workload *workload,
                        const struct nkv_bench *bench,
                        const struct nkv_sim_counts *before)
{
    uint64_t erases = bench->sim.counts.erases - before->erases;
    uint64_t programmed =
        bench->sim.counts.programmed_bytes - before->programmed_bytes;
    uint64_t largest = 16 + NKV_KEY_SIZE_MAX + workload->value_size_max +
                       bench->setup.program_unit + 16;

    return erases == 0 ? programmed <= largest : erases == 1 && programmed == 0;
}

static bool do_steps(struct nkv_workload *workload, struct nkv_bench *bench)
{
    uint32_t count = 1 + nkv_random_below(&workload->random, 8);
    bool more = true;
    enum nkv_status status = NKV_OK;

    while (more && status == NKV_OK && count-- > 0) {
        struct nkv_sim_counts before = bench->sim.counts;

        status = nkv_step(&bench->store, &more);
        if (!is_one_step(workload, bench, &before)) {
            return complain(workload, "step that did too much", status);
        }
    }
    workload->is_collecting = more;
    return status == NKV_OK || complain(workload, "step", status);
}

static bool do_maintenance(struct nkv_workload *workload,
                           struct nkv_bench *bench)
{
    enum nkv_maintenance_kind kind =
        (enum nkv_maintenance_kind)nkv_random_below(&workload->random, 3);
    enum nkv_status status = nkv_maintain(&bench->store, kind);

    if (status == NKV_NOT_FOUND && kind == NKV_MAINTAIN_PARTIAL) {
        return true;
    }
    /* On a full store some copies may find no room. */
    return status == NKV_OK ||
           (status == NKV_RESOURCE_EXHAUSTED &&
            nkv_bench_statistics(bench).missing_copies > 0) ||
           complain(workload, "maintain", status);
}

static bool do_erase_all(struct nkv_workload *workload, struct nkv_bench *bench,
                         struct nkv_model *model)
{
    uint32_t before = nkv_transaction_count(&bench->store);
    enum nkv_status status = nkv_erase_all(&bench->store);

    nkv_model_free(model);
    if (status != NKV_OK) {
        return complain(workload, "erase_all", status);
    }
    /* Ids wrap. */
    if ((int32_t)(nkv_transaction_count(&bench->store) - before) < 0) {
        return complain(workload, "erase_all set ids back and", status);
    }
    return nkv_model_agrees(model, &bench->store);
}

static void choose_key(struct nkv_workload *workload, struct action *action,
                       const struct nkv_model *model)
{
    uint32_t number = nkv_random_below(&workload->random, workload->key_count);

    action->key.data = action->key_bytes;
    action->key.size = nkv_workload_key(workload, number, action->key_bytes);
    action->entry = nkv_model_find(model, action->key);
}

static void note(struct nkv_workload *workload, const char *what)
{
    memmove(workload->last, workload->last + 1,
            sizeof workload->last - sizeof *workload->last);
    workload->last[3] = what;
}

/* Whether the die fell into the next share of the mix, which is noted. */
static bool falls(struct nkv_workload *workload, uint32_t *die, uint32_t share,
                  const char *what)
{
    if (*die < share) {
        note(workload, what);
        return true;
    }
    *die -= share;
    return false;
}

static bool do_with_key(struct nkv_workload *workload, struct nkv_bench *bench,
                        struct nkv_model *model, uint32_t die)
{
    const struct nkv_workload_mix *mix = workload->mix;
    struct action action;

    choose_key(workload, &action, model);
    if (falls(workload, &die, mix->puts, "put")) {
        return do_put(workload, bench, model, &action);
    }
    if (falls(workload, &die, mix->deletes, "delete")) {
        return do_delete(workload, bench, model, &action);
    }
    if (falls(workload, &die, mix->same_puts, "put of the same")) {
        return do_same_put(workload, bench, &action);
    }
    if (falls(workload, &die, mix->describes, "describe")) {
        return do_describe(workload, bench, &action);
    }
    note(workload, "get");
    return do_get(workload, bench, &action);
}

bool nkv_workload_do(struct nkv_workload *workload, struct nkv_bench *bench,
                     struct nkv_model *model)
{
    const struct nkv_workload_mix *mix = workload->mix;
    uint32_t die = nkv_random_below(&workload->random, 1000);

    workload->done++;
    if (falls(workload, &die, mix->remounts, "mount")) {
        return do_remount(workload, bench, model);
    }
    if (falls(workload, &die, mix->steps, "step")) {
        return do_steps(workload, bench);
    }
    if (falls(workload, &die, mix->maintenances, "maintain")) {
        return do_maintenance(workload, bench);
    }
    if (falls(workload, &die, mix->iterations, "iterate")) {
        return nkv_model_agrees(model, &bench->store);
    }
    if (falls(workload, &die, mix->erases, "erase all")) {
        return do_erase_all(workload, bench, model);
    }
    return do_with_key(workload, bench, model, die);
}

bool nkv_workload_run(struct nkv_workload *workload, struct nkv_bench *bench,
                      struct nkv_model *model, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!nkv_workload_do(workload, bench, model) ||
            !nkv_bench_is_sound(bench)) {
            fprintf(stderr, "failed at operation %u: %s, %s, %s, %s\n",
                    workload->done, workload->last[0], workload->last[1],
                    workload->last[2], workload->last[3]);
            return false;
        }
    }
    return nkv_model_agrees(model, &bench->store);
}
