"""`torch.autograd.forward_ad`: dual tensors, which carry a tangent along.

A dual tensor shares the memory of another and knows its tangent; each row that runs on one says how
what it gives moves (see `tangents`), and each change in place changes the tangent, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Final
from weakref import ref

from gradcli.autograd.custom import Call
from gradcli.autograd.modes import Decorated
from gradcli.ops.algebra.comparison import zeros_like
from gradcli.ops.algebra.strided import as_strided, storage_offset_of
from gradcli.ops.algebra.views import alias, clone, view_as
from gradcli.ops.inplace.derive import any_requires_grad, renamed
from gradcli.ops.inplace.writing import copy_into
from gradcli.readings.transforms.forward import NESTED, check_dual
from gradcli.readings.transforms.tangents import check_size, pushed, tangents_of
from gradcli.readings.wrappers import layers
from gradcli.table.registry import lookup_method
from gradcli.table.row import Row
from gradcli.tensor.graph import mode
from gradcli.tensor.leaf import batched_of, extras_of
from gradcli.tensor.namedtuples import FieldTuple
from gradcli.tensor.public import public, word_of
from gradcli.tensor.shapes import coincides
from gradcli.tensor.tensor import Tensor

_identity: Final = renamed(alias, "Identity")


@public(
    "primal tangent",
    name="UnpackedDualTensor",
    label="torch.autograd.forward_ad.UnpackedDualTensor",
)
class UnpackedDualTensor(FieldTuple):
    """A tensor and how it moves: `tangent` is None where it does not."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ("primal", "tangent")

    @property
    def primal(self) -> Tensor:
        found: Tensor = self[0]
        return found

    @property
    def tangent(self) -> Tensor | None:
        found: Tensor | None = self[1]
        return found


class DualLevel:
    """Forward mode: it hears of the rows that run, and pushes tangents along, until it is `left`.

    Each tensor knows its tangent, which is a view of another one where the tensor is; a tensor that
    has none of its own moves as its base does.
    """

    def __init__(self) -> None:
        self._outer = mode.listener
        mode.listener = mode.forward = self

    def left(self) -> None:
        """Forward mode ends: from now on nothing moves."""
        mode.listener, mode.forward = self._outer, None

    def __call__(self, row: Row, args: tuple[Any, ...]) -> Any:
        """Runs a row on tensors, and moves what it gives; of batched ones, what it runs as."""
        if mode.level is not None:
            return row.record(args)
        with self._muted():
            found = row.observed(args)
            if mode.inference:
                return found
            given = tangents_of(row, args, self._of_operand)
            if given:
                results = found if type(found) is tuple else (found,)
                with _recording([*args, *given.values()]):
                    moves = pushed(row, args, given, results, self._own)
                for result, move in zip(results, moves, strict=True):
                    if move is not None:
                        self.give(result, move)
        return found

    def read(self, tensor: Tensor) -> None:
        if self._outer is not None:
            self._outer.read(tensor)

    def opaque(self, name: str, node: Any, call: Call | None = None) -> None:
        """Moves what a custom Function gives."""
        if self._outer is not None:
            self._outer.opaque(name, node, call)
        if call is None:
            return
        tangents = [self._of_operand(arg) for arg in call.args]
        if all(tangent is None for tangent in tangents):
            return
        with self._muted():
            moves = call.pushed(tangents)
        for output, move in zip(call.outputs, moves, strict=True):
            if move is not None:
                check_size(output, move)
                self.give(output, move)

    def give(self, tensor: Tensor, tangent: Tensor | None) -> None:
        """Says how a tensor moves; None: not, whatever its base does."""
        extras_of(tensor).tangent = self, tangent

    def tangent(self, tensor: Tensor) -> Tensor | None:
        """How a tensor moves; None where it depends on no dual tensor."""
        known = self._known(tensor)
        if known is not None:
            found: Tensor | None = known[1]
            return found
        batched = batched_of(tensor)
        if batched is not None:
            inside = self.tangent(batched.physical)
            return None if inside is None else batched.owner.wrap(inside)
        if tensor._view is None:
            return None
        whole = self.tangent(tensor._view.base)
        return None if whole is None else self._window(tensor, whole)

    def follow(self, made: Tensor, tensor: Tensor) -> None:
        """From now on a tensor moves as another does."""
        for one, other in zip(layers(made), layers(tensor), strict=True):
            self.give(one, self.tangent(other))

    def changed(self, tensor: Tensor, result: Tensor) -> None:
        """A result was written to a tensor, of which all views and bases move along."""
        move, tangent = self.tangent(result), self.tangent(tensor)
        if tensor is result or (move is None and tangent is None):
            return
        with self._muted(), _recording([move, tangent]):
            if tangent is None:
                if tensor._view is None or self._known(tensor) is not None:
                    self.give(tensor, clone(move))
                    return
                base = tensor._view.base
                self.give(base, zeros_like(base))
                tangent = self.tangent(tensor)
            copy_ = lookup_method("copy_")
            assert copy_ is not None
            copy_(tangent, 0.0 if move is None else move)

    def dual(self, tensor: Tensor, tangent: Tensor) -> Tensor:
        """A tensor that moves along a tangent."""
        made: Tensor = view_as(tensor, tensor)
        self.give(made, clone(tangent) if coincides(tangent._array) else tangent)
        return made

    def primal(self, tensor: Tensor) -> Tensor:
        """A tensor that does not move."""
        with self._muted():
            found: Tensor = _identity(tensor)
        self.give(found, None)
        return found

    def _known(self, tensor: Tensor) -> tuple[Any, Any] | None:
        """What is known of a tensor itself."""
        known = None if tensor._extras is None else tensor._extras.tangent
        return known if known is not None and known[0] is self else None

    def _of_operand(self, operand: Any) -> Tensor | None:
        return self.tangent(operand) if type(operand) is Tensor else None

    def _window(self, tensor: Tensor, whole: Tensor) -> Tensor:
        """The part of the tangent of a base that is the tangent of its view."""
        assert tensor._view is not None
        base = tensor._view.base._array
        start = storage_offset_of(tensor._array) - storage_offset_of(base)
        with self._muted():
            if whole.stride() != tensor._view.base.stride():
                whole = copy_into(zeros_like(tensor._view.base), whole)
            found: Tensor = as_strided(
                whole,
                tensor._array.shape,
                tensor.stride(),
                start + storage_offset_of(whole._array),
            )
        return found

    def _own(self, leaf: Tensor) -> None:
        extras_of(layers(leaf)[-1]).level = ref(self)

    @contextmanager
    def _muted(self) -> Iterator[None]:
        """Meanwhile rows are not heard here, but by who listened before."""
        before = mode.listener, mode.forward
        mode.listener, mode.forward = self._outer, None
        try:
            yield
        finally:
            mode.listener, mode.forward = before


