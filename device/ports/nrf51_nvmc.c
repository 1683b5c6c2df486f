#include "nrf51_nvmc.h"

#include "register_await.h"

#include <norkv/bytes.h>

#include <string.h>

enum {
    /* FICR. */
    FICR_CODEPAGESIZE = 0x10000010,
    FICR_CODESIZE = 0x10000014,
    /* NVMC. */
    NVMC_READY = 0x4001E400,
    NVMC_CONFIG = 0x4001E504,
    NVMC_ERASEPAGE = 0x4001E508,
    CONFIG_READ = 0,
    CONFIG_WRITE = 1,
    CONFIG_ERASE = 2,
    WORD = 4,
    /* An erase takes 22.3 ms, some 357000 cycles at 16 MHz, and a look more
     * than four: this is several times as long. */
    READY_LOOKS = 500000
};

uint32_t nkv_nrf51_flash_size(void)
{
    return nkv_register_read(FICR_CODEPAGESIZE) *
           nkv_register_read(FICR_CODESIZE);
}

static enum nkv_status wait_ready(void)
{
    return nkv_register_await(NVMC_READY, READY_LOOKS) ? NKV_OK
                                                       : NKV_DEADLINE_EXCEEDED;
}

/* Between two operations flash only reads, so that a stray pointer does no
 * harm. */
static enum nkv_status finish(enum nkv_status status)
{
    nkv_register_write(NVMC_CONFIG, CONFIG_READ);
    return status;
}

static enum nkv_status nrf51_read(void *context, uint32_t offset, void *to,
                                  size_t size)
{
    const struct nkv_nrf51_partition *partition = context;

    memcpy(to, (const void *)(uintptr_t)(partition->start + offset), size);
    return NKV_OK;
}

static enum nkv_status nrf51_program(void *context, uint32_t offset,
                                     const void *from, size_t size)
{
    const struct nkv_nrf51_partition *partition = context;
    enum nkv_status status = NKV_OK;
    const uint8_t *bytes = from;

    nkv_register_write(NVMC_CONFIG, CONFIG_WRITE);
    for (size_t done = 0; done < size && status == NKV_OK; done += WORD) {
        nkv_register_write(partition->start + offset + done,
                           nkv_load_le32(bytes + done));
        status = wait_ready();
    }
    return finish(status);
}

static enum nkv_status nrf51_erase(void *context, uint32_t sector)
{
    const struct nkv_nrf51_partition *partition = context;

    nkv_register_write(NVMC_CONFIG, CONFIG_ERASE);
    nkv_register_write(NVMC_ERASEPAGE,
                       partition->start + sector * NKV_NRF51_PAGE_SIZE);
    return finish(wait_ready());
}

void nkv_nrf51_flash_init(struct nkv_flash *flash,
                          struct nkv_nrf51_partition *partition)
{
    *flash = (struct nkv_flash){
        .sector_size = NKV_NRF51_PAGE_SIZE,
        .sector_count = partition->size / NKV_NRF51_PAGE_SIZE,
        .program_unit = WORD,
        .context = partition,
        .read = nrf51_read,
        .program = nrf51_program,
        .erase = nrf51_erase,
    };
}
