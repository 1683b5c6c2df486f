#include "window.h"

#include "internal.h"

/* What a device has room for that has not told. */
enum { WINDOW_UNKNOWN = 512 };

/* Whether a call's request may lie unread in the device's buffer. Its answer
 * takes it out of there, and so does its timer: it is lost then. */
static bool is_in_flight(const struct nkv_exchange *exchange, uint64_t now)
{
    return exchange->attempts > 0 && !exchange->done && !exchange->heard &&
           now < exchange->resend_at;
}

static size_t in_flight(const struct nkv_client *client)
{
    uint64_t now = nkv_link_now(&client->link);
    size_t size = client->window.chunks;
    for (const struct nkv_exchange *exchange = client->exchanges;
         exchange != NULL; exchange = exchange->next)
        size += is_in_flight(exchange, now) ? exchange->size : 0;
    return size;
}

size_t nkv_window_wire_size(const struct nkv_client *client)
{
    uint64_t now = nkv_link_now(&client->link);
    /* Flags and escapes of chunks are few. */
    size_t size = client->window.chunks;
    for (const struct nkv_exchange *exchange = client->exchanges;
         exchange != NULL; exchange = exchange->next)
        size += is_in_flight(exchange, now) ? exchange->wire_size : 0;
    return size;
}

bool nkv_window_is_for_one(const struct nkv_client *client, size_t window)
{
    const struct nkv_host_session *session = &client->session;
    return session->open && window <= session->device.max_frame;
}

static bool has_room(const struct nkv_client *client, size_t size)
{
    const struct nkv_host_session *session = &client->session;
    size_t window = session->open ? session->device.rx_window : WINDOW_UNKNOWN;
    size_t used = in_flight(client);
    return used == 0 || (!nkv_window_is_for_one(client, window) &&
                         used < window && size <= window - used);
}

bool nkv_window_takes(struct nkv_client *client, size_t size)
{
    struct nkv_window *window = &client->window;
    if (!window->is_claimed && has_room(client, size)) {
        window->was_chunk = false;
        return true;
    }
    window->is_claimed = true;
    window->is_call_waiting = true;
    return false;
}

bool nkv_window_takes_chunk(struct nkv_client *client, size_t size)
{
    struct nkv_window *window = &client->window;
    if (window->was_call_waiting && window->was_chunk) {
        /* Whoever waited may have ended: that shows at the next turn. */
        client->has_news |= in_flight(client) == 0;
        return false;
    }
    if (has_room(client, size)) {
        window->was_chunk = true;
        return true;
    }
    window->is_claimed = true;
    return false;
}

void nkv_window_turn(struct nkv_client *client)
{
    struct nkv_window *window = &client->window;
    window->was_call_waiting = window->is_call_waiting;
    window->is_call_waiting = false;
    window->is_claimed = false;
}
