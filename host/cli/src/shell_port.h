/* A port that stays open from one command of sh to the next. */
#ifndef NORKV_CLI_SHELL_PORT_H
#define NORKV_CLI_SHELL_PORT_H

#include "report.h"

#include <norkv/client.h>
#include <stdbool.h>

/* Members are private. */
struct nkv_shell_port {
    /* Borrowed. */
    const char *name;
    struct nkv_client_transport transport;
    bool is_open;
    /* The other end is gone. */
    bool is_lost;
};

/*
 * Makes a client on the port, which is opened if it is not open or was lost.
 * Freeing the client leaves the port open.
 *
 * NKV_EXIT_DONE: free client. Otherwise the error was reported.
 */
enum nkv_exit nkv_shell_port_connect(struct nkv_shell_port *port,
                                     const struct nkv_client_options *how,
                                     struct nkv_client **client);

/* Closes the port if it was lost; true: it was. */
bool nkv_shell_port_drop_lost(struct nkv_shell_port *port);

void nkv_shell_port_close(struct nkv_shell_port *port);

#endif
