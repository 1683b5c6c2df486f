#include "storm.h"

#include "random.h"
#include "test.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DEADLINE_MS = 600000,
    /* A transport is asked to wait no longer than this beyond a deadline; with
     * a flash that takes its time the clock goes on by all that the device does
     * in a turn. */
    DEADLINE_SLACK_MS = 30,
    TURN_MAX_MS = 1000,
    BRIEF_MAX_MS = 400,
    /* A host is gone within this time of a call. */
    GONE_MAX_MS = 150,
    NAME_SIZE = 24
};

uint32_t nkv_storm_below(struct nkv_storm *storm, uint32_t limit)
{
    return nkv_random_below(&storm->random, limit);
}

static bool happens(struct nkv_storm *storm, uint32_t every)
{
    return every != 0 && nkv_storm_below(storm, every) == 0;
}

/* ---- Names and values ------------------------------------------------- */

static struct nkv_span name(char text[NAME_SIZE], const char *kind,
                            uint32_t number)
{
    snprintf(text, NAME_SIZE, "%s/%u", kind, number);
    return text_span(text);
}

/* The value of a number, which it begins with; many of its bytes are such as
 * a frame escapes. */
static struct nkv_span value_of(uint32_t id, uint8_t bytes[NKV_STORM_VALUE_MAX])
{
    uint64_t random = id;
    size_t size =
        4 + nkv_random_below(&random, NKV_STORM_VALUE_MAX - sizeof(id) + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = nkv_random_below(&random, 4) == 0
                       ? (uint8_t)(0x7d + nkv_random_below(&random, 2))
                       : (uint8_t)nkv_random(&random);
    memcpy(bytes, &id, sizeof(id));
    return (struct nkv_span){bytes, size};
}

/* The number of a value, which must be whole. */
static uint32_t id_of(struct nkv_span value)
{
    uint8_t bytes[NKV_STORM_VALUE_MAX];
    uint32_t id = 0;
    assert_true(value.size >= sizeof(id));
    memcpy(&id, value.data, sizeof(id));
    struct nkv_span expected = value_of(id, bytes);
    assert_int_equal(value.size, expected.size);
    assert_memory_equal(value.data, expected.data, value.size);
    return id;
}

/* ---- The ledger ------------------------------------------------------- */

static bool has(const struct nkv_storm_entry *entry, uint32_t id)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (entry->ids[i] == id)
            return true;
    }
    return false;
}

static void is_now(struct nkv_storm_entry *entry, uint32_t id)
{
    entry->ids[0] = id;
    entry->count = 1;
}

static void may_be(struct nkv_storm_entry *entry, uint32_t id)
{
    if (has(entry, id))
        return;
    assert_true(entry->count < NKV_STORM_MAYBE_MAX);
    entry->ids[entry->count++] = id;
}

static void check_entry(struct nkv_storm_entry *entry,
                        const struct nkv_span *value)
{
    uint32_t id = value == NULL ? 0 : id_of(*value);
    if (!has(entry, id))
        fail_msg("found value %u, expected %u%s", id, entry->ids[0],
                 entry->count > 1 ? " or another" : "");
    is_now(entry, id);
}

static uint32_t count_of(const struct nkv_span *value)
{
    uint32_t count = 0;
    if (value == NULL)
        return 0;
    assert_int_equal(value->size, sizeof(count));
    memcpy(&count, value->data, sizeof(count));
    return count;
}

static void check_counter(const struct nkv_storm_counter *counter,
                          const struct nkv_span *value)
{
    uint32_t most =
        counter->acknowledged + counter->unknown + counter->abandoned;
    assert_in_range(count_of(value), counter->acknowledged, most);
}

bool nkv_storm_check(struct nkv_storm *storm, uint32_t store,
                     struct nkv_span key, const struct nkv_span *value)
{
    char text[NAME_SIZE] = "";
    unsigned number;
    if (key.size >= sizeof(text))
        return false;
    memcpy(text, key.data, key.size);
    if (sscanf(text, "key/%u", &number) == 1 && number < NKV_STORM_KEYS) {
        check_entry(&storm->entries[store][number], value);
        return true;
    }
    if (sscanf(text, "count/%u", &number) == 1 && number < NKV_STORM_COUNTERS)
        check_counter(&storm->counters[store][number], value);
    return false;
}

