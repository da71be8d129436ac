"""Writes the PyTorch side of the test of ResNet-20: images, losses, running averages, logits.

    python generate.py [CIFAR]   (needs torch, numpy, safetensors; with pillow and the folder CIFAR/CLASS/*.jpg also
                                  writes the images anew)

Files:
  data.npz                 x [96, 3, 32, 32] u8 and y [96] u8: images of CIFAR-10 (Krizhevsky 2009), not in order of class
  resnet20.json            settings; the loss of each of the 50 steps before its update in f64, and how far PyTorch's f32
                           is from it; for every parameter the length of its first gradient, that gradient's product
                           with `noise(name.probe)`, and its own length after the 50 steps
  hessian.json             for every parameter the squared length of the product of the Hessian and `noise(name.tangent)` on
                           the first batch, batch statistics, and that product's products with `noise(name.0)` to `.7`
  resnet20.safetensors     running averages after the 50 steps in f64, and `logits` [96, 10] then, in evaluation;
                           `start_logits` [96, 10] before, with running averages 1 + u/2 and u/2, on 4 x

The first weights are those of `../formula.py`: uniform within sqrt(6 / fan_out) for convolutions and 1/8 for `fc`, norms
1 + u/4 and u/10. Step i trains on rows (32 i) mod 96 .. +32, bytes divided by 255.

The steps are short because training is chaotic: at lr = 0.02 PyTorch's own losses in f32 and f64 are 1e-3 apart after
7 steps, and say nothing after 50. At this one its logits after 50 steps are 5e-3 to 1e-2 from those in f64, by machine.
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

N_IMAGES, BATCH, N_STEPS = 96, 32, 50
OPTIONS = {"lr": 2.5e-4, "momentum": 0.9, "weight_decay": 0.1}


class Block(nn.Module):
    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.stride, self.more = stride, n_out - n_in

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more // 2, self.more // 2))
        return F.relu(x + y)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*[Block(16, 16, 1) for _ in range(3)])
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


def first(name, p):
    u = noise(name, p.numel()).reshape(p.shape)
    if p.ndim == 4:
        return u * np.float32((6 / (p.shape[0] * 9)) ** 0.5)
    if name.startswith("fc."):
        return u * np.float32(0.125)
    return np.float32(1) + u * np.float32(0.25) if name.endswith("weight") else u * np.float32(0.1)


def make():
    model = ResNet20()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.from_numpy(first(name, p)))
    return model


def start_logits(x):
    """Evaluation of the first weights with running averages that are not those of any batch."""
    model = make().double()
    with torch.no_grad():
        for name, b in model.named_buffers():
            if b.is_floating_point():
                u = torch.from_numpy(noise(name, b.numel()))
                b.copy_(0.5 * u if name.endswith("mean") else 1 + 0.5 * u)
        return model.eval()(4 * x.double()).float()


def train(model, x, y):
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    opt = torch.optim.SGD([{"params": weights}, {"params": others, "weight_decay": 0.0}], **OPTIONS)
    losses = []
    model.train()
    for step in range(N_STEPS):
        at = step * BATCH % N_IMAGES
        opt.zero_grad()
        loss = F.cross_entropy(model(x[at : at + BATCH]), y[at : at + BATCH])
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses


def first_gradients(x, y):
    """Length, and product with noise, of every parameter's gradient on the first batch."""
    model = make().double()
    F.cross_entropy(model(x[:BATCH].double()), y[:BATCH]).backward()
    probe = lambda name, p: float((p.grad.flatten() * torch.from_numpy(noise(f"{name}.probe", p.numel()))).sum())
    return {name: [float(p.grad.norm()), probe(name, p)] for name, p in model.named_parameters()}


def hessian_product(x, y):
    """H·v on the first batch in train mode, v = noise(name.tangent): the squared length, and 8 products with noise."""
    model = make().double()
    params = dict(model.named_parameters())
    loss = F.cross_entropy(model(x[:BATCH].double()), y[:BATCH])
    gradients = torch.autograd.grad(loss, list(params.values()), create_graph=True)
    directions = [torch.from_numpy(noise(f"{name}.tangent", p.numel())).reshape(p.shape) for name, p in params.items()]
    slope = sum((g * v).sum() for g, v in zip(gradients, directions))
    products = torch.autograd.grad(slope, list(params.values()))
    probes = lambda name, h: [float((h.flatten() * torch.from_numpy(noise(f"{name}.{i}", h.numel()))).sum()) for i in range(8)]
    return {name: [float((h**2).sum()), *probes(name, h)] for name, h in zip(params, products)}


def write_images(folder):
    from PIL import Image

    classes = sorted(p for p in folder.iterdir() if p.is_dir())
    order = np.random.default_rng(2026).permutation(N_IMAGES)
    images, labels = [], []
    for i in order:
        files = sorted(classes[i % 10].glob("*.jpg"))
        images.append(np.asarray(Image.open(files[i // 10]).convert("RGB")).transpose(2, 0, 1))
        labels.append(i % 10)
    np.savez_compressed(HERE / "data.npz", x=np.stack(images), y=np.array(labels, np.uint8))


def main():
    if len(sys.argv) > 1:
        write_images(pathlib.Path(sys.argv[1]))
    data = np.load(HERE / "data.npz")
    x = torch.from_numpy(data["x"].astype(np.float32) * np.float32(1 / 255))
    y = torch.from_numpy(data["y"].astype(np.int64))
    torch.set_num_threads(1)
    (HERE / "hessian.json").write_text(json.dumps(hessian_product(x, y)) + "\n")
    model = make()
    losses = train(model, x, y)
    exact_model = make().double()
    exact = train(exact_model, x.double(), y)
    apart = max(abs(a - b) / b for a, b in zip(losses, exact))
    record = {"torch": torch.__version__, **OPTIONS, "batch": BATCH, "apart_from_f64": apart, "losses": exact}
    record["gradients"] = first_gradients(x, y)
    record["lengths"] = {name: float(p.detach().norm()) for name, p in exact_model.named_parameters()}
    kept = {n: t.float() for n, t in exact_model.named_buffers() if t.is_floating_point()}
    kept["start_logits"] = start_logits(x)
    with torch.no_grad():
        logits, exact_logits = model.eval()(x), exact_model.eval()(x.double())
    record["logits_apart_from_f64"] = float((logits - exact_logits).abs().max() / exact_logits.abs().max())
    kept["logits"] = exact_logits.float()
    (HERE / "resnet20.json").write_text(json.dumps(record) + "\n")
    save_file(kept, HERE / "resnet20.safetensors")
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}, {apart:.1e} from f64", [f"{l:.3f}" for l in losses[::7]])


if __name__ == "__main__":
    main()
