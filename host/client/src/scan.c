/* Scans: records with version and size, from a cursor that each chunk brings.
 */
#include "download.h"

#include <string.h>

/* More than any device needs for its cursor. */
enum { CURSOR_MAX = 256 };

struct scanning {
    struct nkv_client_scan *scan;
    uint8_t cursor[CURSOR_MAX];
    size_t cursor_size;
};

static bool is_record_sound(const Norkv__V1__Record *record,
                            const struct nkv_client_scan *scan)
{
    if (record->key.len > NKV_CLIENT_KEY_SIZE_MAX)
        return false;
    /* Of a damaged entry the key may be unknown. */
    if (record->status != NKV_OK)
        return record->value.len == 0;
    if (record->key.len == 0 ||
        !nkv_download_has_prefix(nkv_message_span(record->key), scan->prefix))
        return false;
    bool has_value = !scan->keys_only && !record->value_omitted;
    return record->value.len == (has_value ? record->value_size : 0);
}

static bool deliver(const struct scanning *scanning,
                    const Norkv__V1__Record *from)
{
    struct nkv_client_record record = {
        .key = nkv_message_span(from->key),
        .value = nkv_message_span(from->value),
        .version = from->version,
        .value_size = from->value_size,
        .value_omitted = from->value_omitted,
        .status = nkv_wire_status(from->status),
    };
    return scanning->scan->record(scanning->scan->context, &record);
}

static bool is_sound(const struct scanning *scanning,
                     const Norkv__V1__ScanResponse *chunk)
{
    for (size_t i = 0; i < chunk->n_records; i++) {
        if (!is_record_sound(chunk->records[i], scanning->scan))
            return false;
    }
    return chunk->cursor.len <= CURSOR_MAX;
}

static void take_chunk(struct nkv_download *download,
                       const ProtobufCMessage *message)
{
    const Norkv__V1__ScanResponse *chunk = (const void *)message;
    struct scanning *scanning = download->context;
    if (!is_sound(scanning, chunk)) {
        download->end = NKV_DOWNLOAD_BROKEN;
        return;
    }
    for (size_t i = 0; i < chunk->n_records; i++) {
        if (!deliver(scanning, chunk->records[i])) {
            download->end = NKV_DOWNLOAD_STOPPED;
            return;
        }
    }
    if (chunk->cursor.len > 0)
        memcpy(scanning->cursor, chunk->cursor.data, chunk->cursor.len);
    scanning->cursor_size = chunk->cursor.len;
    nkv_download_took(download);
    if (chunk->done) {
        scanning->scan->changed |= chunk->changed != 0;
        download->end = NKV_DOWNLOAD_COMPLETE;
    }
}

static uint8_t *make_request(struct nkv_download *download, size_t *size)
{
    const struct scanning *scanning = download->context;
    struct nkv_span cursor = {scanning->cursor, scanning->cursor_size};
    Norkv__V1__ScanRequest request = NORKV__V1__SCAN_REQUEST__INIT;
    request.store = download->client->store;
    request.prefix = nkv_message_bytes(scanning->scan->prefix);
    request.cursor = nkv_message_bytes(cursor);
    request.keys_only = scanning->scan->keys_only;
    return nkv_message_pack(&request.base, size);
}

/* The device restarted, and its cursors are new ones: from the start. */
static bool is_cursor_refused(struct nkv_download *download,
                              const struct nkv_answer *answer)
{
    struct scanning *scanning = download->context;
    if (scanning->cursor_size == 0 || answer->is_server_error ||
        (answer->status != NKV_INVALID_ARGUMENT &&
         answer->status != NKV_ABORTED && answer->status != NKV_OUT_OF_RANGE &&
         answer->status != NKV_FAILED_PRECONDITION))
        return false;
    scanning->cursor_size = 0;
    scanning->scan->changed = true;
    return true;
}

static const struct nkv_download_kind kind = {
    .method = NKV_METHOD_SCAN,
    .request = make_request,
    .chunk = take_chunk,
    .refused = is_cursor_refused,
};

enum nkv_status nkv_client_scan(struct nkv_client *client,
                                const struct nkv_call_options *call,
                                struct nkv_client_scan *scan)
{
    scan->changed = false;
    enum nkv_status status = nkv_host_begin(client, call, "scan", NULL);
    if (status == NKV_OK)
        status = nkv_host_need_session(client, false);
    if (status != NKV_OK)
        return status;
    struct scanning scanning = {.scan = scan};
    struct nkv_download download = {
        .client = client, .kind = &kind, .context = &scanning};
    status = nkv_download_run(&download);
    if (status == NKV_OK)
        status = nkv_host_check_mounted(client);
    return nkv_host_end(client, status);
}
