"""Random calls of the generator's methods, as JSON, and how to make them here and in PyTorch."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from gradcli.random.generator import Generator

SEEDS = [0, 1, 3, 42, 99999, 2**31, 2**32 + 5, -1, 2**63, 2**64 - 1, -(2**63)]

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
    name = source.choice(list(THEIRS))
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


def _array(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return np.asarray(np.array(value["array"], value["dtype"]).reshape(value["shape"]))


def ours(generator: Generator, call: Call) -> np.ndarray[Any, Any]:
    """Makes the call here."""
    name, dtype, shape = call["name"], call["dtype"], tuple(call["shape"])
    args = [_array(arg) for arg in call.get("args", [])]
    if name == "strided_normal":
        return generator.normal(shape, *args, dtype, contiguous=False)
    if name in ("normal_like", "multinomial", "poisson"):
        return getattr(generator, name)(*args)
    if name == "randperm":
        return generator.randperm(*args, dtype)
    if name == "randint":
        return generator.randint(*args, shape, dtype)
    return getattr(generator, name)(shape, *args, dtype)


#: By method: PyTorch's call, given torch, an uninitialized tensor, the arguments, the generator.
THEIRS: dict[str, Any] = {
    "rand": lambda torch, x, args, g: x.uniform_(generator=g),
    "uniform": lambda torch, x, args, g: x.uniform_(*args, generator=g),
    "randn": lambda torch, x, args, g: torch.randn(x.shape, dtype=x.dtype, generator=g),
    "normal": lambda torch, x, args, g: x.normal_(*args, generator=g),
    "strided_normal": lambda torch, x, args, g: torch.empty((*x.shape, 2), dtype=x.dtype)[
        :, 0
    ].normal_(*args, generator=g),
    "normal_like": lambda torch, x, args, g: torch.normal(*args, generator=g),
    "randint": lambda torch, x, args, g: x.random_(*args, generator=g),
    "random": lambda torch, x, args, g: x.random_(generator=g),
    "randperm": lambda torch, x, args, g: torch.randperm(*args, dtype=x.dtype, generator=g),
    "bernoulli": lambda torch, x, args, g: x.bernoulli_(*args, generator=g),
    "geometric": lambda torch, x, args, g: x.geometric_(*args, generator=g),
    "multinomial": lambda torch, x, args, g: torch.multinomial(*args, generator=g),
    "poisson": lambda torch, x, args, g: torch.poisson(*args, generator=g),
    "exponential": lambda torch, x, args, g: x.exponential_(*args, generator=g),
    "cauchy": lambda torch, x, args, g: x.cauchy_(*args, generator=g),
    "log_normal": lambda torch, x, args, g: x.log_normal_(*args, generator=g),
}


def theirs(torch: Any, generator: Any, call: Call) -> np.ndarray[Any, Any]:
    """Makes the call in PyTorch."""
    empty = torch.empty(call["shape"], dtype=getattr(torch, call["dtype"]))
    arrays = [_array(arg) for arg in call.get("args", [])]
    args = [torch.from_numpy(arg) if isinstance(arg, np.ndarray) else arg for arg in arrays]
    result: np.ndarray[Any, Any] = THEIRS[call["name"]](torch, empty, args, generator).numpy()
    return result
