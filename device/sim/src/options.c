#include "options.h"
#include "help.h"
#include "report.h"
#include "tcp.h"

#include <norkv/server.h>

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_FRAME_MAX = 131072,
    RX_WINDOW_MAX = 1048576,
    BAUD_MIN = 50,
    BAUD_MAX = 12000000,
    /* What an answer to Open has room for, and more than any unit needs. */
    UNIT_ID_MAX = 64
};

/* Options of our own, numbered behind the geometry's. */
enum sim_option {
    OPTION_FLASH = NKV_GEOMETRY_FLAG_COUNT,
    OPTION_PTY,
    OPTION_LINK,
    OPTION_TCP,
    OPTION_BAUD,
    OPTION_UNIT_ID,
    OPTION_STORE,
    OPTION_MAX_FRAME,
    OPTION_RX_WINDOW,
    OPTION_CUT_AT,
    OPTION_FAULT,
    OPTION_HELP,
    OPTION_VERSION
};

/* getopt_long returns these; 0 and '?' mean something else. */
#define AS_RETURNED(option) ((int)(option) + 256)
#define TAKES(name, option)                                                    \
    {                                                                          \
        name, required_argument, NULL, AS_RETURNED(option)                     \
    }
#define BARE(name, option)                                                     \
    {                                                                          \
        name, no_argument, NULL, AS_RETURNED(option)                           \
    }

static const struct option long_options[] = {
    TAKES("sector-size", NKV_GEOMETRY_SECTOR_SIZE),
    TAKES("sectors", NKV_GEOMETRY_SECTORS),
    TAKES("program-unit", NKV_GEOMETRY_PROGRAM_UNIT),
    TAKES("copies", NKV_GEOMETRY_COPIES),
    TAKES("format", NKV_GEOMETRY_FORMAT),
    TAKES("max-keys", NKV_GEOMETRY_MAX_KEYS),
    TAKES("flash", OPTION_FLASH),
    BARE("pty", OPTION_PTY),
    TAKES("link", OPTION_LINK),
    TAKES("tcp", OPTION_TCP),
    TAKES("baud", OPTION_BAUD),
    TAKES("unit-id", OPTION_UNIT_ID),
    TAKES("store", OPTION_STORE),
    TAKES("max-frame", OPTION_MAX_FRAME),
    TAKES("rx-window", OPTION_RX_WINDOW),
    TAKES("cut-at", OPTION_CUT_AT),
    TAKES("fault", OPTION_FAULT),
    BARE("help", OPTION_HELP),
    BARE("version", OPTION_VERSION),
    {NULL, 0, NULL, 0},
};

static bool set_number(const char *name, const char *text, uint32_t min,
                       uint32_t max, uint32_t *number)
{
    unsigned long long parsed = 0;
    char *end = NULL;

    errno = 0;
    if (isdigit((unsigned char)text[0]))
        parsed = strtoull(text, &end, 10);
    if (end == NULL || *end != '\0' || errno != 0 || parsed < min ||
        parsed > max) {
        nkv_sim_say("--%s %s: give a number from %lu to %lu", name, text,
                    (unsigned long)min, (unsigned long)max);
        return false;
    }
    *number = (uint32_t)parsed;
    return true;
}

static bool set_unit_id(struct nkv_sim_options *options, const char *text)
{
    size_t size = strlen(text);

    for (size_t i = 0; i < size; i++) {
        if (!isprint((unsigned char)text[i]))
            size = 0;
    }
    if (size == 0 || size > UNIT_ID_MAX) {
        nkv_sim_say("--unit-id %s: give 1 to %d printable ASCII characters",
                    text, UNIT_ID_MAX);
        return false;
    }
    options->unit_id = text;
    return true;
}

static bool set_tcp(struct nkv_sim_options *options, const char *text)
{
    if (!nkv_tcp_is_address(text)) {
        nkv_sim_say("--tcp %s: give HOST:PORT or PORT, with PORT from 0 to "
                    "65535 (0 picks one)",
                    text);
        return false;
    }
    if (options->tcp != NULL) {
        nkv_sim_say("--tcp %s: one TCP port is served, and %s was given "
                    "before",
                    text, options->tcp);
        return false;
    }
    options->tcp = text;
    return true;
}

