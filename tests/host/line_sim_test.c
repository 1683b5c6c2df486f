/* The simulated line does what it says. */
#include "line_sim.h"
#include "test.h"

enum { SIZE = 20000 };

static void write_pattern(struct nkv_line_sim *line, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)i;
        nkv_line_sim_write(line, 0, (struct nkv_span){&byte, 1});
    }
}

static size_t read_all(struct nkv_line_sim *line, uint8_t *to, size_t capacity)
{
    size_t size = 0;
    size_t step;
    do {
        struct nkv_buffer room = {to + size, capacity - size};
        step = room.capacity == 0 ? 0 : nkv_line_sim_read(line, 1, room);
        size += step;
    } while (step > 0);
    return size;
}

static void a_good_line_carries_all_bytes_both_ways(void **state)
{
    (void)state;
    static uint8_t bytes[SIZE + 1];
    struct nkv_line_sim line;
    nkv_line_sim_init(&line, 1);
    write_pattern(&line, SIZE);
    nkv_line_sim_write(&line, 1, text_span("back"));
    assert_int_equal(read_all(&line, bytes, sizeof(bytes)), SIZE);
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(bytes[i], (uint8_t)i);
    struct nkv_buffer room = {bytes, sizeof(bytes)};
    assert_int_equal(nkv_line_sim_read(&line, 0, room), 4);
    assert_memory_equal(bytes, "back", 4);
    nkv_line_sim_free(&line);
}

static void bytes_take_their_time(void **state)
{
    (void)state;
    uint8_t bytes[16];
    struct nkv_buffer room = {bytes, sizeof(bytes)};
    struct nkv_line_sim line;
    nkv_line_sim_init(&line, 1);
    line.speed = (struct nkv_line_speed){.baud = 10000, .latency_ms = 5};
    nkv_line_sim_write(&line, 0, text_span("abc"));
    assert_int_equal(nkv_line_sim_next_us(&line, 1), 6000);
    assert_int_equal(nkv_line_sim_read(&line, 1, room), 0);
    line.now_us = 7000;
    assert_int_equal(nkv_line_sim_read(&line, 1, room), 2);
    line.now_us = 8000;
    assert_int_equal(nkv_line_sim_read(&line, 1, room), 1);
    assert_true(nkv_line_sim_next_us(&line, 1) == UINT64_MAX);
    nkv_line_sim_free(&line);
}

static void faults_come_as_often_as_asked(void **state)
{
    (void)state;
    static uint8_t bytes[2 * SIZE];
    struct nkv_line_sim line;
    nkv_line_sim_init(&line, 7);
    line.faults = (struct nkv_line_faults){
        .drop = 100000,
        .flip = 50000,
        .double_byte = 20000,
        .split = true,
    };
    write_pattern(&line, SIZE);
    size_t size = read_all(&line, bytes, sizeof(bytes));
    assert_in_range(line.counts.dropped, SIZE / 12, SIZE / 8);
    assert_in_range(line.counts.flipped, SIZE / 25, SIZE / 18);
    assert_in_range(line.counts.doubled, SIZE / 70, SIZE / 40);
    assert_int_equal(size, SIZE - line.counts.dropped + line.counts.doubled);
    nkv_line_sim_free(&line);
}

/* What is read in pieces is all there, in its order. */
static void a_read_gives_less_than_has_arrived(void **state)
{
    (void)state;
    static uint8_t bytes[SIZE];
    struct nkv_line_sim line;
    nkv_line_sim_init(&line, 5);
    line.faults.split = true;
    write_pattern(&line, SIZE);
    size_t size = 0;
    size_t reads = 0;
    while (size < SIZE) {
        struct nkv_buffer room = {bytes + size, SIZE - size};
        size_t step = nkv_line_sim_read(&line, 1, room);
        assert_in_range(step, 1, 64);
        size += step;
        reads++;
    }
    assert_in_range(reads, SIZE / 64 + 1, SIZE / 16);
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(bytes[i], (uint8_t)i);
    nkv_line_sim_free(&line);
}

static void whole_writes_are_lost_doubled_and_delayed(void **state)
{
    (void)state;
    static uint8_t bytes[2 * SIZE];
    struct nkv_line_sim line;
    nkv_line_sim_init(&line, 7);
    line.faults = (struct nkv_line_faults){
        .lose_write = 200000,
        .double_write = 100000,
        .delay = 300000,
        .delay_max_ms = 10,
    };
    write_pattern(&line, SIZE);
    line.now_us = 1000000;
    size_t size = read_all(&line, bytes, sizeof(bytes));
    assert_in_range(line.counts.writes_lost, SIZE / 6, SIZE / 4);
    assert_in_range(line.counts.writes_doubled, SIZE / 16, SIZE / 10);
    assert_true(line.counts.writes_delayed > SIZE / 5);
    assert_int_equal(size, SIZE - line.counts.writes_lost +
                               line.counts.writes_doubled);
    nkv_line_sim_free(&line);
}

