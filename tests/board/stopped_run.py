"""A workload on a running board that is stopped before flash operations: what
the flash holds there, and what the device has acknowledged by then.

The firmware is not changed and does not know. What the device has sent is read
off its line to the last byte at each stop, so a value counts as acknowledged as
soon as the answer has left the UART, whether the client saw it or not.
"""
import collections
import selectors
import socket
import subprocess

# What the flash held before and after one operation, and {key: set of values}
# that the store may hold if the power failed in it.
Stop = collections.namedtuple("Stop", "number before after allowed")

CHUNK = 65536
# Nothing happens for so long only if something hangs.
HANG_S = 60
SOON_S = 0.001
INTERRUPTED = 2


class Client:
    """norkv sh, fed with commands; it sees the device through this program."""

    def __init__(self, norkv):
        self.listener = socket.create_server(("127.0.0.1", 0))
        port = f"tcp:127.0.0.1:{self.listener.getsockname()[1]}"
        self.process = subprocess.Popen(
            [norkv, "sh", "--json", "--timeout", f"{HANG_S}s", "--port", port],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.line = None

    def accept(self):
        self.line = self.listener.accept()[0]
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.line

    def give(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def last_words(self):
        self.process.kill()
        return self.process.communicate()[1].decode().strip()[-500:]

    def close(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout,
                       self.process.stderr, self.listener, self.line):
            if stream is not None:
                stream.close()


class StoppedRun:
    """Passes bytes between client and device, and sees to the stops.

    board   one of boards_stopped.py, stopped
    ledger  hears the line
    """

    def __init__(self, board, client, ledger):
        self.board, self.client, self.ledger = board, client, ledger
        self.stops = []
        self.to_stop_at = 0
        self.output = b""
        self.running = False
        self.selector = selectors.DefaultSelector()
        for stream, seen_to in (
                (board.line, self.hear_device), (board.gdb, self.hear_gdb),
                (client.listener, self.accept_client),
                (client.process.stdout, self.hear_output)):
            self.selector.register(stream, selectors.EVENT_READ, seen_to)
        board.line.setblocking(False)

    # What the ends say --------------------------------------------------------

    def accept_client(self):
        self.selector.register(self.client.accept(), selectors.EVENT_READ,
                               self.hear_host)

    def hear_device(self):
        data = self.device_bytes()
        self.ledger.device_says(data)
        if data and self.client.line is not None:
            self.client.line.sendall(data)

    def device_bytes(self):
        data = b""
        while True:
            try:
                piece = self.board.line.recv(CHUNK)
            except BlockingIOError:
                return data
            if not piece:
                raise RuntimeError("the board has ended")
            data += piece

    def hear_host(self):
        data = self.client.line.recv(CHUNK)
        if not data:
            self.selector.unregister(self.client.line)
        self.ledger.host_says(data)
        self.board.line.setblocking(True)
        self.board.line.sendall(data)
        self.board.line.setblocking(False)

    def hear_output(self):
        data = self.client.process.stdout.read1(CHUNK)
        if not data:
            self.selector.unregister(self.client.process.stdout)
        self.output += data

    # Stops --------------------------------------------------------------------

    def stop_at_next(self, operations):
        """From now on stops at so many flash operations. Their first may be
        one that is not due to what is asked next, such as an idle step."""
        self.to_stop_at = operations
        if self.running:
            self.running = False
            self.handle(self.board.gdb.interrupt())
        self.resume()

    def resume(self):
        self.board.watch_programs(self.to_stop_at > 0)
        self.board.gdb.go_on()
        self.running = True

    def hear_gdb(self):
        reason = self.board.gdb.wait_stop(SOON_S)
        # None: that was an acknowledgement only.
        if reason is not None:
            self.running = False
            self.handle(reason)
            self.resume()

    def handle(self, reason):
        if self.board.is_at_operation(reason):
            self.look()
        elif reason["signal"] != INTERRUPTED:
            raise RuntimeError(f"the processor stopped: {reason}")

    def look(self):
        """Keeps what there is before and after the operation that the board
        has stopped at."""
        self.hear_device()
        before, after = self.board.images_around_operation()
        if before != after:
            self.stops.append(Stop(len(self.stops) + 1, before, after,
                                   self.ledger.allowed()))
            self.to_stop_at = max(0, self.to_stop_at - 1)

    # The run ------------------------------------------------------------------

    def until(self, condition, wait_s=HANG_S):
        """Goes on until that is so; False if nothing happened for so long."""
        while not condition():
            events = self.selector.select(wait_s)
            if not events:
                return False
            for key, _ in events:
                key.data()
        return True
