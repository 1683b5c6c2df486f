#include "shell_port.h"

#include <poll.h>
#include <stdio.h>

static enum nkv_status keep(struct nkv_shell_port *port, enum nkv_status status)
{
    port->is_lost =
        port->is_lost || (status != NKV_OK && status != NKV_DEADLINE_EXCEEDED);
    return status;
}

static enum nkv_status read_port(void *context, struct nkv_buffer to,
                                 uint32_t timeout_ms, size_t *size)
{
    struct nkv_shell_port *port = context;

    return keep(port, port->transport.read(port->transport.context, to,
                                           timeout_ms, size));
}

static enum nkv_status write_port(void *context, struct nkv_span bytes,
                                  uint32_t timeout_ms, size_t *size)
{
    struct nkv_shell_port *port = context;

    return keep(port, port->transport.write(port->transport.context, bytes,
                                            timeout_ms, size));
}

static int descriptor_of_port(void *context)
{
    struct nkv_shell_port *port = context;

    return port->transport.descriptor(port->transport.context);
}

/* A client is done with it; the next one goes on. */
static void leave_port(void *context)
{
    (void)context;
}

static enum nkv_status open_port(struct nkv_shell_port *port,
                                 const struct nkv_client_options *how,
                                 char why[NKV_CLIENT_WHY_SIZE])
{
    enum nkv_status status =
        nkv_client_open_port(port->name, how, &port->transport, why);

    port->is_open = status == NKV_OK;
    port->was_open = port->was_open || port->is_open;
    return status;
}

enum nkv_status nkv_shell_port_connect(struct nkv_shell_port *port,
                                       const struct nkv_client_options *how,
                                       struct nkv_client **client,
                                       char why[NKV_CLIENT_WHY_SIZE])
{
    struct nkv_client_transport transport = {
        .read = read_port,
        .write = write_port,
        .close = leave_port,
        .context = port,
        .name = port->name,
    };
    enum nkv_status status = NKV_OK;

    *client = NULL;
    (void)nkv_shell_port_drop_lost(port);
    if (!port->is_open) {
        status = open_port(port, how, why);
    }
    if (status != NKV_OK) {
        return status;
    }
    transport.baud = port->transport.baud;
    if (port->transport.descriptor != NULL) {
        transport.descriptor = descriptor_of_port;
    }
    status = nkv_client_open_transport(&transport, how, client);
    if (status != NKV_OK) {
        nkv_client_free(client);
        snprintf(why, NKV_CLIENT_WHY_SIZE, "no memory");
    }
    return status;
}

bool nkv_shell_port_was_lost(const struct nkv_shell_port *port)
{
    return port->was_open && (!port->is_open || port->is_lost);
}

void nkv_shell_port_look(struct nkv_shell_port *port)
{
    struct pollfd item = {.events = POLLRDHUP};

    if (!port->is_open || port->transport.descriptor == NULL) {
        return;
    }
    item.fd = port->transport.descriptor(port->transport.context);
    if (poll(&item, 1, 0) > 0) {
        port->is_lost = true;
    }
}

bool nkv_shell_port_drop_lost(struct nkv_shell_port *port)
{
    bool was_lost = port->is_lost;

    if (was_lost) {
        nkv_shell_port_close(port);
    }
    return was_lost;
}

void nkv_shell_port_close(struct nkv_shell_port *port)
{
    if (port->is_open) {
        port->transport.close(port->transport.context);
    }
    port->is_open = false;
    port->is_lost = false;
}
