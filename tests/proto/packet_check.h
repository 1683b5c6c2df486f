/* What the tests of packets share. */
#ifndef NORKV_TESTS_PROTO_PACKET_CHECK_H
#define NORKV_TESTS_PROTO_PACKET_CHECK_H

#include <norkv/packet.h>

/* Fails the test unless the two packets say the same. */
void nkv_check_same_packet(const struct nkv_packet *packet,
                           const struct nkv_packet *expected);

/*
 * Decodes a copy of the bytes that ends where they end, so that the address
 * sanitizer sees reads past them, and expects this packet, or with NULL that
 * they are no packet.
 */
void nkv_check_decodes_to(struct nkv_span bytes,
                          const struct nkv_packet *expected);

#endif
