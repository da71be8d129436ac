"""The best matrix product that PyTorch, NumPy and JAX reach on this machine, in GFLOP/s."""

import argparse
import json
import os
import time

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--seconds", type=float, default=0.3, help="per shape")
args = parser.parse_args()
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = str(args.threads)  # NumPy reads these when it is loaded
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])  # XLA reads this

import numpy as np  # noqa: E402
import torch  # noqa: E402

try:
    import jax
except ImportError:
    jax = None

torch.set_num_threads(args.threads)
SQUARES = [(n, n, n) for n in (256, 512, 1024, 2048, 4096)]
# (m, k, n) of the three products of a linear layer, batch 128
TRAINING = [(128, 784, 500), (128, 500, 500), (500, 128, 500), (784, 128, 512), (128, 512, 512)]


def best_gflops(product, shape):
    """Largest rate over repeated calls: the machine's ceiling, not its average."""
    m, k, n = shape
    product()
    fastest, end = float("inf"), time.perf_counter() + args.seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        product()
        fastest = min(fastest, time.perf_counter() - start)
    return 2 * m * k * n / fastest / 1e9


def products(a, b, out):
    """name -> function that fills or returns a @ b; JAX only if it is installed."""
    ta, tb, tout = (torch.from_numpy(x) for x in (a, b, out))
    found = {
        "torch": ("highest", lambda: torch.mm(ta, tb, out=tout)),
        "torch-onednn": ("medium", lambda: torch.mm(ta, tb, out=tout)),
        "numpy": ("highest", lambda: np.matmul(a, b, out=out)),
    }
    if jax is not None:
        ja, jb, mm = jax.numpy.asarray(a), jax.numpy.asarray(b), jax.jit(lambda a, b: a @ b)
        found["jax"] = ("highest", lambda: jax.block_until_ready(mm(ja, jb)))
    return found


def main():
    best = 0.0
    for shape in SQUARES + TRAINING:
        m, k, n = shape
        a, b = np.random.randn(m, k).astype("f4"), np.random.randn(k, n).astype("f4")
        out = np.empty((m, n), "f4")
        exact = a.astype("f8") @ b.astype("f8")
        for peer, (precision, product) in products(a, b, out).items():
            torch.set_float32_matmul_precision(precision)
            rate = best_gflops(product, shape)
            result = np.asarray(product()) if peer == "jax" else out
            error = float(np.abs(result - exact).max() / k**0.5)
            best = max(best, rate)
            line = {"peer": peer, "matmul": [m, k, n], "gflops": round(rate, 1), "error_over_sqrt_k": error}
            print(json.dumps(line), flush=True)
    print(json.dumps({"peer": "best", "gflops": round(best, 1)}))


if __name__ == "__main__":
    main()
