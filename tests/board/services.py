"""The micro:bit's firmware with fewer services: services.py NORKV"""
import pathlib

import support
from support import member, norkv, qemu_board

FIRMWARE = qemu_board.firmware_of("microbit")


class FewerServices(support.BoardTest):
    board = "microbit"

    def run_list(self, services):
        elf = FIRMWARE.with_name(f"firmware_{services}.elf")
        return self.running(elf=elf).port

    def expect_hint(self, port, *arguments):
        with self.assertRaisesRegex(
                AssertionError, "no such method .*built without it.*"
                "'norkv ls' and 'norkv get'.*'norkv apply'"):
            norkv(port, *arguments)

    def test_without_transfer_norkv_names_what_does_the_same(self):
        settings = str(self.folder / "settings.csv")
        pathlib.Path(settings).write_text("key,encoding,value\nname,text,bench\n")
        backup = str(self.folder / "backup.json")
        whole = self.run_list("all")
        norkv(whole, "apply", settings)
        norkv(whole, "backup", "-o", backup)
        port = self.run_list("without_transfer")
        norkv(port, "apply", settings)
        self.assertEqual(norkv(port, "get", "name"), "bench")
        self.assertEqual(member(norkv(port, "stats"), "keys").split()[0], "1")
        self.expect_hint(port, "backup")
        self.expect_hint(port, "diff", backup)
        self.expect_hint(port, "restore", "--force", backup)
        self.assertEqual(norkv(port, "ls"), "name\n")

    def test_the_smallest_gets_at_the_keys(self):
        port = self.run_list("smallest")
        norkv(port, "put", "k", "v")
        self.assertEqual(norkv(port, "get", "k"), "v")
        self.assertEqual(norkv(port, "ls"), "k\n")
        unit_id = member(norkv(port, "info"), "unit id")
        norkv(port, "erase-all", "--unit-id", unit_id)
        self.assertEqual(norkv(port, "ls"), "")
        with self.assertRaisesRegex(AssertionError, "no such method"):
            norkv(port, "collect")


if __name__ == "__main__":
    support.main("microbit")
