"""Turns a tree of CIFAR-10 images (`train/CLASS/*`, `test/CLASS/*`) into the binary files that every peer reads.

    python cifar_binary.py TREE FOLDER        # needs pillow and numpy
"""

import pathlib
import sys

import numpy as np
from PIL import Image

TRAIN_FILES = 5


def records(part):
    """[N, 3073]: the label (the class's place in the alphabet), then the red, green and blue plane."""
    rows = []
    for label, folder in enumerate(sorted(p for p in part.iterdir() if p.is_dir())):
        for path in sorted(folder.iterdir()):
            planes = np.asarray(Image.open(path).convert("RGB")).transpose(2, 0, 1)
            rows.append(np.concatenate([[label], planes.reshape(-1)]).astype(np.uint8))
    return np.stack(rows)[np.random.default_rng(0).permutation(len(rows))]


def main():
    tree, folder = map(pathlib.Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    for i, rows in enumerate(np.array_split(records(tree / "train"), TRAIN_FILES), 1):
        rows.tofile(folder / f"data_batch_{i}.bin")
    records(tree / "test").tofile(folder / "test_batch.bin")


if __name__ == "__main__":
    main()
