#include "help.h"
#include "report.h"

#include <norkv/geometry.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char introduction[] =
    "usage: norkv-sim --flash FILE (--pty [--link PATH] | --tcp HOST:PORT)...\n"
    "                 [OPTION]...\n"
    "\n"
    "A simulated norkv device: the real server and store, over a NOR flash "
    "kept in\n"
    "FILE. SIGTERM and SIGINT end it cleanly; SIGKILL is a power cut.\n"
    "\n"
    "Flash (the defaults are in parentheses):\n"
    "  --flash FILE          the partition; created erased when absent, and\n"
    "                        else of sectors x sector size bytes. Programming\n"
    "                        what is not erased is refused and counted\n"
    "  --store NAME=FILE     one more store of this name, on a flash of its "
    "own\n"
    "                        with the same geometry; the one of --flash is "
    "store\n"
    "                        0, main; up to 7 more\n";

static const char lines[] =
    "\n"
    "Lines; for each, 'listening on PORT' is printed, PORT being what\n"
    "norkv --port takes:\n"
    "  --pty                 a pseudo terminal\n"
    "  --link PATH           a symbolic link to it; replaces an old link, and "
    "is\n"
    "                        removed at the end\n"
    "  --tcp HOST:PORT       a TCP port for one client at a time, any other "
    "is\n"
    "                        sent away; PORT alone is at 127.0.0.1, port 0\n"
    "                        picks a free one, [HOST] is an IPv6 address\n"
    "  --baud RATE           paces the lines both ways, ten bits a byte\n"
    "\n"
    "Device:\n"
    "  --max-frame BYTES     largest frame taken, address to CRC (2048)\n"
    "  --rx-window BYTES     what may be unanswered in all, --max-frame or "
    "more\n"
    "                        (4095, or --max-frame if that is more)\n"
    "  --unit-id ID          what the device calls itself (norkv-sim)\n";

static const char cuts[] =
    "\n"
    "Power:\n"
    "  --cut-at N[:VARIANT]  the power goes at the Nth operation from the "
    "start,\n"
    "                        mounting included; each program unit and each\n"
    "                        erase is one. VARIANT is what that one leaves:\n"
    "    untouched           nothing of it is done\n"
    "    torn                a unit: some of its first bytes, and some bits "
    "of\n"
    "                        the next; a sector: arbitrary bits (the "
    "default);\n"
    "                        the same N tears in the same way\n"
    "    half                a unit: its first half (of one byte the low four\n"
    "                        bits); a sector: its first half is erased\n"
    "    whole               it is done, but not acknowledged\n"
    "\n"
    "Faults:\n"
    "  --fault FAULT[:DETAIL]\n"
    "                        the flash of --flash is not what it should be; "
    "its\n"
    "                        file is left alone. FAULT is no-flash, "
    "wrong-flash,\n"
    "                        flash-too-small, flash-protected, self-test or\n"
    "                        flash-error, DETAIL the number told with it\n"
    "\n"
    "  --help                print this\n"
    "  --version             print the version\n"
    "\n"
    "Exit codes: 0 ended by SIGTERM or SIGINT, 1 failed, 2 wrong usage,\n"
    "9 the power cut of --cut-at.\n";

/* Did standard output take it all? */
static int finish(void)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return NKV_SIM_DONE;
    nkv_sim_say("cannot write to standard output: %s", strerror(errno));
    return NKV_SIM_FAILED;
}

int nkv_sim_print_help(void)
{
    (void)fputs(introduction, stdout);
    (void)fputs(nkv_geometry_help(), stdout);
    (void)fputs(lines, stdout);
    (void)fputs(cuts, stdout);
    return finish();
}

int nkv_sim_print_version(void)
{
    (void)puts("norkv-sim " NKV_VERSION);
    return finish();
}
