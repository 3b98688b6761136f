"""Methods of the class of tensors, as programs call them: wrong arguments are told in PyTorch's
words.

The engine calls the class's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradcli.tensor.public import REGISTRY
from gradcli.tensor.tensor import Tensor

_PLAIN: Final = (
    "dim element_size is_complex is_contiguous is_floating_point item nelement numel retain_grad "
    "tolist"
)
_CHECKED: Final[dict[str, type]] = {"requires_grad_": bool, "size": int, "stride": int}
"""Methods of one argument, and its type."""


def _refuse(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    from gradcli.table.calls.wrong import refuse_call

    refuse_call(name, name, args, kwargs, True)


def _guarded(name: str) -> Callable[..., Any]:
    method = getattr(Tensor, name)

    def call(self: Tensor, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except TypeError:
            _refuse(name, (self, *args), kwargs)
            raise

    return call


def _checked(name: str, kind: type) -> Callable[..., Any]:
    method = getattr(Tensor, name)

    def call(self: Tensor, /, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) > 1 or (args and type(args[0]) is not kind):
            _refuse(name, (self, *args), kwargs)
        return method(self, *args, **kwargs)

    return call


def install() -> None:
    """Puts checks before the methods that programs find."""
    entry = REGISTRY[Tensor]
    entry.guards |= {name: _guarded(name) for name in _PLAIN.split()}
    entry.guards |= {name: _checked(name, kind) for name, kind in _CHECKED.items()}
    entry.reads -= entry.guards.keys()
