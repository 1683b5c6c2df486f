/* The name of an image of the power-cut test makes that image and no other, and
 * a torn entry is excused only when its CRC-16 is right by chance. */
#include "check.h"
#include "cut.h"
#include "entry_image.h"

#include <string.h>

static struct nkv_cut_run run;

/* A few operations of a case, cut as deep as it goes. */
static const struct nkv_cut_effort deep = {.ways = 32,
                                           .seeds = 2,
                                           .twice = 4,
                                           .twice_ways = 16,
                                           .writes = 2,
                                           .thrice = 1,
                                           .rounds = 8};

static void run_some(const char *name, uint32_t operations)
{
    memset(&run, 0, sizeof run);
    run.the_case = nkv_cut_find_case(name, strlen(name));
    assert_non_null(run.the_case);
    run.effort = &deep;
    run.seed = 1;
    run.operations = operations;
    nkv_cut_run_case(&run);
}

static void make_only(const char *case_name, const struct nkv_cut_name *name)
{
    memset(&run, 0, sizeof run);
    run.the_case = nkv_cut_find_case(case_name, strlen(case_name));
    assert_non_null(run.the_case);
    run.effort = &deep;
    run.seed = 1;
    run.only = name;
    nkv_cut_run_case(&run);
}

/* Makes the image of a name again, as text; what it was is checked. */
static void replay(const char *case_name, const struct nkv_cut_name *name,
                   uint32_t sum)
{
    static struct nkv_cut_run again;
    struct nkv_cut_name parsed;
    char text[256];

    nkv_cut_format_name(name, text, sizeof text);
    assert_true(nkv_cut_parse_name(text, &parsed));
    memset(&again, 0, sizeof again);
    again.the_case = nkv_cut_find_case(case_name, strlen(case_name));
    again.effort = &again.the_case->brief;
    again.seed = 1;
    again.only = &parsed;
    nkv_cut_run_case(&again);
    assert_int_equal(again.counts.images, 1);
    assert_int_equal(again.counts.failures, 0);
    assert_int_equal(again.last[name->depth - 1].operation, name->operation);
    assert_int_equal(again.last_sum[name->depth - 1], sum);
}

static void replay_all_depths(const char *case_name, uint32_t operations)
{
    struct nkv_cut_name names[NKV_CUT_DEPTH_MAX];
    uint32_t sums[NKV_CUT_DEPTH_MAX];

    run_some(case_name, operations);
    assert_true(run.counts.images > 100);
    memcpy(names, run.last, sizeof names);
    memcpy(sums, run.last_sum, sizeof sums);
    for (uint32_t i = 0; i < NKV_CUT_DEPTH_MAX; i++) {
        assert_int_equal(names[i].depth, i + 1);
        replay(case_name, &names[i], sums[i]);
    }
}

static void a_name_makes_its_image_again(void **state)
{
    (void)state;
    replay_all_depths("2x512_unit_16", 30);
    replay_all_depths("6x512_two_copies", 25);
    replay_all_depths("erase_all_2x512", 30);
}

/* Behind the operation at which the configuration changed. */
static void a_name_works_behind_a_change_of_setup(void **state)
{
    static const char *const names[] = {"format_upgrade", "unit_raised",
                                        "copies_raised_to_two"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct nkv_cut_case *the_case =
            nkv_cut_find_case(names[i], strlen(names[i]));
        struct nkv_cut_name name = {.operation = the_case->operations / 2,
                                    .depth = 1};

        name.cuts[0].cut = (struct nkv_sim_cut){NKV_SIM_CUT_TORN, 1, 3, 1};
        /* The next operation that writes at all. */
        do {
            name.operation++;
            make_only(names[i], &name);
        } while (run.counts.failures > 0 &&
                 name.operation < the_case->operations);
        assert_int_equal(run.counts.images, 1);
        replay(names[i], &name, run.last_sum[0]);
    }
}

