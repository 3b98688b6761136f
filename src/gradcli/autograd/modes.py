"""`no_grad` and its relatives: context managers and decorators that switch recording."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import MethodType
from typing import Any

from gradcli.tensor.graph import mode
from gradcli.tensor.public import handed_in, label_of, public, word_of


@public("__name__ __qualname__", name="function", calls=True)
class Decorated:
    """A function that calls another in a context; whether that can be called turns out then.

    As an attribute of a class it is a method, as other functions are.
    """

    def __init__(
        self, context: Callable[[], AbstractContextManager[Any]], function: Callable[..., Any]
    ) -> None:
        self.__name__ = "decorate_context"
        self.__qualname__ = "context_decorator.<locals>.decorate_context"
        self.context = context
        self.function = function
        functools.update_wrapper(self, function, updated=())

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        with self.context():
            return handed_in(self.function)(*args, **kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<function {self.__qualname__} at {id(self):#x}>"


class _Switch:
    """Sets the modes on entry and puts them back on exit; also decorates functions."""

    enabled: bool | None = None
    inference: bool | None = None

    def __init__(self) -> None:
        self._saved: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self._saved.append((mode.enabled, mode.inference))
        if self.enabled is not None:
            mode.enabled = self.enabled
        if self.inference is not None:
            mode.inference = self.inference

    def __exit__(self, *_: object) -> None:
        mode.enabled, mode.inference = self._saved.pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return Decorated(lambda: self, function)

    def __repr__(self) -> str:
        return f"<{label_of(self)} object at {hex(id(self))}>"


@public(name="no_grad", label="torch.autograd.grad_mode.no_grad", calls=True)
class no_grad(_Switch):
    """Nothing is recorded inside."""

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        if function is not None:
            made.__init__()  # type: ignore[misc]
            return made(function)
        return made

    def __init__(self) -> None:
        super().__init__()

    enabled = False


no_grad.__new__.__qualname__ = "_NoParamDecoratorContextManager.__new__"  # as errors show it


@public(name="enable_grad", label="torch.autograd.grad_mode.enable_grad", calls=True)
class enable_grad(no_grad):
    """What is computed inside is recorded, also inside `no_grad`."""

    enabled = True


@public(name="set_grad_enabled", label="torch.autograd.grad_mode.set_grad_enabled", calls=True)
class set_grad_enabled(_Switch):
    """Switches recording at once; as a context manager until its end."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        if type(mode) is not bool:
            from gradcli.table.calls.wrong import refuse_call

            refuse_call("set_grad_enabled", "set_grad_enabled", (mode,), {}, False)
        self._before = _set_enabled(mode)
        self.enabled = mode

    def __enter__(self) -> None:
        self._saved.append((self._before, mode.inference))
        mode.enabled = bool(self.enabled)

    def __repr__(self) -> str:
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self.enabled})"

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        _set_enabled(self._before)
        wanted = bool(self.enabled)
        return Decorated(lambda: set_grad_enabled(wanted), function)


@public(name="inference_mode", label="torch.autograd.grad_mode.inference_mode", calls=True)
class inference_mode(_Switch):
    """Like `no_grad`, and the tensors made inside can never be recorded."""

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        return super().__new__(cls) if isinstance(mode, bool) else cls()(mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.inference = mode
        if mode:
            self.enabled = False


def _set_enabled(enabled: bool) -> bool:
    if not isinstance(enabled, bool):
        raise TypeError(
            "set_grad_enabled(): argument 'enabled' (position 1) must be bool, not "
            f"{word_of(enabled)}"
        )
    before = mode.enabled
    mode.enabled = enabled
    return before


def is_grad_enabled() -> bool:
    """Whether operators are being recorded."""
    return mode.enabled


def is_inference_mode_enabled() -> bool:
    """Whether `inference_mode` is on."""
    return mode.inference
