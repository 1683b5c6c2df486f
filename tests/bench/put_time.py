#!/usr/bin/env python3
"""Times `norkv put` of one value, from the start of the process to its end,
over TCP on the simulator: the median in milliseconds.

put_time.py NORKV_SIM NORKV
"""
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 51


def put(norkv, port, number):
    begun = time.perf_counter()
    subprocess.run([norkv, "--port", port, "put", "key", f"value {number}"],
                   check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - begun) * 1000


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: put_time.py NORKV_SIM NORKV")
    sim, norkv = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        flash = pathlib.Path(folder) / "flash.bin"
        device = subprocess.Popen(
            [sim, "--flash", flash, "--tcp", "127.0.0.1:0"], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            port = device.stdout.readline().removeprefix("listening on ")
            times = [put(norkv, port.strip(), i) for i in range(RUNS)]
        finally:
            device.terminate()
            device.wait()
    print(f"line.norkv_put.tcp.median_ms {statistics.median(times):.2f}")


main()
