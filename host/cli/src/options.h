/* The options of the command line. */
#ifndef NORKV_CLI_OPTIONS_H
#define NORKV_CLI_OPTIONS_H

#include "report.h"

#include <norkv/client.h>
#include <norkv/geometry.h>
#include <stdbool.h>
#include <stdint.h>

enum nkv_option {
    NKV_OPTION_PORT,
    NKV_OPTION_SERIAL_NUMBER,
    NKV_OPTION_VID_PID,
    NKV_OPTION_BAUD,
    NKV_OPTION_DTR,
    NKV_OPTION_RTS,
    NKV_OPTION_TIMEOUT,
    NKV_OPTION_STORE,
    NKV_OPTION_VERBOSE,
    NKV_OPTION_JSON,
    NKV_OPTION_KEY_HEX,
    NKV_OPTION_OUTPUT,
    NKV_OPTION_FILE,
    NKV_OPTION_HEX,
    NKV_OPTION_LONG,
    NKV_OPTION_UNIT_ID,
    NKV_OPTION_COUNT_OF,
    NKV_OPTION_SIZE,
    NKV_OPTION_INTERVAL,
    NKV_OPTION_TIMESTAMPS,
    NKV_OPTION_DRY_RUN,
    NKV_OPTION_TYPE,
    NKV_OPTION_REPLACE,
    NKV_OPTION_FORCE,
    NKV_OPTION_NO_REPAIR,
    /* The flags of norkv/geometry.h, in its order. */
    NKV_OPTION_SECTOR_SIZE,
    NKV_OPTION_SECTORS,
    NKV_OPTION_PROGRAM_UNIT,
    NKV_OPTION_COPIES,
    NKV_OPTION_FORMAT,
    NKV_OPTION_MAX_KEYS,
    NKV_OPTION_HELP,
    NKV_OPTION_VERSION,
    NKV_OPTION_COUNT
};

/* The bit of an option in a set of them. */
#define NKV_TAKES(option) (UINT64_C(1) << (option))

/* What every command takes. */
#define NKV_TAKES_COMMON                                                       \
    (NKV_TAKES(NKV_OPTION_HELP) | NKV_TAKES(NKV_OPTION_VERSION))

/* Which port, and how it is opened. */
#define NKV_TAKES_PORT                                                         \
    (NKV_TAKES(NKV_OPTION_PORT) | NKV_TAKES(NKV_OPTION_SERIAL_NUMBER) |        \
     NKV_TAKES(NKV_OPTION_VID_PID) | NKV_TAKES(NKV_OPTION_BAUD) |              \
     NKV_TAKES(NKV_OPTION_DTR) | NKV_TAKES(NKV_OPTION_RTS))

/* What commands take that talk to a device. */
#define NKV_TAKES_DEVICE                                                       \
    (NKV_TAKES_PORT | NKV_TAKES(NKV_OPTION_TIMEOUT) |                          \
     NKV_TAKES(NKV_OPTION_STORE) | NKV_TAKES(NKV_OPTION_VERBOSE) |             \
     NKV_TAKES(NKV_OPTION_JSON))

/* How a store is laid out in a flash file. */
#define NKV_TAKES_GEOMETRY                                                     \
    (NKV_TAKES(NKV_OPTION_SECTOR_SIZE) | NKV_TAKES(NKV_OPTION_SECTORS) |       \
     NKV_TAKES(NKV_OPTION_PROGRAM_UNIT) | NKV_TAKES(NKV_OPTION_COPIES) |       \
     NKV_TAKES(NKV_OPTION_FORMAT) | NKV_TAKES(NKV_OPTION_MAX_KEYS))

struct nkv_shell_port;

struct nkv_options {
    /* The set of those given. */
    uint64_t given;
    /* --port, or NORKV_PORT; NULL where neither is. */
    const char *port;
    /* --serial-number and --vid-pid. */
    struct nkv_port_choice choice;
    /* 0: the library's default. */
    uint32_t baud;
    enum nkv_line_state dtr;
    enum nkv_line_state rts;
    /* 0: the command's default. */
    uint32_t timeout_ms;
    uint32_t store;
    /* The store's name, where --store is no number; else NULL. */
    const char *store_name;
    const char *output;
    const char *file;
    const char *hex;
    const char *unit_id;
    const char *type;
    /* Where they were given. */
    uint32_t count;
    uint32_t size;
    uint32_t interval_ms;
    /* The port that a shell keeps open; NULL: there is no shell. */
    struct nkv_shell_port *shell_port;
    /* Of a flash file; its defaults where nothing was given. */
    struct nkv_geometry geometry;
};

static inline bool nkv_given(const struct nkv_options *options,
                             enum nkv_option option)
{
    return (options->given & NKV_TAKES(option)) != 0;
}

/*
 * Reads the options, wherever they stand, and moves the operands to the end of
 * argv: *first is the first of them. Strings are borrowed from argv.
 */
enum nkv_exit nkv_options_parse(int argc, char **argv,
                                struct nkv_options *options, int *first);

/* Reports the first option given that is not in the set takes. */
enum nkv_exit nkv_options_check(const struct nkv_options *options,
                                uint64_t takes, const char *command);

/* Takes over from a shell's options its port, and of the rest what is in the
 * set takes and was not given. */
void nkv_options_inherit(struct nkv_options *options,
                         const struct nkv_options *shell, uint64_t takes);

/* The name of an option, without the dashes. */
const char *nkv_option_name(enum nkv_option option);

/* Prints a line for each option in the set. */
void nkv_options_print(uint64_t set);

#endif
