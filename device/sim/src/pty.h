/* A pseudo terminal to serve on, and a link that names it. */
#ifndef NORKV_SIM_PTY_H
#define NORKV_SIM_PTY_H

#include <stdbool.h>

struct nkv_pty {
    /* The device's end, not blocking. */
    int master;
    /* The host's end: held open, so that a host that closes its own does not
     * hang up the line. */
    int slave;
    char name[64];
    /* Borrowed; NULL: none. */
    const char *link;
};

/*
 * Opens a pseudo terminal in raw mode. link, unless NULL, becomes a symbolic
 * link to it; one that is there, left by a simulator that was killed, is
 * replaced, but nothing else is.
 *
 * False: standard error says what is wrong; nothing is open.
 */
bool nkv_pty_open(struct nkv_pty *pty, const char *link);

/* Closes the terminal (the master too), and removes the link if it is still
 * ours. */
void nkv_pty_close(struct nkv_pty *pty);

/* What a host opens. */
const char *nkv_pty_port(const struct nkv_pty *pty);

#endif
