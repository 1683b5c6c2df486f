/* The largest value that a device takes. */
#ifndef NORKV_CLI_VALUE_LIMIT_H
#define NORKV_CLI_VALUE_LIMIT_H

#include <norkv/client.h>

/* The header of an entry, beside key and value in one sector. */
enum { NKV_ENTRY_OVERHEAD = 16 };

/* Bytes under a key of so many, which is not longer than the device's longest:
 * what fits its frames, and one sector of its store. */
size_t nkv_value_limit(const struct nkv_device *device, uint32_t sector_size,
                       size_t key_size);

#endif
