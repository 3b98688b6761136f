"""Random tensors, drawn from PyTorch's stream (`gradcli.random.generator`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.comparison import zeros_like
from gradcli.ops.algebra.creation import checked_size, leaf, requested, with_type
from gradcli.ops.algebra.parts import blank
from gradcli.ops.algebra.sums import expand
from gradcli.ops.inplace.derive import apply_in_place
from gradcli.random.generator import Generator, default_generator
from gradcli.table.declare import composite, row
from gradcli.table.refusals import NOT_IMPLEMENTED, no_derivative
from gradcli.table.row import Row
from gradcli.table.samples import Sampler
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import DType
from gradcli.tensor.errors import no_kernel, require_kinds
from gradcli.tensor.formats import MemoryFormat, arranged_copy, channels_last
from gradcli.tensor.memory import reserve
from gradcli.tensor.shapes import common_shape
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array


def source(generator: Generator | None) -> Generator:
    """The generator that was asked for, else the default one."""
    return generator or default_generator


def _drawn(
    draw: Callable[..., Any], size: Sequence[int], generator: Generator | None, *options: Any
) -> Tensor:
    dtype, requires_grad = requested(options)
    kind = dtype or dtypes.default.dtype
    return leaf(draw(source(generator), checked_size(size, kind), kind.np), requires_grad)


def _fill_in_order(draw: Callable[..., Any], self: Array, *arguments: Any) -> Array:
    """Draws for the elements in the order in which they lie in memory.

    `draw` takes the generator, a shape, a type, whether that is the shape's own order, and the
    other arguments, arrays among them transposed to the shape.
    """
    *numbers, generator = arguments
    reserve(self.shape, self.itemsize)
    order = sorted(range(self.ndim), key=lambda dim: -abs(self.strides[dim]))
    numbers = [
        expand.forward(number, self.shape).transpose(order)
        if isinstance(number, np.ndarray)
        else number
        for number in numbers
    ]
    shape = tuple(self.shape[dim] for dim in order)
    in_rows = bool(self.flags.c_contiguous)
    made = draw(source(generator), shape, self.dtype, in_rows, *numbers)
    back = [order.index(dim) for dim in range(self.ndim)]
    return np.asarray(made, self.dtype).transpose(back)


def _drawn_like(
    draw: Callable[..., Any],
    self: Tensor,
    generator: Generator | None,
    memory_format: MemoryFormat | None,
    *options: Any,
) -> Tensor:
    dtype, requires_grad = requested(options)
    kind = (dtype or self.dtype).np
    reserve(self._array.shape, kind.itemsize)
    room = np.empty_like(self._array, dtype=kind)
    if memory_format is not None:
        room = arranged_copy(room, memory_format)
    return leaf(_fill_in_order(draw, room, generator), requires_grad)


def _floats(name: str, draw: Callable[..., Any], doc: str) -> None:
    """Enters `torch.NAME` and `torch.NAME_like`."""
    word = {"rand": "check_uniform_bounds", "randn": "normal_kernel_cpu"}[name]

    def checked(default: DType, options: Sequence[Any]) -> Sequence[Any]:
        options = with_type(default, options)
        if options[0].category < dtypes.FLOATING:
            raise no_kernel(word, options[0].np)
        return options

    @composite(
        name,
        samples=lambda r: [
            ((2, 3),),
            ((20,),),
            ((),),
            ((3,), {"dtype": dtypes.float64}),
            ((2, 2), {"dtype": dtypes.complex64}),
            ((2,), {"requires_grad": True}),
        ],
        doc=doc,
    )
    def make(size: Sequence[int], *options: Any, generator: Generator | None = None) -> Tensor:
        return _drawn(draw, size, generator, *checked(dtypes.default.dtype, options))

    @composite(
        f"{name}_like",
        samples=lambda r: [
            (r(2, 3),),
            (r(20),),
            (r.ints(2, high=3), {"dtype": dtypes.float32}),
            (r.complex(2),),
            (r(1, 2, 2, 2), {"memory_format": channels_last}),
            (r(2), {"requires_grad": True}),
        ],
        doc=f"{doc[:-1]}, in the shape and type of a tensor.",
    )
    def make_like(
        self: Tensor,
        *options: Any,
        generator: Generator | None = None,
        memory_format: MemoryFormat | None = None,
    ) -> Tensor:
        return _drawn_like(draw, self, generator, memory_format, *checked(self.dtype, options))


_floats("rand", lambda g, shape, kind, _=True: g.rand(shape, kind), "Uniform numbers on [0, 1).")
_floats(
    "randn",
    lambda g, shape, kind, in_rows=True: g.normal(shape, 0.0, 1.0, kind, contiguous=in_rows),
    "Standard normal numbers.",
)


def _integers(low: int, high: int) -> Callable[..., Any]:
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    return lambda g, shape, kind, _=True: g.randint(low, high, shape, kind)


@composite(
    "randint",
    samples=lambda r: [
        (5, (2, 3)),
        (2**40, (3,)),
        (5, (20,), {"dtype": dtypes.float32}),
        (3, (), {"dtype": dtypes.uint8}),
    ],
)
def randint(
    high: int, size: Sequence[int], *options: Any, generator: Generator | None = None
) -> Tensor:
    """Whole numbers on [0, high)."""
    return _drawn(_integers(0, high), size, generator, *with_type(dtypes.int64, options))


@composite(
    "randint",
    samples=lambda r: [
        (-3, 5, (2, 3)),
        (-(2**40), 2**40, (3,)),
        (2, 5, (4,), {"dtype": dtypes.float64, "requires_grad": True}),
    ],
)
def randint_from(
    low: int, high: int, size: Sequence[int], *options: Any, generator: Generator | None = None
) -> Tensor:
    """Whole numbers on [low, high)."""
    return _drawn(_integers(low, high), size, generator, *with_type(dtypes.int64, options))


@composite(
    "randint_like",
    samples=lambda r: [(r(2, 3), 5), (r.ints(3, high=2), 9), (r(2), 7, {"dtype": dtypes.int64})],
)
def randint_like(
    self: Tensor,
    high: int,
    *options: Any,
    generator: Generator | None = None,
    memory_format: MemoryFormat | None = None,
) -> Tensor:
    """Whole numbers on [0, high), in the shape and type of a tensor."""
    return _drawn_like(_integers(0, high), self, generator, memory_format, *options)


@composite(
    "randint_like",
    samples=lambda r: [
        (r(2, 3), -3, 5),
        (r.ints(3, high=2), 6, 9),
        (r(2), -7, 7, {"dtype": dtypes.int64}),
    ],
)
def randint_like_from(
    self: Tensor,
    low: int,
    high: int,
    *options: Any,
    generator: Generator | None = None,
    memory_format: MemoryFormat | None = None,
) -> Tensor:
    """Whole numbers on [low, high), in the shape and type of a tensor."""
    return _drawn_like(_integers(low, high), self, generator, memory_format, *options)


@composite(
    "randperm",
    samples=lambda r: [
        (6,),
        (0,),
        (1,),
        (5, {"dtype": dtypes.float64}),
        (40, {"dtype": dtypes.int32}),
    ],
)
def randperm(n: int, *options: Any, generator: Generator | None = None) -> Tensor:
    """A permutation of 0 to n - 1."""
    checked_size((n,), dtypes.int64)
    draw = lambda g, _, kind: g.randperm(n, kind)
    return _drawn(draw, (n,), generator, *with_type(dtypes.int64, options))


@composite(
    "normal",
    samples=lambda r: [
        (1.5, 0.5, (2, 3)),
        (-1.0, 2.0, (20,)),
        (0.0, 1.0, (3,), {"dtype": dtypes.float64}),
        (1.0, 0.0, (), {"requires_grad": True}),
    ],
)
def normal_of_size(
    mean: float, std: float, size: Sequence[int], *options: Any, generator: Generator | None = None
) -> Tensor:
    """Normal numbers of one mean and standard deviation."""
    draw = lambda g, shape, kind: g.normal(shape, mean, std, kind)
    return _drawn(draw, size, generator, *options)


def _normals(mean: Any, std: Any, generator: Generator | None) -> Array:
    for part in (mean, std):
        if isinstance(part, np.ndarray):
            require_kinds(part.dtype, "fc", "normal_kernel_cpu")
    common_shape([np.shape(mean), np.shape(std)])
    return source(generator).normal_like(mean, std)


# What is drawn does not depend on its parameters smoothly: PyTorch's gradients are zeros.

normal: Row = row(
    "normal(Tensor mean, Tensor std, *, generator? generator=None)",
    lambda mean, std, generator=None: _normals(mean, std, generator),
    halves=False,
    node="NormalBackward3",
    mean=lambda grad, mean_shape: blank(mean_shape, grad),
    std=lambda grad, std_shape: blank(std_shape, grad),
    complex_gradient=False,
    samples=lambda r: [
        (r(2, 3), r(2, 3, low=0.1)),
        (r(3, 1), r(2, low=0.1)),
        (r(20), r(20, low=0.1)),
        (r(), r(2, low=0.1)),
    ],
    doc="Normal numbers with a mean and a standard deviation each.",
)
normal_of_means: Row = row(
    "normal(Tensor mean, float std=1.0, *, generator? generator=None)",
    lambda mean, std=1.0, generator=None: _normals(mean, float(std), generator),
    halves=False,
    node="NormalBackward1",
    mean=lambda grad, mean_shape: blank(mean_shape, grad),
    complex_gradient=False,
    samples=lambda r: [(r(2, 3),), (r(20), 0.5), (r(), 2.0)],
    doc="Normal numbers with a mean each and one standard deviation.",
)
normal_of_deviations: Row = row(
    "normal(float mean, Tensor std, *, generator? generator=None)",
    lambda mean, std, generator=None: _normals(float(mean), std, generator),
    halves=False,
    node="NormalBackward2",
    std=lambda grad, std_shape: blank(std_shape, grad),
    complex_gradient=False,
    samples=lambda r: [(1.5, r(2, 3, low=0.1)), (0.0, r(20, low=0.1)), (-1.0, r(low=0.1))],
    doc="Normal numbers with one mean and a standard deviation each.",
)
bernoulli: Row = row(
    "bernoulli(Tensor self, *, generator? generator=None)",
    lambda self, generator=None: source(generator).bernoulli(self.shape, self, self.dtype),
    halves=False,
    self=zeros_like,
    samples=lambda r: [
        (r(2, 3, low=0.0, high=1.0),),
        (r(20, low=0.0, high=1.0),),
        (r(low=0.0, high=1.0),),
    ],
    doc="Ones with the probabilities that self holds, else zeros.",
)


bernoulli_of: Row = row(
    "bernoulli(Tensor self, float p, *, generator? generator=None)",
    lambda self, p, generator=None: source(generator).bernoulli(self.shape, float(p), self.dtype),
    halves=False,
    node=NOT_IMPLEMENTED,
    self=no_derivative("bernoulli"),
    samples=lambda r: [(r(2, 3), 0.3), (r(20), 0.7), (r.ints(4, high=9), 0.5)],
    doc="Ones with one probability, else zeros, in the shape and type of a tensor.",
)
poisson: Row = row(
    "poisson(Tensor self, generator? generator=None)",
    lambda self, generator=None: source(generator).poisson(self),
    halves=False,
    self=zeros_like,
    samples=lambda r: [(r(2, 3, low=0.1, high=5.0),), (r(3, low=10.0, high=30.0),), (np.zeros(2),)],
    doc="Poisson numbers with the rates that self holds.",
)


@composite(
    "multinomial",
    samples=lambda r: [
        (r(4, low=0.1), 2),
        (r(2, 4, low=0.1), 3),
        (r(2, 4, low=0.1), 6, True),
        (np.array([0.0, 1.0, 0.0]), 1),
    ],
)
def multinomial(
    self: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Indices drawn with the weights that self holds."""
    reserve((*self._array.shape[:-1], num_samples), 8)
    drawn = source(generator).multinomial(self._array, num_samples, replacement)
    return wrap(np.ascontiguousarray(drawn))


