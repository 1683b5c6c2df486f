/* What a device says besides its answers. */
#include "internal.h"

enum {
    /* When nothing has come for so long, a line counts as ended: a prompt, say.
     */
    PAUSE_MS = 100
};

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

enum nkv_status nkv_client_listen(struct nkv_client *client,
                                  uint32_t timeout_ms)
{
    struct nkv_link *link = &client->link;
    enum nkv_status status = nkv_host_begin(client, NULL, "listen", NULL);
    uint64_t until = nkv_link_now(link) + timeout_ms;
    uint64_t remarks = link->remarks;
    while (status == NKV_OK && link->remarks == remarks) {
        uint64_t bytes = link->heard.bytes;
        uint64_t now = nkv_link_now(link);
        bool waits = nkv_prose_waits(&link->prose);
        if (now >= until)
            return NKV_DEADLINE_EXCEEDED;
        if (nkv_link_poll(link, waits ? earlier(until, now + PAUSE_MS)
                                      : until) != NKV_OK)
            return nkv_host_fail_dead(client);
        if (waits && link->heard.bytes == bytes)
            nkv_prose_flush(&link->prose);
    }
    return status;
}
