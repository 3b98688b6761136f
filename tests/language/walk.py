"""Everything that a program can reach, step by step, and whether each type of it is registered.

A step goes from a value to its attributes (every name that Python knows of it, whether or not the
language lists it), to what calling it and its methods with plausible arguments gives, to its items
and to what its errors hold. Every type is followed once.

    python -m tests.language.walk 3
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

import gradcli.wiring  # noqa: F401 - methods of tensors
from gradcli.language import Machine, compile_text
from gradcli.language.allowed.afresh import start_afresh
from gradcli.language.allowed.attributes import attribute
from gradcli.language.allowed.exceptions import Carrier
from gradcli.language.allowed.namespace import Module
from gradcli.tensor import dtypes
from gradcli.tensor.arrays import ATTRIBUTES, METHODS, Numbers
from gradcli.tensor.classes import label_of
from gradcli.tensor.graph import mode
from gradcli.tensor.public import REGISTRY
from gradcli.tensor.tensor import Tensor

VALUES = """\
1 | 1.5 | 2j | True | None | ... | NotImplemented | 'a b' | [1, 2] | (1, 2) | {1: 2} | {1, 2}
frozenset([1]) | range(3) | slice(1, 2) | lambda *a, **k: a[0] if a else 1 | (i for i in [1, 2])
torch.ones(2, 2) | torch.ones(2, 2, requires_grad=True) | torch.ones(2, requires_grad=True) * 2
(torch.ones(2, requires_grad=True) * 2).grad_fn
torch.ones(2, requires_grad=True).exp().sum().grad_fn
(torch.ones(2, requires_grad=True) * 2).grad_fn.next_functions[0][0] | torch.ones(2).numpy()
torch.ones(2).numpy()[0] | torch.ones(2).numpy().dtype | torch.max(torch.ones(2, 2), 0)
torch.ones(2, requires_grad=True).register_hook(lambda g: g) | torch.no_grad() | torch.Generator()
torch.finfo(torch.float32) | torch.iinfo(torch.int8) | ValueError('x') | zip([1], [2])
map(str, [1])
iter([1]) | iter((1,)) | iter({1: 2}) | iter('a') | enumerate([1]) | reversed([1]) | {1: 2}.items()
type(1) | type(torch.ones(1)) | type(type(1)) | [].append | 'a'.join | torch.ones(1).sum
torch.autograd.forward_ad.unpack_dual(torch.ones(2)) | torch.autograd.forward_ad.dual_level()
torch.func.vjp(torch.sin, torch.ones(2)) | torch.func.grad(torch.sin) | torch.strided
import_('itertools').count() | import_('collections').Counter('a') | import_('re').match('a', 'a')
import_('collections').defaultdict(list) | import_('collections').OrderedDict(a=1)
import_('collections').deque([1]) | import_('collections').namedtuple('P', 'a')(1)
import_('re').compile('a') | import_('random').Random(1) | import_('numpy').ones(2)
import_('numpy').random.RandomState(0) | import_('numpy').random.default_rng(0)
import_('functools').cache(lambda x: x) | import_('typing').List | import_('tqdm').tqdm([1])
import_('warnings').catch_warnings(record=True) | import_('contextlib').nullcontext(1)
import_('matplotlib') | torch.backends.cudnn | import_('operator').itemgetter(0)
Some() | Some | Some().method | Some.method | Some().above() | Every() | Every | Every.answer
Some().__dict__ | Some.__dict__ | Some.__mro__ | Some().__init__ | Some.__init__ | object | super
Some().within() | Some.read | Some.kept | Data() | Data | fields(Data) | field() | Color.RED | Color
raised(Mine) | Mine | Mine('x').args | object() | type(Some) | iter(Every()) | reversed(Every())
Own | Own() | Own.apply(torch.ones(2, requires_grad=True)).grad_fn | Own.apply | Own.forward
Color.__members__ | Some().__eq__ | object.__eq__ | staticmethod(len) | classmethod(len)
filter(None, [1]) | torch.Size([2]) | torch.device('cpu') | torch.no_grad()(lambda: 1) | sum | torch
"""

PRELUDE = """\
from dataclasses import dataclass, field, fields
from enum import Enum
from functools import cached_property
from contextlib import contextmanager

class Some:
    'An object with methods of all kinds.'
    value = 2
    def __init__(self, v=1): self.v = v
    def method(self, *a, **k): return a[0] if a else self
    @property
    def read(self): return self.v
    @staticmethod
    def static(*a): return a
    @classmethod
    def of(cls, *a): return cls()
    @cached_property
    def kept(self): return [1]
    @contextmanager
    def within(self): yield self
    def above(self): return super()

