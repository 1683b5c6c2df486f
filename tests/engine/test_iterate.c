/* Iteration and keys that are easily mistaken for one another. */
#include "bench.h"
#include "check.h"
#include "collide.h"
#include "index.h"
#include "model.h"

#include <stdio.h>
#include <string.h>

static struct nkv_bench bench;

static int set_up(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(4096, 4, 16)};

    (void)state;
    nkv_bench_init(&bench, &setup);
    assert_ok(nkv_bench_mount(&bench));
    return 0;
}

static int tear_down(void **state)
{
    bool good = nkv_bench_is_sound(&bench);

    (void)state;
    nkv_bench_free(&bench);
    return good ? 0 : -1;
}

static void an_empty_store_has_no_first_key(void **state)
{
    struct nkv_iterator iterator = {0};

    (void)state;
    assert_status(nkv_next(&bench.store, &iterator), NKV_NOT_FOUND);
}

static void tombstones_are_not_iterated(void **state)
{
    struct nkv_iterator iterator = {0};

    (void)state;
    assert_ok(nkv_bench_put(&bench, "a", "1"));
    assert_ok(nkv_bench_put(&bench, "b", "2"));
    assert_ok(nkv_bench_delete(&bench, "a"));
    assert_ok(nkv_bench_delete(&bench, "b"));
    assert_status(nkv_next(&bench.store, &iterator), NKV_NOT_FOUND);
    assert_int_equal(nkv_bench_statistics(&bench).tombstones, 2);
}

static void iteration_tells_key_size_and_version(void **state)
{
    struct nkv_iterator iterator = {0};

    (void)state;
    assert_ok(nkv_bench_put(&bench, "first", "x"));
    assert_ok(nkv_bench_put(&bench, "key", "value"));
    assert_ok(nkv_bench_delete(&bench, "first"));
    assert_ok(nkv_next(&bench.store, &iterator));
    assert_int_equal(iterator.key_size, 3);
    assert_memory_equal(iterator.key, "key", 3);
    assert_int_equal(iterator.value.total_size, 5);
    assert_int_equal(iterator.value.version, 2);
    assert_int_equal(iterator.value.size, 0);
    assert_status(nkv_next(&bench.store, &iterator), NKV_NOT_FOUND);
    assert_status(nkv_next(&bench.store, &iterator), NKV_NOT_FOUND);
}

static size_t numbered_key(unsigned number, char *to)
{
    return (size_t)snprintf(to, 16, "key-%u", number);
}

/* Iterates over 60 keys that stay, while others come and go. */
static void keys_that_stay_come_once_whatever_changes_meanwhile(void **state)
{
    struct nkv_iterator iterator = {0};
    unsigned seen[60] = {0}, steps = 0;
    enum nkv_status status;
    char key[16];

    (void)state;
    for (unsigned i = 0; i < 120; i++) {
        numbered_key(i, key);
        assert_ok(nkv_bench_put(&bench, key, "v"));
    }
    while ((status = nkv_next(&bench.store, &iterator)) == NKV_OK) {
        unsigned number;

        memcpy(key, iterator.key, iterator.key_size);
        key[iterator.key_size] = '\0';
        assert_int_equal(sscanf(key, "key-%u", &number), 1);
        if (number < 60) {
            seen[number]++;
        }
        numbered_key(60 + steps % 60, key);
        assert_ok(steps < 60 ? nkv_bench_delete(&bench, key)
                             : nkv_bench_put(&bench, key, "again"));
        numbered_key(steps % 60, key);
        assert_ok(nkv_bench_put(&bench, key, steps % 2 ? "v" : "changed"));
        assert_true(++steps < 300);
    }
    assert_status(status, NKV_NOT_FOUND);
    for (unsigned i = 0; i < 60; i++) {
        assert_int_equal(seen[i], 1);
    }
}

