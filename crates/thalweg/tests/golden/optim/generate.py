"""Writes optim.json and schedule.json: ten steps of PyTorch's optimizers in float64, and its schedulers' factors.

Run `python generate.py` in this folder, with PyTorch 2 installed (2.15.0 made the files beside it). Each case also says
which settings matter: leaving any of them out must move the result by at least 20 tolerances, or the script stops.
"""

import json
import math
import pathlib

import torch

HERE = pathlib.Path(__file__).parent
N_STEPS, N = 10, 8
TOLERANCE = 1e-6
# The first half decays, the second half does not.
N_DECAYING = 4

torch.manual_seed(20)
INIT = torch.randn(N).float().double()
GRADS = torch.randn(N_STEPS, N) + torch.randn(N)
GRADS[:, 2] *= 3e-8  # so small that the default epsilon matters, in either half
GRADS[:, 6] *= 3e-8
GRADS[:, 7] = 0.0
GRADS = GRADS.float().double()


def adam_without_correction(params, grads, lr, betas, eps, weight_decay):
    """PyTorch has no such switch: the formula in plain tensors."""
    m, v = torch.zeros(N, dtype=torch.float64), torch.zeros(N, dtype=torch.float64)
    decays = torch.cat([torch.ones(N_DECAYING), torch.zeros(N - N_DECAYING)]).double()
    p, trace = torch.cat(params), []
    for g in grads:
        g = g + weight_decay * decays * p
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        p = p - lr * m / (v.sqrt() + eps)
        trace.append(p)
    return torch.stack(trace)


def make(name, groups, lr, c):
    if name == "sgd":
        return torch.optim.SGD(groups, lr=lr)
    if name in ("momentum", "nesterov"):
        return torch.optim.SGD(groups, lr=lr, momentum=c.get("momentum", 0.9), nesterov=name == "nesterov")
    kind = torch.optim.AdamW if name == "adamw" else torch.optim.Adam
    return kind(groups, lr=lr, betas=tuple(c.get("betas", (0.9, 0.999))), eps=c.get("eps", 1e-8))


def run(config, clip):
    """Parameters after each step: [N_STEPS, N]."""
    c = dict(config)
    name = c["name"]
    decay = c.get("decay", "decoupled" if name == "adamw" else "l2")
    strength = c.get("weight_decay", 0.01 if name == "adamw" else 0.0)
    lr = c["lr"]
    params = [INIT[:N_DECAYING].clone(), INIT[N_DECAYING:].clone()]
    if not c.get("bias_correction", True):
        return adam_without_correction(params, GRADS, lr, c["betas"], c["eps"], strength)
    params = [torch.nn.Parameter(p) for p in params]
    own = decay == ("decoupled" if name == "adamw" else "l2")
    groups = [{"params": [p], "weight_decay": strength if own and i == 0 else 0.0} for i, p in enumerate(params)]
    optimizer = make(name, groups, lr, c)
    trace = []
    for g in GRADS:
        params[0].grad, params[1].grad = g[:N_DECAYING].clone(), g[N_DECAYING:].clone()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(params, clip)
        if not own:  # PyTorch has no such optimizer: the decay is written out.
            with torch.no_grad():
                if decay == "decoupled":
                    params[0].mul_(1 - lr * strength)
                else:
                    params[0].grad += strength * params[0]
        optimizer.step()
        trace.append(torch.cat([p.detach().clone() for p in params]))
    return torch.stack(trace)


