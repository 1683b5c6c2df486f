#include "template_service.h"

#include "chip.h"
#include "template_flash.h"
#include "template_line.h"

#include <norkv/server.h>
#include <norkv/services.h>

enum {
    MAX_KEYS = 64,
    COPIES = 1,
    BUFFER = 64,
    MAX_PACKET = 512,
    CALLS = 2,
    CLIENTS = 2,
    ANSWERS = 4,
    /* A put may collect a sector first: an erase, and copying what is in one.
     */
    STALL_MAX_MS = 500
};

NKV_DEFINE_MEMORY(store_memory, MAX_KEYS, COPIES, NKV_CHIP_SECTOR_COUNT,
                  BUFFER);
NKV_DEFINE_SERVER_MEMORY(server_memory, NKV_TEMPLATE_MAX_FRAME, MAX_PACKET,
                         CALLS, CLIENTS, ANSWERS);
static struct nkv_config config;
static struct nkv_store store;
static struct nkv_server_store served;
static struct nkv_server_config server_config;
static struct nkv_server server;

static uint32_t now_ms(void *context)
{
    (void)context;
    return nkv_chip_now_ms();
}

static void start_store(enum nkv_selftest_check failed)
{
    config = (struct nkv_config){
        .flash = &nkv_template_flash,
        .memory = store_memory,
        .max_keys = MAX_KEYS,
        .copies = COPIES,
    };
    served = (struct nkv_server_store){
        .name = "main",
        .store = &store,
        .config = &config,
    };
    if (!nkv_chip_flash_is_there(&served.fault_detail)) {
        served.fault = NKV_FAULT_WRONG_FLASH;
    } else if (failed != NKV_SELFTEST_NONE) {
        served.fault = NKV_FAULT_SELF_TEST;
        served.fault_detail = (uint32_t)failed;
    }
    nkv_server_mount(&served);
}

enum nkv_status nkv_template_start(uint32_t boot_id, const char *unit_id,
                                   enum nkv_selftest_check failed)
{
    nkv_template_line_start();
    start_store(failed);
    server_config = (struct nkv_server_config){
        .product = "template",
        .unit_id = unit_id,
        .firmware = "1.0.0",
        .stores = &served,
        .store_count = 1,
        .stream = nkv_template_line,
        .now_ms = now_ms,
        .boot_id = boot_id,
        .rx_window = NKV_TEMPLATE_RX_WINDOW,
        .stall_max_ms = STALL_MAX_MS,
        .services = &nkv_services_all,
        .memory = server_memory,
    };
    return nkv_server_init(&server, &server_config);
}

bool nkv_template_poll(void)
{
    bool more = nkv_server_poll(&server);

    nkv_server_count_overruns(&server, nkv_template_line_take_overruns());
    return more;
}

struct nkv_store *nkv_template_store(void)
{
    return &store;
}
