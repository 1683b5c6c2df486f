/* A flash in a temporary file: 4 sectors of 256 bytes, program unit 16. */
#ifndef NKV_TEST_FLASH_RIG_H
#define NKV_TEST_FLASH_RIG_H

#include "flash_file.h"
#include "temp_folder.h"
#include "test.h"

enum { SECTOR = 256, SECTORS = 4, UNIT = 16, FLASH = SECTOR * SECTORS };

struct rig {
    struct nkv_temp_folder folder;
    char path[256];
    struct nkv_geometry geometry;
    struct nkv_flash_file file;
};

/* Fixtures of cmocka: *state is a struct rig. The file is not yet there. */
int nkv_rig_setup(void **state);
int nkv_rig_teardown(void **state);

/* Opens the flash; it must succeed. */
void nkv_rig_open(struct rig *rig, struct nkv_power_cut cut);

/* The file's bytes. */
void nkv_rig_read_file(const struct rig *rig, uint8_t bytes[FLASH]);

enum nkv_status nkv_rig_read(struct rig *rig, uint32_t offset, void *to,
                             size_t size);
enum nkv_status nkv_rig_program(struct rig *rig, uint32_t offset,
                                const void *from, size_t size);
enum nkv_status nkv_rig_erase(struct rig *rig, uint32_t sector);

/* Are all of the bytes the same? */
void nkv_assert_filled(const uint8_t *bytes, int fill, size_t size);

#endif
