"""Whether a board's store is what it has to be after a power cut: the firmware
is started on what the cut left on the flash, and asked over its line."""
import json
import os
import pathlib
import subprocess
import tempfile

import qemu_board

# Only against waiting for ever.
HANG_S = 120
NEW_VALUES = 5
NEW_KEY = "made after the cut"


def hex_of(value):
    return None if value is None else value.hex()


def shown(value):
    text = "not there" if value is None else f"'{value.hex()}'"
    return text if len(text) < 80 else f"{text[:76]}...'"


def differences(found, expected):
    """found {key: value} against {key: values that it may have}."""
    for key in sorted(found.keys() | expected.keys()):
        value, may_be = found.get(key), expected.get(key, {None})
        if value not in may_be:
            expected_values = " or ".join(shown(v) for v in may_be)
            yield f"{key.decode()} is {shown(value)}, not {expected_values}"


def put(key, value):
    return f"put '{key.decode()}' --hex {value.hex()}" if value else \
        f"put '{key.decode()}' ''"


def records_of(backup):
    """{key: value}"""
    return {bytes.fromhex(record["key_hex"]): bytes.fromhex(record["value_hex"])
            for record in backup["records"]}


def varint(number):
    low = bytes([number & 0x7F])
    return low if number < 0x80 else bytes([low[0] | 0x80]) + varint(number >> 7)


def digest(key, value):
    """Of one record (docs/protocol.md, Records): 64-bit FNV-1a."""
    total = 0xCBF29CE484222325
    for byte in varint(len(key)) + varint(len(value)) + key + value:
        total = (total ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return total


def changed(backup, values):
    """A backup (docs/backup.md) after that was written: {key: value}, None: it
    was deleted."""
    records, total = records_of(backup), int(backup["digest"], 16)
    for key, value in values.items():
        if key in records:
            total -= digest(key, records.pop(key))
        if value is not None:
            records[key] = value
            total += digest(key, value)
    return {**backup, "record_count": len(records),
            "bytes": sum(len(key) + len(value)
                         for key, value in records.items()),
            "digest": f"{total & 0xFFFFFFFFFFFFFFFF:016x}",
            "records": [{"key_hex": key.hex(), "value_hex": value.hex()}
                        for key, value in records.items()]}


class Checker:
    """geometry: norkv image's options for what the store's flash is."""

    def __init__(self, board, norkv, elf, geometry):
        self.board, self.norkv, self.elf = board, norkv, elf
        self.geometry = geometry
        # Leaks are looked for by other tests; here it would cost most of the
        # time.
        self.environment = dict(os.environ)
        self.environment["ASAN_OPTIONS"] = \
            os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"

    def problems(self, image, allowed, unclear, random):
        """Texts; none: all is well. unclear is the range of a sector of which an
        image does not tell what the cut did (Operation.unclear), or None."""
        try:
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                return [*self.check_image(folder / "cut", image, unclear),
                        *self.check_firmware(folder, image, allowed, random)]
        except (qemu_board.QemuError, subprocess.TimeoutExpired, OSError,
                ValueError) as error:
            return [str(error)]

    def check_firmware(self, folder, image, allowed, random):
        sure = sorted(key for key, values in allowed.items()
                      if None not in values)
        later = self.later_values(sure, random)
        with qemu_board.Machine(self.board, image, self.elf) as machine:
            machine.go()
            done = self.run_shell(folder, machine.port, later)
            if done.returncode != 0:
                yield "norkv sh: " + done.stderr.strip()[-300:]
                return
            backup = self.backup(folder / "found")
            found = records_of(backup)
            done = self.compare(folder / "later", machine.port,
                                changed(backup, later))
            if done.returncode != 0:
                yield "norkv diff: " + (done.stdout + done.stderr)[:300].strip()
            left = machine.read_store()
            if machine.guest_errors():
                yield machine.guest_errors()
        yield from differences(found, allowed)
        found.update(later)
        expected = {key: {value} for key, value in found.items()}
        yield from differences(self.dump(folder / "left", left), expected)

    @staticmethod
    def later_values(sure, random):
        """What is written afterwards: some keys anew, one deleted, one new."""
        chosen = random.sample(sure, min(NEW_VALUES + 1, len(sure)))
        later = {key: random.randbytes(random.randrange(1, 40))
                 for key in chosen[1:] + [NEW_KEY.encode()]}
        later.update({key: None for key in chosen[:1]})
        return later

    def run_shell(self, folder, port, later):
        commands = [f"backup -o {folder}/found"]
        commands += [f"del '{key.decode()}'" if value is None
                     else put(key, value) for key, value in later.items()]
        return self.run("sh", "--json", "--port", port,
                        text="\n".join(commands) + "\n")

    def compare(self, path, port, backup):
        """Whether the device has that and nothing else: it reads all of its
        values for their digest (docs/protocol.md), and sends them only if that
        is another one."""
        path.write_text(json.dumps(backup))
        return self.run("diff", path, "--json", "--port", port)

    def run(self, *arguments, text=""):
        return subprocess.run(
            [self.norkv, *arguments], text=True, input=text,
            capture_output=True, timeout=HANG_S, env=self.environment)

    @staticmethod
    def backup(path):
        """A backup of the device, which must be whole."""
        backup = json.loads(path.read_text())
        if backup["changed"] or backup["partial"] or backup["damaged"]:
            raise ValueError("the device cannot read all of its store")
        return backup

    def image_command(self, command, path, *arguments):
        return self.run("image", command, path, "--json", *arguments,
                        *self.geometry)

    def check_image(self, path, image, unclear):
        """norkv image check finds no loss, but for what it cannot tell from data
        that are lost, and that lies in the one sector."""
        path.write_bytes(image)
        done = self.image_command("check", path)
        if done.returncode == 0:
            return
        report = json.loads(done.stdout or "{}")
        places = [place["offset"] for place in report.get("damage", [])
                  if place["kind"] in ("corrupt", "foreign")]
        if unclear is None or report.get("repaired_status") != "OK" or \
                not all(offset in unclear for offset in places):
            yield "norkv image check: " + (done.stderr + done.stdout).strip()

    def dump(self, path, image):
        path.write_bytes(image)
        done = self.image_command("dump", path)
        if done.returncode != 0:
            raise ValueError("norkv image dump: " + done.stderr.strip())
        records = map(json.loads, done.stdout.splitlines())
        return {bytes.fromhex(record["key_hex"]):
                bytes.fromhex(record["value_hex"]) for record in records}
