/* Keys whose hashes are equal, by the hundred: every key is a key of its own,
 * wherever in the table they gather. */
#include "check.h"
#include "collide.h"
#include "load.h"
#include "random.h"
#include "workload.h"

#include <string.h>

static struct nkv_bench bench;

static void open_bench(uint32_t sectors, uint32_t max_keys, uint8_t copies)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(4096, sectors, 16),
                                          .max_keys = max_keys,
                                          .buffer_size = 64, .copies = copies};

    nkv_bench_init(&bench, &setup);
    assert_ok(nkv_bench_mount(&bench));
}

static void close_bench(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
}

typedef size_t make_key(uint32_t number, uint8_t *to);

static size_t first_hash(uint32_t number, uint8_t *to)
{
    return nkv_key_of_hash(0, number, to);
}

static size_t last_hash(uint32_t number, uint8_t *to)
{
    return nkv_key_of_hash(0xFFFFFFFF, number, to);
}

static size_t middle_hash(uint32_t number, uint8_t *to)
{
    return nkv_key_of_hash(0x80000000, number, to);
}

/* Both ends of the range in turn. */
static size_t both_ends(uint32_t number, uint8_t *to)
{
    return nkv_key_of_hash(number % 2 ? 0xFFFFFFFF : 0, number / 2, to);
}

/* Groups near both ends and in the middle, and keys of any hash. */
static size_t mixed(uint32_t number, uint8_t *to)
{
    static const uint32_t hashes[] = {
        0, 1, 2, 0x7FFFFFFF, 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF};
    uint32_t group = number % 8;

    if (group < 7) {
        return nkv_key_of_hash(hashes[group], number / 8, to);
    }
    return nkv_load_key(number, (char *)to).size;
}

static size_t pw_keys(uint32_t number, uint8_t *to)
{
    return nkv_pw_colliding_key(number, to);
}

static struct nkv_span key_of(make_key *make, uint32_t number, uint8_t *bytes)
{
    return (struct nkv_span){bytes, make(number, bytes)};
}

static void put(struct nkv_model *model, struct nkv_span key, uint32_t number)
{
    uint8_t bytes[8];
    struct nkv_span value = {bytes, 4 + number % 5};

    memset(bytes, 0, sizeof bytes);
    nkv_store_le32(bytes, number);
    assert_ok(nkv_put(&bench.store, key, value));
    nkv_model_put(model, key, value);
}

static void check_anew(const struct nkv_model *model)
{
    assert_true(nkv_model_agrees(model, &bench.store));
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_model_agrees(model, &bench.store));
}

/* Puts all, overwrites some, deletes others, collects, and brings those back:
 * as many keys as the table takes. */
static void check_keys(make_key *make, uint32_t count, uint8_t copies)
{
    uint8_t bytes[NKV_KEY_SIZE_MAX];
    struct nkv_model model = {0};

    open_bench(20, count, copies);
    for (uint32_t i = 0; i < count; i++) {
        put(&model, key_of(make, i, bytes), i);
    }
    assert_int_equal(model.count, count);
    check_anew(&model);
    assert_status(nkv_bench_put(&bench, "one more", ""),
                  NKV_RESOURCE_EXHAUSTED);
    for (uint32_t i = 0; i < count; i += 3) {
        put(&model, key_of(make, i, bytes), i + 1000);
    }
    for (uint32_t i = 1; i < count; i += 7) {
        struct nkv_span key = key_of(make, i, bytes);

        assert_ok(nkv_delete(&bench.store, key));
        assert_status(nkv_delete(&bench.store, key), NKV_NOT_FOUND);
        nkv_model_delete(&model, key);
    }
    check_anew(&model);
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
    check_anew(&model);
    for (uint32_t i = 1; i < count; i += 7) {
        put(&model, key_of(make, i, bytes), i);
    }
    assert_int_equal(model.count, count);
    check_anew(&model);
    nkv_model_free(&model);
    close_bench();
}

static void hundreds_of_keys_of_one_hash_are_told_apart(void **state)
{
    (void)state;
    check_keys(first_hash, NKV_KEYS_OF_HASH, 1);
    check_keys(middle_hash, NKV_KEYS_OF_HASH, 1);
    check_keys(last_hash, NKV_KEYS_OF_HASH, 1);
    check_keys(last_hash, 100, 2);
}

static void a_table_is_filled_from_both_ends(void **state)
{
    (void)state;
    check_keys(both_ends, 2, 1);
    check_keys(both_ends, 2 * NKV_KEYS_OF_HASH, 1);
    check_keys(both_ends, 200, 2);
}

