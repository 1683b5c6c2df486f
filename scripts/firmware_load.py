"""What scripts/firmware-size does to a board in QEMU before it looks how much
stack was used: all commands, on a full store, with rounds of collection."""
import subprocess

from arm_size import fail
from qemu_board import Machine

# nkv_start fills the stack with this word (device/boards/start.h).
PAINT = (0x53544B21).to_bytes(4, "little")
# Against waiting for ever.
PATIENCE_S = 300


class Device:
    """The command line on a machine's port."""

    def __init__(self, machine, norkv):
        self.machine, self.norkv = machine, norkv

    def run(self, *arguments, text="", may_fail=False):
        done = subprocess.run(
            [self.norkv, "--port", self.machine.port, *map(str, arguments)],
            input=text, text=True, capture_output=True, timeout=PATIENCE_S,
            check=False)
        if done.returncode != 0 and not may_fail:
            fail(f"norkv {' '.join(map(str, arguments))}: {done.stderr}")
        return done.stdout


def fill(device):
    """Keys of all sizes, overwritten until collection has gone round, and then
    more than there is room for."""
    lines = [f"put key-{i % 7} {i:0300}" for i in range(120)]
    lines += [f"put {'k' * (1 + i)} value-{i}" for i in range(40)]
    lines += [f"del {'k' * (1 + i)}" for i in range(0, 40, 2)]
    device.run("sh", text="\n".join(lines) + "\n")
    more = "".join(f"put more-{i} {i:0250}\n" for i in range(64))
    device.run("sh", text=more, may_fail=True)


def read(device):
    device.run("ls", "-l")
    device.run("get", "key-1")
    device.run("info")
    device.run("echo", "--count", 1)
    device.run("stats")
    device.run("sectors")
    device.run("verify")


def copy(device, folder):
    backup = folder / "backup.json"
    device.run("backup", "-o", backup)
    device.run("diff", backup)
    device.run("put", "key-1", "another")
    device.run("restore", backup)


def erase(device):
    info = device.run("info")
    unit_id = next(line for line in info.splitlines()
                   if line.startswith("unit id")).split()[-1]
    device.run("erase-all", "--unit-id", unit_id)


def used_stack(machine):
    """(bytes that no longer have the paint, bytes that are reserved)"""
    bottom = machine.elf.symbol("nkv_stack_bottom")
    size = machine.elf.symbol("nkv_stack_top") - bottom
    stack = machine.save_memory(bottom, size)
    at = 0
    while stack[at:at + 4] == PAINT:
        at += 4
    return size - at, size


def exercise(board, elf, norkv, folder):
    with Machine(board, elf=elf) as machine:
        machine.go()
        machine.wait_answer()
        device = Device(machine, norkv)
        fill(device)
        read(device)
        copy(device, folder)
        for kind in ("partial", "full", "heavy"):
            device.run("collect", kind, may_fail=kind == "partial")
        read(device)
        erase(device)
        device.run("put", "key", "value")
        return used_stack(machine)
