/* How the simulator ends, and what it tells on standard error. */
#ifndef NORKV_SIM_REPORT_H
#define NORKV_SIM_REPORT_H

/* Exit codes. */
enum {
    NKV_SIM_DONE = 0,
    NKV_SIM_FAILED = 1,
    NKV_SIM_USAGE = 2,
    /* The power cut that --cut-at asked for. */
    NKV_SIM_POWER_CUT = 9
};

/* Writes "norkv-sim: ", the text, and a newline at once; control characters
 * become '?', and a text too long is cut. */
void nkv_sim_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
