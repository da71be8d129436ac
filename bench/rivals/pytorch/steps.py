"""Whole training steps in PyTorch, each setting timed apart."""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from common import arguments, emit, time_blocks  # noqa: E402

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

# name -> (Adam's options, what is compiled, float32 matmul precision)
# "medium" lets oneDNN do the products. On processors other than Intel's that can be the only way to
# AVX-512, since MKL then keeps to AVX2. It also *permits* bfloat16; `matmul.py` prints the error.
# "mkl512" settings run in a second process, in which MKL is told that the processor is Intel's.
SETTINGS = {
    "default": ({}, None, "highest"),
    "foreach": ({"foreach": True}, None, "highest"),
    "fused": ({"fused": True}, None, "highest"),
    "compile": ({"fused": True}, "model", "highest"),
    "compile-cpp": ({"fused": True}, "model-cpp", "highest"),
    "compile-all": ({"foreach": True}, "all", "highest"),
    "fused-onednn": ({"fused": True}, None, "medium"),
    "compile-onednn": ({"fused": True}, "model", "medium"),
    "fused-mkl512": ({"fused": True}, None, "highest"),
    "compile-mkl512": ({"fused": True}, "model", "highest"),
}
N_BATCHES = 8


def build(case):
    layers = []
    pairs = list(zip(case.widths[:-1], case.widths[1:]))
    for i, (n_in, n_out) in enumerate(pairs):
        layers.append(torch.nn.Linear(n_in, n_out))
        if i + 1 < len(pairs):
            if case.batch_norm:
                layers.append(torch.nn.BatchNorm1d(n_out))
            layers.append(torch.nn.ReLU())
    return torch.nn.Sequential(*layers)


def make_runner(case, setting):
    """A function of n that runs n whole steps."""
    options, compiled, precision = SETTINGS[setting]
    torch.set_float32_matmul_precision(precision)
    torch.manual_seed(1)
    model = build(case)
    opt = torch.optim.Adam(model.parameters(), lr=1e-3, **options)
    xs = [torch.randn(case.batch, case.widths[0]) for _ in range(N_BATCHES)]
    ys = [torch.randint(0, case.widths[-1], (case.batch,)) for _ in range(N_BATCHES)]
    batches = list(zip(xs, ys))

    def loss_of(x, y):
        return F.cross_entropy(model(x), y)

    update = opt.step
    if compiled:
        torch._dynamo.reset()
        import torch._inductor.config as inductor

        inductor.cpp_wrapper = compiled == "model-cpp"
        loss_of = torch.compile(loss_of)
        if compiled == "all":
            update = torch.compile(opt.step)

    def run(n):
        for i in range(n):
            x, y = batches[i % N_BATCHES]
            opt.zero_grad(set_to_none=True)
            loss_of(x, y).backward()
            update()

    return run


def preload_shim():
    """Builds the library that answers MKL's question about the processor's maker; returns its path."""
    source = pathlib.Path(__file__).with_name("mkl512.c")
    shim = pathlib.Path(tempfile.gettempdir()) / f"thalweg-mkl512-{os.getuid()}.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source], check=True)
    return shim


def main():
    args = arguments(list(SETTINGS))
    torch.set_num_threads(args.threads)
    here = [s for s in args.settings if "mkl512" not in s or "thalweg-mkl512" in os.environ.get("LD_PRELOAD", "")]
    apart = [s for s in args.settings if s not in here]
    for case in args.cases:
        for setting in here:
            blocks = time_blocks(make_runner(case, setting), args.seconds)
            emit("pytorch", setting, case.name, blocks, version=torch.__version__)
    if apart:
        command = [sys.executable, __file__, "--settings", ",".join(apart)]
        command += ["--threads", str(args.threads), "--seconds", str(args.seconds)]
        command += [word for case in args.cases for word in ("--case", case.name)]
        subprocess.run(command, check=True, env=os.environ | {"LD_PRELOAD": str(preload_shim())})


if __name__ == "__main__":
    main()
