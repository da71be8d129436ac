"""Whole training steps in JAX: the step jitted with donated buffers, alone and eight to a call."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from common import arguments, emit, time_blocks  # noqa: E402

SETTINGS = ["jit", "jit-flat", "scan"]
N_BATCHES = 8
BN_EPS, BN_MOMENTUM = 1e-5, 0.1


def main():
    args = arguments(SETTINGS)
    cores = sorted(os.sched_getaffinity(0))[: args.threads]
    os.sched_setaffinity(0, cores)  # XLA sizes its pool by the cores that it may use
    import jax

    for case in args.cases:
        for setting in args.settings:
            run, steps_per_call = make_runner(case, setting)
            blocks = time_blocks(run, args.seconds, steps_per_call)
            emit("jax", setting, case.name, blocks, version=jax.__version__)


def init(case, rng):
    """Parameters and running statistics as lists of dictionaries of arrays."""
    import jax.numpy as jnp

    params, stats = [], []
    for i, (n_in, n_out) in enumerate(zip(case.widths[:-1], case.widths[1:])):
        bound = n_in**-0.5
        w = jnp.asarray(rng.uniform(-bound, bound, (n_in, n_out)), jnp.float32)
        layer = {"w": w, "b": jnp.zeros(n_out)}
        if case.batch_norm and i + 2 < len(case.widths):
            layer |= {"scale": jnp.ones(n_out), "shift": jnp.zeros(n_out)}
            stats.append({"mean": jnp.zeros(n_out), "var": jnp.ones(n_out)})
        params.append(layer)
    return params, stats


def forward(params, stats, x):
    import jax
    import jax.numpy as jnp

    new_stats = []
    for i, p in enumerate(params):
        x = x @ p["w"] + p["b"]
        if i + 1 == len(params):
            return x, new_stats
        if "scale" in p:
            mean, var = x.mean(0), x.var(0)
            x = (x - mean) * jax.lax.rsqrt(var + BN_EPS) * p["scale"] + p["shift"]
            n, old = x.shape[0], stats[len(new_stats)]
            new_stats.append({
                "mean": old["mean"] + BN_MOMENTUM * (mean - old["mean"]),
                "var": old["var"] + BN_MOMENTUM * (var * (n / (n - 1)) - old["var"]),
            })
        x = jnp.maximum(x, 0)


def make_runner(case, setting):
    """A function of n that makes n calls, and how many steps one call runs."""
    import jax
    import numpy as np
    import optax

    rng = np.random.default_rng(1)
    params, stats = init(case, rng)
    opt = optax.flatten(optax.adam(1e-3)) if setting == "jit-flat" else optax.adam(1e-3)
    xs = jax.numpy.asarray(rng.standard_normal((N_BATCHES, case.batch, case.widths[0])), "float32")
    ys = jax.numpy.asarray(rng.integers(0, case.widths[-1], (N_BATCHES, case.batch)), "int32")

    def loss_of(params, stats, x, y):
        logits, stats = forward(params, stats, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), stats

    def step(state, batch):
        params, stats, opt_state = state
        (loss, stats), grads = jax.value_and_grad(loss_of, has_aux=True)(params, stats, *batch)
        updates, opt_state = opt.update(grads, opt_state)
        return (optax.apply_updates(params, updates), stats, opt_state), loss

    state = (params, stats, opt.init(params))
    if setting == "scan":
        call, per_call = jax.jit(lambda s, b: jax.lax.scan(step, s, b), donate_argnums=0), N_BATCHES
        batches = [(xs, ys)]
    else:
        call, per_call = jax.jit(step, donate_argnums=0), 1
        batches = [(xs[i], ys[i]) for i in range(N_BATCHES)]

    def run(n):
        nonlocal state
        for i in range(n):
            state, loss = call(state, batches[i % len(batches)])
        jax.block_until_ready(state)

    return run, per_call


if __name__ == "__main__":
    main()
