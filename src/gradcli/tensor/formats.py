"""Devices, memory formats and layouts: where a tensor's elements lie, and in which order."""

from __future__ import annotations

from typing import Any, Final

from gradcli.tensor.public import Fixed, public


@public("index type", name="torch.device")
class Device(Fixed):
    """Where a tensor lives; here always the CPU."""

    __slots__ = ("index", "type")

    index: int | None
    type: str

    def __init__(self, type: str = "cpu", index: int | None = None) -> None:
        if type.split(":")[0] != "cpu":
            raise RuntimeError(f"this build has no device '{type}': tensors live on the CPU")
        self._fix(type="cpu", index=index)

    def __repr__(self) -> str:
        return "device(type='cpu')"

    def __str__(self) -> str:
        return "cpu"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device)

    def __hash__(self) -> int:
        return hash(self.type)


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