bool nkv_storm_is_there(const struct nkv_storm *storm, uint32_t store,
                        uint32_t number, bool *known)
{
    const struct nkv_storm_entry *entry = &storm->entries[store][number];
    *known = entry->count == 1;
    return entry->ids[0] != 0;
}

/* ---- Trouble ---------------------------------------------------------- */

static void open_client(struct nkv_storm *storm)
{
    struct nkv_client_options options = {
        .deadline_ms = DEADLINE_MS,
        .attempts = 12,
        .latency_ms = storm->setup.speed.latency_ms,
        .seed = nkv_random(&storm->random) | 1,
    };
    storm->client = nkv_bench_open(&storm->bench, &options);
    storm->hosts++;
}

static void close_client(struct nkv_storm *storm)
{
    if (storm->client == NULL)
        return;
    struct nkv_client_counters counters;
    nkv_client_get_counters(storm->client, &counters);
    storm->retries += counters.retries;
    storm->late += counters.late_answers;
    nkv_client_free(&storm->client);
}

/* In the middle of what it hears. */
static bool restarts(struct nkv_real_device *device)
{
    struct nkv_storm *storm = device->hook_context;
    if (!storm->restart_device ||
        nkv_line_sim_next_us(&storm->bench.line, NKV_BENCH_DEVICE) ==
            UINT64_MAX ||
        nkv_storm_below(storm, 20) != 0)
        return false;
    storm->restart_device = false;
    return true;
}

static void arm_power_cut(struct nkv_storm *storm)
{
    static const enum nkv_sim_cut_kind kinds[] = {
        NKV_SIM_CUT_BEFORE, NKV_SIM_CUT_AFTER, NKV_SIM_CUT_TORN,
        NKV_SIM_CUT_WEAK, NKV_SIM_CUT_RANDOM};
    uint32_t part = nkv_storm_below(storm, NKV_DEVICE_STORES);
    enum nkv_sim_cut_kind kind = kinds[nkv_storm_below(storm, 5)];
    struct nkv_sim_cut cut = {
        .kind = kind,
        .at = 1 + nkv_storm_below(storm, 30),
        .amount = nkv_storm_below(storm, kind == NKV_SIM_CUT_TORN     ? 16
                                         : kind == NKV_SIM_CUT_RANDOM ? 9
                                                                      : 3),
        .seed = nkv_random(&storm->random),
    };
    nkv_flash_sim_cut(&storm->device.parts[part].flash, cut);
    storm->power_cuts++;
}

struct nkv_storm *nkv_storm_open(const struct nkv_storm_setup *setup)
{
    struct nkv_storm *storm = calloc(1, sizeof(*storm));
    assert_non_null(storm);
    storm->setup = *setup;
    storm->random = setup->seed;
    for (size_t store = 0; store < NKV_DEVICE_STORES; store++) {
        for (size_t i = 0; i < NKV_STORM_KEYS; i++)
            is_now(&storm->entries[store][i], 0);
    }
    nkv_bench_init(&storm->bench, setup->seed);
    storm->bench.line.speed = setup->speed;
    storm->bench.line.faults = setup->faults;
    nkv_real_device_init(&storm->device, &storm->bench, &setup->device);
    storm->device.before_poll = restarts;
    storm->device.hook_context = storm;
    open_client(storm);
    return storm;
}

void nkv_storm_close(struct nkv_storm *storm)
{
    close_client(storm);
    nkv_real_device_free(&storm->device);
    nkv_bench_free(&storm->bench);
    free(storm);
}

/* ---- Around a call ---------------------------------------------------- */

