/* What is enough to get at the keys, and out of a store that only reads. */
#include <norkv/services.h>

static const struct nkv_rpc_method device[] = {NKV_SERVE_DEVICE_OPEN};

static const struct nkv_rpc_method store[] = {
    NKV_SERVE_STORE_GET, NKV_SERVE_STORE_PUT, NKV_SERVE_STORE_DELETE,
    NKV_SERVE_STORE_SCAN};

static const struct nkv_rpc_method maintenance[] = {
    NKV_SERVE_MAINTENANCE_STATISTICS, NKV_SERVE_MAINTENANCE_ERASE_ALL};

static const struct nkv_rpc_method echo[] = {NKV_SERVE_ECHO_SERVICE_ECHO};

static const struct nkv_rpc_service list[] = {
    {NKV_SERVICE_DEVICE, NKV_SERVE_ALL_OF(device)},
    {NKV_SERVICE_STORE, NKV_SERVE_ALL_OF(store)},
    {NKV_SERVICE_MAINTENANCE, NKV_SERVE_ALL_OF(maintenance)},
    {NKV_SERVICE_ECHO_SERVICE, NKV_SERVE_ALL_OF(echo)}};

const struct nkv_server_services nkv_services_smallest = {
    NKV_SERVE_ALL_OF(list)};
