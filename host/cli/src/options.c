#include "options.h"

#include "numbers.h"
#include "suggest.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct description {
    const char *name;
    char letter;
    /* How its value is called; NULL where it has none. */
    const char *value;
    const char *text;
};

static const struct description descriptions[NKV_OPTION_COUNT] = {
    [NKV_OPTION_PORT] = {"port", 0, "PORT",
                         "/dev/ttyACM0, /dev/pts/3, a link to one, or "
                         "tcp:HOST:PORT (or NORKV_PORT)"},
    [NKV_OPTION_SERIAL_NUMBER] = {"serial-number", 0, "SN",
                                  "the USB port with this serial number"},
    [NKV_OPTION_VID_PID] = {"vid-pid", 0, "VVVV:PPPP",
                            "the USB port with these vendor and product ids, "
                            "in hex"},
    [NKV_OPTION_BAUD] = {"baud", 0, "N", "line rate, bits/s (115200)"},
    [NKV_OPTION_DTR] = {"dtr", 0, "STATE",
                        "at opening: keep (the default), on or off"},
    [NKV_OPTION_RTS] = {"rts", 0, "STATE", "as --dtr"},
    [NKV_OPTION_TIMEOUT] = {"timeout", 0, "TIME",
                            "deadline of the whole command, retries "
                            "included: 500ms, 10s, 2m, bare: seconds"},
    [NKV_OPTION_STORE] = {"store", 0, "STORE",
                          "number or name of the store (0)"},
    [NKV_OPTION_VERBOSE] = {"verbose", 'v', NULL,
                            "show all frames and what they mean"},
    [NKV_OPTION_JSON] = {"json", 0, NULL, "print one JSON object a line"},
    [NKV_OPTION_KEY_HEX] = {"key-hex", 0, NULL, "keys are given in hex"},
    [NKV_OPTION_OUTPUT] = {"output", 'o', "FILE",
                           "write to FILE, whole or not at all"},
    [NKV_OPTION_FILE] = {"file", 0, "F", "what file F holds"},
    [NKV_OPTION_HEX] = {"hex", 0, "BYTES", "these bytes, in hex"},
    [NKV_OPTION_LONG] = {"long", 'l', NULL, "with version and size"},
    [NKV_OPTION_UNIT_ID] = {"unit-id", 0, "ID",
                            "the device's own, as info shows it"},
    [NKV_OPTION_COUNT_OF] = {"count", 0, "N", "end after so many"},
    [NKV_OPTION_SIZE] = {"size", 0, "BYTES", "bytes of text in each (64)"},
    [NKV_OPTION_INTERVAL] = {"interval", 0, "TIME",
                             "pause between two, as in 100ms (none)"},
    [NKV_OPTION_TIMESTAMPS] = {"timestamps", 0, NULL,
                               "begin lines with the seconds since the port "
                               "was opened"},
    [NKV_OPTION_DRY_RUN] = {"dry-run", 0, NULL, "check all, write nothing"},
    [NKV_OPTION_TYPE] = {"type", 0, "csv|json",
                         "what FILE is (json if its name ends in .json, else "
                         "csv)"},
    [NKV_OPTION_REPLACE] = {"replace", 0, NULL,
                            "delete the keys that are not in the file"},
    [NKV_OPTION_FORCE] = {"force", 0, NULL, "do it all the same"},
    [NKV_OPTION_NO_REPAIR] = {"no-repair", 0, NULL,
                              "the bare scan: repair nothing"},
    [NKV_OPTION_SECTOR_SIZE] = {"sector-size", 0, "BYTES",
                                "bytes that one erase clears (4096)"},
    [NKV_OPTION_SECTORS] = {"sectors", 0, "N",
                            "number of sectors (from the file; create: 16)"},
    [NKV_OPTION_PROGRAM_UNIT] = {"program-unit", 0, "BYTES",
                                 "smallest piece to program (16)"},
    [NKV_OPTION_COPIES] = {"copies", 0, "N", "copies of each entry (1)"},
    [NKV_OPTION_FORMAT] = {"format", 0, "MAGIC[:SUM]",
                           "an entry format, SUM crc16, none or ignore; the "
                           "first is written (5ab2f0b5:crc16)"},
    [NKV_OPTION_MAX_KEYS] = {"max-keys", 0, "N",
                             "keys that the index holds (all that fit)"},
    [NKV_OPTION_HELP] = {"help", 'h', NULL, "show this help"},
    [NKV_OPTION_VERSION] = {"version", 0, NULL, "show the version"},
};

