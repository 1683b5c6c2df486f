/* A port that stays open from one command of sh to the next. */
#ifndef NORKV_CLI_SHELL_PORT_H
#define NORKV_CLI_SHELL_PORT_H

#include <norkv/client.h>
#include <stdbool.h>

/* Members are private, but for name. */
struct nkv_shell_port {
    /* Allocated. */
    char *name;
    struct nkv_client_transport transport;
    bool is_open;
    /* It was open before. */
    bool was_open;
    /* The other end is gone. */
    bool is_lost;
};

/*
 * Makes a client on the port, which is opened if it is not open or was lost.
 * Freeing the client leaves the port open. Nothing is reported: on failure *why
 * tells the reason, without the port. Statuses as nkv_client_open.
 */
enum nkv_status nkv_shell_port_connect(struct nkv_shell_port *port,
                                       const struct nkv_client_options *how,
                                       struct nkv_client **client,
                                       char why[NKV_CLIENT_WHY_SIZE]);

/* Whether it was open once, and is not now. */
bool nkv_shell_port_was_lost(const struct nkv_shell_port *port);

/* Looks whether the other end is still there, though nobody has used it. */
void nkv_shell_port_look(struct nkv_shell_port *port);

/* Closes the port if it was lost; true: it was. */
bool nkv_shell_port_drop_lost(struct nkv_shell_port *port);

void nkv_shell_port_close(struct nkv_shell_port *port);

#endif
