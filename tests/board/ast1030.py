"""The ast1030's firmware on the chips that QEMU has for it: ast1030.py NORKV"""
import signal
import struct
import time

import support
from support import member, norkv, qemu_board

# What the firmware is to work with; all differ in size, table or addressing.
CHIPS = ("w25q80bl", "w25q256", "mx25l25635e", "is25lp080d", "n25q032a13")
STORE_SIZE = qemu_board.Ast1030.store_size
MIB = 1 << 20


class Board(support.BoardTest):
    board = "ast1030"

    def expect_clean(self, machine):
        stats = norkv(machine.port, "stats")
        for name in ("read errors", "program errors", "erase errors",
                     "corrupt entries found", "receive overruns"):
            self.assertEqual(member(stats, name), "0", name)
        self.assertEqual(machine.guest_errors(), "")

    def kill(self, machine):
        """The store as a power cut leaves it."""
        machine.process.send_signal(signal.SIGKILL)
        machine.process.wait()
        return machine.board.file.read_bytes()


class Chips(Board):
    def check(self, chip):
        machine = self.running(chip=chip)
        start = machine.board.start
        norkv(machine.port, "put", "serial", "NK-17")
        norkv(machine.port, "put", "lost", "1")
        norkv(machine.port, "del", "lost")
        self.expect_clean(machine)
        flash = self.kill(machine)
        # It wrote at the chip's end and nowhere else.
        self.assertEqual(flash[:start], qemu_board.ERASED * start)
        self.assertIn(b"NK-17", flash[start:])
        again = self.running(chip=chip, image=flash[start:])
        self.assertEqual(norkv(again.port, "ls"), "serial\n")
        self.assertEqual(norkv(again.port, "get", "serial"), "NK-17")
        # Only the processor: the chip stays in the mode that it is in.
        again.qmp.command("system_reset")
        again.wait_answer()
        self.assertEqual(norkv(again.port, "get", "serial"), "NK-17")
        self.expect_clean(again)
        again.close()

    def test_values_survive_a_kill_and_a_reset_on_every_chip(self):
        for chip in CHIPS:
            with self.subTest(chip=chip):
                self.check(chip)

    def test_the_store_lies_above_16_mib_where_there_is_so_much(self):
        machine = self.running(chip="w25q256")
        self.assertGreater(machine.board.start, 16 * MIB)
        text = "x" * 3000
        norkv(machine.port, "put", "far", text)
        self.assertEqual(norkv(machine.port, "get", "far"), text)
        self.expect_clean(machine)
        self.assertIn(text.encode(), machine.read_store())

    def test_a_chip_that_is_not_there_is_named(self):
        with self.assertRaisesRegex(qemu_board.QemuError, "no chip 'at45'"):
            qemu_board.Machine("ast1030", chip="at45")
        with self.assertRaisesRegex(qemu_board.QemuError, "own flash"):
            qemu_board.Machine("microbit", elf=qemu_board.firmware_of("ast1030"),
                               chip="w25q256")


class Store(Board):
    def test_rounds_of_collection(self):
        machine = self.running(chip="n25q032a13")
        script = "".join(f"put key-{i % 9} {i:03500}\n" for i in range(130))
        norkv(machine.port, "sh", text=script)
        stats = norkv(machine.port, "stats")
        self.assertGreater(int(member(stats, "erases")), 64)
        for i in range(9):
            newest = max(range(i, 130, 9))
            self.assertEqual(norkv(machine.port, "get", f"key-{i}"),
                             f"{newest:03500}")
        self.expect_clean(machine)


class Faults(Board):
    """Chips that the firmware cannot use: it runs, says so, and changes
    nothing."""
    CASES = {
        "at25128a-nonjedec": ("NO_FLASH", "no flash chip answers"),
        "sst25vf032b": ("WRONG_FLASH", "BF254A"),
        "at25df321a": ("WRONG_FLASH", "1F4701"),
        "w25x10": ("FLASH_TOO_SMALL", "131072"),
    }

    def check(self, chip, fault, detail):
        image = bytes(range(256)) * (STORE_SIZE // 256)
        machine = self.running(chip=chip, image=image)
        before = machine.board.file.read_bytes()
        for command in ("info", "stats"):
            told = norkv(machine.port, "--json", command)
            self.assertIn(f'"{fault}"', told)
            text = norkv(machine.port, command)
            self.assertIn(detail.lower(), text.lower())
        unit_id = member(norkv(machine.port, "info"), "unit id")
        for command in (("put", "k", "v"), ("del", "k"), ("get", "k"),
                        ("collect", "heavy"),
                        ("erase-all", "--unit-id", unit_id)):
            with self.assertRaisesRegex(AssertionError, "FAILED_PRECONDITION"):
                norkv(machine.port, *command)
        norkv(machine.port, "echo", "--count", "1")
        self.assertEqual(machine.guest_errors(), "")
        self.assertEqual(self.kill(machine), before)
        machine.close()

    def test_a_flash_that_cannot_be_used_is_named_and_left_alone(self):
        for chip, (fault, detail) in self.CASES.items():
            with self.subTest(chip=chip):
                self.check(chip, fault, detail)


class Processor(Board, support.EveryBoard):
    def test_each_start_has_another_boot_id(self):
        ids = {member(norkv(self.running().port, "info"), "boot id")
               for _ in range(3)}
        self.assertEqual(len(ids), 3)

    def test_its_clock_goes_by_milliseconds(self):
        machine = self.running()

        def up_ms():
            return int(member(norkv(machine.port, "stats"), "up for, ms"))

        # Each is told at some moment between two looks at the host's clock.
        before_first = time.monotonic()
        first_ms = up_ms()
        after_first = time.monotonic()
        time.sleep(1)
        before_second = time.monotonic()
        passed_ms = up_ms() - first_ms
        after_second = time.monotonic()
        self.assertGreaterEqual(passed_ms + 2,
                                1000 * (before_second - after_first))
        self.assertLessEqual(passed_ms - 2,
                             1000 * (after_second - before_first))

    def test_most_of_the_stack_is_never_used(self):
        machine = self.running()
        script = "".join(f"put key-{i % 9} {i:03500}\n" for i in range(90))
        norkv(machine.port, "sh", text=script + "del key-0\nls\n")
        norkv(machine.port, "collect", "heavy")
        norkv(machine.port, "verify")
        bottom = machine.elf.symbol("nkv_stack_bottom")
        top = machine.elf.symbol("nkv_stack_top")
        words = struct.unpack(f"<{(top - bottom) // 4}I",
                              machine.save_memory(bottom, top - bottom))
        unused = next(i for i, word in enumerate(words) if word != 0x53544B21)
        used = top - bottom - 4 * unused
        print(f"stack used: {used} of {top - bottom} bytes")
        self.assertLess(used, (top - bottom) // 2)


if __name__ == "__main__":
    support.main("ast1030")
