/* The settings of a device, and what its board brings for them. */
#ifndef EXAMPLE_FIRMWARE_H
#define EXAMPLE_FIRMWARE_H

#include <norkv/flash.h>

/* The board's flash driver: see norkv/flash.h. */
enum nkv_status board_flash_read(void *context, uint32_t offset, void *to,
                                 size_t size);
enum nkv_status board_flash_program(void *context, uint32_t offset,
                                    const void *from, size_t size);
enum nkv_status board_flash_erase(void *context, uint32_t sector);

enum nkv_status settings_open(void);
enum nkv_status settings_count_boot(uint32_t *boots);
enum nkv_status settings_idle(void);

#endif
