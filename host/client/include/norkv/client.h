/*
 * libnorkv: the host's end of a norkv device's serial line.
 *
 * A client is one open port. Calls block until the device has answered, until
 * their deadline has passed, or until it is certain that no answer will come;
 * what the line loses or damages meanwhile is sent again, and a mutation is
 * still applied once.
 *
 *     struct nkv_client *client;
 *     struct nkv_client_value value;
 *     if (nkv_client_open("/dev/ttyACM0", NULL, &client) != NKV_OK ||
 *         nkv_client_get(client, NULL, key, &value) != NKV_OK)
 *         fprintf(stderr, "%s\n", nkv_client_error(client));
 *     nkv_client_free(&client);
 *
 * Statuses that any call may return besides those listed at it:
 * - NKV_DEADLINE_EXCEEDED: no answer in time; the error text says what was
 *   heard instead. A mutation may have been applied.
 * - NKV_UNAVAILABLE: the port is gone (unplugged, closed by the other end), or
 *   the device stayed busy.
 * - NKV_FAILED_PRECONDITION: the other end is no norkv device, or one with
 *   another protocol version.
 * - NKV_DATA_LOSS: the device's answer makes no sense.
 * - NKV_INVALID_ARGUMENT with NKV_REASON_NO_SUCH_STORE.
 * - NKV_INTERNAL: no memory, or a fault of the operating system.
 *
 * A client is used from one thread at a time. All its callbacks, those for
 * trace, remarks and records among them, may only start, continue and cancel
 * calls ("Calls that do not block"). Several clients are independent.
 */
#ifndef NORKV_CLIENT_H
#define NORKV_CLIENT_H

#include <norkv/bytes.h>
#include <norkv/fault.h>
#include <norkv/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* What this library speaks. */
    NKV_CLIENT_PROTOCOL_VERSION = 1,
    /* The longest key, bytes. */
    NKV_CLIENT_KEY_SIZE_MAX = 63,
    /* The largest value, bytes; a device may take less (max_value). */
    NKV_CLIENT_VALUE_SIZE_MAX = 65534
};

/* Why the device refused, finer than the status. The numbers are those of
 * norkv.v1.Reason; a device may send others. */
enum nkv_reason {
    NKV_REASON_NONE = 0,
    NKV_REASON_STORE_FULL = 1,
    NKV_REASON_KEY_TABLE_FULL = 2,
    NKV_REASON_VERSION_MISMATCH = 3,
    NKV_REASON_SESSION_UNKNOWN = 4,
    NKV_REASON_SEQ_TOO_OLD = 5,
    NKV_REASON_SEQ_GAP = 6,
    NKV_REASON_WRONG_UNIT_ID = 7,
    NKV_REASON_BAD_KEY = 8,
    NKV_REASON_VALUE_TOO_LARGE = 9,
    NKV_REASON_NO_SUCH_STORE = 10,
    NKV_REASON_CRC_MISMATCH = 11,
    NKV_REASON_STORE_READ_ONLY = 12,
    NKV_REASON_BUSY = 13,
    NKV_REASON_SEQ_REUSED = 14,
    NKV_REASON_FLASH_FAULT = 15
};

/* An open port. */
struct nkv_client;

/* ---- Opening ---------------------------------------------------------- */

/* One thing that crossed the line, for a trace. */
struct nkv_client_trace {
    /* True: sent by this client; false: received. */
    bool sent;
    /* Milliseconds since the client was opened. */
    uint64_t time_ms;
    /* The bytes on the wire, flags and escapes included: a frame, or what was
     * received that is none. Of something very long, the first part. */
    struct nkv_span bytes;
    /* What it means, one line without a newline: packet type, method, call id
     * and the fields of its message; or what is wrong with it. */
    const char *meaning;
};

/* Something that a device says besides its answers. */
struct nkv_client_remark {
    /* True: a log, the payload of a frame for address 1. False: text that came
     * between frames, a line without its end: boot messages, a console. */
    bool is_log;
    /* Milliseconds since the client was opened. */
    uint64_t time_ms;
    /* Any bytes. Holds until the callback returns. */
    struct nkv_span text;
};

/*
 * How the bytes travel, for a transport of one's own (a test's, a mux's). All
 * functions are called with context. now_ms may be NULL, name must not.
 */
struct nkv_client_transport {
    /*
     * Reads what has arrived, at least one byte, at most to.capacity, waiting
     * for it up to timeout_ms (0: not at all). *size is set to the bytes read.
     * - NKV_DEADLINE_EXCEEDED: nothing arrived.
     * - NKV_UNAVAILABLE: the other end is gone; errno may say why, or is left
     *   0. Any other status is taken for this one.
     */
    enum nkv_status (*read)(void *context, struct nkv_buffer to,
                            uint32_t timeout_ms, size_t *size);
    /*
     * Writes as much as can be taken at once, at least one byte, waiting up to
     * timeout_ms for room. *size is set to the bytes taken. Statuses as read.
     */
    enum nkv_status (*write)(void *context, struct nkv_span bytes,
                             uint32_t timeout_ms, size_t *size);
    /* Ends the transport and frees context. Called once. */
    void (*close)(void *context);
    /* Milliseconds from any start, never backwards; timeouts of read and write
     * pass on this clock. NULL: the system's monotonic clock. */
    uint64_t (*now_ms)(void *context);
    void *context;
    /* The port as error texts name it. Copied. */
    const char *name;
    /* Bits a second, with 10 bits a byte; 0: no line rate to wait for. */
    uint32_t baud;
    /* A file descriptor that poll reports as ready when read or write would do
     * something at once, for nkv_client_fd. NULL: there is none. */
    int (*descriptor)(void *context);
};

