"""Padding: `torch.nn.functional.pad` and the operators it chooses among.

A padding lists pairs (before, after) from the last dimension backwards; negative numbers crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.parts import blank, part_of, slice_
from gradcli.ops.algebra.views import shape_of
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.memory import reserve
from gradcli.tensor.tensor import wrap
from gradcli.typing import Array, Scalar, Value


def _cropped(self: Array, pad: Sequence[int]) -> Array:
    """The array without what negative paddings take off."""
    for position, count in enumerate(pad):
        if count < 0:
            dim = self.ndim - 1 - position // 2
            length = self.shape[dim] + count
            if length < 0:
                raise RuntimeError("narrow(): length must be non-negative.")
            kept = slice(length) if position % 2 else slice(-count, None)
            self = self[part_of(dim, kept)]
    return self


def _constant_pad(self: Array, pad: Sequence[int], value: Scalar = 0) -> Array:
    """A frame of one value around the last dimensions."""
    if len(pad) % 2:
        raise RuntimeError(f"Length of pad must be even but instead it equals {len(pad)}")
    if len(pad) > 2 * self.ndim:
        raise RuntimeError(
            "Length of pad should be no more than twice the number of dimensions of the input. "
            f"Pad length is {len(pad)}while the input has {self.ndim}dimensions."
        )
    kept = _cropped(self, pad)
    pairs = [(max(a, 0), max(b, 0)) for a, b in zip(pad[::2], pad[1::2], strict=True)]
    pairs = [*[(0, 0)] * (self.ndim - len(pairs)), *reversed(pairs)]
    shape = [length + a + b for length, (a, b) in zip(kept.shape, pairs, strict=True)]
    dtype = dtypes.of(self)
    reserve(shape, self.itemsize)
    out = np.full(shape, dtypes.convert(value, dtype), self.dtype)
    inside = tuple(slice(a, a + n) for n, (a, _) in zip(kept.shape, pairs, strict=True))
    out[inside] = kept
    return out


constant_pad: Row = row(
    "constant_pad_nd",
    _constant_pad,
    halves=False,
    self=lambda grad, pad: constant_pad(grad, tuple(-count for count in pad), 0),
    samples=lambda r: [(r(2, 3), (1, 2), 0.5), (r(2, 3), (-1, 1, 0, 2)), (r(3), (-1, -1))],
)


def _reflected(length: int, before: int, after: int) -> Array:
    places = np.abs(np.arange(-before, length + after))
    return np.where(places >= length, 2 * (length - 1) - places, places)


def _replicated(length: int, before: int, after: int) -> Array:
    return np.clip(np.arange(-before, length + after), 0, length - 1)


def _sources(
    kind: str, self_shape: Sequence[int], padding: Sequence[int]
) -> list[tuple[int, Array]]:
    """For each padded dimension the place that each element of the result comes from."""
    source = _reflected if kind == "reflection" else _replicated
    ndim = len(self_shape)
    return [
        (dim, source(self_shape[dim], before, after))
        for dim, before, after in zip(
            range(ndim - 1, -1, -1), padding[::2], padding[1::2], strict=False
        )
    ]


def _check_pad(kind: str, self: Array, padding: Sequence[int], spatial: int) -> None:
    shape = list(self.shape)
    if 0 in shape[len(shape) - spatial - (self.ndim == spatial + 1) :] or (
        self.ndim == spatial + 2 and 0 in shape[1:]
    ):
        raise RuntimeError(
            f"Expected {spatial + 1}D or {spatial + 2}D (batch mode) tensor with possibly 0 batch "
            f"size and other non-zero dimensions for input, but got: {shape}"
        )
    if kind == "reflection":
        for number in range(spatial):
            dim = self.ndim - 1 - number
            before, after = padding[2 * number : 2 * number + 2]
            if before >= shape[dim] or after >= shape[dim]:
                raise RuntimeError(
                    f"Argument #{4 + 2 * number}: Padding size should be less than the "
                    f"corresponding input dimension, but got: padding ({before}, {after}) at "
                    f"dimension {dim} of input {shape}"
                )
    out = [
        shape[self.ndim - 1 - number] + padding[2 * number] + padding[2 * number + 1]
        for number in range(spatial)
    ]
    if any(length < 0 for length in out) or all(length < 1 for length in out):
        names = "WHD"[:spatial]
        own = " ".join(f"{name}: {shape[-1 - k]}" for k, name in enumerate(names))
        made = " ".join(f"{name}: {out[k]}" for k, name in enumerate(names))
        raise RuntimeError(f"input ({own}) is too small. Calculated output {made}")
    require_kinds(self.dtype, "fciu", f"{kind}_pad{spatial}d")


def _pads(kind: str, spatial: int) -> tuple[Row, Row]:
    """The rows of a kind of padding and of its backward."""
    name = f"{kind}_pad{spatial}d"
    size = 2 * spatial

    def forward(self: Array, padding: Sequence[int]) -> Array:
        _check_pad(kind, self, padding, spatial)
        for dim, places in _sources(kind, self.shape, padding):
            self = np.take(self, places, dim)
        return self

    def backward(grad_output: Array, self: Array, padding: Sequence[int]) -> Array:
        for dim, places in _sources(kind, self.shape, padding):
            shape = list(grad_output.shape)
            shape[dim] = self.shape[dim]
            gathered = np.zeros(shape, grad_output.dtype)
            np.add.at(gathered.swapaxes(0, dim), places, grad_output.swapaxes(0, dim))
            grad_output = gathered
        return grad_output

    shape = (1, 2, 4, 3)[-spatial - 1 :]
    padding = (1, 2, 2, 0, 1, -1)[:size] if spatial < 3 else (1, 2, 2, 0, 1, 0)
    pad: Row = row(
        f"aten.{name}(Tensor self, int[{size}] padding)",
        forward,
        linear="self",
        self=lambda grad, self, padding: pad_backward(grad, self, padding),
        samples=lambda r: [(r(*shape), padding)],
        doc=f"{kind.capitalize()} padding of {spatial} dimensions.",
    )
    pad_backward: Row = row(
        f"aten.{name}_backward(Tensor grad_output, Tensor self, int[{size}] padding)",
        backward,
        linear="grad_output",
        grad_output=lambda grad, padding: pad(grad, padding),
        self=lambda grad, self_shape: blank(self_shape, grad),
        samples=lambda r: [(forward(r(*shape), padding), r(*shape), padding)],
        doc=f"The gradient of {kind} padding of {spatial} dimensions.",
    )
    return pad, pad_backward


_BY_MODE: Final[dict[str, list[tuple[Row, Row]]]] = {
    "reflect": [_pads("reflection", spatial) for spatial in (1, 2, 3)],
    "replicate": [_pads("replication", spatial) for spatial in (1, 2, 3)],
}


def _pad_circular(self: Any, padding: Sequence[int]) -> Any:
    """Pads with the elements of the other end, by copying parts of the result into others."""
    shape = shape_of(self)
    spatial = len(padding) // 2
    out_shape = list(shape)
    for number in range(spatial):
        dim = len(shape) - 1 - number
        before, after = padding[2 * number : 2 * number + 2]
        if before > shape[dim] or after > shape[dim]:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        out_shape[dim] += before + after
        if out_shape[dim] < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")
    out = wrap(np.empty(out_shape, self._array.dtype))
    inside, kept = out, self
    for number in range(spatial):
        dim = len(shape) - 1 - number
        before, after = padding[2 * number : 2 * number + 2]
        inside = slice_(inside, dim, max(before, 0), out_shape[dim] - max(after, 0), 1)
        kept = slice_(kept, dim, max(-before, 0), shape[dim] - max(-after, 0), 1)
    inside.copy_(kept)
    for number in range(spatial):
        dim = len(shape) - 1 - number
        before, after = (max(count, 0) for count in padding[2 * number : 2 * number + 2])
        length = out_shape[dim]
        if before:
            source = slice_(out, dim, length - before - after, length - after, 1)
            slice_(out, dim, 0, before, 1).copy_(source)
        if after:
            source = slice_(out, dim, before, before + after, 1)
            slice_(out, dim, length - after, length, 1).copy_(source)
    return out


@composite(
    "nn.functional.pad",
    samples=lambda r: [
        (r(2, 3), (1, 1), {"value": 2.0}),
        (r(1, 2, 3), (1, 1), "reflect"),
        (r(1, 2, 3), (2, 1), "replicate"),
    ],
)
def pad(
    input: Value, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Any:
    """A tensor with a frame: of a value, or of its own elements reflected,
    replicated or repeated.
    """
    ndim = len(shape_of(input))
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(pad)} and input of dimension {ndim}"
        )
    if mode == "constant":
        return constant_pad(input, pad, 0 if value is None else value)
    if mode not in ("circular", *_BY_MODE):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    spatial = len(pad) // 2
    if not spatial or ndim not in (spatial + 1, spatial + 2):
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {ndim}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    if mode == "circular":
        return _pad_circular(input, pad)
    return _BY_MODE[mode][spatial - 1][0](input, pad)
