/* What every test of the host's library includes. */
#ifndef NORKV_TESTS_HOST_TEST_H
#define NORKV_TESTS_HOST_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <norkv/client.h>
#include <string.h>

/* The bytes of a C string. */
static inline struct nkv_span text_span(const char *text)
{
    return (struct nkv_span){(const uint8_t *)text, strlen(text)};
}

/* A call succeeds, or the test says what it complained about. */
#define assert_done(client, call)                                              \
    do {                                                                       \
        enum nkv_status assert_done_status = (call);                           \
        if (assert_done_status != NKV_OK)                                      \
            fail_msg("%s: %s", nkv_status_name(assert_done_status),            \
                     nkv_client_error(client));                                \
    } while (0)

/* An error text contains a piece of text. */
#define assert_says(client, piece)                                             \
    do {                                                                       \
        if (strstr(nkv_client_error(client), (piece)) == NULL)                 \
            fail_msg("\"%s\" does not say \"%s\"", nkv_client_error(client),   \
                     (piece));                                                 \
    } while (0)

#endif
