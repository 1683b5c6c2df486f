/* Mutations that happen once, whatever the line does to them. */
#include "messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CLIENT = 0xC0FFEE };

static struct nkv_test_write put(uint32_t session, uint32_t seq,
                                 const char *key, const char *value)
{
    return (struct nkv_test_write){
        .key = nkv_text(key),
        .value = nkv_text(value),
        .session = session,
        .seq = seq,
    };
}

static struct nkv_test_write removal(uint32_t session, uint32_t seq,
                                     const char *key)
{
    return (struct nkv_test_write){
        .key = nkv_text(key),
        .session = session,
        .seq = seq,
        .is_delete = true,
    };
}

static struct nkv_test_answer write(struct nkv_rig *rig,
                                    struct nkv_test_write write)
{
    return nkv_rig_write(rig, &write);
}

static uint32_t open_session(struct nkv_rig *rig, uint32_t client)
{
    struct nkv_test_opened opened = nkv_rig_open(rig, client, 0);

    assert_int_equal(opened.status, NKV_OK);
    assert_int_not_equal(opened.message.session, 0);
    return opened.message.session;
}

static void a_repeated_delete_is_answered_as_the_first_was(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t session = open_session(rig, CLIENT);
    struct nkv_test_answer first;
    struct nkv_test_answer again;

    nkv_rig_put(rig, "key", "value");
    first = write(rig, removal(session, 1, "key"));
    again = write(rig, removal(session, 1, "key"));
    assert_int_equal(first.status, NKV_OK);
    assert_false(first.message.replayed);
    assert_int_equal(again.status, NKV_OK);
    assert_true(again.message.replayed);
    assert_int_equal(again.message.version, first.message.version);
    nkv_rig_expect(rig, "key", NULL);
    assert_int_equal(nkv_rig_statistics(rig, 0).line.replays, 1);
}

static void a_repeated_put_does_not_undo_a_newer_one(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t session = open_session(rig, CLIENT);
    struct nkv_test_answer first = write(rig, put(session, 1, "key", "old"));
    struct nkv_test_answer newer = write(rig, put(session, 2, "key", "new"));
    struct nkv_test_answer again = write(rig, put(session, 1, "key", "old"));

    assert_int_equal(newer.status, NKV_OK);
    assert_int_equal(again.status, NKV_OK);
    assert_true(again.message.replayed);
    assert_int_equal(again.message.version, first.message.version);
    nkv_rig_expect(rig, "key", "new");
}

static void
a_repeated_put_does_not_undo_a_newer_one_of_another_client(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t mine = open_session(rig, CLIENT);
    uint32_t other = open_session(rig, CLIENT + 1);

    assert_int_not_equal(mine, other);
    assert_int_equal(write(rig, put(mine, 1, "key", "old")).status, NKV_OK);
    assert_int_equal(write(rig, put(other, 1, "key", "new")).status, NKV_OK);
    assert_true(write(rig, put(mine, 1, "key", "old")).message.replayed);
    nkv_rig_expect(rig, "key", "new");
}

static void a_failure_is_repeated_too(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t session = open_session(rig, CLIENT);
    struct nkv_test_answer answer = write(rig, removal(session, 1, "key"));

    assert_int_equal(answer.status, NKV_NOT_FOUND);
    assert_false(answer.message.replayed);
    nkv_rig_put(rig, "key", "value");
    answer = write(rig, removal(session, 1, "key"));
    assert_int_equal(answer.status, NKV_NOT_FOUND);
    assert_true(answer.message.replayed);
    nkv_rig_expect(rig, "key", "value");
    assert_int_equal(write(rig, removal(session, 2, "key")).status, NKV_OK);
}

static void
a_refused_write_uses_up_its_number_and_keeps_its_reason(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t session = open_session(rig, CLIENT);
    struct nkv_test_write bad = put(session, 1, "", "value");
    struct nkv_test_answer first = nkv_rig_write(rig, &bad);
    struct nkv_test_answer again = nkv_rig_write(rig, &bad);

    assert_int_equal(first.status, NKV_INVALID_ARGUMENT);
    assert_int_equal(first.message.reason, norkv_v1_Reason_REASON_BAD_KEY);
    assert_int_equal(again.status, NKV_INVALID_ARGUMENT);
    assert_int_equal(again.message.reason, norkv_v1_Reason_REASON_BAD_KEY);
    assert_true(again.message.replayed);
    assert_int_equal(write(rig, put(session, 2, "key", "v")).status, NKV_OK);
}

