/* The self-test of the flash driver, on a sector that holds nothing. */
#ifndef NORKV_TEMPLATE_SELFTEST_H
#define NORKV_TEMPLATE_SELFTEST_H

#include <norkv/selftest.h>

/*
 * Tries the driver on the last sector that reads FF throughout, before the
 * store is mounted; the others are read only. Gives the first check that
 * failed, which docs/porting.md explains. NKV_SELFTEST_NONE: all passed, or
 * there is no such sector or another flash, and nothing was tried.
 *
 * It erases that sector twice, so it is for a bring-up and not for each start
 * of a product. Blocks for three reads of the whole flash and the programming
 * of a sector, besides. What it leaves in the sector when it fails, or power
 * does, the store finds when it is mounted.
 */
enum nkv_selftest_check nkv_template_selftest(void);

#endif
