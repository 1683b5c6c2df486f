/*
 * A session with a store whose flash fails: whatever a call says holds. A write
 * that failed has the old value until the store is mounted again, and then that
 * or the new one.
 */
#ifndef NORKV_TESTS_SESSION_H
#define NORKV_TESTS_SESSION_H

#include "bench.h"

enum { NKV_SESSION_KEYS = 8, NKV_SESSION_ATTEMPTS_MAX = 32 };

/* A key's value is a number; 0: it is not there. */
struct nkv_session_key {
    unsigned value;
    /* What failed writes may have left, until a write succeeds. */
    unsigned attempts[NKV_SESSION_ATTEMPTS_MAX];
    unsigned attempt_count;
};

struct nkv_session {
    struct nkv_bench bench;
    struct nkv_session_key keys[NKV_SESSION_KEYS];
    uint64_t random;
    /* Reads may say that they failed. */
    bool reads_fail;
    /* Writes done, those of them that failed, and mounts. */
    unsigned number;
    unsigned failed;
    unsigned mounts;
    /* A write has failed since the last mount. */
    bool is_in_doubt;
};

/* Begins with an empty store, mounted. The session may not move. Each call
 * tells whether all was right, and prints what was not. */
bool nkv_session_begin(struct nkv_session *session,
                       const struct nkv_bench_setup *setup, uint64_t seed);

void nkv_session_end(struct nkv_session *session);

bool nkv_session_mount(struct nkv_session *session);

/* A put, or a delete when value is 0. */
bool nkv_session_write(struct nkv_session *session, unsigned key,
                       unsigned value);

/* A random write. */
bool nkv_session_write_any(struct nkv_session *session);

/* A random write, mount, step or maintenance. */
bool nkv_session_do(struct nkv_session *session);

/* Whether each key has the value that was acknowledged. */
bool nkv_session_check(struct nkv_session *session);

/* Once the flash is well, everything is. */
bool nkv_session_recovers(struct nkv_session *session);

#endif
