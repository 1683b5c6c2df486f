#include "damage.h"

#include "json_set.h"

#include <stdio.h>

json_t *nkv_damage_object(uint32_t sector, uint32_t offset, const char *kind,
                          struct nkv_span key)
{
    json_t *object = json_object();

    nkv_json_set_integer(object, "sector", sector);
    nkv_json_set_integer(object, "offset", offset);
    nkv_json_set_text(object, "kind", kind);
    if (key.size > 0) {
        nkv_json_set_hex(object, "key_hex", key);
    }
    return object;
}

void nkv_print_damage(const json_t *damage)
{
    const json_t *key = json_object_get(damage, "key_hex");

    printf("damage: sector %" JSON_INTEGER_FORMAT
           ", offset %" JSON_INTEGER_FORMAT ": %s",
           json_integer_value(json_object_get(damage, "sector")),
           json_integer_value(json_object_get(damage, "offset")),
           json_string_value(json_object_get(damage, "kind")));
    if (key != NULL) {
        printf(", key hex:%s", json_string_value(key));
    }
    putchar('\n');
}
