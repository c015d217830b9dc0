#!/usr/bin/env python3
"""Times a training step of pinn-bench's problem in JAX, as one JSON line, for Scripts/compare-jax.

Network 2 -> L hidden layers of W (tanh) -> u, v, h, log mu; at every point the momentum balance of a floating shelf
and the misfit of u, v, h, as Sources/Benchmarks/StepProblem.swift has it; Adam of optax.

  channels  value, both first and all three second derivatives carried forward through the layers, one product per layer:
            the algorithm of pinn-bench, the fastest for XLA
  reverse   derivatives by reverse over reverse mode of the network's outputs, as in existing PINN codes of the field

usage: jax-step.py channels|reverse POINTS [--network 8x128] [--seconds 5]      (needs jax and optax)
JAX uses the cores that the process may use (taskset), or a GPU if it finds one.
"""
import argparse
import json
import resource
import statistics
import time

import jax
import jax.numpy as jnp
import optax


def initial(layers, width, key):
    """Glorot's normal weights, zero biases: a list of (weights, biases)."""
    sizes = [2] + [width] * layers + [4]
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        (jax.random.normal(k, (m, n)) * jnp.sqrt(2 / (m + n)), jnp.zeros(n)) for k, m, n in zip(keys, sizes, sizes[1:])
    ]


def network(parameters, at):
    """(points, 2) -> (points, 4), viscosity positive."""
    for weights, biases in parameters[:-1]:
        at = jnp.tanh(at @ weights + biases)
    weights, biases = parameters[-1]
    out = at @ weights + biases
    return jnp.concatenate([out[:, :3], jnp.exp(out[:, 3:])], 1)


def channels_of_tanh(z, biases):
    """Chain rule of tanh on (value, x, y, xx, xy, yy), biases added to the value."""
    value, x, y, xx, xy, yy = z
    t = jnp.tanh(value + biases)
    first = 1 - t * t
    second = -2 * t * first
    return jnp.stack(
        [t, first * x, first * y, first * xx + second * x * x, first * xy + second * x * y, first * yy + second * y * y]
    )


def fields_by_channels(parameters, at):
    """The outputs and their derivatives, six of (points, 4); nobody asks for the viscosity's second ones."""
    (weights, biases), *hidden, (last, shift) = parameters
    # The derivatives of a linear map of the position are its rows.
    slopes = [jnp.broadcast_to(row, (len(at), len(row))) for row in weights]
    none = jnp.zeros_like(slopes[0])
    stack = channels_of_tanh([at @ weights, *slopes, none, none, none], biases)
    for weights, biases in hidden:
        # One product for all channels of all points.
        z = (stack.reshape(-1, stack.shape[2]) @ weights).reshape(6, len(at), -1)
        stack = channels_of_tanh(z, biases)
    value, x, y, *seconds = (stack.reshape(-1, stack.shape[2]) @ last).reshape(6, len(at), 4)
    value = value + shift
    mu = jnp.exp(value[:, 3:])
    value = jnp.concatenate([value[:, :3], mu], 1)
    x = jnp.concatenate([x[:, :3], mu * x[:, 3:]], 1)
    y = jnp.concatenate([y[:, :3], mu * y[:, 3:]], 1)
    return [value, x, y, *seconds]


def residuals_by_channels(parameters, at):
    f = fields_by_channels(parameters, at)
    u, v, h, mu = [[channel[:, k] for channel in f] for k in range(4)]
    # d/dx and d/dy of membrane stresses 2 mu h (2 u_x + v_y), 2 mu h (2 v_y + u_x), mu h (u_y + v_x).
    m, mx, my = mu[0] * h[0], mu[1] * h[0] + mu[0] * h[1], mu[2] * h[0] + mu[0] * h[2]
    along = 2 * mx * (2 * u[1] + v[2]) + 2 * m * (2 * u[3] + v[4])
    across = 2 * my * (2 * v[2] + u[1]) + 2 * m * (2 * v[5] + u[4])
    shear_x = mx * (u[2] + v[1]) + m * (u[4] + v[3])
    shear_y = my * (u[2] + v[1]) + m * (u[5] + v[4])
    return along + shear_y - h[0] * h[1], across + shear_x - h[0] * h[2], f[0]


