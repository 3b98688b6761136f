"""The text that PyTorch prints for a tensor.

The functions here know nothing of the `Tensor` class: they take a NumPy array and the few facts
that PyTorch shows beside the numbers (dtype, `grad_fn`, `requires_grad`).

Two neighbours of printing need no function of their own. A tensor with no dimensions formats as the
Python number it holds: `f"{t:.3f}"` is `format(t.item(), ".3f")` and `f"{t}"` is `str(t.item())`. A
tensor with dimensions takes no format specification, and `f"{t}"` is its `str`. Lists and tuples of
tensors print as Python prints them, by the `repr` of their elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

from gradcli.tensor.dtypes import FLOATS

__all__ = [
    "PrintOptions",
    "format_named_tuple",
    "format_tensor",
    "get_printoptions",
    "set_printoptions",
]

_PREFIX = "tensor("

_PROFILES: dict[str, tuple[int, float, int, int]] = {
    "default": (4, 1000, 3, 80),
    "short": (2, 1000, 2, 80),
    "full": (4, inf, 3, 80),
}


class PrintOptions:
    """What `torch.set_printoptions` sets.

    Attributes:
        precision: digits after the point.
        threshold: a tensor with more elements than this is summarised.
        edgeitems: how many entries a summary keeps at each end of a dimension.
        linewidth: columns available to a line.
        sci_mode: scientific notation always or never; None decides by the values.
    """

    __slots__ = ("edgeitems", "linewidth", "precision", "sci_mode", "threshold")

    def __init__(
        self,
        precision: int = 4,
        threshold: float = 1000,
        edgeitems: int = 3,
        linewidth: int = 80,
        sci_mode: bool | None = None,
    ) -> None:
        self.precision = precision
        self.threshold = threshold
        self.edgeitems = edgeitems
        self.linewidth = linewidth
        self.sci_mode = sci_mode

    def update(
        self,
        precision: int | None = None,
        threshold: float | None = None,
        edgeitems: int | None = None,
        linewidth: int | None = None,
        profile: str | None = None,
        sci_mode: bool | None = None,
    ) -> None:
        """Change the options as `torch.set_printoptions` does.

        None leaves an option alone, except that `sci_mode` is set by every call. `profile` is one
        of 'default', 'short' and 'full'; an unknown one changes nothing.
        """
        if profile in _PROFILES:
            self.precision, self.threshold, self.edgeitems, self.linewidth = _PROFILES[profile]
        if precision is not None:
            self.precision = precision
        if threshold is not None:
            self.threshold = threshold
        if edgeitems is not None:
            self.edgeitems = edgeitems
        if linewidth is not None:
            self.linewidth = linewidth
        self.sci_mode = sci_mode


_current = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change the options of this process, as `torch.set_printoptions` does."""
    _current.update(precision, threshold, edgeitems, linewidth, profile, sci_mode)


def get_printoptions() -> dict[str, Any]:
    """The options of this process, as keywords for `set_printoptions`."""
    return {name: getattr(_current, name) for name in _current.__slots__}


def format_tensor(
    array: NDArray[Any],
    *,
    dtype_name: str,
    default_dtype_name: str = "float32",
    grad_fn_name: str | None = None,
    requires_grad: bool = False,
    indent: int = 0,
    options: PrintOptions | None = None,
) -> str:
    """The `repr` of a tensor.

    Args:
        array: the values, of any shape. Conjugate views come resolved, since printing does not
            show them.
        dtype_name: PyTorch's name of the dtype, without `torch.`.
        default_dtype_name: the name of `torch.get_default_dtype()`; a tensor of that dtype does
            not show it.
        grad_fn_name: the name of the node that made the tensor, such as `AddBackward0`.
        requires_grad: shown when there is no `grad_fn`.
        indent: columns already used on the first line; further lines move right by as many.
        options: the process's options unless given.
    """
    opts = _current if options is None else options
    margin = indent + len(_PREFIX)
    suffixes = []
    if array.size == 0:
        contents = "[]"
        if array.ndim != 1:
            suffixes.append(f"size={array.shape}")
        # No element shows whether these are integers or truth values.
        dtype_is_evident = dtype_name == default_dtype_name
    else:
        contents = _contents(array, margin, opts)
        if not opts.edgeitems:
            suffixes.append(f"size={array.shape}")
        dtype_is_evident = (
            dtype_name == default_dtype_name
            or dtype_name in ("int64", "bool")
            or dtype_name == _default_complex(default_dtype_name)
        )
    if not dtype_is_evident:
        suffixes.append(f"dtype=torch.{dtype_name}")
    if grad_fn_name is not None:
        suffixes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return _append_suffixes(_PREFIX + contents, suffixes, indent, margin, opts.linewidth)


def format_named_tuple(type_name: str, fields: Sequence[tuple[str, str]]) -> str:
    """The `repr` of a named tuple of tensors, such as `torch.max(x, 0)` returns.

    Args:
        type_name: the full name, such as `torch.return_types.max`.
        fields: names and formatted values, in order. A value's further lines stand as they are.
    """
    body = ",\n".join(f"{name}={text}" for name, text in fields)
    return f"{type_name}(\n{body})"


def _default_complex(default_dtype_name: str) -> str:
    return "complex128" if default_dtype_name == "float64" else "complex64"


