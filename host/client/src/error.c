/* What went wrong, in words. */
#include "internal.h"

enum nkv_status nkv_host_fail(struct nkv_client *client, enum nkv_status status,
                              const char *format, ...)
{
    va_list list;
    struct nkv_text *text = client->error_text;
    nkv_text_clear(text);
    /* Those who are told something by others name the call themselves. */
    if (client->call_name != NULL)
        nkv_text_add(text, "%s: ", client->port);
    if (client->call_name != NULL && client->call_name->size > 0)
        nkv_text_add(text, "%s: ", client->call_name->text);
    va_start(list, format);
    nkv_text_add_list(text, format, list);
    va_end(list);
    return status;
}

enum nkv_status nkv_host_no_memory(struct nkv_client *client)
{
    return nkv_host_fail(client, NKV_INTERNAL, "no memory");
}

enum nkv_status nkv_host_fail_dead(struct nkv_client *client)
{
    struct nkv_text why = {0};
    nkv_link_explain_death(&client->link, &why);
    return nkv_host_fail(client, NKV_UNAVAILABLE, "%s", why.text);
}

enum nkv_status nkv_host_fail_silent(struct nkv_client *client)
{
    struct nkv_text why = {0};
    uint64_t waited = nkv_link_now(&client->link) - client->begun_at;
    nkv_link_flush_trace(&client->link);
    nkv_link_explain_silence(&client->link, &client->heard_before, &why);
    if (client->hint.size > 0 &&
        client->link.heard.packets != client->heard_before.packets)
        nkv_text_add(&why, "; %s", client->hint.text);
    return nkv_host_fail(client, NKV_DEADLINE_EXCEEDED,
                         "no answer within %llu.%03llu s: %s",
                         (unsigned long long)(waited / 1000),
                         (unsigned long long)(waited % 1000), why.text);
}

enum nkv_status nkv_host_fail_late(struct nkv_client *client)
{
    const struct nkv_link *link = &client->link;
    if (nkv_link_is_ready(link))
        return nkv_host_fail_silent(client);
    if (link->out_sent == 0)
        return nkv_host_fail(client, NKV_DEADLINE_EXCEEDED,
                             "the port takes no bytes (flow control, or nobody "
                             "reads at the other end)");
    return nkv_host_fail(client, NKV_DEADLINE_EXCEEDED,
                         "the line took only %zu bytes of the request in time "
                         "(give it more, or a faster line)",
                         link->out_sent);
}

enum nkv_status nkv_host_fail_busy(struct nkv_client *client)
{
    return nkv_host_fail(client, NKV_UNAVAILABLE, "the device stayed busy");
}

const char *nkv_reason_text(enum nkv_reason reason)
{
    static const char read_only[] =
        "the store is read-only: mounting it found foreign data or an erase "
        "that was cut short (erase-all clears it)";
    static const char flash_fault[] =
        "the store's flash cannot be used ('norkv info' says why)";
    static const char *const texts[] = {
        [NKV_REASON_NONE] = "no reason given",
        [NKV_REASON_STORE_FULL] = "the store is full",
        [NKV_REASON_KEY_TABLE_FULL] = "the device's table of keys is full",
        [NKV_REASON_VERSION_MISMATCH] = "the key has another version",
        [NKV_REASON_SESSION_UNKNOWN] = "the device does not know the session",
        [NKV_REASON_SEQ_TOO_OLD] = "the mutation's number is too old",
        [NKV_REASON_SEQ_GAP] = "the mutation's number is not the next one",
        [NKV_REASON_WRONG_UNIT_ID] = "the device has another unit id",
        [NKV_REASON_BAD_KEY] = "the key is empty or too long",
        [NKV_REASON_VALUE_TOO_LARGE] = "the value is too large",
        [NKV_REASON_NO_SUCH_STORE] = "the device has no store of this number",
        [NKV_REASON_CRC_MISMATCH] = "the value's CRC-32 is wrong",
        [NKV_REASON_STORE_READ_ONLY] = read_only,
        [NKV_REASON_BUSY] = "another long operation is running",
        [NKV_REASON_SEQ_REUSED] = "the mutation's number was used before",
        [NKV_REASON_FLASH_FAULT] = flash_fault,
    };
    if ((unsigned)reason >= sizeof(texts) / sizeof(texts[0]))
        return "a reason that this library does not know";
    return texts[reason];
}

static const char *status_text(enum nkv_status status)
{
    switch (status) {
    case NKV_NOT_FOUND:
        return "no such key";
    case NKV_UNAVAILABLE:
        return "the device stayed busy";
    case NKV_DATA_LOSS:
        return "the entry on the device is damaged";
    case NKV_RESOURCE_EXHAUSTED:
        return "the device has no room";
    case NKV_PERMISSION_DENIED:
    case NKV_UNAUTHENTICATED:
        return "the device does not allow it";
    case NKV_UNIMPLEMENTED:
        return "the device cannot do this";
    default:
        return "the device refused";
    }
}

static enum nkv_status refuse_packet(struct nkv_client *client,
                                     const struct nkv_answer *answer)
{
    if (answer->status == NKV_NOT_FOUND)
        return nkv_host_fail(client, NKV_UNIMPLEMENTED,
                             "the device has no such method (an older "
                             "firmware, or one built without it)");
    return nkv_host_fail(client, NKV_DATA_LOSS,
                         "the device did not understand the request (%s)",
                         nkv_status_name(answer->status));
}

/* Whether the store's fault may be why. A stream that ends so tells no reason.
 */
static bool may_be_fault(const struct nkv_answer *answer)
{
    return answer->status == NKV_FAILED_PRECONDITION &&
           (answer->reason == NKV_REASON_NONE ||
            answer->reason == NKV_REASON_STORE_READ_ONLY ||
            answer->reason == NKV_REASON_FLASH_FAULT);
}

enum nkv_status nkv_host_refuse(struct nkv_client *client,
                                const struct nkv_answer *answer)
{
    if (answer->is_server_error && answer->status != NKV_UNAVAILABLE)
        return refuse_packet(client, answer);
    client->reason = answer->reason;
    if (answer->status == NKV_OK)
        return nkv_host_fail(client, NKV_DATA_LOSS,
                             "the device's answer does not decode");
    if (may_be_fault(answer) && nkv_host_fail_fault(client, answer->status))
        return answer->status;
    const char *text = answer->reason == NKV_REASON_NONE
                           ? status_text(answer->status)
                           : nkv_reason_text(answer->reason);
    return nkv_host_fail(client, answer->status, "%s (%s)", text,
                         nkv_status_name(answer->status));
}

const char *nkv_client_error(const struct nkv_client *client)
{
    return client == NULL ? "no memory" : client->error.text;
}

const char *nkv_client_port(const struct nkv_client *client)
{
    return client == NULL ? "" : client->port;
}

const char *nkv_client_hint(const struct nkv_client *client)
{
    return client == NULL ? "" : client->hint.text;
}

enum nkv_reason nkv_client_reason(const struct nkv_client *client)
{
    return client == NULL ? NKV_REASON_NONE : client->reason;
}
