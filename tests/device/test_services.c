/* Which methods a device has is the list that it was given. */
#include "messages.h"

#include <norkv/services.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* In which of the ready-made lists a method is. */
enum { IN_ALL = 1, WITHOUT_TRANSFER = 2, IN_SMALLEST = 4, EVERYWHERE = 7 };

static const struct {
    uint32_t service;
    uint32_t method;
    unsigned lists;
} methods[] = {
    {NKV_SERVICE_DEVICE, NKV_METHOD_DEVICE_OPEN, EVERYWHERE},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_GET, EVERYWHERE},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_PUT, EVERYWHERE},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_DELETE, EVERYWHERE},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_SCAN, EVERYWHERE},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_ERASE_ALL, EVERYWHERE},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_DESCRIBE, IN_ALL | WITHOUT_TRANSFER},
    {NKV_SERVICE_ECHO_SERVICE, NKV_METHOD_ECHO_SERVICE_ECHO, EVERYWHERE},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_STATISTICS, EVERYWHERE},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_SECTORS,
     IN_ALL | WITHOUT_TRANSFER},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_CHECK,
     IN_ALL | WITHOUT_TRANSFER},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_COLLECT,
     IN_ALL | WITHOUT_TRANSFER},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_BACKUP, IN_ALL},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_DIGEST, IN_ALL},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_RESTORE, IN_ALL},
};

static void give(struct nkv_rig *rig,
                 const struct nkv_server_services *services)
{
    rig->config.services = services;
    assert_int_equal(nkv_server_init(&rig->server, &rig->config), NKV_OK);
}

/* Whether a call of the method reaches one. */
static bool has_method(struct nkv_rig *rig, uint32_t service, uint32_t method)
{
    struct nkv_packet reply;

    (void)nkv_rig_request(rig, service, method, (struct nkv_span){NULL, 0});
    nkv_rig_run(rig);
    assert_true(rig->frame_count > 0);
    reply = nkv_rig_packet(rig, 0);
    return reply.type != NKV_PACKET_SERVER_ERROR ||
           reply.status != NKV_NOT_FOUND;
}

static void expect_list(void **state,
                        const struct nkv_server_services *services,
                        unsigned list)
{
    struct nkv_rig *rig = *state;

    give(rig, services);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        assert_int_equal(has_method(rig, methods[i].service, methods[i].method),
                         (methods[i].lists & list) != 0);
    }
}

static void all_services_have_every_method(void **state)
{
    expect_list(state, &nkv_services_all, IN_ALL);
}

static void services_without_transfer_have_the_rest(void **state)
{
    expect_list(state, &nkv_services_without_transfer, WITHOUT_TRANSFER);
}

static void the_smallest_services_get_at_the_keys(void **state)
{
    struct nkv_rig *rig = *state;

    expect_list(state, &nkv_services_smallest, IN_SMALLEST);
    nkv_rig_put(rig, "key", "value");
    nkv_rig_expect(rig, "key", "value");
    nkv_rig_delete(rig, "key");
    nkv_rig_expect(rig, "key", NULL);
}

static void say_ok(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                   struct nkv_span payload)
{
    (void)event;
    nkv_rpc_respond(call,
                    *(const enum nkv_status *)nkv_rpc_method_of(call)->data,
                    payload.size == 0 ? payload : (struct nkv_span){NULL, 0});
}

static void a_list_of_ones_own_has_services_of_ones_own(void **state)
{
    static const enum nkv_status status = NKV_CANCELLED;
    static const struct nkv_rpc_method own[] = {
        {5, NKV_RPC_UNARY, say_ok, &status}};
    static const struct nkv_rpc_method store[] = {NKV_SERVE_STORE_GET};
    static const struct nkv_rpc_service list[] = {
        {4, own, 1}, {NKV_SERVICE_STORE, store, 1}};
    static const struct nkv_server_services services = {list, 2};
    struct nkv_rig *rig = *state;
    struct nkv_packet reply;

    nkv_rig_put(rig, "key", "value");
    give(rig, &services);
    reply = nkv_rig_call(rig, 4, 5, (struct nkv_span){NULL, 0});
    assert_int_equal(reply.type, NKV_PACKET_RESPONSE);
    assert_int_equal(reply.status, NKV_CANCELLED);
    nkv_rig_expect(rig, "key", "value");
    assert_false(has_method(rig, NKV_SERVICE_DEVICE, NKV_METHOD_DEVICE_OPEN));
    assert_false(has_method(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_PUT));
}

static void a_server_is_given_its_services(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_server_config config = rig->config;

    config.services = NULL;
    assert_int_equal(nkv_server_init(&rig->server, &config),
                     NKV_INVALID_ARGUMENT);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, nkv_rig_set_up, nkv_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_services_have_every_method),
        TEST(services_without_transfer_have_the_rest),
        TEST(the_smallest_services_get_at_the_keys),
        TEST(a_list_of_ones_own_has_services_of_ones_own),
        TEST(a_server_is_given_its_services),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
