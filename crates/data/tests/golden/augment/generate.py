"""Writes augment.json: images moved by PyTorch's `grid_sample` in float64, and changed by Pillow.

Run `python generate.py` in this folder, with PyTorch 2 and Pillow installed (2.15.0 and 13.0.0 made the file beside it).
"""

import json
import math
import pathlib
import random

import torch
from PIL import Image, ImageEnhance, ImageOps

HERE = pathlib.Path(__file__).parent
random.seed(5)

SHAPES = [(7, 9, 3), (8, 5, 1), (6, 6, 2)]
PADDING = {"zero": "zeros", "edge": "border", "reflect": "reflection"}


def image(h, w, c):
    """Bytes with some structure, and all levels."""
    return [[[(37 * y + 53 * x * (k + 1) + random.randrange(60)) % 256 for k in range(c)] for x in range(w)] for y in range(h)]


def flat(rows):
    return [v for row in rows for pixel in row for v in pixel]


def moved(pixels, shape, matrix, offset, fill):
    h, w, c = shape
    x = torch.tensor(pixels, dtype=torch.float64).permute(2, 0, 1)[None] / 255
    ys, xs = torch.meshgrid(torch.arange(h).double(), torch.arange(w).double(), indexing="ij")
    dx, dy = xs - (w - 1) / 2, ys - (h - 1) / 2
    sx = matrix[0][0] * dx + matrix[0][1] * dy + offset[0] + (w - 1) / 2
    sy = matrix[1][0] * dx + matrix[1][1] * dy + offset[1] + (h - 1) / 2
    grid = torch.stack([2 * sx / (w - 1) - 1, 2 * sy / (h - 1) - 1], -1)[None]
    out = torch.nn.functional.grid_sample(x, grid, "bilinear", PADDING[fill], align_corners=True)
    return out[0].permute(1, 2, 0).flatten().tolist()


def motions():
    turn = lambda a: [[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]
    yield [[1, 0], [0, 1]], [2, -1]
    yield [[-1, 0], [0, 1]], [1, 0]
    yield [[1, 0], [0, -1]], [-20, 3]
    yield [[-1, 0], [0, -1]], [-2, -3]
    yield [[1, 0], [0, 1]], [0.25, -1.5]
    yield turn(0.3), [0, 0]
    yield turn(-2.0), [0.5, 1.75]
    yield [[0.6, 0], [0, 0.6]], [0, 0]
    yield [[1.7, 0.2], [-0.1, 1.4]], [3.3, -40.2]
    yield [[1, 0.4], [0, 1]], [0, 0]


def f32(x):
    return torch.tensor(x, dtype=torch.float32).double().tolist()


cases = []
for shape in SHAPES:
    pixels = image(*shape)
    for matrix, offset in motions():
        for fill in PADDING:
            matrix, offset = f32(matrix), f32(offset)
            want = [round(v, 6) for v in moved(pixels, shape, matrix, offset, fill)]
            cases.append({"shape": shape, "pixels": flat(pixels), "matrix": matrix, "offset": offset, "fill": fill, "want": want})


def change(name, pixels, value):
    h, w, c = len(pixels), len(pixels[0]), len(pixels[0][0])
    picture = Image.frombytes("RGB" if c == 3 else "L", (w, h), bytes(flat(pixels)))
    enhance = {"brightness": ImageEnhance.Brightness, "contrast": ImageEnhance.Contrast, "saturation": ImageEnhance.Color, "sharpness": ImageEnhance.Sharpness}
    if name in enhance:
        picture = enhance[name](picture).enhance(value)
    elif name == "posterize":
        picture = ImageOps.posterize(picture, value)
    elif name == "solarize":
        picture = ImageOps.solarize(picture, value)
    else:
        picture = {"autocontrast": ImageOps.autocontrast, "equalize": ImageOps.equalize}[name](picture)
    return list(picture.tobytes())


changes = []
for shape in [(9, 8, 3), (8, 7, 1), (24, 20, 3)]:
    # from 30 to 199, so that there is something to stretch
    pixels = [[[30 + v * 170 // 256 for v in pixel] for pixel in row] for row in image(*shape)]
    both = lambda name, values: [(name, v) for v in values]
    for name, value in (
        both("brightness", [0.4, 1.5])
        + both("contrast", [0.3, 1.9])
        + both("saturation", [0.0, 0.6, 1.7])
        + both("sharpness", [0.2, 1.8])
        + both("posterize", [3, 7])
        + both("solarize", [100])
        + [("autocontrast", 0), ("equalize", 0)]
    ):
        changes.append({"name": name, "value": value, "shape": shape, "pixels": flat(pixels), "want": change(name, pixels, value)})

(HERE / "augment.json").write_text(json.dumps({"moved": cases, "changed": changes}, separators=(",", ":")) + "\n")
