"""A store's image goes from a board's firmware to norkv image and back:
offline_images.py BOARD NORKV

What the firmware wrote is read on the host, and what the host prepared is read by
the firmware; both go on writing on it, until collection has moved all of it.
"""
import json
import random
import subprocess
import sys

import support
from support import member, norkv

BOARD = sys.argv.pop(1)
# Of the store's room; the rest is for collection.
FILL = 0.4
# By a process each; the rest by one.
PUT_ONE_BY_ONE = 5


def image_command(command, *arguments, text=None):
    return subprocess.run(
        [support.NORKV, "image", command, *map(str, arguments)],
        text=True, input=text, capture_output=True,
        timeout=support.PATIENCE_S, check=False)


class Geometry:
    """What norkv image has to be told of the store, by the device itself."""

    def __init__(self, port):
        stats = json.loads(norkv(port, "stats", "--json"))
        self.size = stats["sector_size"] * stats["sector_count"]
        self.max_keys = stats["max_keys"]
        self.copies = stats["copies"]
        self.options = []
        for name in ("sector_size", "program_unit", "copies", "max_keys"):
            self.options += ["--" + name.replace("_", "-"), str(stats[name])]
        self.sectors = ["--sectors", str(stats["sector_count"])]


class OfflineImages(support.BoardTest):
    board = BOARD

    def setUp(self):
        super().setUp()
        self.random = random.Random(5)

    def save(self, machine):
        self.image.write_bytes(machine.read_store())
        self.assertEqual(machine.guest_errors(), "")
        machine.close()

    def values(self, geometry):
        """Bytes of all kinds, the empty value and long ones among them."""
        room = geometry.size * FILL / geometry.copies
        values, count = {"empty": b""}, 0
        while room > 0 and len(values) < geometry.max_keys - 4:
            size = self.random.randrange(1, geometry.size // 128)
            values[f"key {count}"] = self.random.randbytes(size)
            room -= size + 32
            count += 1
        return values

    @staticmethod
    def put_all(port, values):
        text = "".join(f"put '{key}' --hex {value.hex()}\n" if value
                       else f"put '{key}' ''\n"
                       for key, value in values.items())
        norkv(port, "sh", text=text)

    def overwrite(self, port, values, geometry):
        """Until each sector has been collected at least once."""
        sectors = int(geometry.sectors[1])
        while int(member(norkv(port, "stats"), "erases")) < 2 * sectors:
            for key in self.random.sample(sorted(values), len(values) // 2):
                values[key] = self.random.randbytes(len(values[key]))
            self.put_all(port, values)

    # Both ends read the same --------------------------------------------------

    def expect_device_has(self, port, values):
        path = self.folder / "backup.json"
        norkv(port, "backup", "-o", str(path))
        backup = json.loads(path.read_text())
        self.assertFalse(backup["partial"] or backup["damaged"])
        self.assertEqual({record["key"]: bytes.fromhex(record["value_hex"])
                          for record in backup["records"]}, values)

    def expect_image_has(self, values, geometry):
        def done(command, *arguments):
            one = image_command(command, self.image, *arguments,
                                *geometry.options)
            self.assertEqual((one.returncode, one.stderr), (0, ""))
            return one.stdout

        self.assertEqual(json.loads(done("check", "--json"))["damage"], [])
        self.assertEqual(done("ls").splitlines(), sorted(values))
        records = map(json.loads, done("dump", "--json").splitlines())
        self.assertEqual({record["key"]: bytes.fromhex(record["value_hex"])
                          for record in records}, values)
        key = sorted(values)[-1]
        path = self.folder / "value"
        done("get", key, "-o", path)
        self.assertEqual(path.read_bytes(), values[key])

    # The tests ----------------------------------------------------------------

    def test_norkv_image_reads_what_the_firmware_wrote(self):
        machine = self.running()
        geometry = Geometry(machine.port)
        values = self.values(geometry)
        self.put_all(machine.port, values)
        norkv(machine.port, "del", "empty")
        del values["empty"]
        self.overwrite(machine.port, values, geometry)
        self.save(machine)
        self.expect_image_has(values, geometry)
        self.go_on_with_image(values, geometry)

    def go_on_with_image(self, values, geometry):
        """The host writes on the device's flash, and the device reads that."""
        done = image_command("put", self.image, "from the host", "1",
                             *geometry.options)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = image_command("del", self.image, "key 0", *geometry.options)
        self.assertEqual(done.returncode, 0, done.stderr)
        values["from the host"] = b"1"
        del values["key 0"]
        machine = self.running(image=self.image.read_bytes())
        self.expect_device_has(machine.port, values)
        self.save(machine)

    def test_the_firmware_reads_what_norkv_image_made(self):
        machine = self.running()
        geometry = Geometry(machine.port)
        machine.close()
        values = self.values(geometry)
        self.prepare(values, geometry)
        machine = self.running(image=self.image.read_bytes())
        stats = json.loads(norkv(machine.port, "stats", "--json"))
        self.assertEqual(stats["mount_status"], "OK")
        self.expect_device_has(machine.port, values)
        norkv(machine.port, "collect", "heavy")
        self.expect_device_has(machine.port, values)
        self.overwrite(machine.port, values, geometry)
        self.expect_device_has(machine.port, values)
        self.save(machine)
        self.expect_image_has(values, geometry)

    def prepare(self, values, geometry):
        done = image_command("create", self.image, *geometry.options,
                             *geometry.sectors)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.image.stat().st_size, geometry.size)
        first = dict(list(values.items())[:PUT_ONE_BY_ONE])
        for key, value in first.items():
            path = self.folder / "value"
            path.write_bytes(value)
            done = image_command("put", self.image, key, "--file", path,
                                 *geometry.options)
            self.assertEqual(done.returncode, 0, done.stderr)
        script = "".join(f"put {key.encode().hex()} {value.hex()}\n"
                         for key, value in values.items() if key not in first)
        done = image_command("exec", self.image, "-", *geometry.options,
                             text=script)
        self.assertEqual(set(done.stdout.split()), {"OK"})
        self.expect_image_has(values, geometry)


support.main(BOARD)
