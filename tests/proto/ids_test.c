/* Ids of services and methods: computed, generated and named. */
#include "cmocka_all.h"
#include "vectors.h"
#include <demo/ids.h>
#include <norkv/ids.h>
#include <norkv/packet.h>
#include <stdlib.h>
#include <string.h>

static void names_hash_as_in_the_reference(void **state)
{
    (void)state;
    json_t *root = nkv_vectors_load("hdlc.json");
    unsigned checked = 0;
    size_t i;
    json_t *item;
    json_array_foreach(nkv_vectors_get(root, "ids"), i, item)
    {
        struct nkv_buffer name = nkv_vectors_bytes(item, "hex");
        char text[128] = "";
        assert_true(name.capacity < sizeof text);
        memcpy(text, name.data, name.capacity);
        /* No name in C holds a zero byte. */
        if (strlen(text) == name.capacity) {
            assert_int_equal(nkv_name_id(text),
                             nkv_vectors_number(item, "hash"));
            checked++;
        }
        free(name.data);
    }
    assert_true(checked >= 12);
    json_decref(root);
}

static void generated_ids_are_the_hashes_of_their_names(void **state)
{
    (void)state;
    assert_int_equal(NKV_SERVICE_DEVICE, nkv_name_id("norkv.v1.Device"));
    assert_int_equal(NKV_METHOD_DEVICE_OPEN, nkv_name_id("Open"));
    assert_int_equal(NKV_SERVICE_STORE, nkv_name_id("norkv.v1.Store"));
    assert_int_equal(NKV_METHOD_STORE_GET, nkv_name_id("Get"));
    assert_int_equal(NKV_METHOD_STORE_PUT, nkv_name_id("Put"));
    assert_int_equal(NKV_METHOD_STORE_DELETE, nkv_name_id("Delete"));
    assert_int_equal(NKV_METHOD_STORE_DESCRIBE, nkv_name_id("Describe"));
    assert_int_equal(NKV_METHOD_STORE_SCAN, nkv_name_id("Scan"));
    assert_int_equal(NKV_SERVICE_MAINTENANCE,
                     nkv_name_id("norkv.v1.Maintenance"));
    assert_int_equal(NKV_METHOD_MAINTENANCE_STATISTICS,
                     nkv_name_id("Statistics"));
    assert_int_equal(NKV_METHOD_MAINTENANCE_COLLECT, nkv_name_id("Collect"));
    assert_int_equal(NKV_METHOD_MAINTENANCE_ERASE_ALL, nkv_name_id("EraseAll"));
    assert_int_equal(NKV_SERVICE_ECHO_SERVICE,
                     nkv_name_id("pw.rpc.EchoService"));
    assert_int_equal(NKV_METHOD_ECHO_SERVICE_ECHO, nkv_name_id("Echo"));
}

static void ids_of_another_schema_stand_beside_ours(void **state)
{
    (void)state;
    assert_int_equal(DEMO_SERVICE_KV, 0x4C9126AD);
    assert_int_equal(DEMO_METHOD_KV_GET, 0x4719C5ED);
    assert_string_equal(demo_method_name(DEMO_SERVICE_KV, DEMO_METHOD_KV_CHAT),
                        "demo.kv.Kv/Chat");
    assert_null(demo_method_name(NKV_SERVICE_STORE, NKV_METHOD_STORE_GET));
}

static void methods_have_names_and_unknown_ones_have_none(void **state)
{
    (void)state;
    assert_string_equal(
        nkv_method_name(NKV_SERVICE_STORE, NKV_METHOD_STORE_GET),
        "norkv.v1.Store/Get");
    assert_string_equal(nkv_method_name(NKV_SERVICE_MAINTENANCE,
                                        NKV_METHOD_MAINTENANCE_ERASE_ALL),
                        "norkv.v1.Maintenance/EraseAll");
    assert_string_equal(
        nkv_method_name(NKV_SERVICE_ECHO_SERVICE, NKV_METHOD_ECHO_SERVICE_ECHO),
        "pw.rpc.EchoService/Echo");
    assert_null(nkv_method_name(NKV_SERVICE_DEVICE, NKV_METHOD_STORE_GET));
    assert_null(nkv_method_name(NKV_SERVICE_STORE, 0));
    assert_null(nkv_method_name(0, NKV_METHOD_STORE_GET));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_hash_as_in_the_reference),
        cmocka_unit_test(generated_ids_are_the_hashes_of_their_names),
        cmocka_unit_test(ids_of_another_schema_stand_beside_ours),
        cmocka_unit_test(methods_have_names_and_unknown_ones_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