@contextmanager
def _recording(values: Sequence[Any]) -> Iterator[None]:
    """What runs inside is recorded only if that is wanted, and a value among some requires grad."""
    before = mode.enabled
    mode.enabled = before and any_requires_grad(values)
    try:
        yield
    finally:
        mode.enabled = before


def enter_dual_level() -> int:
    """Begins forward mode; 0, the number of the only level that there may be.

    Raises:
        RuntimeError: it has begun already.
    """
    if mode.forward is not None:
        raise RuntimeError(NESTED)
    DualLevel()
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Ends forward mode.

    Raises:
        RuntimeError: it has not begun.
    """
    if level is not None and level != (0 if mode.forward else -1):
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is "
            "not supported."
        )
    if mode.forward is None:
        raise RuntimeError("Dual level must be a positive number.")
    mode.forward.left()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """The tensor, moving along the tangent.

    Raises:
        RuntimeError: forward mode has not begun, the tangent has another shape, or the tensor
            moves already.
        ValueError: one of the two is not floating or complex.
    """
    if mode.forward is None or (level is not None and level < 0):
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    check_dual(tensor, tangent)
    current: Any = mode.forward
    if batched_of(tensor) is not None or batched_of(tangent) is not None:
        raise RuntimeError(
            "Batching rule not implemented for aten::_make_dual; the fallback path doesn't work on "
            "out= or view ops."
        )
    if current.tangent(tensor) is not None:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the "
            "same level 0 is not supported."
        )
    if current.tangent(tangent) is not None:
        raise RuntimeError(
            "Setting a forward grad that itself has a forward gradient at the same level0 is not "
            "supported."
        )
    made: Tensor = current.dual(tensor, tangent)
    return made


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The value and the tangent of a tensor.

    Raises:
        TypeError: it is no tensor.
    """
    if mode.forward is None or (level is not None and level < 0):
        return UnpackedDualTensor((tensor, None))
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"_unpack_dual(): argument 'dual' (position 1) must be Tensor, not {word_of(tensor)}"
        )
    current: Any = mode.forward
    return UnpackedDualTensor((current.primal(tensor), current.tangent(tensor)))


@public(name="dual_level", label="torch.autograd.forward_ad.dual_level", calls=True)
class dual_level:
    """Forward mode inside: a context manager, and a decorator of functions."""

    __slots__ = ()

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *_: object) -> None:
        exit_dual_level()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return Decorated(lambda: self, function)
