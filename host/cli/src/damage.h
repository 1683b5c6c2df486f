/* Damage on a flash, in words. */
#ifndef NORKV_CLI_DAMAGE_H
#define NORKV_CLI_DAMAGE_H

#include <jansson.h>
#include <norkv/bytes.h>
#include <stdint.h>

/* A damaged place as an object: sector, offset, kind, and key_hex unless key is
 * empty. NULL: no memory. */
json_t *nkv_damage_object(uint32_t sector, uint32_t offset, const char *kind,
                          struct nkv_span key);

/* Prints such an object as a line for people. */
void nkv_print_damage(const json_t *damage);

#endif