/* What opening a serial port does with one of its control lines. */
enum nkv_line_state {
    /*
     * Leaves it alone. Linux raises both lines when a port is opened that
     * nobody has open, but lines that are up already do not change: closing
     * leaves them up, so that only the first opening after plugging in can
     * reset a board whose reset hangs on them.
     */
    NKV_LINE_KEEP = 0,
    NKV_LINE_ON = 1,
    /* A moment after Linux has raised it: nothing can keep it from that. */
    NKV_LINE_OFF = 2
};

/* How to open. All zero is the default for each; the struct is not kept. */
struct nkv_client_options {
    /* Of a serial port, bits a second. 0: 115200. A PTY or TCP port has no
     * rate; there it only lengthens the wait before something is repeated. */
    uint32_t baud;
    /* Control lines of a serial port. Other ports have none: anything but keep
     * is NKV_INVALID_ARGUMENT there. */
    enum nkv_line_state dtr;
    enum nkv_line_state rts;
    /* Deadline of a call that gives none, milliseconds. 0: 10000. */
    uint32_t deadline_ms;
    /* No call waits beyond this long after nkv_client_open began,
     * milliseconds. 0: no such limit. */
    uint32_t limit_ms;
    /* Delay that adapters and drivers add each way, milliseconds. 0: 20. */
    uint32_t latency_ms;
    /* How often a request is sent before the device counts as silent. 0: 5. A
     * device that has not said anything yet may still be starting: until its
     * first answer requests go out each second, up to the deadline. */
    uint32_t attempts;
    /* The RPC channel. 0: 1. */
    uint32_t channel_id;
    /* The largest RPC packet to ask the device for, 512 to 4096 bytes.
     * 0: 4096. */
    uint32_t max_packet;
    /* What the handle's numbers (of client and calls) are made from. 0: from
     * the system's randomness, as it should be but in tests that repeat: two
     * clients of a device must not have the same numbers. */
    uint32_t seed;
    /* Puts carry no CRC-32 of their value: 5 bytes less each, which only the
     * frame's own CRC-32 protects then. */
    bool omit_value_crc;
    /* What the device may show as its client's name. NULL: "libnorkv". */
    const char *client_name;
    /* Called for everything that crosses the line. NULL: no trace. */
    void (*trace)(void *context, const struct nkv_client_trace *trace);
    void *trace_context;
    /* Called for each log and each line of text that comes, during any call on
     * the client. NULL: they are dropped. */
    void (*remark)(void *context, const struct nkv_client_remark *remark);
    void *remark_context;
};

/*
 * Opens a port: a serial port (/dev/ttyACM0, or its name as nkv_ports_list
 * gives it), a pseudoterminal (/dev/pts/3), a symbolic link to either, or
 * tcp:HOST:PORT. options may be NULL. Nothing is sent yet. A serial port or a
 * pseudoterminal is locked against other programs until it is closed. All
 * addresses of HOST together get deadline_ms. Looking up a name counts as part
 * of that, but takes as long as the system's resolver wants; a numeric address
 * is not looked up.
 *
 * *client is set on failure too, so that nkv_client_error can say why; it is
 * NULL only with NKV_INTERNAL when there is no memory. Free it in either case.
 *
 * - NKV_INVALID_ARGUMENT: port or options make no sense.
 * - NKV_NOT_FOUND: no such port or host.
 * - NKV_PERMISSION_DENIED: this user may not use the port.
 * - NKV_UNAVAILABLE: another program uses the port, or it cannot be opened, or
 *   the connection was refused.
 * - NKV_DEADLINE_EXCEEDED: no connection in deadline_ms.
 */
NKV_MUST_USE enum nkv_status
nkv_client_open(const char *port, const struct nkv_client_options *options,
                struct nkv_client **client);

/*
 * Opens a client over a transport of the caller's. The transport's functions
 * are copied; its context is the client's from here on, also on failure, and
 * is ended with close.
 *
 * - NKV_INVALID_ARGUMENT: a function or the name is missing.
 */
NKV_MUST_USE enum nkv_status
nkv_client_open_transport(const struct nkv_client_transport *transport,
                          const struct nkv_client_options *options,
                          struct nkv_client **client);

/* A message of up to this many bytes, NUL included. */
enum { NKV_CLIENT_WHY_SIZE = 768 };

/*
 * Opens a port as nkv_client_open does, for nkv_client_open_transport: for a
 * program that keeps it open from one client to the next. Of options baud, dtr,
 * rts and limit_ms count. transport->name is port, borrowed; the caller calls
 * transport->close. On failure *why tells the reason, without the port.
 *
 * Statuses as nkv_client_open.
 */
NKV_MUST_USE enum nkv_status
nkv_client_open_port(const char *port, const struct nkv_client_options *options,
                     struct nkv_client_transport *transport,
                     char why[NKV_CLIENT_WHY_SIZE]);

/* Closes the port and frees *client, which becomes NULL and may be NULL. */
void nkv_client_free(struct nkv_client **client);

/*
 * The last failure in one line: port, call, and cause, and where there is
 * something to do about it, what. Empty after a success. Never NULL; valid
 * until the next call on this client. client may be NULL.
 */
const char *nkv_client_error(const struct nkv_client *client);