/* Values of long options in getopt_long's answer begin here. */
enum { LONG_OPTION = 256 };

_Static_assert(NKV_OPTION_MAX_KEYS - NKV_OPTION_SECTOR_SIZE + 1 ==
                   NKV_GEOMETRY_FLAG_COUNT,
               "each flag of a geometry is an option");

static void fill_long_options(struct option *to)
{
    for (int i = 0; i < NKV_OPTION_COUNT; i++) {
        to[i] = (struct option){
            .name = descriptions[i].name,
            .has_arg =
                descriptions[i].value != NULL ? required_argument : no_argument,
            .val = LONG_OPTION + i,
        };
    }
    to[NKV_OPTION_COUNT] = (struct option){0};
}

static char *add_letter(char *to, const struct description *option)
{
    if (option->letter == 0) {
        return to;
    }
    *to++ = option->letter;
    if (option->value != NULL) {
        *to++ = ':';
    }
    return to;
}

/* The colon in front: a missing value is told from an unknown option. */
static void fill_letters(char *to)
{
    *to++ = ':';
    for (int i = 0; i < NKV_OPTION_COUNT; i++) {
        to = add_letter(to, &descriptions[i]);
    }
    *to = '\0';
}

/* The option for an answer of getopt_long, NKV_OPTION_COUNT for none. */
static int find_option(int answer)
{
    if (answer >= LONG_OPTION) {
        return answer - LONG_OPTION;
    }
    for (int i = 0; i < NKV_OPTION_COUNT; i++) {
        if (answer != 0 && descriptions[i].letter == answer) {
            return i;
        }
    }
    return NKV_OPTION_COUNT;
}

/* The name of the option that word may have been meant to be, or NULL. */
static const char *like_option(const char *word)
{
    if (strncmp(word, "--", 2) != 0) {
        return NULL;
    }
    for (int i = 0; i < NKV_OPTION_COUNT; i++) {
        if (nkv_is_like(word + 2, descriptions[i].name)) {
            return descriptions[i].name;
        }
    }
    return NULL;
}

static enum nkv_exit fail_unknown(const char *word)
{
    const char *like = like_option(word);

    if (like != NULL) {
        return nkv_fail(NKV_EXIT_USAGE,
                        "unknown option '%s': did you mean --%s?", word, like);
    }
    return nkv_fail(NKV_EXIT_USAGE,
                    "unknown option '%s': see 'norkv help'; a key or value "
                    "that begins with - goes behind --",
                    word);
}

/* What getopt_long found wrong: answer is '?' or ':'. */
static enum nkv_exit fail_parse(int answer, char **argv)
{
    int option = find_option(optopt);
    char letter[3] = {'-', (char)optopt, '\0'};

    if (option < NKV_OPTION_COUNT && answer == ':') {
        return nkv_fail(NKV_EXIT_USAGE, "option --%s needs a value: --%s %s",
                        descriptions[option].name, descriptions[option].name,
                        descriptions[option].value);
    }
    if (option < NKV_OPTION_COUNT) {
        return nkv_fail(NKV_EXIT_USAGE, "option --%s takes no value",
                        descriptions[option].name);
    }
    return fail_unknown(optopt != 0 ? letter : argv[optind - 1]);
}

static enum nkv_exit take_number(enum nkv_option option, uint32_t smallest,
                                 uint32_t *number)
{
    if (nkv_parse_number(optarg, UINT32_MAX, number) && *number >= smallest) {
        return NKV_EXIT_DONE;
    }
    return nkv_fail(NKV_EXIT_USAGE,
                    "--%s '%s' is no number from %u to %u: write decimal "
                    "digits",
                    descriptions[option].name, optarg, smallest, UINT32_MAX);
}

