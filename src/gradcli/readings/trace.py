"""The rows that an evaluation ran, in order: what every other reading reads.

    >>> trace = record(lambda x: sin(x) * 2, point)
    >>> trace.steps
    [Step(sin, (Slot(0),), (Slot(1),)), Step(mul, (Slot(1), 2), (Slot(2),))]
    >>> trace.replay([other_point])

A trace numbers values in the order in which they came: first the inputs, then the results of each
step. `Slot(n)` among the operands of a step stands for the n-th of them; everything else there is
as it was: numbers, names, and tensors that are neither inputs nor results. `values` holds what
stood in the slots, `outputs` says what the evaluation gave. Leaves that the evaluation made on its
way have slots, too, which no step fills.

Replaying hands the steps to a function, `row(*operands)` unless told otherwise: this is where
readings put operands of their own kind. It repeats the rows and nothing else, so that where the
evaluation looked at a value to go on, it may have gone another way for other operands. What it saw
is a `Guard`; `replay` compares, and raises `Diverged` where the trace says nothing about the new
operands. For the point that it was recorded at a trace always holds, but for `flaw`: the reason why
the steps alone do not give the results, which are tensors that were changed in place.

`foreign` counts tensors that were operands, or were looked at, and that no row made: they may have
been made from what the inputs hold, so a trace that has any is for its own point only. So is one
with results that a row drew at random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from gradcli.autograd.custom import Call
from gradcli.autograd.modes import set_grad_enabled
from gradcli.table.row import Row
from gradcli.tensor.graph import mode
from gradcli.tensor.tensor import Tensor, bare, raw

CHANGED: Final = "a tensor is changed in place"


class Slot(int):
    """The number of a value of a trace, where it stands among operands or results."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Slot({int(self)})"


class Step(NamedTuple):
    """A call of a row: its operands by position, and the slots of its results.

    `several`: the row gave a tuple, of whatever length.
    """

    row: Row
    operands: tuple[Any, ...]
    results: tuple[Slot, ...]
    several: bool = False


class Guard(NamedTuple):
    """What an evaluation saw of a value: it read the whole of it, as a Python number or a list."""

    slot: Slot
    seen: Any


class Diverged(Exception):
    """A replay came to where the evaluation looked at a value, and that is another one now."""


class Trace:
    """What an evaluation ran; see the module's text."""

    __slots__ = (
        "_placed",
        "_places",
        "broken",
        "calls",
        "foreign",
        "guards",
        "inputs",
        "opaque",
        "outputs",
        "steps",
        "values",
    )

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        self.inputs = len(inputs)
        self.steps: list[Step] = []
        self.values: list[Tensor] = list(inputs)
        self.guards: list[tuple[int, Guard]] = []
        self.foreign = 0
        self.calls: list[tuple[int, Call]] = []
        """The calls of custom Functions, each with the number of steps before it."""
        self.broken = self.opaque = ""
        self.outputs: Any = None
        self._places: dict[int, Slot] = {}
        self._placed = 0

    @property
    def flaw(self) -> str:
        """Why the steps alone do not give the results: `broken`, or `opaque` where `calls` do."""
        return self.broken or self.opaque

    @property
    def reusable(self) -> bool:
        """Whether it may be replayed on other operands, as long as no guard differs."""
        return not self.flaw and not self.foreign

    def slot(self, tensor: Tensor) -> Slot | None:
        """Where a tensor stands among the values."""
        while self._placed < len(self.values):
            self._places[id(self.values[self._placed])] = Slot(self._placed)
            self._placed += 1
        return self._places.get(id(tensor))

    def replay(
        self, operands: Sequence[Any], call: Callable[..., Any] = Row.__call__, given: Any = None
    ) -> Any:
        """The outputs for other operands in the place of the inputs.

        `call` gets a row and its operands. What had no history gets none.

        Raises:
            Diverged: a value that decided about the way is another one now, or an operand is a
                tensor of another shape or type than the input, of which no guard tells.
            ValueError: the trace may not be replayed at all.
        """
        if not self.reusable:
            raise ValueError(self.flaw or "a tensor came from nowhere")
        values: list[Any] = list(operands)
        for was, now in zip(self.values, values, strict=False):
            if type(now) is Tensor and _facts(now) != _facts(was):
                raise Diverged(f"{_facts(was)} is {_facts(now)} now")
        guards = iter(self.guards)
        at, guard = next(guards, (-1, None))
        for number, step in enumerate(self.steps):
            while guard is not None and at == number:
                _check(guard, values)
                at, guard = next(guards, (-1, None))
            recorded = any(self.values[slot]._requires_grad for slot in step.results)
            with set_grad_enabled(mode.enabled and recorded):
                found = call(step.row, *resolved(step.operands, values))
            values += found if step.several else (found,)
        if guard is not None:
            _check(guard, values)
            for _, guard in guards:
                _check(guard, values)
        return resolved(self.outputs, values)


def resolved(operands: Any, values: Sequence[Any]) -> Any:
    """Operands with values in the place of slots, also in lists and tuples."""
    kind = type(operands)
    if kind is Slot:
        return values[operands]
    if kind is tuple or kind is list:
        return kind(
            [
                values[item]
                if type(item) is Slot
                else resolved(item, values)
                if type(item) in (tuple, list)
                else item
                for item in operands
            ]
        )
    return operands


