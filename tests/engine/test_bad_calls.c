/* Calls of the flash that fail, once or always, or lie: what was written before
 * and what is written meanwhile is there. */
#include "bench.h"
#include "check.h"
#include "random.h"
#include "results.h"
#include "session.h"
#include "workload.h"

#include <stdio.h>

enum { SECTOR = 512, SECTORS = 6, SIZE = SECTORS * SECTOR };

static struct nkv_session session;
static bool has_session;
static struct nkv_bench bench;
static bool is_open;
static struct nkv_model model;

static int tear_down(void **state)
{
    (void)state;
    if (is_open) {
        nkv_bench_free(&bench);
        nkv_model_free(&model);
    }
    is_open = false;
    if (has_session) {
        nkv_session_end(&session);
    }
    has_session = false;
    return 0;
}

static void begin_session(const struct nkv_bench_setup *setup, uint64_t seed)
{
    has_session = true;
    assert_true(nkv_session_begin(&session, setup, seed));
}

static void write_some(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_true(nkv_session_write_any(&session));
        assert_true(nkv_session_check(&session));
    }
}

static void end_session(void)
{
    assert_true(nkv_session_recovers(&session));
    (void)tear_down(NULL);
}

/* What a fault is added with, in the middle of a workload. */
typedef void add_fault_fn(void *context);

/* A workload goes on, and remounts find everything, with a fault present. */
static void run_with(add_fault_fn *add_fault, void *context, uint8_t copies,
                     uint32_t after)
{
    static const struct nkv_workload_mix mix = {.puts = 700, .deletes = 200};
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, SECTORS, 16),
                                          .copies = copies};
    struct nkv_workload workload = {.random = 11,
                                    .key_count = 8u / copies,
                                    .key_size_max = 8,
                                    .value_size_max = 30,
                                    .mix = &mix};

    nkv_bench_init(&bench, &setup);
    is_open = true;
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_workload_run(&workload, &bench, &model, after));
    add_fault(context);
    for (int i = 0; i < 8; i++) {
        assert_true(nkv_workload_run(&workload, &bench, &model, 50));
        assert_ok(nkv_bench_mount(&bench));
        assert_true(nkv_model_agrees(&model, &bench.store));
    }
    assert_true(nkv_bench_is_sound(&bench));
    (void)tear_down(NULL);
}

static void add_sim_fault(void *context)
{
    const struct nkv_sim_fault *fault = context;

    nkv_flash_sim_add_fault(&bench.sim, *fault);
}

static void run_in_each_sector(const char *fault_class,
                               enum nkv_sim_fault_kind kind, uint32_t times)
{
    for (uint32_t copies = 1; copies <= 2; copies++) {
        for (uint32_t i = 0; i < SECTORS * 4; i++) {
            struct nkv_sim_fault fault = {.kind = kind,
                                          .offset = i / 4 * SECTOR,
                                          .size = SECTOR,
                                          .status = NKV_UNAVAILABLE,
                                          .times = times};

            nkv_fault_tried(fault_class);
            run_with(add_sim_fault, &fault, (uint8_t)copies, i % 4 * 67);
            nkv_fault_survived();
        }
    }
}

static void a_program_that_fails_costs_nothing(void **state)
{
    (void)state;
    run_in_each_sector("program fails once", NKV_SIM_FAULT_PROGRAM, 1);
    run_in_each_sector("program fails always", NKV_SIM_FAULT_PROGRAM, 0);
}

static void a_program_that_silently_does_nothing_costs_nothing(void **state)
{
    (void)state;
    run_in_each_sector("program silently does nothing, once",
                       NKV_SIM_FAULT_SILENT_PROGRAM, 1);
    run_in_each_sector("program silently does nothing, always",
                       NKV_SIM_FAULT_SILENT_PROGRAM, 0);
}

static void a_program_that_is_done_but_fails_costs_nothing(void **state)
{
    (void)state;
    run_in_each_sector("program done but fails, once",
                       NKV_SIM_FAULT_LATE_PROGRAM, 1);
    run_in_each_sector("program done but fails, always",
                       NKV_SIM_FAULT_LATE_PROGRAM, 0);
}

static void an_erase_that_fails_costs_nothing(void **state)
{
    (void)state;
    run_in_each_sector("erase fails once", NKV_SIM_FAULT_ERASE, 1);
    run_in_each_sector("erase fails always", NKV_SIM_FAULT_ERASE, 0);
}

static void an_erase_that_silently_does_nothing_costs_nothing(void **state)
{
    (void)state;
    run_in_each_sector("erase silently does nothing, once",
                       NKV_SIM_FAULT_SILENT_ERASE, 1);
    run_in_each_sector("erase silently does nothing, always",
                       NKV_SIM_FAULT_SILENT_ERASE, 0);
}

static void reads_that_fail_once_cost_nothing(void **state)
{
    (void)state;
    run_in_each_sector("read fails once", NKV_SIM_FAULT_READ, 1);
}

/* From the start on, before anything was written there. */
static void stuck_bits_are_worked_around(void **state)
{
    uint64_t random = 12;

    (void)state;
    for (unsigned i = 0; i < 120; i++) {
        struct nkv_sim_fault fault = {
            .kind = i % 2 ? NKV_SIM_FAULT_STUCK_AT_0 : NKV_SIM_FAULT_STUCK_AT_1,
            .offset = nkv_random_below(&random, SIZE),
            .size = 1 + nkv_random_below(&random, 3),
            .mask = (uint8_t)(1u << nkv_random_below(&random, 8))};

        nkv_fault_tried("bit stuck while written to");
        run_with(add_sim_fault, &fault, (uint8_t)(1 + i % 2), 0);
        nkv_fault_survived();
    }
}