def with_gradient(function, at):
    """Values (points, n) and their derivatives (points, n, 2): one reverse pass for each of the n columns."""
    values, pull = jax.vjp(function, at)
    count = values.shape[1]
    rows = jnp.broadcast_to(jnp.eye(count)[:, None, :], (count, len(at), count))
    return values, jnp.moveaxis(jax.vmap(pull)(rows)[0], 0, 1)


def residuals_by_reverse(parameters, at):
    def stresses(here):
        values, slopes = with_gradient(lambda place: network(parameters, place), here)
        (ux, uy), (vx, vy), (hx, hy) = [(slopes[:, k, 0], slopes[:, k, 1]) for k in range(3)]
        h, mu = values[:, 2], values[:, 3]
        # The driving stress needs no derivative more, it only comes along.
        return jnp.stack(
            [2 * mu * h * (2 * ux + vy), 2 * mu * h * (2 * vy + ux), mu * h * (uy + vx), h * hx, h * hy], 1
        )

    values, slopes = with_gradient(stresses, at)
    e1 = slopes[:, 0, 0] + slopes[:, 2, 1] - values[:, 3]
    e2 = slopes[:, 2, 0] + slopes[:, 1, 1] - values[:, 4]
    return e1, e2, network(parameters, at)


RESIDUALS = {"channels": residuals_by_channels, "reverse": residuals_by_reverse}


def loss(variant, parameters, at, data):
    e1, e2, fields = RESIDUALS[variant](parameters, at)
    misfit = jnp.sum((fields[:, :3] - data) ** 2, 1)
    return jnp.mean(misfit + 0.05 * (e1**2 + e2**2))


def points(count):
    """The R2 sequence over the square, and smooth data at it: the same as pinn-bench's."""
    number = jnp.arange(count)
    # In whole numbers modulo 2^24: float32 would run out of digits.
    x = (number * 12664745 % (1 << 24)) / (1 << 23) - 1
    y = (number * 9560334 % (1 << 24)) / (1 << 23) - 1
    return jnp.stack([x, y], 1), jnp.stack([x - x**3 / 6, 1 - y**2 / 2, 1 + 0.1 * x], 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variant", choices=sorted(RESIDUALS))
    parser.add_argument("points", type=int)
    parser.add_argument("--network", default="8x128")
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    layers, width = map(int, options.network.split("x"))

    at, data = points(options.points)
    parameters = initial(layers, width, jax.random.PRNGKey(0))
    adam = optax.adam(1e-3)
    state = adam.init(parameters)

    @jax.jit
    def step(parameters, state):
        value, gradient = jax.value_and_grad(lambda p: loss(options.variant, p, at, data))(parameters)
        update, state = adam.update(gradient, state)
        return optax.apply_updates(parameters, update), state, value

    def timed():
        nonlocal parameters, state
        begin = time.perf_counter()
        parameters, state, value = step(parameters, state)
        value.block_until_ready()
        return time.perf_counter() - begin, float(value)

    _, first_loss = timed()  # with the compilation
    timed()
    times, begin = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begin < options.seconds:
        seconds, last_loss = timed()
        times.append(seconds)
    step_seconds = statistics.median(times)
    print(
        json.dumps(
            {
                "variant": options.variant,
                "points": options.points,
                "steps": len(times),
                "step_seconds": step_seconds,
                "unit_seconds": step_seconds * 1000 / options.points,
                "first_loss": first_loss,
                "last_loss": last_loss,
                "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "device": str(jax.devices()[0]),
                "jax": jax.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
