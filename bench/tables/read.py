#!/usr/bin/env python3
"""Seconds to read a CSV table of 1,000,000 x 20 numbers, ours and polars' in turn, each in a process of its own.

    cargo bench -p thalweg-data --bench read --no-run      # prints the path of the program
    python3 bench/tables/read.py PROGRAM [--rounds 11] [--rows 1000000] [--columns 20]

polars (pip install polars) runs on one thread with types inferred from all rows, and with types inferred from the first 100, the
default. The file is read once before the first round, so that it is in the cache of the system. Ours is the time to a data set that
is ready to train on: typed columns, roles, inputs in single precision.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile

POLARS = """
import sys, time, polars
started = time.perf_counter()
polars.read_csv(sys.argv[1], infer_schema_length=eval(sys.argv[2]))
print(time.perf_counter() - started)
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "numbers.csv")
        rng = random.Random(0)
        with open(path, "w") as file:
            file.write(",".join(f"c{i}" for i in range(args.columns)) + "\n")
            for _ in range(args.rows):
                file.write(",".join(f"{rng.gauss(0, 1):.6f}" for _ in range(args.columns)) + "\n")
        environment = {**os.environ, "POLARS_MAX_THREADS": "1", "THALWEG_TABLE": path}

        def ours():
            out = subprocess.run([args.program, "--bench"], env=environment, capture_output=True, text=True, check=True)
            return json.loads(out.stdout)["seconds"]

        def polars(length):
            command = [sys.executable, "-c", POLARS, path, length]
            return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

        peers = {"thalweg": ours, "polars, all rows": lambda: polars("None"), "polars, 100 rows": lambda: polars("100")}
        seconds = {name: [] for name in peers}
        for _ in range(args.rounds + 1):
            for name, peer in peers.items():
                seconds[name].append(peer())
        medians = {name: statistics.median(all[1:]) for name, all in seconds.items()}
        for name, median in medians.items():
            print(f"{name:18} {median:7.3f} s   {median / medians['thalweg']:.2f} of ours")


main()