static void a_delay_never_changes_the_order(void **state)
{
    (void)state;
    static uint8_t bytes[SIZE];
    struct nkv_line_sim line;
    nkv_line_sim_init(&line, 3);
    line.faults = (struct nkv_line_faults){.delay = 500000, .delay_max_ms = 50};
    for (size_t i = 0; i < SIZE; i++) {
        uint8_t byte = (uint8_t)i;
        line.now_us += 100;
        nkv_line_sim_write(&line, 0, (struct nkv_span){&byte, 1});
    }
    line.now_us += 1000000;
    assert_int_equal(read_all(&line, bytes, sizeof(bytes)), SIZE);
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(bytes[i], (uint8_t)i);
    nkv_line_sim_free(&line);
}

static void a_seed_repeats_a_run(void **state)
{
    (void)state;
    static uint8_t runs[2][2 * SIZE];
    size_t sizes[2];
    for (int i = 0; i < 2; i++) {
        struct nkv_line_sim line;
        nkv_line_sim_init(&line, 99);
        line.faults = (struct nkv_line_faults){.drop = 50000, .flip = 50000};
        write_pattern(&line, SIZE);
        sizes[i] = read_all(&line, runs[i], sizeof(runs[i]));
        nkv_line_sim_free(&line);
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(runs[0], runs[1], sizes[0]);
}

static void what_was_under_way_can_be_dropped(void **state)
{
    (void)state;
    uint8_t bytes[16];
    struct nkv_buffer room = {bytes, sizeof(bytes)};
    struct nkv_line_sim line;
    nkv_line_sim_init(&line, 1);
    nkv_line_sim_write(&line, 0, text_span("lost"));
    nkv_line_sim_clear(&line, 1);
    nkv_line_sim_write(&line, 0, text_span("kept"));
    assert_int_equal(nkv_line_sim_read(&line, 1, room), 4);
    assert_memory_equal(bytes, "kept", 4);
    nkv_line_sim_free(&line);
}

static void short_bytes_take_their_time_too(void **state)
{
    (void)state;
    static uint8_t bytes[SIZE];
    struct nkv_line_sim line;
    nkv_line_sim_init(&line, 1);
    line.speed.baud = 3000000;
    write_pattern(&line, 3000);
    assert_in_range(nkv_line_sim_sent_us(&line, 0), 9998, 10000);
    line.now_us = 9990;
    assert_in_range(read_all(&line, bytes, sizeof(bytes)), 2996, 2998);
    line.now_us = 10000;
    assert_in_range(read_all(&line, bytes, sizeof(bytes)), 2, 4);
    assert_int_equal(nkv_line_sim_sent_us(&line, 0), 10000);
    nkv_line_sim_free(&line);
}

static void a_buffer_that_is_not_read_runs_over(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct nkv_buffer four = {bytes, 4};
    struct nkv_line_sim line;
    nkv_line_sim_init(&line, 1);
    line.speed.baud = 10000;
    line.room[1] = 8;
    write_pattern(&line, 30);
    /* Ten have arrived, eight of them lie there. */
    line.now_us = 10000;
    assert_int_equal(nkv_line_sim_read(&line, 1, four), 4);
    assert_memory_equal(bytes, "\0\1\2\3", 4);
    assert_int_equal(line.counts.overruns[1], 2);
    /* Five more, for which there is room for four. */
    line.now_us = 15000;
    assert_int_equal(read_all(&line, bytes, sizeof(bytes)), 8);
    assert_memory_equal(bytes, "\4\5\6\7\12\13\14\15", 8);
    assert_int_equal(line.counts.overruns[1], 3);
    /* One that is read in time loses nothing. */
    for (; line.now_us <= 30000; line.now_us += 1000)
        (void)read_all(&line, bytes, sizeof(bytes));
    assert_int_equal(line.counts.overruns[1], 3);
    assert_int_equal(bytes[0], 29);
    assert_int_equal(line.counts.overruns[0], 0);
    nkv_line_sim_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_line_carries_all_bytes_both_ways),
        cmocka_unit_test(bytes_take_their_time),
        cmocka_unit_test(faults_come_as_often_as_asked),
        cmocka_unit_test(a_read_gives_less_than_has_arrived),
        cmocka_unit_test(whole_writes_are_lost_doubled_and_delayed),
        cmocka_unit_test(a_delay_never_changes_the_order),
        cmocka_unit_test(a_seed_repeats_a_run),
        cmocka_unit_test(what_was_under_way_can_be_dropped),
        cmocka_unit_test(short_bytes_take_their_time_too),
        cmocka_unit_test(a_buffer_that_is_not_read_runs_over),
    };
    return cmocka_run_group_tests_name("line_sim", tests, NULL, NULL);
}
