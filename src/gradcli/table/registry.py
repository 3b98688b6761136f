"""Where rows and compositions are found by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Final

from gradcli.table.entry import Entry
from gradcli.table.functions import Function
from gradcli.tensor.tensor import Tensor

# Modules with rows, in the order in which an unknown name is looked for. All overloads of one name
# stand in one module.
MODULES: Final = (
    "inplace.python",
    "making.construction",
    "algebra.comparison",
    "algebra.arithmetic",
    "algebra.elementary",
    "algebra.views",
    "algebra.parts",
    "algebra.joining",
    "selecting.splitting",
    "algebra.sums",
    "algebra.placement",
    "algebra.strided",
    "algebra.complex",
    "making.copies",
    "algebra.padding",
    "algebra.creation",
    "making.sequences",
    "making.conversion",
    "making.queries",
    "pointwise.special",
    "algebra.scalars",
    "pointwise.activation",
    "pointwise.activation_forms",
    "measuring.distance",
    "losses.elementwise",
    "losses.likelihood",
    "losses.classes",
    "losses.margin",
    "losses.ctc",
    "layers.normalization",
    "layers.layer_normalization",
    "layers.group_normalization",
    "layers.dropout",
    "layers.embedding",
    "layers.attention",
    "selecting.ordering",
    "algebra.scans",
    "measuring.statistics",
    "algebra.products",
    "pointwise.bounds",
    "measuring.differences",
    "selecting.quantiles",
    "selecting.counting",
    "measuring.pairs",
    "selecting.distinct",
    "measuring.fft",
    "selecting.masked",
    "images.convolution",
    "images.pooling",
    "images.max_pooling",
    "images.adaptive_pooling",
    "images.resampling",
    "images.rearranging",
    "images.grid_sampling",
    "making.sampling",
    "making.testing",
    "inplace.writing",
    "inplace.subscripts",
    "algebra.indexing",
    "selecting.masking",
    "selecting.scattering",
    "contracting.einsum",
    "contracting.outer",
    "linalg.triangular",
    "linalg.cholesky",
    "linalg.lu",
    "linalg.solving",
    "linalg.orthogonal",
    "linalg.spectra",
    "linalg.least_squares",
    "linalg.determinants",
    "linalg.ldl",
    "linalg.norms",
    "linalg.functions",
)
# The module that adds a resolver for names ending in an underscore.
DERIVING: Final = "inplace.derive"

resolvers: Final[list[Callable[[str, bool], Function | None]]] = []
"""Functions of a name, and whether it is a method's, that make operators which no row declares."""

_functions: dict[str, Function] = {}
_methods: dict[str, Function] = {}
_loaded = 0


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


def _find(table: dict[str, Function], name: str) -> Function | None:
    global _loaded
    while name not in table and _loaded < len(MODULES):
        module = MODULES[_loaded]
        _loaded += 1
        import_module("gradcli.ops." + module)
    return table.get(name)


def lookup(name: str) -> Function | None:
    """The function ``torch.NAME`` (``sin``, ``linalg.inv``, ``nn.functional.relu``), or None."""
    if name.startswith("aten."):
        return None
    return _derived(name, False) or _find(_functions, name)


def internal(name: str) -> Function | None:
    """The rows ``aten.NAME``, which formulas call and users cannot."""
    return _find(_functions, name)


def lookup_method(name: str) -> Function | None:
    """The method ``x.NAME`` of a tensor, or None."""
    return _derived(name, True) or _find(_methods, name)


def _derived(name: str, method: bool) -> Function | None:
    """What is derived for a name that ends in an underscore."""
    if not name.endswith("_") or name in (_methods if method else _functions):
        return None
    import_module(f"gradcli.ops.{DERIVING}")
    for resolver in resolvers:
        found = resolver(name, method)
        if found is not None:
            return found
    return None


def names() -> list[str]:
    """Every public function's dotted name, but for derived ones. Loads the whole table."""
    _find(_functions, "")
    return sorted(name for name in _functions if not name.startswith("aten."))


def method_names() -> list[str]:
    """Every method's name, but for derived ones. Loads the whole table."""
    _find(_methods, "")
    return sorted(_methods)


def entries() -> Iterable[Entry]:
    """Every row and composition, each once. Loads the whole table."""
    names()
    method_names()
    seen: dict[int, Entry] = {}
    for function in [*_functions.values(), *_methods.values()]:
        for entry in function.entries:
            seen.setdefault(id(entry), entry)
    return seen.values()


Tensor._resolvers.append(lookup_method)
