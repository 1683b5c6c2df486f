#include "numbers.h"

#include <stdlib.h>
#include <string.h>

enum { MILLISECONDS_MAX = 24 * 3600 * 1000 };

bool nkv_parse_number(const char *text, uint32_t max, uint32_t *number)
{
    uint64_t value = 0;

    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        value = 10 * value + (uint64_t)(*text - '0');
        if (value > max) {
            return false;
        }
    }
    *number = (uint32_t)value;
    return true;
}

bool nkv_parse_time(const char *text, uint32_t *milliseconds)
{
    size_t digits = strspn(text, "0123456789.");
    char *end;
    double value = strtod(text, &end);

    if (digits == 0 || end != text + digits) {
        return false;
    }
    if (strcmp(end, "m") == 0) {
        value *= 60 * 1000;
    } else if (*end == '\0' || strcmp(end, "s") == 0) {
        value *= 1000;
    } else if (strcmp(end, "ms") != 0) {
        return false;
    }
    if (value < 1 || value > MILLISECONDS_MAX) {
        return false;
    }
    *milliseconds = (uint32_t)value;
    return true;
}

bool nkv_parse_usb_ids(const char *text, int *vendor, int *product)
{
    static const char digits[] = "0123456789abcdefABCDEF";

    if (strlen(text) != 9 || strspn(text, digits) != 4 || text[4] != ':' ||
        strspn(text + 5, digits) != 4) {
        return false;
    }
    *vendor = (int)strtol(text, NULL, 16);
    *product = (int)strtol(text + 5, NULL, 16);
    return *vendor != 0 && *product != 0;
}
