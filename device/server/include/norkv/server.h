/*
 * The norkv server: stores, served over a serial line (docs/protocol.md).
 *
 * It is polled: nkv_server_poll takes what arrived, answers it, moves long
 * calls on by one step and, when the line is quiet, does the stores' idle work.
 * All memory is the caller's (NKV_DEFINE_SERVER_MEMORY), nothing is allocated.
 * A server and its stores belong to one thread.
 */
#ifndef NORKV_SERVER_H
#define NORKV_SERVER_H

#include <norkv/bytes.h>
#include <norkv/fault.h>
#include <norkv/hdlc.h>
#include <norkv/record.h>
#include <norkv/rpc.h>
#include <norkv/status.h>
#include <norkv/store.h>
#include <norkv/survey.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* Bytes that one call of read is asked for. */
    NKV_SERVER_READ_SIZE = 64,
    NKV_PROTOCOL_VERSION = 1,
    /* The smallest receive buffer, content bytes of a frame. */
    NKV_SERVER_FRAME_MIN = 160,
    /* The smallest packet that the transmit buffer must take, and the smallest
     * that a client may limit us to, bytes: what Statistics needs. */
    NKV_SERVER_PACKET_MIN = 256,
    /* The largest packet sent to a client that did not ask for more. */
    NKV_SERVER_PACKET_DEFAULT = 512,
    /* The largest packet ever sent. */
    NKV_SERVER_PACKET_MAX = 4096,
    NKV_SERVER_STORES_MAX = 16
};

/*
 * A line of bytes, a UART for example. No function but is_quiet may be NULL;
 * each gets context as it is.
 */
struct nkv_byte_stream {
    void *context;
    /* Gives what has arrived, at once: 0 to capacity bytes. */
    size_t (*read)(void *context, uint8_t *to, size_t capacity);
    /* Takes all of the bytes, waiting while there is no room. Any status but
     * NKV_OK: they are lost, and with them the frame that they belong to. */
    enum nkv_status (*write)(void *context, const uint8_t *from, size_t size);
    /* False: bytes are coming in, though read may not give them yet, or are
     * soon to come. The stores' idle work, in which a part may be deaf, waits
     * until this is true. NULL: the server goes by what read gave. */
    bool (*is_quiet)(void *context);
};

/* A store that is served. Its number on the wire is its place in the array. */
struct nkv_server_store {
    /* For people; as it is in Open. */
    const char *name;
    /* Mounted before nkv_server_init: nkv_server_mount. */
    struct nkv_store *store;
    /* What it is mounted with. Its flash must have its functions and geometry
     * in any case but with a fault: then the geometry is told as it is, and
     * may be all 0, and no function is called. */
    const struct nkv_config *config;
    /* What nkv_mount said. A store that is read-only or not mounted is served
     * as far as it goes. The server sets NKV_OK when EraseAll or Collect made
     * it whole, and mounts it again, when idle, after the flash could not be
     * read in the middle of a call. */
    enum nkv_status mount_status;
    /* What whoever looked for the flash found: one of those up to
     * NKV_FAULT_SELF_TEST, with its detail. Nothing is read from such a store
     * or written to it, EraseAll included. What mounting finds is told without
     * it. */
    enum nkv_fault fault;
    uint32_t fault_detail;
};

/* What the server remembers of a mutation. Members are private. */
struct nkv_server_answer {
    uint32_t seq;
    uint32_t request_crc;
    uint32_t version;
    uint8_t status;
    uint8_t reason;
    bool used;
};

/* What the server remembers of a client. Members are private. */
struct nkv_server_client {
    uint32_t client;
    uint32_t session;
    uint32_t last_seq;
    uint32_t last_used;
};

/* How far a call that goes over keys has come. Members are private. */
struct nkv_server_walk {
    struct nkv_iterator iterator;
    uint8_t prefix[NKV_KEY_SIZE_MAX];
    uint8_t prefix_size;
    uint8_t silent_turns;
    uint32_t index;
    uint32_t transaction_count;
};

/* A scan between two chunks. Members are private. */
struct nkv_server_scan {
    struct nkv_server_walk walk;
    uint8_t cursor[NKV_KEY_SIZE_MAX];
    uint8_t cursor_size;
    bool keys_only;
    bool limited;
    uint32_t remaining;
};

/* A backup between two chunks. Members are private. */
struct nkv_server_backup {
    struct nkv_server_walk walk;
    /* The iterator's entry is still to be told as skipped, with this status. */
    bool skipping;
    uint8_t skip_status;
};

/* A digest between two turns. Members are private. */
struct nkv_server_digest {
    struct nkv_server_walk walk;
    struct nkv_digest sum;
    /* Of the iterator's record, as far as its value was read. */
    uint64_t hash;
    uint32_t offset;
    struct nkv_value value;
    bool in_value;
    uint32_t damaged;
    uint32_t reported_ms;
};

/* A long operation between two steps. Members are private. */
struct nkv_server_long {
    struct nkv_maintenance maintenance;
    uint32_t reported_ms;
};

