"""`torch.vmap`: a function of samples as one of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from gradcli.ops.algebra.joining import cat
from gradcli.ops.algebra.parts import slice_
from gradcli.ops.algebra.views import clone, movedim
from gradcli.readings.batched import rules
from gradcli.readings.batched.level import Level
from gradcli.readings.trees import Spec, broadcast, flatten, name_of
from gradcli.tensor.classes import type_of
from gradcli.tensor.public import handed_in
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import Tensor


class Batch(NamedTuple):
    """Arguments that are mapped over: the leaves, where the batch lies in each, and its length."""

    leaves: list[Any]
    spec: Spec
    dims: list[int | None]
    size: int


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that runs `func` on each sample of a batch at once.

    `in_dims` says along which dimension of each argument samples lie (None: all share it), as a
    tree that matches the arguments as far as it goes; `out_dims` along which of each result.
    `randomness` decides what random operators do: "error", the "same" for all samples, or
    "different". At most `chunk_size` samples are taken at once.

    Raises:
        RuntimeError: there is no such randomness.
        ValueError: there is no such size of chunks.
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            f"Only allowed values for randomness are 'error', 'different', or 'same'. Got "
            f"{randomness}"
        )
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    call = handed_in(func)

    def mapped(*args: Any, **kwargs: Any) -> Any:
        _check_out_dims(out_dims, func)
        batch = _batch(in_dims, args, func)
        results = [
            _mapped(call, func, piece, out_dims, randomness, kwargs)
            for piece in _chunks(batch, chunk_size)
        ]
        return results[0] if len(results) == 1 else _joined(results, out_dims, func)

    mapped.__name__ = mapped.__qualname__ = name_of(func)
    return mapped


def _chunks(batch: Batch, chunk_size: int | None) -> Iterator[Batch]:
    """Pieces of a batch of so many samples, the last one perhaps of fewer."""
    if chunk_size is None or chunk_size >= batch.size:
        yield batch
        return
    for start in range(0, batch.size, chunk_size):
        end = min(start + chunk_size, batch.size)
        leaves = [
            leaf if dim is None else slice_(leaf, dim, start, end, 1)
            for leaf, dim in zip(batch.leaves, batch.dims, strict=True)
        ]
        yield Batch(leaves, batch.spec, batch.dims, end - start)


def _joined(results: Sequence[Any], out_dims: Any, func: Any) -> Any:
    """The results of chunks, one after the other."""
    pieces = [flatten(result) for result in results]
    spec = pieces[0][1]
    dims = _out_dims(out_dims, spec, func)
    columns = zip(*[leaves for leaves, _ in pieces], strict=True)
    joined = []
    for column, dim in zip(columns, dims, strict=True):
        if dim is None:
            raise TypeError("cat(): argument 'dim' must be int, not NoneType")
        joined.append(cat(list(column), dim))
    return spec.unflatten(joined)


def _mapped(
    call: Any, func: Any, batch: Batch, out_dims: Any, randomness: str, kwargs: dict[str, Any]
) -> Any:
    """The function's results for a batch, all samples at once."""
    with Level(batch.size, randomness, rules) as level:
        leaves = [
            leaf
            if dim is None
            else level.wrap(leaf if dim == 0 else level.out(movedim, leaf, dim, 0), dim)
            for leaf, dim in zip(batch.leaves, batch.dims, strict=True)
        ]
        found, spec = flatten(call(*batch.spec.unflatten(leaves), **kwargs))
        dims = _out_dims(out_dims, spec, func)
        return spec.unflatten(
            [_finished(level, *pair, name_of(func)) for pair in zip(found, dims, strict=True)]
        )


def _finished(level: Level, value: Any, dim: int | None, name: str) -> Any:
    """A result with the batch where it was asked for."""
    if dim is None:
        if level.of(value) is not None:
            raise ValueError(
                f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None"
            )
        return value
    if type(value) is not Tensor:
        raise ValueError(
            f"vmap({name}, ...): `{name}` must only return Tensors, got type {type_of(value)}. Did "
            "you mean to set out_dims= to None for output?"
        )
    physical = level.physical(value)
    where = wrap_dim(dim, physical._array.ndim)
    if where:
        physical = level.out(movedim, physical, 0, where)
    return physical if level.of(value) is not None else level.out(clone, physical)


