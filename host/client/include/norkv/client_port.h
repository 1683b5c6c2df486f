/* Ports: opening one, what passes over it, and which there are. */
#ifndef NORKV_CLIENT_PORT_H
#define NORKV_CLIENT_PORT_H

#include <norkv/bytes.h>
#include <norkv/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

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
 * What could be better at a port that works, and how: the adapter holds bytes
 * back, say. One line; empty when there is nothing to say. Never NULL; valid
 * as long as the client. client may be NULL.
 */
const char *nkv_client_hint(const struct nkv_client *client);

/* The port's name as it was given. Never NULL; valid as long as the client,
 * which may be NULL. */
const char *nkv_client_port(const struct nkv_client *client);

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

/* ---- Which ports there are -------------------------------------------- */

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