/* A restore between two chunks, or within one. Members are private. */
struct nkv_server_restore {
    struct nkv_span rest;
    uint32_t next_offset;
    uint32_t crc32;
    uint32_t records;
    uint32_t written;
    uint32_t gap_offset;
    uint32_t credited_ms;
    bool has_gap;
    bool is_last;
};

/* A list of sectors between two messages. Members are private. */
struct nkv_server_sectors {
    uint32_t next;
    uint32_t index;
};

enum {
    /* Findings that a check keeps until they are sent. */
    NKV_SERVER_FINDINGS_MAX = 2
};

/* A check between two turns. Members are private. */
struct nkv_server_check {
    struct nkv_place found[NKV_SERVER_FINDINGS_MAX];
    uint8_t found_count;
    uint8_t sent_count;
    bool is_surveyed;
    bool has_more;
    uint32_t sector;
    /* Findings of it before this offset were sent. */
    uint32_t offset;
    uint32_t entries;
    uint32_t sector_entries;
    uint32_t index;
    uint32_t reported_ms;
};

/* What the server knows of a call that goes on. Members are private. */
struct nkv_server_work {
    uint8_t store;
    union {
        struct nkv_server_walk walk;
        struct nkv_server_scan scan;
        struct nkv_server_backup backup;
        struct nkv_server_digest digest;
        struct nkv_server_long operation;
        struct nkv_server_restore restore;
        struct nkv_server_sectors sectors;
        struct nkv_server_check check;
    } of;
};

/*
 * The memory a server works in. Owned by the caller, not touched by it while
 * the server lives.
 */
struct nkv_server_memory {
    /* Its capacity is max_frame: the content bytes (address to CRC) of the
     * largest frame accepted; NKV_SERVER_FRAME_MIN or more. */
    struct nkv_buffer receive;
    /* Its capacity is the largest packet sent; NKV_SERVER_PACKET_MIN or more;
     * what is beyond NKV_SERVER_PACKET_MAX is not used. */
    struct nkv_buffer transmit;
    /* Both call_count long, 2 to 16; one of them is kept for unary calls. */
    struct nkv_rpc_call *calls;
    struct nkv_server_work *work;
    size_t call_count;
    /* Clients that are remembered, 2 or more; the one that was not heard of
     * for longest is forgotten first. */
    struct nkv_server_client *clients;
    size_t client_count;
    /* client_count * answers_per_client of them. answers_per_client is
     * max_calls: the mutations that a client may have in flight; 1 or more. */
    struct nkv_server_answer *answers;
    size_t answers_per_client;
};

/*
 * The bytes of NKV_DEFINE_SERVER_MEMORY with these arguments, on this compiler
 * (docs/memory.md has figures); struct nkv_server itself comes on top.
 */
#define NKV_SERVER_MEMORY_SIZE(max_frame, max_packet, call_slots,              \
                               client_slots, answer_slots)                     \
    ((max_frame) + (max_packet) +                                              \
     (call_slots) *                                                            \
         (sizeof(struct nkv_rpc_call) + sizeof(struct nkv_server_work)) +      \
     (client_slots) * (sizeof(struct nkv_server_client) +                      \
                       (answer_slots) * sizeof(struct nkv_server_answer)))

/*
 * Defines the memory of a server as static variables, and name as a struct
 * nkv_server_memory that refers to it. All arguments are constants: bytes of
 * the largest frame taken and of the largest packet sent, calls at a time,
 * clients remembered, answers kept for each client.
 */