/* Another seed, place or way is another image. */
static void another_name_makes_another_image(void **state)
{
    struct nkv_cut_name name = {.operation = 12, .depth = 1};
    uint32_t sums[4];

    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        name.cuts[0].cut =
            (struct nkv_sim_cut){NKV_SIM_CUT_TORN, 1 + i % 2, 5 + i / 2, 1};
        make_only("6x512_unit_16", &name);
        assert_int_equal(run.counts.images, 1);
        sums[i] = run.last_sum[0];
        for (uint32_t j = 0; j < i; j++) {
            assert_int_not_equal(sums[j], sums[i]);
        }
    }
}

/* A cut behind the operation's end is told, and is no image that is good. */
static void a_name_of_no_image_fails(void **state)
{
    struct nkv_cut_name name = {.operation = 3, .depth = 1};

    (void)state;
    name.cuts[0].cut = (struct nkv_sim_cut){NKV_SIM_CUT_BEFORE, 9999, 0, 1};
    make_only("6x512_unit_16", &name);
    assert_int_equal(run.counts.failures, 1);
}

static void names_go_to_text_and_back(void **state)
{
    static const char *const good[] = {"0:1,1,0,1", "12:345,3,15,2:m2,5,7,1",
                                       "7:1,4,2,3:w6,4,2,4:m1,2,0,1",
                                       "4294967295:1,2,3,4:m5,3,7,8:w9,1,2,3"};
    struct nkv_cut_name name;
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(nkv_cut_parse_name(good[i], &name));
        nkv_cut_format_name(&name, text, sizeof text);
        assert_string_equal(text, good[i]);
    }
}

static void what_is_no_name_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "12",
        "12:",
        "x:1,1,0,1",
        "12:1,1,0",
        "12:1,0,0,1",
        "12:1,9,0,1",
        "12:1,1,0,1:",
        "12:1,1,0,1:2,1,0,1",
        "12:1,1,0,1:x2,1,0,1",
        "12:1,1,0,1 ",
        "12:1,1,0,1:m1,1,0,1:m1,1,0,1:m1,1,0,1",
    };
    struct nkv_cut_name name;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(nkv_cut_parse_name(bad[i], &name));
    }
}

/* A cut in the programming of a 64-byte entry of which the flash got `there`
 * instead. */
static bool is_collision(const uint8_t *intended, const uint8_t *there)
{
    struct nkv_flash_sim sim;
    bool is_one;

    nkv_flash_sim_init(&sim, 512, 2, 64);
    for (uint32_t i = 0; i < 64; i++) {
        nkv_flash_sim_poke(&sim, 512 + i, there[i]);
    }
    memcpy(sim.wound.intended, intended, 64);
    sim.wound.offset = 512;
    sim.wound.size = 64;
    is_one = nkv_cut_is_crc_collision(&sim);
    nkv_flash_sim_free(&sim);
    return is_one;
}

static void only_a_whole_entry_that_was_not_written_is_a_collision(void **state)
{
    struct nkv_image image = {.magic = NKV_DEFAULT_MAGIC,
                              .id = 7,
                              .key = nkv_text("key"),
                              .value =
                                  nkv_text("a value of thirty-two bytes here"),
                              .alignment_units = 3};
    uint8_t intended[64], there[64];

    (void)state;
    assert_int_equal(nkv_image_write(&image, intended), 64);
    assert_false(is_collision(intended, intended));
    /* Torn, and the CRC sees it. */
    memcpy(there, intended, 64);
    memset(there + 40, 0xFF, 24);
    assert_false(is_collision(intended, there));
    /* Other bytes, and the CRC is right. */
    image.value = nkv_text("a value of 32 bytes that is not.");
    assert_int_equal(nkv_image_write(&image, there), 64);
    assert_true(is_collision(intended, there));
    /* Padding that is not zero is damage whatever the CRC says. */
    there[63] = 0x10;
    nkv_image_seal(there, 64);
    assert_false(is_collision(intended, there));
    /* The upper half of the field is not looked at. */
    memcpy(there, intended, 64);
    there[7] = 0x10;
    assert_false(is_collision(intended, there));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_makes_its_image_again),
        cmocka_unit_test(a_name_works_behind_a_change_of_setup),
        cmocka_unit_test(another_name_makes_another_image),
        cmocka_unit_test(a_name_of_no_image_fails),
        cmocka_unit_test(names_go_to_text_and_back),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(
            only_a_whole_entry_that_was_not_written_is_a_collision),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
