#!/usr/bin/env python3
"""Times a training step of DIFFICE_jax: as published (reverse over reverse mode) and with derivatives carried forward.

Interleaved with pinn-bench on the same problem: two networks of 6 x 40, one for u, v, h and one for log mu; equal numbers of velocity, thickness and
collocation points; an eighth as many at the front; Adam. DIFFICE_jax's networks, equations and loss are called; both forms must give
the same loss before anything is timed. Positions and data are random, which makes no difference to the time.
Started by Scripts/compare-diffice, which sets up the environment.
"""
import argparse
import importlib.util
import json
import statistics
import subprocess
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import optax


def published(name):
    """A module of diffice_jax by its path. Importing the package itself would need TensorFlow Probability."""
    root = Path(importlib.util.find_spec("diffice_jax").origin).parent
    spec = importlib.util.spec_from_file_location(name.replace("/", "_"), root / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EQUATIONS = published("equation/eqn_iso")
LOSS = published("model/pinns/loss")
NETWORKS = published("model/pinns/networks")
INITIAL = published("model/pinns/initialization")

# One length, one speed: no field is stretched against another.
SCALE = (jnp.zeros(5), jnp.ones(5))
WEIGHTS = (0.05, 0.1)


def channels(parameters, at, count):
    """Outputs of one network with their derivatives, (count, points, outputs): 3 value, x, y; 6 also xx, xy, yy."""
    (weights, biases), *hidden, (last, shift) = parameters
    bends = [(3, 1, 1), (4, 1, 2), (5, 2, 2)][: count - 3]

    def activated(z, biases):
        t = jnp.tanh(z[0] + biases)
        d = 1 - t * t
        e = -2 * t * d
        return jnp.stack([t, d * z[1], d * z[2]] + [d * z[k] + e * z[i] * z[j] for k, i, j in bends])

    # The derivatives of a linear map of the position are its rows.
    slopes = [jnp.broadcast_to(row, (len(at), len(row))) for row in weights]
    stack = activated([at @ weights, *slopes] + [jnp.zeros_like(slopes[0])] * len(bends), biases)
    for weights, biases in hidden:
        stack = activated((stack.reshape(-1, stack.shape[2]) @ weights).reshape(count, len(at), -1), biases)
    z = (stack.reshape(-1, stack.shape[2]) @ last).reshape(count, len(at), -1)
    return jnp.concatenate([z[:1] + shift, z[1:]])


def loss_forward(parameters, data):
    """loss_iso_create's loss, by channels."""
    fields, viscosity = parameters
    x_velocity, velocity, x_thickness, thickness = data["smp"]
    misfit = jnp.sum(jnp.mean((NETWORKS.neural_net(fields, x_velocity, 1)[:, :2] - velocity) ** 2, 0))
    misfit += 0.6 * jnp.mean((NETWORKS.neural_net(fields, x_thickness, 1)[:, 2:] - thickness) ** 2)

    u, v, h = jnp.moveaxis(channels(fields, data["col"][0], 6), 2, 0)
    m = channels(viscosity, data["col"][0], 3)[:, :, 0]
    mu = jnp.exp(m[0])
    stiffness = mu * h[0]
    along, across = mu * (m[1] * h[0] + h[1]), mu * (m[2] * h[0] + h[2])
    e1 = 2 * along * (2 * u[1] + v[2]) + 2 * stiffness * (2 * u[3] + v[4])
    e1 += across * (u[2] + v[1]) + stiffness * (u[5] + v[4]) - h[0] * h[1]
    e2 = 2 * across * (2 * v[2] + u[1]) + 2 * stiffness * (2 * v[5] + u[4])
    e2 += along * (u[2] + v[1]) + stiffness * (u[4] + v[3]) - h[0] * h[2]

    at, normal = data["bd"]
    u, v, h = jnp.moveaxis(channels(fields, at, 3), 2, 0)
    mu = jnp.exp(NETWORKS.neural_net(viscosity, at, 1)[:, 0])
    nx, ny = normal.T
    shear = mu * (u[2] + v[1])
    b1 = 2 * mu * (2 * u[1] + v[2]) * nx + shear * ny - h[0] / 2 * nx
    b2 = 2 * mu * (2 * v[2] + u[1]) * ny + shear * nx - h[0] / 2 * ny
    return misfit + WEIGHTS[0] * jnp.mean(e1**2 + e2**2) + WEIGHTS[1] * jnp.mean(b1**2 + b2**2)


def random_data(points, key):
    keys = jax.random.split(key, 7)

    def at(number, count):
        return jax.random.uniform(keys[number], (count, 2), minval=-1.0, maxval=1.0)

    angle = jax.random.uniform(keys[6], (max(1, points // 8),), maxval=6.28)
    return {
        "smp": [at(0, points), at(1, points), at(2, points), 1 + 0.1 * at(3, points)[:, :1]],
        "col": [at(4, points)],
        "bd": [at(5, len(angle)), jnp.stack([jnp.cos(angle), jnp.sin(angle)], 1)],
    }


class Training:
    """One form of the loss, its weights and its optimizer."""

    def __init__(self, loss, parameters, data):
        adam = optax.adam(1e-3)
        self.parameters, self.state, self.data = parameters, adam.init(parameters), data

        @jax.jit
        def step(parameters, state, data):
            value, gradient = jax.value_and_grad(loss)(parameters, data)
            update, state = adam.update(gradient, state)
            return optax.apply_updates(parameters, update), state, value

        self.advance = step
        self.timed()  # compiles

    def timed(self):
        begin = time.perf_counter()
        self.parameters, self.state, value = self.advance(self.parameters, self.state, self.data)
        value.block_until_ready()
        return time.perf_counter() - begin


BENCH = Path(__file__).resolve().parent.parent / ".build/release/pinn-bench"


def bench(options):
    """Median seconds of a step of pinn-bench on the same sets of points and networks, over a few seconds."""
    words = [BENCH, "--problem", "diffice", "--network", f"{options.network}+{options.network}"]
    words += ["--points", str(options.points), "--backend", "cpu", "--seconds", "3", "--format", "json"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)["steps"]
    return max(rows, key=lambda row: row["threads"])["measured"]["step_seconds"]


def main():
    parser = argparse.ArgumentParser(prog="Scripts/compare-diffice", description=__doc__.split("\n\n")[0])
    parser.add_argument("--points", type=int, default=8000, help="(%(default)s)")
    parser.add_argument("--network", default="6x40", help="of each of the two (%(default)s)")
    parser.add_argument("--steps", type=int, default=5, help="of the published form; others as long (%(default)s)")
    options = parser.parse_args()
    layers, width = map(int, options.network.split("x"))

    data = random_data(options.points, jax.random.PRNGKey(1))
    parameters = INITIAL.init_nets(jax.random.PRNGKey(0), layers, width)
    theirs = LOSS.loss_iso_create(NETWORKS.solu_create(), (EQUATIONS.gov_eqn, EQUATIONS.front_eqn), SCALE, WEIGHTS)
    a, b = float(theirs(parameters, data)[0]), float(loss_forward(parameters, data))
    assert abs(a - b) < 1e-4 * abs(a), f"the losses differ: {a} and {b}"

    forms = [
        ("as published", Training(lambda p, d: theirs(p, d)[0], parameters, data)),
        ("by channels", Training(loss_forward, parameters, data)),
    ]
    times = {name: [] for name in ["as published", "by channels", "pinn-bench"]}
    for _ in range(options.steps):
        times["pinn-bench"].append(bench(options))
        # By turns, and equally long: a shared machine disturbs both alike.
        slice_seconds = forms[0][1].timed()
        times[forms[0][0]].append(slice_seconds)
        while slice_seconds > 0:
            seconds = forms[1][1].timed()
            times[forms[1][0]].append(seconds)
            slice_seconds -= seconds
    print(f"DIFFICE_jax, two networks {options.network}, {options.points} points a set, loss {a:.5f} in both forms")
    for name, each in times.items():
        median = statistics.median(each)
        print(f"  {name:<13}{median:9.4f} s a step ({min(each):.4f}-{max(each):.4f}, {len(each)} steps)")
    ours = statistics.median(times["pinn-bench"])
    for name in ["as published", "by channels"]:
        print(f"  {name} / pinn-bench{statistics.median(times[name]) / ours:9.1f}")


if __name__ == "__main__":
    main()