static void fail_unit(void *context)
{
    const uint32_t *offset = context;

    nkv_flash_sim_fail_unit(&bench.sim, *offset);
}

static void a_unit_that_fails_for_good_costs_nothing(void **state)
{
    (void)state;
    for (uint32_t offset = 0; offset < SIZE; offset += 16) {
        nkv_fault_tried("program unit fails for good");
        run_with(fail_unit, &offset, 1, offset % 48 * 4);
        nkv_fault_survived();
    }
}

/* One sector that cannot be read: a read of what is in it says so, the rest
 * goes on, and when it can be read again everything is there. */
static void reads_that_always_fail_lose_nothing(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SECTORS * 8; i++) {
        const struct nkv_bench_setup setup = {
            NKV_FLASH(SECTOR, SECTORS, 16),
            .copies = (uint8_t)(1 + i / (SECTORS * 4))};
        struct nkv_sim_fault fault = {.kind = NKV_SIM_FAULT_READ,
                                      .offset = i % SECTORS * SECTOR,
                                      .size = SECTOR,
                                      .status = NKV_UNAVAILABLE};

        nkv_fault_tried("read fails always");
        begin_session(&setup, i + 1);
        write_some(50 + i);
        nkv_flash_sim_add_fault(&session.bench.sim, fault);
        session.reads_fail = true;
        write_some(100);
        end_session();
        nkv_fault_survived();
    }
}

/* A mount that cannot read a sector leaves the flash as it is. */
static void a_mount_that_cannot_read_writes_nothing(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SECTORS * 4; i++) {
        const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, SECTORS, 16)};
        struct nkv_sim_fault fault = {.kind = NKV_SIM_FAULT_READ,
                                      .offset = i % SECTORS * SECTOR,
                                      .size = SECTOR,
                                      .status = NKV_UNAVAILABLE};
        uint64_t operations;

        nkv_fault_tried("read fails always, at mount");
        begin_session(&setup, i + 1);
        write_some(100);
        operations = session.bench.sim.counts.operations;
        nkv_flash_sim_add_fault(&session.bench.sim, fault);
        assert_status(nkv_bench_mount(&session.bench), NKV_UNAVAILABLE);
        assert_true(session.bench.sim.counts.operations == operations);
        end_session();
        nkv_fault_survived();
    }
}

/* A driver may say what it likes: a mount that cannot read ends, and what the
 * engine says of entries and room with a status of its own is not taken for
 * that. */
static void a_mount_ends_whatever_a_read_says(void **state)
{
    (void)state;
    for (int status = NKV_CANCELLED; status <= NKV_UNAUTHENTICATED; status++) {
        const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, SECTORS, 16)};
        struct nkv_sim_fault fault = {.kind = NKV_SIM_FAULT_READ,
                                      .offset = SECTOR,
                                      .size = SECTOR,
                                      .status = (enum nkv_status)status};
        bool is_ours = status >= NKV_NOT_FOUND && status <= NKV_ABORTED &&
                       status != NKV_PERMISSION_DENIED;
        uint64_t operations;

        if (status == NKV_DATA_LOSS) {
            continue;
        }
        begin_session(&setup, 1);
        write_some(100);
        operations = session.bench.sim.counts.operations;
        nkv_flash_sim_add_fault(&session.bench.sim, fault);
        assert_status(nkv_bench_mount(&session.bench),
                      is_ours ? NKV_INTERNAL : status);
        assert_true(session.bench.sim.counts.operations == operations);
        end_session();
    }
}

/* Bits that read wrong now and then, while the flash is well: no read gives a
 * wrong value, and nothing is lost by it. */
static void disturbed_reads_give_no_wrong_value(void **state)
{
    static const uint32_t rates[] = {100, 300, 1000, 3000};

    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, SECTORS, 16),
                                              .copies = (uint8_t)(1 + i % 2)};

        nkv_fault_tried("reads disturbed (sessions)");
        begin_session(&setup, i + 1);
        write_some(40);
        session.reads_fail = true;
        session.bench.sim.disturb_every = rates[i / 2 % 4];
        write_some(400);
        assert_true(rates[i / 2 % 4] > 1000 ||
                    session.bench.sim.counts.disturbed > 0);
        end_session();
        nkv_fault_survived();
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_that_fails_costs_nothing),
        TEST(a_program_that_silently_does_nothing_costs_nothing),
        TEST(a_program_that_is_done_but_fails_costs_nothing),
        TEST(an_erase_that_fails_costs_nothing),
        TEST(an_erase_that_silently_does_nothing_costs_nothing),
        TEST(reads_that_fail_once_cost_nothing),
        TEST(stuck_bits_are_worked_around),
        TEST(a_unit_that_fails_for_good_costs_nothing),
        TEST(reads_that_always_fail_lose_nothing),
        TEST(a_mount_that_cannot_read_writes_nothing),
        TEST(a_mount_ends_whatever_a_read_says),
        TEST(disturbed_reads_give_no_wrong_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
