/* cmocka, with what it wants to be included before it. */
#ifndef NKV_TEST_TEST_H
#define NKV_TEST_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
