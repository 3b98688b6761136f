"""`gradcli map` over a million rows, beside Miller; its uncertainties beside `uncertainties`.

    python benchmarks/tables.py [--rows N] [--rounds N] [--skip-large]

The formula is a pendulum's, g = 4*pi**2*L/T**2, over a CSV of L, sL and T. Miller (`mlr put`)
computes the value alone, `gradcli map` both derivatives, too. Times are those of whole processes
that write to a file, all in turn in every round; the best of the rounds counts. Where Miller is not
installed, awk and a script of polars are what there is to compare with. "Python alone" is
`gradcli map` without polars. Peak memory is the system's figure for the process.

Then: the same standard uncertainties as the package `uncertainties` gives for 10,000 rows of five
formulas, and corrections of the mean beside a Monte Carlo of 1,000,000 draws.

Exit status 1: with polars more than 0.4 of Miller's time, 0.5 with --sigma, 1.2 without polars or
more than 40 MB there, 1.2 times the memory for ten times the rows, or other uncertainties.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

GRADCLI = [sys.executable, "-c", "from gradcli.cli.main import main; main()"]
ALONE = [
    sys.executable,
    "-c",
    "from gradcli.tables import columnar\n"
    "columnar.is_installed = lambda: False\n"
    "from gradcli.cli.main import main; main()",
]
PENDULUM = "g = 4*pi**2*L/T**2"
POLARS = """
import math, sys
import polars as pl
frame = pl.read_csv(sys.argv[1])
L, T = frame["L"].to_numpy(), frame["T"].to_numpy()
g = 4 * math.pi**2 * L / T**2
frame.with_columns(g=g, dg_dL=g / L, dg_dT=-2 * g / T).write_csv(sys.stdout.buffer)
"""
AWK = (
    'BEGIN {FS = OFS = ","; CONVFMT = OFMT = "%.17g"} '
    'NR == 1 {print $0, "g"; next} {print $0, 4*3.141592653589793^2*$1/$3^2}'
)
FORMULAS = (
    "4*pi**2*x/y**2",
    "x*exp(-y)*z",
    "sqrt(x**2 + y**2)/z",
    "1/(1/x + 1/y + 1/z)",
    "sin(x)*cos(y) + log(z)",
)


class Spent(NamedTuple):
    """Seconds and megabytes of a process."""

    wall: float
    cpu: float
    memory: float


def write_table(path: Path, rows: int) -> None:
    """A CSV of lengths, their uncertainties, and periods."""
    draw = np.random.default_rng(1)
    with path.open("w") as file:
        file.write("L,sL,T\n")
        for start in range(0, rows, 100_000):
            count = min(100_000, rows - start)
            length = draw.uniform(0.2, 2, count).round(4)
            period = (2 * np.pi * np.sqrt(length / 9.81) * draw.normal(1, 0.01, count)).round(4)
            columns = (
                length.tolist(),
                draw.choice([0.001, 0.002], count).tolist(),
                period.tolist(),
            )
            file.writelines(f"{a},{b},{c}\n" for a, b, c in zip(*columns, strict=True))


LAUNCHER = """
import os, sys, time
begin = time.perf_counter()
child = os.fork()
if not child:
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
spent = time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss
print(os.waitstatus_to_exitcode(status), *spent, file=sys.stderr)
"""
"""Starts a process from a small one: the system counts the memory of what it is forked from."""


def run(command: list[str]) -> Spent:
    """Runs a process whose output goes to a file."""
    with tempfile.TemporaryFile() as out:
        done = subprocess.run(
            [sys.executable, "-S", "-c", LAUNCHER, *command],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=True,
        )
    code, wall, cpu, peak = map(float, done.stderr.split()[-4:])
    if code:
        raise SystemExit(done.stderr)
    return Spent(wall, cpu, peak / (1024 if sys.platform != "darwin" else 1024 * 1024))


def contestants(path: str) -> dict[str, list[str]]:
    """The processes by what they are called."""
    sigmas = ["--sigma", "L=sL", "--sigma", "T=0.004"]
    found = {
        "Miller, value alone": ["mlr", "--csv", "put", "$g = 4*M_PI**2*$L/$T**2", path],
        "awk, value alone": ["awk", AWK, path],
        "polars, by hand": [sys.executable, "-c", POLARS, path],
        "gradcli map": [*GRADCLI, "map", PENDULUM, path, "--quiet"],
        "gradcli map --sigma": [*GRADCLI, "map", PENDULUM, path, "--quiet", *sigmas],
        "gradcli map, Python alone": [*ALONE, "map", PENDULUM, path, "--quiet"],
    }
    if find_spec("polars") is None:
        for name in ("polars, by hand", "gradcli map", "gradcli map --sigma"):
            del found[name]
    return {name: line for name, line in found.items() if shutil.which(line[0])}


def times(path: str, rounds: int) -> list[bool]:
    """Prints times; whether each limit is kept."""
    lines = contestants(path)
    spent: dict[str, list[Spent]] = {name: [] for name in lines}
    for _ in range(rounds):
        for name, line in lines.items():
            spent[name].append(run(line))
    best = {
        name: Spent(*(min(column) for column in zip(*found, strict=True)))
        for name, found in spent.items()
    }
    yardstick = next(iter(best))
    for name, found in best.items():
        print(
            f"{name:26} {found.wall:6.2f} s   CPU {found.cpu:6.2f} s   {found.memory:5.0f} MB"
            f"   ratio {found.wall / best[yardstick].wall:4.2f}, CPU"
            f" {found.cpu / best[yardstick].cpu:4.2f}",
            flush=True,
        )
    kept = [best["gradcli map, Python alone"].memory <= 40]
    if yardstick.startswith("Miller"):
        limits = {"gradcli map": 0.4, "gradcli map --sigma": 0.5, "gradcli map, Python alone": 1.2}
        for name, limit in limits.items():
            kept.append(name not in best or best[name].wall <= limit * best[yardstick].wall)
    return kept


def memory(folder: Path, rows: int) -> bool:
    """Prints the peak memory for so many rows and ten times as many; whether that is bounded."""
    line = GRADCLI if find_spec("polars") else ALONE
    peaks = []
    for count in (rows, 10 * rows):
        path = folder / f"{count}.csv"
        if not path.exists():
            write_table(path, count)
        peaks.append(min(run([*line, "map", PENDULUM, str(path), "--quiet"]).memory for _ in "ab"))
    print(
        f"peak memory, {rows:,} and {10 * rows:,} rows: {peaks[0]:.0f} and {peaks[1]:.0f} MB,"
        f" ratio {peaks[1] / peaks[0]:.2f}",
        flush=True,
    )
    return peaks[1] <= 1.2 * peaks[0]


def mapped(text: str, rows: np.ndarray, *options: str) -> list[dict[str, str]]:
    """What `gradcli map` makes of rows of x, y and z."""
    table = "x,y,z\n" + "".join(f"{a!r},{b!r},{c!r}\n" for a, b, c in rows.tolist())
    done = subprocess.run(
        [*GRADCLI, "map", text, "--quiet", *options],
        input=table,
        capture_output=True,
        text=True,
        check=True,
    )
    return list(csv.DictReader(io.StringIO(done.stdout)))


SIGMAS = {"x": 0.01, "y": 0.02, "z": 0.03}


def options_of(text: str) -> list[str]:
    """The uncertainties of the inputs of a formula."""
    used = {name: sigma for name, sigma in SIGMAS.items() if re.search(rf"\b{name}\b", text)}
    return [word for name, sigma in used.items() for word in ("--sigma", f"{name}={sigma}")]


def beside_uncertainties(count: int) -> bool:
    """Prints how far uncertainties are from those of the package; whether that is rounding."""
    if find_spec("uncertainties") is None:
        print("uncertainties: not installed")
        return True
    from uncertainties import ufloat, umath

    names = {name: getattr(umath, name) for name in ("exp", "sqrt", "sin", "cos", "log")}
    rows = np.random.default_rng(2).uniform(0.5, 2, (count, 3))
    largest = ours = theirs = 0.0
    for text in FORMULAS:
        begin = time.perf_counter()
        found = mapped(f"g = {text}", rows, *options_of(text), "--no-grad")
        ours += time.perf_counter() - begin
        code = compile(text, text, "eval")
        begin = time.perf_counter()
        for row, answer in zip(rows.tolist(), found, strict=True):
            inputs = {n: ufloat(v, s) for (n, s), v in zip(SIGMAS.items(), row, strict=True)}
            expected = eval(code, {"pi": math.pi, **names, **inputs}).std_dev
            largest = max(largest, abs(float(answer["g_sigma"]) / expected - 1))
        theirs += time.perf_counter() - begin
    print(
        f"uncertainties, {len(FORMULAS)} formulas, {count:,} rows: {theirs:.1f} s, gradcli map"
        f" {ours:.1f} s; largest relative difference {largest:.1e}",
        flush=True,
    )
    return largest <= 1e-9


def beside_monte_carlo(draws: int) -> bool:
    """Prints corrections of the mean; whether draws agree with them."""
    generator = np.random.default_rng(3)
    means = np.array([[1.2, 0.8, 1.5]])
    names: dict[str, Callable[..., object] | float] = {
        name: getattr(np, name) for name in ("exp", "sqrt", "sin", "cos", "log")
    }
    agree = True
    for text in FORMULAS:
        (row,) = mapped(f"g = {text}", means, *options_of(text), "--no-grad", "--second")
        half = generator.normal(size=(draws // 2, 3)) * list(SIGMAS.values())
        # Draws in pairs about the mean: the first order cancels in their means.
        drawn = [
            eval(text, {"pi": math.pi, **names, **dict(zip("xyz", (means + d).T, strict=True))})
            for d in (half, -half)
        ]
        shift = (drawn[0] + drawn[1]) / 2 - float(row["g"])
        error = shift.std() / math.sqrt(len(shift))
        spread = np.concatenate(drawn).std()
        told = float(row["g_correction"])
        print(
            f"{text:24} correction {told:+.3e}, drawn {shift.mean():+.3e} +- {error:.0e};"
            f" sigma {float(row['g_sigma']):.4f}, drawn {spread:.4f}",
            flush=True,
        )
        agree &= abs(shift.mean() - told) <= 4 * error + 0.01 * abs(told)
    return agree


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-large", action="store_true", help="no table of ten times the rows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{options.rows}.csv")
        write_table(path, options.rows)
        kept = times(str(path), options.rounds)
        if not options.skip_large:
            kept.append(memory(Path(folder), options.rows))
    kept.append(beside_uncertainties(10_000))
    kept.append(beside_monte_carlo(1_000_000))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
