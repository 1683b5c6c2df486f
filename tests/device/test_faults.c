/* A flash that cannot be used is named, and left alone. */
#include "messages.h"

#include <pb_decode.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A method, and the field of its messages that tells the reason; 0: none. */
struct method {
    uint32_t service;
    uint32_t method;
    uint32_t reason_field;
};

static const struct method methods[] = {
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_GET, norkv_v1_GetResponse_reason_tag},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_DESCRIBE,
     norkv_v1_DescribeResponse_reason_tag},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_PUT,
     norkv_v1_WriteResponse_reason_tag},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_DELETE,
     norkv_v1_WriteResponse_reason_tag},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_SCAN, 0},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_BACKUP, 0},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_DIGEST,
     norkv_v1_DigestResponse_reason_tag},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_SECTORS,
     norkv_v1_SectorsResponse_reason_tag},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_CHECK,
     norkv_v1_CheckResponse_reason_tag},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_COLLECT,
     norkv_v1_Progress_reason_tag},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_ERASE_ALL,
     norkv_v1_Progress_reason_tag},
};

enum { METHODS = sizeof methods / sizeof methods[0] };

/* The value of a varint field; 0: it is not there. */
static uint64_t find_varint(struct nkv_span message, uint32_t wanted)
{
    pb_istream_t stream = pb_istream_from_buffer(message.data, message.size);
    pb_wire_type_t type;
    uint32_t tag;
    uint64_t value = 0;
    bool eof;

    while (pb_decode_tag(&stream, &type, &tag, &eof)) {
        if (tag == wanted && type == PB_WT_VARINT) {
            assert_true(pb_decode_varint(&stream, &value));
        } else {
            assert_true(pb_skip_field(&stream, type));
        }
    }
    assert_true(eof);
    return value;
}

/* Field 1 is the key, or the store that it is in by default; of EraseAll field
 * 2 is the unit's id. */
static struct nkv_span request_of(const struct method *method)
{
    static const uint8_t key[] = {0x12, 1, 'k'};
    static const uint8_t erase[] = {0x12, 10,  'B', 'E', 'N', 'C',
                                    'H',  '-', '0', '0', '0', '7'};

    if (method->method == NKV_METHOD_MAINTENANCE_ERASE_ALL) {
        return (struct nkv_span){erase, sizeof erase};
    }
    if (method->service == NKV_SERVICE_STORE &&
        method->method != NKV_METHOD_STORE_SCAN &&
        method->method != NKV_METHOD_STORE_BACKUP &&
        method->method != NKV_METHOD_STORE_DIGEST) {
        return (struct nkv_span){key, sizeof key};
    }
    return (struct nkv_span){NULL, 0};
}

/* Calls a method; what it ends with must be FAILED_PRECONDITION, and what it
 * says before or with that, the reason. */
static void expect_refusal(struct nkv_rig *rig, const struct method *method,
                           norkv_v1_Reason reason)
{
    bool ended = false;
    uint64_t told = 0;

    (void)nkv_rig_request(rig, method->service, method->method,
                          request_of(method));
    nkv_rig_run(rig);
    for (size_t i = 0; i < rig->frame_count; i++) {
        struct nkv_packet packet = nkv_rig_packet(rig, i);
        uint64_t found = find_varint(packet.payload, method->reason_field);

        told = found != 0 ? found : told;
        if (packet.type == NKV_PACKET_RESPONSE) {
            assert_int_equal(packet.status, NKV_FAILED_PRECONDITION);
            ended = true;
        }
    }
    assert_true(ended);
    if (method->reason_field != 0) {
        assert_int_equal(told, reason);
    }
}

/* Starts the device again with what whoever looked for store 0's flash found,
 * as a board does that knows nothing of the flash. */
static void restart_with_fault(struct nkv_rig *rig, enum nkv_fault fault,
                               uint32_t detail)
{
    static const struct nkv_flash nothing;

    rig->stores[0].config.flash = &nothing;
    rig->served[0].fault = fault;
    rig->served[0].fault_detail = detail;
    nkv_server_mount(&rig->served[0]);
    assert_int_equal(nkv_server_init(&rig->server, &rig->config), NKV_OK);
}

