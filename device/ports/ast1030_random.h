/* Random numbers of an AST1030. */
#ifndef NORKV_PORTS_AST1030_RANDOM_H
#define NORKV_PORTS_AST1030_RANDOM_H

#include <stdint.h>

/* A random number: good enough to tell one start from another, not for keys. */
uint32_t nkv_ast1030_random(void);

#endif
