#include "config.h"

#include "copies.h"

static bool formats_are_valid(const struct nkv_config *config)
{
    if (config->format_count > 0 && config->formats == NULL)
        return false;
    for (size_t i = 0; i < config->format_count; i++) {
        const struct nkv_checksum *checksum = config->formats[i].checksum;
        if (config->formats[i].magic == 0xFFFFFFFFu || checksum == NULL ||
            checksum->size > 4 || (checksum->size > 0 && !checksum->update))
            return false;
    }
    return true;
}

static bool memory_is_valid(const struct nkv_config *config, uint32_t copies)
{
    const struct nkv_memory *memory = &config->memory;

    return memory->index != NULL && memory->sectors != NULL &&
           memory->buffer != NULL && config->max_keys > 0 &&
           config->max_keys < 1u << 24 &&
           memory->index_words >= NKV_INDEX_WORDS(config->max_keys, copies) &&
           memory->sector_capacity >= config->flash->sector_count &&
           memory->buffer_size > 0 && memory->buffer_size % NKV_UNIT == 0 &&
           memory->buffer_size % config->flash->program_unit == 0;
}

bool nkv_config_is_valid(const struct nkv_config *config)
{
    uint32_t copies = config->copies == 0 ? 1 : config->copies;

    return config->flash != NULL && nkv_flash_is_valid(config->flash) &&
           formats_are_valid(config) && copies <= nkv_copies_most() &&
           copies < config->flash->sector_count &&
           memory_is_valid(config, copies);
}