static bool is_new_name(const struct nkv_sim_options *options, const char *name)
{
    for (size_t i = 0; i < options->store_count; i++) {
        if (strcmp(options->stores[i].name, name) == 0)
            return false;
    }
    return true;
}

/* A name that no number can be taken for. */
static bool is_store_name(const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < size; i++) {
        if (!isgraph((unsigned char)name[i]))
            return false;
    }
    return size > 0 && size <= NKV_SIM_STORE_NAME_MAX &&
           !isdigit((unsigned char)name[0]);
}

/* Takes NAME=FILE, which is cut in two. */
static bool add_store(struct nkv_sim_options *options, char *text)
{
    char *equals = strchr(text, '=');

    if (equals == NULL || equals[1] == '\0') {
        nkv_sim_say("--store %s: give NAME=FILE", text);
        return false;
    }
    *equals = '\0';
    if (!is_store_name(text)) {
        nkv_sim_say("--store %s=%s: the name must be 1 to %d printable ASCII "
                    "characters, the first of them no digit",
                    text, equals + 1, NKV_SIM_STORE_NAME_MAX);
        return false;
    }
    if (!is_new_name(options, text)) {
        nkv_sim_say("--store %s=%s: there is a store of that name already "
                    "(that of --flash is main)",
                    text, equals + 1);
        return false;
    }
    if (options->store_count == NKV_SIM_STORES_MAX) {
        nkv_sim_say("--store %s=%s: a device has up to %d stores, that of "
                    "--flash included",
                    text, equals + 1, NKV_SIM_STORES_MAX);
        return false;
    }
    options->stores[options->store_count++] =
        (struct nkv_sim_store_option){.name = text, .path = equals + 1};
    return true;
}

static bool set_cut(struct nkv_sim_options *options, const char *text)
{
    if (nkv_power_cut_parse(text, &options->cut))
        return true;
    nkv_sim_say("--cut-at %s: give N or N:VARIANT, N a number from 1 on and "
                "VARIANT untouched, torn, half or whole",
                text);
    return false;
}

/* A fault that one finds who looks for the flash. */
static enum nkv_fault find_fault(const char *name, size_t size)
{
    static const struct {
        const char *name;
        enum nkv_fault fault;
    } faults[] = {
        {"no-flash", NKV_FAULT_NO_FLASH},
        {"wrong-flash", NKV_FAULT_WRONG_FLASH},
        {"flash-too-small", NKV_FAULT_FLASH_TOO_SMALL},
        {"flash-protected", NKV_FAULT_FLASH_PROTECTED},
        {"self-test", NKV_FAULT_SELF_TEST},
        {"flash-error", NKV_FAULT_FLASH_ERROR},
    };

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (strlen(faults[i].name) == size &&
            memcmp(faults[i].name, name, size) == 0)
            return faults[i].fault;
    }
    return NKV_FAULT_NONE;
}

/* Takes FAULT[:DETAIL]. */
static bool set_fault(struct nkv_sim_options *options, const char *text)
{
    size_t size = strcspn(text, ":");
    char *end = NULL;
    unsigned long long detail = 0;

    options->fault = find_fault(text, size);
    errno = 0;
    if (text[size] == ':' && isdigit((unsigned char)text[size + 1]))
        detail = strtoull(text + size + 1, &end, 0);
    if (options->fault != NKV_FAULT_NONE && errno == 0 &&
        detail <= UINT32_MAX &&
        (text[size] == '\0' || (end != NULL && *end == '\0'))) {
        options->fault_detail = (uint32_t)detail;
        return true;
    }
    nkv_sim_say("--fault %s: give FAULT or FAULT:DETAIL, FAULT no-flash, "
                "wrong-flash, flash-too-small, flash-protected, self-test or "
                "flash-error, and DETAIL a number",
                text);
    return false;
}

static bool set_geometry(struct nkv_sim_options *options,
                         enum nkv_geometry_flag flag, const char *text)
{
    struct nkv_geometry_error error;

    if (nkv_geometry_set(&options->geometry, flag, text, &error))
        return true;
    nkv_sim_say("%s", error.text);
    return false;
}

