"""What every Python peer shares: case names, block timing, the JSON line."""

import argparse
import json
import time
from dataclasses import dataclass, field

CASES = [
    "mlp-784-128-10-b64",
    "mlp-784-512-512-10-b128",
    "mlp-784-10x500-10-b128",
    "mlp-784-10x500-10-b128-bn",
]
# Networks on images -> the shape (channels, height, width) of a sample.
IMAGES = {
    "resnet20": (3, 32, 32),
    "2c2d": (1, 28, 28),
    "cnn-1-32-64": (1, 28, 28),
    "vgg16bn": (3, 32, 32),
}
BLOCK_SECS = 0.05


@dataclass
class Case:
    """A training step of an MLP (layer widths, batch norm before each ReLU) or of a network on images."""

    name: str
    network: str = "mlp"
    batch: int = 0
    widths: list = field(default_factory=list)
    batch_norm: bool = False
    forward: bool = False  # evaluation mode, no gradients

    @property
    def sample(self):
        return IMAGES.get(self.network) or (self.widths[0],)

    @property
    def classes(self):
        return self.widths[-1] if self.widths else 10


def parse_case(name):
    """`mlp-784-10x500-10-b128-bn` -> widths [784, 500 * 10, 10], batch 128, batch norm.

    `resnet20-b128`, `resnet20-forward-b256` -> the network, the batch, whether only forward.
    """
    if network := next((n for n in IMAGES if name.startswith(n + "-")), None):
        *rest, batch = name.removeprefix(network + "-").split("-")
        return Case(name, network, int(batch.removeprefix("b")), forward="forward" in rest)
    kind, *tokens = name.split("-")
    if kind != "mlp":
        raise SystemExit(f"error: case `{name}`: expected `mlp-...`, or one of {', '.join(IMAGES)}")
    case = Case(name)
    for token in tokens:
        if token == "bn":
            case.batch_norm = True
        elif token.startswith("b"):
            case.batch = int(token[1:])
        elif "x" in token:
            count, width = token.split("x")
            case.widths += [int(width)] * int(count)
        else:
            case.widths.append(int(token))
    return case


def time_blocks(run, seconds, steps_per_call=1):
    """Milliseconds per step, one number per block of about 50 ms.

    `run(n)` makes n calls of `steps_per_call` whole steps and returns when the last has finished.
    """
    run(3)  # first calls: allocation, compilation
    n = 1
    while (first := seconds_of(run, n)) < BLOCK_SECS / 2:
        n *= 2
    fastest = first if first > BLOCK_SECS else min(seconds_of(run, n) for _ in range(8))
    n = max(1, round(n * BLOCK_SECS / fastest))
    blocks, end = [], time.perf_counter() + seconds
    while len(blocks) < 5 or time.perf_counter() < end:
        blocks.append(seconds_of(run, n) * 1e3 / (n * steps_per_call))
    return blocks


def seconds_of(run, n):
    start = time.perf_counter()
    run(n)
    return time.perf_counter() - start


def emit(peer, setting, case, blocks, **more):
    """Prints the line that the harness reads."""
    line = {"peer": peer, "setting": setting, "case": case, "ms": [round(b, 5) for b in blocks], **more}
    print(json.dumps(line), flush=True)


def arguments(settings):
    """The options all peers understand."""
    p = argparse.ArgumentParser()
    p.add_argument("--case", action="append", help="may be repeated; default: all four")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seconds", type=float, default=3.0, help="measured time per case and setting")
    p.add_argument("--settings", default=",".join(settings), help="comma separated")
    args = p.parse_args()
    args.cases = [parse_case(c) for c in args.case or CASES]
    args.settings = args.settings.split(",")
    unknown = [s for s in args.settings if s not in settings]
    if unknown:
        raise SystemExit(f"error: unknown setting `{unknown[0]}`; there are {', '.join(settings)}")
    return args
