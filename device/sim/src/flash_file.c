/* The driver: what a NOR flash does, and what it refuses. */
#include "flash_file.h"
#include "file_io.h"
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t flash_size(const struct nkv_flash *flash)
{
    return (uint64_t)flash->sector_size * flash->sector_count;
}

static bool is_in_range(const struct nkv_flash *flash, uint32_t offset,
                        size_t size)
{
    return offset <= flash_size(flash) && size <= flash_size(flash) - offset;
}

static bool is_erased(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0xFF)
            return false;
    }
    return true;
}

static bool reaches_cut(const struct nkv_flash_file *file)
{
    uint64_t done = file->operations == NULL
                        ? file->counters.programs + file->counters.erases
                        : *file->operations;

    return file->cut.at != 0 && done + 1 == file->cut.at;
}

__attribute__((noreturn)) static void
power_off(const struct nkv_flash_file *file, const char *operation,
          uint32_t offset)
{
    nkv_sim_say(
        "power cut at operation %" PRIu64 " (%s at 0x%" PRIx32 "%s%s, %s)",
        file->cut.at, operation, offset, file->name == NULL ? "" : " of ",
        file->name == NULL ? "" : file->name,
        nkv_cut_variant_name(file->cut.variant));
    _exit(NKV_SIM_POWER_CUT);
}

static void count_operation(struct nkv_flash_file *file, uint64_t *counter)
{
    (*counter)++;
    if (file->operations != NULL)
        (*file->operations)++;
}

static enum nkv_status refuse(struct nkv_flash_file *file,
                              enum nkv_status status)
{
    file->counters.refused_calls++;
    return status;
}

static enum nkv_status flash_read(void *context, uint32_t offset, void *to,
                                  size_t size)
{
    struct nkv_flash_file *file = context;

    if (!is_in_range(&file->flash, offset, size))
        return refuse(file, NKV_OUT_OF_RANGE);
    return nkv_read_file(file->fd, offset, to, size);
}

static enum nkv_status program_unit(struct nkv_flash_file *file,
                                    uint32_t offset, const uint8_t *from)
{
    size_t size = file->flash.program_unit;
    uint8_t unit[NKV_PROGRAM_UNIT_MAX];
    bool is_last = reaches_cut(file);
    enum nkv_status status;

    memcpy(unit, from, size);
    if (is_last) {
        memset(unit, 0xFF, size);
        nkv_power_cut_program(&file->cut, from, unit, size);
    }
    status = nkv_write_file(file->fd, offset, unit, size);
    if (is_last)
        power_off(file, "program", offset);
    if (status == NKV_OK)
        count_operation(file, &file->counters.programs);
    return status;
}

/* Are the bytes to be programmed erased? NKV_FAILED_PRECONDITION: no. */
static enum nkv_status check_erased(struct nkv_flash_file *file,
                                    uint32_t offset, size_t size)
{
    uint8_t bytes[256];

    for (size_t done = 0, part; done < size; done += part) {
        enum nkv_status status;

        part = size - done < sizeof bytes ? size - done : sizeof bytes;
        status = nkv_read_file(file->fd, (uint64_t)offset + done, bytes, part);
        if (status != NKV_OK)
            return status;
        if (!is_erased(bytes, part)) {
            file->counters.refused_programs++;
            return NKV_FAILED_PRECONDITION;
        }
    }
    return NKV_OK;
}

static enum nkv_status flash_program(void *context, uint32_t offset,
                                     const void *from, size_t size)
{
    struct nkv_flash_file *file = context;
    const struct nkv_flash *flash = &file->flash;
    const uint8_t *bytes = from;
    enum nkv_status status;

    if (!is_in_range(flash, offset, size))
        return refuse(file, NKV_OUT_OF_RANGE);
    if (offset % flash->program_unit != 0 || size % flash->program_unit != 0 ||
        size > flash->sector_size - offset % flash->sector_size)
        return refuse(file, NKV_INVALID_ARGUMENT);
    status = check_erased(file, offset, size);
    for (size_t done = 0; status == NKV_OK && done < size;
         done += flash->program_unit)
        status = program_unit(file, offset + (uint32_t)done, bytes + done);
    return status;
}

/* What is left of a sector whose erase the power cut interrupts. */
static enum nkv_status erase_in_part(struct nkv_flash_file *file,
                                     uint32_t offset, uint8_t *sector)
{
    size_t size = file->flash.sector_size;
    enum nkv_status status = nkv_read_file(file->fd, offset, sector, size);

    if (status != NKV_OK)
        return status;
    nkv_power_cut_erase(&file->cut, sector, size);
    return nkv_write_file(file->fd, offset, sector, size);
}

static enum nkv_status flash_erase(void *context, uint32_t number)
{
    struct nkv_flash_file *file = context;
    size_t size = file->flash.sector_size;
    uint32_t offset = number * file->flash.sector_size;
    enum nkv_status status;
    uint8_t *sector;

    if (number >= file->flash.sector_count)
        return refuse(file, NKV_OUT_OF_RANGE);
    sector = malloc(size);
    if (sector == NULL)
        return NKV_UNAVAILABLE;
    if (reaches_cut(file)) {
        (void)erase_in_part(file, offset, sector);
        power_off(file, "erase", offset);
    }
    memset(sector, 0xFF, size);
    status = nkv_write_file(file->fd, offset, sector, size);
    free(sector);
    if (status == NKV_OK)
        count_operation(file, &file->counters.erases);
    return status;
}

enum nkv_status nkv_flash_file_open(struct nkv_flash_file *file,
                                    const char *path,
                                    const struct nkv_geometry *geometry,
                                    struct nkv_power_cut cut)
{
    enum nkv_status status;
    bool is_new;

    *file = (struct nkv_flash_file){
        .flash =
            {
                .sector_size = geometry->sector_size,
                .sector_count = geometry->sector_count,
                .program_unit = geometry->program_unit,
                .context = file,
                .read = flash_read,
                .program = flash_program,
                .erase = flash_erase,
            },
        .cut = cut,
        .fd = -1,
    };
    status = nkv_open_erased_file(path, flash_size(&file->flash), &file->fd,
                                  &is_new);
    file->created = is_new ? path : NULL;
    if (status == NKV_INVALID_ARGUMENT) {
        nkv_sim_say("%s must be a file of %" PRIu64 " bytes, %" PRIu32
                    " sectors of %" PRIu32
                    ": give its --sectors and --sector-size, or another file",
                    path, flash_size(&file->flash), geometry->sector_count,
                    geometry->sector_size);
    }
    return status;
}

void nkv_flash_file_discard(struct nkv_flash_file *file)
{
    if (file->fd >= 0 && file->created != NULL)
        (void)unlink(file->created);
    nkv_flash_file_close(file);
}

void nkv_flash_file_close(struct nkv_flash_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}
