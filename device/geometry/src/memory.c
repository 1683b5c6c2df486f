/* From a geometry to what nkv_mount takes. */
#include <norkv/geometry.h>

#include <stdlib.h>

enum {
    /* A buffer of this size makes the fewest program calls, and takes any
     * program unit. */
    BUFFER_SIZE = NKV_PROGRAM_UNIT_MAX
};

void nkv_geometry_configure(const struct nkv_geometry *geometry,
                            struct nkv_flash *flash, struct nkv_config *config)
{
    flash->sector_size = geometry->sector_size;
    flash->sector_count = geometry->sector_count;
    flash->program_unit = geometry->program_unit;
    config->flash = flash;
    config->formats = geometry->formats;
    config->format_count = geometry->format_count;
    config->max_keys = geometry->max_keys;
    config->copies = geometry->copies;
}

bool nkv_geometry_allocate(const struct nkv_geometry *geometry,
                           struct nkv_memory *memory)
{
    size_t words =
        NKV_INDEX_WORDS((size_t)geometry->max_keys, geometry->copies);

    *memory = (struct nkv_memory){
        .index = calloc(words, sizeof *memory->index),
        .index_words = words,
        .sectors = calloc(geometry->sector_count, sizeof *memory->sectors),
        .sector_capacity = geometry->sector_count,
        .buffer = malloc(BUFFER_SIZE),
        .buffer_size = BUFFER_SIZE,
    };
    if (memory->index != NULL && memory->sectors != NULL &&
        memory->buffer != NULL)
        return true;
    nkv_geometry_release(memory);
    return false;
}

void nkv_geometry_release(struct nkv_memory *memory)
{
    free(memory->index);
    free(memory->sectors);
    free(memory->buffer);
    *memory = (struct nkv_memory){0};
}
