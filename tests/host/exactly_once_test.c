/* Whatever the line, the host and the device do: what was acknowledged was done
 * once, and nothing else was done but what was reported as not known. */
#include "storm.h"
#include "test.h"
#include <stdio.h>

#ifdef NORKV_LONG
enum { SEEDS = 40, MUTATIONS = 25000 };
#else
enum { SEEDS = 3, MUTATIONS = 10000 };
#endif

/* Three writes in a hundred are lost each way, a frame being a write. */
static const struct nkv_line_faults bad = {
    .lose_write = 30000,
    .double_write = 20000,
    .delay = 30000,
    .delay_max_ms = 400,
    .flip = 20,
    .split = true,
};

static void run(const struct nkv_storm_setup *setup)
{
    struct nkv_storm *storm = nkv_storm_open(setup);
    while (storm->mutations < MUTATIONS) {
        nkv_storm_write(storm);
        if (nkv_storm_below(storm, 3) == 0)
            nkv_storm_read(storm);
    }
    nkv_storm_settle(storm);
    uint32_t unknown = 0;
    uint32_t abandoned = 0;
    for (size_t store = 0; store < NKV_DEVICE_STORES; store++) {
        for (size_t i = 0; i < NKV_STORM_COUNTERS; i++) {
            unknown += storm->counters[store][i].unknown;
            abandoned += storm->counters[store][i].abandoned;
        }
    }
    print_message("seed %llu: %u mutations, %u acknowledged, %u unknown, %u "
                  "abandoned; %u hosts, %u boots, %u power cuts; %llu requests "
                  "repeated, %u late answers, %u calls out of time\n",
                  (unsigned long long)setup->seed, storm->mutations,
                  storm->acknowledged, unknown, abandoned, storm->hosts,
                  storm->device.boots, storm->power_cuts,
                  (unsigned long long)storm->retries, storm->late,
                  storm->out_of_time);
    /* It did happen. */
    assert_true(storm->acknowledged > MUTATIONS / 10 * 9);
    assert_true(storm->retries > MUTATIONS / 100);
    assert_true(storm->late > MUTATIONS / 200);
    if (setup->host_restart_every != 0) {
        assert_true(storm->hosts > 20);
        assert_true(storm->device.boots > 50);
        assert_true(storm->power_cuts > 40);
        /* Their host went, or their time ran out. */
        assert_in_range(abandoned, 1, storm->hosts + storm->out_of_time);
    } else {
        /* The storm's end starts the device anew. */
        assert_int_equal(storm->hosts, 1);
        assert_int_equal(storm->device.boots, 2);
        assert_int_equal(abandoned, 0);
        assert_int_equal(unknown, 0);
    }
    nkv_storm_close(storm);
}

static void a_bad_line_does_everything_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct nkv_storm_setup setup = {
            .seed = seed,
            .faults = bad,
            .speed = {921600, 1},
        };
        run(&setup);
    }
}

static void so_it_does_with_hosts_and_devices_that_start_anew(void **state)
{
    (void)state;
    for (uint64_t seed = 101; seed < 101 + SEEDS; seed++) {
        struct nkv_storm_setup setup = {
            .seed = seed,
            .faults = bad,
            .speed = {115200, 1},
            .host_restart_every = 50,
            .device_restart_every = 30,
            .power_cut_every = 15,
            .brief_every = 20,
        };
        run(&setup);
    }
}

static void so_does_a_small_device_with_a_slow_flash(void **state)
{
    (void)state;
    for (uint64_t seed = 201; seed < 201 + SEEDS; seed++) {
        struct nkv_storm_setup setup = {
            .seed = seed,
            .faults = bad,
            .speed = {115200, 1},
            .device =
                {
                    .frame_size = 320,
                    .ring_size = 512,
                    .packet_size = 300,
                    .transmit_size = 16,
                    .program_us = 164,
                    .erase_us = 20000,
                },
            .host_restart_every = 100,
            .device_restart_every = 100,
            .power_cut_every = 50,
            .brief_every = 50,
        };
        run(&setup);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_line_does_everything_once),
        cmocka_unit_test(so_it_does_with_hosts_and_devices_that_start_anew),
        cmocka_unit_test(so_does_a_small_device_with_a_slow_flash),
    };
    return cmocka_run_group_tests_name("exactly_once", tests, NULL, NULL);
}