/* What is all digits is a number. */
static enum nkv_exit take_store(struct nkv_options *options)
{
    options->store_name = NULL;
    if (optarg[0] == '\0') {
        return nkv_fail(NKV_EXIT_USAGE,
                        "--store '': give the number or the name of a store, "
                        "as 'norkv info' shows them");
    }
    if (strspn(optarg, "0123456789") == strlen(optarg)) {
        return take_number(NKV_OPTION_STORE, 0, &options->store);
    }
    options->store_name = optarg;
    return NKV_EXIT_DONE;
}

static enum nkv_exit take_time(enum nkv_option option, uint32_t *milliseconds)
{
    if (nkv_parse_time(optarg, milliseconds)) {
        return NKV_EXIT_DONE;
    }
    return nkv_fail(NKV_EXIT_USAGE,
                    "--%s '%s' is no time from 1 ms to a day: write a number "
                    "with ms, s or m, as in 500ms, 10s or 2m",
                    descriptions[option].name, optarg);
}

static enum nkv_exit take_line(enum nkv_option option,
                               enum nkv_line_state *state)
{
    static const char *const names[] = {
        [NKV_LINE_KEEP] = "keep",
        [NKV_LINE_ON] = "on",
        [NKV_LINE_OFF] = "off",
    };

    for (int i = 0; i < 3; i++) {
        if (strcmp(optarg, names[i]) == 0) {
            *state = (enum nkv_line_state)i;
            return NKV_EXIT_DONE;
        }
    }
    return nkv_fail(NKV_EXIT_USAGE, "--%s '%s': write keep, on or off",
                    descriptions[option].name, optarg);
}

static enum nkv_exit take_usb_ids(struct nkv_port_choice *choice)
{
    if (nkv_parse_usb_ids(optarg, &choice->usb_vendor, &choice->usb_product)) {
        return NKV_EXIT_DONE;
    }
    return nkv_fail(NKV_EXIT_USAGE,
                    "--vid-pid '%s' is no pair of USB ids: write four hex "
                    "digits, a colon and four more, as in 0403:6001",
                    optarg);
}

static enum nkv_exit take_geometry(enum nkv_option option,
                                   struct nkv_geometry *geometry)
{
    struct nkv_geometry_error error;

    if (nkv_geometry_set(
            geometry, (enum nkv_geometry_flag)(option - NKV_OPTION_SECTOR_SIZE),
            optarg, &error)) {
        return NKV_EXIT_DONE;
    }
    return nkv_fail(NKV_EXIT_USAGE, "%s", error.text);
}

/* Where an option's value goes as it is; NULL for the others. */
static const char **text_of(struct nkv_options *options, enum nkv_option option)
{
    switch ((int)option) {
    case NKV_OPTION_PORT:
        return &options->port;
    case NKV_OPTION_SERIAL_NUMBER:
        return &options->choice.serial_number;
    case NKV_OPTION_OUTPUT:
        return &options->output;
    case NKV_OPTION_FILE:
        return &options->file;
    case NKV_OPTION_HEX:
        return &options->hex;
    case NKV_OPTION_UNIT_ID:
        return &options->unit_id;
    case NKV_OPTION_TYPE:
        return &options->type;
    default:
        return NULL;
    }
}

static enum nkv_exit take(enum nkv_option option, struct nkv_options *options)
{
    const char **text = text_of(options, option);

    options->given |= NKV_TAKES(option);
    if (text != NULL) {
        *text = optarg;
        return NKV_EXIT_DONE;
    }
    if ((NKV_TAKES(option) & NKV_TAKES_GEOMETRY) != 0) {
        return take_geometry(option, &options->geometry);
    }
    switch ((int)option) {
    case NKV_OPTION_BAUD:
        return take_number(option, 1, &options->baud);
    case NKV_OPTION_VID_PID:
        return take_usb_ids(&options->choice);
    case NKV_OPTION_DTR:
        return take_line(option, &options->dtr);
    case NKV_OPTION_RTS:
        return take_line(option, &options->rts);
    case NKV_OPTION_STORE:
        return take_store(options);
    case NKV_OPTION_TIMEOUT:
        return take_time(option, &options->timeout_ms);
    case NKV_OPTION_INTERVAL:
        return take_time(option, &options->interval_ms);
    case NKV_OPTION_COUNT_OF:
        return take_number(option, 1, &options->count);
    case NKV_OPTION_SIZE:
        return take_number(option, 1, &options->size);
    default:
        return NKV_EXIT_DONE;
    }
}