class Every(Some):
    'An object that answers whatever Python asks.'
    def answer(self, *a): return self.v
    def count(self, *a): return 2
    def itself(self, *a): return self
    def __getattr__(self, name): return self.itself
    def __iter__(self): return iter([self.v, 2])
    def __next__(self): raise StopIteration
    def __getitem__(self, k): return [1.5, self.v][k]
    def __hash__(self): return 3
    def __eq__(self, o): return self.v == o
    def __bool__(self): return True
    def __float__(self): return 1.5
    def __enter__(self): return self
    def __exit__(self, *a): return True
    def __repr__(self): return 'every'
    __len__ = __int__ = __index__ = __round__ = __trunc__ = count
    __add__ = __radd__ = __mul__ = __rmul__ = __sub__ = __rsub__ = __truediv__ = answer
    __matmul__ = __rmatmul__ = __pow__ = __rpow__ = __neg__ = __abs__ = __call__ = itself
    __lt__ = __gt__ = __le__ = __ge__ = __contains__ = answer
    __setitem__ = __delitem__ = __reversed__ = itself
    __array__ = __torch_function__ = __array_ufunc__ = __index__ = count

@dataclass(order=True)
class Data:
    x: int = 1
    y: list = field(default_factory=list)

class Color(Enum):
    RED = 1

class Mine(ValueError):
    pass

class Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx, *args):
        ctx.kept = ctx
        return args[0] * 2
    @staticmethod
    def backward(ctx, *grads): return ctx.kept if grads[0] is None else grads[0]

def raised(kind):
    try:
        raise kind('x') from ValueError('y')
    except Exception as error:
        return error
"""

PROGRAMS = """\
def g():
    with torch.no_grad():
        try:
            got = yield 1
        finally:
            yield 2
it = g()
next(it)
it
---
def g():
    yield from (yield from [1, 2])
g
---
try:
    try:
        torch.ones(2) @ torch.ones(3)
    except RuntimeError as err:
        raise KeyError('x') from err
except LookupError as err:
    held = err
held
---
try:
    try:
        raise KeyboardInterrupt
    except BaseException as err:
        raise SystemExit(2) from err
except SystemExit as err:
    held = err
held.add_note('a')
held
---
def g():
    try:
        yield 1
    except BaseException as err:
        yield err
it = g()
next(it)
it.throw(GeneratorExit('x'))
---
import contextlib
@contextlib.contextmanager
def c(*given):
    yield given
[c, c(), contextlib.suppress(ValueError), contextlib.closing((i for i in [1])), c()(len)]
"""
"""Programs that end in a value, between lines of dashes."""

ARGUMENTS = """
 | torch.ones(2, 2) | torch.ones(2, 2), torch.ones(2, 2) | torch.ones(2, 2), 1 | 1 | 2, 1