static void iteration_goes_on_behind_a_given_key(void **state)
{
    struct nkv_iterator iterator = {0}, other = {0};
    unsigned count = 0;
    char key[16];

    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        numbered_key(i, key);
        assert_ok(nkv_bench_put(&bench, key, "v"));
    }
    while (nkv_next(&bench.store, &iterator) == NKV_OK) {
        struct nkv_iterator behind = {0};

        if (count++ > 0) {
            memcpy(behind.key, other.key, other.key_size);
            behind.key_size = other.key_size;
            assert_ok(nkv_next(&bench.store, &behind));
            assert_int_equal(behind.key_size, iterator.key_size);
            assert_memory_equal(behind.key, iterator.key, behind.key_size);
        }
        other = iterator;
    }
    assert_int_equal(count, 50);
}

/* The key that an iteration is at may go while it waits. */
static void iteration_goes_on_behind_a_key_that_was_deleted(void **state)
{
    struct nkv_iterator iterator = {0};
    unsigned count = 0;
    char key[16];

    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        numbered_key(i, key);
        assert_ok(nkv_bench_put(&bench, key, "v"));
    }
    while (nkv_next(&bench.store, &iterator) == NKV_OK) {
        struct nkv_span current = {iterator.key, iterator.key_size};

        assert_ok(nkv_delete(&bench.store, current));
        count++;
    }
    assert_int_equal(count, 50);
    assert_int_equal(nkv_bench_statistics(&bench).keys, 0);
}

/* The keys must collide for the tests of collisions to test anything. */
static void the_colliding_keys_do_collide(void **state)
{
    uint8_t bytes[NKV_COLLIDING_KEY_SIZE];
    struct nkv_span key = {bytes, nkv_colliding_key(0, bytes)};
    uint32_t hash = nkv_hash(key);

    (void)state;
    for (uint32_t i = 1; i < NKV_COLLIDING_KEYS; i++) {
        nkv_colliding_key(i, bytes);
        assert_int_equal(nkv_hash(key), hash);
    }
}

/* At both ends of the range, where the table ends too. */
static void keys_made_for_a_hash_have_it(void **state)
{
    static const uint32_t hashes[] = {0,          1,          0x7FFFFFFF,
                                      0x80000000, 0xFFFFFFFE, 0xFFFFFFFF};

    (void)state;
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        for (uint32_t j = 0; j < NKV_KEYS_OF_HASH; j += 5) {
            uint8_t bytes[NKV_KEY_OF_HASH_SIZE];
            struct nkv_span key = {bytes, nkv_key_of_hash(hashes[i], j, bytes)};

            assert_int_equal(nkv_hash(key), hashes[i]);
        }
    }
}

static void put_colliding_keys(struct nkv_model *model)
{
    for (uint32_t i = 0; i < NKV_COLLIDING_KEYS; i++) {
        uint8_t bytes[NKV_COLLIDING_KEY_SIZE];
        struct nkv_span key = {bytes, nkv_colliding_key(i, bytes)};
        const char text[3] = {'v', (char)('0' + i), '\0'};

        assert_ok(nkv_put(&bench.store, key, nkv_text(text)));
        nkv_model_put(model, key, nkv_text(text));
    }
}

static void sixty_four_keys_of_one_hash_are_sixty_four_keys(void **state)
{
    struct nkv_model model = {0};

    (void)state;
    put_colliding_keys(&model);
    assert_int_equal(model.count, NKV_COLLIDING_KEYS);
    assert_true(nkv_model_agrees(&model, &bench.store));
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_model_agrees(&model, &bench.store));
    for (uint32_t i = 0; i < NKV_COLLIDING_KEYS; i += 3) {
        uint8_t bytes[NKV_COLLIDING_KEY_SIZE];
        struct nkv_span key = {bytes, nkv_colliding_key(i, bytes)};

        assert_ok(nkv_delete(&bench.store, key));
        nkv_model_delete(&model, key);
        assert_true(nkv_model_agrees(&model, &bench.store));
    }
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_model_agrees(&model, &bench.store));
    nkv_model_free(&model);
}

