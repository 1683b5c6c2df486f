/* Tombstones go away by themselves: keys that come and go for ever, with no
 * other call than put and delete. */
#include "check.h"
#include "load.h"
#include "random.h"

#include <stdio.h>

enum { STREAM = 20000 };

static struct nkv_bench bench;

/* What comes between: keys that stay and are written again now and then, and
 * remounts. 0: none. */
struct stream {
    struct nkv_bench_setup setup;
    uint32_t live_percent;
    uint32_t rewrite_every;
    uint32_t mount_every;
    /* Keys that are there at a time. */
    uint32_t width;
};

enum { FIRST_NEW = 1000 };

static void check_counts(const struct stream *stream, uint32_t live)
{
    struct nkv_statistics now = nkv_bench_statistics(&bench);

    assert_true(now.keys <= live + stream->width);
    assert_true(now.tombstones <= now.max_tombstones);
    assert_int_equal(now.max_tombstones, NKV_TOMBSTONES(bench.setup.max_keys));
    assert_int_equal(now.max_keys, bench.setup.max_keys);
    assert_true(nkv_bench_is_sound(&bench));
}

/* One more key comes, and the oldest of the stream goes. */
static void pass_one(const struct stream *stream, uint32_t number)
{
    enum nkv_status status = nkv_load_put(&bench, FIRST_NEW + number, number);

    if (status == NKV_OK && number >= stream->width - 1) {
        uint32_t oldest = number - (stream->width - 1);

        assert_true(nkv_load_gives(&bench, FIRST_NEW + oldest, oldest));
        status = nkv_load_delete(&bench, FIRST_NEW + oldest);
    }
    if (status != NKV_OK) {
        fail_msg("%u sectors of %u, key %u: %s", bench.setup.sector_count,
                 bench.setup.sector_size, number, nkv_status_name(status));
    }
}

static void check_stream(const struct stream *stream)
{
    uint32_t live, salt = 0, length;

    nkv_bench_init(&bench, &stream->setup);
    assert_ok(nkv_bench_mount(&bench));
    live = nkv_load_count(&bench, stream->live_percent);
    length = live > 0 || stream->mount_every > 0 ? STREAM / 4 : STREAM;
    for (uint32_t i = 0; i < live; i++) {
        assert_ok(nkv_load_put(&bench, i, salt));
    }
    for (uint32_t i = 0; i < length; i++) {
        pass_one(stream, i);
        if (stream->rewrite_every > 0 && i % stream->rewrite_every == 0) {
            salt++;
            for (uint32_t j = 0; j < live; j++) {
                assert_ok(nkv_load_put(&bench, j, salt));
            }
        }
        if (stream->mount_every > 0 && i % stream->mount_every == 0) {
            assert_ok(nkv_bench_mount(&bench));
        }
        if (i % 8 == 0) {
            check_counts(stream, live);
        }
    }
    for (uint32_t i = 0; i < live; i++) {
        assert_true(nkv_load_gives(&bench, i, salt));
    }
    assert_ok(nkv_bench_mount(&bench));
    check_counts(stream, live);
    assert_int_equal(nkv_bench_statistics(&bench).keys,
                     live + stream->width - 1);
    nkv_bench_free(&bench);
}

static void check_streams(const struct stream *streams, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_stream(&streams[i]);
    }
}

#define SMALL_TABLE .max_keys = 16

static void an_endless_stream_of_keys_leaves_no_tombstones(void **state)
{
    static const struct stream streams[] = {
        {{NKV_FLASH(512, 2, 16)}, .width = 1},
        {{NKV_FLASH(512, 2, 16), SMALL_TABLE}, .width = 1},
        {{NKV_FLASH(512, 4, 16)}, .width = 1},
        {{NKV_FLASH(512, 4, 16), SMALL_TABLE}, .width = 1},
        {{NKV_FLASH(160, 95, 32)}, .width = 1},
        {{NKV_FLASH(160, 95, 32), SMALL_TABLE}, .width = 1},
        {{NKV_FLASH(512, 4, 16), .copies = 2}, .width = 1},
        {{NKV_FLASH(512, 6, 64), .copies = 3}, .width = 1},
    };

    (void)state;
    check_streams(streams, sizeof streams / sizeof *streams);
}