def _filler(
    signature: str,
    node: str,
    draw: Callable[..., Any],
    doc: str,
    arguments: Sequence[tuple[Any, ...]],
    second: str | None = None,
    whole: bool = False,
    pytorch: str = "",
) -> None:
    """Enters a method that fills a tensor; `second` is a second operand of the node.

    `arguments` are what samples have behind the tensor; `whole` says that it may hold integers;
    `pytorch` spells the row, where another operator has its name.
    """

    def samples(r: Sampler) -> list[tuple[Any, ...]]:
        # The last argument of all fills in the defaults before it, which a row is to be given.
        rooms = [r(2, 3), r(20), *[r.ints(4, high=9)] * whole]
        return [(room, *given, {"generator": None}) for given in arguments for room in rooms]

    name, _, parameters = signature.partition("_(Tensor self")
    formulas: dict[str, Any] = {"self": zeros_like}
    if second is not None:
        formulas[second] = zeros_like
    drawn = row(
        f"aten.{name}(Tensor self{parameters}",
        lambda self, *arguments: _fill_in_order(draw, self, *arguments),
        halves=False,
        node=node,
        samples=samples,
        doc=doc,
        pytorch=pytorch,
        **formulas,
    )

    @composite(f"Tensor.{signature}", samples=samples, doc=doc)
    def fill(self: Tensor, *arguments: Any) -> Tensor:
        filled: Tensor = apply_in_place(
            self, lambda stand_in: drawn(stand_in, *arguments), arguments, name=name
        )
        return filled


