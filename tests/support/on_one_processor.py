#!/usr/bin/env python3
"""Runs a command, and all that it starts, on one processor: on_one_processor.py
FOLDER COMMAND...

Programs that take turns with every few bytes wake each other each time. On two
processors that costs up to twice as much as on one, and goes no faster. It is one
that no other command has that was run by this with the same FOLDER, as long as
there is such a one."""
import fcntl
import os
import sys


def lock(folder, processor):
    """Takes it until this process has ended; false: another has it."""
    fd = os.open(f"{folder}/processor-{processor}", os.O_RDWR | os.O_CREAT,
                 0o666)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return False
    os.set_inheritable(fd, True)
    return True


def main():
    folder, *command = sys.argv[1:]
    there = sorted(os.sched_getaffinity(0))
    free = (one for one in there if lock(folder, one))
    os.sched_setaffinity(0, {next(free, there[os.getpid() % len(there)])})
    os.execvp(command[0], command)


main()
