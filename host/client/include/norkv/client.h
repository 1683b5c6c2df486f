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
 * What is where:
 * - client_port.h: opening a port, how, traces, and which ports there are.
 * - client_calls.h: who the device is; get, put, delete, apply, scan.
 * - client_transfer.h: backup, digest, restore.
 * - client_maintenance.h: statistics, sectors, check, collect, erase all.
 * - client_async.h: calls that do not block, and those of any method.
 * - client_error.h: what went wrong, in words and in numbers.
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
 * calls (norkv/client_async.h). Several clients are independent.
 */
#ifndef NORKV_CLIENT_H
#define NORKV_CLIENT_H

#include <norkv/client_async.h>
#include <norkv/client_calls.h>
#include <norkv/client_error.h>
#include <norkv/client_maintenance.h>
#include <norkv/client_port.h>
#include <norkv/client_transfer.h>

#endif
