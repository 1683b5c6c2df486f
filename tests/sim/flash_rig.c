#include "flash_rig.h"

#include <stdlib.h>
#include <string.h>

int nkv_rig_setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    assert_non_null(rig);
    nkv_temp_folder_make(&rig->folder);
    nkv_temp_path(&rig->folder, "flash.bin", rig->path);
    nkv_geometry_init(&rig->geometry);
    rig->geometry.sector_size = SECTOR;
    rig->geometry.sector_count = SECTORS;
    rig->geometry.program_unit = UNIT;
    rig->file.fd = -1;
    *state = rig;
    return 0;
}

int nkv_rig_teardown(void **state)
{
    struct rig *rig = *state;

    nkv_flash_file_close(&rig->file);
    nkv_temp_folder_remove(&rig->folder);
    free(rig);
    return 0;
}

void nkv_rig_open(struct rig *rig, struct nkv_power_cut cut)
{
    assert_int_equal(
        nkv_flash_file_open(&rig->file, rig->path, &rig->geometry, cut),
        NKV_OK);
}

void nkv_rig_read_file(const struct rig *rig, uint8_t bytes[FLASH])
{
    assert_int_equal(nkv_temp_read(rig->path, bytes, FLASH), FLASH);
}

enum nkv_status nkv_rig_read(struct rig *rig, uint32_t offset, void *to,
                             size_t size)
{
    return rig->file.flash.read(rig->file.flash.context, offset, to, size);
}

enum nkv_status nkv_rig_program(struct rig *rig, uint32_t offset,
                                const void *from, size_t size)
{
    return rig->file.flash.program(rig->file.flash.context, offset, from, size);
}

enum nkv_status nkv_rig_erase(struct rig *rig, uint32_t sector)
{
    return rig->file.flash.erase(rig->file.flash.context, sector);
}

void nkv_assert_filled(const uint8_t *bytes, int fill, size_t size)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], fill);
}
