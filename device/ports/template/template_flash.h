/* A partition of flash for a store, over the accesses of chip.h. */
#ifndef NORKV_TEMPLATE_FLASH_H
#define NORKV_TEMPLATE_FLASH_H

#include <norkv/flash.h>

/*
 * The functions give, besides what norkv/flash.h says,
 * - NKV_DEADLINE_EXCEEDED: the flash stayed busy; it may or may not be done.
 * - NKV_INTERNAL: the flash says that it failed.
 * What was programmed is not read back here: the store does that.
 */
extern const struct nkv_flash nkv_template_flash;

#endif
