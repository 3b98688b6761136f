"""What programs find in Python's `copy`, with what knows their objects."""

from __future__ import annotations

from typing import Any, Final

from gradcli.language.allowed.exceptions import Carrier
from gradcli.language.allowed.modules import copy
from gradcli.language.running.errors import new
from gradcli.language.running.methods import Method, invoke
from gradcli.language.running.objects import Instance, make, own_method
from gradcli.tensor.nesting import plain


def _of_instance(value: Instance, copies: copy.Copies) -> Any:
    if value._class.special("__deepcopy__") is not None:
        return invoke(own_method(value, "__deepcopy__"), copies.memo)
    made = _made_like(value)
    copies.keep(value, made)
    if type(made._native) is Carrier:
        made._native.given = copies.of(made._native.given)
    elif plain(value) is not value:
        made._native = copies.of(value._native)
    made._values.update(copies.of(value._values))
    return made


def _made_like(value: Instance) -> Instance:
    """An object of the same class, without its values.

    Raises:
        TypeError: only a class of ours could make one, and does not say how.
    """
    if type(value._native) is Carrier:
        return new(value._class, *value._native.given)
    if plain(value) is not value:
        made = make(value._class)
        made._native = copy.copy(value._native)
        return made
    if value._native is not None:
        raise TypeError(f"cannot pickle '{value._class.__name__}' object")
    return make(value._class)


def _flat(value: Instance) -> Any:
    if value._class.special("__copy__") is not None:
        return invoke(own_method(value, "__copy__"))
    made = _made_like(value)
    made._values.update(value._values)
    return made


copy.DEEP[Instance] = _of_instance
copy.DEEP[Method] = lambda method, copies: Method(method.__func__, copies.of(method.__self__))
copy.FLAT[Instance] = _flat

MEMBERS: Final[dict[str, Any]] = copy.MEMBERS
"""By name."""
