"""Firmware running in QEMU: starting it, its monitor (QMP), its debugger's end
(gdb's remote protocol), and the memory that its store lies in.

    with Machine("microbit", image=b"...") as machine:
        machine.go()
        machine.wait_answer()
        print(machine.port)
        store = machine.read_store()

A machine waits before its first instruction until go(), so that breakpoints and
the store's bytes can be set first. It ends with the block, and with this
process, however that ends. Everything that fails raises QemuError, with a text
for people. Needs nothing but QEMU and Python's standard library.
"""
import ctypes
import errno
import json
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import tty
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
QEMU = "qemu-system-arm"
# No test of time: only against waiting for ever, on a machine however busy.
PATIENCE_S = 120
ERASED = b"\xff"


class QemuError(Exception):
    """What went wrong, as a text of one line."""


def say(text):
    """Prints a line, at once and not through a buffer, which would fail once more
    at the end."""
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        os.write(sys.stdout.fileno(), text.encode() + b"\n")
    except OSError as error:
        raise QemuError(
            f"cannot write to standard output: {error.strerror}; give it a "
            "terminal, a pipe, a file or /dev/null") from error


# ---- The boards ------------------------------------------------------------

class Microbit:
    """The store is in the flash that the program is in too. QEMU cannot be told
    to load it without loading it anew at each reset, so the debugger writes
    it before the first instruction."""
    name = "microbit"
    chips = {}
    harmless = ()
    arguments = ["-M", "microbit"]

    def __init__(self, elf):
        self.store_start = elf.symbol("nkv_store_start")
        self.store_size = elf.symbol("nkv_store_end") - self.store_start

    def drive_arguments(self, folder, image):
        del folder, image
        return []

    def load_store(self, machine, image):
        machine.gdb.write_memory(self.store_start, image)

    def read_store(self, machine):
        return machine.save_memory(self.store_start, self.store_size)


class Ast1030:
    """The store is the end of a SPI NOR flash, which QEMU keeps in a file."""
    name = "ast1030"
    # Models of QEMU's, and their sizes. The firmware takes those in the first
    # line; the others are there to be refused: one that is programmed in
    # another way, one that nobody knows, one that is smaller than the store,
    # and one that has no id.
    chips = {"w25q80bl": 1 << 20, "w25q256": 32 << 20, "mx25l25635e": 32 << 20,
             "is25lp080d": 1 << 20, "n25q032a13": 4 << 20,
             "sst25vf032b": 4 << 20, "at25df321a": 4 << 20, "w25x10": 128 << 10,
             "at25128a-nonjedec": 128 << 10}
    store_size = 256 << 10
    # What real chips without them ignore and QEMU's models note: reading a
    # table (SFDP) and the number that Winbond's chips have. And what the
    # machine's own reset notes of itself.
    harmless = ("M25P80: Unknown cmd 5a", "M25P80: Unknown cmd 4b",
                "aspeed_timer_ctrl_pulse_enable: Timer does not support pulse "
                "mode")

    def __init__(self, elf, chip="w25q80bl"):
        del elf
        if chip not in self.chips:
            raise QemuError(f"there is no chip '{chip}' on {self.name}; there "
                            f"are {', '.join(self.chips)}")
        # The smallest there are on the buses that the firmware leaves alone: to
        # make four large ones takes a third of the time that QEMU starts in.
        self.arguments = ["-M", f"ast1030-evb,fmc-model={chip},spi-model=w25x10"]
        self.chip_size = self.chips[chip]
        self.start = max(0, self.chip_size - self.store_size)
        self.file = None

    def drive_arguments(self, folder, image):
        self.file = folder / "flash.img"
        self.file.write_bytes(ERASED * self.start +
                              image[:self.chip_size - self.start])
        # Unsafe only for a host that loses its power: to stop the machine
        # would wait for the disk each time.
        return ["-drive", f"file={self.file},if=mtd,format=raw,index=0,"
                          "cache=unsafe"]

    def load_store(self, machine, image):
        del machine, image

    def read_store(self, machine):
        machine.qmp.command("stop")
        return self.file.read_bytes()[self.start:]


BOARDS = {board.name: board for board in (Microbit, Ast1030)}


def firmware_of(board):
    """Where the build of a board has its ELF file."""
    return ROOT / "build" / board / "device/boards" / board / "firmware.elf"


