/* What norkv-sim says of itself. */
#ifndef NORKV_SIM_HELP_H
#define NORKV_SIM_HELP_H

/* Print on standard output, and return the exit code: NKV_SIM_FAILED when it
 * did not take all. */
int nkv_sim_print_help(void);
int nkv_sim_print_version(void);

#endif