/* The number of the last call's store: what its name stands for. */
uint32_t nkv_client_store(const struct nkv_client *client);

/*
 * What could be better at a port that works, and how: the adapter holds bytes
 * back, say. One line; empty when there is nothing to say. Never NULL; valid
 * as long as the client. client may be NULL.
 */
const char *nkv_client_hint(const struct nkv_client *client);

/* The port's name as it was given. Never NULL; valid as long as the client,
 * which may be NULL. */
const char *nkv_client_port(const struct nkv_client *client);

/* The device's reason for the last failure; NKV_REASON_NONE when the device
 * gave none. */
enum nkv_reason nkv_client_reason(const struct nkv_client *client);

/* A reason in words, "the store is full". Never NULL; static storage. */
const char *nkv_reason_text(enum nkv_reason reason);

enum { NKV_FAULT_TEXT_SIZE = 256 };

/*
 * Writes a fault in words, and what to do about it: "no flash chip answers
 * (...)
 * ...". One line, ended by a NUL; empty for NKV_FAULT_NONE.
 */
void nkv_client_explain_fault(enum nkv_fault fault, uint32_t detail,
                              char text[NKV_FAULT_TEXT_SIZE]);

/* The library's version, "0.1.0". */
const char *nkv_client_version(void);

/* What the line did since the client was opened. */
struct nkv_client_counters {
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint32_t frames_sent;
    /* Good frames. */
    uint32_t frames_received;
    /* Frames that were cut, damaged or too large, and bytes between frames. */
    uint32_t bad_frames;
    /* Good answers to a call that had ended. */
    uint32_t late_answers;
    /* Requests that were sent again. */
    uint32_t retries;
    /* Times that a session was opened anew. */
    uint32_t reopened;
};

void nkv_client_get_counters(const struct nkv_client *client,
                             struct nkv_client_counters *counters);

/* ---- Calls ------------------------------------------------------------ */

/* What every call takes; NULL is the same as all zero. */
struct nkv_call_options {
    /* The store's number. Ignored by echo and by nkv_client_device. */
    uint32_t store;
    /* Its name, in place of the number; borrowed for the call. NULL: the
     * number counts. */
    const char *store_name;
    /* Milliseconds for the whole call, retries included. 0: the client's. */
    uint32_t deadline_ms;
};

/* A store of a device. */
struct nkv_device_store {
    uint32_t number;
    const char *name;
    /* Bytes of flash. */
    uint32_t capacity;
    uint32_t max_keys;
    /* What mounting it said. */
    enum nkv_status mount_status;
    /* What keeps it from being used, with its detail (norkv/fault.h). A device
     * may send others. */
    enum nkv_fault fault;
    uint32_t fault_detail;
};

/* Who the device is and what it takes. Strings are never NULL. */
struct nkv_device {
    uint32_t protocol_version;
    /* Another one after each start of the device. */
    uint32_t boot_id;
    const char *product;
    const char *unit_id;
    const char *firmware;
    /* Content bytes of the largest frame it takes, and of all that may be
     * unanswered. */
    uint32_t max_frame;
    uint32_t rx_window;
    /* Mutations that may be unanswered. */
    uint32_t max_calls;
    uint32_t max_key;
    uint32_t max_value;
    /* The longest time it may not listen. */
    uint32_t stall_max_ms;
    uint32_t features;
    uint32_t access;
    const struct nkv_device_store *stores;
    size_t store_count;
};

/*
 * Asks the device who it is (Device.Open). *device belongs to the client and
 * holds until the next call on it. Other calls do this by themselves when it
 * was not done yet.
 */
NKV_MUST_USE enum nkv_status
nkv_client_device(struct nkv_client *client,
                  const struct nkv_call_options *call,
                  const struct nkv_device **device);

/*
 * Sends text to the device and gets it back (pw.rpc.EchoService), from any
 * device that speaks pw_rpc. *round_trip_ms, which may be NULL, is set to the
 * time from the call to its answer. text is UTF-8.
 *
 * - NKV_DATA_LOSS: what came back is something else, or text is no UTF-8.
 */
NKV_MUST_USE enum nkv_status
nkv_client_echo(struct nkv_client *client, const struct nkv_call_options *call,
                const char *text, uint32_t *round_trip_ms);

/*
 * Waits for remarks (see nkv_client_options) without sending anything: until
 * one has come, several perhaps, or timeout_ms have passed.
 * Deadlines and limit_ms do not count here. A line of text that is not ended
 * counts as one when nothing has come for a while.
 *
 * - NKV_DEADLINE_EXCEEDED: none came; there is no error text then.
 */
NKV_MUST_USE enum nkv_status nkv_client_listen(struct nkv_client *client,
                                               uint32_t timeout_ms);

/* A value that was read. */
struct nkv_client_value {
    /* Allocated; NULL when size is 0 or the call failed. */
    uint8_t *data;
    size_t size;
    /* Of the key: a conditional write's condition. */
    uint32_t version;
    uint32_t crc32;
};

/*
 * Reads a whole value, in parts when it is larger than a packet; all parts are
 * of one version, and the whole has the device's CRC-32. value is set in any
 * case; end it with nkv_client_value_clear.
 *
 * - NKV_NOT_FOUND: no such key.
 * - NKV_FAILED_PRECONDITION with NKV_REASON_STORE_READ_ONLY: no such key was
 *   found, but the store did not mount whole: it may be there.
 * - NKV_INVALID_ARGUMENT: the key is empty or too long.
 * - NKV_DATA_LOSS: the entry is damaged, or the value failed its CRC.
 * - NKV_ABORTED: the key was written faster than it could be read.
 */