static void exactly_the_last_max_calls_answers_are_kept(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t session = open_session(rig, CLIENT);
    struct nkv_test_answer answer;
    char key[] = "key a";

    for (uint32_t seq = 1; seq <= NKV_RIG_ANSWERS + 1; seq++) {
        key[4] = (char)('a' + (int)seq);
        assert_int_equal(write(rig, put(session, seq, key, "v")).status,
                         NKV_OK);
    }
    key[4] = 'a' + 2;
    answer = write(rig, put(session, 2, key, "v"));
    assert_int_equal(answer.status, NKV_OK);
    assert_true(answer.message.replayed);
    key[4] = 'a' + 1;
    answer = write(rig, put(session, 1, key, "v"));
    assert_int_equal(answer.status, NKV_ABORTED);
    assert_int_equal(answer.message.reason, norkv_v1_Reason_REASON_SEQ_TOO_OLD);
    assert_false(answer.message.replayed);
}

static void number_zero_is_too_old(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t session = open_session(rig, CLIENT);
    struct nkv_test_answer answer = write(rig, put(session, 0, "key", "v"));

    assert_int_equal(answer.status, NKV_ABORTED);
    assert_int_equal(answer.message.reason, norkv_v1_Reason_REASON_SEQ_TOO_OLD);
    nkv_rig_expect(rig, "key", NULL);
}

static void a_gap_is_refused_and_the_next_number_told(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t session = open_session(rig, CLIENT);
    struct nkv_test_answer answer;

    assert_int_equal(write(rig, put(session, 1, "a", "1")).status, NKV_OK);
    answer = write(rig, put(session, 3, "b", "2"));
    assert_int_equal(answer.status, NKV_OUT_OF_RANGE);
    assert_int_equal(answer.message.reason, norkv_v1_Reason_REASON_SEQ_GAP);
    assert_int_equal(answer.message.next_seq, 2);
    nkv_rig_expect(rig, "b", NULL);
    assert_int_equal(write(rig, put(session, 2, "b", "2")).status, NKV_OK);
    assert_int_equal(write(rig, put(session, 3, "c", "3")).status, NKV_OK);
}

static void a_number_used_for_another_request_is_refused(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t session = open_session(rig, CLIENT);
    struct nkv_test_answer answer;

    assert_int_equal(write(rig, put(session, 1, "a", "1")).status, NKV_OK);
    answer = write(rig, put(session, 1, "a", "2"));
    assert_int_equal(answer.status, NKV_INVALID_ARGUMENT);
    assert_int_equal(answer.message.reason, norkv_v1_Reason_REASON_SEQ_REUSED);
    answer = write(rig, removal(session, 1, "a"));
    assert_int_equal(answer.status, NKV_INVALID_ARGUMENT);
    assert_int_equal(answer.message.reason, norkv_v1_Reason_REASON_SEQ_REUSED);
    nkv_rig_expect(rig, "a", "1");
}

static void an_unknown_session_is_aborted(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t session = open_session(rig, CLIENT);
    struct nkv_test_answer answer =
        write(rig, put(session ^ 1u, 1, "key", "v"));

    assert_int_equal(answer.status, NKV_ABORTED);
    assert_int_equal(answer.message.reason,
                     norkv_v1_Reason_REASON_SESSION_UNKNOWN);
    nkv_rig_expect(rig, "key", NULL);
}

static void a_session_ends_with_a_reboot(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t session = open_session(rig, CLIENT);
    struct nkv_test_opened opened;
    struct nkv_test_answer answer;

    assert_int_equal(write(rig, put(session, 1, "key", "v")).status, NKV_OK);
    nkv_rig_restart(rig);
    answer = write(rig, put(session, 2, "key", "w"));
    assert_int_equal(answer.status, NKV_ABORTED);
    assert_int_equal(answer.message.reason,
                     norkv_v1_Reason_REASON_SESSION_UNKNOWN);
    opened = nkv_rig_open(rig, CLIENT, 0);
    assert_int_not_equal(opened.message.session, session);
    assert_int_equal(opened.message.last_seq, 0);
    nkv_rig_expect(rig, "key", "v");
}

static void opening_again_keeps_session_and_answers(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t session = open_session(rig, CLIENT);
    struct nkv_test_opened opened;

    nkv_rig_put(rig, "key", "value");
    assert_int_equal(write(rig, removal(session, 1, "key")).status, NKV_OK);
    opened = nkv_rig_open(rig, CLIENT, 0);
    assert_int_equal(opened.message.session, session);
    assert_int_equal(opened.message.last_seq, 1);
    assert_true(write(rig, removal(session, 1, "key")).message.replayed);
}

