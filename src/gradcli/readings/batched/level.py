"""One mapping over a batch while it runs: what is batched, and how rows are called on it.

Mappings may be nested. A tensor is batched by one of them, the level, and its physical tensor may
be batched by those further out, so a rule takes one hidden dimension away at a time: what it calls
on physical tensors runs `outside`, where the next level is in charge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import clone_row
from gradcli.tensor.graph import mode
from gradcli.tensor.leaf import Extras
from gradcli.tensor.shadow import Batched, Unbatchable
from gradcli.tensor.tensor import Tensor, detached

RANDOM: Final = (
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
    "'different' randomness flags on vmap or perform the randomness operation out of vmap"
)


def refuse_random() -> None:
    """Random numbers are about to be drawn, which is forbidden."""
    raise RuntimeError(RANDOM)


class Drawn(Unbatchable):
    """Random numbers are wanted that differ from sample to sample of a level."""

    def __init__(self, level: Level) -> None:
        super().__init__("vmap: this operator cannot draw different random numbers for each sample")
        self.level = level


Drawn.__name__ = Drawn.__qualname__ = "RuntimeError"


class Level:
    """A mapping over a batch of a size while it runs; see the module's text.

    `rules` run what is called on batched tensors: they are put here by the module that has them.
    """

    __slots__ = (
        "_drawing",
        "_listener",
        "_outer",
        "alive",
        "number",
        "randomness",
        "rules",
        "size",
    )

    def __init__(self, size: int, randomness: str, rules: Any) -> None:
        outer: Any = mode.level
        self._outer: Level | None = outer
        self._drawing = mode.drawing
        # Who heard of rows before hears of those on physical tensors.
        self._listener = mode.listener
        self.number: int = mode.depth + 1
        self.size = size
        self.randomness = randomness
        self.rules = rules
        self.alive = True

    def __enter__(self) -> Level:
        mode.level, mode.drawing, mode.listener = self, self.draws, mode.forward
        mode.transforms.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        mode.transforms.pop()
        mode.level, mode.drawing, mode.listener = self._outer, self._drawing, self._listener
        self.alive = False

    @property
    def outer(self) -> Level | None:
        """The level around this one."""
        return self._outer

    @contextmanager
    def beside(self, outer: Level) -> Iterator[None]:
        """Meanwhile the level has `outer` no longer around it, but what is around that."""
        before = self._outer
        self._outer = outer._outer
        try:
            yield
        finally:
            self._outer = before

    def out(self, function: Callable[..., Any], *args: Any) -> Any:
        """Calls a function of physical tensors."""
        level, listener = mode.level, mode.listener
        mode.level, mode.listener = self._outer, self._listener
        try:
            return function(*args)
        finally:
            mode.level, mode.listener = level, listener

    def draw(self, function: Callable[..., Any], *args: Any) -> Any:
        """Calls a function of physical tensors that may draw random numbers."""
        drawing = mode.drawing
        mode.drawing = self._drawing
        try:
            return self.out(function, *args)
        finally:
            mode.drawing = drawing

    def inside(self, function: Callable[..., Any], *args: Any) -> Any:
        """Calls a function of batched tensors from what runs on physical ones."""
        before = mode.level, mode.drawing, mode.listener
        mode.level, mode.drawing, mode.listener = self, self.draws, mode.forward
        try:
            return function(*args)
        finally:
            mode.level, mode.drawing, mode.listener = before

    def draws(self) -> None:
        """Random numbers are about to be drawn, the same ones for all samples.

        Raises:
            RuntimeError: they may not be drawn at all.
            Drawn: each sample shall have its own.
        """
        if self.randomness == "error":
            refuse_random()
        if self.randomness == "different":
            raise Drawn(self)
        if self._drawing is not None:
            self._drawing()

    def __call__(self, row: Any, args: tuple[Any, ...]) -> Any:
        return self.rules.call(self, row, args)

    def custom(self, definition: Any, args: tuple[Any, ...]) -> Any:
        return self.rules.custom(self, definition, args)

    def wraps(self, tensor: Tensor) -> bool:
        return False

    def stands_for(self, tensor: Tensor) -> Tensor | None:
        return None

    def tracks(self, tensor: Tensor) -> bool:
        return False

    def differentiate(
        self,
        outputs: Sequence[Tensor],
        inputs: Sequence[Tensor],
        seeds: Sequence[Any],
        options: dict[str, Any],
    ) -> Any:
        return self.rules.differentiate(self, outputs, inputs, seeds, options)

    def compose(self, entry: Any, args: tuple[Any, ...]) -> Any:
        return self.rules.compose(self, entry, args)

    def change(
        self,
        tensor: Tensor,
        operation: Callable[[Tensor], Any],
        others: Sequence[Any],
        options: dict[str, Any],
    ) -> Any:
        return self.rules.change(self, tensor, operation, others, options)

    def of(self, value: Any) -> Batched | None:
        """What makes a value a tensor that this level has batched; None of any other."""
        if type(value) is not Tensor or value._extras is None:
            return None
        batched = value._extras.batched
        return batched if batched is not None and batched.owner is self else None

    def has(self, values: Sequence[Any]) -> bool:
        """Whether there are tensors of this level among values and in lists of them."""
        for value in values:
            if type(value) is Tensor:
                if self.of(value) is not None:
                    return True
            elif type(value) in (list, tuple) and self.has(value):
                return True
        return False

    def wrap(self, physical: Tensor, place: int | None = None) -> Tensor:
        """The batched tensor of a physical one."""
        made = object.__new__(Tensor)
        made._value = None
        made._requires_grad = physical.requires_grad
        made._grad_fn = physical.grad_fn
        made._nr = physical._nr
        made._grad = made._view = made._accumulator = None
        made._versions = mode.fresh
        made._extras = extras = Extras()
        extras.batched = Batched(self, physical, place)
        return made

    def wrapped(self, found: Any) -> Any:
        """Results of a row on physical tensors as batched ones."""
        if type(found) is tuple:
            return tuple(self._whole(part) for part in found)
        return self.wrap(found)

    def _whole(self, part: Tensor) -> Tensor:
        """One of several results, of which some are empty whatever the operands are."""
        if part._array.shape[:1] == (self.size,):
            return self.wrap(part)
        return self.wrap(self.physical(part))

    def detached(self, tensor: Tensor) -> Tensor:
        """The same samples without history."""
        batched = self.of(tensor)
        if batched is None:
            found: Tensor = self.out(cut, tensor)
            return found
        return self.wrap(self.out(cut, batched.physical), batched.place)

    def lifted(self, value: Tensor) -> Tensor:
        """The tensor as one that is batched by this level and all those further out."""
        batched, physical = self.of(value), self.physical(value)
        if self._outer is not None:
            physical = self.out(self._outer.lifted, physical)
        return self.wrap(physical, None if batched is None else batched.place)

    def seen(self, physical: Any, refusal: str) -> Any:
        """The elements of one sample, where they decide what is done next.

        Raises:
            RuntimeError: samples may differ, so there are none.
        """
        raise RuntimeError(refusal)

    def hooked(self, hook: Callable[..., Any]) -> Callable[..., Any]:
        """A hook of gradients of all samples for one of batched gradients."""

        def run(gradient: Tensor) -> Any:
            found = self.inside(hook, self.wrap(gradient))
            return self.out(self.physical, found) if type(found) is Tensor else found

        return run

    def repeated(self, tensor: Tensor) -> Tensor:
        """A tensor of its own for each sample, all with the elements of one."""
        return self.wrap(self.out(clone_row, self.physical(tensor)))

    def physical(self, value: Any) -> Any:
        """All samples of a tensor, along the first dimension, also where all share one."""
        batched = self.of(value)
        if batched is not None:
            return batched.physical
        return self.out(expand, value, (self.size, *value._array.shape))


def cut(tensor: Tensor) -> Tensor:
    """A tensor, batched or not, without history."""
    level: Any = mode.level
    found: Tensor = detached(tensor) if level is None else level.detached(tensor)
    return found
