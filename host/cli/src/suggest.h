/* What a mistyped word may have been meant to be. */
#ifndef NORKV_CLI_SUGGEST_H
#define NORKV_CLI_SUGGEST_H

#include <stdbool.h>

/*
 * Is word so little away from candidate that it may be a typing error: up to
 * two letters changed, missing or added, at most half of the candidate?
 */
bool nkv_is_like(const char *word, const char *candidate);

#endif