_filler(
    "uniform_(Tensor self, float from=0.0, float to=1.0, *, generator? generator=None)",
    "UniformBackward0",
    lambda g, shape, dtype, _, low, high: g.uniform(shape, low, high, dtype),
    "Fills self with uniform numbers on [from, to).",
    [(), (-2.0, 3.0)],
)
_filler(
    "normal_(Tensor self, float mean=0.0, float std=1.0, *, generator? generator=None)",
    "NormalBackward0",
    lambda g, shape, dtype, in_rows, mean, std: g.normal(
        shape, mean, std, dtype, contiguous=in_rows
    ),
    "Fills self with normal numbers.",
    [(), (1.5, 0.5)],
    pytorch="self.clone().normal_(mean, std)",
)
_filler(
    "random_(Tensor self, int from, int? to, *, generator? generator=None)",
    "RandomBackward0",
    lambda g, shape, dtype, _, low, high: g.randint(low, high, shape, dtype),
    "Fills self with whole numbers on [from, to).",
    [(-3, 5), (2, None)],
    whole=True,
)
_filler(
    "random_(Tensor self, int to, *, generator? generator=None)",
    "RandomBackward1",
    lambda g, shape, dtype, _, high: g.randint(0, high, shape, dtype),
    "Fills self with whole numbers on [0, to).",
    [(5,), (2**40,)],
    whole=True,
)
_filler(
    "random_(Tensor self, *, generator? generator=None)",
    "RandomBackward2",
    lambda g, shape, dtype, _: g.random(shape, dtype),
    "Fills self with whole numbers from all that its type holds.",
    [()],
    whole=True,
)
_filler(
    "exponential_(Tensor self, float lambd=1.0, *, generator? generator=None)",
    "ExponentialBackward0",
    lambda g, shape, dtype, _, lambd: g.exponential(shape, lambd, dtype),
    "Fills self with exponential numbers of a rate.",
    [(), (2.5,)],
)
_filler(
    "cauchy_(Tensor self, float median=0.0, float sigma=1.0, *, generator? generator=None)",
    "CauchyBackward0",
    lambda g, shape, dtype, _, median, sigma: g.cauchy(shape, median, sigma, dtype),
    "Fills self with Cauchy numbers.",
    [(), (1.5, 0.5)],
)
_filler(
    "log_normal_(Tensor self, float mean=1.0, float std=2.0, *, generator? generator=None)",
    "LogNormalBackward0",
    lambda g, shape, dtype, _, mean, std: g.log_normal(shape, mean, std, dtype),
    "Fills self with numbers whose logarithms are normal.",
    [(), (0.5, 0.25)],
)
_filler(
    "geometric_(Tensor self, float p, *, generator? generator=None)",
    "GeometricBackward0",
    lambda g, shape, dtype, _, p: g.geometric(shape, p, dtype),
    "Fills self with the numbers of trials until a success.",
    [(0.3,)],
    whole=True,
)


def _bernoulli_each(g: Generator, shape: Any, dtype: Any, _: bool, p: Array) -> Array:
    if np.dtype(dtype).kind == "c":
        raise no_kernel("bernoulli_tensor_cpu_self_", dtype)
    require_kinds(p.dtype, "f", "bernoulli_tensor_cpu_p_")
    return g.bernoulli(shape, p, dtype)


# PyTorch takes a probability in a tensor without dimensions for a tensor.
_filler(
    "bernoulli_(Tensor self, Tensor p, *, generator? generator=None)",
    "BernoulliBackward1",
    _bernoulli_each,
    "Fills self with ones of a probability each, else zeros.",
    [(np.array(0.3),)],
    second="p",
    pytorch="self.clone().bernoulli_(p)",
)
_filler(
    "bernoulli_(Tensor self, float p=0.5, *, generator? generator=None)",
    "BernoulliBackward2",
    lambda g, shape, dtype, _, p: g.bernoulli(shape, float(p), dtype),
    "Fills self with ones of a probability, else zeros.",
    [(), (0.2,)],
    whole=True,
    pytorch="self.clone().bernoulli_(p)",
)