def _facts(tensor: Tensor) -> tuple[Any, ...]:
    """What an evaluation may know of a tensor without looking at its elements."""
    array = bare(tensor)
    return array.shape, str(array.dtype), tensor._requires_grad


def _check(guard: Guard, values: Sequence[Any]) -> None:
    now = raw(values[guard.slot])
    if now.tolist() != guard.seen:
        raise Diverged(f"{guard.seen} is {now} now")


class Recorder:
    """Listens to rows: `with Recorder(inputs) as trace: ...`.

    `known` are tensors that do not depend on the inputs.
    """

    def __init__(self, inputs: Sequence[Tensor], known: Iterable[Tensor] = ()) -> None:
        self.trace = Trace(inputs)
        self._began = mode.sequence
        self._slots = {id(tensor): Slot(slot) for slot, tensor in enumerate(inputs)}
        # Operands and results stay alive, so that no other tensor gets the number of one.
        self._versions: list[tuple[Tensor, int]] = []
        self._known = {id(tensor): tensor for tensor in known}
        self._arrays: dict[int, Slot] = {}
        self._placed = 0
        self._outer: Any = None
        for tensor in (*inputs, *self._known.values()):
            self._note(tensor)

    def __enter__(self) -> Trace:
        self._outer = mode.listener
        mode.listener = self
        return self.trace

    def __exit__(self, *_: object) -> None:
        mode.listener = self._outer
        self.compare()

    def compare(self) -> None:
        """Finds out whether a tensor has been changed since it was an operand or a result."""
        if any(_version(tensor) != version for tensor, version in self._versions):
            self.trace.broken = self.trace.broken or CHANGED

    def __call__(self, row: Row, args: tuple[Any, ...]) -> Any:
        """Runs a row on tensors and adds the step."""
        mode.listener = self._outer
        try:
            found = row.observed(args)
        finally:
            mode.listener = self
        operands = tuple([self._operand(arg) for arg in args])
        several = type(found) is tuple
        results = []
        for result in found if several else (found,):
            self._note(result)
            results.append(self._slot(result))
        if "generator" in row.signature.index:
            self.trace.foreign += 1
        self.trace.steps.append(Step(row, operands, tuple(results), several))
        return found

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Meanwhile rows are not heard here, but by who listened before."""
        before = mode.listener
        mode.listener = self._outer
        try:
            yield
        finally:
            mode.listener = before

    def begins(self, tensor: Tensor) -> None:
        """Gives a tensor that no row made a slot, which counts as no input."""
        self._note(tensor)
        self._slot(tensor)

    def read(self, tensor: Tensor) -> None:
        """Notes that the evaluation looks at the elements of a tensor."""
        slot = self._slots.get(id(tensor))
        if slot is None:
            slot = self._source(tensor)
        if slot is not None:
            seen = Guard(slot, tensor._array.tolist())
            self.trace.guards.append((len(self.trace.steps), seen))
        elif id(tensor) not in self._known:
            self.trace.foreign += 1

    def opaque(self, name: str, node: Any, call: Call | None = None) -> None:
        """Notes that what the steps say is not all."""
        if self._outer is not None:
            self._outer.opaque(name, node, call)
        flaw = f"{name} is no operator of the table"
        if call is None:
            self.trace.broken = flaw
            return
        self.trace.opaque = flaw
        self._operand(call.args)
        for output in call.outputs:
            if isinstance(output, Tensor):
                self._note(output)
                self._slot(output)
        self.trace.calls.append((len(self.trace.steps), call))

    def ended(self, outputs: Any) -> Trace:
        """The trace of an evaluation that gave these outputs."""
        self.trace.outputs = self._operand(outputs)
        self.trace._places, self.trace._placed = self._slots, len(self.trace.values)
        return self.trace

    def _operand(self, arg: Any) -> Any:
        kind = type(arg)
        if kind is Tensor:
            slot = self._slots.get(id(arg))
            if slot is not None:
                return slot
            if id(arg) in self._known:
                return arg
            self._note(arg)
            self.trace.foreign += 1
            if arg._grad_fn is not None and arg._grad_fn.sequence > self._began:
                self.trace.broken = self.trace.broken or CHANGED
            if arg._requires_grad:
                return self._slot(arg)
            self._known[id(arg)] = arg
            return arg
        if kind is list or kind is tuple:
            return kind([self._operand(item) for item in arg])
        return arg

    def _source(self, tensor: Tensor) -> Slot | None:
        """Where the value stands that a tensor was detached from: both have the same array."""
        values = self.trace.values
        for slot in range(self._placed, len(values)):
            self._arrays.setdefault(id(values[slot]._array), Slot(slot))
        self._placed = len(values)
        return self._arrays.get(id(tensor._array))

    def _slot(self, tensor: Tensor) -> Slot:
        slot = self._slots[id(tensor)] = Slot(len(self.trace.values))
        self.trace.values.append(tensor)
        return slot

    def _note(self, tensor: Tensor) -> None:
        self._versions.append((tensor, _version(tensor)))


def _version(tensor: Tensor) -> int:
    return 0 if tensor._versions is None else tensor._versions[0]


def record(function: Callable[..., Any], *inputs: Tensor, known: Iterable[Tensor] = ()) -> Trace:
    """The trace of a function of tensors at a point."""
    recorder = Recorder(inputs, known)
    with recorder as trace:
        recorder.ended(function(*inputs))
    return trace
