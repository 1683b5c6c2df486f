/* A TCP port to serve on, one client at a time. */
#ifndef NORKV_SIM_TCP_H
#define NORKV_SIM_TCP_H

#include <stdbool.h>

struct nkv_tcp {
    /* Listens, not blocking. */
    int fd;
    /* What a host opens: tcp:ADDRESS:PORT, with the port that was picked. */
    char port[80];
};

/* Is this an address: HOST:PORT, with HOST in brackets when it has colons, or
 * PORT alone for loopback? */
bool nkv_tcp_is_address(const char *text);

/* Listens at an address; port 0 picks a free one. False: standard error says
 * why not. */
bool nkv_tcp_listen(struct nkv_tcp *tcp, const char *address);

/* Takes the next client's connection, not blocking; -1: there is none. */
int nkv_tcp_accept(const struct nkv_tcp *tcp);

/* Takes the next client's connection, tells it that another one is served, and
 * closes it. */
void nkv_tcp_refuse(const struct nkv_tcp *tcp);

void nkv_tcp_close(struct nkv_tcp *tcp);

#endif