'a' | [1, 2]
torch.ones(2, 2, requires_grad=True) | lambda *a, **k: a[0] if a else torch.ones(()) | type(int)
type(int), 'A' | type(torch.ones(1).numpy()) | [torch.ones(2), torch.ones(2)]
[1, 2], torch.ones(2)
lambda x: x.sum(), torch.ones(2) | int, [1.5] | torch.float64 | None | torch.ones(2).numpy()
torch.arange(2) | torch.ones(2, 2), torch.arange(2) | type(int), (), {}
Some() | Every() | Every(torch.ones(2)), 1 | torch.ones(2), Every() | Every, Every() | [Every()], 0
Some, Some() | Every(), 'v' | Every(), 'v', 3 | torch.ones(2, 2), [Every(), Every()] | Mine('x')
"""

HIDDEN = [
    "__class__",
    "__dict__",
    "__globals__",
    "__code__",
    "__self__",
    "__func__",
    "__wrapped__",
    "__mro__",
    "__bases__",
    "__subclasses__",
    "__init__",
    "__new__",
    "__reduce__",
    "__reduce_ex__",
    "__array__",
    "__array_interface__",
    "__array_struct__",
    "__buffer__",
    "__call__",
    "__closure__",
    "__module__",
    "__doc__",
    "__traceback__",
    "__cause__",
    "__context__",
    "__getattribute__",
    "_array",
    "_hooks",
    "_make",
    "_replace",
    "_asdict",
    "base",
    "ctypes",
    "data",
    "tofile",
    "dump",
]


def pieces(table: str) -> list[str]:
    """The entries of a table, between bars and line breaks."""
    return [part.strip() for line in table.strip("\n").splitlines() for part in line.split("|")]


class Walk:
    """What was found, and how.

    Attributes:
        strangers: paths to values whose type is not registered.
        followed: labels of the types that were followed.
    """

    def __init__(self) -> None:
        self.machine = Machine(write=lambda text: None, max_steps=10**6)
        self.machine.globals["import_"] = self.machine.namespace.module
        self.machine.run(compile_text(PRELUDE))
        self.strangers: dict[str, str] = {}
        self.codes = [
            (text, compile_text(f"({text},)" if text else "()")) for text in pieces(ARGUMENTS)
        ]
        self.followed: set[tuple[type, str]] = set()

    def value(self, text: str) -> Any:
        """What an expression gives."""
        return self.machine.run(compile_text(text))

    def arguments(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Arguments of calls, fresh every time."""
        for text, code in self.codes:
            yield text, self.machine.run(code)

    def go(self, depth: int) -> None:
        """Follows everything that has a name, and the values of the table."""
        found = [(text, self.value(text)) for text in pieces(VALUES)]
        found += [(text, self.value(text)) for text in PROGRAMS.split("---\n")]
        namespace = self.machine.namespace
        for name in sorted(set(namespace.candidates())):
            found.append((name, self.value(name)))
        for module in namespace.modules:
            for name in sorted(set(namespace.members(module))):
                found += self.attempt(
                    f"{module}.{name}", attribute, namespace.modules[module], name
                )
        found += [(".".join(key), value) for key, value in namespace.found.items()]
        for _ in range(depth):
            following: list[tuple[str, Any]] = []
            for path, value in found:
                following += self.step(path, value)
            found = following

    def step(self, path: str, value: Any) -> list[tuple[str, Any]]:
        """Looks at a value; what lies one step further, where its type is new."""
        if not self.known(path, value):
            return []
        key = (type(value), label_of(value))
        if key in self.followed and not callable(value):
            return []
        found = list(self.calls(path, value))
        if key not in self.followed:
            self.followed.add(key)
            found += self.inside(path, value)
        return [(where, what) for where, what in found if self.known(where, what)]

    def inside(self, path: str, value: Any) -> Iterator[tuple[str, Any]]:
        """Attributes, what their calls give, and items."""
        for name in names(value):
            for where, member in self.attempt(f"{path}.{name}", attribute, value, name):
                yield where, member
                if self.known(where, member):
                    yield from self.calls(where, member)
        for k in (0, 1, "a", slice(0, 1), ...):
            yield from self.attempt(f"{path}[{k!r}]", lambda k=k: value[k])
        if hasattr(type(value), "__iter__") and not isinstance(value, Module):
            yield from self.attempt(f"list({path})", lambda: list(islice(iter(value), 3)))

    def calls(self, path: str, value: Any) -> Iterator[tuple[str, Any]]:
        """What calling a value gives."""
        if not callable(value):
            return
        for text, arguments in self.arguments():
            yield from self.attempt(f"{path}({text})", self.machine.call, value, *arguments)

    def attempt(self, path: str, function: Any, *arguments: Any) -> list[tuple[str, Any]]:
        """What a call gives, or what its error holds."""
        try:
            found = function(*arguments)
        except Exception as error:
            return [(f"error of {path}", item) for item in error.args]
        finally:
            dtypes.default.dtype = dtypes.float32
            dtypes._RESULT_TYPES.clear()
            mode.enabled, mode.inference = True, False
            start_afresh()
        return [(path, found)]

    def known(self, path: str, value: Any) -> bool:
        """Whether the type of a value, and those of its items, are registered."""
        waiting = [value]
        while waiting:
            item = waiting.pop()
            kind = type(item)
            if kind is Carrier or (kind not in REGISTRY and not isinstance(item, BaseException)):
                self.strangers.setdefault(f"{kind.__module__}.{kind.__qualname__}", path)
                return False
            if isinstance(item, (list, tuple, set, frozenset)):
                waiting += islice(item, 20)
            elif isinstance(item, dict):
                waiting += [*islice(item.keys(), 20), *islice(item.values(), 20)]
        return True


def names(value: Any) -> list[str]:
    """Names to ask for: what Python finds, what the language lists, and what is hidden."""
    entry = REGISTRY[type(value)]
    found = {*dir(value), *entry.reads, *entry.guards, *HIDDEN}
    if isinstance(value, Tensor):
        from gradcli.table import registry

        found.update(registry.method_names())
    if isinstance(value, Numbers):
        found.update(METHODS, ATTRIBUTES.split())
    return sorted(found)


def strangers(depth: int) -> dict[str, str]:
    """Types that are not registered, each with a way to reach it."""
    walk = Walk()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        walk.go(depth)
    return walk.strangers


if __name__ == "__main__":
    reached = strangers(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    for kind, path in reached.items():
        print(f"{kind}: {path}")
    raise SystemExit(bool(reached))
