/* Two threads on one store, with a mutex for its lock. Each has keys of its own
 * and a model of them; one more key both write. */
#include "check.h"
#include "load.h"
#include "model.h"
#include "random.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 2, OPERATIONS = 4000, OWN_KEYS = 8 };

static struct nkv_bench bench;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock(void *context)
{
    pthread_mutex_lock(context);
}

static void unlock(void *context)
{
    pthread_mutex_unlock(context);
}

struct worker {
    pthread_t thread;
    uint32_t number;
    uint64_t random;
    struct nkv_model model;
    uint32_t done;
    const char *wrong;
};

static struct nkv_span own_key(const struct worker *worker, uint32_t number,
                               char to[16])
{
    return (struct nkv_span){
        (const uint8_t *)to,
        (size_t)snprintf(to, 16, "%u.%u", worker->number, number)};
}

/* cmocka's checks are for the main thread: a worker notes what went wrong. */
static void expect(struct worker *worker, bool good, const char *what)
{
    if (!good && worker->wrong == NULL) {
        worker->wrong = what;
    }
}

static void put_own(struct worker *worker, struct nkv_span key)
{
    uint8_t bytes[40];
    struct nkv_span value = {bytes, nkv_random_below(&worker->random, 40)};

    nkv_random_fill(&worker->random, bytes, value.size);
    expect(worker, nkv_put(&bench.store, key, value) == NKV_OK, "put");
    nkv_model_put(&worker->model, key, value);
}

static void get_own(struct worker *worker, struct nkv_span key)
{
    const struct nkv_model_entry *entry = nkv_model_find(&worker->model, key);
    uint8_t bytes[40];
    struct nkv_buffer to = {bytes, sizeof bytes};
    struct nkv_value got;
    enum nkv_status status = nkv_get(&bench.store, key, 0, to, &got);

    if (entry == NULL) {
        expect(worker, status == NKV_NOT_FOUND, "get of nothing");
        return;
    }
    expect(worker,
           status == NKV_OK && got.size == entry->size &&
               (got.size == 0 || memcmp(bytes, entry->value, got.size) == 0),
           "get");
}

static void delete_own(struct worker *worker, struct nkv_span key)
{
    bool was_there = nkv_model_delete(&worker->model, key);

    expect(worker,
           nkv_delete(&bench.store, key) ==
               (was_there ? NKV_OK : NKV_NOT_FOUND),
           "delete");
}

/* The key that both write: eight equal bytes, whoever was the last. */
static void share(struct worker *worker)
{
    uint8_t bytes[8], got[8] = {0};
    struct nkv_buffer to = {got, sizeof got};
    struct nkv_value value;

    memset(bytes, (int)worker->done, sizeof bytes);
    expect(worker,
           nkv_put(&bench.store, nkv_text("shared"),
                   (struct nkv_span){bytes, sizeof bytes}) == NKV_OK,
           "put of the shared key");
    expect(worker,
           nkv_get(&bench.store, nkv_text("shared"), 0, to, &value) == NKV_OK &&
               value.size == 8 && memcmp(got, got + 1, 7) == 0,
           "get of the shared key");
}

/* Own keys that stay come once each. */
static void iterate(struct worker *worker)
{
    struct nkv_iterator iterator = {0};
    size_t count = 0;
    enum nkv_status status;
    char prefix[4];

    snprintf(prefix, sizeof prefix, "%u.", worker->number);
    while ((status = nkv_next(&bench.store, &iterator)) == NKV_OK) {
        count += memcmp(iterator.key, prefix, 2) == 0;
    }
    expect(worker, status == NKV_NOT_FOUND && count == worker->model.count,
           "iteration");
}

static void look(struct worker *worker)
{
    struct nkv_statistics now = nkv_bench_statistics(&bench);
    struct nkv_sector_report report;

    expect(worker,
           now.live_bytes + now.stale_bytes + now.free_bytes == bench.sim.size,
           "statistics");
    (void)nkv_pending_steps(&bench.store);
    (void)nkv_value_size_free(&bench.store, 3);
    expect(worker, nkv_report_sector(&bench.store, 0, &report) == NKV_OK,
           "report");
}

static void operate(struct worker *worker)
{
    char text[16];
    struct nkv_span key =
        own_key(worker, nkv_random_below(&worker->random, OWN_KEYS), text);
    uint32_t die = nkv_random_below(&worker->random, 20);
    bool more;

    if (die < 8) {
        put_own(worker, key);
    } else if (die < 12) {
        get_own(worker, key);
    } else if (die < 14) {
        delete_own(worker, key);
    } else if (die < 17) {
        expect(worker, nkv_step(&bench.store, &more) == NKV_OK, "step");
    } else if (die < 18) {
        share(worker);
    } else if (die < 19) {
        iterate(worker);
    } else {
        look(worker);
    }
}

static void *work(void *context)
{
    struct worker *worker = context;

    while (worker->done < OPERATIONS && worker->wrong == NULL) {
        operate(worker);
        worker->done++;
    }
    return NULL;
}

/* Everything that either thread put is there, and nothing else. */
static void check_result(struct worker *workers)
{
    size_t count = 1;

    for (size_t i = 0; i < THREADS; i++) {
        const struct nkv_model *model = &workers[i].model;

        if (workers[i].wrong != NULL) {
            fail_msg("thread %zu, operation %u: %s", i, workers[i].done,
                     workers[i].wrong);
        }
        for (size_t j = 0; j < model->count; j++) {
            const struct nkv_model_entry *entry = &model->entries[j];
            struct nkv_span key = {entry->key, entry->key_size};

            assert_true(
                nkv_store_gives(&bench.store, key, nkv_model_value(entry)));
        }
        count += model->count;
    }
    assert_int_equal(nkv_bench_statistics(&bench).keys, count);
    assert_true(nkv_bench_is_sound(&bench));
}

static void check_threads(const struct nkv_bench_setup *setup, uint64_t seed)
{
    struct worker workers[THREADS] = {{.number = 0}};

    nkv_bench_init(&bench, setup);
    bench.config.lock = lock;
    bench.config.unlock = unlock;
    bench.config.lock_context = &mutex;
    bench.config.steps_per_write = (uint16_t)(4 * (seed % 2));
    assert_ok(nkv_bench_mount(&bench));
    assert_ok(nkv_bench_put(&bench, "shared", "xxxxxxxx"));
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i].number = i;
        workers[i].random = seed * THREADS + i;
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    }
    check_result(workers);
    assert_ok(nkv_bench_mount(&bench));
    check_result(workers);
    for (uint32_t i = 0; i < THREADS; i++) {
        nkv_model_free(&workers[i].model);
    }
    nkv_bench_free(&bench);
}

static void two_threads_share_a_store(void **state)
{
    static const struct nkv_bench_setup setups[] = {
        {NKV_FLASH(512, 6, 16)},
        {NKV_FLASH(512, 12, 16), .copies = 2},
        {NKV_FLASH(4096, 3, 64)},
    };

    (void)state;
    for (uint64_t seed = 0; seed < 6; seed++) {
        check_threads(&setups[seed % 3], seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_share_a_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