NKV_MUST_USE enum nkv_status nkv_client_get(struct nkv_client *client,
                                            const struct nkv_call_options *call,
                                            struct nkv_span key,
                                            struct nkv_client_value *value);

/* Frees the data of value, and makes it empty. */
void nkv_client_value_clear(struct nkv_client_value *value);

/* What a key holds, without its value. */
struct nkv_client_key_info {
    uint32_t version;
    uint32_t value_size;
    /* CRC-32 of the value. */
    uint32_t crc32;
};

/* Statuses as nkv_client_get. */
NKV_MUST_USE enum nkv_status
nkv_client_describe(struct nkv_client *client,
                    const struct nkv_call_options *call, struct nkv_span key,
                    struct nkv_client_key_info *info);

enum nkv_mutation_kind { NKV_MUTATION_PUT = 0, NKV_MUTATION_DELETE = 1 };

/* One write: what to do, and what became of it. */
struct nkv_mutation {
    enum nkv_mutation_kind kind;
    struct nkv_span key;
    /* Of a put. */
    struct nkv_span value;
    /* Write only if the key's version is if_version; 0: only if there is no
     * such key. */
    bool conditional;
    uint32_t if_version;

    /* Set by the call from here on. NKV_CANCELLED: it was never sent. */
    enum nkv_status status;
    enum nkv_reason reason;
    /* The key's version now, of a deletion the tombstone's; with
     * NKV_REASON_VERSION_MISMATCH the version that it has. */
    uint32_t version;
    /* An earlier copy of the request had done it. */
    bool replayed;
};

/* Follows an operation that takes long. progress may be NULL. */
struct nkv_client_progress {
    /* done: how much by now; what is counted stands at the call. */
    void (*progress)(void *context, uint32_t done);
    void *context;
};

/*
 * Does mutations in their order, as many in flight at once as the device
 * allows. Each is applied once, though its request be sent several times. One
 * that the device refuses does not stop the others; a line that fails does.
 * All members below "set by the call" are set in any case. progress, which may
 * be NULL, tells how many were done, refused ones left out.
 *
 * When the device restarts meanwhile, what it had not answered is done again:
 * the same end state. A conditional write is not: the key is read, and when
 * that does not tell whether the write was done, it gets NKV_UNKNOWN.
 *
 * Returns NKV_OK when all were done; else the status of the first that was
 * not, or, when that is for the line's sake, the line's failure. The error text
 * describes it. The statuses of a mutation:
 * - NKV_NOT_FOUND: a deletion's key is not there.
 * - NKV_INVALID_ARGUMENT: the key is empty or too long, or the value is larger
 *   than the device takes.
 * - NKV_FAILED_PRECONDITION with NKV_REASON_VERSION_MISMATCH or
 *   NKV_REASON_STORE_READ_ONLY.
 * - NKV_RESOURCE_EXHAUSTED: the store or its table of keys is full.
 * - NKV_UNKNOWN: a conditional write of which it is not known whether it was
 *   done.
 * - NKV_DEADLINE_EXCEEDED, NKV_UNAVAILABLE: it may have been done.
 * - NKV_CANCELLED: it was not sent.
 */
NKV_MUST_USE enum nkv_status
nkv_client_apply(struct nkv_client *client, const struct nkv_call_options *call,
                 struct nkv_mutation *mutations, size_t count,
                 const struct nkv_client_progress *progress);

/* One put, as nkv_client_apply does it. */
NKV_MUST_USE enum nkv_status nkv_client_put(struct nkv_client *client,
                                            const struct nkv_call_options *call,
                                            struct nkv_span key,
                                            struct nkv_span value);

/* One deletion, as nkv_client_apply does it. */
NKV_MUST_USE enum nkv_status
nkv_client_delete(struct nkv_client *client,
                  const struct nkv_call_options *call, struct nkv_span key);

/* A record of a scan. Pointers hold until the callback returns. */
struct nkv_client_record {
    struct nkv_span key;
    struct nkv_span value;
    uint32_t version;
    uint32_t value_size;
    /* The value is not here although it was asked for: it fits no packet, get
     * it by nkv_client_get after the scan. */
    bool value_omitted;
    /* NKV_DATA_LOSS: the entry is damaged; value is empty, and key may be. */
    enum nkv_status status;
};

/* What to scan. */
struct nkv_client_scan {
    /* Only keys that start with this; empty: all. */
    struct nkv_span prefix;
    bool keys_only;
    /* Called for each record, in the store's own order. Returning false ends
     * the scan. */
    bool (*record)(void *context, const struct nkv_client_record *record);
    void *context;
    /* Set by the call: the store was written meanwhile, so that what was seen
     * is no snapshot. */
    bool changed;
};

/*
 * Reads all records whose keys start with a prefix. A key that is there
 * throughout comes at least once: a second time only after the device
 * restarted in mid-scan.
 *
 * - NKV_CANCELLED: the callback returned false.
 * - NKV_FAILED_PRECONDITION with NKV_REASON_STORE_READ_ONLY, after all records:
 *   the store did not mount whole, there may be more.
 */
NKV_MUST_USE enum nkv_status
nkv_client_scan(struct nkv_client *client, const struct nkv_call_options *call,
                struct nkv_client_scan *scan);

