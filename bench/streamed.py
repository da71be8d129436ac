#!/usr/bin/env python3
"""Peak memory and speed of data larger than the memory that a run may take, beside the same rows held in memory.

    bench/streamed.py THALWEG FOLDER [images] [arrays] [table] [large] [repeats=3]

Makes 200,000 small PNG files in ten class folders, an NPY array of 5,000,000 x 50 numbers (1 GB), and a CSV table of
5,400,000 x 20 numbers and a class (1 GB) in FOLDER where they are not there yet; trains on them with
`data.memory=256MiB`, and with the same rows in memory in the same order, in turn. `large` is a table ten times as long,
which is only streamed, with 2060 MiB: its targets stay in memory. Prints for each run the time of the start (the first
one writes the cache), samples a second, the process's peak of resident memory, and the hash of the weights, which must
be the same in both.
"""

import array
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import time
import zlib

MEMORY, LARGE_MEMORY = "256MiB", "2060MiB"
IMAGES, SIDE, CLASSES = 200_000, 32, 10
ROWS, COLUMNS, BLOCK = 5_000_000, 50, 10_000
TABLE_ROWS, TABLE_COLUMNS = 5_400_000, 20


def png(pixels: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    lines = b"".join(b"\0" + pixels[y * SIDE * 3 : (y + 1) * SIDE * 3] for y in range(SIDE))
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 1)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def make_images(folder: pathlib.Path) -> None:
    n, rng = SIDE * SIDE * 3, random.Random(1)
    mask = int.from_bytes(b"\x3f" * n, "big")
    for c in range(CLASSES):
        own = folder / f"class{c}"
        own.mkdir(parents=True)
        base = int.from_bytes(bytes((x * (c + 3)) % 192 & 0xC0 for x in range(n)), "big")
        for i in range(IMAGES // CLASSES):
            pixels = (base | rng.getrandbits(8 * n) & mask).to_bytes(n, "big")
            (own / f"{i:05}.png").write_bytes(png(pixels))


def npy(path: pathlib.Path, kind: str, shape: str, blocks) -> None:
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}"
    head = head.ljust(117) + "\n"
    with open(path, "wb") as out:
        out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        for block in blocks:
            out.write(block)


def make_arrays(folder: pathlib.Path) -> None:
    folder.mkdir()
    rng = random.Random(2)
    rows = array.array("f", (rng.gauss(0, 1) for _ in range(BLOCK * COLUMNS))).tobytes()
    values = array.array("f", rows)
    labels = bytes(int(values[i * COLUMNS] > 0) + 2 * int(values[i * COLUMNS + 1] > 0) for i in range(BLOCK))
    turns = [rng.randrange(BLOCK) for _ in range(ROWS // BLOCK)]
    row = 4 * COLUMNS
    npy(folder / "x.npy", "<f4", f"{ROWS}, {COLUMNS}", (rows[t * row :] + rows[: t * row] for t in turns))
    npy(folder / "y.npy", "|u1", f"{ROWS},", (labels[t:] + labels[:t] for t in turns))


def make_table(path: pathlib.Path, times: int = 1) -> None:
    rng, blocks = random.Random(3), TABLE_ROWS * times // BLOCK
    rows = []
    for _ in range(BLOCK):
        values = [rng.gauss(0, 1) for _ in range(TABLE_COLUMNS)]
        label = int(values[0] > 0) + 2 * int(values[1] * values[2] > 0)
        rows.append(",".join(f"{v:.6f}" for v in values) + f",class{label}\n")
    part = path.with_suffix(".part")
    with open(part, "w") as out:
        out.write(",".join(f"x{i}" for i in range(TABLE_COLUMNS)) + ",y\n")
        for _ in range(blocks):
            turn = rng.randrange(BLOCK)
            out.writelines(rows[turn:] + rows[:turn])
    part.rename(path)


def make_large(path: pathlib.Path) -> None:
    make_table(path, 10)


def train(thalweg: str, folder: pathlib.Path, name: str, words: list) -> dict:
    run = folder / f"run-{name}"
    memory = LARGE_MEMORY if name.startswith("large") else MEMORY
    command = [thalweg, "train", *words, f"data.memory={memory}", "--run-dir", run, "--overwrite", "-q"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    started = time.time()
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.time() - started
    if status:
        sys.exit(f"{name}: status {status}")
    summary = json.loads((run / "summary.json").read_text())
    rate, peak = summary["samples_per_second"], usage.ru_maxrss / 1024
    start, weights = seconds - summary["seconds"], summary["weights_sha256"]
    print(f"{name:16} start {start:6.1f} s  {rate:9.0f} samples/s  peak {peak:7.1f} MiB  {weights[:12]}", flush=True)
    return {"rate": rate, "weights": weights}


def main() -> None:
    thalweg, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    chosen = [word for word in sys.argv[3:] if "=" not in word] or ["images", "arrays"]
    repeats = int(next((word.split("=")[1] for word in sys.argv[3:] if "=" in word), 3))
    parts = ["data.valid=0.02", "data.test=0.02", "baselines=false"]
    numbers = ["model=mlp-64-64", "batch=256", "steps=20000", *parts]
    kinds = {
        "images": (make_images, "images", ["model=mlp-64", "batch=64", "steps=6000", *parts]),
        "arrays": (make_arrays, "arrays/x.npy", numbers),
        "table": (make_table, "table.csv", numbers),
        "large": (make_large, "large.csv", numbers),
    }
    for kind in chosen:
        make, source, words = kinds[kind]
        made = folder / pathlib.Path(source).parts[0]
        if not made.exists():
            make(made)
        words = [f"data={folder / source}", *words]
        found = {"streamed": [], "held": []}
        for _ in range(repeats):
            found["streamed"].append(train(thalweg, folder, f"{kind}-streamed", words))
            if kind != "large":
                held = ["data.stream=false", "data.shuffle=blocks"]
                found["held"].append(train(thalweg, folder, f"{kind}-held", words + held))
        if not found["held"]:
            continue
        best = {how: max(run["rate"] for run in runs) for how, runs in found.items()}
        weights = {run["weights"] for runs in found.values() for run in runs}
        same = "the same weights" if len(weights) == 1 else "DIFFERENT WEIGHTS"
        print(f"{kind}: streamed {best['streamed'] / best['held']:.2f} x the speed of held, {same}")


if __name__ == "__main__":
    main()
