#!/usr/bin/env python3
"""A trained network in NumPy, or in JAX with its derivatives: what pinn-export evaluates, in a dozen lines of code.

usage: load_network.py [pinn-run [pinn-store.nc [prediction.nc]]]      (numpy, netCDF4; jax where it is installed)

Compares with a prediction. For one or two networks without subdomains and Fourier features, and for
--physics shallow-shelf.
"""
import glob
import sys
import tomllib

import netCDF4

try:
    import jax.numpy as np
except ImportError:
    import numpy as np

OUTPUTS = ["u", "v", "h", "mu"]


def load(run="pinn-run", store="pinn-store.nc"):
    """A function of positions [m] in the store's projection that returns u, v [m yr-1], h [m] and mu [Pa s]."""
    checkpoints = sorted(glob.glob(f"{run}/checkpoint-{'[0-9]' * 10}.nc"))
    if not checkpoints:
        sys.exit(f"{run}: contains no checkpoint; for an ensemble give a member, {run}/member-1")
    checkpoint = netCDF4.Dataset(checkpoints[-1])
    store = netCDF4.Dataset(store)
    plan = tomllib.loads(checkpoint.plan)
    flat = np.asarray(checkpoint["parameters"][:].data)

    # Runs of version 1.0 have "tiles".
    if plan.get("subdomains", plan.get("tiles")) != "1x1" or plan["physics"] != "shallow-shelf" or set(plan["fourier"].split("+")) - {"none", "0"}:
        sys.exit(f"{run}: this example is for --physics shallow-shelf without --subdomains and --fourier; pinn-export handles the others")
    networks, place = [], 0
    shapes = plan["network"].split("+")
    for shape, outputs in zip(shapes, [4] if len(shapes) == 1 else [3, 1]):
        layers, width = map(int, shape.split("x"))
        sizes, network = [2] + [width] * layers + [outputs], []
        for inputs, outputs in zip(sizes, sizes[1:]):
            weights = flat[place : place + inputs * outputs].reshape(inputs, outputs)
            place += inputs * outputs
            network.append((weights, flat[place : place + outputs]))
            place += outputs
        networks.append(network)

    def scaled(name):
        return store[name].add_offset, store[name].scale_factor

    buoyancy = plan["gravity"] * plan["ice-density"] * (1 - plan["ice-density"] / plan["sea-water-density"])
    viscosity = buoyancy * store.scale_thickness_m * store.scale_length_m / store.scale_speed_m_s

    def fields(x, y):
        (x0, dx), (y0, dy) = scaled("collocation_x"), scaled("collocation_y")
        z = np.stack([(x - x0) / dx, (y - y0) / dy], axis=-1)
        columns = []
        for network in networks:
            a = z
            for weights, biases in network[:-1]:
                a = np.tanh(a @ weights + biases)
            columns.append(a @ network[-1][0] + network[-1][1])
        out = np.concatenate(columns, axis=-1)
        u, v, h = (
            scaled(name)[0] + scaled(name)[1] * out[..., k]
            for k, name in enumerate(["velocity_u", "velocity_v", "thickness_h"])
        )
        return {"u": u, "v": v, "h": h, "mu": viscosity * np.exp(out[..., 3])}

    return fields


def main(run="pinn-run", store="pinn-store.nc", prediction="prediction.nc"):
    fields = load(run, store)
    file = netCDF4.Dataset(prediction)
    x, y = (axis.ravel() for axis in np.meshgrid(file["x"][:].data, file["y"][:].data))
    mine = fields(x, y)
    for name in OUTPUTS:
        theirs = file[name][:].ravel()
        known = ~theirs.mask
        difference = abs(np.asarray(mine[name])[known] - theirs.data[known]).max() / abs(theirs.data[known]).max()
        print(f"{name:2} differs from {prediction} by {difference:.1e} of its largest value")
        assert difference < 1e-4, name


if __name__ == "__main__":
    main(*sys.argv[1:])