/* Iteration in steps, each behind a copy of the last key alone. */
static void keys_of_one_hash_are_iterated_behind_one_another(void **state)
{
    struct nkv_iterator last = {0};
    struct nkv_model model = {0};
    unsigned count = 0;

    (void)state;
    put_colliding_keys(&model);
    for (;;) {
        struct nkv_iterator behind = {0};

        memcpy(behind.key, last.key, last.key_size);
        behind.key_size = last.key_size;
        if (nkv_next(&bench.store, &behind) != NKV_OK) {
            break;
        }
        assert_true(nkv_model_delete(
            &model, (struct nkv_span){behind.key, behind.key_size}));
        last = behind;
        assert_true(++count <= NKV_COLLIDING_KEYS);
    }
    assert_int_equal(count, NKV_COLLIDING_KEYS);
    nkv_model_free(&model);
}

/* A collision in the hash of pw_kvs: present, and as a tombstone. */
static void the_references_colliding_keys_are_two_keys(void **state)
{
    (void)state;
    assert_ok(nkv_bench_put(&bench, "D4", "one"));
    assert_string_equal(nkv_bench_get(&bench, "dFU6S"), "(NOT_FOUND)");
    assert_status(nkv_bench_delete(&bench, "dFU6S"), NKV_NOT_FOUND);
    assert_ok(nkv_bench_put(&bench, "dFU6S", "two"));
    assert_string_equal(nkv_bench_get(&bench, "D4"), "one");
    assert_ok(nkv_bench_delete(&bench, "D4"));
    assert_string_equal(nkv_bench_get(&bench, "dFU6S"), "two");
    assert_ok(nkv_bench_put(&bench, "axzzK", "three"));
    assert_string_equal(nkv_bench_get(&bench, "9FDC"), "(NOT_FOUND)");
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "D4"), "(NOT_FOUND)");
    assert_string_equal(nkv_bench_get(&bench, "dFU6S"), "two");
    assert_string_equal(nkv_bench_get(&bench, "axzzK"), "three");
}

static void keys_that_differ_behind_a_nul_are_apart(void **state)
{
    static const uint8_t bytes[4][3] = {
        {'a', 0, 'b'}, {'a', 0, 'c'}, {'a', 0, 0}, {0, 0, 0}};
    struct nkv_model model = {0};

    (void)state;
    for (uint8_t i = 0; i < 4; i++) {
        for (size_t size = 1; size <= 3; size++) {
            struct nkv_span key = {bytes[i], size};
            const uint8_t value[2] = {i, (uint8_t)size};
            struct nkv_span span = {value, 2};

            assert_ok(nkv_put(&bench.store, key, span));
            nkv_model_put(&model, key, span);
        }
    }
    assert_int_equal(model.count, 8);
    assert_true(nkv_model_agrees(&model, &bench.store));
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_model_agrees(&model, &bench.store));
    nkv_model_free(&model);
}

static void every_byte_may_be_a_key(void **state)
{
    struct nkv_model model = {0};

    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        const uint8_t byte = (uint8_t)i;
        struct nkv_span key = {&byte, 1};

        assert_ok(nkv_put(&bench.store, key, key));
        nkv_model_put(&model, key, key);
    }
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_model_agrees(&model, &bench.store));
    nkv_model_free(&model);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_store_has_no_first_key),
        TEST(tombstones_are_not_iterated),
        TEST(iteration_tells_key_size_and_version),
        TEST(keys_that_stay_come_once_whatever_changes_meanwhile),
        TEST(iteration_goes_on_behind_a_given_key),
        TEST(iteration_goes_on_behind_a_key_that_was_deleted),
        TEST(the_colliding_keys_do_collide),
        TEST(keys_made_for_a_hash_have_it),
        TEST(sixty_four_keys_of_one_hash_are_sixty_four_keys),
        TEST(keys_of_one_hash_are_iterated_behind_one_another),
        TEST(the_references_colliding_keys_are_two_keys),
        TEST(keys_that_differ_behind_a_nul_are_apart),
        TEST(every_byte_may_be_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