struct nkv_call_options nkv_storm_begin(struct nkv_storm *storm)
{
    const struct nkv_storm_setup *setup = &storm->setup;
    struct nkv_call_options call = {.deadline_ms = DEADLINE_MS};
    uint64_t now = nkv_bench_now_ms(&storm->bench);
    if (happens(storm, setup->brief_every))
        call.deadline_ms = 1 + nkv_storm_below(storm, BRIEF_MAX_MS);
    if (happens(storm, setup->host_restart_every)) {
        storm->bench.cut_at_ms = now + 1 + nkv_storm_below(storm, GONE_MAX_MS);
        storm->bench.cut_error = EIO;
    }
    if (happens(storm, setup->device_restart_every))
        storm->restart_device = true;
    if (happens(storm, setup->power_cut_every))
        arm_power_cut(storm);
    storm->call_ends_ms = now + call.deadline_ms + DEADLINE_SLACK_MS +
                          (setup->device.erase_us == 0 ? 0 : TURN_MAX_MS);
    storm->call_is_brief = call.deadline_ms != DEADLINE_MS;
    return call;
}

bool nkv_storm_end(struct nkv_storm *storm, enum nkv_status status)
{
    bool is_whole = storm->bench.cut_at_ms == 0;
    assert_true(nkv_bench_now_ms(&storm->bench) <= storm->call_ends_ms);
    if (status == NKV_DEADLINE_EXCEEDED) {
        if (!storm->call_is_brief)
            fail_msg("stuck: %s", nkv_client_error(storm->client));
        storm->out_of_time++;
    }
    if (!is_whole) {
        close_client(storm);
        storm->bench.cut_at_ms = 0;
        open_client(storm);
    }
    return is_whole && !(storm->call_is_brief && status != NKV_OK);
}

/* ---- Reading ---------------------------------------------------------- */

/* Reads a key; false: that came to nothing. *found says whether it is there,
 * and the caller clears value. */
static bool get(struct nkv_storm *storm, uint32_t store, struct nkv_span key,
                struct nkv_client_value *value, bool *found)
{
    struct nkv_call_options call = nkv_storm_begin(storm);
    call.store = store;
    enum nkv_status status = nkv_client_get(storm->client, &call, key, value);
    *found = status == NKV_OK;
    bool is_known = *found || status == NKV_NOT_FOUND;
    struct nkv_span span = {value->data, value->size};
    if (is_known)
        (void)nkv_storm_check(storm, store, key, *found ? &span : NULL);
    char error[256];
    snprintf(error, sizeof(error), "%s", nkv_client_error(storm->client));
    if (nkv_storm_end(storm, status) && !is_known)
        fail_msg("%s", error);
    return is_known;
}

void nkv_storm_read(struct nkv_storm *storm)
{
    char text[NAME_SIZE];
    struct nkv_client_value value;
    bool found;
    uint32_t store = nkv_storm_below(storm, NKV_DEVICE_STORES);
    bool is_count = nkv_storm_below(storm, 4) == 0;
    uint32_t number =
        nkv_storm_below(storm, is_count ? NKV_STORM_COUNTERS : NKV_STORM_KEYS);
    struct nkv_span key = name(text, is_count ? "count" : "key", number);
    (void)get(storm, store, key, &value, &found);
    nkv_client_value_clear(&value);
}

/* ---- Writing ---------------------------------------------------------- */

struct write {
    char key[NAME_SIZE];
    uint8_t value[NKV_STORM_VALUE_MAX];
    struct nkv_storm_entry *entry;
    struct nkv_storm_counter *counter;
    uint32_t id;
};

struct batch {
    uint32_t store;
    size_t count;
    struct write writes[NKV_STORM_BATCH_MAX];
    struct nkv_mutation mutations[NKV_STORM_BATCH_MAX];
};

static void add_plain(struct nkv_storm *storm, struct batch *batch)
{
    struct write *write = &batch->writes[batch->count];
    uint32_t number = nkv_storm_below(storm, NKV_STORM_KEYS);
    bool is_put = nkv_storm_below(storm, 4) != 0;
    write->entry = &storm->entries[batch->store][number];
    write->counter = NULL;
    write->id = is_put ? ++storm->id : 0;
    batch->mutations[batch->count++] = (struct nkv_mutation){
        .kind = is_put ? NKV_MUTATION_PUT : NKV_MUTATION_DELETE,
        .key = name(write->key, "key", number),
        .value = is_put ? value_of(write->id, write->value)
                        : (struct nkv_span){NULL, 0},
    };
}

