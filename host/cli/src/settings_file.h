/* The settings that apply writes, from the CSV file and the files it names. */
#ifndef NORKV_CLI_SETTINGS_FILE_H
#define NORKV_CLI_SETTINGS_FILE_H

#include "options.h"
#include "report.h"

#include <settings.h>

/*
 * Reads a CSV file, or standard input if path is "-", and the values that are
 * in files of their own, whose paths are relative to the CSV file's folder.
 *
 * NKV_EXIT_DONE: all values are there; free settings. Otherwise the error was
 * reported and settings are empty.
 */
enum nkv_exit nkv_settings_load(const struct nkv_options *options,
                                const char *path,
                                struct nkv_settings *settings);

#endif
