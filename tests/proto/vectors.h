/* The cases in tests/vectors, recorded from other implementations. */
#ifndef NORKV_TESTS_PROTO_VECTORS_H
#define NORKV_TESTS_PROTO_VECTORS_H

#include <jansson.h>
#include <norkv/bytes.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The object in tests/vectors/NAME; fails the test when there is none. The
 * caller gives it back with json_decref.
 */
json_t *nkv_vectors_load(const char *name);

/* A member that has to be there. Borrowed. */
json_t *nkv_vectors_get(const json_t *object, const char *key);

/* The bytes that a hex text stands for. Memory of exactly this size, so that
 * the address sanitizer sees reads past the end; to be freed. */
struct nkv_buffer nkv_unhex(const char *text);

/* The bytes of a member that is hex text; to be freed. */
struct nkv_buffer nkv_vectors_bytes(const json_t *object, const char *key);

/* A number that the member holds as a number, decimal text or 0x text. */
uint64_t nkv_vectors_number(const json_t *object, const char *key);

static inline struct nkv_span nkv_span_of(struct nkv_buffer bytes)
{
    return (struct nkv_span){bytes.data, bytes.capacity};
}

#endif
