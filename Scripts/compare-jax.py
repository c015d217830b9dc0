#!/usr/bin/env python3
"""Runs pinn-bench and Scripts/jax-step.py alternately, and prints the ratios of their step times.

Several rounds; in each, every program runs once for every number of points, on the same cores: on a shared machine all
programs then see the same disturbances. Started by Scripts/compare-jax, which sets up the environment.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BENCH = HERE.parent / ".build/release/pinn-bench"


def on_cores(count):
    """Prefix of a command that restricts it to the first `count` of our cores."""
    cores = sorted(os.sched_getaffinity(0))[:count]
    if len(cores) == len(os.sched_getaffinity(0)):
        return []
    if not shutil.which("taskset"):
        sys.exit("compare-jax: --threads needs taskset (util-linux)")
    return ["taskset", "-c", ",".join(map(str, cores))]


def bench(points, options):
    words = [BENCH, "--points", points, "--threads", options.threads, "--backend", "cpu", "--network", options.network]
    row = run(words + ["--seconds", options.seconds, "--format", "json"], options)["steps"][0]
    return {**row["measured"], "peak_bytes": row["peak_bytes"]}


def jax(variant):
    def step(points, options):
        words = [sys.executable, HERE / "jax-step.py", variant, points, "--network", options.network]
        return run(words + ["--seconds", options.seconds], options)

    return step


def run(words, options):
    words = on_cores(options.threads) + [str(word) for word in words]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{done.stderr}compare-jax: failed: {' '.join(words)}")
    return json.loads(done.stdout)


PROGRAMS = {"pinn-bench": bench, "jax channels": jax("channels"), "jax reverse": jax("reverse")}


def main():
    parser = argparse.ArgumentParser(prog="Scripts/compare-jax", description=__doc__.split("\n\n")[0])
    parser.add_argument("--points", default="4096,16384", help="numbers of points, separated by commas (%(default)s)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="cores of both (all)")
    parser.add_argument("--network", default="8x128", help="hidden layers and their width (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--seconds", type=float, default=10, help="of each program in each round (%(default)s)")
    parser.add_argument(
        "--reverse", action="store_true", help="also derivatives as the field takes them: some 70 times slower"
    )
    options = parser.parse_args()
    names = [name for name in PROGRAMS if options.reverse or name != "jax reverse"]
    found = {}
    for turn in range(options.rounds):
        for points in map(int, options.points.split(",")):
            for name in names:
                print(f"round {turn + 1}/{options.rounds}: {name}, {points} points", file=sys.stderr)
                found.setdefault((points, name), []).append(PROGRAMS[name](points, options))

    print(f"network {options.network}, {options.threads} cores, {options.rounds} rounds of {options.seconds} s each")
    print(f"{'points':>8}  {'program':<13}{'s/(point x 1000 it)':>21}{'(range)':>19}{'peak memory':>13}{'ratio':>8}{'(range)':>16}")
    for (points, name), rounds in sorted(found.items(), key=lambda item: (item[0][0], names.index(item[0][1]))):
        units = [each["unit_seconds"] for each in rounds]
        own = [each["unit_seconds"] for each in found[points, "pinn-bench"]]
        # Neighbours in time are compared for the range; the figure itself is the ratio of the medians.
        ratio = statistics.median(units) / statistics.median(own)
        ratios = [a / b for a, b in zip(units, own)]
        peak = max(each["peak_bytes"] for each in rounds) / 1e6
        print(
            f"{points:>8}  {name:<13}{statistics.median(units):>21.4f}{f'({min(units):.4f}-{max(units):.4f})':>19}"
            f"{peak:>10.0f} MB{ratio:>8.2f}{f'({min(ratios):.2f}-{max(ratios):.2f})':>16}"
        )
    shares = [each["share"] for (_, name), rounds in found.items() if name == "pinn-bench" for each in rounds]
    print(f"pinn-bench's share of the sgemm rate: {statistics.median(shares):.2f} ({min(shares):.2f}-{max(shares):.2f})")


if __name__ == "__main__":
    main()
