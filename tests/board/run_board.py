"""scripts/run-board with the micro:bit's firmware, and what all boards' main
loop has: run_board.py NORKV"""
import os
import signal
import subprocess
import sys

import support
from support import Runner, is_running, member, norkv, wait_until

STORE_SIZE = 16 * 1024


class RunBoard(support.BoardTest):
    def run_board(self, *arguments):
        runner = Runner("microbit", *arguments)
        self.addCleanup(runner.process.kill)
        return runner

    def expect_stopped(self, runner, number=signal.SIGTERM):
        qemu = runner.qemu()
        self.assertEqual(runner.stop(number), (0, ""))
        self.assertFalse(is_running(qemu))

    def test_values_survive_a_restart_with_an_image(self):
        for port in ("pty", "tcp"):
            with self.subTest(port=port):
                self.image.unlink(missing_ok=True)
                first = self.run_board("--port", port, "--image", self.image)
                norkv(first.port, "put", "serial", "NK-17")
                norkv(first.port, "put", "lost", "1")
                norkv(first.port, "del", "lost")
                self.expect_stopped(first)
                self.assertEqual(self.image.stat().st_size, STORE_SIZE)
                again = self.run_board("--port", port, "--image", self.image)
                self.assertEqual(norkv(again.port, "ls"), "serial\n")
                self.assertEqual(norkv(again.port, "get", "serial"), "NK-17")
                self.expect_stopped(again, signal.SIGINT)

    def test_without_an_image_the_store_is_erased(self):
        runner = self.run_board("--port", "tcp")
        self.assertEqual(norkv(runner.port, "ls"), "")
        stats = norkv(runner.port, "stats")
        self.assertEqual(member(stats, "free bytes"), str(STORE_SIZE))
        self.assertTrue(stats.endswith("mounted with OK\n"), stats)
        self.expect_stopped(runner)

    def test_a_part_that_is_deaf_while_it_erases_takes_one_frame_at_a_time(self):
        runner = self.run_board("--port", "tcp")
        info = norkv(runner.port, "info")
        self.assertEqual(member(info, "receive window, bytes"),
                         member(info, "largest frame, bytes"))
        self.expect_stopped(runner)

    def test_each_start_has_another_boot_id_and_the_same_unit_id(self):
        ids = []
        for _ in range(2):
            runner = self.run_board("--port", "tcp")
            info = norkv(runner.port, "info")
            ids.append((member(info, "boot id"), member(info, "unit id")))
            self.expect_stopped(runner)
        self.assertNotEqual(ids[0][0], ids[1][0])
        self.assertEqual(ids[0][1], ids[1][1])
        self.assertRegex(ids[0][1], "^[0-9a-f]{16}$")

    def test_an_image_of_another_size_is_refused_and_left_alone(self):
        self.image.write_bytes(b"short")
        with self.assertRaisesRegex(AssertionError, "has 5 bytes.*has 16384"):
            self.run_board("--image", self.image)
        self.assertEqual(self.image.read_bytes(), b"short")

    def test_an_image_that_could_not_be_written_is_refused_at_once(self):
        with self.assertRaisesRegex(AssertionError, "no file can be written"):
            self.run_board("--image", self.folder / "none" / "store.img")
        with self.assertRaisesRegex(AssertionError, "is a folder"):
            self.run_board("--image", self.folder)

    def test_a_port_that_cannot_be_told_ends_it(self):
        command = f'"$0" "{support.ROOT}/scripts/run-board" microbit --image "$1"'
        for output, why in ((">/dev/full", "No space left"),
                            (">&-", "Bad file descriptor")):
            with self.subTest(output=output):
                done = subprocess.run(
                    ["sh", "-c", f"{command} {output}", sys.executable,
                     self.image], stderr=subprocess.PIPE, text=True,
                    timeout=support.PATIENCE_S, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(
                    done.stderr, "^run-board: cannot write to standard output: "
                                 f"{why}.*\n$")
                self.assertFalse(self.image.exists())

    def test_a_firmware_that_is_not_there_names_what_builds_it(self):
        with self.assertRaisesRegex(AssertionError, "cmake --preset microbit"):
            self.run_board("--elf", self.folder / "none.elf")

    def test_a_file_that_is_no_firmware_is_refused(self):
        self.image.write_bytes(b"\x7fELF")
        with self.assertRaisesRegex(AssertionError, "no ELF file"):
            self.run_board("--elf", self.image)

    def test_it_fails_when_qemu_ends_by_itself(self):
        runner = self.run_board("--port", "tcp", "--image", self.image)
        os.kill(runner.qemu(), signal.SIGKILL)
        code, error = runner.finish()
        self.assertEqual(code, 1)
        self.assertIn("QEMU ended by itself", error)
        self.assertFalse(self.image.exists())

    def test_qemu_ends_with_a_run_board_that_is_killed(self):
        runner = self.run_board("--port", "tcp")
        qemu = runner.qemu()
        runner.process.kill()
        runner.finish()
        wait_until(lambda: not is_running(qemu), "QEMU ends")


class MainLoop(support.BoardTest, support.EveryBoard):
    board = "microbit"

    def test_a_reset_keeps_the_store_and_answers_again(self):
        machine = self.running()
        norkv(machine.port, "put", "k", "v")
        before = member(norkv(machine.port, "info"), "boot id")
        machine.qmp.command("system_reset")
        machine.wait_answer()
        self.assertEqual(norkv(machine.port, "get", "k"), "v")
        self.assertNotEqual(member(norkv(machine.port, "info"), "boot id"),
                            before)
        self.assertEqual(machine.guest_errors(), "")

    def test_a_fault_resets(self):
        machine = self.machine()
        gdb = machine.gdb
        main = machine.elf.symbol("main") & ~1
        start = machine.elf.symbol("nkv_start") & ~1
        gdb.set_point(gdb.BREAKPOINT, main, 2)
        gdb.go_on()
        gdb.wait_stop()
        self.assertEqual(gdb.read_register(15), main)
        # Where no memory is; the start is the next thing to happen.
        gdb.set_point(gdb.BREAKPOINT, start, 2)
        gdb.write_register(15, 0x60000000)
        gdb.go_on()
        self.assertIsNotNone(gdb.wait_stop())
        self.assertEqual(gdb.read_register(15), start)

    def test_a_chip_with_less_flash_is_told_and_not_touched(self):
        image = bytes(range(256)) * (STORE_SIZE // 256)
        machine = self.machine(image=image)
        gdb = machine.gdb
        size = machine.elf.symbol("nkv_nrf51_flash_size") & ~1
        gdb.set_point(gdb.BREAKPOINT, size, 2)
        # Each of its calls returns that of a chip of the half size at once.
        for _ in range(2):
            gdb.go_on()
            self.assertIsNotNone(gdb.wait_stop())
            gdb.write_register(0, 128 * 1024)
            gdb.write_register(15, gdb.read_register(14) & ~1)
        gdb.clear_point(gdb.BREAKPOINT, size, 2)
        machine.go()
        machine.wait_answer()
        self.assertIn("131072 bytes", norkv(machine.port, "info"))
        with self.assertRaises(AssertionError):
            norkv(machine.port, "put", "k", "v")
        self.assertEqual(machine.read_store(), image)
        self.assertEqual(machine.guest_errors(), "")

    def test_flash_that_reads_zeros_throughout_is_taken_for_blank(self):
        machine = self.running(image=bytes(STORE_SIZE))
        norkv(machine.port, "put", "k", "v")
        self.assertEqual(norkv(machine.port, "ls"), "k\n")
        self.assertEqual(machine.guest_errors(), "")

    def test_idle_work_is_done_while_the_line_is_silent(self):
        machine = self.running()
        norkv(machine.port, "sh", text="".join(
            f"put key-{i % 7} {i:0300}\n" for i in range(38)))
        for i in range(400):
            # At once, so that the device has no silence to work in.
            stats = norkv(machine.port, "sh",
                          text=f"put key-{i % 7} {i:0300}\nstats\n")
            if member(stats, "steps left to do") != "0":
                break
        before = int(member(stats, "steps done"))
        wait_until(lambda: member(norkv(machine.port, "stats"),
                                  "steps left to do") == "0", "idle work", 0.5)
        self.assertGreater(
            int(member(norkv(machine.port, "stats"), "steps done")), before)

    def test_rounds_of_collection_do_nothing_that_the_chip_does_not_allow(self):
        machine = self.running()
        script = "".join(f"put key-{i % 7} {i:0300}\n" for i in range(120))
        norkv(machine.port, "sh", text=script)
        stats = norkv(machine.port, "stats")
        self.assertGreater(int(member(stats, "erases")), 16)
        self.assertEqual(member(stats, "program errors"), "0")
        self.assertEqual(norkv(machine.port, "get", "key-0"), f"{119:0300}")
        self.assertEqual(machine.guest_errors(), "")


if __name__ == "__main__":
    support.main("microbit")
