"""MNIST in PyTorch as a whole process: load the gz files, one epoch of 784-512-512-10, evaluate, exit.

    python mnist.py FOLDER [--threads 2] [--epochs 1] [--dataloader WORKERS] [--fast-matmul] [--compile]

Without `--dataloader`, batches are taken from tensors in memory by a random permutation. Prints one JSON line.
"""

import time

STARTED = time.perf_counter()  # before the imports, which are part of the process

import argparse  # noqa: E402
import gzip  # noqa: E402
import json  # noqa: E402
import pathlib  # noqa: E402
import resource  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

BATCH = 128


def read_idx(path, offset):
    with gzip.open(path) as f:
        return np.frombuffer(f.read(), np.uint8, offset=offset)


def load(folder, part):
    x = read_idx(folder / f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    y = read_idx(folder / f"{part}-labels-idx1-ubyte.gz", 8)
    return torch.from_numpy(x.astype(np.float32) / 255), torch.from_numpy(y.astype(np.int64))


def batches_in_memory(x, y):
    for rows in torch.randperm(len(x)).split(BATCH):
        yield x[rows], y[rows]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--epochs", type=int, default=1)
    p.add_argument("--dataloader", type=int, metavar="WORKERS")
    p.add_argument("--fast-matmul", action="store_true", help="float32 matmul precision `medium`")
    p.add_argument("--compile", action="store_true")
    args = p.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(args.threads)
    torch.set_float32_matmul_precision("medium" if args.fast_matmul else "highest")

    x, y = load(args.folder, "train")
    x_test, y_test = load(args.folder, "t10k")
    model = torch.nn.Sequential(
        torch.nn.Linear(784, 512), torch.nn.ReLU(),
        torch.nn.Linear(512, 512), torch.nn.ReLU(),
        torch.nn.Linear(512, 10),
    )
    opt = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    forward = torch.compile(model) if args.compile else model
    loader = None
    if args.dataloader is not None:
        loader = DataLoader(TensorDataset(x, y), BATCH, shuffle=True, num_workers=args.dataloader)

    first_step, epochs = None, []
    for _ in range(args.epochs):
        start = time.perf_counter()
        for xb, yb in loader if loader is not None else batches_in_memory(x, y):
            opt.zero_grad(set_to_none=True)
            F.cross_entropy(forward(xb), yb).backward()
            opt.step()
            first_step = first_step or time.perf_counter() - STARTED
        epochs.append(time.perf_counter() - start)
    with torch.no_grad():
        right = (model(x_test).argmax(1) == y_test).sum().item()
    print(json.dumps({
        "peer": "pytorch", "case": "mnist-784-512-512-10-b128", "version": torch.__version__,
        "setting": "in-memory" if loader is None else f"dataloader-{args.dataloader}",
        "accuracy": right / len(y_test), "epoch_secs": epochs, "to_first_step_secs": first_step,
        "process_secs": time.perf_counter() - STARTED,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "peak_workers_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }))


if __name__ == "__main__":
    main()