/* Takes one of our own options. */
static bool set_option(struct nkv_sim_options *options, enum sim_option option,
                       const char *text)
{
    switch (option) {
    case OPTION_FLASH:
        options->stores[0].path = text;
        return true;
    case OPTION_PTY:
        options->pty = true;
        return true;
    case OPTION_LINK:
        options->link = text;
        return true;
    case OPTION_TCP:
        return set_tcp(options, text);
    case OPTION_BAUD:
        return set_number("baud", text, BAUD_MIN, BAUD_MAX, &options->baud);
    case OPTION_UNIT_ID:
        return set_unit_id(options, text);
    case OPTION_MAX_FRAME:
        return set_number("max-frame", text, NKV_SERVER_FRAME_MIN,
                          MAX_FRAME_MAX, &options->max_frame);
    case OPTION_STORE:
        return add_store(options, optarg);
    case OPTION_RX_WINDOW:
        return set_number("rx-window", text, NKV_SERVER_FRAME_MIN,
                          RX_WINDOW_MAX, &options->rx_window);
    case OPTION_CUT_AT:
        return set_cut(options, text);
    case OPTION_FAULT:
        return set_fault(options, text);
    case OPTION_HELP:
    case OPTION_VERSION:
    default:
        return false;
    }
}

static bool complain(const char *what, const char *argument)
{
    nkv_sim_say("%s %s: see norkv-sim --help", what, argument);
    return false;
}

/* Takes what getopt_long found. */
static bool take(struct nkv_sim_options *options, int returned,
                 const char *argument)
{
    if (returned == ':')
        return complain("a value is missing after", argument);
    if (returned == '?')
        return complain("unknown, ambiguous or misused option", argument);
    returned -= AS_RETURNED(0);
    if (returned < NKV_GEOMETRY_FLAG_COUNT)
        return set_geometry(options, (enum nkv_geometry_flag)returned, optarg);
    return set_option(options, (enum sim_option)returned, optarg);
}

static bool check_geometry(const struct nkv_geometry *geometry)
{
    struct nkv_geometry_error error;

    if (nkv_geometry_check(geometry, &error))
        return true;
    nkv_sim_say("%s", error.text);
    return false;
}

/* Does all of it together make sense? */
static bool check(const struct nkv_sim_options *options, int left,
                  char **operands)
{
    if (left > 0)
        return complain("unexpected argument", operands[0]);
    if (options->stores[0].path == NULL || options->stores[0].path[0] == '\0') {
        nkv_sim_say("give --flash FILE, where the flash is kept; it is created "
                    "when it is not there");
        return false;
    }
    if (!options->pty && options->tcp == NULL) {
        nkv_sim_say("give a line to serve on: --pty, --tcp HOST:PORT, or both");
        return false;
    }
    if (options->link != NULL && (!options->pty || options->link[0] == '\0')) {
        nkv_sim_say("--link names a pseudo terminal: give --pty and a path");
        return false;
    }
    if (options->rx_window != 0 && options->rx_window < options->max_frame) {
        nkv_sim_say("--rx-window %lu: it must hold a frame of --max-frame %lu",
                    (unsigned long)options->rx_window,
                    (unsigned long)options->max_frame);
        return false;
    }
    return check_geometry(&options->geometry);
}

bool nkv_sim_options_parse(struct nkv_sim_options *options, int count,
                           char **arguments, int *exit_code)
{
    int returned;

    *options = (struct nkv_sim_options){
        .unit_id = "norkv-sim",
        .max_frame = 2048,
        .stores = {{.name = "main"}},
        .store_count = 1,
    };
    nkv_geometry_init(&options->geometry);
    opterr = 0;
    *exit_code = NKV_SIM_USAGE;
    while ((returned = getopt_long(count, arguments, "+:", long_options,
                                   NULL)) != -1) {
        if (returned == AS_RETURNED(OPTION_HELP) ||
            returned == AS_RETURNED(OPTION_VERSION)) {
            *exit_code = returned == AS_RETURNED(OPTION_HELP)
                             ? nkv_sim_print_help()
                             : nkv_sim_print_version();
            return false;
        }
        if (!take(options, returned, arguments[optind - 1]))
            return false;
    }
    return check(options, count - optind, arguments + optind);
}