static void the_client_not_heard_of_for_longest_is_forgotten(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t first = open_session(rig, 1);
    uint32_t second = open_session(rig, 2);
    uint32_t third;

    assert_int_equal(write(rig, put(first, 1, "a", "1")).status, NKV_OK);
    third = open_session(rig, 3);
    assert_int_equal(write(rig, put(second, 1, "b", "2")).status, NKV_ABORTED);
    assert_int_equal(write(rig, put(first, 2, "c", "3")).status, NKV_OK);
    assert_int_equal(write(rig, put(third, 1, "d", "4")).status, NKV_OK);
    assert_true(write(rig, put(first, 1, "a", "1")).message.replayed);
}

static void
an_evicted_clients_answers_do_not_pass_to_its_successor(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_opened opened;
    struct nkv_test_answer answer;
    uint32_t session = open_session(rig, 1);

    assert_int_equal(write(rig, put(session, 1, "a", "1")).status, NKV_OK);
    open_session(rig, 2);
    open_session(rig, 3);
    opened = nkv_rig_open(rig, 4, 0);
    assert_int_equal(opened.message.last_seq, 0);
    answer = write(rig, put(opened.message.session, 1, "a", "2"));
    assert_int_equal(answer.status, NKV_OK);
    assert_false(answer.message.replayed);
    nkv_rig_expect(rig, "a", "2");
}

static void writes_without_op_are_applied_each_time(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_answer answer;

    nkv_rig_put(rig, "key", "value");
    nkv_rig_delete(rig, "key");
    answer = write(rig, removal(0, 0, "key"));
    assert_int_equal(answer.status, NKV_NOT_FOUND);
    assert_false(answer.message.replayed);
}

static void a_doubled_conditional_put_holds_for_both_its_copies(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_write only_new =
        put(open_session(rig, CLIENT), 1, "k", "v");
    uint8_t bytes[64];
    struct nkv_packet packet = {
        .channel_id = 1,
        .service_id = NKV_SERVICE_STORE,
        .method_id = NKV_METHOD_STORE_PUT,
        .call_id = 900,
    };

    only_new.is_conditional = true;
    packet.payload =
        nkv_write_payload(&only_new, (struct nkv_buffer){bytes, sizeof bytes});
    nkv_rig_send_packet(rig, &packet);
    nkv_rig_send_packet(rig, &packet);
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 2);
    assert_int_equal(nkv_rig_packet(rig, 0).status, NKV_OK);
    assert_int_equal(nkv_rig_packet(rig, 1).status, NKV_OK);
    assert_int_equal(rig->stores[0].store.keys, 1);
}

/* The counter of a session is 32 bits; the white box starts it at the end. */
static void sequence_numbers_wrap(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t session = open_session(rig, CLIENT);

    rig->clients[0].last_seq = UINT32_MAX - 1;
    assert_int_equal(write(rig, put(session, UINT32_MAX, "a", "1")).status,
                     NKV_OK);
    assert_int_equal(write(rig, put(session, 0, "b", "2")).status, NKV_OK);
    assert_int_equal(write(rig, put(session, 1, "c", "3")).status, NKV_OK);
    assert_true(
        write(rig, put(session, UINT32_MAX, "a", "1")).message.replayed);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, nkv_rig_set_up, nkv_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_repeated_delete_is_answered_as_the_first_was),
        TEST(a_repeated_put_does_not_undo_a_newer_one),
        TEST(a_repeated_put_does_not_undo_a_newer_one_of_another_client),
        TEST(a_failure_is_repeated_too),
        TEST(a_refused_write_uses_up_its_number_and_keeps_its_reason),
        TEST(exactly_the_last_max_calls_answers_are_kept),
        TEST(number_zero_is_too_old),
        TEST(a_gap_is_refused_and_the_next_number_told),
        TEST(a_number_used_for_another_request_is_refused),
        TEST(an_unknown_session_is_aborted),
        TEST(a_session_ends_with_a_reboot),
        TEST(opening_again_keeps_session_and_answers),
        TEST(the_client_not_heard_of_for_longest_is_forgotten),
        TEST(an_evicted_clients_answers_do_not_pass_to_its_successor),
        TEST(writes_without_op_are_applied_each_time),
        TEST(a_doubled_conditional_put_holds_for_both_its_copies),
        TEST(sequence_numbers_wrap),
    };

    return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
