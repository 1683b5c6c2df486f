#include "shell_port.h"

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

static enum nkv_exit open_port(struct nkv_shell_port *port,
                               const struct nkv_client_options *how)
{
    char why[NKV_CLIENT_WHY_SIZE];
    enum nkv_status status =
        nkv_client_open_port(port->name, how, &port->transport, why);

    if (status != NKV_OK) {
        return nkv_fail(status == NKV_INVALID_ARGUMENT ? NKV_EXIT_USAGE
                                                       : NKV_EXIT_FAILED,
                        "%s: %s", port->name, why);
    }
    port->is_open = true;
    return NKV_EXIT_DONE;
}

enum nkv_exit nkv_shell_port_connect(struct nkv_shell_port *port,
                                     const struct nkv_client_options *how,
                                     struct nkv_client **client)
{
    struct nkv_client_transport transport = {
        .read = read_port,
        .write = write_port,
        .close = leave_port,
        .context = port,
        .name = port->name,
    };
    enum nkv_exit code = NKV_EXIT_DONE;

    *client = NULL;
    (void)nkv_shell_port_drop_lost(port);
    if (!port->is_open) {
        code = open_port(port, how);
    }
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    transport.baud = port->transport.baud;
    if (port->transport.descriptor != NULL) {
        transport.descriptor = descriptor_of_port;
    }
    if (nkv_client_open_transport(&transport, how, client) == NKV_OK) {
        return NKV_EXIT_DONE;
    }
    nkv_client_free(client);
    return nkv_fail_for_memory();
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