#define NKV_DEFINE_SERVER_MEMORY(name, max_frame, max_packet, call_slots,      \
                                 client_slots, answer_slots)                   \
    static uint8_t name##_receive[max_frame];                                  \
    static uint8_t name##_transmit[max_packet];                                \
    static struct nkv_rpc_call name##_calls[call_slots];                       \
    static struct nkv_server_work name##_work[call_slots];                     \
    static struct nkv_server_client name##_clients[client_slots];              \
    static struct nkv_server_answer                                            \
        name##_answers[(client_slots) * (answer_slots)];                       \
    static const struct nkv_server_memory name = {                             \
        .receive = {name##_receive, (max_frame)},                              \
        .transmit = {name##_transmit, (max_packet)},                           \
        .calls = name##_calls,                                                 \
        .work = name##_work,                                                   \
        .call_count = (call_slots),                                            \
        .clients = name##_clients,                                             \
        .client_count = (client_slots),                                        \
        .answers = name##_answers,                                             \
        .answers_per_client = (answer_slots),                                  \
    }

/* The services and methods that a device has: one of the lists of
 * norkv/services.h, or one made as it is said there. */
struct nkv_server_services {
    const struct nkv_rpc_service *list;
    size_t count;
};

/*
 * How a server is set up. It and all it points to must outlive the server. A
 * member left 0 means what its comment says.
 */
struct nkv_server_config {
    /* &nkv_services_all, for example: there is no default, so that firmware
     * has the code of those alone that it names. */
    const struct nkv_server_services *services;
    /* What Open tells; NULL: "". unit_id is what EraseAll must be given: with
     * none, it is refused. */
    const char *product;
    const char *unit_id;
    const char *firmware;
    /* 1 to NKV_SERVER_STORES_MAX. Store 0 is the default one. */
    struct nkv_server_store *stores;
    size_t store_count;
    struct nkv_byte_stream stream;
    /* Milliseconds since any moment; wraps. Gets clock_context. */
    uint32_t (*now_ms)(void *context);
    void *clock_context;
    /* A random number, another one after each start. */
    uint32_t boot_id;
    /* The RPC channel. 0: 1. */
    uint32_t channel_id;
    /* Content bytes that the line may hold until the server polls: what the
     * board buffers in front of read, whatever the bytes are
     * (norkv/receive_ring.h). 0: max_frame; a client then sends one request at
     * a time, as to a part that is deaf while it programs. */
    uint32_t rx_window;
    /* The longest time between two polls, flash work included, ms. */
    uint32_t stall_max_ms;
    struct nkv_server_memory memory;
};

/* Events on the line. */
struct nkv_line_counters {
    uint32_t frames_received;
    uint32_t bad_frames;
    uint32_t oversize_frames;
    uint32_t bad_packets;
    uint32_t frames_sent;
    uint32_t replays;
    uint32_t overruns;
    /* Of frames_received, those to an address that nobody has. */
    uint32_t stray_frames;
};

/* The CRC-32 of a value that was sent in part. Members are private. */
struct nkv_server_crc {
    uint32_t store;
    uint32_t key_crc;
    uint32_t version;
    uint32_t total_size;
    uint32_t crc;
    bool known;
};

/* The Restore under way. Members are private. */
struct nkv_server_upload {
    /* NULL: none is. */
    struct nkv_rpc_call *call;
    /* Ends it. */
    void (*end)(struct nkv_rpc_call *call, enum nkv_status status);
    uint32_t heard_ms;
};

/* A server. Complete so that it can be static; members are private. */
struct nkv_server {
    const struct nkv_server_config *config;
    struct nkv_hdlc_decoder decoder;
    struct nkv_rpc_config rpc_config;
    struct nkv_rpc rpc;
    struct nkv_line_counters counters;
    struct nkv_server_crc value_crc;
    struct nkv_server_upload restore;
    uint32_t start_ms;
    uint32_t poll_ms;
    uint32_t received_ms;
    uint32_t session_count;
    uint32_t use_count;
    bool in_frame;
    /* The last frame's content is still being worked on: what was read behind
     * it waits in input, the rest in front of read. */
    bool keeps_frame;
    uint8_t input_size;
    uint8_t input_taken;
    uint8_t input[NKV_SERVER_READ_SIZE];
};

/*
 * Mounts a store and notes what nkv_mount said in mount_status; with a fault it
 * leaves the flash alone and notes NKV_UNAVAILABLE. Blocks as nkv_mount does.
 */
void nkv_server_mount(struct nkv_server_store *store);

/*
 * Prepares a server. Nothing is read or sent yet.
 *
 * - NKV_INVALID_ARGUMENT: the config is wrong: a function, the services or
 *   memory are missing or too small, a store with a fault is mounted, or the
 *   texts and stores are more than an answer to Open of
 *   NKV_SERVER_PACKET_DEFAULT bytes (or max_packet, if less) can tell.
 */
NKV_MUST_USE enum nkv_status
nkv_server_init(struct nkv_server *server,
                const struct nkv_server_config *config);

/*
 * Does what there is to do, a bounded piece of it: up to 1 KiB of what arrived,
 * one step of each running call, and when there is nothing of either, one
 * nkv_step of each store. EraseAll alone blocks for as long as the erases take.
 *
 * The records of a Restore's chunk are put from the receive buffer, as many in
 * one poll as are begun within 10 ms of its start, at least one. While some are
 * left nothing is read: what arrives waits in front of read, where rx_window
 * says that there is room for all that a client may send meanwhile. So one poll
 * takes 10 ms and the longest put at most, however large a chunk is.
 *
 * True: there is more to do at once. False: call again when bytes have arrived,
 * or after 100 ms.
 */
bool nkv_server_poll(struct nkv_server *server);

/*
 * Sends text to whoever reads the line, as a frame of its own that RPC clients
 * take for no answer. Any bytes; not truncated.
 *
 * Statuses: the stream's.
 */
NKV_MUST_USE enum nkv_status nkv_server_log(struct nkv_server *server,
                                            const char *text);

/* The line was cut (a TCP peer has gone, say): ends running calls silently and
 * forgets a half-received frame and how large the packets to the peer may be.
 * Sessions stay. */
void nkv_server_disconnect(struct nkv_server *server);

/* Tells that the board lost count bytes that arrived: for the statistics. */
void nkv_server_count_overruns(struct nkv_server *server, uint32_t count);

/* What happened on the line since nkv_server_init. Valid as long as server. */
const struct nkv_line_counters *
nkv_server_line_counters(const struct nkv_server *server);

#endif