/* What to back up. */
struct nkv_client_backup {
    /* Only keys that start with this; empty: all. */
    struct nkv_span prefix;
    /*
     * Called for each record, with its value, in no order; version is 0, as a
     * backup says nothing of versions. Of a damaged entry there is only its
     * status, and its key where that is known. Returning false ends the backup.
     */
    bool (*record)(void *context, const struct nkv_client_record *record);
    void *context;
    /* Set by the call: the store was written meanwhile, so that what came is
     * no snapshot. It may have been while false, too, when a part had to be
     * asked for again: nkv_client_digest tells. */
    bool changed;
    /* Damaged entries among those that came. */
    uint32_t damaged;
};

/*
 * Reads all records whose keys start with a prefix, many in each packet. A key
 * that is there throughout comes once, also when parts get lost on the line or
 * the device restarts: the stream goes on behind the last key that came, for
 * as long as the deadline allows. Records that fit no packet come last.
 *
 * - NKV_CANCELLED: the callback returned false.
 * - NKV_FAILED_PRECONDITION with NKV_REASON_STORE_READ_ONLY, after all records:
 *   the store did not mount whole, there may be more.
 */
NKV_MUST_USE enum nkv_status
nkv_client_backup(struct nkv_client *client,
                  const struct nkv_call_options *call,
                  struct nkv_client_backup *backup);

/* ---- Uploading -------------------------------------------------------- */

/* Records to put, and what became of them. */
struct nkv_client_restore {
    /*
     * Gives the next record, or NKV_NOT_FOUND when there are no more; any other
     * status ends the upload with it. The bytes are copied.
     */
    enum nkv_status (*next)(void *context, struct nkv_span *key,
                            struct nkv_span *value);
    /* Called when the device has acknowledged more. NULL: nobody looks. */
    void (*progress)(void *context, const struct nkv_client_restore *restore);
    void *context;
    /* Bytes of records in a chunk, as far as the device takes so much. 0: what
     * is best for its buffers and the line. */
    uint32_t chunk_size;

    /* Set by the call from here on, also when it fails. The first so many
     * records are on the device's flash: an upload that failed can go on behind
     * them. */
    uint32_t records;
    /* At least so many of them were not there already. */
    uint32_t written;
    /* Of their keys and values. */
    uint64_t bytes;
    /* How often it went on with a new call, because the device was restarted
     * or had given the old one up. */
    uint32_t resumed;
    /* The key that failed; size 0: none did, or it is not known. */
    uint8_t failed_key[NKV_CLIENT_KEY_SIZE_MAX];
    size_t failed_key_size;
};

/*
 * Puts records, as many in flight as the device's receive buffer and the line
 * have room for (Store.Restore). What the line loses is sent again; all is
 * checked by the device with a CRC-32 of the whole, beside that of each frame.
 * A record that is there already costs no flash. There is one upload at a time
 * on a device.
 *
 * - a status of next.
 * - NKV_UNIMPLEMENTED: the device has no such method (an older firmware,
 *   or one built without it):
 *   nkv_client_apply does the same, slower. Nothing was put.
 * - NKV_INVALID_ARGUMENT: a record has no key, a key that is too long, or a
 *   value that fits no frame or no sector; failed_key tells which.
 * - NKV_RESOURCE_EXHAUSTED: the store or its table of keys is full.
 * - NKV_FAILED_PRECONDITION with NKV_REASON_STORE_READ_ONLY.
 * - NKV_ABORTED: another client has erased the store, or began an upload.
 * - NKV_DATA_LOSS: what arrived is not what was sent, or the device failed at
 *   its flash.
 */
NKV_MUST_USE enum nkv_status
nkv_client_restore(struct nkv_client *client,
                   const struct nkv_call_options *call,
                   struct nkv_client_restore *restore);

/* ---- Calls that do not block ------------------------------------------ */

/*
 * Any number of calls can be under way at once, without threads: a call is
 * started, and its callback is called when it has ended. The program waits as
 * it likes, for instance with poll, and has the library go on:
 *
 *     short events;
 *     struct pollfd item = {.fd = nkv_client_fd(client, &events)};
 *     item.events = events;
 *     poll(&item, 1, nkv_client_timeout_ms(client));
 *     status = nkv_client_process(client);
 *
 * - Calls are started at once, as far as the device's window has room, and at
 *   most 512 at a time; they are answered in any order. Mutations are done in
 *   the order in which they were started, those of nkv_client_apply among them.
 * - Each call that was started ends once, with its callback: by its answer, its
 *   deadline, nkv_client_cancel, the port's end (NKV_UNAVAILABLE), or
 *   nkv_client_free (NKV_CANCELLED).
 * - Callbacks are called by nkv_client_process, by calls that block, and by
 *   nkv_client_free, never by the functions that start or cancel. They may
 * start, continue and cancel calls. They must not free the client; calls that
 * block, and nkv_client_process, are refused there (NKV_FAILED_PRECONDITION).
 * - Calls that block may be made while others are under way: they drive those,
 *   too, and share the device's window and the order of mutations with them;
 *   the chunks of nkv_client_restore and other calls take turns.
 * - What is passed when a call is started is copied.
 */

/* How a call ended. */
struct nkv_client_outcome {
    enum nkv_status status;
    /* Why the device refused; NKV_REASON_NONE when it gave none. */
    enum nkv_reason reason;
    /* One line as nkv_client_error has it; empty after a success. Holds until
     * the callback returns. */
    const char *error;
    /* Of a generic call: a SERVER_ERROR ended it, the device did not begin it
     * or does not know it. */
    bool is_server_error;
};