enum nkv_exit nkv_options_parse(int argc, char **argv,
                                struct nkv_options *options, int *first)
{
    struct option long_options[NKV_OPTION_COUNT + 1];
    char letters[2 * NKV_OPTION_COUNT + 2];
    const char *port = getenv("NORKV_PORT");
    int answer;

    *options = (struct nkv_options){.port = port};
    nkv_geometry_init(&options->geometry);
    fill_long_options(long_options);
    fill_letters(letters);
    opterr = 0;
    /* From the start, also when it was called before. */
    optind = 0;
    while ((answer = getopt_long(argc, argv, letters, long_options, NULL)) !=
           -1) {
        enum nkv_exit code;

        if (answer == '?' || answer == ':') {
            return fail_parse(answer, argv);
        }
        code = take((enum nkv_option)find_option(answer), options);
        if (code != NKV_EXIT_DONE) {
            return code;
        }
    }
    *first = optind;
    return NKV_EXIT_DONE;
}

enum nkv_exit nkv_options_check(const struct nkv_options *options,
                                uint64_t takes, const char *command)
{
    for (int i = 0; i < NKV_OPTION_COUNT; i++) {
        if (nkv_given(options, (enum nkv_option)i) &&
            (takes & NKV_TAKES(i)) == 0) {
            return nkv_fail(NKV_EXIT_USAGE,
                            "'%s' takes no --%s: see 'norkv help %s'", command,
                            descriptions[i].name, command);
        }
    }
    return NKV_EXIT_DONE;
}

static bool inherits(const struct nkv_options *options,
                     const struct nkv_options *shell, uint64_t takes,
                     enum nkv_option option)
{
    return nkv_given(shell, option) && !nkv_given(options, option) &&
           (takes & NKV_TAKES(option)) != 0;
}

void nkv_options_inherit(struct nkv_options *options,
                         const struct nkv_options *shell, uint64_t takes)
{
    static const enum nkv_option flags[] = {NKV_OPTION_VERBOSE, NKV_OPTION_JSON,
                                            NKV_OPTION_KEY_HEX};

    options->shell_port = shell->shell_port;
    options->baud = shell->baud;
    options->dtr = shell->dtr;
    options->rts = shell->rts;
    if (inherits(options, shell, takes, NKV_OPTION_STORE)) {
        options->given |= NKV_TAKES(NKV_OPTION_STORE);
        options->store = shell->store;
        options->store_name = shell->store_name;
    }
    if (inherits(options, shell, takes, NKV_OPTION_TIMEOUT)) {
        options->given |= NKV_TAKES(NKV_OPTION_TIMEOUT);
        options->timeout_ms = shell->timeout_ms;
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (inherits(options, shell, takes, flags[i])) {
            options->given |= NKV_TAKES(flags[i]);
        }
    }
}

const char *nkv_option_name(enum nkv_option option)
{
    return descriptions[option].name;
}

void nkv_options_print(uint64_t set)
{
    for (int i = 0; i < NKV_OPTION_COUNT; i++) {
        const struct description *it = &descriptions[i];
        char name[40];

        if ((set & NKV_TAKES(i)) == 0) {
            continue;
        }
        snprintf(name, sizeof name, "%s%s%s", it->name,
                 it->value != NULL ? " " : "",
                 it->value != NULL ? it->value : "");
        if (it->letter != 0) {
            printf("  -%c, --%-20s %s\n", it->letter, name, it->text);
        } else {
            printf("      --%-20s %s\n", name, it->text);
        }
    }
}
