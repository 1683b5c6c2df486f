/* Bytes as hex digits, and back. */
#ifndef NORKV_CLI_HEX_H
#define NORKV_CLI_HEX_H

#include <norkv/bytes.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Decodes size digits, upper or lower case, two a byte, into to. to has room
 * for size / 2 bytes and may be where the digits are.
 *
 * False: an odd number of digits, or a character that is none; what to holds
 * is undefined.
 */
bool nkv_hex_decode(const char *digits, size_t size, uint8_t *to);

/* Writes two lower-case digits a byte and a NUL: 2 * bytes.size + 1 in all. */
void nkv_hex_encode(struct nkv_span bytes, char *to);

#endif