/* What to read. */
struct nkv_get_call {
    struct nkv_span key;
    /* value is empty unless the call succeeded. Its data belongs to the library
     * unless the callback keeps it, by copying *value and setting data NULL. */
    void (*done)(void *context, const struct nkv_client_outcome *outcome,
                 struct nkv_client_value *value);
    void *context;
};

/*
 * Starts a call as nkv_client_get. *number names it for nkv_client_cancel; it
 * is never 0 and no other call's. call may be NULL.
 *
 * - NKV_UNAVAILABLE: the port is not open, or gone.
 * - NKV_FAILED_PRECONDITION: the client is being freed.
 * - NKV_INTERNAL: no memory.
 * Only then the callback is not called.
 */
NKV_MUST_USE enum nkv_status
nkv_client_start_get(struct nkv_client *client,
                     const struct nkv_call_options *call,
                     const struct nkv_get_call *get, uint64_t *number);

/* What to write. */
struct nkv_mutation_call {
    /* Those members that a caller sets. */
    struct nkv_mutation mutation;
    /* mutation is the call's own, with its result, and holds until the callback
     * returns. */
    void (*done)(void *context, const struct nkv_client_outcome *outcome,
                 const struct nkv_mutation *mutation);
    void *context;
};

/* Starts a mutation as nkv_client_apply does one: numbered, so that it is done
 * once, and within the device's limits. One that is cancelled after it was sent
 * may have been done. Statuses as nkv_client_start_get. */
NKV_MUST_USE enum nkv_status nkv_client_start_mutation(
    struct nkv_client *client, const struct nkv_call_options *call,
    const struct nkv_mutation_call *mutation, uint64_t *number);

/* Which end of a method has one message, and which a stream. */
enum nkv_call_kind {
    NKV_CALL_UNARY = 0,
    NKV_CALL_SERVER_STREAM = 1,
    NKV_CALL_CLIENT_STREAM = 2,
    NKV_CALL_BIDIRECTIONAL = 3
};

/* A call of any method of any pw_rpc server. */
struct nkv_generic_call {
    /* The service's full name, "pw.rpc.EchoService", and the method's bare one,
     * "Echo". */
    const char *service;
    const char *method;
    enum nkv_call_kind kind;
    /* The request's message as it goes over the wire, at most 65536 bytes, and
     * no more than the device takes. Of kinds with a client's stream usually
     * empty. */
    struct nkv_span request;
    /* 0: the client's. */
    uint32_t channel_id;
    /* Doing it twice is the same as doing it once: as long as nothing has come
     * back, the request is sent again as other calls' are, and after
     * UNAVAILABLE, too. Otherwise it is sent once. */
    bool is_repeatable;
    /* Gets each message of the device's stream, until it returns. NULL: they
     * are dropped. */
    void (*message)(void *context, struct nkv_span payload);
    /* payload is that of the device's RESPONSE, until the callback returns. */
    void (*done)(void *context, const struct nkv_client_outcome *outcome,
                 struct nkv_span payload);
    void *context;
};

/*
 * Starts a generic call. The device need be no norkv device, and no session is
 * opened; as long as none is, requests that are unanswered at once stay within
 * 512 bytes. options may be NULL, its store does not matter. An outcome's
 * status is the device's, of its RESPONSE or SERVER_ERROR:
 * - NKV_NOT_FOUND with is_server_error: it has no such service or method.
 * - NKV_DEADLINE_EXCEEDED, NKV_UNAVAILABLE: it may have been done.
 *
 * Statuses as nkv_client_start_get, and NKV_INVALID_ARGUMENT: something is
 * missing, or too large.
 */
NKV_MUST_USE enum nkv_status
nkv_client_start_call(struct nkv_client *client,
                      const struct nkv_call_options *options,
                      const struct nkv_generic_call *call, uint64_t *number);

/*
 * Sends a further message of the client's stream, once the request is out and
 * the line has room. pw_rpc does not acknowledge them, so that how much of them
 * a device can take at once is for the caller to know.
 *
 * - NKV_RESOURCE_EXHAUSTED: 64 messages or 65536 bytes wait already.
 * - NKV_NOT_FOUND: the call has ended.
 * - NKV_FAILED_PRECONDITION: its kind has no client's stream, or that is
 *   complete.
 * - NKV_INVALID_ARGUMENT: it is larger than 65536 bytes.
 */
NKV_MUST_USE enum nkv_status nkv_client_send(struct nkv_client *client,
                                             uint64_t call,
                                             struct nkv_span message);

/* Completes the client's stream, behind the messages before. Statuses as
 * nkv_client_send. */
NKV_MUST_USE enum nkv_status nkv_client_complete(struct nkv_client *client,
                                                 uint64_t call);

/* Ends a call. Its callback comes with NKV_CANCELLED, the next time that
 * callbacks are called.
 * - NKV_NOT_FOUND: it has ended already, or there was none of this number. */
NKV_MUST_USE enum nkv_status nkv_client_cancel(struct nkv_client *client,
                                               uint64_t call);

/*
 * The descriptor to wait on, and in *events what for (POLLIN, POLLOUT); poll's
 * other events mean that nkv_client_process is to be called, too. Ask again
 * before each wait. -1, which poll ignores: the port is gone, or its transport
 * has no descriptor; then call nkv_client_process now and then.
 */
int nkv_client_fd(const struct nkv_client *client, short *events);

