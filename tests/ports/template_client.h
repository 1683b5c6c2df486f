/* A client of the template's server, at the other end of its line. */
#ifndef NORKV_TESTS_TEMPLATE_CLIENT_H
#define NORKV_TESTS_TEMPLATE_CLIENT_H

#include <norkv/packet.h>

/* Requests, as the UART's interrupt gives them to the line: Open; Put of the
 * key "k" with the value "value"; and Get of that key. */
void template_send_open(void);
void template_send_put(void);
void template_send_get(void);

/* The last packet that was sent to the client, valid until the next call; with
 * the status NKV_UNKNOWN: none. */
struct nkv_packet template_answer(void);

#endif
