"""Writes torch_net.safetensors (a net's state) and torch_run.safetensors (what it gives), with PyTorch 2."""

import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

here = pathlib.Path(__file__).parent
torch.manual_seed(1)
net = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.GELU(), nn.Linear(4, 4), nn.LayerNorm(4), nn.ELU(0.5), nn.Linear(4, 3))
for tensor in net.state_dict().values():
    if tensor.is_floating_point():
        tensor += 0.3 * torch.rand(tensor.shape)
save_file({f"net.{name}": tensor for name, tensor in net.state_dict().items()}, here / "torch_net.safetensors")

x = torch.randn(6, 5)
with torch.no_grad():
    eval_y = net.eval().double()(x.double())
train_y = net.train()(x.double())
nn.functional.cross_entropy(train_y, torch.tensor([0, 1, 2, 2, 1, 0])).backward()
save_file(
    {
        "x": x,
        "eval": eval_y,
        "train": train_y.detach(),
        "gradient": torch.cat([p.grad.flatten() for p in net.parameters()]),
        "buffers": torch.cat([net[1].running_mean, net[1].running_var]),
    },
    here / "torch_run.safetensors",
)
