#!/usr/bin/env python3
"""The store and the prediction in xarray, and a picture of both.

usage: open_files.py [pinn-store.nc [prediction.nc [picture.png]]]      (xarray, netCDF4, matplotlib)
"""
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr


def main(store="pinn-store.nc", prediction="prediction.nc", picture="picture.png"):
    # Points, in their own units: scale_factor and add_offset are applied on opening.
    points = xr.open_dataset(store)
    fastest = float(np.hypot(points.velocity_u, points.velocity_v).max())
    print(f"{points.sizes['velocity']} velocities, up to {fastest:.0f} {points.velocity_u.units}")

    # The first grid is at the root, the thickness grid in a group.
    shelf = xr.open_dataset(prediction)
    thickness = xr.open_dataset(prediction, group="thickness") if "thickness" in groups(prediction) else shelf
    speed = np.hypot(shelf.u, shelf.v)
    strain = shelf.effective_strain_rate
    print(f"viscosity: median {float(shelf.mu.median()):.2e} {shelf.mu.units}")
    print(f"misfit of u: {float(np.sqrt((shelf.misfit_u**2).mean())):.1f} m yr-1; of h: {float(np.sqrt((thickness.misfit_h**2).mean())):.1f} m")
    print(f"where the strain rate is above {float(strain.quantile(0.9)):.4f} per year, the median viscosity is "
          f"{float(shelf.mu.where(strain > strain.quantile(0.9)).median()):.2e} {shelf.mu.units}")

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), constrained_layout=True)
    some = slice(None, None, max(1, points.sizes["velocity"] // 20000))
    dots = left.scatter(
        points.velocity_x[some] / 1e3, points.velocity_y[some] / 1e3, 2, np.hypot(points.velocity_u, points.velocity_v)[some])
    figure.colorbar(dots, ax=left, label="observed speed [m yr$^{-1}$]")
    shelf.assign_coords(x=shelf.x / 1e3, y=shelf.y / 1e3).mu.plot(
        ax=right, cmap="magma", robust=True, cbar_kwargs={"label": "viscosity [Pa s]"})
    for axis in (left, right):
        axis.set_aspect("equal")
        axis.set_xlabel("x [km]")
        axis.set_ylabel("y [km]")
    right.set_title("")
    figure.savefig(picture, dpi=120)
    print(f"{picture}: the observed speed, the inferred viscosity; fastest predicted ice {float(speed.max()):.0f} m yr-1")


def groups(path):
    import netCDF4

    with netCDF4.Dataset(path) as file:
        return list(file.groups)


if __name__ == "__main__":
    main(*sys.argv[1:])