def read_bytes(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise QemuError(f"cannot read '{path}': {error.strerror}") from error


class Elf:
    """The symbols of a 32-bit little-endian ELF file (System V ABI, Object
    Files): for the addresses that are wanted of a firmware."""

    def __init__(self, path):
        self.path = path
        data = read_bytes(pathlib.Path(path))
        if data[:6] != b"\x7fELF\x01\x01":
            raise QemuError(f"'{path}' is no ELF file of a 32-bit processor")
        self._symbols = dict(self._read_symbols(data))

    @staticmethod
    def _read_symbols(data):
        table, = struct.unpack_from("<I", data, 32)
        size, count = struct.unpack_from("<HH", data, 46)
        headers = [struct.unpack_from("<10I", data, table + size * i)
                   for i in range(count)]
        for _, kind, _, _, offset, length, link, _, _, _ in headers:
            if kind != 2:  # SHT_SYMTAB
                continue
            names = headers[link][4]
            for at in range(offset, offset + length, 16):
                name, value = struct.unpack_from("<II", data, at)
                end = data.index(b"\0", names + name)
                yield data[names + name:end].decode(), value

    def symbol(self, name):
        """Of a function: its address, with bit 0 set as it is Thumb code."""
        if name not in self._symbols:
            raise QemuError(f"'{self.path}' has no symbol {name}")
        return self._symbols[name]


# ---- QMP --------------------------------------------------------------------

class Qmp:
    """QEMU's monitor: QEMU Machine Protocol."""

    def __init__(self, path, process):
        self._socket = connect(path, process)
        self._lines = self._socket.makefile("rb")
        self._read()
        self.command("qmp_capabilities")

    def _read(self):
        try:
            line = self._lines.readline()
        except OSError as error:
            raise QemuError(f"QEMU's monitor does not answer: {error}") from error
        if not line:
            raise QemuError("QEMU's monitor is gone")
        return json.loads(line)

    def command(self, name, **arguments):
        """What the command returns; events that come meanwhile are dropped."""
        request = {"execute": name, "arguments": arguments}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise QemuError(f"QEMU's monitor is gone: {error}") from error
        while True:
            answer = self._read()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise QemuError(f"QEMU: {name}: {answer['error']['desc']}")

    def close(self):
        self._lines.close()
        self._socket.close()


# ---- gdb --------------------------------------------------------------------

class Gdb:
    """The debugger's side of the Remote Serial Protocol (gdb manual, appendix
    E). Addresses and sizes are in bytes. Stopped, until go_on."""
    # QEMU takes packets of 4096 bytes, two digits a byte.
    PIECE = 1024
    BREAKPOINT, WRITE = 1, 2

    def __init__(self, path, process):
        self._socket = connect(path, process)
        self._bytes = b""
        # QEMU gives single registers only to those that can read their names.
        self._ask("qXfer:features:read:target.xml:0,1000")

    def fileno(self):
        """For select: something came, maybe only an acknowledgement."""
        return self._socket.fileno()

    def _send(self, text):
        data = text.encode()
        try:
            self._socket.sendall(b"$%s#%02x" % (data, sum(data) & 0xFF))
        except OSError as error:
            raise QemuError(f"QEMU's debugger end is gone: {error}") from error

    def _packet(self, timeout_s=PATIENCE_S):
        """The next packet's text; None: none came in time."""
        deadline = time.monotonic() + timeout_s
        while True:
            start = self._bytes.find(b"$")
            end = self._bytes.find(b"#", start + 1)
            if 0 <= start < end and len(self._bytes) >= end + 3:
                text = self._bytes[start + 1:end]
                self._bytes = self._bytes[end + 3:]
                self._socket.sendall(b"+")
                return text.decode("latin-1")
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                return None
            data = self._socket.recv(1 << 16)
            if not data:
                raise QemuError("QEMU's debugger end is gone")
            self._bytes += data

    def _ask(self, text):
        self._send(text)
        answer = self._packet()
        if answer is None:
            raise QemuError(f"QEMU's debugger end does not answer {text[:20]}")
        return answer

    @staticmethod
    def _expect_ok(answer):
        if answer != "OK":
            raise QemuError(f"QEMU's debugger end says '{answer}'")

    def write_memory(self, address, data):
        """Flash too, whatever it held."""
        for at in range(0, len(data), self.PIECE):
            piece = data[at:at + self.PIECE]
            self._expect_ok(self._ask(
                f"M{address + at:x},{len(piece):x}:{piece.hex()}"))

    def read_register(self, number):
        """r0 to r15 (13 sp, 14 lr, 15 pc), of 32 bits."""
        answer = self._ask(f"p{number:x}")
        return struct.unpack("<I", bytes.fromhex(answer))[0]

    def write_register(self, number, value):
        self._expect_ok(self._ask(f"P{number:x}={struct.pack('<I', value).hex()}"))

    def set_point(self, kind, address, size=4):
        """BREAKPOINT (size 2), or WRITE, which stops at each write."""
        self._expect_ok(self._ask(f"Z{kind},{address:x},{size:x}"))

    def clear_point(self, kind, address, size=4):
        self._expect_ok(self._ask(f"z{kind},{address:x},{size:x}"))

    def go_on(self):
        """Runs the machine; returns at once."""
        self._send("c")

    def step(self):
        """One instruction."""
        self._send("s")
        return self.wait_stop()

    def wait_stop(self, timeout_s=PATIENCE_S):
        """After go_on: why the machine stopped, {"signal": number} and of a
        watchpoint {"watch": address} too; None: it is still running."""
        text = self._packet(timeout_s)
        if text is None:
            return None
        reason = {"signal": int(text[1:3], 16)}
        for part in text[3:].split(";"):
            key, _, value = part.partition(":")
            if key in ("watch", "rwatch", "awatch"):
                reason["watch"] = int(value, 16)
        return reason

    def interrupt(self):
        """Stops a running machine."""
        self._socket.sendall(b"\x03")
        return self.wait_stop()

    def detach(self):
        """The machine runs on, without a debugger; nothing can be asked any
        more."""
        self._expect_ok(self._ask("D"))
        self.close()

    def close(self):
        self._socket.close()


# ---- The line ---------------------------------------------------------------

def crc32_frame(content):
    content += struct.pack("<I", zlib.crc32(content))
    for byte, escaped in ((b"\x7d", b"\x7d\x5d"), (b"\x7e", b"\x7d\x5e")):
        content = content.replace(byte, escaped)
    return b"\x7e" + content + b"\x7e"


# A call of pw.rpc.EchoService/Echo (docs/protocol.md), with a text that no
# device sends by itself.
ECHO_TEXT = b"is anybody there"
ECHO = crc32_frame(
    b"\xa5\x03" b"\x10\x01" b"\x1d" + struct.pack("<I", 0x14FBD052) +
    b"\x25" + struct.pack("<I", 0x8B470EE9) +
    b"\x2a" + bytes([2 + len(ECHO_TEXT), 0x0A, len(ECHO_TEXT)]) + ECHO_TEXT +
    b"\x38\x01")
ECHO_AGAIN_S = 2


def answers(fd, deadline, check_alive):
    """Whether the device at a descriptor answers a call."""
    received = b""
    while time.monotonic() < deadline:
        check_alive()
        os.write(fd, ECHO)
        again = time.monotonic() + ECHO_AGAIN_S
        while (left := again - time.monotonic()) > 0:
            if not select.select([fd], [], [], left)[0]:
                break
            data = os.read(fd, 4096)
            if not data:
                return False
            received += data
            if ECHO_TEXT in received:
                return True
    return False


# ---- The machine ------------------------------------------------------------

def die_with_parent():
    """In QEMU before it starts: a parent that is killed takes it along."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def connect(path, process):
    """A connection to one of QEMU's sockets, once it is there."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        end = socket.socket(socket.AF_UNIX)
        end.settimeout(PATIENCE_S)
        try:
            end.connect(str(path))
            return end
        except (FileNotFoundError, ConnectionRefusedError):
            end.close()
        if process.poll() is not None or time.monotonic() > deadline:
            raise QemuError("QEMU did not start")
        time.sleep(0.01)


class Machine:
    """A board in QEMU, with its store holding image (bytes; None: erased).

    elf: the firmware, that of the board's build unless given
    port: "pty", "tcp" at the local host, or "unix", for connect_line
    chip: the flash, of those that the board's class lists
    extra: further arguments of QEMU

    process is QEMU's subprocess, qmp its monitor, gdb its debugger's end until
    go() lets go of it; elf has the firmware's symbols.
    """

    def __init__(self, board, image=None, elf=None, port="tcp", chip=None,
                 extra=()):
        path = pathlib.Path(elf or firmware_of(board))
        if not path.exists():
            raise QemuError(
                f"there is no firmware {path}; build it: cmake --preset {board} "
                f"&& cmake --build --preset {board}")
        self.elf = Elf(path)
        self.board = self._board(BOARDS[board], chip)
        size = self.board.store_size
        if image is None:
            image = ERASED * size
        if len(image) != size:
            raise QemuError(f"the image has {len(image)} bytes, the store of "
                            f"{board} has {size}")
        self._folder = tempfile.TemporaryDirectory(prefix="norkv-board-")
        self.folder = pathlib.Path(self._folder.name)
        self.process = self.qmp = self.gdb = self._slave = None
        try:
            self._start(path, image, port, extra)
        except BaseException:
            self.close()
            raise

    def _board(self, kind, chip):
        if chip is None:
            return kind(self.elf)
        if not kind.chips:
            raise QemuError(f"{kind.name} has its store in its own flash: "
                            "there is no chip to choose")
        return kind(self.elf, chip)

    def _start(self, path, image, port, extra):
        chardev = {
            "pty": "pty,id=ser0",
            "tcp": "socket,id=ser0,host=127.0.0.1,port=0,server=on,wait=off,"
                   "nodelay=on",
            "unix": f"socket,id=ser0,path={self.folder}/line,server=on,"
                    "wait=off",
        }[port]
        command = [
            QEMU, *self.board.arguments, "-nodefaults", "-display", "none",
            "-kernel", str(path), "-S",
            "-chardev", chardev, "-serial", "chardev:ser0",
            "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off",
            "-chardev", f"socket,id=gdb0,path={self.folder}/gdb,server=on,wait=off",
            "-gdb", "chardev:gdb0",
            "-d", "guest_errors", "-D", str(self.folder / "guest-errors"),
            *self.board.drive_arguments(self.folder, image), *extra]
        try:
            with open(self.folder / "output", "wb") as output:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output,
                    stderr=output, preexec_fn=die_with_parent,
                    start_new_session=True)
        except FileNotFoundError as error:
            raise QemuError(f"there is no {QEMU}: run scripts/bootstrap") from error
        try:
            self.qmp = Qmp(self.folder / "qmp", self.process)
            self.gdb = Gdb(self.folder / "gdb", self.process)
        except QemuError as error:
            raise QemuError(f"{error}: {self._last_words()}") from error
        self.port = self._find_port()
        self._log_size = len(self._guest_log())
        self.board.load_store(self, image)

    def _last_words(self):
        text = (self.folder / "output").read_text(errors="replace").split("\n")
        return " ".join(line for line in text if line.startswith("qemu"))

    def _find_port(self):
        """The port, as norkv's --port takes it."""
        for chardev in self.qmp.command("query-chardev"):
            if chardev["label"] == "ser0":
                name = chardev["filename"]
                if name.startswith("pty:"):
                    return name.removeprefix("pty:")
                if "unix:" in name:
                    return str(self.folder / "line")
                return "tcp:" + name.split("tcp:", 1)[1].split(",", 1)[0]
        raise QemuError("QEMU has no serial port")

    def check_alive(self):
        if self.process.poll() is not None:
            raise QemuError(f"QEMU ended by itself: {self._last_words()}")

    def go(self):
        """Lets the machine run, without the debugger."""
        self.gdb.detach()
        self.gdb = None

    def wait_answer(self):
        """Waits until the device answers over its line. A pseudo terminal is
        held open from then on: QEMU notices only once a second that somebody
        opens one that nobody had open."""
        deadline = time.monotonic() + PATIENCE_S
        if self.port.startswith("tcp:"):
            host, port = self.port.removeprefix("tcp:").rsplit(":", 1)
            with socket.create_connection((host, int(port))) as line:
                there = answers(line.fileno(), deadline, self.check_alive)
        else:
            there = answers(self._open_slave(), deadline, self.check_alive)
        if not there:
            raise QemuError("the firmware does not answer")

    def connect_line(self):
        """A connection to port "unix". What the UART has sent can be read from
        it at once: nothing is under way between two ends of such a socket."""
        return connect(self.folder / "line", self.process)

    def _open_slave(self):
        if self._slave is None:
            self._slave = os.open(self.port, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self._slave, termios.TCSANOW)
        return self._slave

    def save_memory(self, address, size):
        """Memory as the processor sees it. Stops the machine."""
        path = self.folder / "memory"
        self.qmp.command("stop")
        self.qmp.command("memsave", val=address, size=size, filename=str(path))
        return path.read_bytes()

    def read_store(self):
        """The store's bytes, by the monitor. Stops the machine."""
        return self.board.read_store(self)

    def _guest_log(self):
        path = self.folder / "guest-errors"
        return path.read_text(errors="replace") if path.exists() else ""

    def guest_errors(self):
        """What QEMU has to say about what the firmware did wrong; without what
        it had before the first instruction, from looking for a vector table
        that it had not loaded yet, and without what is harmless."""
        log = self._guest_log()[self._log_size:].splitlines(keepends=True)
        return "".join(line for line in log
                       if line.strip() not in self.board.harmless)

    def check_guest(self):
        """Raises QemuError if the firmware did anything wrong."""
        errors = self.guest_errors()
        if errors:
            raise QemuError(f"the firmware did what its chip does not allow: "
                            f"{errors.strip()}")

    def close(self):
        """Ends QEMU as a power cut does. Does nothing the second time."""
        for end in (self.gdb, self.qmp):
            if end is not None:
                end.close()
        self.gdb = self.qmp = None
        if self._slave is not None:
            os.close(self._slave)
            self._slave = None
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
