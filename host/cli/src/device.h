/* A command's way to the device. */
#ifndef NORKV_CLI_DEVICE_H
#define NORKV_CLI_DEVICE_H

#include "options.h"
#include "report.h"

#include <norkv/client.h>

/* Deadlines of commands where --timeout gives none, milliseconds. */
enum {
    NKV_TIMEOUT_SHORT = 10 * 1000,
    NKV_TIMEOUT_LISTING = 60 * 1000,
    NKV_TIMEOUT_LONG = 120 * 1000,
    NKV_TIMEOUT_TRANSFER = 600 * 1000
};

/* Sets *name to the port that the options mean; free it. Errors are reported.
 */
enum nkv_exit nkv_name_port(const struct nkv_options *options, char **name);

/* The store of a device that --store means, by its number or its name; NULL:
 * there is no such. It is the device's. */
const struct nkv_device_store *
nkv_chosen_store(const struct nkv_options *options,
                 const struct nkv_device *device);

/*
 * Opens the port that the options name. Everything that is done with client
 * ends within --timeout, or timeout_ms where that was not given, after this.
 *
 * NKV_EXIT_DONE: free client. Otherwise the error was reported.
 */
enum nkv_exit nkv_connect(const struct nkv_options *options,
                          uint32_t timeout_ms, struct nkv_client **client);

/*
 * The same for a command with deadlines, attempts or remarks of its own: how
 * has them, and gets what the options say of port and line.
 */
enum nkv_exit nkv_connect_as(const struct nkv_options *options,
                             struct nkv_client_options *how,
                             struct nkv_client **client);

/*
 * Opens a port again that was open as port: of one that was chosen by what it
 * is, the port that is that now. Nothing is reported; everything ends within
 * limit_ms, not 0. Statuses as nkv_client_open; free client in any case.
 */
enum nkv_status nkv_reconnect(const struct nkv_options *options,
                              const char *port, uint32_t limit_ms,
                              struct nkv_client **client);

/* The options of each call. */
struct nkv_call_options nkv_call_of(const struct nkv_options *options,
                                    uint32_t timeout_ms);

/* As nkv_fail_call, of a call for this key. */
enum nkv_exit nkv_fail_key(const struct nkv_client *client, struct nkv_span key,
                           enum nkv_status status);

/*
 * Reports why the last call failed. Returns NKV_EXIT_KEY_NOT_FOUND for a key
 * that is not there, else NKV_EXIT_FAILED.
 */
enum nkv_exit nkv_fail_call(const struct nkv_client *client,
                            enum nkv_status status);

/* The same for a call that copies a whole store: not every device has those, so
 * it says what does the same. */
enum nkv_exit nkv_fail_transfer(const struct nkv_client *client,
                                enum nkv_status status);

#endif
