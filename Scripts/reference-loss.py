#!/usr/bin/env python3
# /// script
# dependencies = ["jax"]
# ///
"""Prints the losses and gradient entries with which Tests/ComputeTests/IndependentLossTests.swift compares.

An implementation of the loss independent of the Swift one: JAX in float64, stresses and their divergence by
nested automatic differentiation of the plain network, no channels, no hand-written adjoint. Takes a minute or two.

The problem: network 2 -> L hidden layers of W (tanh) -> u, v, h, log mu; x and y in [-1, 1];
loss = mean over points of (u - sin x)^2 + (v - cos y)^2 + (h - 1 - x / 10)^2 + 0.05 (e1^2 + e2^2).
Parameters and points are fractions of 24 bits, scaled by powers of two, so that they are exact in float32 and
float64, here and in Swift; the data are rounded to float32.

usage: reference-loss.py        (python3 -m venv v; v/bin/pip install jax; v/bin/python Scripts/reference-loss.py)
"""
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)

POINTS = 48
SIZES = [(2, 8), (4, 32), (8, 128)]
PARAMETERS, COORDINATES, DIRECTION = 2024, 7, 99  # seeds
MASK = (1 << 64) - 1


def mixed(a, b):
    """SplitMix64's finaliser of two numbers (PointStore/IndexPermutation.swift)."""
    z = (a + (b + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def fraction(seed, number):
    """In [-1, 1), a multiple of 2^-23."""
    return 2 * ((mixed(seed, number) >> 40) / 2**24) - 1


def parameters(layers, width):
    """Flat, layer by layer: weights (inputs, outputs) row-major, then biases."""
    sizes = [2] + [width] * layers + [4]
    flat = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        # The power of two near Glorot's sqrt(6 / (inputs + outputs)).
        reach = 2.0 ** (1 - ((inputs + outputs).bit_length() - 1) // 2)
        for _ in range(inputs * outputs):
            flat.append(reach * fraction(PARAMETERS, len(flat)))
        for _ in range(outputs):
            flat.append(fraction(PARAMETERS, len(flat)) / 8)
    return sizes, np.array(flat)


def fields(sizes, flat, place):
    value, offset = place, 0
    for number, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        weights = flat[offset : offset + inputs * outputs].reshape(inputs, outputs)
        offset += inputs * outputs
        value = value @ weights + flat[offset : offset + outputs]
        offset += outputs
        if number < len(sizes) - 2:
            value = jnp.tanh(value)
    return value.at[3].set(jnp.exp(value[3]))


def residuals(sizes, flat, place):
    """Divergence of (membrane stress - h^2 / 2), by differentiating it as a function of place."""

    def stress(here):
        _, _, h, mu = fields(sizes, flat, here)
        slopes = jax.jacfwd(lambda p: fields(sizes, flat, p)[:2])(here)
        strain = (slopes + slopes.T) / 2
        return 2 * mu * h * (strain + jnp.trace(strain) * jnp.eye(2)) - h * h / 2 * jnp.eye(2)

    return jnp.einsum("ijj->i", jax.jacfwd(stress)(place))


def loss(sizes, flat, places, data):
    misfit = jax.vmap(lambda p: fields(sizes, flat, p)[:3])(places) - data
    equation = jax.vmap(lambda p: residuals(sizes, flat, p))(places)
    return (jnp.sum(misfit**2) + 0.05 * jnp.sum(equation**2)) / len(places)


def points():
    places = np.array([[fraction(COORDINATES, 2 * i), fraction(COORDINATES, 2 * i + 1)] for i in range(POINTS)])
    x, y = places.T
    return places, np.stack([np.sin(x), np.cos(y), 1 + 0.1 * x], 1).astype(np.float32).astype(np.float64)


def main():
    places, data = points()
    for layers, width in SIZES:
        sizes, flat = parameters(layers, width)
        value, gradient = jax.value_and_grad(lambda f: loss(sizes, f, places, data))(flat)
        gradient = np.asarray(gradient)
        chosen = [(len(flat) - 1) * k // 6 for k in range(7)]
        entries = ", ".join(f"{k}: {gradient[k]!r}".replace("np.float64(", "").replace(")", "") for k in chosen)
        print(f"Case(hiddenLayers: {layers}, width: {width}, loss: {float(value)!r},")
        # Every entry is in this number: the derivative along a direction of 24-bit fractions.
        direction = np.array([fraction(DIRECTION, k) for k in range(len(flat))])
        print(f"     along: {float(gradient @ direction)!r}, norm: {float(np.linalg.norm(gradient))!r},")
        print(f"     gradient: [{entries}])")


if __name__ == "__main__":
    main()