static void remounts_do_not_stop_a_stream_of_keys(void **state)
{
    static const struct stream streams[] = {
        {{NKV_FLASH(512, 2, 16)}, .width = 1, .mount_every = 7},
        {{NKV_FLASH(512, 4, 16), SMALL_TABLE}, .width = 1, .mount_every = 50},
        {{NKV_FLASH(160, 95, 32)}, .width = 1, .mount_every = 333},
        {{NKV_FLASH(160, 95, 32), SMALL_TABLE}, .width = 2, .mount_every = 50},
        {{NKV_FLASH(512, 4, 16), .copies = 2}, .width = 1, .mount_every = 7},
    };

    (void)state;
    check_streams(streams, sizeof streams / sizeof *streams);
}

static void live_keys_in_between_do_not_stop_a_stream_of_keys(void **state)
{
    static const struct stream streams[] = {
        {{NKV_FLASH(512, 2, 16)}, 25, .width = 1},
        {{NKV_FLASH(512, 4, 16)}, 40, .width = 3},
        {{NKV_FLASH(512, 4, 16), SMALL_TABLE}, 30, 100, 70, .width = 2},
        {{NKV_FLASH(160, 95, 32), .max_keys = 100}, 50, .width = 5},
        {{NKV_FLASH(160, 95, 32)}, 50, 1000, .width = 20},
        {{NKV_FLASH(512, 4, 16), .copies = 2}, 30, .width = 1},
        {{NKV_FLASH(512, 6, 16), .copies = 2}, 40, 100, 70, .width = 2},
    };

    (void)state;
    check_streams(streams, sizeof streams / sizeof *streams);
}

/* All keys of a full store go, one after the other, and as many others come:
 * as many tombstones at a time as there can be. */
static void a_store_is_emptied_and_filled_over_and_over(void **state)
{
    static const struct nkv_bench_setup setups[] = {
        {NKV_FLASH(512, 2, 16)},
        {NKV_FLASH(512, 4, 16), .max_keys = 30},
        {NKV_FLASH(160, 95, 32), .max_keys = 80},
        {NKV_FLASH(512, 6, 16), .copies = 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
        uint32_t count, number = 0;

        nkv_bench_init(&bench, &setups[i]);
        assert_ok(nkv_bench_mount(&bench));
        count = nkv_load_count(&bench, 40);
        for (uint32_t round = 0; round < 100; round++) {
            for (uint32_t j = 0; j < count; j++) {
                assert_ok(nkv_load_put(&bench, number + j, round));
            }
            for (uint32_t j = 0; j < count; j++) {
                assert_ok(nkv_load_delete(&bench, number + j));
            }
            assert_int_equal(nkv_bench_statistics(&bench).keys, 0);
            number += count;
        }
        assert_true(nkv_bench_is_sound(&bench));
        nkv_bench_free(&bench);
    }
}

/* What was deleted long ago does not come back, whatever was dropped. */
static void no_key_of_a_stream_comes_back(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(512, 6, 16), SMALL_TABLE};
    uint64_t random = 4;

    (void)state;
    nkv_bench_init(&bench, &setup);
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < 3000; i++) {
        struct nkv_iterator iterator = {0};

        assert_ok(nkv_load_put(&bench, i, i));
        if (nkv_random_below(&random, 3) == 0) {
            assert_ok(nkv_load_put(&bench, i, i + 1));
        }
        assert_ok(nkv_load_delete(&bench, i));
        if (i % 20 == 0) {
            assert_ok(nkv_bench_mount(&bench));
        }
        assert_status(nkv_next(&bench.store, &iterator), NKV_NOT_FOUND);
    }
    nkv_bench_free(&bench);
}

static void idle_steps_do_not_stop_a_stream_of_keys(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(512, 4, 16), SMALL_TABLE};

    (void)state;
    nkv_bench_init(&bench, &setup);
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < 5000; i++) {
        assert_ok(nkv_load_put(&bench, i, i));
        assert_ok(nkv_load_delete(&bench, i));
        if (i % 5 == 0) {
            assert_true(nkv_load_settle(&bench));
        }
        assert_true(nkv_bench_statistics(&bench).tombstones <=
                    NKV_TOMBSTONES(16));
    }
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endless_stream_of_keys_leaves_no_tombstones),
        cmocka_unit_test(remounts_do_not_stop_a_stream_of_keys),
        cmocka_unit_test(live_keys_in_between_do_not_stop_a_stream_of_keys),
        cmocka_unit_test(a_store_is_emptied_and_filled_over_and_over),
        cmocka_unit_test(no_key_of_a_stream_comes_back),
        cmocka_unit_test(idle_steps_do_not_stop_a_stream_of_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