static bool is_counted(const struct batch *batch,
                       const struct nkv_storm_counter *counter)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->writes[i].counter == counter)
            return true;
    }
    return false;
}

static void add_increment(struct nkv_storm *storm, struct batch *batch)
{
    struct write *write = &batch->writes[batch->count];
    uint32_t number = nkv_storm_below(storm, NKV_STORM_COUNTERS);
    struct nkv_storm_counter *counter = &storm->counters[batch->store][number];
    struct nkv_client_value value;
    bool found;
    if (is_counted(batch, counter))
        return;
    struct nkv_span key = name(write->key, "count", number);
    if (get(storm, batch->store, key, &value, &found)) {
        struct nkv_span before = {value.data, value.size};
        uint32_t count = count_of(found ? &before : NULL) + 1;
        memcpy(write->value, &count, sizeof(count));
        write->entry = NULL;
        write->counter = counter;
        batch->mutations[batch->count++] = (struct nkv_mutation){
            .key = key,
            .value = {write->value, sizeof(count)},
            .conditional = true,
            .if_version = value.version,
        };
    }
    nkv_client_value_clear(&value);
}

/* Whether it may have been done though nobody said so. */
static bool is_open(enum nkv_status status)
{
    return status == NKV_DEADLINE_EXCEEDED || status == NKV_UNAVAILABLE;
}

static void settle_plain(struct nkv_storm *storm, const struct write *write,
                         const struct nkv_mutation *mutation)
{
    bool is_done = mutation->status == NKV_OK;
    if (mutation->kind == NKV_MUTATION_DELETE &&
        mutation->status == NKV_NOT_FOUND) {
        assert_true(has(write->entry, 0));
        is_done = true;
    }
    if (is_done)
        is_now(write->entry, write->id);
    else if (is_open(mutation->status))
        may_be(write->entry, write->id);
    else if (mutation->status != NKV_CANCELLED)
        fail_msg("%s: %s", write->key, nkv_status_name(mutation->status));
    storm->acknowledged += is_done;
}

/* Nobody else writes, and the counter was just read: it has that version. */
static void settle_increment(struct nkv_storm *storm, const struct write *write,
                             const struct nkv_mutation *mutation)
{
    struct nkv_storm_counter *counter = write->counter;
    if (mutation->status == NKV_OK) {
        counter->acknowledged++;
        storm->acknowledged++;
    } else if (mutation->status == NKV_UNKNOWN) {
        counter->unknown++;
    } else if (is_open(mutation->status)) {
        counter->abandoned++;
    } else if (mutation->status != NKV_CANCELLED) {
        fail_msg("%s: %s", write->key, nkv_status_name(mutation->status));
    }
}

static void apply(struct nkv_storm *storm, struct batch *batch)
{
    struct nkv_call_options call = nkv_storm_begin(storm);
    call.store = batch->store;
    enum nkv_status status = nkv_client_apply(
        storm->client, &call, batch->mutations, batch->count, NULL);
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->writes[i].counter != NULL)
            settle_increment(storm, &batch->writes[i], &batch->mutations[i]);
        else
            settle_plain(storm, &batch->writes[i], &batch->mutations[i]);
    }
    storm->mutations += (unsigned)batch->count;
    (void)nkv_storm_end(storm, status);
}

void nkv_storm_write(struct nkv_storm *storm)
{
    static struct batch batch;
    size_t count = 1 + nkv_storm_below(storm, NKV_STORM_BATCH_MAX);
    batch.store = nkv_storm_below(storm, NKV_DEVICE_STORES);
    batch.count = 0;
    for (size_t i = 0; i < count; i++) {
        if (nkv_storm_below(storm, 5) == 0)
            add_increment(storm, &batch);
        else
            add_plain(storm, &batch);
    }
    if (batch.count > 0)
        apply(storm, &batch);
}

/* ---- Uploading -------------------------------------------------------- */

