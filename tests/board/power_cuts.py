#!/usr/bin/env python3
"""Cuts the power of a board's running firmware before, and in the middle of,
flash operations, starts the firmware on what is left on the flash, and checks
over the wire that nothing that was acknowledged is lost.

power_cuts.py BOARD NORKV [--cuts N] [--seed N] [--elf FILE] [--keep FOLDER]
power_cuts.py BOARD NORKV --replay FOLDER [--elf FILE]

  --cuts N       so many cuts, spread over the workload; 300
  --seed N       another workload, other cuts; 1
  --elf FILE     another firmware than that of the board's build
  --keep FOLDER  where cuts that fail are left, a folder each; the board's build
                 folder has them else
  --replay       checks one of those again

One run of the workload, in the real norkv over the real line, is stopped before
many flash operations (stopped_run.py). The power fails there: not done, done in
part, sectors half erased (flash_cuts.py). Of each cut (cut_check.py)

  - norkv image check finds no loss;
  - the firmware starts, and has for each key the value acknowledged last, or
    the one that it was asked for and had not acknowledged; and no other keys;
  - it takes further puts and deletes, and has then what they say (norkv diff,
    so that all values need not come over the line once more);
  - so does norkv image, in the flash that it leaves;
  - QEMU logged nothing that the chip does not allow (guest_errors).
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import sys

import support
from support import ROOT, qemu_board

import boards_stopped
from cut_check import Checker, hex_of, put
from flash_cuts import Operation
from stopped_run import Client, StoppedRun
from wire_ledger import Ledger

# How far live data fill the flash.
FILL = 0.45
# Header, key and padding of an entry.
OVERHEAD = 28
# The workload writes the store so many times over, from erased; collection goes
# round all sectors so many times at least.
FILLS, ROUNDS = 3.5, 2
# Stops for each cut: which of them are cut is chosen afterwards.
SPARE_STOPS = 3
STOPS_AT_ONCE = 24
IDLE_EVERY = 50
IDLE_S = 0.4


class Workload:
    """Puts, overwrites and deletes of keys of one store."""

    def __init__(self, statistics, value_max, chooser):
        entry = OVERHEAD + value_max // 2
        room = statistics["sector_size"] * statistics["sector_count"]
        keys = int(room * FILL / statistics["copies"] / entry)
        self.keys = min(keys, statistics["max_keys"] - 4)
        self.writes = int(room * FILLS / statistics["copies"] / entry)
        self.value_max, self.chooser = value_max, chooser
        self.values = {}

    def next_command(self):
        key = b"key %02d" % self.chooser.randrange(self.keys)
        if key in self.values and self.chooser.random() < 0.1:
            del self.values[key]
            return f"del '{key.decode()}'"
        self.values[key] = self.chooser.randbytes(
            self.chooser.randrange(self.value_max + 1))
        return put(key, self.values[key])


class Recording:
    """One run of the workload, and its stops."""

    def __init__(self, options, chooser):
        self.options, self.chooser = options, chooser
        self.ledger = Ledger()
        self.statistics = None
        self.stops = []

    def run(self):
        board = boards_stopped.BOARDS[self.options.board]
        with qemu_board.Machine(self.options.board, board.NEW_FLASH,
                                self.options.elf, "unix") as machine:
            stopped, client = board(machine), Client(self.options.norkv)
            try:
                self.work(StoppedRun(stopped, client, self.ledger))
            finally:
                client.close()
                stopped.close()
            machine.check_guest()

    def work(self, run):
        self.stops = run.stops
        run.stop_at_next(0)
        statistics = self.ask_statistics(run)
        workload = Workload(statistics, run.board.VALUE_MAX, self.chooser)
        windows = self.windows(workload)
        for number in range(workload.writes):
            if number in windows:
                run.stop_at_next(STOPS_AT_ONCE)
            run.client.give(workload.next_command())
            self.expect(run, lambda: self.ledger.requests > number
                        and not self.ledger.pending)
            if number % IDLE_EVERY == 0:
                # Idle work is stopped at as well, as far as there is any.
                run.until(lambda: False, IDLE_S)
        self.statistics = self.ask_statistics(run)
        self.check(workload)

    def windows(self, workload):
        """Before which writes the run is told to stop at what follows."""
        count = -(-self.options.cuts * SPARE_STOPS // STOPS_AT_ONCE)
        return set(self.chooser.sample(range(workload.writes),
                                       min(count, workload.writes)))

    def ask_statistics(self, run):
        run.output = b""
        run.client.give("stats")

        def answers():
            return [line for line in run.output.splitlines(keepends=True)
                    if b'"erases"' in line and line.endswith(b"\n")]

        self.expect(run, answers)
        return json.loads(answers()[0])

    @staticmethod
    def expect(run, condition):
        if not run.until(condition) or run.client.process.poll() is not None:
            sys.exit("power_cuts: the workload came to an end: " +
                     run.client.last_words())

    def check(self, workload):
        there = {key: value for key, value in self.ledger.acknowledged.items()
                 if value is not None}
        rounds = self.statistics["erases"] / self.statistics["sector_count"]
        if there != workload.values or self.ledger.refused:
            sys.exit("power_cuts: the line's bytes do not say what was written")
        if rounds < ROUNDS:
            sys.exit(f"power_cuts: collection went round {rounds:.1f} times")


def geometry(statistics):
    """Options of norkv image for a store."""
    return ["--sector-size", str(statistics["sector_size"]),
            "--program-unit", str(statistics["program_unit"]),
            "--copies", str(statistics["copies"]),
            "--max-keys", str(statistics["max_keys"])]


class Cut:
    """One way in which the power fails in one operation."""

    def __init__(self, stop, operation, way, seed):
        self.stop, self.operation, self.way, self.seed = \
            stop, operation, way, seed
        self.name = f"{stop.number}-{'erase' if operation.erase else 'program'}"
        self.name += f"-{way}"

    def image(self):
        return self.operation.image(self.way, random.Random(self.seed))


def choose_cuts(stops, statistics, options, chooser):
    """Erases first, as there are fewer; then programs, all ways in turn."""
    cuts = []
    for stop in stops:
        operation = Operation(stop.before, stop.after,
                              statistics["sector_size"])
        cuts += [Cut(stop, operation, way, chooser.getrandbits(32))
                 for way in operation.ways()]
    chooser.shuffle(cuts)
    erases = [cut for cut in cuts if cut.operation.erase]
    programs = [cut for cut in cuts if not cut.operation.erase]
    erases = erases[:options.cuts // 3]
    return erases + programs[:options.cuts - len(erases)], len(cuts)


def keep(cut, checker, problems, folder):
    folder = folder / cut.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "image").write_bytes(cut.image())
    (folder / "before").write_bytes(cut.stop.before)
    (folder / "after").write_bytes(cut.stop.after)
    allowed = {key.hex(): [hex_of(value) for value in values]
               for key, values in cut.stop.allowed.items()}
    unclear = cut.operation.unclear()
    (folder / "cut.json").write_text(json.dumps(
        {"allowed": allowed, "geometry": checker.geometry,
         "unclear": unclear and [unclear.start, unclear.stop],
         "seed": cut.seed, "problems": problems}, indent=1))
    return folder


class Result:
    """What became of the cuts."""

    def __init__(self, checker, options):
        self.checker, self.options = checker, options
        self.checked, self.failed = 0, 0

    def check_all(self, cuts):
        jobs = len(os.sched_getaffinity(0))
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for cut, problems in zip(cuts, pool.map(self.check, cuts)):
                self.checked += 1
                if problems:
                    self.failed += 1
                    self.tell(cut, problems)

    def check(self, cut):
        return self.checker.problems(cut.image(), cut.stop.allowed,
                                     cut.operation.unclear(),
                                     random.Random(cut.seed))

    def tell(self, cut, problems):
        folder = keep(cut, self.checker, problems, self.options.keep)
        print(f"FAILED {cut.name}", *problems, sep="\n    ")
        print(f"    again: tests/board/power_cuts.py {self.options.board} "
              f"{self.options.norkv} --replay {folder}", flush=True)


def write_results(options, points, cuts, ways, result):
    """For tests/summary (tests/support/results.h)."""
    path = os.environ.get("NORKV_RESULTS")
    if path is None:
        return
    stops = len({cut.stop.number for cut in cuts})
    figures = [points, stops, ways, len(cuts), result.checked, 0, 0, 0, 0, 0,
               0, result.failed, 0]
    line = "\t".join(["cuts", f"firmware on {options.board}",
                      *map(str, figures)])
    with open(path, "a", encoding="ascii") as file:
        file.write(f"begin\n{line}\nend\n")


def replay(options):
    kept = json.loads((options.replay / "cut.json").read_text())
    allowed = {bytes.fromhex(key): {None if value is None
                                    else bytes.fromhex(value)
                                    for value in values}
               for key, values in kept["allowed"].items()}
    checker = Checker(options.board, options.norkv, options.elf,
                      kept["geometry"])
    problems = checker.problems((options.replay / "image").read_bytes(),
                                allowed, kept["unclear"] and
                                range(*kept["unclear"]),
                                random.Random(kept["seed"]))
    print(*problems or ["nothing is wrong"], sep="\n")
    return bool(problems)


def cut_power(options):
    chooser = random.Random(options.seed)
    recording = Recording(options, chooser)
    recording.run()
    statistics = recording.statistics
    cuts, ways = choose_cuts(recording.stops, statistics, options, chooser)
    result = Result(Checker(options.board, options.norkv, options.elf,
                            geometry(statistics)), options)
    result.check_all(cuts)
    points = statistics["erases"] + \
        statistics["bytes_programmed"] // statistics["program_unit"]
    print(f"{options.board}: {len(cuts)} cuts at "
          f"{len({cut.stop.number for cut in cuts})} operations of {points} "
          f"({sum(cut.operation.erase for cut in cuts)} in erases), seed "
          f"{options.seed}: {result.failed} failed")
    write_results(options, points, cuts, ways, result)
    return result.failed > 0


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("board", choices=sorted(boards_stopped.BOARDS))
    parser.add_argument("norkv")
    parser.add_argument("--cuts", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--elf", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--replay", type=pathlib.Path)
    options = parser.parse_args()
    if options.elf is None:
        support.need(options.board)
    if options.keep is None:
        options.keep = ROOT / "build" / options.board / "power_cuts"
    try:
        return replay(options) if options.replay else cut_power(options)
    except qemu_board.QemuError as error:
        return f"power_cuts: {error}"


sys.exit(main())
