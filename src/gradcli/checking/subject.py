"""What is checked: an expression as a function of its variables, in double precision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.autograd.passes import grad
from gradcli.domain import Point, weights_of
from gradcli.evaluation import (
    Bindings,
    Steps,
    check_operands,
    define,
    leaves_of,
    located,
    restricted,
    seed_for,
)
from gradcli.formulas.evaluating import PlacedRecorder
from gradcli.language.running.machine import Machine
from gradcli.ops.algebra.complex import view_as_real
from gradcli.random.generator import manual_seed
from gradcli.readings.series.derivatives import Derivatives, NoSeries
from gradcli.readings.series.orders import DEEPEST, NESTED, mixed
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array

FAILURES: Final = (RuntimeError, ValueError, ArithmeticError, IndexError)
"""What an evaluation raises where a point is no place for it: a singular matrix, say."""

NOTHING: Final = "element 0 of tensors does not require grad and does not have a grad_fn"


class Run(NamedTuple):
    """An evaluation at a point.

    Attributes:
        outputs: the value of the expression, or the elements of a tuple.
        several: whether it is a tuple.
        leaves: the variables that are differentiated by.
        point: where that was.
    """

    machine: Machine
    value: Any
    outputs: list[Tensor]
    several: bool
    leaves: dict[str, Tensor]
    point: Point

    def vector(self) -> Array:
        """All outputs as one vector of real numbers."""
        return flat(self.outputs)

    @property
    def real_outputs(self) -> list[Tensor]:
        """The outputs, with two numbers for each complex one along an axis more."""
        return [real(output) for output in self.outputs]

    def names(self) -> dict[str, Any]:
        """All variables of the text."""
        return {**self.machine.globals, **self.machine.declared}


class Subject:
    """An expression with its variables.

    Args:
        bindings: with the variables that have values.
        drawn: the names of those that have none.
        wrt: the variables to differentiate by; all where it is empty.
        seeds: where a gradient starts from, as a `Plan` has them.
        write: takes what the text prints when it is first run.

    Raises:
        Exception: whatever a text or PyTorch's rules raise.
    """

    def __init__(
        self,
        bindings: Bindings,
        drawn: Sequence[str] = (),
        wrt: Sequence[str] = (),
        seeds: Sequence[Any] = (),
        write: Callable[[str], object] = lambda text: None,
        timeout: float | None = None,
    ) -> None:
        self._code = bindings.code
        self.codes = bindings.codes()
        """The code of the text, and of variables."""
        self._bindings = bindings
        self._seeds = seeds
        self._wrt = wrt
        self.timeout = timeout
        """Seconds that all evaluations together may take."""
        self._write = write
        machine = Machine(write=write, timeout=timeout)
        define(machine, bindings)
        self._consts: dict[str, Tensor] = {}
        self._given: dict[str, Array] = {}
        for name, value in machine.declared.items():
            if value.requires_grad:
                self._given[name] = _double(value)
            else:
                self._consts[name] = value
        self.drawn = tuple(drawn)
        """The names of the variables that nobody gave a value."""
        self.template: dict[str, Array] = {}
        """Values of the variables, of which a point has the names and the shapes."""

    def begin(self, values: Point) -> None:
        """Finds out about variables that the text declares, where drawn ones have such values.

        Raises:
            Exception: whatever the text raises; nothing requires grad.
        """
        point = {**self._given, **values}
        run = self.run(point, self._write)
        declared = run.machine.declared
        leaves = leaves_of(run.machine)
        wanted = [name for name in leaves if name in declared]
        self.template = {name: _double(declared[name]) for name in wanted}
        for name in self._wrt:
            restricted(run.machine, leaves, [name])
        if not self.template:
            error = RuntimeError(NOTHING)
            for name in [name for name in leaves if name not in declared][:1]:
                error.hint = (  # type: ignore[attr-defined]
                    f"{name} is made by the text itself: declare it with `let`, or leave it out "
                    f"and give --{name} a value"
                )
            raise error

    def run(self, point: Point, write: Callable[[str], object] = lambda text: None) -> Run:
        """Evaluates the expression at a point; a random stream is always the same.

        Raises:
            Exception: whatever the text raises.
        """
        machine = self._machine_at(point, write)
        return self._ended(machine, machine.run(self._code), point)

    def recorded(
        self, point: Point, further: Callable[[Run], Any] = lambda run: None
    ) -> tuple[Run, PlacedRecorder, Any]:
        """An evaluation at a point, what heard of its rows, and what comes of going on from it."""
        machine = self._machine_at(point, lambda text: None)
        inputs = {id(leaf): leaf for leaf in machine.instead.values()}
        inputs |= {id(value): value for value in machine.declared.values()}
        recorder = PlacedRecorder(list(inputs.values()))
        with recorder:
            run = self._ended(machine, machine.run(self._code), point)
            found = further(run)
        return run, recorder, found

    def lost_at(self, point: Point) -> str:
        """Which operator leaves the numbers at a point, or has a kink there; "" if unknown."""
        run, recorder, _ = self.recorded(point)
        trace = recorder.ended(run.outputs)
        found: list[str] = []
        for name, leaf in run.leaves.items():
            try:
                weights = weights_of(run.outputs)
                series = Derivatives(trace, leaf, run.outputs, weights, remarked=True)
                series.up_to(1)
            except NoSeries:
                continue
            found += [text.removeprefix(f"{name}: ") for text in series.remarks(name)]
        return "; ".join(dict.fromkeys(found))

    def _machine_at(self, point: Point, write: Callable[[str], object]) -> Machine:
        """A machine whose variables are at a point."""
        machine = Machine(write=write, timeout=self.timeout)
        for name, value in self._consts.items():
            _set(machine, name, wrap(value._array.copy()))
        for name, array in point.items():
            leaf = wrap(array.copy() if array.ndim else array[()], requires_grad=True)
            machine.instead[name] = leaf
            if name in self._given or name in self.drawn:
                _set(machine, name, leaf)
        manual_seed(0)
        check_operands(machine, self._bindings)
        return machine

    def _ended(self, machine: Machine, value: Any, point: Point) -> Run:
        """What an evaluation gave."""
        several = isinstance(value, tuple | list)
        outputs = list(value) if isinstance(value, tuple | list) else [value]
        if not outputs or not all(isinstance(output, Tensor) for output in outputs):
            raise RuntimeError(NOTHING)
        wanted = self._wrt or point
        leaves = {name: machine.declared[name] for name in wanted if name in machine.declared}
        return Run(machine, value, outputs, several, leaves, point)

    def vector(self, point: Point, count: int) -> Array:
        """All outputs at a point as one vector; nan where there are no such."""
        return self._or_nan(lambda: self.run(point).vector(), count)

    def gradient(
        self, point: Point, weights: Sequence[Array], count: int, create_graph: bool = False
    ) -> Array:
        """The gradients of the weighed outputs as one vector; nan where there are none."""
        return self._or_nan(
            lambda: flat(self.gradients(self.run(point), weights, create_graph)), count
        )

    def derivative(self, point: Point, steps: Steps, count: int) -> Array:
        """A derivative as one vector, the value where there are no steps; nan where there is none.

        It is summed, as nested passes sum before they differentiate again.
        """

        def found() -> Array:
            run = self.run(point)
            if not steps:
                seeds = self.seeds(run) or [np.ones(())] * len(run.outputs)
                pairs = zip(run.outputs, seeds, strict=True)
                return np.array([sum(np.sum(o._array * np.conj(s)).real for o, s in pairs)])
            return np.array([np.sum(self.derivative_of(run, steps)._array).real])

        return self._or_nan(found, count)

    def gradients(
        self, run: Run, weights: Sequence[Array], create_graph: bool = False
    ) -> list[Tensor]:
        """The gradient of the weighed real outputs with respect to each variable."""
        pairs = [
            (output, wrap(np.asarray(weight, output._array.dtype)))
            for output, weight in zip(run.real_outputs, weights, strict=True)
            if output.requires_grad
        ]
        leaves = list(run.leaves.values())
        slopes: Sequence[Tensor | None] = [None] * len(leaves)
        if pairs:
            ends, seeds = [end for end, _ in pairs], [seed for _, seed in pairs]
            try:
                slopes = grad(ends, leaves, seeds, create_graph=create_graph, allow_unused=True)
            except Exception as error:
                placed = located(error, self._code, ends)
                raise placed from placed.__cause__
        return [
            wrap(np.zeros_like(leaf._array)) if slope is None else slope
            for leaf, slope in zip(leaves, slopes, strict=True)
        ]

    def derivative_of(self, run: Run, steps: Steps) -> Tensor:
        """The derivative with respect to one variable after the other, as `eval --get` has it.

        Raises:
            RuntimeError: there is more than one output, and no seed.
        """
        ends = [output for output in run.outputs if output.requires_grad]
        leaves = leaves_of(run.machine)
        if not ends:
            return wrap(np.zeros_like(leaves[steps[-1][0]]._array))
        seeds = self.seeds(run)
        pairs = zip(run.outputs, seeds, strict=bool(seeds))
        given = [wrap(seed) for output, seed in pairs if output.requires_grad] or None
        try:
            found = self._by_series(run, steps)
            if found is not None:
                return found
            return mixed(ends, given, [(leaves[name], times) for name, times in steps])
        except Exception as error:
            placed = located(error, self._code, ends)
            raise placed from placed.__cause__

    def _by_series(self, run: Run, steps: Steps) -> Tensor | None:
        """A derivative of high order with respect to one variable, of which nested passes take
        several times as long for each order more; None where there are no series.
        """
        (name, times), *others = steps
        if others or not NESTED < times <= DEEPEST or np.iscomplexobj(run.point[name]):
            return None
        weights = self.seeds(run) or [np.ones(output.shape) for output in run.outputs]
        if not self.is_seeded and any(weight.size > 1 for weight in weights):
            return None  # PyTorch's error says that a seed is missing.
        run, recorder, _ = self.recorded(run.point)
        leaf = leaves_of(run.machine)[name]
        try:
            series = Derivatives(recorder.ended(run.outputs), leaf, run.outputs, weights)
            return wrap(series.up_to(times)[-1])
        except NoSeries:
            return None

    @property
    def is_seeded(self) -> bool:
        """Whether it was given where gradients start from."""
        return bool(self._seeds)

    def seeds(self, run: Run) -> list[Array]:
        """Where the gradient starts from, if that was given.

        Raises:
            RuntimeError: there are not as many outputs.
        """
        if not self._seeds:
            return []
        if len(self._seeds) != len(run.outputs):
            count = len(run.outputs)
            raise RuntimeError(f"got {count} tensors and {len(self._seeds)} gradients")
        pairs = zip(self._seeds, run.outputs, strict=True)
        return [_double(seed_for(run.machine, seed, output)) for seed, output in pairs]

    @staticmethod
    def _or_nan(found: Callable[[], Array], count: int) -> Array:
        try:
            vector = found()
        except FAILURES:
            return np.full(count, np.nan)
        return vector if len(vector) == count else np.full(count, np.nan)


def flat(tensors: Iterable[Tensor]) -> Array:
    """The elements of tensors as one vector of real numbers."""
    parts = [np.ravel(components(tensor._array)).astype(np.float64) for tensor in tensors]
    return np.concatenate(parts)


def real(tensor: Tensor) -> Tensor:
    """A tensor with two numbers for each complex one along an axis more."""
    return view_as_real(tensor) if tensor.is_complex() else tensor


def components(array: Array) -> Array:
    """The real numbers in an array in one piece: the same memory, where complex ones are two each
    along an axis more.
    """
    if array.dtype.kind != "c":
        return array
    return array.reshape(-1).view(array.real.dtype).reshape(*array.shape, 2)


def of_components(numbers: Array, like: Array) -> Array:
    """The array of which these are the components, if it is of the type of another."""
    if like.dtype.kind != "c":
        return numbers
    return np.ascontiguousarray(numbers).view(np.complex128)[..., 0]


def _set(machine: Machine, name: str, value: Tensor) -> None:
    machine.globals[name] = machine.declared[name] = value


def _double(tensor: Tensor) -> Array:
    return doubled(tensor._array)


def doubled(array: Array) -> Array:
    """A copy in double precision, complex where it is."""
    return np.array(array, np.complex128 if array.dtype.kind == "c" else np.float64, order="C")
