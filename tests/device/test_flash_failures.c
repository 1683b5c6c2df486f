/* What a client is told when the flash does not answer: nothing that it takes
 * for "busy", nor for the end of its session. */
#include "messages.h"
#include "pb_io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { CLIENT = 77 };

/* What a driver may say, and what means another thing on the line. */
static const enum nkv_status said[] = {NKV_UNAVAILABLE, NKV_ABORTED,
                                       NKV_DEADLINE_EXCEEDED, NKV_CANCELLED};

static int set_up(void **state)
{
    static struct nkv_rig rig;

    nkv_rig_init(&rig, NULL);
    nkv_rig_put(&rig, "key", "value");
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    nkv_rig_free(*state);
    return 0;
}

static void break_flash(struct nkv_rig *rig, enum nkv_sim_fault_kind kind,
                        enum nkv_status status)
{
    nkv_flash_sim_add_fault(&rig->stores[0].flash,
                            (struct nkv_sim_fault){
                                .kind = kind,
                                .size = rig->stores[0].flash.size,
                                .status = status,
                            });
}

static void mend_flash(struct nkv_rig *rig)
{
    nkv_flash_sim_clear_faults(&rig->stores[0].flash);
}

/* The status that ends a streaming call. */
static enum nkv_status stream(struct nkv_rig *rig, uint32_t service,
                              uint32_t method, struct nkv_span payload)
{
    uint32_t id = nkv_rig_request(rig, service, method, payload);
    struct nkv_packet last;

    nkv_rig_run(rig);
    assert_true(rig->frame_count > 0);
    last = nkv_rig_packet(rig, rig->frame_count - 1);
    assert_int_equal(last.call_id, id);
    assert_int_equal(last.type, NKV_PACKET_RESPONSE);
    return (enum nkv_status)last.status;
}

static void reads_that_the_flash_does_not_answer_are_internal(void **state)
{
    const struct nkv_span all = {NULL, 0};
    struct nkv_rig *rig = *state;

    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        break_flash(rig, NKV_SIM_FAULT_READ, said[i]);
        assert_int_equal(nkv_rig_get(rig, 0, "key", 0, 0).status, NKV_INTERNAL);
        assert_int_equal(nkv_rig_get(rig, 0, "key", 1, 2).status, NKV_INTERNAL);
        assert_int_equal(nkv_rig_describe(rig, 0, "key").status, NKV_INTERNAL);
        assert_int_equal(
            stream(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_SCAN, all),
            NKV_INTERNAL);
        mend_flash(rig);
        nkv_rig_expect(rig, "key", "value");
    }
}

static void
a_write_that_the_flash_does_not_take_is_internal_and_over(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_write put = {
        .key = nkv_text("key"),
        .value = nkv_text("other"),
        .session = nkv_rig_open(rig, CLIENT, 0).message.session,
    };
    struct nkv_test_answer answer;

    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        put.seq++;
        break_flash(rig, NKV_SIM_FAULT_PROGRAM, said[i]);
        assert_int_equal(nkv_rig_write(rig, &put).status, NKV_INTERNAL);
        mend_flash(rig);
        answer = nkv_rig_write(rig, &put);
        assert_int_equal(answer.status, NKV_INTERNAL);
        assert_true(answer.message.replayed);
        nkv_rig_expect(rig, "key", "value");
        nkv_rig_restart(rig);
        put.session = nkv_rig_open(rig, CLIENT, 0).message.session;
        put.seq = 0;
    }
    put.seq = 1;
    assert_int_equal(nkv_rig_write(rig, &put).status, NKV_OK);
    nkv_rig_expect(rig, "key", "other");
}

static void a_condition_that_cannot_be_read_is_internal(void **state)
{
    struct nkv_rig *rig = *state;
    const struct nkv_test_write removal = {
        .key = nkv_text("key"),
        .is_delete = true,
        .is_conditional = true,
        .if_version = nkv_rig_get(rig, 0, "key", 0, 0).message.version,
    };

    break_flash(rig, NKV_SIM_FAULT_READ, NKV_UNAVAILABLE);
    assert_int_equal(nkv_rig_write(rig, &removal).status, NKV_INTERNAL);
    mend_flash(rig);
    nkv_rig_expect(rig, "key", "value");
    assert_int_equal(nkv_rig_write(rig, &removal).status, NKV_OK);
    nkv_rig_expect(rig, "key", NULL);
}

static void maintenance_that_the_flash_fails_is_internal(void **state)
{
    static const uint8_t heavy[] = {0x10, 2};
    struct nkv_span id = nkv_text(NKV_RIG_UNIT_ID);
    norkv_v1_EraseAllRequest request = norkv_v1_EraseAllRequest_init_zero;
    struct nkv_rig *rig = *state;
    uint8_t bytes[128];
    struct nkv_span erase = {NULL, 0};

    nkv_rig_put(rig, "key", "newer");
    nkv_pb_give(&request.unit_id, &id);
    assert_true(nkv_pb_encode((struct nkv_buffer){bytes, sizeof bytes},
                              norkv_v1_EraseAllRequest_fields, &request,
                              &erase));
    break_flash(rig, NKV_SIM_FAULT_READ, NKV_UNAVAILABLE);
    break_flash(rig, NKV_SIM_FAULT_PROGRAM, NKV_UNAVAILABLE);
    break_flash(rig, NKV_SIM_FAULT_ERASE, NKV_UNAVAILABLE);
    assert_int_equal(stream(rig, NKV_SERVICE_MAINTENANCE,
                            NKV_METHOD_MAINTENANCE_COLLECT,
                            (struct nkv_span){heavy, sizeof heavy}),
                     NKV_INTERNAL);
    assert_int_equal(stream(rig, NKV_SERVICE_MAINTENANCE,
                            NKV_METHOD_MAINTENANCE_ERASE_ALL, erase),
                     NKV_INTERNAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_that_the_flash_does_not_answer_are_internal),
        TEST(a_write_that_the_flash_does_not_take_is_internal_and_over),
        TEST(a_condition_that_cannot_be_read_is_internal),
        TEST(maintenance_that_the_flash_fails_is_internal),
    };

    return cmocka_run_group_tests_name("flash failures", tests, NULL, NULL);
}
