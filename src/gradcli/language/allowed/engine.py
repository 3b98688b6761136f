"""The engine's tables, as the language asks them."""

from __future__ import annotations

from typing import Any, Final

BARE: Final = "bare."
"""What the names of the tables begin with that mathematics has and PyTorch lacks."""


def served() -> tuple[Any, ...]:
    """The packages that serve names of `torch` beside the table."""
    import gradcli.autograd as autograd
    import gradcli.modules as modules
    import gradcli.readings as readings

    return autograd, readings, modules


class Engine:
    """The engine's tables, imported when they are first needed."""

    __slots__ = ()

    def lookup(self, name: str) -> Any:
        """The function `torch.NAME`, or None."""
        from gradcli.table import registry

        for layer in served():
            found = layer.lookup(name)
            if found is not None:
                return found
        return registry.lookup(name)

    def bare(self, function: Any) -> Any:
        """What stands for a function of `torch` that is called by its bare name."""
        from gradcli.table.bare import bare

        return bare(function)

    def lists(self, name: str) -> bool:
        """Whether `lookup` knows a dotted name, as far as can be told without loading the table."""
        from gradcli.table import index

        return name in index.read()[0] or any(name in layer.names() for layer in served())

    def names(self) -> list[str]:
        """Every dotted name that `lookup` knows."""
        from gradcli.table import registry

        return [*registry.names(), *[name for layer in served() for name in layer.names()]]

    def bare_names(self) -> list[str]:
        """Every name that has no module."""
        from gradcli import readings
        from gradcli.table import registry

        own = [name.removeprefix(BARE) for name in readings.names() if name.startswith(BARE)]
        return [*registry.bare_names(), *own]

    def methods(self) -> list[str]:
        """Every method's and attribute's name of a tensor."""
        from gradcli.table import registry

        own = [name for name in dir(self.tensor) if not name.startswith("_")]
        return [*registry.method_names(), *own]

    @property
    def dtypes(self) -> dict[str, Any]:
        """The types of tensors, by every name."""
        from gradcli.tensor.dtypes import DTYPES

        return DTYPES

    @property
    def default_dtype(self) -> Any:
        """The type that Python's floats become."""
        from gradcli.tensor.dtypes import get_default_dtype

        return get_default_dtype()

    def leaf(self, value: float, requires_grad: bool) -> Any:
        """A tensor of the default type that holds a number."""
        from gradcli.ops.making.construction import array_of
        from gradcli.tensor.tensor import wrap

        return wrap(array_of(value), requires_grad)

    @property
    def tensor(self) -> type:
        """The class of tensors."""
        from gradcli.tensor.tensor import Tensor

        return Tensor

    @property
    def types(self) -> dict[str, type]:
        """Classes that `torch` offers."""
        from gradcli.tensor.dtypes import DType
        from gradcli.tensor.formats import Device
        from gradcli.tensor.shapes import Size
        from gradcli.tensor.tensor import Tensor

        return {"Tensor": Tensor, "Size": Size, "dtype": DType, "device": Device}
