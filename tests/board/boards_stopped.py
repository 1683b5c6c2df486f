"""How each board is stopped before flash operations, and what its flash holds
then.

QEMU 7.2 stops a Cortex-M *before* the access that a watchpoint is on; to go on,
the watchpoints are taken away for one step.
"""
import os

import qemu_board

WRITE = qemu_board.Gdb.WRITE


class Stopped:
    """A machine with its debugger, and its line as a socket that has each byte
    as soon as the UART has sent it."""

    def __init__(self, machine):
        self.machine, self.gdb = machine, machine.gdb
        self.line = machine.connect_line()
        self.points = []

    def watch(self, points):
        if points == self.points:
            return
        for point in self.points:
            self.gdb.clear_point(WRITE, *point)
        for point in points:
            self.gdb.set_point(WRITE, *point)
        self.points = points

    def step(self):
        """One instruction, watched or not."""
        points = self.points
        self.watch([])
        self.gdb.step()
        self.watch(points)

    def close(self):
        self.line.close()

    def is_at_operation(self, reason):
        return "watch" in reason


class Microbit(Stopped):
    """Each word that is programmed is a store to the flash itself; each page
    that is erased one to the NVMC's ERASEPAGE (nRF51 Series Reference Manual
    v3.0, NVMC)."""
    ERASEPAGE = (0x4001E508, 4)
    # As QEMU's flash is at first; then the store begins by erasing all of it.
    NEW_FLASH = bytes(16 * 1024)
    VALUE_MAX = 200

    def __init__(self, machine):
        super().__init__(machine)
        self.store = (machine.board.store_start, machine.board.store_size)
        self.known = None
        self.watch([self.ERASEPAGE])

    def watch_programs(self, on):
        """Erases are watched always: there are not many."""
        points = [self.ERASEPAGE] + ([self.store] if on else [])
        if points != self.points:
            self.known = None
        self.watch(points)

    def images_around_operation(self):
        before = self.known or self.machine.read_store()
        self.step()
        after = self.machine.read_store()
        # What comes next begins from there, if nothing runs unseen.
        self.known = after if self.store in self.points else None
        return before, after


class Ast1030(Stopped):
    """Each command to the chip begins and ends with a store to the flash
    controller's CTRL0. When it has stopped, QEMU has written all that the chip
    holds to its file; so where that differs from the last stop, a page program
    or an erase lies in between."""
    CTRL0 = (0x7E620010, 4)
    NEW_FLASH = None
    VALUE_MAX = 1500

    def __init__(self, machine):
        super().__init__(machine)
        self.file = open(machine.board.file, "rb")
        self.known = None

    def watch_programs(self, on):
        points = [self.CTRL0] if on else []
        if points != self.points:
            self.known = None
        self.watch(points)

    def images_around_operation(self):
        now = os.pread(self.file.fileno(), self.machine.board.store_size,
                       self.machine.board.start)
        before = self.known or now
        self.known = now
        self.step()
        return before, now

    def close(self):
        super().close()
        self.file.close()


BOARDS = {"microbit": Microbit, "ast1030": Ast1030}
