"""Writes precision.json: how far PyTorch's gradients in f32 are from those in f64, layer by layer.

    python precision.py      (needs torch)

Every case builds a network in channels-last order from values that a formula gives (`value`), which
`tests/precision.rs` repeats. For each parameter stand the gradient in f64 at up to 64 places, its largest element, and
the largest error in f32 at these places.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
MASK = 0xFFFFFFFF


def value(n, salt):
    """n numbers in [-1, 1) that f32 holds exactly."""
    h = (torch.arange(1, n + 1, dtype=torch.int64) * 0x9E3779B1 + salt * 0x85EBCA77) & MASK
    h = h ^ (h >> 15)
    h = (h * 0x2C1B3C6D) & MASK
    h = h ^ (h >> 12)
    return (h >> 8).double() / 2**23 - 1


class Net:
    def __init__(self, dtype):
        self.dtype, self.params, self.salt = dtype, {}, 0

    def leaf(self, shape, low=-1.0, high=1.0):
        self.salt += 1
        n = 1
        for d in shape:
            n *= d
        v = value(n, self.salt) * ((high - low) / 2) + (high + low) / 2
        return v.float().to(self.dtype).reshape(shape)

    def param(self, name, shape, low=-1.0, high=1.0):
        p = self.leaf(shape, low, high).requires_grad_()
        self.params[name] = p
        return p

    def norm_params(self, c):
        return self.param("gamma", [c], 0.5, 1.5), self.param("beta", [c])


def channels_first(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def conv(x, w, groups=1, **options):
    """w: [KH, KW, I, O]"""
    return channels_last(F.conv2d(channels_first(x), w.permute(3, 2, 0, 1), groups=groups, **options))


def batch_norm(x, gamma, beta):
    flat = x.reshape(-1, x.shape[-1])
    return F.batch_norm(flat, None, None, gamma, beta, training=True).reshape(x.shape)


def instance_norm(x):
    return channels_last(F.instance_norm(channels_first(x)))


def bias_of_canceling_sums(net):
    x = net.leaf([64, 16, 16, 8])
    b = net.param("bias", [8])
    half = net.leaf([32, 16, 16, 8])
    return ((x + b) * torch.cat([half, -half])).sum()


def bias_before_batch_norm(net):
    x = net.leaf([64, 12, 12, 16])
    b = net.param("bias", [16])
    gamma, beta = net.norm_params(16)
    y = torch.tanh(batch_norm(x + b, gamma, beta))
    return (y * net.leaf([64, 12, 12, 16])).sum()


def batch_norm_before_instance_norm(net):
    x = net.leaf([32, 16, 16, 8])
    gamma, beta = net.norm_params(8)
    y = batch_norm(x, gamma, beta)
    w = net.param("weight", [3, 3, 1, 8])
    y = conv(y, w, groups=8)
    y = channels_last(F.max_pool2d(channels_first(y), 2))
    y = instance_norm(y)
    return (y * net.leaf([32, 7, 7, 8])).sum()


def average_pool_before_instance_norm(net):
    x = net.leaf([16, 24, 24, 4])
    gamma, beta = net.norm_params(4)
    y = batch_norm(x, gamma, beta)
    y = channels_last(F.avg_pool2d(channels_first(y), 3, stride=1))
    y = instance_norm(y)
    return (y * net.leaf([16, 22, 22, 4])).sum()


def large_means(net):
    x = net.leaf([32, 12, 12, 8], 99.0, 101.0)
    gamma, beta = net.norm_params(8)
    y = torch.tanh(batch_norm(x, gamma, beta))
    return (y * net.leaf([32, 12, 12, 8])).sum()


def numbers_before_layer_norm(net):
    x = net.leaf([64, 20, 96])
    b = net.param("bias", [20, 1])
    gamma, beta = net.norm_params(96)
    y = F.layer_norm(x + b, [96], gamma, beta)
    return (torch.tanh(y) * net.leaf([64, 20, 96])).sum()


def long_layer_norm(net):
    x = net.leaf([16, 4096])
    p = net.param("scale", [1], 0.5, 1.5)
    gamma, beta = net.norm_params(4096)
    y = F.layer_norm(x * p, [4096], gamma, beta)
    return (torch.tanh(y) * net.leaf([16, 4096])).sum()


def group_norm(net):
    x = net.leaf([16, 16, 16, 16])
    b = net.param("bias", [16])
    y = channels_last(F.group_norm(channels_first(x + b), 4))
    return (torch.tanh(y) * net.leaf([16, 16, 16, 16])).sum()


def global_average_pool(net):
    x = net.leaf([32, 32, 32, 8])
    p = net.param("scale", [8], 0.5, 1.5)
    b = net.param("bias", [8])
    y = (x * p + b).mean(dim=(1, 2))
    y = y - y.mean(dim=1, keepdim=True)
    return (y * y * net.leaf([32, 8])).sum()


def large_rows(net):
    x = net.leaf([8, 4096], 99.0, 101.0)
    gamma, beta = net.norm_params(4096)
    y = torch.tanh(F.layer_norm(x, [4096], gamma, beta))
    return (y * net.leaf([8, 4096])).sum()


def large_channels(net):
    x = net.leaf([2, 64, 64, 48], 99.0, 101.0)
    gamma, beta = net.norm_params(48)
    y = torch.tanh(batch_norm(x, gamma, beta))
    return (y * net.leaf([2, 64, 64, 48])).sum()


def large_images(net):
    x = net.leaf([1, 256, 256, 2], 99.0, 101.0)
    gamma, beta = net.norm_params(2)
    y = torch.tanh(instance_norm(x) * gamma + beta)
    return (y * net.leaf([1, 256, 256, 2])).sum()


def large_pixels(net):
    x = net.leaf([4, 64, 64, 32], 99.0, 101.0)
    gamma, beta = net.norm_params(32)
    y = F.layer_norm(x.mean(dim=(1, 2)), [32], gamma, beta, eps=1e-9)
    return (y * net.leaf([4, 32])).sum()


def many_classes(net):
    x = net.leaf([16, 8])
    w, b = net.param("weight", [4096, 8]), net.param("bias", [4096])
    return F.cross_entropy(F.linear(x, w, b), torch.arange(16) * 7 % 4096)


def softmax_and_dense(net):
    x = net.leaf([256, 64])
    w, b = net.param("weight", [10, 64]), net.param("bias", [10])
    labels = torch.arange(256) * 7 % 10
    return F.cross_entropy(F.linear(x, w, b), labels)


def dense_chain(net):
    y = net.leaf([512, 32])
    for i in range(3):
        w, b = net.param(f"weight{i}", [32, 32], -0.3, 0.3), net.param(f"bias{i}", [32])
        y = torch.tanh(F.linear(y, w, b))
    return (y * net.leaf([512, 32])).sum()


def convolutions(net):
    y = net.leaf([16, 16, 16, 4])
    for i, (k, stride, groups, c, o) in enumerate([(3, 1, 1, 4, 8), (1, 1, 1, 8, 16), (5, 1, 1, 16, 8), (3, 2, 2, 8, 8)]):
        w, b = net.param(f"weight{i}", [k, k, c // groups, o], -0.3, 0.3), net.param(f"bias{i}", [o])
        y = torch.tanh(conv(y, w, groups, padding=k // 2, stride=stride) + b)
    return (y * net.leaf([16, 8, 8, 8])).sum()


def residual_block(net):
    x = net.leaf([32, 8, 8, 16])
    y = x
    for i in range(2):
        w = net.param(f"weight{i}", [3, 3, 16, 16], -0.2, 0.2)
        gamma, beta = net.param(f"gamma{i}", [16], 0.5, 1.5), net.param(f"beta{i}", [16])
        y = F.relu(batch_norm(conv(y, w, padding=1), gamma, beta))
    y = (x + y).mean(dim=(1, 2))
    w, b = net.param("weight", [10, 16]), net.param("bias", [10])
    return F.cross_entropy(F.linear(y, w, b), torch.arange(32) * 3 % 10)


CASES = [
    bias_of_canceling_sums,
    bias_before_batch_norm,
    batch_norm_before_instance_norm,
    average_pool_before_instance_norm,
    large_means,
    numbers_before_layer_norm,
    long_layer_norm,
    group_norm,
    global_average_pool,
    large_rows,
    large_channels,
    large_images,
    large_pixels,
    many_classes,
    softmax_and_dense,
    dense_chain,
    convolutions,
    residual_block,
]


def gradients(case, dtype):
    net = Net(dtype)
    case(net).backward()
    return {name: p.grad.double() for name, p in net.params.items()}


def at_places(gradient):
    flat = gradient.reshape(-1)
    return flat[:: -(-len(flat) // 64)]


def main():
    cases = {}
    for case in CASES:
        exact, single = gradients(case, torch.float64), gradients(case, torch.float32)
        cases[case.__name__] = {
            name: {
                "error": (at_places(single[name]) - at_places(g)).abs().max().item(),
                "largest": g.abs().max().item(),
                "values": at_places(g).tolist(),
            }
            for name, g in exact.items()
        }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items())
    text = f'{{"torch": {json.dumps(torch.__version__)}, "cases": {{\n{lines}\n}}}}\n'
    pathlib.Path(__file__).with_suffix(".json").write_text(text)


if __name__ == "__main__":
    main()