/* How long to wait at most before nkv_client_process is called although nothing
 * has arrived, milliseconds, as poll takes it; -1: for ever. */
int nkv_client_timeout_ms(const struct nkv_client *client);

/*
 * Takes what has arrived, sends what is due and can be sent, and calls the
 * callbacks of calls that have ended. It never waits.
 *
 * - NKV_UNAVAILABLE: the port is gone; all calls have ended.
 * - NKV_FAILED_PRECONDITION: it was called in a callback.
 */
NKV_MUST_USE enum nkv_status nkv_client_process(struct nkv_client *client);

/* ---- Maintenance ------------------------------------------------------ */

/* A store's state, its counters since it was mounted, and the line's since the
 * device started. Sizes in bytes. */
struct nkv_client_statistics {
    uint32_t keys;
    uint32_t max_keys;
    uint32_t tombstones;
    uint32_t max_tombstones;
    uint32_t transaction_count;
    uint32_t live_bytes;
    uint32_t stale_bytes;
    uint32_t free_bytes;
    uint32_t sector_size;
    uint32_t sector_count;
    uint32_t erased_sectors;
    uint32_t damaged_sectors;
    uint32_t missing_copies;
    uint32_t copies;
    uint32_t program_unit;

    uint32_t erases;
    uint32_t bytes_programmed;
    uint32_t collections;
    uint32_t entries_relocated;
    uint32_t corrupt_entries;
    uint32_t entries_healed;
    uint32_t read_errors;
    uint32_t program_errors;
    uint32_t erase_errors;

    uint32_t frames_received;
    uint32_t bad_frames;
    uint32_t oversize_frames;
    uint32_t bad_packets;
    uint32_t frames_sent;
    uint32_t replays;
    uint32_t overruns;
    /* Good frames to an address that nobody has; calls that found no free
     * slot; and calls that a client gave up while they ran. */
    uint32_t stray_frames;
    uint32_t calls_refused;
    uint32_t calls_cancelled;

    /* Of the free and stale bytes, those kept for collection, and those in
     * sectors that failed. */
    uint32_t reserved_bytes;
    uint32_t retired_bytes;
    uint32_t retired_sectors;
    /* A new key of any size finds room for a value of up to value_room. */
    bool has_room;
    uint32_t value_room;
    /* Steps of work that the idle device has left, at most; and, since the
     * store was mounted, steps done, by idle work and by writes, and the most
     * that one write did. */
    uint32_t pending_steps;
    uint32_t steps;
    uint32_t longest_write_steps;
    /* Since the store was mounted: entries moved out of damaged sectors, and
     * those that were damaged in all copies. */
    uint32_t entries_recovered;
    uint32_t entries_lost;

    uint32_t uptime_ms;
    /* What mounting the store said, and what keeps it from being used. */
    enum nkv_status mount_status;
    enum nkv_fault fault;
    uint32_t fault_detail;
};

/*
 * Reads the statistics, in two calls: what happens between them is in the
 * figures from stray_frames on, and not in the others.
 */

NKV_MUST_USE enum nkv_status
nkv_client_statistics(struct nkv_client *client,
                      const struct nkv_call_options *call,
                      struct nkv_client_statistics *statistics);

enum nkv_client_sector_state {
    NKV_CLIENT_SECTOR_ERASED,
    /* Takes entries. */
    NKV_CLIENT_SECTOR_OPEN,
    NKV_CLIENT_SECTOR_FULL,
    /* Waits to be erased: some bytes in it are no entries. */
    NKV_CLIENT_SECTOR_DAMAGED,
    /* Failed, and is left alone until the device starts again. */
    NKV_CLIENT_SECTOR_RETIRED
};

struct nkv_client_sector {
    uint32_t number;
    enum nkv_client_sector_state state;
    uint32_t used_bytes;
    uint32_t live_bytes;
    /* Since the store was mounted, up to 65535. */
    uint32_t erases;
    /* Transactions since it was last written. */
    uint32_t age;
};

struct nkv_client_sectors {
    /* Called for each sector, in order. Returning false ends the call. */
    bool (*sector)(void *context, const struct nkv_client_sector *sector);
    void *context;
    /* Set by the call, before the first sector. */
    uint32_t sector_size;
    uint32_t sector_count;
};

/*
 * Tells what each sector of a store holds.
 *
 * - NKV_CANCELLED: the callback returned false.
 */
NKV_MUST_USE enum nkv_status
nkv_client_sectors(struct nkv_client *client,
                   const struct nkv_call_options *call,
                   struct nkv_client_sectors *sectors);

enum nkv_client_finding_kind {
    /* An entry whose programming was interrupted: no loss, it was never
     * acknowledged. */
    NKV_CLIENT_FINDING_TORN,
    /* Bytes that are no entry, or no longer. */
    NKV_CLIENT_FINDING_CORRUPT,
    /* What an interrupted erase left. */
    NKV_CLIENT_FINDING_STALE_ERASE,
    /* An intact entry of a format that the device does not know. */
    NKV_CLIENT_FINDING_FOREIGN,
    /* An entry with fewer copies than configured. */
    NKV_CLIENT_FINDING_MISSING_COPY
};

struct nkv_client_finding {
    enum nkv_client_finding_kind kind;
    uint32_t sector;
    /* Bytes from the store's start; and how many are concerned. */
    uint32_t offset;
    uint32_t size;
    /* Empty where it is not known. Borrowed for the call of the callback. */
    struct nkv_span key;
    /* Another copy is intact: nothing is lost. */
    bool intact_elsewhere;
};