# (config, clipping norm or None, what the result must depend on)
CASES = [
    ({"name": "sgd", "lr": 0.1}, None, []),
    ({"name": "sgd", "lr": 0.05, "weight_decay": 0.02}, None, ["weight_decay"]),
    ({"name": "sgd", "lr": 0.05, "weight_decay": 0.02, "decay": "decoupled"}, 1.5, ["weight_decay", "clip"]),
    ({"name": "momentum", "lr": 0.01}, None, ["momentum"]),
    ({"name": "momentum", "lr": 0.02, "momentum": 0.8, "weight_decay": 5e-3}, 2.0, ["momentum", "weight_decay", "clip"]),
    ({"name": "momentum", "lr": 0.02, "weight_decay": 0.01, "decay": "decoupled"}, None, ["weight_decay", "decay"]),
    ({"name": "nesterov", "lr": 0.01}, None, ["momentum", "nesterov"]),
    ({"name": "nesterov", "lr": 0.03, "momentum": 0.7, "weight_decay": 5e-3}, None, ["momentum", "weight_decay"]),
    ({"name": "nesterov", "lr": 0.02, "weight_decay": 0.01, "decay": "decoupled"}, None, ["weight_decay", "decay"]),
    ({"name": "adam", "lr": 0.001}, None, ["eps"]),
    ({"name": "adam", "lr": 0.02, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.03}, 1.0,
     ["betas", "eps", "weight_decay", "clip", "decay"]),
    ({"name": "adam", "lr": 0.01, "weight_decay": 0.05, "decay": "decoupled"}, None, ["weight_decay", "decay"]),
    ({"name": "adam", "lr": 0.01, "betas": [0.9, 0.99], "eps": 1e-6, "weight_decay": 0.02, "bias_correction": False}, None,
     ["weight_decay", "bias_correction", "eps"]),
    ({"name": "adamw", "lr": 0.001}, None, ["weight_decay", "eps"]),
    ({"name": "adamw", "lr": 0.02, "betas": [0.8, 0.95], "weight_decay": 0.1}, 1.0, ["betas", "weight_decay", "decay"]),
    ({"name": "adamw", "lr": 0.02, "weight_decay": 0.1, "decay": "l2"}, None, ["weight_decay", "decay"]),
]
OTHER = {
    "weight_decay": {"weight_decay": 0.0},
    "momentum": {"momentum": 0.5},
    "nesterov": {"name": "momentum"},
    "eps": {"eps": 1e-16},
    "betas": {"betas": [0.9, 0.999]},
    "bias_correction": {"bias_correction": True},
}


def without(config, term):
    if term == "decay":
        now = config.get("decay", "decoupled" if config["name"] == "adamw" else "l2")
        return config | {"decay": "l2" if now == "decoupled" else "decoupled"}
    return config | OTHER.get(term, {})


def optim_cases():
    for config, clip, terms in CASES:
        params = run(config, clip)
        for term in terms:
            other = run(without(config, term), None if term == "clip" else clip)
            effect = (other - params).abs().max().item()
            assert effect > 20 * TOLERANCE, f"{config}: {term} moves the result by {effect} only"
        yield {"config": config, "clip": clip, "params": params.tolist()}


def factors(n_steps, build):
    """Factors of lr before each of n_steps updates, the scheduler stepped after every update."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = build(optimizer)
    found = []
    for _ in range(n_steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def warmed(build, n, start):
    lr = torch.optim.lr_scheduler

    def both(optimizer):
        rise = lr.LinearLR(optimizer, start_factor=start, total_iters=n)
        return lr.SequentialLR(optimizer, [rise, build(optimizer)], milestones=[n])

    return both


def schedule_cases():
    lr = torch.optim.lr_scheduler
    n = 40  # 8 epochs of 5 steps
    constant = lambda o: lr.ConstantLR(o, factor=1.0)
    step = lambda every, gamma: lambda o: lr.StepLR(o, every, gamma)
    cosine = lambda n, least: lambda o: lr.CosineAnnealingLR(o, n, least)
    yield {"name": "constant"}, factors(n, constant)
    yield {"name": "constant", "warmup": "2ep", "warmup_from": 0.25}, factors(n, warmed(constant, 10, 0.25))
    yield {"name": "step"}, factors(n, step(12, 0.1))
    yield {"name": "step", "every": 2, "gamma": 0.5, "warmup": "7st"}, factors(n, warmed(step(10, 0.5), 7, 0.01))
    yield {"name": "cosine"}, factors(n, cosine(n, 0.0))
    yield {"name": "cosine", "min_factor": 0.05}, factors(n, cosine(n, 0.05))
    yield {"name": "cosine", "warmup": "0.1dur", "warmup_from": 0.3}, factors(n, warmed(cosine(36, 0.0), 4, 0.3))
    # PyTorch climbs again after T_max: compared up to there.
    yield {"name": "cosine", "length": "20st", "min_factor": 0.1}, factors(21, cosine(20, 0.1))
    # not PyTorch's: the formula of Holzmüller et al. 2024, in the middle of each update
    yield {"name": "coslog"}, [0.5 - 0.5 * math.cos(2 * math.pi * math.log2(1 + 15 * (t + 0.5) / n)) for t in range(n)]


def write(name, value):
    text = json.dumps(value, separators=(",", ":")).replace("},{", "},\n{")
    (HERE / name).write_text(text + "\n")


made_by = f"PyTorch {torch.__version__.split('+')[0]}, float64"
write("optim.json", {
    "made_by": made_by, "tolerance": TOLERANCE, "n_decaying": N_DECAYING,
    "init": INIT.tolist(), "grads": GRADS.tolist(), "cases": list(optim_cases()),
})
write("schedule.json", {
    "made_by": made_by, "steps_per_epoch": 5, "n_steps": 40,
    "cases": [{"config": c, "factors": f} for c, f in schedule_cases()],
})
