"""What a store may hold, told by the bytes on its line alone: which values the
device has acknowledged, and which it was asked to write and may have written.

The bytes are read as docs/protocol.md describes them, without norkv's own code.
"""
import binascii
import collections

FLAG, ESCAPE = 0x7E, 0x7D
RPC_ADDRESS = b"\xa5"
REQUEST, RESPONSE = 0, 1
OK, NOT_FOUND = 0, 5
REPLIES_KEPT = 64

Write = collections.namedtuple("Write", "key value")


def name_id(name):
    """The hash of a service's or a method's name."""
    total, power = len(name), 65599
    for byte in name.encode():
        total += power * byte
        power *= 65599
    return total & 0xFFFFFFFF


STORE = name_id("norkv.v1.Store")
PUT, DELETE = name_id("Put"), name_id("Delete")


def varint(data, at):
    """(number, where what follows begins)"""
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(message):
    """{number: value} of a protobuf message; of equal ones the last counts."""
    found, at = {}, 0
    while at < len(message):
        tag, at = varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(message, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value = int.from_bytes(message[at:at + size], "little")
            at += size
        elif kind == 2:
            size, at = varint(message, at)
            value = message[at:at + size]
            at += size
        else:
            raise ValueError(f"a field of type {kind}")
        found[tag >> 3] = value
    return found


class Frames:
    """Takes bytes as they come; gives the packets of good frames."""

    def __init__(self):
        self.content = None
        self.escaped = False

    def feed(self, data):
        return [packet for byte in data if (packet := self.take(byte))]

    def take(self, byte):
        if byte == FLAG:
            content, self.content = self.content, bytearray()
            escaped, self.escaped = self.escaped, False
            return self.packet(content) if content and not escaped else None
        if self.content is None:
            return None
        if byte == ESCAPE:
            self.escaped = True
            return None
        self.content.append(byte ^ 0x20 if self.escaped else byte)
        self.escaped = False
        return None

    def packet(self, content):
        check = int.from_bytes(content[-4:], "little")
        if len(content) < 6 or binascii.crc32(content[:-4]) != check:
            return None
        return bytes(content[2:-4]) if content[:1] == RPC_ADDRESS else None


class Ledger:
    """Hears both directions of a line."""

    def __init__(self):
        # Key to value; keys that were deleted, too, with None.
        self.acknowledged = {}
        # (session, seq) to Write: asked for and not answered.
        self.pending = {}
        self.calls = collections.OrderedDict()
        self.requests = 0
        self.refused = []
        self.from_host, self.from_device = Frames(), Frames()

    def host_says(self, data):
        for packet in self.from_host.feed(data):
            self.heard_request(fields(packet))

    def device_says(self, data):
        for packet in self.from_device.feed(data):
            self.heard_response(fields(packet))

    def heard_request(self, packet):
        method = packet.get(4)
        if packet.get(1, REQUEST) != REQUEST or packet.get(3) != STORE or \
                method not in (PUT, DELETE):
            return
        request = fields(packet.get(5, b""))
        op = fields(request.get(4 if method == PUT else 3, b""))
        name = (op.get(1), op.get(2))
        value = request.get(3, b"") if method == PUT else None
        known = name in self.calls.values()
        self.calls[packet.get(7)] = name
        while len(self.calls) > REPLIES_KEPT:
            self.calls.popitem(last=False)
        if not known:
            self.requests += 1
            self.pending[name] = Write(request.get(2, b""), value)

    def heard_response(self, packet):
        if packet.get(1, REQUEST) != RESPONSE or packet.get(3) != STORE or \
                packet.get(4) not in (PUT, DELETE):
            return
        name = self.calls.get(packet.get(7))
        if name not in self.pending:
            return
        write = self.pending[name]
        status = packet.get(6, OK)
        if status == OK or (status == NOT_FOUND and write.value is None):
            self.acknowledged[write.key] = write.value
            del self.pending[name]
        else:
            self.refused.append((write, status))

    def allowed(self):
        """{key: set of values that it may have now}; None: it is not there."""
        values = {key: {value} for key, value in self.acknowledged.items()}
        for write in self.pending.values():
            values.setdefault(write.key, {None}).add(write.value)
        return values
