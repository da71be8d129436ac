"""The networks of the steps, in PyTorch."""

import torch.nn.functional as F
from torch import nn


def build(case):
    """The module of a case."""
    makers = {"mlp": mlp, "resnet20": resnet20, "2c2d": two_conv_two_dense, "cnn-1-32-64": cnn, "vgg16bn": vgg16}
    return makers[case.network](case)


def mlp(case):
    layers = []
    pairs = list(zip(case.widths[:-1], case.widths[1:]))
    for i, (n_in, n_out) in enumerate(pairs):
        layers.append(nn.Linear(n_in, n_out))
        if i + 1 < len(pairs):
            if case.batch_norm:
                layers.append(nn.BatchNorm1d(n_out))
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def two_conv_two_dense(case):
    """DeepOBS's 2c2d."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(7 * 7 * 64, 1024), nn.ReLU(), nn.Linear(1024, case.classes),
    )


def cnn(case):
    """Convolutions without padding, as in PyTorch's and burn's MNIST examples; no dropout."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(12 * 12 * 64, 128), nn.ReLU(), nn.Linear(128, case.classes),
    )


def vgg16(case):
    """VGG-16 with batch norm in the form for 32x32 images: one linear layer at the end."""
    layers, n_in = [], 3
    for n_out in (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool"):
        if n_out == "pool":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]
            n_in = n_out
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, case.classes))


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut without parameters (option A of He et al. 2016)."""

    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.stride, self.extra = stride, n_out - n_in
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(n_out)

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        y = self.norm2(self.conv2(y))
        if self.extra:
            half = self.extra // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, half))
        return F.relu(y + x, inplace=True)


def resnet20(case):
    """ResNet-20 for 32x32 images (He et al. 2016, section 4.2): 16, 32, 64 channels, three blocks each."""
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    n_in = 16
    for n_out in (16, 32, 64):
        for _ in range(3):
            layers.append(Block(n_in, n_out, n_out // n_in))
            n_in = n_out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, case.classes))
