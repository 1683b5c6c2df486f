#include "command.h"

#include "suggest.h"

#include <string.h>

#define KEYED                                                                  \
    (NKV_TAKES_COMMON | NKV_TAKES_DEVICE | NKV_TAKES(NKV_OPTION_KEY_HEX))
#define UNKEYED (NKV_TAKES_COMMON | NKV_TAKES_DEVICE)
#define IMAGE                                                                  \
    (NKV_TAKES_COMMON | NKV_TAKES_GEOMETRY | NKV_TAKES(NKV_OPTION_JSON))
#define IMAGE_KEYED (IMAGE | NKV_TAKES(NKV_OPTION_KEY_HEX))
#define VALUE (NKV_TAKES(NKV_OPTION_FILE) | NKV_TAKES(NKV_OPTION_HEX))

static const char value_details[] =
    "The value is VALUE as it stands, the bytes of file F, bytes given in "
    "hex,\n"
    "or with - what comes in from standard input. A VALUE that begins with -\n"
    "goes behind --. Storing the value that is there already writes nothing.\n";

static const char reading_details[] =
    "The file is not changed: what a power cut left is repaired in memory; "
    "with\n"
    "--no-repair it is not, and the bare scan is shown.\n";

const struct nkv_command nkv_commands[] = {
    {"ports", "list the serial ports", "",
     "Names what --port takes, with the USB vendor, product and serial number\n"
     "of adapters.\n",
     0, 0, NKV_TAKES_COMMON | NKV_TAKES(NKV_OPTION_JSON), nkv_run_ports},
    {"info", "who the device is, and what it takes", "",
     "Shows product, unit id, firmware, limits and stores.\n", 0, 0,
     UNKEYED & ~NKV_TAKES(NKV_OPTION_STORE), nkv_run_info},
    {"get", "read a value", "KEY [-o FILE]",
     "Writes the bare bytes of the value, no newline added. With --json an\n"
     "object: key (where it is printable), key_hex, value_hex, text (where "
     "the\n"
     "value is UTF-8), version, size.\n",
     1, 1, KEYED | NKV_TAKES(NKV_OPTION_OUTPUT), nkv_run_get},
    {"put", "store a value",
     "KEY VALUE | KEY --file F | KEY --hex BYTES | KEY -", value_details, 1, 2,
     KEYED | VALUE, nkv_run_put},
    {"del", "remove a key", "KEY",
     "A key that is not there gives exit code 3.\n", 1, 1, KEYED, nkv_run_del},
    {"ls", "list the keys", "[PREFIX] [-l]",
     "Lists the keys that start with PREFIX, or all, sorted by their bytes.\n"
     "Keys that are not printable UTF-8 are shown as hex:... With -l each "
     "line\n"
     "has version, size of the value and key.\n",
     0, 1, KEYED | NKV_TAKES(NKV_OPTION_LONG), nkv_run_ls},
    {"stats", "what the store holds and what happened to it", "",
     "Shows keys, bytes, sectors, room, and the counters of the store and the\n"
     "line.\n",
     0, 0, UNKEYED, nkv_run_stats},
    {"sectors", "what each sector of the flash holds", "",
     "Shows number, state (erased, open, full, damaged, retired), used and "
     "live\n"
     "bytes, erases since the store was mounted, and age: writes since the "
     "last\n"
     "one to it.\n",
     0, 0, UNKEYED, nkv_run_sectors},
    {"verify", "look for damage on the flash", "",
     "The device reads and verifies everything, a sector at a time, and "
     "changes\n"
     "nothing. Each damaged place is a line, in the words of 'image check'. "
     "Exit\n"
     "code 1 means that something intact is gone, or foreign, or that the "
     "store\n"
     "did not mount whole and knows a part of what is there.\n",
     0, 0, UNKEYED, nkv_run_verify},
    {"collect", "collect garbage now", "[partial|full|heavy]",
     "partial (the default) frees the sector that gains most, full does what\n"
     "the store needs and repairs damage, heavy frees all that can be freed.\n",
     0, 1, UNKEYED, nkv_run_collect},
    {"erase-all", "remove all keys", "--unit-id ID",
     "ID is the device's own, so that nobody wipes the wrong board.\n", 0, 0,
     UNKEYED | NKV_TAKES(NKV_OPTION_UNIT_ID), nkv_run_erase_all},
    {"apply", "write the settings of a CSV or JSON file",
     "FILE [--type csv|json] [--dry-run]",
     "CSV: the first line names the columns: key, encoding (text, hex or "
     "file)\n"
     "and value; others are notes. A last line without its newline counts as\n"
     "cut. JSON: an array of objects, each with key and one of text, hex and\n"
     "file. Paths are relative to the file's folder. The whole file is "
     "checked,\n"
     "against the device's limits too, before anything is written. FILE may be "
     "-.\n",
     1, 1, KEYED | NKV_TAKES(NKV_OPTION_DRY_RUN) | NKV_TAKES(NKV_OPTION_TYPE),
     nkv_run_apply},
    {"backup", "save all records in a file", "[-o FILE] [PREFIX]",
     "Writes the records whose keys start with PREFIX, or all, to FILE or to\n"
     "standard output, whole or not at all: JSON, a record a line. They are\n"
     "compared with the device's own digest, and read again when somebody\n"
     "wrote meanwhile. If entries are damaged, the others are written, and "
     "the\n"
     "exit code is 1.\n",
     0, 1, KEYED | NKV_TAKES(NKV_OPTION_OUTPUT), nkv_run_backup},
    {"diff", "compare the device with a backup", "FILE [PREFIX]",
     "Shows - before a key that only the file has, + before one that only the\n"
     "device has, ~ before one whose value differs. Only keys that start with\n"
     "PREFIX, or with that of the backup. When the digests agree, nothing is\n"
     "read. Exit code 0: the same, 1: different, 2: trouble. FILE may be -.\n",
     1, 2, KEYED, nkv_run_diff},
    {"restore", "put the records of a backup",
     "FILE [--dry-run] [--replace] [--force]",
     "The whole file is checked, against what the device holds and takes too,\n"
     "before anything is written; --dry-run shows what would be. With "
     "--replace\n"
     "keys that are not in the file, but have its prefix, are deleted first. "
     "A\n"
     "file of another product or unit id is refused without --force. In the "
     "end\n"
     "the device's digest is compared. FILE may be -.\n",
     1, 1,
     UNKEYED | NKV_TAKES(NKV_OPTION_DRY_RUN) | NKV_TAKES(NKV_OPTION_REPLACE) |
         NKV_TAKES(NKV_OPTION_FORCE),
     nkv_run_restore},
    {"log", "show what the device says besides", "[--count N] [--timestamps]",
     "Shows the device's logs, boot messages and other text between frames as\n"
     "they come, until Ctrl-C, --timeout or --count lines. Nothing is sent.\n"
     "What a terminal would not show stands as \\xNN.\n",
     0, 0,
     (UNKEYED & ~NKV_TAKES(NKV_OPTION_STORE)) | NKV_TAKES(NKV_OPTION_COUNT_OF) |
         NKV_TAKES(NKV_OPTION_TIMESTAMPS),
     nkv_run_log},
    {"call", "call any method of any pw_rpc server",
     "SERVICE/METHOD [--hex BYTES | --file F | -] [-o FILE]",
     "The request is a message's bytes, or empty. Each message of a stream is "
     "a\n"
     "line of hex digits, and so is the response, unless it is empty; -o\n"
     "writes the response's bare bytes. The request is sent once.\n",
     1, 2,
     (UNKEYED & ~NKV_TAKES(NKV_OPTION_STORE)) | VALUE |
         NKV_TAKES(NKV_OPTION_OUTPUT),
     nkv_run_call},
    {"echo", "test the line", "[--count N] [--size BYTES] [--interval TIME]",
     "Has the device send back texts, one after the other and none of them\n"
     "twice: how many got lost, how long they took, bytes a second, and bad\n"
     "frames at both ends. Exit code 1 if any got lost. --count is 20 unless\n"
     "given; Ctrl-C ends the test with its result.\n",
     0, 0,
     (UNKEYED & ~NKV_TAKES(NKV_OPTION_STORE)) | NKV_TAKES(NKV_OPTION_COUNT_OF) |
         NKV_TAKES(NKV_OPTION_SIZE) | NKV_TAKES(NKV_OPTION_INTERVAL),
     nkv_run_echo},
    {"image", "work on a flash file or dump", "COMMAND FILE ...",
     "See 'norkv help image'.\n", 0, 0, NKV_TAKES_COMMON, NULL},
    {"sh", "run commands one after another", "",
     "Opens the port once and reads commands as on the command line, without\n"
     "norkv in front: from a terminal with history and completion, else from\n"
     "standard input up to the first that fails, whose exit code it gives.\n"
     "Options of sh are for all commands. 'exit' or Ctrl-D ends it.\n",
     0, 0, KEYED, nkv_run_sh},
    {"help", "explain a command", "[COMMAND]",
     "Explains norkv, a command, or a command of image.\n", 0, 2,
     NKV_TAKES_COMMON, nkv_run_help},
    {0},
};

