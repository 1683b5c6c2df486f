/* Checking a configuration, once, at mount. */
#ifndef NKV_CONFIG_H
#define NKV_CONFIG_H

#include <norkv/store.h>

/* Whether a store can be run with it; the limits are those of store.h, flash.h
 * and format.h. */
bool nkv_config_is_valid(const struct nkv_config *config);

#endif
