"""Random tensors, drawn from PyTorch's stream (``gradcli.tensor.random``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.ops.creation import check_device, checked_size, leaf
from gradcli.ops.inplace import apply_in_place
from gradcli.ops.table import composite
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import DType
from gradcli.tensor.random import Generator, default_generator
from gradcli.tensor.tensor import Tensor, wrap

_OPTIONS = "$factory, any generator=None"
Draw = Callable[[Generator, tuple[int, ...], Any], Any]


def source(generator: Any) -> Generator:
    """The generator that was asked for, else the default one."""
    return generator if isinstance(generator, Generator) else default_generator


def _drawn(
    draw: Draw,
    size: Sequence[int],
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: Any = False,
    requires_grad: Any = False,
    generator: Any = None,
) -> Tensor:
    check_device(device)
    kind = dtype or dtypes.default.dtype
    return leaf(draw(source(generator), checked_size(size), kind.np), requires_grad)


def _floats(name: str, draw: Draw, doc: str) -> None:
    """Enters ``torch.NAME`` and ``torch.NAME_like``."""
    word = {"rand": "check_uniform_bounds", "randn": "normal_kernel_cpu"}[name]

    def of(dtype: DType | None) -> None:
        kind = dtype or dtypes.default.dtype
        if kind.category < dtypes.FLOATING:
            raise NotImplementedError(f"\"{word}\" not implemented for '{kind.scalar_name}'")

    @composite(f"{name}(int[] size, *, {_OPTIONS})", doc=doc)
    def make(size: Sequence[int], dtype: DType | None = None, *options: Any) -> Tensor:
        of(dtype)
        return _drawn(draw, size, dtype, *options)

    @composite(
        f"{name}_like(Tensor self, *, {_OPTIONS}, any memory_format=None)",
        doc=f"{doc[:-1]}, in the shape and type of a tensor.",
    )
    def make_like(self: Tensor, dtype: DType | None = None, *options: Any) -> Tensor:
        of(dtype or self.dtype)
        return _drawn(draw, self.shape, dtype or self.dtype, *options[:-1])


_floats("rand", lambda g, size, kind: g.rand(size, kind), "Uniform numbers on [0, 1).")
_floats("randn", lambda g, size, kind: g.randn(size, kind), "Standard normal numbers.")


def _integers(
    low: int, high: int, size: Sequence[int], dtype: DType | None = None, *options: Any
) -> Tensor:
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    return _drawn(
        lambda g, shape, kind: g.randint(low, high, shape, kind),
        size,
        dtype or dtypes.int64,
        *options,
    )


@composite(f"randint(int high, int[] size, *, {_OPTIONS})", doc="Whole numbers on [0, high).")
def randint(high: int, size: Sequence[int], *options: Any) -> Tensor:
    return _integers(0, high, size, *options)


@composite(
    f"randint(int low, int high, int[] size, *, {_OPTIONS})", doc="Whole numbers on [low, high)."
)
def randint_from(low: int, high: int, size: Sequence[int], *options: Any) -> Tensor:
    return _integers(low, high, size, *options)


@composite(
    f"randint_like(Tensor self, int high, *, {_OPTIONS}, any memory_format=None)",
    doc="Whole numbers on [0, high), in the shape and type of a tensor.",
)
def randint_like(self: Tensor, high: int, dtype: DType | None = None, *options: Any) -> Tensor:
    return _integers(0, high, self.shape, dtype or self.dtype, *options[:-1])


@composite(
    f"randint_like(Tensor self, int low, int high, *, {_OPTIONS}, any memory_format=None)",
    doc="Whole numbers on [low, high), in the shape and type of a tensor.",
)
def randint_like_from(
    self: Tensor, low: int, high: int, dtype: DType | None = None, *options: Any
) -> Tensor:
    return _integers(low, high, self.shape, dtype or self.dtype, *options[:-1])


@composite(f"randperm(int n, *, {_OPTIONS})", doc="A permutation of 0 to n - 1.")
def randperm(n: int, dtype: DType | None = None, *options: Any) -> Tensor:
    if n < 0:
        raise RuntimeError(f"n must be non-negative, got{n}")
    return _drawn(lambda g, _, kind: g.randperm(n, kind), (n,), dtype or dtypes.int64, *options)


@composite(
    f"normal(float mean, float std, int[] size, *, {_OPTIONS})",
    doc="Normal numbers of one mean and standard deviation.",
)
def normal_of_size(mean: float, std: float, size: Sequence[int], *options: Any) -> Tensor:
    return _drawn(lambda g, shape, kind: g.normal(shape, mean, std, kind), size, *options)


@composite(
    "normal(Operand mean, Operand std=1.0, *, any generator=None)",
    doc="Normal numbers with a mean and a standard deviation each.",
)
def normal(mean: Any, std: Any = 1.0, generator: Any = None) -> Tensor:
    parts = [part._array if isinstance(part, Tensor) else float(part) for part in (mean, std)]
    return wrap(source(generator).normal_like(*parts))


@composite(
    "bernoulli(Tensor self, *, any generator=None)",
    doc="Ones with the probabilities that self holds, else zeros.",
)
def bernoulli(self: Tensor, generator: Any = None) -> Tensor:
    return wrap(source(generator).bernoulli(self._array.shape, self._array, self._array.dtype))


@composite(
    "bernoulli(Tensor self, float p, *, any generator=None)",
    doc="Ones with one probability, else zeros, in the shape and type of a tensor.",
)
def bernoulli_of(self: Tensor, p: float, generator: Any = None) -> Tensor:
    return wrap(source(generator).bernoulli(self._array.shape, float(p), self._array.dtype))


@composite(
    "multinomial(Tensor self, int num_samples, bool replacement=False, *, any generator=None)",
    doc="Indices drawn with the weights that self holds.",
)
def multinomial(
    self: Tensor, num_samples: int, replacement: bool = False, generator: Any = None
) -> Tensor:
    return wrap(source(generator).multinomial(self._array, num_samples, replacement))


@composite(
    "poisson(Tensor self, any generator=None)",
    doc="Poisson numbers with the rates that self holds.",
)
def poisson(self: Tensor, generator: Any = None) -> Tensor:
    return wrap(source(generator).poisson(self._array))


# --- the stream itself


@composite("manual_seed(int seed)", doc="Starts the random stream anew from a seed.")
def manual_seed(seed: int) -> Generator:
    return default_generator.manual_seed(seed)


@composite("seed()", doc="Starts the random stream anew from a number that nobody foresees.")
def seed() -> int:
    return default_generator.seed()


@composite("initial_seed()", doc="The seed that the random stream started from.")
def initial_seed() -> int:
    return default_generator.initial_seed()


@composite("get_rng_state()", doc="The state of the random stream, as bytes.")
def get_rng_state() -> Tensor:
    return wrap(default_generator.get_state())


@composite("set_rng_state(Tensor new_state)", doc="Puts the random stream back into a state.")
def set_rng_state(new_state: Tensor) -> None:
    default_generator.set_state(new_state._array)


# --- filling a tensor


def _filler(signature: str, draw: Callable[..., Any], doc: str) -> None:
    def body(self: Tensor, *arguments: Any) -> Tensor:
        *numbers, generator = arguments
        array = self._array
        return apply_in_place(
            self,
            lambda _: wrap(np.asarray(draw(source(generator), array, *numbers), array.dtype)),
        )

    composite(f"Tensor.{signature}", doc=doc)(body)


_filler(
    "uniform_(Tensor self, float from=0.0, float to=1.0, *, any generator=None)",
    lambda g, a, low, high: g.uniform(a.shape, low, high, a.dtype),
    "Fills self with uniform numbers on [from, to).",
)
_filler(
    "normal_(Tensor self, float mean=0.0, float std=1.0, *, any generator=None)",
    lambda g, a, mean, std: g.normal(
        a.shape, mean, std, a.dtype, contiguous=bool(a.flags.c_contiguous)
    ),
    "Fills self with normal numbers.",
)
_filler(
    "random_(Tensor self, int from, int? to, *, any generator=None)",
    lambda g, a, low, high: g.randint(low, high, a.shape, a.dtype),
    "Fills self with whole numbers on [from, to).",
)
_filler(
    "random_(Tensor self, int to, *, any generator=None)",
    lambda g, a, high: g.randint(0, high, a.shape, a.dtype),
    "Fills self with whole numbers on [0, to).",
)
_filler(
    "random_(Tensor self, *, any generator=None)",
    lambda g, a: g.random(a.shape, a.dtype),
    "Fills self with whole numbers from all that its type holds.",
)
_filler(
    "exponential_(Tensor self, float lambd=1.0, *, any generator=None)",
    lambda g, a, lambd: g.exponential(a.shape, lambd, a.dtype),
    "Fills self with exponential numbers of a rate.",
)
_filler(
    "cauchy_(Tensor self, float median=0.0, float sigma=1.0, *, any generator=None)",
    lambda g, a, median, sigma: g.cauchy(a.shape, median, sigma, a.dtype),
    "Fills self with Cauchy numbers.",
)
_filler(
    "log_normal_(Tensor self, float mean=1.0, float std=2.0, *, any generator=None)",
    lambda g, a, mean, std: g.log_normal(a.shape, mean, std, a.dtype),
    "Fills self with numbers whose logarithms are normal.",
)
_filler(
    "geometric_(Tensor self, float p, *, any generator=None)",
    lambda g, a, p: g.geometric(a.shape, p, a.dtype),
    "Fills self with the numbers of trials until a success.",
)
_filler(
    "bernoulli_(Tensor self, float p=0.5, *, any generator=None)",
    lambda g, a, p: g.bernoulli(a.shape, float(p), a.dtype),
    "Fills self with ones of a probability, else zeros.",
)
_filler(
    "bernoulli_(Tensor self, Tensor p, *, any generator=None)",
    lambda g, a, p: g.bernoulli(a.shape, p._array, a.dtype),
    "Fills self with ones of a probability each, else zeros.",
)
