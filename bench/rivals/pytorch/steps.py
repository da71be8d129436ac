"""Whole training steps in PyTorch, each setting timed apart."""

import os
import pathlib
import subprocess
import sys
import tempfile
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from common import arguments, emit, time_blocks  # noqa: E402

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from networks import build  # noqa: E402


class Setting(NamedTuple):
    """How PyTorch is told to run a case."""

    optimizer: dict = {"fused": True}
    compiled: str = ""  # what is compiled: "", "model", "model-cpp", "all"
    precision: str = "highest"  # of float32 matrix products
    channels_last: bool = False
    freeze: bool = False  # evaluation only: weights are constants of the compiled program


# "medium" lets oneDNN do the products. On processors other than Intel's that can be the only way to
# AVX-512, since MKL then keeps to AVX2. It also *permits* bfloat16; `matmul.py` prints the error.
# "mkl512" settings run in a second process, in which MKL is told that the processor is Intel's.
# "malloc" settings run in one whose allocator asks for huge pages and keeps its memory between steps.
SETTINGS = {
    "default": Setting({}),
    "foreach": Setting({"foreach": True}),
    "fused": Setting(),
    "compile": Setting(compiled="model"),
    "compile-cpp": Setting(compiled="model-cpp"),
    "compile-all": Setting({"foreach": True}, "all"),
    "fused-onednn": Setting(precision="medium"),
    "compile-onednn": Setting(compiled="model", precision="medium"),
    "fused-mkl512": Setting(),
    "compile-mkl512": Setting(compiled="model"),
    "last": Setting(channels_last=True),
    "compile-last": Setting(compiled="model", channels_last=True),
    "last-onednn": Setting(precision="medium", channels_last=True),
    "compile-last-onednn": Setting(compiled="model", precision="medium", channels_last=True),
    "freeze": Setting(compiled="model", freeze=True),
    "freeze-last": Setting(compiled="model", freeze=True, channels_last=True),
    "freeze-onednn": Setting(compiled="model", freeze=True, precision="medium"),
    "freeze-last-onednn": Setting(compiled="model", freeze=True, precision="medium", channels_last=True),
    "fused-malloc": Setting(precision="medium"),
    "last-malloc": Setting(precision="medium", channels_last=True),
    "compile-malloc": Setting(compiled="model", precision="medium"),
    "compile-last-malloc": Setting(compiled="model", precision="medium", channels_last=True),
}
N_BATCHES = 8


def make_runner(case, name):
    """A function of n that runs n whole steps, or n evaluations of a batch."""
    setting = SETTINGS[name]
    torch.set_float32_matmul_precision(setting.precision)
    torch.manual_seed(1)
    model = build(case)
    xs = [torch.randn(case.batch, *case.sample) for _ in range(N_BATCHES)]
    ys = [torch.randint(0, case.classes, (case.batch,)) for _ in range(N_BATCHES)]
    if setting.channels_last:
        model = model.to(memory_format=torch.channels_last)
        xs = [x.to(memory_format=torch.channels_last) for x in xs]
    if setting.compiled:
        torch._dynamo.reset()
        import torch._inductor.config as inductor

        inductor.cpp_wrapper = setting.compiled == "model-cpp"
        inductor.freezing = setting.freeze
    if case.forward:
        return evaluation(model, xs, setting)
    return training(case, model, list(zip(xs, ys)), setting)


def training(case, model, batches, setting):
    """Forward, cross entropy, backward, update."""
    opt = optimizer(case, model, setting)
    update = opt.step

    def loss_of(x, y):
        return F.cross_entropy(model(x), y)

    if setting.compiled:
        loss_of = torch.compile(loss_of)
        if setting.compiled == "all":
            update = torch.compile(opt.step)

    def run(n):
        for i in range(n):
            x, y = batches[i % N_BATCHES]
            opt.zero_grad(set_to_none=True)
            loss_of(x, y).backward()
            update()

    return run


def optimizer(case, model, setting):
    """Adam for MLPs, SGD for images: with momentum, and with weight decay for ResNet-20."""
    if case.network == "mlp":
        return torch.optim.Adam(model.parameters(), lr=1e-3, **setting.optimizer)
    momentum = 0.0 if case.network == "cnn-1-32-64" else 0.9
    decay = 1e-4 if case.network == "resnet20" else 0.0
    return torch.optim.SGD(model.parameters(), 0.01, momentum, weight_decay=decay, **setting.optimizer)


def evaluation(model, xs, setting):
    """Outputs in evaluation mode, without gradients."""
    model.eval()
    forward = torch.compile(model) if setting.compiled else model

    def run(n):
        with torch.inference_mode():
            for i in range(n):
                forward(xs[i % N_BATCHES])

    return run


def environment_of(setting):
    """What a setting needs in its process's environment."""
    if "malloc" in setting:
        most = str(1 << 40)
        tunables = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
        return tunables | {"MALLOC_MMAP_THRESHOLD_": most, "MALLOC_TRIM_THRESHOLD_": most}
    return {"LD_PRELOAD": str(preload_shim())} if "mkl512" in setting else {}


def preload_shim():
    """Builds the library that answers MKL's question about the processor's maker; returns its path."""
    source = pathlib.Path(__file__).with_name("mkl512.c")
    shim = pathlib.Path(tempfile.gettempdir()) / f"thalweg-mkl512-{os.getuid()}.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source], check=True)
    return shim


def main():
    args = arguments(list(SETTINGS))
    torch.set_num_threads(args.threads)
    apart = {}
    for name in args.settings:
        wanted = environment_of(name)
        if any(os.environ.get(key) != value for key, value in wanted.items()):
            apart.setdefault(tuple(wanted.items()), []).append(name)
            continue
        for case in args.cases:
            if case.forward or not SETTINGS[name].freeze:
                blocks = time_blocks(make_runner(case, name), args.seconds)
                emit("pytorch", name, case.name, blocks, version=torch.__version__)
    for i, (wanted, names) in enumerate(apart.items(), 1):
        command = [sys.executable, __file__, "--settings", ",".join(names)]
        command += ["--threads", str(args.threads), "--seconds", str(args.seconds)]
        command += [word for case in args.cases for word in ("--case", case.name)]
        environment = os.environ | dict(wanted)
        if i < len(apart):
            subprocess.run(command, check=True, env=environment)
        else:
            os.execve(sys.executable, command, environment)  # in this process, whose memory is watched


if __name__ == "__main__":
    main()