def _check_out_dims(out_dims: Any, func: Any) -> None:
    """Refuses what is no tree of dimensions."""
    if type(out_dims) is not int and not all(
        dim is None or isinstance(dim, int) for dim in flatten(out_dims)[0]
    ):
        raise ValueError(
            f"vmap({name_of(func)}, ..., out_dims={out_dims}): `out_dims` must be an int, None or "
            "a python collection of ints representing where in the outputs the vmapped dimension "
            "should appear."
        )


def _batch(in_dims: Any, args: tuple[Any, ...], func: Any) -> Batch:
    """The arguments with the dimension of each that is mapped over, checked."""
    name = name_of(func)
    call = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, int) and type(in_dims) is not tuple:
        raise ValueError(
            f"{call}: expected `in_dims` to be int or a (potentially nested) tuple matching the "
            f"structure of inputs, got: {type_of(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are "
            "trying to vmap over a function with no inputs. The latter is unsupported."
        )
    leaves, spec = flatten(args)
    dims = broadcast(in_dims, spec)
    if dims is None:
        raise ValueError(
            f"{call}: in_dims is not compatible with the structure of `inputs`. in_dims has "
            f"structure {flatten(in_dims)[1]} but inputs has structure {spec}."
        )
    dims = [_in_dim(*pair, call) for pair in zip(leaves, dims, strict=True)]
    sizes = [
        leaf._array.shape[dim] for leaf, dim in zip(leaves, dims, strict=True) if dim is not None
    ]
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if any(size != sizes[0] for size in sizes):
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return Batch(leaves, spec, dims, sizes[0])


def _in_dim(leaf: Any, dim: Any, call: str) -> int | None:
    """A dimension of an argument, counted from the front."""
    if dim is None:
        return None
    if not isinstance(dim, int):
        raise ValueError(
            f"{call}: Got in_dim={dim} for an input but in_dim must be either an integer dimension "
            "or None."
        )
    if type(leaf) is not Tensor:
        raise ValueError(
            f"{call}: Got in_dim={dim} for an input but the input is of type {type_of(leaf)}. We "
            "cannot vmap over non-Tensor arguments, please use None as the respective in_dim"
        )
    count = leaf._array.ndim
    if not -count <= dim < count:
        raise ValueError(
            f"{call}: Got in_dim={dim} for some input, but that input is a Tensor of "
            f"dimensionality {count} so expected in_dim to satisfy -{count} <= in_dim < {count}."
        )
    return dim % count


def _out_dims(out_dims: Any, spec: Spec, func: Any) -> list[int | None]:
    """Where the batch goes in each result."""
    found: Sequence[int | None] | None
    if spec.kind is None and type(out_dims) is tuple and len(out_dims) == 1:
        found = out_dims  # PyTorch takes that for a single result, too
    elif spec.kind is None and out_dims is not None and not isinstance(out_dims, int):
        found = None
    else:
        found = broadcast(out_dims, spec)
    if found is None:
        raise ValueError(
            f"vmap({name_of(func)}, ..., out_dims={out_dims})(<inputs>): out_dims is not "
            "compatible with the structure of `outputs`. out_dims has structure "
            f"{flatten(out_dims)[1]} but outputs has structure {spec}."
        )
    return list(found)


def by_rows(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    seeds: Sequence[Tensor | None],
    options: dict[str, Any],
) -> Sequence[Tensor | None]:
    """What `grad` gives for each slice of the seeds along their first dimension, stacked."""

    def gradients(level: Level, batched: list[Tensor | None]) -> Sequence[Tensor | None]:
        found: Sequence[Tensor | None] = level.differentiate(outputs, inputs, batched, options)
        return found

    return by_slices(gradients, seeds)


def by_slices(
    function: Callable[[Level, list[Tensor | None]], Sequence[Tensor | None]],
    tensors: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """What a function of tensors gives for each slice of them along their first dimension, stacked;
    None where either is None.
    """
    size = next(tensor._array.shape[0] for tensor in tensors if tensor is not None)
    with Level(size, "error", rules) as level:
        batched = [None if tensor is None else level.wrap(tensor) for tensor in tensors]
        found = function(level, batched)
        return [None if part is None else level.physical(part) for part in found]
