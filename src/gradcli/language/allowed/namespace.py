"""What names mean.

A bare name is a variable of the program, else one of Python's built-ins that notes use, else
something of `torch`, of `torch.nn.functional`, or of `math`. Modules are objects whose members come
from the engine's tables when they are asked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from gradcli.language.allowed import attributes, engine
from gradcli.language.allowed.absent import LEFT_OUT, Absent, absent
from gradcli.language.allowed.builtins import LATE, PYTHON, REFUSED, over, without_derivative
from gradcli.language.allowed.listed import (
    DERIVED,
    OTHERS,
    TORCH,
    derived,
    is_left_out,
    late,
    members,
)
from gradcli.language.telling.suggest import Words, did_you_mean
from gradcli.tensor.bounded import Bounded
from gradcli.tensor.classes import Class, token_of
from gradcli.tensor.formats import FORMATS
from gradcli.tensor.guard import final
from gradcli.tensor.public import REGISTRY, public, word_of

UNNAMED: Final = ""
"""The module of names that mathematics has and PyTorch lacks; no program can name it."""

PREFIXES: Final = TORCH | {UNNAMED: engine.BARE}

BARE: Final = (UNNAMED, "torch", "torch.nn.functional", "math")
"""Where bare names are looked for, in turn."""

CONSTANTS: Final[dict[str, Any]] = {
    "pi": math.pi,
    "e": math.e,
    "inf": math.inf,
    "nan": math.nan,
    "newaxis": None,
}
"""Constants of `torch`."""

SHORTHANDS: Final[dict[str, str]] = {
    "torch": "torch",
    "F": "torch.nn.functional",
    "nn": "torch.nn",
    "math": "math",
}
"""Modules that a program finds without importing them."""

MODULE_LACKS = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
OBJECT_LACKS = re.compile(r"'([\w.]+)' object has no attribute '(\w+)'")

MOST_HINTS: Final = 1 << 20
"""Bytes of hints that are remembered."""

MOST_UNKNOWN: Final = 1 << 18
"""Bytes of names without a meaning that are remembered."""

HINT_BYTES: Final = 700
"""Bytes of an empty hint, or name."""

_MISSING: Any = object()


@public("__version__", reader=lambda module, name: module.member(name), name="module")
class Module:
    """A module of the language."""

    __slots__ = ("name", "namespace")

    def __init__(self, name: str, namespace: Namespace) -> None:
        self.name = name
        self.namespace = namespace

    def member(self, name: str) -> Any:
        """`module.name`.

        Raises:
            AttributeError: there is no such member.
        """
        value = self.namespace.find(self.name, name)
        if value is _MISSING:
            if self.namespace.leaves_out(self.name, name):
                words = f"{self.name}.{name} is not part of the language"
                raise final(AttributeError(words, name=name))
            raise AttributeError(
                f"module '{self.name}' has no attribute '{name}'", name=name, obj=self
            )
        return value

    @property
    def __version__(self) -> Any:
        return self.member("__version__")

    def __repr__(self) -> str:
        return f"<module '{self.name}'>"


class Namespace:
    """Names that programs and expressions find; the same for all of a process."""

    def __init__(self, tables: Any = None) -> None:
        self.engine: Any = engine.Engine() if tables is None else tables
        self.modules = {name: Module(name, self) for name in (*TORCH, *OTHERS)}
        self.found: dict[tuple[str, str], Any] = {}
        self.bare: dict[str, Any] = {}
        self.unknown: Bounded[bool] = Bounded(MOST_UNKNOWN)
        """Bare names that mean nothing."""
        self.words: dict[str, Words] = {}
        """What can be meant, by owner, as far as was asked."""
        self.hints: Bounded[str] = Bounded(MOST_HINTS)
        """What was meant, by owner and word: a batch may misspell a name in every record."""
        self.builtins: dict[str, Any] = dict(PYTHON)
        for name, module in SHORTHANDS.items():
            self.builtins[name] = self.modules[module]

    def first_names(self, mathematics: bool) -> dict[str, Any]:
        """The names that are found before all others: Python's, in expressions with the meanings
        of mathematics.
        """
        if not mathematics:
            return dict(self.builtins)
        from gradcli.language.allowed.mathematics import SHARED

        return self.builtins | SHARED

    def is_tensor(self, value: Any) -> bool:
        """Whether a value is a tensor."""
        return isinstance(value, self.engine.tensor)

    def find(self, module: str, name: str) -> Any:
        """A member of a module, or a mark that there is none."""
        key = (module, name)
        value = self.found.get(key, _MISSING)
        if value is _MISSING:
            value = self.search(module, name)
            if value is not _MISSING:
                if isinstance(value, type):
                    # Nobody makes new types of tensors.
                    made = value is not self.engine.types.get("dtype")
                    build = over(value, "tuple") if issubclass(value, tuple) else value
                    value = token_of(value, build if made else None)
                self.found[key] = value
        return value

    def search(self, module: str, name: str) -> Any:
        """The same, not remembered."""
        inner = self.modules.get(f"{module}.{name}")
        if inner is not None:
            return inner
        if module in OTHERS:
            return members(module).get(name) if name in members(module) else left_out(module, name)
        if module == "torch":
            if name == "__version__":
                return members("torch.version")[name]
            for table in (self.engine.dtypes, CONSTANTS, self.engine.types, FORMATS):
                if name in table:
                    return table[name]
        if PREFIXES[module] + name in DERIVED:
            return derived(PREFIXES[module] + name)
        value = self.engine.lookup(PREFIXES[module] + name)
        return left_out(module, name) if value is None else value

    def leaves_out(self, module: str, name: str) -> bool:
        """Whether Python finds a name in a module that the language does not."""
        return module in OTHERS and is_left_out(module, name)

    def offers(self, module: str, name: str) -> bool:
        """Whether a module has a member that is no module, as far as can be told without loading
        the table.
        """
        if module not in PREFIXES:
            return module in OTHERS and name in members(module)
        if module == "torch":
            engine = self.engine
            if any(name in table for table in (engine.dtypes, CONSTANTS, engine.types, FORMATS)):
                return True
        return (module, name) in self.found or bool(self.engine.lists(PREFIXES[module] + name))

    def mathematics(self, name: str) -> Any:
        """What a bare name means that Python lacks, or a mark that it means nothing."""
        value = self.bare.get(name, _MISSING)
        if value is not _MISSING or name.startswith("_") or self.unknown.get(name):
            return value
        # A name that no module is known to offer is looked for in all of them.
        for module in [module for module in BARE if self.offers(module, name)] or BARE:
            value = self.find(module, name)
            if value is _MISSING:
                continue
            if module == "math" and callable(value):
                value = without_derivative(name, value)
            self.bare[name] = value = self.engine.bare(value)
            return value
        self.unknown.add(name, True, HINT_BYTES + 4 * len(name))
        return value

    def resolve(self, name: str, variables: Iterable[str] = ()) -> Any:
        """What a bare name means that is no variable.

        Raises:
            NameError: nothing; `variables` may hold what was meant.
        """
        if name in self.builtins:
            return self.builtins[name]
        if name in LATE:
            return late()[name]
        if name in REFUSED:
            raise final(NameError(f"'{name}' is not part of the language", name=name))
        value = self.mathematics(name)
        if value is not _MISSING:
            return value
        error = NameError(f"name '{name}' is not defined", name=name)
        error.variables = list(variables)  # type: ignore[attr-defined]
        raise error

    def knows(self, name: str) -> bool:
        """Whether a bare name means something."""
        if name in self.builtins or name in ("print", "__name__"):
            return True
        try:
            self.resolve(name)
        except NameError:
            return name in REFUSED
        return True

    def candidates(self) -> list[str]:
        """Every bare name; loads the whole engine."""
        names = [
            *self.builtins,
            *LATE,
            "print",
            *CONSTANTS,
            *self.engine.dtypes,
            *self.engine.types,
        ]
        names += self.engine.bare_names()
        for name in self.engine.names():
            if "." not in name:
                names.append(name)
            elif name.startswith("nn.functional."):
                names.append(name.removeprefix("nn.functional."))
        return [*names, *members("math")]

    def members(self, module: str) -> list[str]:
        """Every member's name of a module; loads the whole engine."""
        names = [name.rpartition(".")[2] for name in self.modules if name.startswith(module + ".")]
        if module in OTHERS:
            return [*names, *members(module)]
        prefix = TORCH[module]
        for name in self.engine.names():
            rest = name.removeprefix(prefix)
            if name.startswith(prefix) and "." not in rest:
                names.append(rest)
        if module == "torch":
            names += [*self.engine.dtypes, *self.engine.types, *CONSTANTS, *FORMATS]
        return names

    def suggestion(self, error: BaseException) -> str:
        """What was probably meant by a name that an error says is not known, or ""."""
        name = getattr(error, "name", None)
        if isinstance(error, NameError) and hasattr(error, "variables") and isinstance(name, str):
            variables = [word for word in error.variables if not word.startswith("_")]
            return did_you_mean(name, variables) or self.meant(name, "", self.candidates)
        if not isinstance(error, AttributeError):
            return ""
        message = str(error)
        found = MODULE_LACKS.match(message)
        if found is not None and found[1] in self.modules:
            return self.meant(found[2], found[1], partial(self.members, found[1]))
        found = OBJECT_LACKS.match(message)
        if found is None:
            return ""
        entry = REGISTRY.get(type(error.obj))
        if entry is not None and entry.model is not None:
            return did_you_mean(found[2], entry.model.names(error.obj))
        if found[1] == "Tensor":
            return self.meant(found[2], found[1], self.engine.methods)
        return did_you_mean(found[2], attributes.names_of(found[1]))

    def meant(self, word: str, owner: str, names: Callable[[], list[str]]) -> str:
        """A hint at what was meant by a word among the `names` of a module or class; "" is the
        owner of bare names.
        """
        hint = self.hints.get((owner, word))
        if hint is None:
            words = self.words.get(owner)
            if words is None:
                words = self.words[owner] = Words(names())
            hint = did_you_mean(word, words)
            self.hints.add((owner, word), hint, HINT_BYTES + 4 * (len(word) + len(hint)))
        return hint

    def module(self, name: str) -> Any:
        """The module that `import name` binds, or what stands for one that is left out.

        Raises:
            ModuleNotFoundError: the language has no such module.
        """
        module = self.modules.get(name) or absent(name)
        if module is not None:
            return module
        parent, _, last = name.rpartition(".")
        value = self.find(parent, last) if parent in self.modules else _MISSING
        if value is not _MISSING and word_of(value) == "module":
            return value
        if parent in self.modules and not any(
            known.startswith(name + ".") for known in self.modules
        ):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        raise ModuleNotFoundError(f"No module named '{name.partition('.')[0]}'", name=name)

    def import_name(self, module: str, name: str) -> Any:
        """What `from module import name` binds; what the language leaves out fails when it is used.

        Raises:
            ImportError: the module has no such member.
        """
        found = self.module(module)
        if isinstance(found, Absent):
            return absent(f"{module}.{name}") or Absent(f"{module}.{name}", found.reason)
        if not isinstance(found, Module):
            return attributes.attribute(found, name)
        value = self.find(module, name)
        if value is _MISSING and self.leaves_out(module, name):
            return Absent(f"{module}.{name}", LEFT_OUT)
        if value is _MISSING:
            raise ImportError(f"cannot import name '{name}' from '{module}'", name=name)
        return value

    def shape(self, value: Any) -> str:
        """A tensor's shape for a label, "shape [2, 3]", or "" for anything else."""
        # What has no shape is seen to be no tensor without importing the engine.
        if hasattr(value, "shape") and self.is_tensor(value):
            return f"shape {list(value.shape)}"
        return ""

    def dtype(self, value: Any) -> Any:
        """The type that an annotation names: a type, the name of one, one of Python's number types,
        or None.

        Raises:
            TypeError: it names none.
        """
        if value is None:
            return None
        name = value if isinstance(value, str) else None
        if isinstance(value, Class) and value.of in (bool, int, float, complex):
            name = {"int": "int64", "complex": "complex64"}.get(value.label, value.label)
        if name is not None:
            found = self.engine.dtypes.get(name)
            if found is None:
                raise TypeError(f"'{name}' is not the name of a tensor's type")
            return found
        if isinstance(value, type(next(iter(self.engine.dtypes.values())))):
            return value
        raise TypeError(f"'{word_of(value)}' object is not a tensor's type")

    def declare(self, kind: str, value: Any, dtype: Any = None) -> Any:
        """The leaf that `let` or `const` (`kind`) makes of a value.

        `let` makes a leaf that requires grad, of the default type unless `dtype` names one; complex
        values stay complex. A tensor is detached first, and converted where it is not of a floating
        or complex type. `const` makes a leaf that does not require grad, of the type that
        `torch.tensor` infers.

        Raises:
            TypeError: `dtype` is no type; or whatever `torch.tensor` raises.
        """
        if type(value) is float and dtype is None:  # what most declarations are
            return self.engine.leaf(value, kind == "let")
        chosen = self.dtype(dtype)
        if self.is_tensor(value):
            leaf: Any = value.detach()
            if chosen is None and kind == "let" and not differentiable(leaf):
                chosen = self.engine.default_dtype
            if chosen is not None and leaf.dtype != chosen:
                leaf = leaf.to(chosen)
            return leaf.requires_grad_() if kind == "let" else leaf
        if chosen is None and kind == "let" and not has_complex(value):
            chosen = self.engine.default_dtype
        make = self.engine.lookup("tensor")
        options = {} if chosen is None else {"dtype": chosen}
        if kind == "let":
            options["requires_grad"] = True
        return make(value, **options)


def left_out(module: str, name: str) -> Any:
    """What stands for a module inside of another that is left out, or a mark that there is none."""
    found = absent(f"{module}.{name}")
    return _MISSING if found is None else found


def differentiable(tensor: Any) -> bool:
    """Whether a tensor's type can require grad."""
    return bool(tensor.is_floating_point() or tensor.is_complex())


def is_number(value: Any) -> bool:
    """Whether a value is a number of Python."""
    return isinstance(value, int | float | complex)


def has_complex(value: Any) -> bool:
    """Whether a number or nested list holds a complex number."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, complex):
            return True
    return False


_default: Namespace | None = None


def default_namespace() -> Namespace:
    """The process's namespace, over the real engine."""
    global _default
    if _default is None:
        _default = Namespace()
    return _default


def knows(name: str, operand: bool = False) -> bool:
    """Whether a bare name means something in the language; as an `operand` of arithmetic, only
    numbers do.
    """
    namespace = default_namespace()
    if not namespace.knows(name):
        return False
    return not operand or name in REFUSED or is_number(namespace.resolve(name))