static void colliding_keys_mix_with_others(void **state)
{
    (void)state;
    check_keys(mixed, 17, 1);
    check_keys(mixed, 512, 1);
    check_keys(mixed, 200, 2);
}

/* They are what they are meant to be. */
static void the_references_keys_do_collide(void **state)
{
    uint8_t bytes[2][NKV_PW_COLLIDING_KEY_SIZE];
    size_t size = nkv_pw_colliding_key(0, bytes[0]);
    uint32_t hash = nkv_pw_hash(bytes[0], size);

    (void)state;
    assert_int_equal(nkv_pw_hash((const uint8_t *)"D4", 2),
                     nkv_pw_hash((const uint8_t *)"dFU6S", 5));
    assert_int_equal(nkv_pw_hash((const uint8_t *)"9FDC", 4),
                     nkv_pw_hash((const uint8_t *)"axzzK", 5));
    for (uint32_t i = 1; i < NKV_PW_COLLIDING_KEYS; i++) {
        assert_int_equal(nkv_pw_colliding_key(i, bytes[1]), size);
        assert_int_equal(nkv_pw_hash(bytes[1], size), hash);
        assert_memory_not_equal(bytes[0], bytes[1], size);
    }
}

static void keys_that_the_reference_confuses_are_told_apart(void **state)
{
    (void)state;
    check_keys(pw_keys, NKV_PW_COLLIDING_KEYS, 1);
    check_keys(pw_keys, 100, 2);
}

/* Random operations of all kinds, with more keys than the table takes at a
 * time. */
static void random_operations_on_colliding_keys_keep_to_the_model(void **state)
{
    static const struct {
        make_key *make;
        uint32_t key_count;
        uint32_t max_keys;
        uint8_t copies;
    } runs[] = {
        {both_ends, 40, 40, 1},  {both_ends, 300, 200, 1},
        {mixed, 200, 200, 1},    {mixed, 300, 120, 2},
        {last_hash, 100, 60, 1}, {pw_keys, 150, 100, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct nkv_workload workload = {
            .random = i,
            .key_count = runs[i].key_count,
            .key_size_max = NKV_KEY_SIZE_MAX,
            .value_size_max = 40,
            .mix = &nkv_mix_full,
            .make_key = runs[i].make,
        };
        struct nkv_model model = {0};

        open_bench(12, runs[i].max_keys, runs[i].copies);
        assert_true(nkv_workload_run(&workload, &bench, &model, 1200));
        nkv_model_free(&model);
        close_bench();
    }
}

/* An iteration that goes on behind each key as a copy of its name, while the
 * key just passed goes. */
static void colliding_keys_are_iterated_while_they_go(void **state)
{
    static make_key *const makes[] = {first_hash, last_hash, both_ends, mixed};
    uint8_t bytes[NKV_KEY_SIZE_MAX];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct nkv_iterator iterator = {0};
        uint32_t count = 0;
        enum nkv_status status;

        open_bench(8, 120, 1);
        for (uint32_t j = 0; j < 120; j++) {
            assert_ok(nkv_put(&bench.store, key_of(makes[i], j, bytes),
                              nkv_text("value")));
        }
        while ((status = nkv_next(&bench.store, &iterator)) == NKV_OK) {
            struct nkv_iterator behind = {.key_size = iterator.key_size};
            struct nkv_span key = {behind.key, behind.key_size};

            memcpy(behind.key, iterator.key, iterator.key_size);
            iterator = behind;
            count++;
            if (count % 2) {
                assert_ok(nkv_delete(&bench.store, key));
            } else {
                assert_ok(nkv_put(&bench.store, key, nkv_text("other")));
            }
        }
        assert_status(status, NKV_NOT_FOUND);
        assert_int_equal(count, 120);
        assert_int_equal(nkv_bench_statistics(&bench).keys, 60);
        close_bench();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hundreds_of_keys_of_one_hash_are_told_apart),
        cmocka_unit_test(a_table_is_filled_from_both_ends),
        cmocka_unit_test(colliding_keys_mix_with_others),
        cmocka_unit_test(the_references_keys_do_collide),
        cmocka_unit_test(keys_that_the_reference_confuses_are_told_apart),
        cmocka_unit_test(random_operations_on_colliding_keys_keep_to_the_model),
        cmocka_unit_test(colliding_keys_are_iterated_while_they_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
