"""Writes the PyTorch side of the parity test: data, first state, gradients, losses, last state.

    python generate.py [FOLDER]      (needs torch, numpy, safetensors; default: this file's folder)

Files:
  data.npz                        x [512, 20] f32, y [512] int64 in 0..5
  MODEL.init.safetensors          state before the first step
  MODEL.grads.safetensors         gradients of all parameters, first batch, before any update
  MODEL.OPTIMIZER.json            settings, and the loss of each of the 200 steps before its update
  MODEL.OPTIMIZER.final.safetensors   state after the last step
  MODEL.OPTIMIZER.logits.safetensors  `logits` [64, 5]: first 64 rows in evaluation mode, last state
Step i (from 0) trains on rows (64 i) mod 512 .. +64, in order. Names are those of `nn.Sequential`.
"""

import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

N_ROWS, N_FEATURES, N_CLASSES, N_HIDDEN = 512, 20, 5, 32
BATCH, N_STEPS, N_LOGIT_ROWS = 64, 200, 64

OPTIMIZERS = {
    "sgd": {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.0},
    "adam": {"lr": 1e-3},
    "adamw": {"lr": 1e-3, "weight_decay": 0.01},
    "adamw-matrices": {"lr": 1e-3, "weight_decay": 0.01},  # biases, scales and shifts do not decay
}


def make_data():
    """Classes from a random two-layer teacher; one label in ten is random, so the loss stays away from 0."""
    rng = np.random.default_rng(2026)
    x = rng.standard_normal((N_ROWS, N_FEATURES)).astype(np.float32)
    hidden = np.tanh(x @ rng.standard_normal((N_FEATURES, 16)) / 2)
    y = (hidden @ rng.standard_normal((16, N_CLASSES))).argmax(1)
    noisy = rng.random(N_ROWS) < 0.1
    y[noisy] = rng.integers(0, N_CLASSES, noisy.sum())
    return x, y.astype(np.int64)


def make_model(batch_norm):
    torch.manual_seed(7)
    layers = []
    for n_in, n_out in [(N_FEATURES, N_HIDDEN), (N_HIDDEN, N_HIDDEN)]:
        layers.append(torch.nn.Linear(n_in, n_out))
        if batch_norm:
            layers.append(torch.nn.BatchNorm1d(n_out))
        layers.append(torch.nn.ReLU())
    model = torch.nn.Sequential(*layers, torch.nn.Linear(N_HIDDEN, N_CLASSES))
    for module in model:
        if isinstance(module, torch.nn.BatchNorm1d):  # all-equal values would hide a wrong order
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
    return model


def make_optimizer(name, model):
    options = OPTIMIZERS[name]
    if name == "sgd":
        return torch.optim.SGD(model.parameters(), **options)
    if name == "adam":
        return torch.optim.Adam(model.parameters(), **options)
    if name == "adamw":
        return torch.optim.AdamW(model.parameters(), **options)
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, **options)


def train(name, model, x, y):
    """The 200 losses; `model` is left in its last state."""
    opt, losses = make_optimizer(name, model), []
    model.train()
    for step in range(N_STEPS):
        at = step * BATCH % N_ROWS
        opt.zero_grad()
        loss = F.cross_entropy(model(x[at : at + BATCH]), y[at : at + BATCH])
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses


def write_model(folder, model_name, batch_norm, x, y):
    model = make_model(batch_norm)
    save_file(model.state_dict(), folder / f"{model_name}.init.safetensors")
    F.cross_entropy(model(x[:BATCH]), y[:BATCH]).backward()
    grads = {name: p.grad for name, p in model.named_parameters()}
    save_file(grads, folder / f"{model_name}.grads.safetensors")
    for opt_name, options in OPTIMIZERS.items():
        model = make_model(batch_norm)
        losses = train(opt_name, model, x, y)
        stem = f"{model_name}.{opt_name}"
        save_file(model.state_dict(), folder / f"{stem}.final.safetensors")
        with torch.no_grad():
            logits = model.eval()(x[:N_LOGIT_ROWS])
        save_file({"logits": logits}, folder / f"{stem}.logits.safetensors")
        record = {"torch": torch.__version__, "model": model_name, "optimizer": opt_name, **options}
        record |= {"batch": BATCH, "losses": losses}
        (folder / f"{stem}.json").write_text(json.dumps(record) + "\n")
        exact = train(opt_name, make_model(batch_norm).double(), x.double(), y)
        apart = max(abs(a - b) / abs(b) for a, b in zip(losses, exact))
        print(f"{stem}: loss {losses[0]:.4f} -> {losses[-1]:.4f}; f32 and f64 apart by {apart:.1e} at most")


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    x, y = make_data()
    np.savez_compressed(folder / "data.npz", x=x, y=y)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    write_model(folder, "mlp", False, x, y)
    write_model(folder, "mlp-bn", True, x, y)


if __name__ == "__main__":
    main()
