"""Writes chains.json: twelve steps of optimizers with what goes around them, on a small network, in float64.

Run `python chains.py` in this folder, with PyTorch 2, timm 1.0 and pytorch_optimizer 4 installed (2.15.0, 1.0.31 and 4.1.0
made the file beside it). Each case says what it is compared with: leaving out what it is about must move the result by at
least 20 tolerances, or the script stops.

The loss of step t is mean (tanh(x_t Wᵀ + b) − y_t)², W of shape [4, 3].
"""

import copy
import json
import pathlib

import pytorch_optimizer
import timm.optim
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn

HERE = pathlib.Path(__file__).parent
N_STEPS, N_ROWS, N_IN, N_OUT = 12, 5, 3, 4
TOLERANCE = 2e-6

torch.manual_seed(30)


def draw(*shape):
    return torch.randn(*shape).float().double()


X, Y = draw(N_STEPS, N_ROWS, N_IN), draw(N_STEPS, N_ROWS, N_OUT)
W, B = draw(N_OUT, N_IN), draw(N_OUT)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w, self.b = torch.nn.Parameter(W.clone()), torch.nn.Parameter(B.clone())

    def loss(self, t):
        return ((torch.tanh(X[t] @ self.w.T + self.b) - Y[t]) ** 2).mean()

    def flat(self):
        return torch.cat([self.w.detach().reshape(-1), self.b.detach()])


def run(make, step=None, average=None, scale=None):
    """Parameters after each step, or those of the average: [N_STEPS, 16]."""
    net = Net()
    optimizer = make(net)
    averaged = average(net) if average else None
    trace = []
    for t in range(N_STEPS):
        if scale:
            scale(optimizer, t)
        if step:
            step(net, optimizer, t)
        else:
            optimizer.zero_grad()
            net.loss(t).backward()
            optimizer.step()
        if averaged and averaged.due(t + 1):
            averaged.model.update_parameters(net)
        trace.append(averaged.model.module.flat() if averaged and averaged.model.n_averaged > 0 else net.flat())
    return torch.stack(trace)


class Averaging:
    """When an average takes the weights in: after update s where s > start and (s - start) % every == 0."""

    def __init__(self, net, start, every, **how):
        self.model = AveragedModel(net, **how)
        self.start, self.every = start, every

    def due(self, s):
        return s > self.start and (s - self.start) % self.every == 0


def sgd(lr=0.3, **more):
    return lambda net: torch.optim.SGD(net.parameters(), lr=lr, **more)


def adam(lr=0.05):
    return lambda net: torch.optim.Adam(net.parameters(), lr=lr)


def lamb(weight_decay=0.01, **more):
    """timm's, with the trust ratio for every parameter and without its own clipping; decay on W only."""

    def make(net):
        groups = [{"params": [net.w], "weight_decay": weight_decay}, {"params": [net.b], "weight_decay": 0.0}]
        return timm.optim.Lamb(groups, max_grad_norm=None, always_adapt=True, **more)

    return make


def lookahead(inner, k, alpha):
    return lambda net: pytorch_optimizer.Lookahead(inner(net), k=k, alpha=alpha, pullback_momentum="none")


def sam(rho):
    """Foret et al.: the gradient at θ + ρ·g/‖g‖, the norm over all parameters, 1e-12 added as in their code."""

    def step(net, optimizer, t):
        optimizer.zero_grad()
        net.loss(t).backward()
        norm = torch.sqrt(sum((p.grad**2).sum() for p in net.parameters())) + 1e-12
        moves = [rho * p.grad / norm for p in net.parameters()]
        with torch.no_grad():
            for p, e in zip(net.parameters(), moves):
                p.add_(e)
        optimizer.zero_grad()
        net.loss(t).backward()
        with torch.no_grad():
            for p, e in zip(net.parameters(), moves):
                p.sub_(e)
        optimizer.step()

    return step


def clipped(limit):
    def step(net, optimizer, t):
        optimizer.zero_grad()
        net.loss(t).backward()
        torch.nn.utils.clip_grad_value_(net.parameters(), limit)
        optimizer.step()

    return step


def groups(lr, factor, decay):
    return lambda net: torch.optim.SGD(
        [{"params": [net.w]}, {"params": [net.b], "lr": lr * factor, "weight_decay": decay}], lr=lr, momentum=0.9
    )


def two(net):
    """SGD for W and Adam for b, as one."""

    class Two:
        inner = [torch.optim.SGD([net.w], lr=0.3), torch.optim.Adam([net.b], lr=0.05)]

        def zero_grad(self):
            for o in self.inner:
                o.zero_grad()

        def step(self):
            for o in self.inner:
                o.step()

    return Two()


