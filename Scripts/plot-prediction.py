#!/usr/bin/env python3
"""Picture of a prediction: speed, viscosity (next to the truth, if known) and the velocity misfit.

usage: plot-prediction.py prediction.nc picture.png [truth.nc]      (needs numpy, netCDF4, matplotlib)
"""
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import netCDF4
import numpy as np


def field(file, name):
    return np.ma.filled(file[name][:].astype(float), np.nan)


def main(prediction, picture, truth=None):
    p = netCDF4.Dataset(prediction)
    x, y = p["x"][:] / 1e3, p["y"][:] / 1e3
    mu = field(p, "mu")
    panels = [("speed [m yr$^{-1}$]", np.hypot(field(p, "u"), field(p, "v")), "viridis", None)]
    low, high = np.nanpercentile(mu, [1, 99])
    panels.append(("viscosity, inferred [Pa s]", mu, "magma", (low, high)))
    if truth:
        t = netCDF4.Dataset(truth)
        columns = [list(t["x"][:]).index(v) for v in p["x"][:]]
        rows = [list(t["y"][:]).index(v) for v in p["y"][:]]
        panels.append(("viscosity, true [Pa s]", field(t, "viscosity")[np.ix_(rows, columns)], "magma", (low, high)))
    misfit = np.hypot(field(p, "misfit_u"), field(p, "misfit_v"))
    panels.append(("velocity misfit [m yr$^{-1}$]", misfit, "cividis", (0, np.nanpercentile(misfit, 99))))
    inside = np.isfinite(mu)
    columns, rows = np.where(inside.any(0))[0], np.where(inside.any(1))[0]
    figure, axes = plt.subplots(1, len(panels), figsize=(4 * len(panels), 4.2), constrained_layout=True)
    for axis, (title, values, colours, limits) in zip(axes, panels):
        image = axis.pcolormesh(x, y, values, cmap=colours, vmin=limits and limits[0], vmax=limits and limits[1])
        axis.set_title(title, fontsize=10)
        axis.set_aspect("equal")
        axis.set_xlim(x[columns[0]], x[columns[-1]])
        axis.set_ylim(*sorted((y[rows[0]], y[rows[-1]])))
        axis.tick_params(labelsize=7)
        axis.set_xlabel("x [km]", fontsize=8)
        figure.colorbar(image, ax=axis, shrink=0.75).ax.tick_params(labelsize=7)
    figure.savefig(picture, dpi=70)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
