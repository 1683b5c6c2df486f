/* Erasing a store when the line loses the request or the answer: what others
 * write afterwards must not be erased with it. */
#include "fake_device.h"
#include "test.h"
#include <norkv/ids.h>
#include <stdlib.h>

/* A device with as much of a store as its statistics tell. */
struct store {
    uint32_t keys;
    uint32_t transactions;
    uint32_t erases;
    enum nkv_status mounted;
    /* How many requests to erase it get lost, and how many answers; and how
     * often the power goes in the middle. */
    unsigned lose_requests;
    unsigned lose_answers;
    unsigned cuts;
    /* Keys that somebody else writes as soon as it is erased. */
    uint32_t others;
    /* How often it was erased. */
    unsigned erased;
};

struct rig {
    struct nkv_bench bench;
    struct nkv_fake_device device;
    struct nkv_client *client;
    struct store store;
};

static void tell_statistics(struct nkv_fake_device *device,
                            const struct nkv_packet *request)
{
    const struct store *store = device->context;
    Norkv__V1__StatisticsResponse response;
    Norkv__V1__StoreStatistics figures;
    Norkv__V1__StoreCounters counters;
    norkv__v1__statistics_response__init(&response);
    norkv__v1__store_statistics__init(&figures);
    norkv__v1__store_counters__init(&counters);
    figures.keys = store->keys;
    figures.transaction_count = store->transactions;
    counters.erases = store->erases;
    response.store = &figures;
    response.counters = &counters;
    response.mount_status = (uint32_t)store->mounted;
    nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_OK,
                          &response.base);
}

/* True: all of it is erased, and nobody has lost the answer. */
static bool erase(struct store *store)
{
    store->erases += 7;
    if (store->cuts > 0) {
        store->cuts--;
        store->keys = 0;
        store->mounted = NKV_FAILED_PRECONDITION;
        return false;
    }
    store->erased++;
    store->mounted = NKV_OK;
    store->keys = store->others;
    store->transactions += 1 + store->others;
    if (store->lose_answers == 0)
        return true;
    store->lose_answers--;
    return false;
}

static void serve(struct nkv_fake_device *device,
                  const struct nkv_packet *request)
{
    struct store *store = device->context;
    if (request->method_id == NKV_METHOD_MAINTENANCE_STATISTICS)
        tell_statistics(device, request);
    else if (request->method_id != NKV_METHOD_MAINTENANCE_ERASE_ALL ||
             request->type != NKV_PACKET_REQUEST)
        return;
    else if (store->lose_requests > 0)
        store->lose_requests--;
    else if (erase(store))
        nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_OK,
                              NULL);
}

/* Erases a store of 5 keys, as likely as the store's other members say. */
static enum nkv_status erase_all(struct rig *rig)
{
    nkv_bench_init(&rig->bench, 1);
    nkv_fake_device_init(&rig->device, &rig->bench);
    rig->store.keys = 5;
    rig->store.transactions = 50;
    rig->device.answer = serve;
    rig->device.context = &rig->store;
    rig->client = nkv_bench_open(&rig->bench, NULL);
    return nkv_client_erase_all(rig->client, NULL, "unit", NULL);
}

static void close_rig(struct rig *rig)
{
    nkv_client_free(&rig->client);
    nkv_bench_free(&rig->bench);
}

static void a_store_is_erased_once(void **state)
{
    (void)state;
    struct rig rig = {.store.lose_requests = 0};
    assert_done(rig.client, erase_all(&rig));
    assert_int_equal(rig.store.erased, 1);
    close_rig(&rig);
}

static void a_request_that_was_lost_is_repeated(void **state)
{
    (void)state;
    struct rig rig = {.store.lose_requests = 2};
    assert_done(rig.client, erase_all(&rig));
    assert_int_equal(rig.store.erased, 1);
    close_rig(&rig);
}

static void an_answer_that_was_lost_is_not_waited_for_again(void **state)
{
    (void)state;
    struct rig rig = {.store.lose_answers = 1};
    assert_done(rig.client, erase_all(&rig));
    assert_int_equal(rig.store.erased, 1);
    close_rig(&rig);
}

static void what_others_wrote_since_is_not_erased(void **state)
{
    (void)state;
    struct rig rig = {.store = {.lose_answers = 1, .others = 2}};
    assert_int_equal(erase_all(&rig), NKV_UNKNOWN);
    assert_says(rig.client, "erase-all: unknown outcome: the answer was lost, "
                            "and the store was written since and has 2 keys");
    assert_int_equal(rig.store.erased, 1);
    close_rig(&rig);
}

static void an_erase_that_was_cut_short_goes_on(void **state)
{
    (void)state;
    struct rig rig = {.store.cuts = 1};
    assert_done(rig.client, erase_all(&rig));
    assert_int_equal(rig.store.erased, 1);
    assert_int_equal(rig.store.mounted, NKV_OK);
    close_rig(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_is_erased_once),
        cmocka_unit_test(a_request_that_was_lost_is_repeated),
        cmocka_unit_test(an_answer_that_was_lost_is_not_waited_for_again),
        cmocka_unit_test(what_others_wrote_since_is_not_erased),
        cmocka_unit_test(an_erase_that_was_cut_short_goes_on),
    };
    return cmocka_run_group_tests_name("erase", tests, NULL, NULL);
}