static void expect_told(struct nkv_rig *rig, enum nkv_fault fault,
                        uint32_t detail)
{
    struct nkv_test_opened opened = nkv_rig_open(rig, 1, 0);
    norkv_v1_StatisticsResponse statistics = nkv_rig_statistics(rig, 0);

    assert_int_equal(opened.status, NKV_OK);
    assert_int_equal(opened.stores[0].message.fault, fault);
    assert_int_equal(opened.stores[0].message.fault_detail, detail);
    assert_int_equal(statistics.fault, fault);
    assert_int_equal(statistics.fault_detail, detail);
    assert_int_equal(nkv_rig_more_statistics(rig, 0).fault, fault);
    assert_int_equal(opened.stores[1].message.fault, NKV_FAULT_NONE);
    assert_int_equal(nkv_rig_statistics(rig, 1).fault, NKV_FAULT_NONE);
}

/* There are no functions to call: any use of the flash would crash. */
static void a_flash_that_is_not_there_is_named_and_nothing_uses_it(void **state)
{
    static const enum nkv_fault faults[] = {
        NKV_FAULT_NO_FLASH,        NKV_FAULT_WRONG_FLASH,
        NKV_FAULT_FLASH_TOO_SMALL, NKV_FAULT_FLASH_PROTECTED,
        NKV_FAULT_SELF_TEST,       NKV_FAULT_FLASH_ERROR,
        NKV_FAULT_BAD_CONFIG};
    struct nkv_rig *rig = *state;

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        restart_with_fault(rig, faults[i], 0xEF4014);
        expect_told(rig, faults[i], 0xEF4014);
        for (size_t m = 0; m < METHODS; m++) {
            expect_refusal(rig, &methods[m],
                           norkv_v1_Reason_REASON_FLASH_FAULT);
        }
        expect_told(rig, faults[i], 0xEF4014);
    }
}

static void the_other_store_goes_on(void **state)
{
    struct nkv_rig *rig = *state;
    const struct nkv_test_write put = {
        .store = 1, .key = nkv_text("k"), .value = nkv_text("v")};
    uint32_t max_value = nkv_rig_open(rig, 1, 0).message.limits.max_value;

    restart_with_fault(rig, NKV_FAULT_NO_FLASH, 0xFFFFFF);
    assert_int_equal(nkv_rig_open(rig, 1, 0).message.limits.max_value,
                     max_value);
    assert_int_equal(nkv_rig_write(rig, &put).status, NKV_OK);
    assert_int_equal(nkv_rig_get(rig, 1, "k", 0, 0).status, NKV_OK);
}

static void a_store_with_a_fault_must_not_be_mounted(void **state)
{
    struct nkv_rig *rig = *state;

    rig->served[0].fault = NKV_FAULT_WRONG_FLASH;
    assert_int_equal(rig->served[0].mount_status, NKV_OK);
    assert_int_equal(nkv_server_init(&rig->server, &rig->config),
                     NKV_INVALID_ARGUMENT);
}

/* What was on the flash when it was mounted. */
static void a_driver_that_fails_is_named_with_its_status(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_flash_sim *flash = &rig->stores[0].flash;

    nkv_rig_put(rig, "k", "v");
    nkv_flash_sim_add_fault(
        flash, (struct nkv_sim_fault){.kind = NKV_SIM_FAULT_READ,
                                      .size = flash->size,
                                      .status = NKV_DEADLINE_EXCEEDED});
    nkv_rig_restart(rig);
    expect_told(rig, NKV_FAULT_FLASH_ERROR, NKV_DEADLINE_EXCEEDED);
    for (size_t m = 0; m < METHODS; m++) {
        if (methods[m].method != NKV_METHOD_MAINTENANCE_ERASE_ALL) {
            expect_refusal(rig, &methods[m],
                           norkv_v1_Reason_REASON_FLASH_FAULT);
        }
    }
    nkv_flash_sim_clear_faults(flash);
    nkv_rig_restart(rig);
    expect_told(rig, NKV_FAULT_NONE, 0);
    nkv_rig_expect(rig, "k", "v");
}

