"""Random calls of the operators on images, as JSON, and how to make them here and in PyTorch."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

Call = dict[str, Any]

MODES = {
    1: ["nearest", "nearest-exact", "linear", "area"],
    2: ["nearest", "nearest-exact", "bilinear", "bicubic", "area"],
    3: ["nearest", "nearest-exact", "trilinear", "area"],
}
SCALES = [0.5, 2.0, 1.7, 0.6, 3.0, 1.1, 1.0, 1 / 3]


def draw_array(source: random.Random, *shape: int, low: float = -2.0, high: float = 2.0) -> Call:
    count = int(np.prod(shape))
    return {"array": [round(source.uniform(low, high), 2) for _ in range(count)], "shape": shape}


def draw_sizes(source: random.Random, dims: int, low: int, high: int) -> list[int]:
    return [source.randint(low, high) for _ in range(dims)]


def draw_convolution(source: random.Random) -> Call:
    dims = source.choice([1, 1, 2, 2, 3])
    groups = source.choice([1, 1, 2])
    inputs, outputs = groups * source.randint(1, 2), groups * source.randint(1, 2)
    kernel = draw_sizes(source, dims, 1, 3)
    images = draw_array(source, source.randint(1, 2), inputs, *draw_sizes(source, dims, 3, 5))
    options: Call = {
        "stride": draw_sizes(source, dims, 1, 2),
        "padding": draw_sizes(source, dims, 0, 2),
        "dilation": draw_sizes(source, dims, 1, 2),
        "groups": groups,
    }
    bias = draw_array(source, outputs) if source.random() < 0.5 else None
    if source.random() < 0.5:
        longest = zip(options["stride"], options["dilation"], strict=True)
        options["output_padding"] = [source.randint(0, max(pair) - 1) for pair in longest]
        weight = draw_array(source, inputs, outputs // groups, *kernel)
        return {"name": f"conv_transpose{dims}d", "args": [images, weight, bias], "kwargs": options}
    if source.random() < 0.3:
        options["padding"] = source.choice(["same", "valid"])
        options["stride"] = 1
    weight = draw_array(source, outputs, inputs // groups, *kernel)
    return {"name": f"conv{dims}d", "args": [images, weight, bias], "kwargs": options}


def draw_pool(source: random.Random) -> Call:
    dims = source.choice([1, 2, 2, 3])
    kernel = draw_sizes(source, dims, 1, 4)
    images = draw_array(source, 2, *draw_sizes(source, dims, 4, 6))
    windows: Call = {
        "kernel_size": kernel,
        "stride": source.choice([None, draw_sizes(source, dims, 1, 3)]),
        "ceil_mode": source.random() < 0.5,
    }
    kind = source.choice(["avg", "max", "lp", "adaptive_avg", "adaptive_max"])
    if kind == "avg":
        windows["padding"] = [length // 2 for length in kernel]
        windows["count_include_pad"] = source.random() < 0.5
    elif kind == "max":
        windows["padding"] = [length // 2 for length in kernel]
        windows["dilation"] = draw_sizes(source, dims, 1, 2)
        windows["return_indices"] = True
    elif kind == "lp":
        windows["norm_type"] = source.choice([1, 2, 3])
        windows["kernel_size"] = kernel if dims > 1 else kernel[0]
    else:
        windows = {"output_size": draw_sizes(source, dims, 1, 8)}
    return {"name": f"{kind}_pool{dims}d", "args": [images], "kwargs": windows}


def draw_interpolation(source: random.Random) -> Call:
    dims = source.choice([1, 2, 2, 3])
    antialias = dims == 2 and source.random() < 0.3
    mode = source.choice(["bilinear", "bicubic", "lanczos"] if antialias else MODES[dims])
    images = draw_array(source, 1, 1, *draw_sizes(source, dims, 2, 6))
    options: Call = {"mode": mode}
    if source.random() < 0.5:
        options["size"] = draw_sizes(source, dims, 2, 8)
    else:
        options["scale_factor"] = source.choice(SCALES)
        options["recompute_scale_factor"] = source.choice([None, True, False])
    if mode.endswith(("linear", "cubic")):
        options["align_corners"] = source.choice([True, False])
    if antialias:
        options["antialias"] = True
    return {"name": "interpolate", "args": [images], "kwargs": options}


def draw_sampling(source: random.Random) -> Call:
    dims = source.choice([2, 2, 3])
    images = draw_array(source, 1, 2, *draw_sizes(source, dims, 1, 4))
    points = draw_array(source, 1, *draw_sizes(source, dims, 1, 3), dims)
    options: Call = {
        "mode": source.choice(["bilinear", "nearest", "bicubic"][: 5 - dims]),
        "padding_mode": source.choice(["zeros", "border", "reflection"]),
        "align_corners": source.random() < 0.5,
    }
    return {"name": "grid_sample", "args": [images, points], "kwargs": options}


DRAWERS: list[Callable[[random.Random], Call]] = [
    draw_convolution,
    draw_pool,
    draw_interpolation,
    draw_sampling,
]


def draw_calls(count: int) -> list[Call]:
    """The first calls of a fixed sequence; some of them are refused."""
    source = random.Random(0)
    return [source.choice(DRAWERS)(source) for _ in range(count)]


def make_arguments(call: Call, make: Callable[[np.ndarray[Any, Any]], Any]) -> list[Any]:
    """The positional arguments, arrays passed through ``make``."""
    arguments = []
    for argument in call["args"]:
        if isinstance(argument, dict):
            array = np.array(argument["array"], dtype=np.float64)
            arguments.append(make(array.reshape(argument["shape"])))
        else:
            arguments.append(argument)
    return arguments
