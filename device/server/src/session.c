#include "session.h"

static struct nkv_server_answer *answers_of(const struct nkv_server *server,
                                            size_t client)
{
    const struct nkv_server_memory *memory = &server->config->memory;

    return memory->answers + client * memory->answers_per_client;
}

static void forget(const struct nkv_server *server, size_t client)
{
    const struct nkv_server_memory *memory = &server->config->memory;

    memory->clients[client] = (struct nkv_server_client){0};
    for (size_t i = 0; i < memory->answers_per_client; i++) {
        answers_of(server, client)[i] = (struct nkv_server_answer){0};
    }
}

void nkv_session_reset(struct nkv_server *server)
{
    server->session_count = 0;
    server->use_count = 0;
    for (size_t i = 0; i < server->config->memory.client_count; i++) {
        forget(server, i);
    }
}

static void touch(struct nkv_server *server, struct nkv_server_client *client)
{
    server->use_count++;
    client->last_used = server->use_count;
}

/* Where a new client goes: a free place (session 0), or the oldest. */
static size_t place_for_client(const struct nkv_server *server)
{
    const struct nkv_server_memory *memory = &server->config->memory;
    size_t oldest = 0;

    for (size_t i = 0; i < memory->client_count; i++) {
        if (memory->clients[i].session == 0) {
            return i;
        }
        if (server->use_count - memory->clients[i].last_used >
            server->use_count - memory->clients[oldest].last_used) {
            oldest = i;
        }
    }
    return oldest;
}

/* Multiplying by an odd number repeats nothing in 2^32 sessions; boot_id keeps
 * the sessions of two boots apart. */
static uint32_t new_session(struct nkv_server *server)
{
    uint32_t session;

    do {
        server->session_count++;
        session = server->config->boot_id + server->session_count * 0x9E3779B1u;
    } while (session == 0);
    return session;
}

const struct nkv_server_client *nkv_session_open(struct nkv_server *server,
                                                 uint32_t client)
{
    const struct nkv_server_memory *memory = &server->config->memory;
    size_t place;

    for (size_t i = 0; i < memory->client_count; i++) {
        if (memory->clients[i].session != 0 &&
            memory->clients[i].client == client) {
            touch(server, &memory->clients[i]);
            return &memory->clients[i];
        }
    }
    place = place_for_client(server);
    forget(server, place);
    memory->clients[place].client = client;
    memory->clients[place].session = new_session(server);
    touch(server, &memory->clients[place]);
    return &memory->clients[place];
}

/* The place of a session, or client_count. */
static size_t find_session(const struct nkv_server *server, uint32_t session)
{
    const struct nkv_server_memory *memory = &server->config->memory;
    size_t place = 0;

    while (place < memory->client_count &&
           (session == 0 || memory->clients[place].session != session)) {
        place++;
    }
    return place;
}

static bool refuse(struct nkv_write_result *result, enum nkv_status status,
                   norkv_v1_Reason reason)
{
    *result = (struct nkv_write_result){
        .status = status,
        .message.reason = reason,
    };
    return true;
}

static bool replay(struct nkv_server *server, const struct nkv_op *op,
                   const struct nkv_server_answer *answer,
                   struct nkv_write_result *result)
{
    if (answer->request_crc != op->request_crc) {
        return refuse(result, NKV_INVALID_ARGUMENT,
                      norkv_v1_Reason_REASON_SEQ_REUSED);
    }
    server->counters.replays++;
    *result = (struct nkv_write_result){
        .status = (enum nkv_status)answer->status,
        .message.version = answer->version,
        .message.replayed = true,
        .message.reason = (norkv_v1_Reason)answer->reason,
    };
    return true;
}

/* Sequence numbers are compared by difference: they wrap. */
bool nkv_session_recall(struct nkv_server *server, const struct nkv_op *op,
                        struct nkv_write_result *result)
{
    const struct nkv_server_memory *memory = &server->config->memory;
    size_t place = find_session(server, op->session);
    const struct nkv_server_answer *answer;
    uint32_t ahead;

    if (place == memory->client_count) {
        return refuse(result, NKV_ABORTED,
                      norkv_v1_Reason_REASON_SESSION_UNKNOWN);
    }
    touch(server, &memory->clients[place]);
    ahead = op->seq - memory->clients[place].last_seq;
    if (ahead == 1) {
        return false;
    }
    if (ahead != 0 && ahead < UINT32_MAX / 2) {
        refuse(result, NKV_OUT_OF_RANGE, norkv_v1_Reason_REASON_SEQ_GAP);
        result->message.next_seq = memory->clients[place].last_seq + 1;
        return true;
    }
    answer = &answers_of(server, place)[op->seq % memory->answers_per_client];
    if (answer->used && answer->seq == op->seq) {
        return replay(server, op, answer, result);
    }
    return refuse(result, NKV_ABORTED, norkv_v1_Reason_REASON_SEQ_TOO_OLD);
}

void nkv_session_remember(struct nkv_server *server, const struct nkv_op *op,
                          const struct nkv_write_result *result)
{
    const struct nkv_server_memory *memory = &server->config->memory;
    size_t place = find_session(server, op->session);

    if (place == memory->client_count) {
        return;
    }
    memory->clients[place].last_seq = op->seq;
    answers_of(server, place)[op->seq % memory->answers_per_client] =
        (struct nkv_server_answer){
            .seq = op->seq,
            .request_crc = op->request_crc,
            .version = result->message.version,
            .status = (uint8_t)result->status,
            .reason = (uint8_t)result->message.reason,
            .used = true,
        };
}