static void fill_with_garbage(struct nkv_flash_sim *flash)
{
    uint32_t random = 12345;

    for (uint32_t at = 0; at < flash->size; at++) {
        random = random * 1664525 + 1013904223;
        nkv_flash_sim_poke(flash, at, (uint8_t)(random >> 24));
    }
}

static const struct method *find(uint32_t method)
{
    size_t i = 0;

    while (methods[i].method != method) {
        i++;
    }
    return &methods[i];
}

static void expect_read_only(struct nkv_rig *rig)
{
    static const uint32_t writers[] = {NKV_METHOD_STORE_PUT,
                                       NKV_METHOD_STORE_DELETE,
                                       NKV_METHOD_MAINTENANCE_COLLECT};

    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        expect_refusal(rig, find(writers[i]),
                       norkv_v1_Reason_REASON_STORE_READ_ONLY);
    }
    nkv_rig_run(rig);
}

static enum nkv_status erase_all(struct nkv_rig *rig)
{
    const struct method *erase = find(NKV_METHOD_MAINTENANCE_ERASE_ALL);

    (void)nkv_rig_request(rig, erase->service, erase->method,
                          request_of(erase));
    nkv_rig_run(rig);
    return nkv_rig_packet(rig, rig->frame_count - 1).status;
}

static void garbage_is_named_and_kept_until_it_is_erased(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_flash_sim *flash = &rig->stores[0].flash;

    fill_with_garbage(flash);
    nkv_flash_sim_reset_counts(flash);
    nkv_rig_restart(rig);
    expect_told(rig, NKV_FAULT_FOREIGN_DATA, 0);
    expect_read_only(rig);
    assert_int_equal(flash->counts.operations, 0);
    assert_int_equal(erase_all(rig), NKV_OK);
    expect_told(rig, NKV_FAULT_NONE, 0);
    nkv_rig_put(rig, "k", "v");
}

static void a_cut_erase_is_told_from_garbage(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_flash_sim *flash = &rig->stores[0].flash;

    nkv_rig_put(rig, "k", "v");
    nkv_flash_sim_cut(
        flash, (struct nkv_sim_cut){.kind = NKV_SIM_CUT_BEFORE, .at = 3});
    assert_int_not_equal(erase_all(rig), NKV_OK);
    nkv_flash_sim_power_on(flash);
    nkv_rig_restart(rig);
    expect_told(rig, NKV_FAULT_ERASE_CUT, 0);
    expect_read_only(rig);
    assert_int_equal(erase_all(rig), NKV_OK);
    expect_told(rig, NKV_FAULT_NONE, 0);
}

static void an_erase_that_fails_half_way_is_named_at_once(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_flash_sim *flash = &rig->stores[0].flash;

    nkv_rig_put(rig, "k", "v");
    /* The marker gets through, nothing behind it does. */
    nkv_flash_sim_add_fault(
        flash, (struct nkv_sim_fault){.kind = NKV_SIM_FAULT_PROGRAM,
                                      .size = flash->size,
                                      .status = NKV_UNAVAILABLE,
                                      .skip = 1});
    assert_int_not_equal(erase_all(rig), NKV_OK);
    expect_told(rig, NKV_FAULT_ERASE_CUT, 0);
    nkv_flash_sim_clear_faults(flash);
    expect_read_only(rig);
    assert_int_equal(erase_all(rig), NKV_OK);
    expect_told(rig, NKV_FAULT_NONE, 0);
}

static void more_keys_than_fit_the_table_are_named(void **state)
{
    struct nkv_rig *rig = *state;

    nkv_rig_put(rig, "a", "1");
    nkv_rig_put(rig, "b", "2");
    rig->stores[0].config.max_keys = 1;
    nkv_rig_restart(rig);
    expect_told(rig, NKV_FAULT_TABLE_TOO_SMALL, 1);
    expect_read_only(rig);
}

