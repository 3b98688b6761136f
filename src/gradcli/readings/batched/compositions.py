"""Compositions that look at elements, and changes in place."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from gradcli.ops.algebra.views import shape_of
from gradcli.ops.inplace.derive import apply_in_place, check_fits
from gradcli.ops.inplace.writing import copy_into
from gradcli.readings.batched.dimensions import lifted, moved
from gradcli.readings.batched.level import RANDOM, Drawn, Level
from gradcli.readings.batched.ranking import RULES as RANKING
from gradcli.readings.batched.samples import SAME, dynamic, one_by_one, picked
from gradcli.readings.batched.views import with_dims
from gradcli.table.entry import Entry
from gradcli.tensor.shadow import ITEM, NO_STORAGE, Unbatchable
from gradcli.tensor.tensor import Tensor

_DYNAMIC: Final = frozenset(
    ("nonzero", "argwhere", "where", "unique", "unique_consecutive", "combinations")
)
_FEATURES: Final = ("feature_", "dropout1d", "dropout2d", "dropout3d")
_REFUSED: Final = (
    "vmap: {0}(self, *extra_args) is not possible because there exists a Tensor `other` in "
    "extra_args that has more elements than `self`. This happened due to `other` being vmapped "
    "over but `self` not being vmapped over {1}. Please try to use out-of-place operators "
    "instead of {0}. If said operator is being called inside the PyTorch framework, please file a "
    "bug report instead."
)
_ARITHMETIC: Final = frozenset(
    ("", "sub", "mul", "div", "clamp_min", "clamp_max", "masked_fill")
) | {f"logical_{name}" for name in ("and", "or", "xor")}
_PLAIN: Final = frozenset(
    ("fill", "index_add", "index_fill", "index_put", "scatter_add", "scatter_reduce")
)
"""Operators that have a rule in PyTorch, whose message calls them otherwise than where none is."""
_BROADCAST: Final = frozenset(("add", "atan2", "copysign", "gcd", "lcm")) | {
    f"bitwise_{name}" for name in ("and", "or", "xor", "left_shift", "right_shift")
}
"""Those that it broadcasts before it looks at what is written to."""
_RANDOM_IN_PLACE: Final = (
    "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will appear "
    "like same randomness. If this is necessary for your usage, please file an issue with "
    "functorch."
)


def compose(level: Level, entry: Entry, args: tuple[Any, ...]) -> Any:
    """Runs a composition that looked at elements of a batched tensor, or drew random numbers."""
    name = entry.names[0]
    draws = "generator" in entry.signature.index
    error = sys.exception()
    own = isinstance(error, Drawn) and error.level is level
    if own or (draws and level.randomness == "different"):
        return _drawn(level, entry, args)
    if not level.has(args):
        return level.out(entry, *args)
    if draws:
        if level.randomness == "error":
            raise RuntimeError(RANDOM)
        if name == "multinomial":
            raise RuntimeError(SAME)
        return level.draw(entry, *picked(level, args, 0))
    rule = _RULES.get(name)
    if rule is not None:
        return rule(level, entry, *args)
    if name.endswith("_like"):
        return _like(level, entry, args)
    if name in _DYNAMIC and (name != "where" or len(args) == 1):
        raise dynamic(name)
    if name == "allclose":
        raise RuntimeError(
            "vmap over torch.allclose isn't supported yet. Please file an issue at "
            "https://github.com/pytorch/pytorch/issues if you need this feature."
        )
    if name.endswith("_") and level.of(args[0]) is None:
        written = name.removeprefix("Tensor.").removesuffix("_")
        raise _refusal(level, "" if written == "copy" else written, args[1:])
    found = one_by_one(level, entry, args)
    if not name.endswith("_"):
        return found
    if shape_of(found) != shape_of(args[0]):
        raise RuntimeError(NO_STORAGE)
    return args[0]


def _refusal(level: Level, name: str, others: Sequence[Any]) -> Unbatchable:
    """The error of a write of samples to what they share; no `name` is that of a copy."""
    name = name.lower()
    if name in _ARITHMETIC and not any(type(value) is Tensor for value in others[1:]):
        return Unbatchable(_REFUSED.format("inplace arithmetic", "in a vmap"))
    if name in _PLAIN:
        return Unbatchable(_REFUSED.format(f"{name}_", "in a vmap"))
    return Unbatchable(_REFUSED.format(f"aten::{name}_", f"at level {level.number}"))


def _drawn(level: Level, entry: Entry, args: tuple[Any, ...]) -> Any:
    """A composition that draws different numbers for each sample: at once, if it can."""
    name, index = entry.names[0], entry.signature.index
    stem = name.rpartition(".")[2]
    if name.endswith("_") and level.of(args[0]) is None:
        raise RuntimeError(_RANDOM_IN_PLACE)
    if "size" in index:
        place = index["size"]
        sized = (*args[:place], (level.size, *args[place]), *args[place + 1 :])
        return level.wrapped(level.draw(entry, *sized))
    several = stem.startswith(_FEATURES) or stem == "gumbel_softmax"
    flat = stem == "multinomial" and len(shape_of(args[0])) != 1
    if not several and not flat and any(type(arg) is Tensor for arg in args):
        return level.wrapped(level.draw(entry, *lifted(level, args)))
    return one_by_one(level, entry, args)


def _detach(level: Level, entry: Entry, tensor: Tensor) -> Any:
    return level.detached(tensor)


def _like(level: Level, entry: Entry, args: tuple[Any, ...]) -> Any:
    """New tensors in the shape of one, for each sample."""
    place = entry.signature.index["memory_format"]
    if place < len(args) and args[place] is not None:
        return one_by_one(level, entry, args)  # an order of memory counts dimensions
    return level.wrap(level.out(entry, *lifted(level, args)))


def _as_strided(
    level: Level,
    entry: Entry,
    tensor: Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> Any:
    """A view of memory that has the first element of each sample where the samples have theirs."""
    physical = level.physical(tensor)
    sizes, strides = (level.size, *size), (physical.stride(0), *stride)
    return level.wrap(level.out(entry, physical, sizes, strides, storage_offset))


def _cosine_similarity(
    level: Level, entry: Entry, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8
) -> Any:
    ndim = max(len(shape_of(x1)), len(shape_of(x2)))
    own, other = (with_dims(level, tensor, ndim) for tensor in (x1, x2))
    return level.wrap(level.out(entry, own, other, moved(dim, ndim), eps))


def _from_list(level: Level, entry: Entry, *args: Any) -> Any:
    """A new tensor of data: single numbers are looked at, a tensor is copied."""
    if type(args[entry.signature.index["data"]]) is not Tensor:
        raise Unbatchable(ITEM)
    return one_by_one(level, entry, args)


def _native(level: Level, entry: Entry, tensor: Tensor, *rest: Any) -> Any:
    """What takes batches anyway."""
    return level.wrap(level.out(entry, level.physical(tensor), *rest))


_RULES: Final[dict[str, Callable[..., Any]]] = {
    "detach": _detach,
    "as_strided": _as_strided,
    "as_tensor": _from_list,
    "asarray": _from_list,
    "tensor": _from_list,
    "Tensor.new_tensor": _from_list,
    "cosine_similarity": _cosine_similarity,
    "linalg.cholesky": _native,
    **RANKING,
}


def change(
    level: Level,
    tensor: Tensor,
    operation: Callable[[Tensor], Any],
    others: Sequence[Any],
    options: dict[str, Any],
) -> Tensor:
    """`apply_in_place` for a tensor that is batched, or not."""
    batched, name = level.of(tensor), options["name"]

    def result_of(old: Tensor) -> Any:
        found = level.inside(operation, old if batched is None else level.wrap(old))
        if batched is None:
            if level.of(found) is not None:
                if name in _BROADCAST:
                    check_fits(level.physical(found), tensor)
                raise _refusal(level, name, others)
            return found
        check_fits(found, tensor, options.get("c_types", False))
        return copy_into(old, level.physical(found))

    target = tensor if batched is None else batched.physical
    if batched is not None:
        options["copies"] = True  # what the rows have saved of the old value stays as it is
    try:
        level.out(lambda: apply_in_place(target, result_of, _physical(level, others), **options))
    except Drawn:
        raise RuntimeError(_RANDOM_IN_PLACE) from None
    if batched is not None:
        tensor._requires_grad = target.requires_grad
        tensor._grad_fn, tensor._nr = target.grad_fn, target._nr
    return tensor


def _physical(level: Level, values: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        batched = level.of(value)
        if type(value) in (list, tuple):
            found.append(_physical(level, value))
        else:
            found.append(value if batched is None else batched.physical)
    return found
