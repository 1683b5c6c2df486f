"""What the tests of boards share: the command line, run-board, waiting."""
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import qemu_board  # noqa: E402

# Only against waiting for ever.
PATIENCE_S = qemu_board.PATIENCE_S
# The command line's program; main() sets it.
NORKV = None


def norkv(port, *arguments, text=None):
    """What a command of norkv prints, with a text on standard input; it is to
    succeed."""
    done = subprocess.run([NORKV, "--port", port, *arguments], text=True,
                          input=text or "", capture_output=True,
                          timeout=PATIENCE_S, check=False)
    if done.returncode != 0:
        raise AssertionError(f"norkv {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def member(text, name):
    """The value of a line of 'norkv info' or 'norkv stats'."""
    for line in text.splitlines():
        if line.strip().startswith(name + "  "):
            return line.strip().removeprefix(name).strip()
    raise AssertionError(f"no line '{name}' in:\n{text}")


def is_running(pid):
    """A process that has ended and waits to be noticed does not count."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


def wait_until(condition, what, pause_s=0.02):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(pause_s)


def store_size(board):
    elf = qemu_board.Elf(qemu_board.firmware_of(board))
    return qemu_board.BOARDS[board](elf).store_size


class Runner:
    """A run-board BOARD ..., and the port that it told."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "scripts/run-board", *arguments], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        self.port = line.removeprefix("listening on ").strip()
        if not line.startswith("listening on "):
            raise AssertionError(f"run-board: {self.finish()[1]}")

    def qemu(self):
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return int(children.split()[0])

    def finish(self):
        """(exit code, standard error) once it has ended."""
        out, error = self.process.communicate(timeout=PATIENCE_S)
        assert out == "", f"printed more: {out}"
        return self.process.returncode, error

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.finish()


class BoardTest(unittest.TestCase):
    """Tests of a board, which the class names, with a folder for their files."""
    board = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="norkv-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.image = self.folder / "store.img"

    def machine(self, **options):
        machine = qemu_board.Machine(self.board, **options)
        self.addCleanup(machine.close)
        return machine

    def running(self, **options):
        machine = self.machine(**options)
        machine.go()
        machine.wait_answer()
        return machine


class EveryBoard:
    """Tests that a BoardTest takes over for its board."""

    def test_the_processor_sleeps_when_nothing_is_to_be_done(self):
        machine = self.running()
        wait = machine.elf.symbol("nkv_board_wait") & ~1
        asleep = 0
        for _ in range(50):
            time.sleep(0.02)
            machine.qmp.command("stop")
            registers = machine.qmp.command("human-monitor-command",
                                            **{"command-line": "info registers"})
            pc = int(registers.split("R15=")[1].split()[0], 16)
            asleep += wait <= pc < wait + 64
            machine.qmp.command("cont")
        self.assertGreater(asleep, 25)

    def test_a_store_of_something_else_is_served_and_left_alone(self):
        image = bytes(range(256)) * (store_size(self.board) // 256)
        machine = self.running(image=image)
        self.assertIn("mounted with FAILED_PRECONDITION",
                      norkv(machine.port, "stats"))
        with self.assertRaisesRegex(AssertionError, "FAILED_PRECONDITION"):
            norkv(machine.port, "put", "k", "v")
        unit_id = member(norkv(machine.port, "info"), "unit id")
        self.assertEqual(machine.read_store(), image)
        machine.qmp.command("cont")
        norkv(machine.port, "erase-all", "--unit-id", unit_id)
        norkv(machine.port, "put", "k", "v")
        self.assertEqual(norkv(machine.port, "ls"), "k\n")
        self.assertEqual(machine.guest_errors(), "")


def need(board):
    """Skips the test where the board's firmware or QEMU is missing."""
    for what, is_there in ((qemu_board.QEMU, shutil.which(qemu_board.QEMU)),
                           (f"firmware of {board}",
                            qemu_board.firmware_of(board).exists())):
        if not is_there:
            print(f"skipped: there is no {what}")
            sys.exit(77)


def main(board):
    """Runs the tests of the program; its first argument is norkv."""
    global NORKV
    need(board)
    NORKV = sys.argv.pop(1)
    unittest.main(verbosity=2)
