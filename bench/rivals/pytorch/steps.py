"""Whole training steps in PyTorch, each setting timed apart."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from common import arguments, emit, time_blocks  # noqa: E402

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

# name -> (Adam's options, what is compiled, float32 matmul precision)
# "medium" lets oneDNN do the products. On processors other than Intel's that can be the only way to
# AVX-512, since MKL then keeps to AVX2. It also *permits* bfloat16; `matmul.py` prints the error.
SETTINGS = {
    "default": ({}, None, "highest"),
    "foreach": ({"foreach": True}, None, "highest"),
    "fused": ({"fused": True}, None, "highest"),
    "compile": ({"fused": True}, "model", "highest"),
    "compile-cpp": ({"fused": True}, "model-cpp", "highest"),
    "compile-all": ({"foreach": True}, "all", "highest"),
    "fused-onednn": ({"fused": True}, None, "medium"),
    "compile-onednn": ({"fused": True}, "model", "medium"),
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


def main():
    args = arguments(list(SETTINGS))
    torch.set_num_threads(args.threads)
    for case in args.cases:
        for setting in args.settings:
            blocks = time_blocks(make_runner(case, setting), args.seconds)
            emit("pytorch", setting, case.name, blocks, version=torch.__version__)


if __name__ == "__main__":
    main()