def _contents(array: NDArray[Any], margin: int, opts: PrintOptions) -> str:
    """The numbers of a tensor that has some, with their brackets."""
    ellipsis_axes: frozenset[int] = frozenset()
    if array.size > opts.threshold and array.ndim:
        if not opts.edgeitems:
            return "[...]"
        array, ellipsis_axes = _keep_edges(array, opts.edgeitems)
    if array.dtype.kind == "c":
        cells, width = _complex_cells(array, opts)
    else:
        values = array.ravel().tolist()
        texts, width = _float_texts(values, opts) if array.dtype.kind in FLOATS else _texts(values)
        cells = [text.rjust(width) for text in texts]
    if not array.ndim:
        return cells[0]
    return _layout(cells, width, array.shape, ellipsis_axes, margin, opts)


def _keep_edges(array: NDArray[Any], edgeitems: int) -> tuple[NDArray[Any], frozenset[int]]:
    """The entries that a summary shows, and the axes along which it leaves some out."""
    axes = frozenset(axis for axis, size in enumerate(array.shape) if size > 2 * edgeitems)
    kept = [*range(edgeitems), *range(-edgeitems, 0)]
    for axis in axes:
        array = array.take(kept, axis)
    return array, axes


def _texts(values: list[Any]) -> tuple[list[str], int]:
    """Integers or truth values as text, and the width of the longest."""
    texts = [str(value) for value in values]
    return texts, max(map(len, texts))


def _float_texts(values: list[float], opts: PrintOptions) -> tuple[list[str], int]:
    """Floats as text in the one notation that suits them all, and the width that they share.

    Only finite values other than zero decide, about the notation and about the width: a nan, an
    infinity or a negative zero may be wider than its column.
    """
    deciding = [value for value in values if value and isfinite(value)]
    if not deciding:
        return [_whole(value) for value in values], 1
    if opts.sci_mode is None:
        magnitudes = [abs(value) for value in deciding]
        smallest, largest = min(magnitudes), max(magnitudes)
        scientific = largest / smallest > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4
    else:
        scientific = opts.sci_mode
    if scientific or not all(value.is_integer() for value in deciding):
        notation = f".{opts.precision}{'e' if scientific else 'f'}"
        texts = [format(value, notation) for value in values]
    else:
        texts = [_whole(value) for value in values]
    if len(deciding) == len(values):
        return texts, max(map(len, texts))
    decisive = (len(t) for t, value in zip(texts, values, strict=True) if value and isfinite(value))
    return texts, max(decisive)


def _whole(value: float) -> str:
    """A float without fractional digits; the point tells it from an integer."""
    return f"{value:.0f}." if isfinite(value) else f"{value:.0f}"


def _complex_cells(array: NDArray[Any], opts: PrintOptions) -> tuple[list[str], int]:
    """Complex numbers as text, and the width that PyTorch reckons with when it breaks lines.

    The real and the imaginary parts have notations of their own; only the real one is padded.
    """
    reals, real_width = _float_texts(array.real.ravel().tolist(), opts)
    imags, imag_width = _float_texts(array.imag.ravel().tolist(), opts)
    cells = [
        f"{real:>{real_width}}{'' if imag[0] == '-' else '+'}{imag}j"
        for real, imag in zip(reals, imags, strict=True)
    ]
    return cells, real_width + imag_width + 1


def _layout(
    cells: list[str],
    width: int,
    shape: tuple[int, ...],
    ellipsis_axes: frozenset[int],
    margin: int,
    opts: PrintOptions,
) -> str:
    """Rows of cells, broken into lines and nested in brackets from the last axis to the first."""
    last = len(shape) - 1
    row_margin = margin + last
    per_line = max(1, int((opts.linewidth - row_margin) // (width + len(", "))))
    newline = ",\n" + " " * (row_margin + 1)
    blocks = []
    for start in range(0, len(cells), shape[last]):
        row = cells[start : start + shape[last]]
        if last in ellipsis_axes:
            row.insert(opts.edgeitems, " ...")
        lines = (", ".join(row[i : i + per_line]) for i in range(0, len(row), per_line))
        blocks.append(f"[{newline.join(lines)}]")
    for axis in range(last - 1, -1, -1):
        separator = "," + "\n" * (last - axis) + " " * (margin + axis + 1)
        grouped = []
        for start in range(0, len(blocks), shape[axis]):
            group = blocks[start : start + shape[axis]]
            if axis in ellipsis_axes:
                group.insert(opts.edgeitems, "...")
            grouped.append(f"[{separator.join(group)}]")
        blocks = grouped
    return blocks[0]


def _append_suffixes(
    text: str, suffixes: list[str], indent: int, margin: int, linewidth: int
) -> str:
    """Add the suffixes and the closing bracket; a suffix that does not fit starts a line."""
    newline_at = text.rfind("\n")
    # PyTorch keeps two columns free, but only on the line that ends the numbers.
    column = len(text) - newline_at + 1 + (indent if newline_at < 0 else 0)
    parts = [text]
    for suffix in suffixes:
        if column + len(suffix) + 2 > linewidth:
            parts.append(",\n" + " " * margin + suffix)
            column = margin + len(suffix)
        else:
            parts.append(", " + suffix)
            column += len(suffix) + 2
    parts.append(")")
    return "".join(parts)
