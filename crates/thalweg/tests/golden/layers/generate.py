"""Writes what PyTorch's layers give: cases.json (layers and shapes) and cases.safetensors (results and gradients).

    python generate.py      (needs torch, numpy, safetensors)

Inputs, parameters and the gradient that arrives are `../formula.py`'s, named `CASE.x`, `CASE.PARAMETER`, `CASE.dy`, so only
results are stored: `CASE.y`, `CASE.dx`, `CASE.d.PARAMETER` and, of norms, `CASE.b.BUFFER`. All is computed in f64.
"""

import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from formula import noise  # noqa: E402


class Plain(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        return self.f(x)


class ChannelsNorm(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class PaddedConv(nn.Conv2d):
    """[top, left, bottom, right] = [1, 2, 0, 1]"""

    def forward(self, x):
        return super().forward(F.pad(x, (2, 1, 1, 0)))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.downsample = nn.Sequential(nn.Conv2d(3, 4, 1, 2))

    def forward(self, x):
        return F.relu(self.downsample(x) + self.bn1(self.conv1(x)))


class Sum(nn.Module):
    """Option A: every other pixel, channels of zeros on both sides."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, 2, 1)

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 1)) + self.conv1(x)


class Concat(nn.Module):
    def __init__(self):
        super().__init__()
        setattr(self, "1", nn.Sequential(nn.Conv2d(3, 2, 1)))

    def forward(self, x):
        return torch.cat([x, getattr(self, "1")(x)], 1)


def cases():
    def conv(n_out, k, **keys):
        return {"type": "conv", "channels": n_out, "kernel": k, **keys}

    image = (2, 3, 7, 6)
    yield "conv_plain", [conv(5, 3)], [nn.Conv2d(3, 5, 3)], image
    yield "conv_strided", [conv(4, 3, stride=2, padding=1, bias=False)], [nn.Conv2d(3, 4, 3, 2, 1, bias=False)], image
    yield (
        "conv_oblong",
        [conv(4, [2, 3], stride=[2, 1], padding=[1, 2])],
        [nn.Conv2d(3, 4, (2, 3), (2, 1), (1, 2))],
        image,
    )
    yield "conv_same", [conv(2, 5, padding="same")], [nn.Conv2d(3, 2, 5, padding="same")], image
    yield "conv_same_even", [conv(2, 4, padding="same")], [nn.Conv2d(3, 2, 4, padding="same")], image
    yield "conv_dilated", [conv(3, 3, dilation=[2, 1], padding=1)], [nn.Conv2d(3, 3, 3, 1, 1, (2, 1))], image
    yield "conv_edges", [conv(3, 3, padding=[1, 2, 0, 1])], [PaddedConv(3, 3, 3)], image
    yield "conv_1x1", [conv(6, 1, stride=2)], [nn.Conv2d(3, 6, 1, 2)], image
    grouped = (2, 4, 6, 5)
    yield "conv_groups", [conv(6, 3, groups=2, padding=1)], [nn.Conv2d(4, 6, 3, 1, 1, groups=2)], grouped
    yield "conv_depthwise", [conv(4, 7, groups=4, padding=3)], [nn.Conv2d(4, 4, 7, 1, 3, groups=4)], grouped
    yield "conv_multiplied", [conv(8, 3, groups=4, stride=2)], [nn.Conv2d(4, 8, 3, 2, groups=4)], grouped
    sequence = (2, 3, 9)

    def conv1d(n_out, k, **keys):
        return {"type": "conv1d", "channels": n_out, "kernel": k, **keys}

    yield "conv1d_plain", [conv1d(4, 3)], [nn.Conv1d(3, 4, 3)], sequence
    yield (
        "conv1d_dilated",
        [conv1d(4, 3, stride=2, padding=2, dilation=2, bias=False)],
        [nn.Conv1d(3, 4, 3, 2, 2, 2, bias=False)],
        sequence,
    )
    yield "conv1d_groups", [conv1d(6, 4, padding="same", groups=3)], [nn.Conv1d(3, 6, 4, padding="same", groups=3)], sequence

    def back(n_out, k, **keys):
        return {"type": "conv_transpose", "channels": n_out, "kernel": k, **keys}

    small = (2, 4, 4, 3)
    yield "transpose_plain", [back(3, 3)], [nn.ConvTranspose2d(4, 3, 3)], small
    yield (
        "transpose_strided",
        [back(3, 3, stride=2, padding=1, output_padding=1)],
        [nn.ConvTranspose2d(4, 3, 3, 2, 1, 1)],
        small,
    )
    yield (
        "transpose_groups",
        [back(6, [2, 3], stride=[1, 2], dilation=2, groups=2, bias=False)],
        [nn.ConvTranspose2d(4, 6, (2, 3), (1, 2), groups=2, dilation=2, bias=False)],
        small,
    )
    pooled = (2, 3, 7, 6)
    yield "max_pool", [{"type": "max_pool", "kernel": 2}], [nn.MaxPool2d(2)], pooled
    yield (
        "max_pool_ceil",
        [{"type": "max_pool", "kernel": 3, "stride": 2, "padding": 1, "ceil": True}],
        [nn.MaxPool2d(3, 2, 1, ceil_mode=True)],
        pooled,
    )
    yield "max_pool_1d", [{"type": "max_pool", "kernel": 3, "stride": 2}], [nn.MaxPool1d(3, 2)], sequence
    yield (
        "avg_pool",
        [{"type": "avg_pool", "kernel": [2, 3], "stride": 2, "padding": [1, 1]}],
        [nn.AvgPool2d((2, 3), 2, (1, 1))],
        pooled,
    )
    yield (
        "avg_pool_uncounted",
        [{"type": "avg_pool", "kernel": 3, "stride": 2, "padding": 1, "count_padding": False}],
        [nn.AvgPool2d(3, 2, 1, count_include_pad=False)],
        pooled,
    )
    yield "adaptive", [{"type": "adaptive_avg_pool", "size": [3, 4]}], [nn.AdaptiveAvgPool2d((3, 4))], pooled
    yield "global", [{"type": "global_avg_pool"}], [Plain(lambda x: x.mean((2, 3)))], pooled
    yield "global_1d", [{"type": "global_avg_pool"}], [Plain(lambda x: x.mean(2))], sequence
    yield "batch_norm", [{"type": "batch_norm"}], [nn.BatchNorm2d(3)], pooled
    yield "batch_norm_1d", [{"type": "batch_norm"}], [nn.BatchNorm1d(3)], sequence
    yield "instance_norm", [{"type": "instance_norm", "affine": True}], [nn.InstanceNorm2d(3, affine=True)], pooled
    yield "group_norm", [{"type": "group_norm", "groups": 2}], [nn.GroupNorm(2, 4)], grouped
    yield "layer_norm", [{"type": "layer_norm"}], [ChannelsNorm(4)], grouped
    yield "pad", [{"type": "pad", "padding": [1, 2, 0, 1]}], [nn.ZeroPad2d((2, 1, 1, 0))], pooled
    yield "crop", [{"type": "crop", "edges": [1, 2, 0, 1]}], [nn.ZeroPad2d((-2, -1, -1, 0))], pooled
    yield (
        "resize_bilinear",
        [{"type": "resize", "size": [5, 9]}],
        [nn.Upsample((5, 9), mode="bilinear", align_corners=False)],
        pooled,
    )
    yield "resize_nearest", [{"type": "resize", "size": [10, 4], "mode": "nearest"}], [nn.Upsample((10, 4))], pooled
    yield "flatten", ["flatten", {"type": "linear", "units": 3}], [nn.Flatten(), nn.Linear(126, 3)], pooled
    yield (
        "residual",
        [
            {
                "type": "residual",
                "layers": [conv(4, 3, stride=2, padding=1, bias=False, name="conv1"), {"type": "batch_norm", "name": "bn1"}],
                "shortcut": [conv(4, 1, stride=2)],
                "activation": "relu",
            }
        ],
        [Residual()],
        pooled,
    )
    yield (
        "shortcut_a",
        [
            {
                "type": "residual",
                "layers": [conv(4, 3, stride=2, padding=1, name="conv1")],
                "shortcut": [{"type": "avg_pool", "kernel": 1, "stride": 2}, {"type": "pad", "channels": 1}],
            }
        ],
        [Sum()],
        (2, 2, 7, 6),
    )
    yield "concat", [{"type": "concat", "branches": [[], [conv(2, 1)]]}], [Concat()], pooled


def filled(name, shape):
    return torch.from_numpy(noise(name, int(np.prod(shape))).astype(np.float64)).reshape(shape)


def main():
    records, tensors = [], {}
    for name, layers, modules, shape in cases():
        net = nn.Sequential(*modules).double()
        with torch.no_grad():
            for key, p in net.named_parameters():
                p.copy_(filled(f"{name}.{key}", p.shape))
        x = filled(f"{name}.x", shape).requires_grad_()
        y = net.train()(x)
        y.backward(filled(f"{name}.dy", y.shape))
        tensors[f"{name}.y"], tensors[f"{name}.dx"] = y.detach(), x.grad
        tensors |= {f"{name}.d.{key}": p.grad for key, p in net.named_parameters()}
        tensors |= {f"{name}.b.{key}": b for key, b in net.named_buffers() if b.is_floating_point()}
        records.append({"name": name, "layers": layers, "x": list(shape), "y": list(y.shape)})
    save_file({k: t.float().contiguous() for k, t in tensors.items()}, HERE / "cases.safetensors")
    lines = ",\n".join(json.dumps(record) for record in records)
    (HERE / "cases.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
