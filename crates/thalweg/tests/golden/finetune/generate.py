"""Writes what PyTorch's users save of a network that was trained on another task, with its features for a few inputs.

    python generate.py

`pretrained.safetensors`: backbone and head of 7 classes, running averages of the weights, an optimizer's state, a counter.
`features.safetensors`: inputs [8, 4] and what the backbone makes of them, [8, 5].
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

here = pathlib.Path(__file__).parent
torch.manual_seed(3)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU()
        )
        self.head = nn.Linear(5, 7)

    def forward(self, x):
        return self.head(self.backbone(x))


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
ema = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
for step in range(20):
    loss = nn.functional.cross_entropy(net(torch.randn(32, 4)), torch.randint(0, 7, (32,)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    ema.update_parameters(net)
net.eval()

tensors = dict(net.state_dict())
tensors |= {f"ema.{name}": value for name, value in ema.module.state_dict().items()}
for i, state in optimizer.state_dict()["state"].items():
    tensors |= {f"optimizer.state.{i}.{name}": value for name, value in state.items()}
tensors["global_step"] = torch.tensor(20)
save_file({name: value.contiguous() for name, value in tensors.items()}, here / "pretrained.safetensors")
x = torch.randn(8, 4)
with torch.no_grad():
    save_file({"x": x, "features": net.backbone(x), "ema": ema.module.eval().backbone(x)}, here / "features.safetensors")
