/* cmocka.h with what it needs before it. */
#ifndef NORKV_TESTS_PROTO_CMOCKA_ALL_H
#define NORKV_TESTS_PROTO_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