static void
damage_that_is_to_be_left_is_named_until_it_is_repaired(void **state)
{
    static const uint8_t full[] = {0x10, norkv_v1_CollectKind_COLLECT_FULL};
    struct nkv_rig *rig = *state;

    nkv_rig_put(rig, "a", "1");
    nkv_rig_put(rig, "b", "2");
    nkv_flash_sim_poke(&rig->stores[0].flash, 17, 0);
    rig->stores[0].config.manual_repair = true;
    nkv_rig_restart(rig);
    expect_told(rig, NKV_FAULT_NEEDS_REPAIR, 0);
    expect_refusal(rig, find(NKV_METHOD_STORE_PUT),
                   norkv_v1_Reason_REASON_STORE_READ_ONLY);
    (void)nkv_rig_request(rig, NKV_SERVICE_MAINTENANCE,
                          NKV_METHOD_MAINTENANCE_COLLECT,
                          (struct nkv_span){full, sizeof full});
    nkv_rig_run(rig);
    expect_told(rig, NKV_FAULT_NONE, 0);
    nkv_rig_put(rig, "a", "1");
}

static void a_config_that_makes_no_sense_is_named(void **state)
{
    struct nkv_rig *rig = *state;

    rig->stores[0].config.copies = NKV_COPIES_MAX + 1;
    nkv_rig_restart(rig);
    expect_told(rig, NKV_FAULT_BAD_CONFIG, 0);
    for (size_t m = 0; m < METHODS; m++) {
        expect_refusal(rig, &methods[m], norkv_v1_Reason_REASON_FLASH_FAULT);
    }
}

/* Rot in a's value, found after a fast mount, has the engine read the flash
 * anew, while its second sector does not answer for a while. */
static void fail_in_the_middle(struct nkv_rig *rig, uint32_t times)
{
    nkv_rig_put(rig, "a", "1");
    nkv_rig_put(rig, "b", "2");
    nkv_flash_sim_poke(&rig->stores[0].flash, 17, 0);
    rig->stores[0].config.fast_mount = true;
    nkv_rig_restart(rig);
    nkv_flash_sim_add_fault(&rig->stores[0].flash,
                            (struct nkv_sim_fault){
                                .kind = NKV_SIM_FAULT_READ,
                                .offset = NKV_RIG_SECTOR_SIZE,
                                .size = NKV_RIG_SECTOR_SIZE,
                                .status = NKV_UNAVAILABLE,
                                .times = times,
                            });
    assert_int_equal(nkv_rig_get(rig, 0, "a", 0, 0).status, NKV_DATA_LOSS);
}

static void a_store_that_the_engine_gave_up_is_mounted_again(void **state)
{
    struct nkv_rig *rig = *state;

    fail_in_the_middle(rig, 3);
    nkv_rig_run(rig);
    expect_told(rig, NKV_FAULT_NONE, 0);
    nkv_rig_expect(rig, "b", "2");
    nkv_rig_put(rig, "a", "3");
    nkv_rig_expect(rig, "a", "3");
}

static void a_store_that_cannot_be_mounted_again_is_named(void **state)
{
    struct nkv_rig *rig = *state;

    fail_in_the_middle(rig, 0);
    nkv_rig_run(rig);
    expect_told(rig, NKV_FAULT_FLASH_ERROR, NKV_UNAVAILABLE);
    nkv_flash_sim_clear_faults(&rig->stores[0].flash);
    nkv_rig_restart(rig);
    nkv_rig_expect(rig, "b", "2");
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, nkv_rig_set_up, nkv_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flash_that_is_not_there_is_named_and_nothing_uses_it),
        TEST(the_other_store_goes_on),
        TEST(a_store_with_a_fault_must_not_be_mounted),
        TEST(a_driver_that_fails_is_named_with_its_status),
        TEST(garbage_is_named_and_kept_until_it_is_erased),
        TEST(a_cut_erase_is_told_from_garbage),
        TEST(an_erase_that_fails_half_way_is_named_at_once),
        TEST(more_keys_than_fit_the_table_are_named),
        TEST(damage_that_is_to_be_left_is_named_until_it_is_repaired),
        TEST(a_config_that_makes_no_sense_is_named),
        TEST(a_store_that_the_engine_gave_up_is_mounted_again),
        TEST(a_store_that_cannot_be_mounted_again_is_named),
    };

    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
