#include "firmware.h"

#include <norkv/store.h>
#include <string.h>

enum { SECTOR_SIZE = 4096, SECTORS = 4, PROGRAM_UNIT = 16, MAX_KEYS = 64 };

/* All the RAM that the store works in: index, sector table, write buffer. */
NKV_DEFINE_MEMORY(settings_memory, MAX_KEYS, 1, SECTORS, 256);

static const struct nkv_flash flash = {
    .sector_size = SECTOR_SIZE,
    .sector_count = SECTORS,
    .program_unit = PROGRAM_UNIT,
    .read = board_flash_read,
    .program = board_flash_program,
    .erase = board_flash_erase,
};
static struct nkv_config config = {.flash = &flash, .max_keys = MAX_KEYS};
static struct nkv_store settings;

static struct nkv_span name(const char *text)
{
    return (struct nkv_span){(const uint8_t *)text, strlen(text)};
}

/* Call once after a reset, before anything else. */
enum nkv_status settings_open(void)
{
    config.memory = settings_memory;
    return nkv_mount(&settings, &config);
}

/* Adds this start to those before it. On the first there is no such key. */
enum nkv_status settings_count_boot(uint32_t *boots)
{
    uint8_t bytes[4] = {0};
    enum nkv_status status;

    status = nkv_get(&settings, name("boots"), 0,
                     (struct nkv_buffer){bytes, sizeof bytes}, NULL);
    if (status != NKV_OK && status != NKV_NOT_FOUND) {
        return status;
    }
    *boots = nkv_load_le32(bytes) + 1;
    nkv_store_le32(bytes, *boots);
    return nkv_put(&settings, name("boots"),
                   (struct nkv_span){bytes, sizeof bytes});
}

/* Call when there is nothing else to do: makes room for writes to come, at
 * most one erase at a time. */
enum nkv_status settings_idle(void)
{
    bool more = false;

    return nkv_step(&settings, &more);
}
