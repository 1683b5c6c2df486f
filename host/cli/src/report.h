/* Exit codes, and the one line that says why a command failed. */
#ifndef NORKV_CLI_REPORT_H
#define NORKV_CLI_REPORT_H

enum nkv_exit {
    NKV_EXIT_DONE = 0,
    NKV_EXIT_FAILED = 1,
    NKV_EXIT_USAGE = 2,
    NKV_EXIT_KEY_NOT_FOUND = 3,
    /* Of diff, as other programs of that name have it. */
    NKV_EXIT_DIFFERENT = 1,
    NKV_EXIT_TROUBLE = 2
};

/*
 * Writes "norkv: " and one line to standard error: what, where, what to do.
 * Control characters in it are replaced. Returns code.
 */
enum nkv_exit nkv_fail(enum nkv_exit code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* nkv_fail for memory that ran out. */
enum nkv_exit nkv_fail_for_memory(void);

#endif
