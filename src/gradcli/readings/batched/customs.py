"""Custom Functions of batched tensors: by their own rule, or one sample after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from gradcli.autograd.custom import NO_VMAP, Definition, beyond, call_bound, require_context
from gradcli.ops.algebra.views import movedim
from gradcli.readings.batched.level import Level
from gradcli.readings.batched.samples import one_by_one
from gradcli.readings.trees import broadcast, flatten
from gradcli.tensor.namedtuples import FieldTuple
from gradcli.tensor.public import handed_in, public
from gradcli.tensor.tensor import Tensor

NO_RULE: Final = (
    "You tried to vmap over {}, but it does not have vmap support. Please override and implement "
    "the vmap staticmethod or set generate_vmap_rule=True. For more details, please see "
    "https://pytorch.org/docs/main/notes/extending.func.html"
)
TWO_RULES: Final = (
    "You tried to vmap over {}, but it has both generate_vmap_rule=True and an overriden vmap "
    "staticmethod. Please set generate_vmap_rule=False or delete the overriden vmap staticmethod "
    "to avoid ambiguity. For more details, please see "
    "https://pytorch.org/docs/main/notes/extending.func.html"
)


@public(
    "batch_size randomness", name="VmapInfo", label="torch._functorch.autograd_function.VmapInfo"
)
class VmapInfo(FieldTuple):
    """What a rule is told of the mapping."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ("batch_size", "randomness")

    @property
    def batch_size(self) -> int:
        found: int = self[0]
        return found

    @property
    def randomness(self) -> str:
        found: str = self[1]
        return found


class _Sample:
    """A custom Function as it is called on one sample."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.names = [f"{definition.name}.apply"]

    def __call__(self, *args: Any) -> Any:
        with beyond():
            return call_bound(self.definition, args)


def call(level: Level, definition: Definition, args: tuple[Any, ...]) -> Any:
    """Calls a custom Function on tensors, of which some may be batched.

    Raises:
        RuntimeError: it has no rule, or several.
    """
    require_context(definition)
    if not level.has(args):
        with beyond():
            return level.out(call_bound, definition, args)
    rule = rule_of(definition)
    if rule is None:
        return one_by_one(level, _Sample(definition), args)
    return _by_rule(level, rule, args)


def rule_of(definition: Definition) -> Any:
    """The static method `vmap`; None where samples shall be taken one after another.

    Raises:
        RuntimeError: neither is said, or both are.
    """
    rule, generated = definition.find("vmap"), definition.find("generate_vmap_rule")
    if generated and rule is not None:
        raise RuntimeError(TWO_RULES.format(definition.name))
    if not generated and rule is None:
        raise RuntimeError(NO_RULE.format(definition.name))
    return rule


def _by_rule(level: Level, rule: Any, args: Sequence[Any]) -> Any:
    """What the static method `vmap` of a custom Function makes of physical tensors."""
    physical, dims = [], []
    for arg in args:
        batched = level.of(arg)
        if batched is not None and batched.place:
            physical.append(level.out(movedim, batched.physical, 0, batched.place))
        else:
            physical.append(arg if batched is None else batched.physical)
        dims.append(None if batched is None else batched.place)
    info = VmapInfo((level.size, level.randomness))
    with beyond():
        found, places = level.out(handed_in(rule), info, tuple(dims), *physical)
    outputs, spec = flatten(found)
    where = broadcast(places, spec)
    if where is None:
        raise ValueError(f"{NO_VMAP} (got out_dims={places!r})")
    return spec.unflatten(
        [_whole(level, output, place) for output, place in zip(outputs, where, strict=True)]
    )


def _whole(level: Level, output: Any, place: int | None) -> Any:
    if place is None or type(output) is not Tensor:
        return output
    return level.wrap(level.out(movedim, output, place, 0) if place else output)
