#include <norkv/flash.h>

#include "core.h"

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

bool nkv_flash_is_valid(const struct nkv_flash *flash)
{
    return flash->read && flash->program && flash->erase &&
           is_power_of_two(flash->program_unit) &&
           flash->program_unit <= NKV_PROGRAM_UNIT_MAX &&
           flash->sector_count >= 2 && flash->sector_size >= 2 * NKV_UNIT &&
           flash->sector_size <= NKV_SECTOR_SIZE_MAX &&
           flash->sector_size % NKV_UNIT == 0 &&
           flash->sector_size % flash->program_unit == 0 &&
           flash->sector_count <= UINT32_MAX / flash->sector_size;
}
