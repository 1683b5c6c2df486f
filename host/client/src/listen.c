/* What a device says besides its answers. */
#include "task.h"

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
    if (status != NKV_OK)
        return status;
    uint64_t until = nkv_link_now(link) + timeout_ms;
    uint64_t remarks = link->remarks;
    uint64_t bytes = link->heard.bytes;
    uint64_t quiet_at = nkv_link_now(link) + PAUSE_MS;
    while (link->remarks == remarks) {
        uint64_t now = nkv_link_now(link);
        bool waits = nkv_prose_waits(&link->prose);
        if (link->heard.bytes != bytes)
            quiet_at = now + PAUSE_MS;
        bytes = link->heard.bytes;
        if (waits && now >= quiet_at)
            nkv_prose_flush(&link->prose);
        else if (now >= until)
            return NKV_DEADLINE_EXCEEDED;
        else if (nkv_task_turn(client, waits ? earlier(until, quiet_at)
                                             : until) != NKV_OK)
            return nkv_host_fail_dead(client);
    }
    return NKV_OK;
}
