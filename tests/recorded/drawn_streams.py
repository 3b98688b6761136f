"""Programs of calls that draw random numbers, themselves drawn from seeds."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import numpy as np

SEEDS = [0, 1, 3, 42, 99999, 2**31, 2**32 + 5, -1, 2**63, 2**64 - 1, -(2**63)]
CALLS = 40

FLOATS = ["float16", "float32", "float64"]
FLOATS_AND_COMPLEX = [*FLOATS, "complex64", "complex128"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
EVERY_REAL = [*FLOATS, *INTEGERS, "bool"]

Call = dict[str, Any]


def draw_shape(source: random.Random) -> list[int]:
    kind = source.random()
    if kind < 0.1:
        return []
    if kind < 0.15:
        return [source.choice([0, 0, 2]), 0, 3]
    if kind < 0.75:
        return [source.randint(1, 40)]
    if kind < 0.96:
        return [source.randint(1, 8), source.randint(1, 8)]
    return [source.choice([1000, 700])]


def draw_array(source: random.Random, shape: list[int], dtype: str, scale: float = 1.0) -> Call:
    values = [round(scale * (source.random() + 1e-3) / 1.01, 3) for _ in range(int(np.prod(shape)))]
    return {"array": values, "shape": shape, "dtype": dtype}


def draw_integer_bounds(source: random.Random, dtype: str) -> list[int | None]:
    if dtype not in ("int32", "int64", "float32", "float64") or source.random() < 0.5:
        low = source.randint(0, 50)
        return [low, low + source.randint(1, 70)]
    if dtype in FLOATS:
        return [0, source.choice([None, 2**28, 2**28 - 1, 2**63 - 1])]
    end = 2**31 if dtype == "int32" else 2**63
    low = source.choice([0, 1 - end, source.randint(-end, end - 2)])
    highs = [None, end - 1, source.randint(low + 1, end - 1)]
    highs += [min(low + 2**28 - step, end - 1) for step in (0, 1)]
    return [low, source.choice(highs)]


def draw_call(source: random.Random) -> Call:
    """One call; its parameters are what the method takes, besides shape and dtype."""
    shape = draw_shape(source)
    real = source.choice(FLOATS)
    location = source.choice([0.0, 1.0, -1.0, 1.1, -2.5, source.uniform(-5, 5)])
    scale = source.choice([1.0, 0.5, 2.0, 0.7, 3.0, source.uniform(0, 5), 1e-3])
    chance = source.choice([0.5, 0.3, source.random()])
    name = source.choice(list(SPELLINGS))
    call: Call = {"name": name, "shape": shape, "dtype": source.choice(FLOATS_AND_COMPLEX)}
    if name == "normal":
        call |= {"args": [location, scale]}
    elif name == "uniform":
        call |= {"args": [location, location + scale]}
    elif name == "strided_normal":
        call |= {"shape": [source.randint(1, 50)], "dtype": real, "args": [location, scale]}
    elif name == "normal_like":
        mean: Any = draw_array(source, shape, source.choice(FLOATS))
        std: Any = draw_array(source, shape, source.choice(FLOATS))
        call |= {"args": source.choice([[mean, std], [mean, scale], [location, std]])}
    elif name == "randint":
        dtype = source.choice(FLOATS + INTEGERS)
        call |= {"dtype": dtype, "args": draw_integer_bounds(source, dtype)}
    elif name == "random":
        call |= {"dtype": source.choice(EVERY_REAL)}
    elif name == "randperm":
        n = source.choice([0, 1, 2, source.randint(3, 40), 120])
        call |= {"dtype": source.choice(FLOATS + INTEGERS), "args": [n]}
    elif name == "bernoulli":
        chances = draw_array(source, shape, source.choice(FLOATS))
        call |= {"dtype": source.choice(EVERY_REAL), "args": [source.choice([chance, chances])]}
    elif name == "geometric":
        call |= {"dtype": source.choice(FLOATS + INTEGERS), "args": [min(max(chance, 0.05), 0.95)]}
    elif name == "multinomial":
        shape = [*source.choice([[], [source.randint(1, 4)]]), source.randint(1, 30)]
        weights = draw_array(source, shape, source.choice(["float32", "float64"]))
        call |= {"args": [weights, source.randint(1, shape[-1]), source.random() < 0.5]}
    elif name == "poisson":
        call |= {"args": [draw_array(source, shape, real, source.choice([1, 5, 50, 300]))]}
    elif name == "exponential":
        call |= {"dtype": real, "args": [scale]}
    elif name in ("cauchy", "log_normal"):
        call |= {"dtype": real, "args": [location, scale]}
    return call


SPELLINGS = {
    "rand": "{x}.uniform_(generator=g)",
    "uniform": "{x}.uniform_({args}, generator=g)",
    "randn": "torch.randn({shape}, dtype={type}, generator=g)",
    "normal": "{x}.normal_({args}, generator=g)",
    "strided_normal": "torch.empty([*{shape}, 2], dtype={type})[:, 0].normal_({args}, generator=g)",
    "normal_like": "torch.normal({args}, generator=g)",
    "randint": "{x}.random_({args}, generator=g)",
    "random": "{x}.random_(generator=g)",
    "randperm": "torch.randperm({args}, dtype={type}, generator=g)",
    "bernoulli": "{x}.bernoulli_({args}, generator=g)",
    "geometric": "{x}.geometric_({args}, generator=g)",
    "multinomial": "torch.multinomial({args}, generator=g)",
    "poisson": "torch.poisson({args}, generator=g)",
    "exponential": "{x}.exponential_({args}, generator=g)",
    "cauchy": "{x}.cauchy_({args}, generator=g)",
    "log_normal": "{x}.log_normal_({args}, generator=g)",
}
"""How PyTorch spells a call: `x` is a tensor to be filled, `shape` and `type` are its own."""


def spelled(call: Call) -> str:
    """A call as an expression."""
    shape, dtype = call["shape"], f"torch.{call['dtype']}"
    empty = f"torch.empty({shape}, dtype={dtype})"
    args = ", ".join(map(_argument, call.get("args", [])))
    return SPELLINGS[call["name"]].format(x=empty, shape=shape, type=dtype, args=args)


def _argument(value: Any) -> str:
    if not isinstance(value, dict):
        return repr(value)
    return f"torch.tensor({value['array']}, dtype=torch.{value['dtype']}).reshape({value['shape']})"


def programs(seeds: Iterable[int] = SEEDS, drawn: str = "") -> list[str]:
    """A program for each seed: calls that draw from one generator, and its state at the end."""
    made = []
    for seed in seeds:
        source = random.Random(drawn + str(seed) if drawn else seed)
        calls = [spelled(draw_call(source)) for _ in range(CALLS)]
        shown = [f"print(exact({call}))" for call in [*calls, "g.get_state()"]]
        made.append("\n".join([f"g = torch.Generator().manual_seed({seed})", *shown]))
    return made
