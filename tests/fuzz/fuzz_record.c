/* Records out of any bytes: what is one is written the same way again. */
#include "fuzz.h"

#include <norkv/record.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nkv_span rest = {data, size};
    struct nkv_record record;
    struct nkv_digest digest = {0};
    const uint8_t *at = data;
    enum nkv_status status;

    while ((status = nkv_record_next(&rest, &record)) == NKV_OK) {
        uint8_t head[NKV_RECORD_HEAD_MAX];
        size_t head_size = nkv_record_head(head, record.key, record.value.size);

        if (memcmp(at, head, head_size) != 0 ||
            rest.data !=
                at + nkv_record_size(record.key.size, record.value.size)) {
            abort();
        }
        nkv_digest_add(&digest, record.key, record.value);
        at = rest.data;
    }
    if ((status == NKV_NOT_FOUND) != (rest.size == 0)) {
        abort();
    }
    return 0;
}