struct upload {
    struct nkv_storm *storm;
    uint32_t store;
    uint32_t first;
    uint32_t count;
    uint32_t next;
    uint32_t ids[NKV_STORM_KEYS];
    char key[NAME_SIZE];
    uint8_t value[NKV_STORM_VALUE_MAX];
};

static struct nkv_storm_entry *entry_of(const struct upload *upload,
                                        uint32_t place)
{
    uint32_t number = (upload->first + place) % NKV_STORM_KEYS;
    return &upload->storm->entries[upload->store][number];
}

static enum nkv_status next_record(void *context, struct nkv_span *key,
                                   struct nkv_span *value)
{
    struct upload *upload = context;
    if (upload->next == upload->count)
        return NKV_NOT_FOUND;
    *key = name(upload->key, "key",
                (upload->first + upload->next) % NKV_STORM_KEYS);
    *value = value_of(upload->ids[upload->next++], upload->value);
    return NKV_OK;
}

void nkv_storm_upload(struct nkv_storm *storm)
{
    struct upload upload = {
        .storm = storm,
        .store = nkv_storm_below(storm, NKV_DEVICE_STORES),
        .first = nkv_storm_below(storm, NKV_STORM_KEYS),
        .count = 1 + nkv_storm_below(storm, NKV_STORM_KEYS),
    };
    struct nkv_client_restore restore = {
        .next = next_record,
        .context = &upload,
    };
    for (uint32_t i = 0; i < upload.count; i++)
        upload.ids[i] = ++storm->id;
    struct nkv_call_options call = nkv_storm_begin(storm);
    call.store = upload.store;
    enum nkv_status status = nkv_client_restore(storm->client, &call, &restore);
    assert_true(restore.records <= upload.count);
    for (uint32_t i = 0; i < upload.count; i++) {
        if (status == NKV_OK || i < restore.records)
            is_now(entry_of(&upload, i), upload.ids[i]);
        else
            may_be(entry_of(&upload, i), upload.ids[i]);
    }
    storm->mutations += upload.count;
    storm->acknowledged += restore.records;
    if (nkv_storm_end(storm, status) && status != NKV_OK)
        fail_msg("upload: %s", nkv_status_name(status));
}

/* ---- The end ---------------------------------------------------------- */

static void check_on_line(struct nkv_storm *storm, uint32_t store,
                          struct nkv_span key)
{
    struct nkv_client_value value;
    bool found;
    assert_true(get(storm, store, key, &value, &found));
    nkv_client_value_clear(&value);
}

static void check_in_store(struct nkv_storm *storm, uint32_t store,
                           struct nkv_span key)
{
    uint8_t bytes[NKV_STORM_VALUE_MAX];
    struct nkv_value found;
    enum nkv_status status =
        nkv_get(&storm->device.parts[store].store, key, 0,
                (struct nkv_buffer){bytes, sizeof(bytes)}, &found);
    struct nkv_span value = {bytes, found.size};
    assert_true(status == NKV_OK || status == NKV_NOT_FOUND);
    (void)nkv_storm_check(storm, store, key, status == NKV_OK ? &value : NULL);
}

static void check_key(struct nkv_storm *storm, uint32_t store, const char *kind,
                      uint32_t number)
{
    char text[NAME_SIZE];
    struct nkv_span key = name(text, kind, number);
    check_on_line(storm, store, key);
    check_in_store(storm, store, key);
}

void nkv_storm_settle(struct nkv_storm *storm)
{
    storm->bench.line.faults = (struct nkv_line_faults){.drop = 0};
    storm->setup.host_restart_every = 0;
    storm->setup.device_restart_every = 0;
    storm->setup.power_cut_every = 0;
    storm->setup.brief_every = 0;
    storm->restart_device = false;
    nkv_real_device_restart(&storm->device);
    for (uint32_t store = 0; store < NKV_DEVICE_STORES; store++) {
        for (uint32_t i = 0; i < NKV_STORM_KEYS; i++)
            check_key(storm, store, "key", i);
        for (uint32_t i = 0; i < NKV_STORM_COUNTERS; i++)
            check_key(storm, store, "count", i);
    }
    close_client(storm);
}
