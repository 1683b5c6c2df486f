#include "template_selftest.h"

#include "chip.h"
#include "template_flash.h"

enum { BUFFER = 256, ERASED = 0xFF };

static uint32_t now_ms(void *context)
{
    (void)context;
    return nkv_chip_now_ms();
}

static bool is_blank(uint32_t sector)
{
    uint32_t start = sector * NKV_CHIP_SECTOR_SIZE;

    for (uint32_t i = 0; i < NKV_CHIP_SECTOR_SIZE; i++) {
        if (nkv_chip_flash_byte(start + i) != ERASED) {
            return false;
        }
    }
    return true;
}

static enum nkv_selftest_check run(uint32_t sector)
{
    static uint8_t buffer[BUFFER];
    static struct nkv_selftest test;
    const struct nkv_selftest_setup setup = {
        .flash = &nkv_template_flash,
        .sector = sector,
        .buffer = {buffer, sizeof buffer},
        .now_ms = now_ms,
    };
    /* Of each check; a debugger, or what prints text, may show it. */
    struct nkv_selftest_result result;

    nkv_selftest_begin(&test, &setup);
    while (nkv_selftest_step(&test, &result) != NKV_SELFTEST_DONE) {
    }
    return test.failed;
}

enum nkv_selftest_check nkv_template_selftest(void)
{
    uint32_t id;

    if (!nkv_chip_flash_is_there(&id)) {
        return NKV_SELFTEST_NONE;
    }
    for (uint32_t sector = NKV_CHIP_SECTOR_COUNT; sector > 0; sector--) {
        if (is_blank(sector - 1)) {
            return run(sector - 1);
        }
    }
    return NKV_SELFTEST_NONE;
}