const struct nkv_command nkv_image_commands[] = {
    {"image create", "make an erased flash file", "FILE [--force]",
     "The file has --sectors times --sector-size bytes. One that is there\n"
     "stays, but with --force it is replaced.\n",
     1, 1, IMAGE | NKV_TAKES(NKV_OPTION_FORCE), nkv_run_image_create},
    {"image get", "read a value", "FILE KEY [-o FILE]", reading_details, 2, 2,
     IMAGE_KEYED | NKV_TAKES(NKV_OPTION_OUTPUT) |
         NKV_TAKES(NKV_OPTION_NO_REPAIR),
     nkv_run_image_get},
    {"image put", "store a value",
     "FILE KEY VALUE | FILE KEY --file F | FILE KEY --hex BYTES | FILE KEY -",
     value_details, 2, 3, IMAGE_KEYED | VALUE, nkv_run_image_put},
    {"image del", "remove a key", "FILE KEY",
     "A key that is not there gives exit code 3.\n", 2, 2, IMAGE_KEYED,
     nkv_run_image_del},
    {"image ls", "list the keys", "FILE [PREFIX] [-l]", reading_details, 1, 2,
     IMAGE_KEYED | NKV_TAKES(NKV_OPTION_LONG) | NKV_TAKES(NKV_OPTION_NO_REPAIR),
     nkv_run_image_ls},
    {"image dump", "show all keys and values", "FILE", reading_details, 1, 1,
     IMAGE | NKV_TAKES(NKV_OPTION_NO_REPAIR), nkv_run_image_dump},
    {"image check", "look for damage", "FILE",
     "Shows what the bare scan says, what mounting says once it repaired, the\n"
     "bytes that are live, stale, corrupt and free, and each damaged place.\n"
     "Exit code 1 means that something intact is gone, or foreign, or that "
     "the\n"
     "store does not mount whole; an entry whose writing was interrupted is "
     "no\n"
     "loss.\n",
     1, 1, IMAGE, nkv_run_image_check},
    {"image exec", "run a script of operations", "FILE SCRIPT",
     "SCRIPT, or - for standard input, has lines\n"
     "    put KEYHEX VALUEHEX\n"
     "    del KEYHEX\n"
     "    get KEYHEX\n"
     "    maintain partial|full|heavy\n"
     "    remount\n"
     "with - for an empty string; empty lines and those that begin with # are\n"
     "skipped. Prints what mounting says, then the status of each line, and "
     "for\n"
     "get 'OK 7631', or 'OK -' when empty. The file is replaced once, at the\n"
     "end. Exit code 0 if the script was well formed.\n",
     2, 2, IMAGE | NKV_TAKES(NKV_OPTION_NO_REPAIR), nkv_run_image_exec},
    {0},
};

/* Commands of image are found by their second word. */
static const char *last_word(const char *name)
{
    const char *blank = strchr(name, ' ');

    return blank != NULL ? blank + 1 : name;
}

const struct nkv_command *nkv_find_command(const struct nkv_command *table,
                                           const char *name)
{
    for (; table->name != NULL; table++) {
        if (strcmp(last_word(table->name), name) == 0) {
            return table;
        }
    }
    return NULL;
}

enum nkv_exit nkv_fail_unknown_command(const struct nkv_command *table,
                                       const char *name)
{
    const char *group = table == nkv_image_commands ? " image" : "";

    for (; table->name != NULL; table++) {
        if (nkv_is_like(name, last_word(table->name))) {
            return nkv_fail(NKV_EXIT_USAGE,
                            "unknown command '%.80s': did you mean 'norkv %s'?",
                            name, table->name);
        }
    }
    return nkv_fail(NKV_EXIT_USAGE,
                    "unknown command '%.80s': 'norkv help%s' lists them", name,
                    group);
}
