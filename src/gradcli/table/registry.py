"""Where rows and compositions are found by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Final

from gradcli.table import index, methods
from gradcli.table.entry import Entry
from gradcli.table.functions import Function
from gradcli.tensor.tensor import Tensor

BARE: Final = "bare."
"""What names of mathematics begin with that PyTorch lacks: no module of `torch` has them."""

# The module that adds a resolver for names ending in an underscore.
DERIVING: Final = "gradcli.ops.inplace.derive"

resolvers: Final[list[Callable[[str, bool], Function | None]]] = []
"""Functions of a name, and whether it is a method's, that make operators which no row declares."""

_functions: dict[str, Function] = {}
_methods: dict[str, Function] = {}
_whole = False


def register(entry: Entry) -> None:
    """Enters an operator under all its names."""
    for name in entry.names:
        if name.startswith("Tensor."):
            name = name.removeprefix("Tensor.")
            _methods.setdefault(name, Function(name)).entries.append(entry)
            continue
        function = _functions.setdefault(name, Function(name))
        function.entries.append(entry)
        if "." not in name and entry.is_method:
            _methods.setdefault(name, function)


def place(function: Function, method: bool) -> None:
    """Enters a function of its own kind under its name, as a method or a function of `torch`."""
    (_methods if method else _functions)[function.name] = function


def _find(name: str, method: bool) -> Function | None:
    """The function or method of a name; a name that is nowhere loads the whole table."""
    table = _methods if method else _functions
    found = table.get(name)
    if found is None:
        module = index.read()[method].get(name)
        if module is None:
            load()
        else:
            import_module(module)
        found = table.get(name)
    return found


def load() -> None:
    """Loads the whole table."""
    global _whole
    if not _whole:
        _whole = True
        for module in index.modules():
            import_module(module)


def lookup(name: str) -> Function | None:
    """The function `torch.NAME` (`sin`, `linalg.inv`, `nn.functional.relu`), or None."""
    if name.startswith("aten."):
        return None
    return _derived(name, False) or _find(name, False)


def internal(name: str) -> Function | None:
    """The rows `aten.NAME`, which formulas call and users cannot."""
    return _find(name, False)


def lookup_method(name: str) -> Function | None:
    """The method `x.NAME` of a tensor, or None."""
    return _derived(name, True) or _find(name, True)


def _derived(name: str, method: bool) -> Function | None:
    """What is derived for a name that ends in an underscore."""
    if not name.endswith("_") or name in (_methods if method else _functions):
        return None
    import_module(DERIVING)
    for resolver in resolvers:
        found = resolver(name, method)
        if found is not None:
            return found
    return None


def names() -> list[str]:
    """Every public function's dotted name, but for derived ones. Loads the whole table."""
    load()
    return sorted(name for name in _functions if not name.startswith(("aten.", BARE)))


def bare_names() -> list[str]:
    """Every name that only programs have, without a module before it. Loads the whole table."""
    load()
    return sorted(name.removeprefix(BARE) for name in _functions if name.startswith(BARE))


def method_names() -> list[str]:
    """Every method's name, but for derived ones. Loads the whole table."""
    load()
    return sorted(_methods)


def declared() -> tuple[dict[str, str], dict[str, str]]:
    """The modules that declare functions and methods, by name. Loads the whole table."""
    load()
    return (
        {name: function.entries[0].module for name, function in _functions.items()},
        {name: function.entries[0].module for name, function in _methods.items()},
    )


def entries() -> Iterable[Entry]:
    """Every row and composition, each once. Loads the whole table."""
    load()
    seen: dict[int, Entry] = {}
    for function in [*_functions.values(), *_methods.values()]:
        for entry in function.entries:
            seen.setdefault(id(entry), entry)
    return seen.values()


def _construct(*data: Any, **options: Any) -> Tensor:
    """`torch.Tensor(...)`, an operator of the table like others."""
    function = _find("Tensor", False)
    assert function is not None
    made: Tensor = function(*data, **options)
    return made


Tensor._resolvers.append(lookup_method)
Tensor._construct = staticmethod(_construct)
methods.install()
