/* How settings are made, whatever file they come from. Errors have the
 * setting's line. */
#ifndef NORKV_CLI_SETTING_MAKE_H
#define NORKV_CLI_SETTING_MAKE_H

#include "settings.h"

/* Adds an empty setting to the list, which owns it. NULL: no memory. */
struct nkv_setting *nkv_setting_add(struct nkv_settings *settings);

/* Takes the key from a field, which is hex digits if is_hex. */
bool nkv_setting_take_key(struct nkv_setting *setting, struct nkv_span field,
                          bool is_hex, struct nkv_parse_error *error);

/* Takes the value from a field, as the setting's encoding says. */
bool nkv_setting_take_value(struct nkv_setting *setting, struct nkv_span field,
                            struct nkv_parse_error *error);

/* False: a key comes twice; the error has the line of the second. */
bool nkv_settings_keys_differ(const struct nkv_settings *settings,
                              struct nkv_parse_error *error);

#endif
