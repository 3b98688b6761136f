"""Levels: runs of functions whose arguments are differentiated, one inside the other.

A level gives the function fresh tensors over its arguments' memory. What lies outside, outer
levels and the tape of ordinary tensors, sees through them: where an argument requires grad there,
the fresh tensor is a recorded alias of it, and the gradients of the level are recorded in turn.
What leaves the level and depends on nothing outside leaves without history.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from weakref import ref

from gradcli.autograd.custom import Definition, differentiated
from gradcli.autograd.passes import grad
from gradcli.ops.algebra.comparison import zeros_like
from gradcli.ops.algebra.views import view_as
from gradcli.ops.inplace.history import captured
from gradcli.readings.transforms.arguments import check_moving, chosen, replaced
from gradcli.readings.trees import mapped
from gradcli.readings.wrappers import behind, layers, nodes, owner_of
from gradcli.tensor.classes import type_of
from gradcli.tensor.graph import Birth, Node, mode
from gradcli.tensor.leaf import AccumulateGrad, extras_of, set_flag
from gradcli.tensor.tensor import Tensor, edge_of


class Level:
    """One run of a function; `recorded` says whether anything outside records.

    A `forward` one moves along tangents, so that for the function nothing requires grad. `hidden`
    are the levels around it that no argument comes through. Where it is no `transform`, the
    function runs as it does outside: custom Functions need not be ready for transforms.
    """

    def __init__(self, forward: bool = False, hidden: int = 0, transform: bool = True) -> None:
        self.recorded = mode.enabled
        self.forward, self.transform = forward, transform
        self.number = mode.depth + hidden + 1
        self._given: list[tuple[Tensor, Tensor]] = []
        self._fresh: list[Tensor] = []
        self._birth = Birth(mode.level)

    def fresh(self, value: Any) -> Tensor:
        """A tensor that stands for an argument inside, and requires grad.

        Raises:
            ValueError: it is no tensor, or cannot move along a tangent.
            RuntimeError: its type cannot require grad.
        """
        if not isinstance(value, Tensor):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type_of(value)}")
        if self.forward:
            check_moving("primal", value)
        # Inside a mapping over a batch each sample has gradients of its own.
        whole = value if mode.level is None else mode.level.lifted(value)
        if self.recorded and value.requires_grad:
            made: Tensor = view_as(whole, whole)
        else:
            made = whole.detach()
            if mode.forward is not None:
                mode.forward.follow(made, whole)
            for tensor in reversed(layers(made)):
                set_flag(tensor, True)
            self.own(made)
        self._given.append((made, value))
        self._fresh.append(made)
        return made

    def own(self, leaf: Tensor) -> None:
        """Says that a leaf is the level's, so that nothing outside depends on it."""
        extras_of(layers(leaf)[-1]).level = ref(self)

    def enter(self, tree: Any) -> Any:
        """The same tree with a fresh tensor at each leaf."""
        return mapped(self.fresh, tree)

    def enter_arguments(self, primals: tuple[Any, ...], argnums: Any) -> tuple[Any, Any]:
        """Those of the arguments that `argnums` names (None: all) as `enter` gives them, and all
        arguments with these in their places.
        """
        if argnums is None:
            inside = self.enter(primals)
            return inside, inside
        inside = self.enter(chosen(primals, argnums))
        return inside, replaced(primals, argnums, inside)

    def leave(self, tree: Any) -> Any:
        """The same tree as what lies outside sees it."""
        return mapped(self.outside, tree)

    def auxiliary(self, value: Any) -> Any:
        """The same for what a function gives beside its output.

        Raises:
            RuntimeError: it holds anything but tensors.
        """

        def checked(leaf: Any) -> Any:
            if not isinstance(leaf, Tensor):
                raise RuntimeError(f"Expected tensors, got unsupported type {type_of(leaf)}")
            return self.outside(leaf)

        return mapped(checked, value)

    def outside(self, value: Any) -> Any:
        """A value as what lies outside sees it."""
        if not isinstance(value, Tensor):
            return value
        for fresh, given in self._given:
            if value is fresh:
                return given
        if not value.requires_grad or (self.recorded and self.reaches(value)):
            return value
        made = value.detach()
        tangent = None if mode.forward is None else mode.forward.tangent(value)
        if mode.forward is not None and tangent is not None:
            mode.forward.give(made, self.outside(tangent))
        return made

    def reaches(self, value: Tensor) -> bool:
        """Whether a value depends on anything outside that requires grad: on a leaf of no level, or
        of another one that is still running.
        """
        return any(type(node) is AccumulateGrad and self._leads_out(node) for node in nodes(value))

    def reaching(self, values: Sequence[Tensor]) -> list[Tensor]:
        """Those of many values that do."""
        starts = [edge_of(value)[0] for value in values]
        found: set[Node] = set()
        for node in sorted(behind(starts), key=_age):
            if type(node) is AccumulateGrad:
                reached = self._leads_out(node)
            else:
                reached = not found.isdisjoint(node.successors)
            if reached:
                found.add(node)
        return [value for value, start in zip(values, starts, strict=True) if start in found]

    def _leads_out(self, sink: AccumulateGrad) -> bool:
        """Whether a leaf lies outside, given its sink."""
        reference = owner_of(sink)
        if reference is None:
            return not self._birth.covers(sink.variable._versions)
        owner = reference()
        return owner is not self and owner in ACTIVE

    def wraps(self, value: Tensor) -> bool:
        """Whether a value was made since the function began to run, or stands for an argument."""
        return not captured(value, self._birth)

    def tracks(self, value: Tensor) -> bool:
        """Whether gradients go from a value to the arguments."""
        if self.forward:
            return False
        own = {edge_of(layers(fresh)[-1])[0] for fresh, _ in self._given}
        return any(node in own for node in nodes(value))

    def stands_for(self, value: Tensor) -> Tensor | None:
        """What stood before an argument, or before its samples; None for any other value."""
        for fresh, given in self._given:
            if layers(fresh)[-1] is layers(value)[-1]:
                return layers(given)[-1]
        return None

    def custom(self, definition: Definition, args: tuple[Any, ...]) -> Any:
        return differentiated(definition, args)

    def records(self, values: Sequence[Tensor]) -> bool:
        """Whether gradients of the values have to be recorded."""
        return self.recorded and any(self.reaches(v) for v in values if v.requires_grad)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The function runs: it is recorded, whatever lies outside says."""
        before = mode.enabled, mode.inference, mode.birth
        mode.birth, self._birth.given = self._birth, self._fresh
        mode.enabled, mode.inference = True, False
        ACTIVE.append(self)
        if self.transform:
            mode.transforms.append(self)
        try:
            yield
        finally:
            if self.transform:
                mode.transforms.pop()
            ACTIVE.pop()
            # What has been made inside must not keep the arguments.
            self._birth.given = ()
            mode.enabled, inference, mode.birth = before
            mode.inference = inference

    def gradients(
        self, outputs: Sequence[Tensor], inputs: Sequence[Tensor], seeds: Sequence[Tensor] = ()
    ) -> list[Tensor]:
        """The gradients of outputs as what lies outside sees them, zeros where there are none."""
        found: Sequence[Tensor | None] = [None] * len(inputs)
        given: Sequence[Tensor | None] = seeds or [None] * len(outputs)
        pairs = [
            (output, seed)
            for output, seed in zip(outputs, given, strict=True)
            if output.requires_grad
        ]
        if pairs:
            records = self.records(
                [*outputs, *(seed for _, seed in pairs if isinstance(seed, Tensor))]
            )
            found = grad(
                [output for output, _ in pairs],
                inputs,
                [seed for _, seed in pairs],
                retain_graph=True,
                create_graph=records,
                allow_unused=True,
            )
        return [
            zeros_like(point) if slope is None else self.outside(slope)
            for point, slope in zip(inputs, found, strict=True)
        ]


def _age(node: Node) -> tuple[bool, int]:
    """What sorts nodes so that each comes after those that its gradients go to."""
    return type(node) is not AccumulateGrad, node.sequence


ACTIVE: Final[list[Level]] = []
"""The levels that functions run in just now, from the outermost to the innermost."""
