#!/usr/bin/env python3
"""Puts the line's figures into docs/performance.md, between their two markers.

page_line.py FIGURES LIMITS PAGE

FIGURES holds lines "NAME VALUE", LIMITS what test_line --all printed.
"""
import re
import sys

BEGIN = "<!-- line: begin -->"
END = "<!-- line: end -->"


def read_limits(name):
    """{figure: (limit, whether it is met)}, the last of a figure's."""
    limits = {}
    with open(name, encoding="utf-8") as file:
        for line in file:
            match = re.match(r"(ok|FAILED)\s+(\S+) \S+, at (\w+) (\S+)$", line)
            if match:
                sign = "≤" if match[3] == "most" else "≥"
                limits[match[2]] = (f"{sign} {match[4]}", match[1] == "ok")
    return limits


def shown(value):
    return value if "." not in value else f"{float(value):.1f}"


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: page_line.py FIGURES LIMITS PAGE")
    limits = read_limits(sys.argv[2])
    rows = ["| figure | | limit |", "| --- | --: | --: |"]
    with open(sys.argv[1], encoding="utf-8") as file:
        for line in file:
            name, value = line.split()
            limit, is_met = limits.get(name, ("", True))
            text = shown(value) if is_met else f"**{shown(value)}**"
            rows.append(f"| `{name.removeprefix('line.')}` | {text} | {limit} |")
    with open(sys.argv[3], encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(sys.argv[3], "w", encoding="utf-8") as file:
        file.write("\n".join([before + BEGIN, "", *rows, "", END + after]))


main()
