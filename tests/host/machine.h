/* What the tests take of the machine itself: its clock, and TCP ports of its
 * loopback interface. */
#ifndef NORKV_TESTS_HOST_MACHINE_H
#define NORKV_TESTS_HOST_MACHINE_H

#include <netinet/in.h>
#include <stdint.h>

enum { NKV_LOOPBACK_FILLERS = 8 };

/* A port that listens. */
struct nkv_loopback {
    int fd;
    struct sockaddr_in address;
    /* What nkv_client_open takes. */
    char port[64];
    /* Connections that nobody accepts; or -1. */
    int fillers[NKV_LOOPBACK_FILLERS];
};

/* The monotonic clock. */
uint64_t nkv_machine_ms(void);

/* Listens at a free port. flags are those of socket()'s type, backlog is that
 * of listen(). */
void nkv_loopback_listen(struct nkv_loopback *loopback, int flags, int backlog);

/* Fills the queue of a port with a backlog of 0 and on which nobody accepts:
 * whoever connects now waits. */
void nkv_loopback_fill(struct nkv_loopback *loopback);

void nkv_loopback_close(struct nkv_loopback *loopback);

#endif
