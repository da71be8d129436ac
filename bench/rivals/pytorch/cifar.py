"""CIFAR-10 with ResNet-20 in PyTorch as a whole process: load the binary files, train, evaluate, exit.

    python cifar.py FOLDER [--threads 2] [--epochs 1] [--layout last|first] [--compile] [--no-augment]

FOLDER holds data_batch_1.bin to data_batch_5.bin and test_batch.bin. Images stay bytes; a batch is indexed, cropped
after padding by 4, flipped and color-jittered (AlexNet's principal components) as one tensor. Prints one JSON line.
"""

import argparse
import json
import pathlib
import resource
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from common import parse_case  # noqa: E402

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from networks import build  # noqa: E402

BATCH, PADDING = 128, 4


def load(folder, pattern):
    """Images [N, 3, 32, 32] as bytes, labels [N]."""
    rows = np.concatenate([np.fromfile(path, np.uint8).reshape(-1, 3073) for path in sorted(folder.glob(pattern))])
    return torch.from_numpy(rows[:, 1:].reshape(-1, 3, 32, 32)), torch.from_numpy(rows[:, 0].astype(np.int64))


def moments(x):
    """Mean and deviation of each channel, and the principal components of colors, times their variances."""
    n, total, square = 0, torch.zeros(3), torch.zeros(3, 3)
    for part in x.split(1000):
        colors = part.float().div(255).permute(0, 2, 3, 1).reshape(-1, 3)
        n, total, square = n + len(colors), total + colors.sum(0), square + colors.T @ colors
    mean = total / n
    covariance = square / n - mean.outer(mean)
    values, vectors = torch.linalg.eigh(covariance)
    return mean.view(3, 1, 1), covariance.diag().sqrt().view(3, 1, 1), vectors * values


def augment(x, components):
    """Crop after padding, flip, color jitter of standard deviation 0.1; x: [B, 3, 32, 32] of floats in [0, 1]."""
    n = len(x)
    dx, dy = torch.randint(0, 2 * PADDING + 1, (2, n))
    windows = F.pad(x, (PADDING,) * 4).unfold(2, 32, 1).unfold(3, 32, 1)
    x = windows[torch.arange(n), :, dy, dx]
    flip = torch.rand(n) < 0.5
    x = torch.where(flip.view(-1, 1, 1, 1), x.flip(3), x)
    return x + (torch.randn(n, 3) * 0.1 @ components.T).view(-1, 3, 1, 1)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--epochs", type=int, default=1)
    p.add_argument("--layout", choices=["first", "last"], default="last")
    p.add_argument("--compile", action="store_true")
    p.add_argument("--no-augment", action="store_true")
    args = p.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(args.threads)
    layout = torch.channels_last if args.layout == "last" else torch.contiguous_format

    x, y = load(args.folder, "data_batch_*.bin")
    x_test, y_test = load(args.folder, "test_batch.bin")
    mean, deviation, components = moments(x)
    model = build(parse_case(f"resnet20-b{BATCH}")).to(memory_format=layout)
    opt = torch.optim.SGD(model.parameters(), 0.1, 0.9, weight_decay=1e-4, fused=True)
    forward = torch.compile(model) if args.compile else model

    def ready(images, train):
        images = images.float().div_(255)
        if train and not args.no_augment:
            images = augment(images, components)
        return ((images - mean) / deviation).to(memory_format=layout)

    epochs = []
    for _ in range(args.epochs):
        start = time.perf_counter()
        for rows in torch.randperm(len(x)).split(BATCH):
            opt.zero_grad(set_to_none=True)
            F.cross_entropy(forward(ready(x[rows], True)), y[rows]).backward()
            opt.step()
        epochs.append(time.perf_counter() - start)
    model.eval()
    with torch.inference_mode():
        right = sum(
            (model(ready(xb, False)).argmax(1) == yb).sum().item()
            for xb, yb in zip(x_test.split(256), y_test.split(256))
        )
    print(json.dumps({
        "peer": "pytorch", "case": "cifar10-resnet20-b128", "version": torch.__version__,
        "setting": args.layout + ("-compile" if args.compile else ""),
        "accuracy": right / len(y_test), "epoch_secs": epochs,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))


if __name__ == "__main__":
    main()
