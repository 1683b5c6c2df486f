"""What the tests of boards share: the command line, run-board, waiting."""
import pathlib
import shutil
import signal
import subprocess
import sys
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


class Runner:
    """A run-board BOARD ..., and the port that it told."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [ROOT / "scripts/run-board", *arguments], text=True,
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


def main(board):
    """Runs the tests of the program; its first argument is norkv. Skipped where
    the board's firmware or QEMU is missing."""
    global NORKV
    if not qemu_board.firmware_of(board).exists():
        print(f"skipped: there is no firmware of {board}")
        sys.exit(77)
    if shutil.which(qemu_board.QEMU) is None:
        print(f"skipped: there is no {qemu_board.QEMU}")
        sys.exit(77)
    NORKV = sys.argv.pop(1)
    unittest.main(verbosity=2)
