"""The self-test of each board's flash driver, by scripts/run-selftest: what it
tells, and what it leaves alone. What it finds of broken drivers is tested on the
host (tests/ports/test_selftest.c).

selftest.py BOARD NORKV
"""
import subprocess
import sys
import unittest

import support
from support import ROOT, qemu_board

BOARD = sys.argv.pop(1)
CHECKS = ["geometry", "blank", "units", "pieces", "reads", "erase", "others",
          "clock"]


def firmware():
    return qemu_board.firmware_of(BOARD).with_name("selftest.elf")


def tell(machine):
    """What the firmware tells, up to its last line."""
    lines = []
    with machine.connect_line() as line:
        machine.go()
        with line.makefile("r", newline="\r\n") as texts:
            for text in texts:
                lines.append(text.rstrip())
                if lines[-1].startswith(("selftest: all", "selftest: FAILED")):
                    break
    return lines


class SelfTest(unittest.TestCase):
    def run_on(self, image):
        """What it tells on a store, and what is in the store afterwards."""
        with qemu_board.Machine(BOARD, image, firmware(), "unix") as machine:
            lines = tell(machine)
            store = machine.read_store()
            self.assertEqual(machine.guest_errors(), "")
        return lines, store

    def test_an_erased_store_passes_all_checks(self):
        done = subprocess.run([ROOT / "scripts/run-selftest", BOARD], text=True,
                              capture_output=True, check=False,
                              timeout=support.PATIENCE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        told = [line.split()[1:3] for line in done.stdout.splitlines()]
        self.assertEqual(told[1:-1], [[check, "passed,"] for check in CHECKS])

    def test_what_is_in_other_sectors_stays(self):
        size = support.store_size(BOARD)
        image = (bytes(range(251)) * size)[:size // 2]
        image += b"\xff" * (size - len(image))
        lines, store = self.run_on(image)
        self.assertEqual(lines[-1], "selftest: all passed")
        self.assertEqual(store, image)

    def test_a_store_without_an_empty_sector_is_left_alone(self):
        image = b"\xa5" * support.store_size(BOARD)
        lines, store = self.run_on(image)
        self.assertEqual(lines, [
            "selftest: FAILED: no sector reads FF throughout; erase one"])
        self.assertEqual(store, image)


support.main(BOARD)
