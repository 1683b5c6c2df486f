/* The settings that apply writes, from a CSV or JSON file and the files it
 * names. */
#ifndef NORKV_CLI_SETTINGS_FILE_H
#define NORKV_CLI_SETTINGS_FILE_H

#include "options.h"
#include "report.h"

#include <settings.h>

/*
 * Reads a file, or standard input if path is "-", and the values that are in
 * files of their own, whose paths are relative to that file's folder. It is
 * JSON where --type or else its suffix says so, otherwise CSV.
 *
 * NKV_EXIT_DONE: all values are there; free settings. Otherwise the error was
 * reported and settings are empty.
 */
enum nkv_exit nkv_settings_load(const struct nkv_options *options,
                                const char *path,
                                struct nkv_settings *settings);

#endif
