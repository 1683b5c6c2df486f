#!/usr/bin/env python3
"""Puts figures into docs/performance.md, between its two markers.

page.py FIGURES REFERENCE LIMITS PAGE

FIGURES and REFERENCE hold lines "NAME VALUE", LIMITS what test_figures --all
printed.
"""
import re
import sys

BEGIN = "<!-- figures: begin -->"
END = "<!-- figures: end -->"
KEYS = [64, 256, 1024, 4096, 16384]
FILLS = {50: 1280, 60: 1536, 70: 1792, 80: 2048}

BY_KEYS = [
    ("get: bytes read", "get_hit", "read_bytes"),
    ("get: calls of read", "get_hit", "read_calls"),
    ("get of no such key: bytes read", "get_miss", "read_bytes"),
    ("mount: bytes read / partition", "mount_full", "read_share"),
    ("mount with `fast_mount`: bytes read / partition", "mount_fast",
     "read_share"),
    ("uniform overwrites: bytes programmed / payload byte",
     "overwrite_uniform", "programmed_per_payload"),
    ("90 % to 10 % of the keys: same", "overwrite_hot90",
     "programmed_per_payload"),
    ("uniform overwrites: bytes read a put", "overwrite_uniform",
     "read_bytes_per_put"),
    ("90 % to 10 % of the keys: same", "overwrite_hot90",
     "read_bytes_per_put"),
    ("uniform overwrites: erases a put", "overwrite_uniform",
     "erases_per_put"),
    ("90 % to 10 % of the keys: same", "overwrite_hot90", "erases_per_put"),
    ("mount: ms of the SPI NOR", "mount_full", "modelled_ms_spi"),
    ("mount with `fast_mount`: ms of the SPI NOR", "mount_fast",
     "modelled_ms_spi"),
    ("get: ns on a PC", "get_hit", "ns"),
    ("get of no such key: ns on a PC", "get_miss", "ns"),
    ("put, uniform: ns on a PC", "overwrite_uniform", "ns"),
    ("mount: ns a key on a PC", "mount_full", "ns_per_key"),
]
WEAR = [("fewest erases of a sector", "erases_min"),
        ("most", "erases_max"),
        ("mean", "erases_mean"),
        ("fewest / mean", "min_per_mean"),
        ("most / mean", "max_per_mean"),
        ("bytes programmed / payload byte", "programmed_per_payload")]
WORST_KINDS = [("idle", "idle between puts"),
               ("steps4", "never idle, `steps_per_write` 4"),
               ("busy", "never idle")]
WORST = [("erases", "erases"), ("steps", "steps"),
         ("copies", "entries copied"), ("modelled_ms_spi", "ms, SPI NOR"),
         ("modelled_ms_mcu", "ms, MCU"),
         ("programmed_per_payload", "bytes programmed / payload byte")]


class Figures:
    def __init__(self, figures, reference, limits):
        self.ours = self.read(figures)
        self.theirs = self.read(reference)
        self.limits, self.missed = {}, set()
        with open(limits, encoding="utf-8") as file:
            for line in file:
                match = re.match(r"(ok|FAILED)\s+(\S+) \S+, at (\w+) (\S+)$",
                                 line)
                if match:
                    sign = "≤" if match[3] == "most" else "≥"
                    self.limits[match[2]] = f"{sign} {match[4]}"
                    if match[1] == "FAILED":
                        self.missed.add(match[2])

    @staticmethod
    def read(name):
        with open(name, encoding="utf-8") as file:
            return dict(line.split() for line in file
                        if line.strip() and not line.startswith("#"))

    def our(self, name):
        """A figure, bold when it misses its limit."""
        name = "engine." + name
        value = self.ours.get(name, "")
        return f"**{shown(value)}**" if name in self.missed else shown(value)

    def their(self, name):
        return shown(self.theirs.get("reference." + name, ""))

    def limit(self, name):
        return self.limits.get("engine." + name, "")


def shown(value):
    """Three or four digits are enough to read."""
    if "." not in value:
        return value
    number = float(value)
    digits = 0 if number >= 100 else 1 if number >= 10 else 2
    return f"{number:.{4 if number < 0.1 else digits}f}"


def table(head, rows):
    lines = [head, ["---"] + ["--:"] * (len(head) - 1)] + rows
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def by_keys(figures):
    rows = []
    for text, workload, figure in BY_KEYS:
        names = [f"{workload}.n{keys}.{figure}" for keys in KEYS]
        rows.append([text] + [figures.our(name) for name in names])
        for what, cells in (("limit", [figures.limit(n) for n in names]),
                            ("pw_kvs", [figures.their(n) for n in names])):
            if any(cells):
                rows.append(["&emsp;*" + what + "*"] + cells)
    return table(["keys"] + [str(keys) for keys in KEYS], rows)


def wear(figures):
    rows = []
    for text, figure in WEAR:
        plain = f"hot10_static90.n1024.{figure}"
        restarts = f"hot10_static90_restarts.n1024.{figure}"
        rows.append([text, figures.our(plain), figures.our(restarts),
                     figures.limit(plain), figures.their(plain)])
    return table(["1024 keys, 40 sectors", "norkv", "mounted every 50 puts",
                  "limit", "pw_kvs"], rows)


def worst(figures):
    rows = []
    for kind, text in WORST_KINDS:
        for figure, unit in WORST:
            names = [f"worst_put_{kind}_f{fill}.n{keys}.{figure}"
                     for fill, keys in FILLS.items()]
            rows.append([f"{text}: {unit}"] +
                        [figures.our(name) for name in names] +
                        [figures.limit(names[0])])
    return table(["40 sectors, so much of them live"] +
                 [f"{fill} %" for fill in FILLS] + ["limit"], rows)


def size(figures):
    rows = []
    for name in figures.ours:
        match = re.match(r"engine\.(size\.(\w+)\.(\w+))$", name)
        if match:
            what = {"ram": "RAM", "text": "code and constants",
                    "stack": "stack"}[match[2]]
            rows.append([f"{what}: `{match[3]}`", figures.our(match[1]),
                         figures.limit(match[1]), figures.their(match[1])])
    return table(["Cortex-M0, `-Os`", "bytes", "limit", "pw_kvs"], rows)


def main():
    if len(sys.argv) != 5:
        sys.exit("usage: page.py FIGURES REFERENCE LIMITS PAGE")
    figures = Figures(*sys.argv[1:4])
    page = sys.argv[4]
    with open(page, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    lines = [BEGIN, ""] + by_keys(figures) + wear(figures) + worst(figures)
    lines += size(figures) + [END]
    with open(page, "w", encoding="utf-8") as file:
        file.write(before + "\n".join(lines) + after)


main()
