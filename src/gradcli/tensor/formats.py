"""Devices, memory formats and layouts: where a tensor's elements lie, and in which order."""

from __future__ import annotations

import re
from typing import Any, Final

from gradcli.tensor.public import Fixed, public, word_of

DEVICES: Final = (
    "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, "
    "mps, meta, hpu, mtia, privateuseone"
)
"""Types of devices, as PyTorch's message lists them."""

_OVERLOADS: Final = (
    "device() received an invalid combination of arguments - got ({given}), but expected one of:\n"
    " * (torch.device device)\n{first} * (str type, int index = -1)\n"
)
_WRONG_TYPES: Final = (
    "      didn't match because some of the arguments have invalid types: (!{given}!)\n"
)


_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,2}")
_NOTHING: Final[Any] = object()


def _kind(text: str, index: int | None) -> str:
    """The type that a device's text begins with.

    Raises:
        RuntimeError: PyTorch's, where the text or the index is none.
    """
    kind, colon, number = text.partition(":")
    if not text:
        raise RuntimeError("Device string must not be empty")
    if colon and not _INDEX.fullmatch(number):
        raise RuntimeError(f"Invalid device string: '{text}'")
    if kind not in DEVICES.split(", "):
        raise RuntimeError(
            f"Expected one of {DEVICES} device type at start of device string: {kind}"
        )
    if colon and index is not None:
        raise RuntimeError(
            "type (string) must not include an index because index was passed explicitly: " + text
        )
    if index is not None and index < 0:
        raise RuntimeError("Device index must not be negative")
    return kind


@public("index type", name="torch.device")
class Device(Fixed):
    """A place for tensors, of which only the CPU is there.

    Raises:
        RuntimeError, TypeError: PyTorch's, where the arguments are no device.
    """

    __slots__ = ("index", "type")

    index: int | None
    type: str

    def __init__(self, type: Any = _NOTHING, index: Any = None) -> None:
        if isinstance(type, Device) and index is None:
            self._fix(type=type.type, index=type.index)
            return
        if type.__class__ is int and index is None:
            if type < 0:
                raise RuntimeError("Device index must not be negative")
            raise RuntimeError("Cannot access accelerator device when none is available.")
        if not isinstance(type, str):
            given = "" if type is _NOTHING else word_of(type)
            first = _WRONG_TYPES.format(given=given) if given else ""
            raise TypeError(_OVERLOADS.format(given=given, first=first))
        if index is not None and index.__class__ is not int:
            raise TypeError(
                f"device(): argument 'index' (position 2) must be int, not {word_of(index)}"
            )
        self._fix(type=_kind(type, index), index=index)
        if ":" in type:
            self._fix(index=int(type.partition(":")[2]))

    def check(self) -> None:
        """Refuses a device that is not there.

        Raises:
            AssertionError, RuntimeError: PyTorch's, of its build for the CPU.
        """
        if self.type in ("cuda", "xpu"):
            raise AssertionError(f"Torch not compiled with {self.type.upper()} enabled")
        if self.type == "mps":
            raise RuntimeError("PyTorch is not linked with support for mps devices")
        if self.type != "cpu":
            raise RuntimeError(f"this build has no device '{self.type}': tensors live on the CPU")

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Device):
            return NotImplemented
        return (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __enter__(self) -> Device:
        self.check()
        return self

    def __exit__(self, *_: object) -> None:
        """Tensors are made on the CPU, within and after."""


CPU: Final = Device("cpu")


@public(name="torch.memory_format")
class MemoryFormat(Fixed):
    """An order of elements in memory, such as `torch.contiguous_format`.

    `order` lists the dimensions from the outermost to the innermost in memory; it is empty where
    the format asks for none.
    """

    __slots__ = ("name", "order")

    name: str
    order: tuple[int, ...]

    def __init__(self, name: str, order: tuple[int, ...] = ()) -> None:
        self._fix(name=name, order=order)

    def __repr__(self) -> str:
        return f"torch.{self.name}"


@public(name="torch.layout")
class Layout(Fixed):
    """A way to store a tensor; here always `torch.strided`."""

    __slots__ = ("name",)

    name: str

    def __init__(self, name: str) -> None:
        self._fix(name=name)

    def __repr__(self) -> str:
        return f"torch.{self.name}"


contiguous_format: Final = MemoryFormat("contiguous_format")
preserve_format: Final = MemoryFormat("preserve_format")
channels_last: Final = MemoryFormat("channels_last", (0, 2, 3, 1))
channels_last_3d: Final = MemoryFormat("channels_last_3d", (0, 2, 3, 4, 1))
strided: Final = Layout("strided")

FORMATS: Final[dict[str, Any]] = {
    value.name: value
    for value in (contiguous_format, preserve_format, channels_last, channels_last_3d, strided)
}
"""What `torch` offers under these names."""


def check_rank(array: Any, memory_format: MemoryFormat) -> None:
    """Refuses an array with another number of dimensions than a format of channels orders."""
    rank = len(memory_format.order)
    if rank and array.ndim != rank:
        raise RuntimeError(f"required rank {rank} tensor to use {memory_format.name} format")


def arranged_copy(array: Any, memory_format: MemoryFormat | None = None) -> Any:
    """A copy of an array whose elements lie as a format says; None keeps their order."""
    if memory_format is None or memory_format is preserve_format:
        return array.copy(order="K")
    if memory_format is contiguous_format:
        return array.copy(order="C")
    check_rank(array, memory_format)
    order = memory_format.order
    back = [order.index(dim) for dim in range(len(order))]
    return array.transpose(order).copy(order="C").transpose(back)
