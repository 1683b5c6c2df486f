/* What any port must carry. */
#ifndef NORKV_TESTS_HOST_EXERCISE_H
#define NORKV_TESTS_HOST_EXERCISE_H

#include <norkv/client.h>

/* Puts, gets, lists, deletes, with every byte there is, or fails the test. */
void nkv_exercise(struct nkv_client *client);

#endif
