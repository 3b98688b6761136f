"""`torch.autograd.forward_ad`: dual tensors, which carry a tangent along.

A dual tensor is the fresh tensor of a level (see `levels`), which holds the tangent and hears of
the rows that run; how a value moves is worked out along those (see `tangents`) when it is asked
for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

from gradcli.autograd.modes import Decorated
from gradcli.ops.algebra.views import alias
from gradcli.ops.inplace.derive import renamed
from gradcli.readings import dual_levels
from gradcli.readings.trace import Recorder
from gradcli.readings.transforms.forward import NESTED, check_dual
from gradcli.readings.transforms.levels import Level
from gradcli.readings.transforms.tangents import NoTangents, Tangents, notes, transposable
from gradcli.tensor.graph import mode
from gradcli.tensor.leaf import batched_of
from gradcli.tensor.namedtuples import FieldTuple
from gradcli.tensor.public import public, word_of
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


class DualLevel(Level):
    """The level of dual tensors: it hears of the rows that run, until it is `left`."""

    def __init__(self) -> None:
        super().__init__()
        self.duals: list[Tensor] = []
        self.tangents: list[Tensor] = []
        self._recorder = Recorder(())
        self._recorder.__enter__()
        self._pushed = Tangents(self._recorder.trace, self.own)

    def left(self) -> None:
        """Forward mode ends: what moved along has no history but one that leads outside."""
        self._recorder.__exit__()
        values = [value for value in self._recorder.trace.values if value.requires_grad]
        kept = {id(value) for value in self.reaching(values)}
        for value in values:
            if id(value) not in kept:
                value._requires_grad, value._grad_fn, value._nr = False, None, 0

    def dual(self, tensor: Tensor, tangent: Tensor) -> Tensor:
        """A tensor that moves along a tangent."""
        with self.running():
            made = self.fresh(tensor)
        self.duals.append(made)
        self.tangents.append(tangent)
        self._recorder.begins(made)
        self._pushed.give(made, tangent)
        return made

    def tangent(self, tensor: Tensor) -> Tensor | None:
        """How a tensor moves; None where it depends on no dual tensor."""
        for dual, tangent in zip(self.duals, self.tangents, strict=True):
            if dual is tensor:
                return tangent
        if not self.duals:
            return None
        with self._recorder.muted():
            records = self.records([tensor, *self.tangents])
            found = self._along(tensor, records)
            return None if found is None else self.outside(found)

    def primal(self, tensor: Tensor) -> Tensor:
        """A tensor as what lies outside sees it, which does not move."""
        with self._recorder.muted():
            outside: Tensor = self.outside(tensor)
            if not outside.requires_grad:
                return outside.detach() if outside is tensor else outside
            found: Tensor = _identity(outside)
            return found

    def _along(self, tensor: Tensor, records: bool) -> Tensor | None:
        """The tangent as it is inside, along the rows that have run, or else by a backward pass."""
        self._recorder.compare()
        if batched_of(tensor) is None:
            enabled = mode.enabled
            mode.enabled = records
            try:
                self._pushed.advance()
                return self._pushed.of(tensor)
            except NoTangents as error:
                if self.reaches(tensor):
                    return None  # it left forward mode with a history
                notes.add(str(error))
            finally:
                mode.enabled = enabled
        if not tensor.requires_grad:
            return None
        with self.running():
            product = transposable([tensor], self.duals, self.own)
        (found,) = product.with_vector(dict(enumerate(self.tangents)), records)
        return found


def enter_dual_level() -> int:
    """Begins forward mode; 0, the number of the only level that there may be.

    Raises:
        RuntimeError: it has begun already.
    """
    if dual_levels:
        raise RuntimeError(NESTED)
    dual_levels.append(DualLevel())
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Ends forward mode.

    Raises:
        RuntimeError: it has not begun.
    """
    if level is not None and level != len(dual_levels) - 1:
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is "
            "not supported."
        )
    if not dual_levels:
        raise RuntimeError("Dual level must be a positive number.")
    dual_levels.pop().left()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """The tensor, moving along the tangent.

    Raises:
        RuntimeError: forward mode has not begun, the tangent has another shape, or the tensor
            moves already.
        ValueError: one of the two is not floating or complex.
    """
    if not dual_levels or (level is not None and level < 0):
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    check_dual(tensor, tangent)
    current: DualLevel = dual_levels[-1]
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
    return current.dual(tensor, tangent)


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The value and the tangent of a tensor.

    Raises:
        TypeError: it is no tensor.
    """
    if not dual_levels or (level is not None and level < 0):
        return UnpackedDualTensor((tensor, None))
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"_unpack_dual(): argument 'dual' (position 1) must be Tensor, not {word_of(tensor)}"
        )
    current: DualLevel = dual_levels[-1]
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
