/* In place of config.c, for firmware whose configuration is a constant that was
 * checked with it. */
#include "../config.h"

bool nkv_config_is_valid(const struct nkv_config *config)
{
    (void)config;
    return true;
}
