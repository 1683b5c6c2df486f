"""A line between norkv and a device that does something to what the device
sends: relay.py HOST:PORT KIND. KIND is
  log    says something itself, in a log frame, as soon as somebody listens and
         before each of the device's frames
  lossy  loses every fifth of the device's frames of LARGE bytes or more
Prints "listening on PORT"; ends by itself after two minutes."""
import select
import signal
import socket
import sys
import zlib

LIFE_SECONDS = 120
LARGE = 400
FLAG = b'\x7e'


def log_frame(text):
    """HDLC: address 1, unnumbered information, the text, a CRC-32."""
    content = b'\x03\x03' + text
    content += zlib.crc32(content).to_bytes(4, 'little')
    for byte in (b'\x7d', FLAG):
        content = content.replace(byte, bytes([0x7d, byte[0] ^ 0x20]))
    return FLAG + content + FLAG


class Relay:
    def __init__(self, kind):
        self.kind = kind
        self.buffer = b''
        self.large = 0

    def greeting(self):
        return log_frame(b'relay: hello') if self.kind == 'log' else b''

    def pass_frame(self, frame):
        if self.kind == 'log':
            return log_frame(b'relay: an answer') + frame
        if len(frame) >= LARGE:
            self.large += 1
            if self.large % 5 == 0:
                return b''
        return frame

    def take(self, data):
        """What becomes of bytes of the device: whole frames, as they end."""
        self.buffer += data
        out = b''
        while True:
            begin = self.buffer.find(FLAG)
            end = self.buffer.find(FLAG, begin + 1)
            if begin < 0 or end < 0:
                return out
            out += self.buffer[:begin]
            out += self.pass_frame(self.buffer[begin:end + 1])
            self.buffer = self.buffer[end + 1:]


def serve(host, device, relay):
    host.sendall(relay.greeting())
    while True:
        for ready in select.select([host, device], [], [])[0]:
            data = ready.recv(4096)
            if not data:
                return
            if ready is host:
                device.sendall(data)
            else:
                host.sendall(relay.take(data))


def main():
    signal.alarm(LIFE_SECONDS)
    address, port = sys.argv[1].split(':')
    listener = socket.create_server(('127.0.0.1', 0))
    print('listening on tcp:127.0.0.1:%d' % listener.getsockname()[1],
          flush=True)
    while True:
        host = listener.accept()[0]
        with host, socket.create_connection((address, int(port))) as device:
            try:
                serve(host, device, Relay(sys.argv[2]))
            except OSError:
                pass


main()
