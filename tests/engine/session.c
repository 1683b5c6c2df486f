#include "session.h"

#include "random.h"

#include <stdio.h>
#include <string.h>

/* No value has this number. */
static const unsigned UNKNOWN = ~0u;

static bool complain(const struct nkv_session *session, const char *what,
                     unsigned key, enum nkv_status status)
{
    fprintf(stderr, "write %u, key %u: %s (%s)\n", session->number, key, what,
            nkv_status_name(status));
    return false;
}

static struct nkv_span key_of(unsigned number, uint8_t *byte)
{
    *byte = (uint8_t)('a' + number);
    return (struct nkv_span){byte, 1};
}

static struct nkv_span value_of(unsigned number, uint8_t *bytes)
{
    size_t size = 4 + number % 30;

    memset(bytes, (int)number, size);
    nkv_store_le32(bytes, number);
    return (struct nkv_span){bytes, size};
}

/* Reads a key's number, 0 when it is not there, UNKNOWN when a read failed that
 * may fail. */
static bool read_key(struct nkv_session *session, unsigned number,
                     unsigned *value)
{
    uint8_t byte, bytes[40], expected[40];
    struct nkv_buffer to = {bytes, sizeof bytes};
    struct nkv_value got = {0};
    enum nkv_status status =
        nkv_get(&session->bench.store, key_of(number, &byte), 0, to, &got);

    *value = 0;
    if (status == NKV_NOT_FOUND) {
        return true;
    }
    if (status != NKV_OK && session->reads_fail) {
        *value = UNKNOWN;
        return true;
    }
    if (status != NKV_OK) {
        return complain(session, "get", number, status);
    }
    *value = nkv_load_le32(bytes);
    if (got.size != value_of(*value, expected).size ||
        memcmp(bytes, expected, got.size) != 0) {
        return complain(session, "a value that was never written", number,
                        status);
    }
    return true;
}

static bool was_attempted(const struct nkv_session_key *key, unsigned value)
{
    for (unsigned i = 0; i < key->attempt_count; i++) {
        if (key->attempts[i] == value) {
            return true;
        }
    }
    return false;
}

bool nkv_session_check(struct nkv_session *session)
{
    for (unsigned i = 0; i < NKV_SESSION_KEYS; i++) {
        unsigned value;

        if (!read_key(session, i, &value)) {
            return false;
        }
        /* A write that failed may have been done all the same. */
        if (value != session->keys[i].value && value != UNKNOWN &&
            !was_attempted(&session->keys[i], value)) {
            return complain(session, "another value than acknowledged", i,
                            NKV_OK);
        }
        if (value != UNKNOWN) {
            session->keys[i].value = value;
        }
    }
    return true;
}

bool nkv_session_begin(struct nkv_session *session,
                       const struct nkv_bench_setup *setup, uint64_t seed)
{
    memset(session, 0, sizeof *session);
    session->random = seed;
    nkv_bench_init(&session->bench, setup);
    session->bench.sim.random = seed;
    return nkv_session_mount(session);
}

void nkv_session_end(struct nkv_session *session)
{
    nkv_bench_free(&session->bench);
}

bool nkv_session_mount(struct nkv_session *session)
{
    enum nkv_status status = nkv_bench_mount(&session->bench);

    session->mounts++;
    session->is_in_doubt = false;
    if (status != NKV_OK) {
        return complain(session, "mount", 0, status);
    }
    for (unsigned i = 0; i < NKV_SESSION_KEYS; i++) {
        struct nkv_session_key *key = &session->keys[i];
        unsigned value;

        if (!read_key(session, i, &value)) {
            return false;
        }
        if (value != key->value && !was_attempted(key, value)) {
            return complain(session, "a lost or returned value after mount", i,
                            NKV_OK);
        }
        key->value = value;
        key->attempt_count = 0;
    }
    return true;
}

bool nkv_session_write(struct nkv_session *session, unsigned number,
                       unsigned value)
{
    struct nkv_session_key *key = &session->keys[number];
    struct nkv_store *store = &session->bench.store;
    uint8_t byte, bytes[40];
    struct nkv_span name = key_of(number, &byte);
    enum nkv_status status;

    if (key->attempt_count == NKV_SESSION_ATTEMPTS_MAX) {
        return true;
    }
    status = value == 0 ? nkv_delete(store, name)
                        : nkv_put(store, name, value_of(value, bytes));
    if (status == NKV_OK || (value == 0 && status == NKV_NOT_FOUND)) {
        /* After a failure a tombstone may be written for what is not there. */
        if (value == 0 && (status == NKV_OK) != (key->value != 0) &&
            (status == NKV_NOT_FOUND || !session->is_in_doubt)) {
            return complain(session, "delete", number, status);
        }
        key->value = value;
        key->attempt_count = 0;
        return true;
    }
    session->failed++;
    session->is_in_doubt = true;
    key->attempts[key->attempt_count++] = value;
    return key->attempt_count < NKV_SESSION_ATTEMPTS_MAX ||
           session->reads_fail || nkv_session_mount(session);
}

bool nkv_session_write_any(struct nkv_session *session)
{
    unsigned number = nkv_random_below(&session->random, NKV_SESSION_KEYS);
    unsigned value = ++session->number;

    return nkv_session_write(
        session, number,
        nkv_random_below(&session->random, 6) == 0 ? 0 : value);
}

bool nkv_session_do(struct nkv_session *session)
{
    uint32_t die = nkv_random_below(&session->random, 100);
    unsigned number = nkv_random_below(&session->random, NKV_SESSION_KEYS);
    bool more;

    if (die < 70) {
        return nkv_session_write(session, number, ++session->number);
    }
    if (die < 85) {
        return nkv_session_write(session, number, 0);
    }
    if (die < 88) {
        return nkv_session_mount(session);
    }
    if (die < 96) {
        (void)!nkv_step(&session->bench.store, &more);
    } else {
        (void)!nkv_maintain(&session->bench.store,
                            (enum nkv_maintenance_kind)(die % 3));
    }
    return true;
}

bool nkv_session_recovers(struct nkv_session *session)
{
    unsigned failed = session->failed;
    bool good;

    nkv_flash_sim_clear_faults(&session->bench.sim);
    session->bench.sim.flaky_every = 0;
    session->bench.sim.disturb_every = 0;
    session->reads_fail = false;
    good = nkv_session_mount(session);
    for (unsigned i = 0; good && i < 100; i++) {
        good = nkv_session_write(session, i % NKV_SESSION_KEYS,
                                 ++session->number) &&
               nkv_session_check(session);
    }
    return good && session->failed == failed && nkv_session_mount(session) &&
           nkv_bench_is_sound(&session->bench);
}