def by_cosine(key, base):
    """A factor that falls along a cosine over the run, to 0.5."""
    import math

    def scale(optimizer, t):
        factor = 0.5 + 0.5 * (1 + math.cos(math.pi * t / N_STEPS)) / 2
        for group in optimizer.param_groups:
            group[key] = base * factor

    return scale


momentum = {"momentum": 0.9}
cosine_half = lambda key: [f"{key}=cosine", f"{key}.min_factor=0.5"]
# (settings, parameters after each step, the same without what the case is about)
CASES = [
    (["optimizer=lamb", "lr=0.05"], run(lamb(lr=0.05, eps=1e-6)), run(adam(0.05))),
    (
        ["optimizer=lamb", "lr=0.02", "optimizer.weight_decay=0.3", "optimizer.betas=[0.8, 0.95]", "optimizer.eps=0.001"],
        run(lamb(lr=0.02, eps=1e-3, betas=(0.8, 0.95), weight_decay=0.3)),
        run(lamb(lr=0.02, eps=1e-3, betas=(0.8, 0.95), weight_decay=0.0)),
    ),
    (
        ["optimizer=lamb", "lr=0.02", "optimizer.bias_correction=false"],
        run(lamb(lr=0.02, eps=1e-6, bias_correction=False)),
        run(lamb(lr=0.02, eps=1e-6)),
    ),
    (["optimizer=sgd", "lr=0.3", "wrap=lookahead"], run(lookahead(sgd(), 6, 0.5)), run(sgd())),
    (
        ["optimizer=adam", "lr=0.05", 'wrap=[{ name = "lookahead", k = 5, alpha = 0.8 }]'],
        run(lookahead(adam(), 5, 0.8)),
        run(adam()),
    ),
    (["optimizer=sgd", "lr=0.3", "wrap=sam"], run(sgd(), sam(0.05)), run(sgd())),
    (
        ["optimizer=momentum", "lr=0.1", 'wrap=[{ name = "sam", rho = 0.2 }, "lookahead"]'],
        run(lookahead(sgd(0.1, **momentum), 6, 0.5), sam(0.2)),
        run(lookahead(sgd(0.1, **momentum), 6, 0.5)),
    ),
    (
        ["optimizer=adam", "lr=0.05", "average=ema", "average.decay=0.9"],
        run(adam(), average=lambda net: Averaging(net, 0, 1, avg_fn=get_ema_avg_fn(0.9))),
        run(adam()),
    ),
    (
        ["optimizer=sgd", "lr=0.3", "average=mean", "average.start=3st", "average.every=2st"],
        run(sgd(), average=lambda net: Averaging(net, 3, 2)),
        run(sgd()),
    ),
    (["optimizer=momentum", "lr=0.1", "clip_value=0.05"], run(sgd(0.1, **momentum), clipped(0.05)), run(sgd(0.1, **momentum))),
    (
        ["optimizer=momentum", "lr=0.1", 'groups=[{ match = "b", lr_factor = 0.2, weight_decay = 0.1 }]'],
        run(groups(0.1, 0.2, 0.1)),
        run(groups(0.1, 0.2, 0.0)),
    ),
    (
        ["optimizer=sgd", "lr=0.3", 'groups=[{ match = "b", optimizer = { name = "adam", lr = 0.05 } }]'],
        run(two),
        run(sgd()),
    ),
    (
        ["optimizer=momentum", "lr=0.1", *cosine_half("momentum_schedule")],
        run(sgd(0.1, **momentum), scale=by_cosine("momentum", 0.9)),
        run(sgd(0.1, **momentum)),
    ),
    (
        ["optimizer=momentum", "lr=0.1", "optimizer.weight_decay=0.2", "optimizer.decay_on=all",
         *cosine_half("weight_decay_schedule")],
        run(sgd(0.1, weight_decay=0.2, **momentum), scale=by_cosine("weight_decay", 0.2)),
        run(sgd(0.1, weight_decay=0.2, **momentum)),
    ),
]

for words, params, other in CASES:
    effect = (params - other).abs().max().item()
    assert effect > 20 * TOLERANCE, f"{words}: the result moves by {effect} only"

text = json.dumps({
    "made_by": f"PyTorch {torch.__version__.split('+')[0]}, timm {timm.__version__}, float64",
    "tolerance": TOLERANCE, "n_rows": N_ROWS,
    "w": W.reshape(-1).tolist(), "b": B.tolist(), "x": X.reshape(N_STEPS, -1).tolist(), "y": Y.reshape(N_STEPS, -1).tolist(),
    "cases": [{"words": words, "params": params.tolist()} for words, params, _ in CASES],
}, separators=(",", ":")).replace("},{", "},\n{")
(HERE / "chains.json").write_text(text + "\n")
