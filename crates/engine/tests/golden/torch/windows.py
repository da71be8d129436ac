"""Writes windows.json: pooling, resizing and norms of images by PyTorch, with gradients.

    python windows.py      (needs torch)

`images` holds tensors [B, H, W, C], `cases` for each operator its arguments, its result `y` [B, OH, OW, C] and `dx`, the
gradient of sum(y^2)/2. Values are halves in `ties`, so that maxima are often equal.
"""

import json
import pathlib

import torch
import torch.nn.functional as F


def rounded(tensor):
    return [float(f"{v:.7g}") for v in tensor.permute(0, 2, 3, 1).reshape(-1).tolist()]


def make_images():
    torch.manual_seed(11)
    images = {
        "odd": torch.randn(2, 3, 5, 7),
        "even": torch.randn(1, 4, 6, 6),
        "ties": torch.randint(-2, 3, (1, 2, 7, 6)) / 2,
        "pixel": torch.randn(2, 6, 1, 1),
    }
    return {name: x.mul(100).round().div(100) for name, x in images.items()}


def operator(op, a):
    if op in ("max_pool", "avg_pool"):
        windows = {"kernel_size": a["kernel"], "stride": a["stride"], "padding": a["padding"], "ceil_mode": a["ceil"]}
        if op == "max_pool":
            return lambda x: F.max_pool2d(x, **windows)
        return lambda x: F.avg_pool2d(x, **windows, count_include_pad=a["count_padding"])
    return {
        "adaptive": lambda x: F.adaptive_avg_pool2d(x, a["size"]),
        "nearest": lambda x: F.interpolate(x, a["size"], mode="nearest"),
        "bilinear": lambda x: F.interpolate(x, a["size"], mode="bilinear", align_corners=False),
        "group_norm": lambda x: F.group_norm(x, a["groups"]),
        "instance_norm": lambda x: F.instance_norm(x),
    }[op]


def make_cases():
    for image in ("odd", "even", "ties"):
        for kernel, stride, padding in [([2, 2], [2, 2], [0, 0]), ([3, 3], [2, 2], [1, 1]), ([3, 2], [1, 2], [0, 1]),
                                        ([4, 3], [3, 2], [2, 1])]:
            for ceil in (False, True):
                windows = {"kernel": kernel, "stride": stride, "padding": padding, "ceil": ceil}
                if image != "even":
                    yield image, "max_pool", windows
                if image != "ties":
                    yield image, "avg_pool", windows | {"count_padding": True}
                    yield image, "avg_pool", windows | {"count_padding": False}
    for image in ("odd", "even"):
        for size in ([1, 1], [2, 3], [4, 4], [7, 9]):
            yield image, "adaptive", {"size": size}
        for size in ([10, 14], [3, 5], [2, 2], [8, 11]):
            yield image, "nearest", {"size": size}
            yield image, "bilinear", {"size": size}
        yield image, "instance_norm", {}
    for groups in (1, 2, 4):
        yield "even", "group_norm", {"groups": groups}
    yield "pixel", "group_norm", {"groups": 3}
    yield "pixel", "bilinear", {"size": [2, 3]}
    yield "pixel", "adaptive", {"size": [1, 1]}


def main():
    images, cases = make_images(), []
    for image, op, arguments in make_cases():
        x = images[image].clone().requires_grad_()
        y = operator(op, arguments)(x)
        (y.square().sum() / 2).backward()
        shape = [y.shape[0], y.shape[2], y.shape[3], y.shape[1]]
        cases.append({"image": image, "op": op, "arguments": arguments, "shape": shape, "y": rounded(y.detach()),
                      "dx": rounded(x.grad)})
    tensors = {name: {"shape": [x.shape[i] for i in (0, 2, 3, 1)], "data": rounded(x)} for name, x in images.items()}
    text = json.dumps({"torch": torch.__version__, "images": tensors, "cases": cases}, separators=(",", ":"))
    path = pathlib.Path(__file__).parent / "windows.json"
    path.write_text(text.replace('{"image"', '\n{"image"') + "\n")


main()