struct nkv_client_check {
    /* Called for each finding, in the order of offsets. Returning false ends
     * the check. */
    bool (*finding)(void *context, const struct nkv_client_finding *finding);
    /* Tells how many sectors are done, from time to time; may be NULL. */
    void (*progress)(void *context, uint32_t sectors, uint32_t sector_count);
    void *context;
    /* Set by the call: sectors in all, intact entries (tombstones and copies
     * included) and findings in those that were checked. */
    uint32_t sector_count;
    uint32_t entries;
    uint32_t findings;
};

/*
 * Has a device read and verify everything on a store's flash. Nothing is
 * changed, and other clients are served meanwhile; what they write may be
 * looked at or not. After a loss the check goes on with the sector where it
 * was: each finding is told once.
 *
 * - NKV_CANCELLED: the callback returned false.
 */
NKV_MUST_USE enum nkv_status
nkv_client_check(struct nkv_client *client, const struct nkv_call_options *call,
                 struct nkv_client_check *check);

enum nkv_collect_kind {
    NKV_COLLECT_PARTIAL = 0,
    NKV_COLLECT_FULL = 1,
    NKV_COLLECT_HEAVY = 2
};

/* What the records of a store amount to. */
struct nkv_client_digest {
    uint32_t records;
    /* Of their keys and values, modulo 2^32. */
    uint32_t bytes;
    /* docs/protocol.md, "Records": it does not depend on their order. */
    uint64_t digest;
    /* Entries that cannot be read, and are in none of these. */
    uint32_t damaged;
    /* The store was written meanwhile: the figures may be those of no moment.
     */
    bool changed;
};

/*
 * Has the device read all records whose keys start with a prefix, and tell what
 * they amount to: two ends are compared without a copy. progress, which may be
 * NULL, tells how many were read; fewer again when the device had to begin
 * anew. digest is all zero after a failure, but after this one:
 *
 * - NKV_FAILED_PRECONDITION with NKV_REASON_STORE_READ_ONLY: the store did not
 *   mount whole, there may be more.
 */
NKV_MUST_USE enum nkv_status
nkv_client_digest(struct nkv_client *client,
                  const struct nkv_call_options *call, struct nkv_span prefix,
                  struct nkv_client_digest *digest,
                  const struct nkv_client_progress *progress);

/*
 * Collects garbage: PARTIAL the sector that gains most; FULL repairs and
 * upgrades entries, and collects when the store is rather full; HEAVY collects
 * all that gains, and drops tombstones. progress, which may be NULL, tells
 * steps of the device's own.
 *
 * - NKV_NOT_FOUND without a reason: PARTIAL found no sector that gains.
 * - NKV_RESOURCE_EXHAUSTED: there is no room to move entries.
 * - NKV_FAILED_PRECONDITION with NKV_REASON_STORE_READ_ONLY.
 */
NKV_MUST_USE enum nkv_status nkv_client_collect(
    struct nkv_client *client, const struct nkv_call_options *call,
    enum nkv_collect_kind kind, const struct nkv_client_progress *progress);

/*
 * Erases a store with all its keys. unit_id is the device's own, so that
 * nobody wipes the wrong board. progress, which may be NULL, tells steps of the
 * device's own.
 *
 * - NKV_INVALID_ARGUMENT with NKV_REASON_WRONG_UNIT_ID.
 * - NKV_UNKNOWN: the device's answer was lost, and the store has been written
 *   since: it was erased before that, or not. It is not erased again.
 */
NKV_MUST_USE enum nkv_status
nkv_client_erase_all(struct nkv_client *client,
                     const struct nkv_call_options *call, const char *unit_id,
                     const struct nkv_client_progress *progress);

/* ---- Ports ------------------------------------------------------------ */

/* A serial port of this machine. Strings are NULL where not known. */
struct nkv_port {
    /* What nkv_client_open takes. */
    char *name;
    char *description;
    /* Of USB ports: vendor and product ids, else -1. */
    int usb_vendor;
    int usb_product;
    char *manufacturer;
    char *product;
    char *serial_number;
};

/*
 * Lists the serial ports. *ports is an array of *count; end it with
 * nkv_ports_free. Both are set in any case.
 */
NKV_MUST_USE enum nkv_status nkv_ports_list(struct nkv_port **ports,
                                            size_t *count);

/* Frees a list of ports. ports may be NULL. */
void nkv_ports_free(struct nkv_port *ports, size_t count);

/* Which port is meant: all that is given must fit. */
struct nkv_port_choice {
    /* USB vendor and product ids; 0: any. */
    int usb_vendor;
    int usb_product;
    /* NULL: any. */
    const char *serial_number;
};

/* Room for what nkv_ports_find has to say. */
enum { NKV_PORTS_WHY_SIZE = 768 };

/*
 * Finds in a list the one port that is meant, by what the system knows of each;
 * no port is opened, so that no other device is disturbed. *port points into
 * the list, or is NULL. why is set to one line that says what is wrong and
 * names the ports that come into question; it is empty after a success.
 *
 * - NKV_NOT_FOUND: no port fits.
 * - NKV_FAILED_PRECONDITION: more than one fits.
 * - NKV_INVALID_ARGUMENT: nothing is given to go by.
 */
NKV_MUST_USE enum nkv_status
nkv_ports_find(const struct nkv_port *ports, size_t count,
               const struct nkv_port_choice *choice,
               const struct nkv_port **port, char why[NKV_PORTS_WHY_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
