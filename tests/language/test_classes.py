"""Classes of programs: as Python has them, within the limits of the language."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest

import gradcli.wiring  # noqa: F401 - methods of tensors
from gradcli.batch.worker import reply
from gradcli.language import LimitError, Machine, compile_text, diagnose
from gradcli.language.running.descriptors import ClassMethod, GetSet
from gradcli.language.running.methods import Builtin
from gradcli.language.running.objects import Instance, ProgramClass, native, read, write
from tests.language.class_programs import by_machine, by_python, different


def test_drawn_programs_print_what_python_prints() -> None:
    wrong = different(range(120))
    assert len(wrong) <= 1, "\n".join(
        f"{seed}: {theirs} / {ours}" for seed, _, theirs, ours in wrong
    )


PROGRAMS = {
    "closures over a class": """
def outer(k):
    class Inner:
        held = k
        def get(self): return k, self.held, __class__.__name__
        def total(self): return sum(self.held for _ in range(3)), [__class__ for _ in range(1)]
    return Inner
print(outer(2)().get(), outer(3)().total(), outer(2))
""",
    "a body sees its names, functions in it do not": """
x = 'global'
class A:
    x = 'own'
    y = x + '!'
    z = [x for _ in range(1)]
    def get(self): return x
print(A.y, A.z, A().get())
""",
    "a body takes names of the program": """
x = 1
class A:
    x = x + 1
    for i in range(3):
        x += i
    del i
print(A.x, x, hasattr(A, 'i'))
""",
    "super in all forms": """
class A:
    def __init__(self, v): self.v = v
    def f(self): return ['A']
    @classmethod
    def make(cls): return cls(1)
    @property
    def p(self): return self.v
class B(A):
    def f(self): return ['B'] + super().f()
    @property
    def p(self): return super().p + 1
class C(A):
    def f(self): return ['C'] + super(C, self).f()
    @classmethod
    def make(cls): return super().make(), cls.__name__
class D(B, C):
    def f(self): return ['D'] + super().f()
d = D(3)
print(d.f(), d.p, [c.__name__ for c in D.__mro__], type(D.make()[0]).__name__, D.make()[1])
""",
    "private names": """
class A:
    __held = 1
    def __init__(self): self.__own = 2
    def get(self): return self.__held, self.__own, __class__.__held
class B(A):
    def other(self):
        try: return self.__own
        except AttributeError as error: return str(error)
print(A().get(), B().other(), sorted(vars(A())))
""",
    "descriptors": """
class Positive:
    def __set_name__(self, owner, name): self.name = '_' + name
    def __get__(self, instance, owner):
        return self if instance is None else vars(instance)[self.name]
    def __set__(self, instance, value):
        if value < 0: raise ValueError(f'{self.name} must not be negative')
        vars(instance)[self.name] = value
class A:
    x = Positive()
    def __init__(self, x): self.x = x
a = A(3)
print(a.x, vars(a), type(A.x).__name__)
try: a.x = -1
except ValueError as error: print(error)
""",
    "decorators of methods and classes": """
def twice(f):
    def call(*a, **k): return f(*a, **k), f(*a, **k)
    return call
def named(cls):
    cls.label = cls.__name__.lower()
    return cls
@named
class A:
    @twice
    def f(self, x): return x
    @staticmethod
    @twice
    def g(x): return x
print(A().f(1), A.g(2), A.label)
""",
    "objects in the hands of Python's own functions": """
class V:
    def __init__(self, x): self.x = x
    def __eq__(self, o): return isinstance(o, V) and self.x == o.x
    def __hash__(self): return hash(self.x)
    def __lt__(self, o): return self.x < o.x
    def __repr__(self): return f'V{self.x}'
    def __add__(self, o): return V(self.x + (o.x if isinstance(o, V) else o))
    __radd__ = __add__
    def __iter__(self): yield from range(self.x)
    def __index__(self): return self.x
values = [V(3), V(1), V(2)]
print(sorted(values), max(values), sum(values), {V(1): 'a'}[V(1)], V(2) in values)
print(set(values) == {V(1), V(2), V(3)}, [10, 20, 30, 40][V(2)], list(zip(*values)))
print(values.index(V(2)), dict([V(2)]))
print('%s' % V(1), '{0.x:>3}|{0!r}'.format(V(1)), f'{values}', str((V(1),)))
print(range(V(3)), 'ab' * V(2))
a, *b = V(3)
print(a, b, [*V(2), *V(3)], sorted(values, key=lambda v: -v.x), min(values, key=V.__index__))
""",
    "dataclasses": """
from dataclasses import dataclass, field, asdict, astuple, replace, fields, KW_ONLY
@dataclass
class A:
    x: int
    y: list = field(default_factory=list, repr=False)
    total = 7
    z: float = field(default=1.5, compare=False)
    def __post_init__(self): self.w = self.x * 2
@dataclass(order=True, frozen=True)
class B:
    x: int
    _: KW_ONLY
    y: int = 2
@dataclass
class C(A):
    v: str = 'v'
a = A(1)
print(a, a.y is A(1).y, a == A(1, z=3), a.w, asdict(a), replace(a, x=5))
print([f.name for f in fields(C)])
print(C(1), B(1) < B(2), B(1, y=3), hash(B(1)) == hash(B(1)), astuple(B(1)), A.__doc__, A.total)
try: B(1).x = 3
except Exception as error: print(type(error).__name__, error)
""",
    "enumerations": """
from enum import Enum, auto
class Color(Enum):
    RED = 1
    GREEN = auto()
    CRIMSON = 1
    def low(self): return self.name.lower()
print(Color.RED, repr(Color.GREEN), Color(2), Color['RED'], list(Color), Color.GREEN.low(), Color)
print(Color.CRIMSON is Color.RED, Color.RED in Color, len(Color), {Color.RED: 1}, Color.RED == 1)
try: Color(5)
except ValueError as error: print(error)
""",
    "contexts": """
class Opened:
    def __enter__(self): print('in'); return self
    def __exit__(self, kind, error, trace):
        print('out', kind and kind.__name__, error)
        return kind is ValueError
with Opened() as a, Opened(): raise ValueError('swallowed')
try:
    with Opened(): [].x
except AttributeError as error: print(error)
""",
    "its own exceptions": """
class Base(Exception): pass
class Low(Base, ValueError):
    def __init__(self, value):
        super().__init__(f'low: {value}')
        self.value = value
for kind in (Low, Base, ValueError, Exception):
    try: raise Low(3)
    except kind as error: print(error, error.args, repr(error), error.value)
try:
    try: 1 / 0
    except ZeroDivisionError as error: raise Low(1) from error
except Base as error: print(repr(error.__cause__), error.__context__ is error.__cause__)
""",
    "copies": """
import copy, enum
from functools import partial
class Node:
    def __init__(self, v): self.v, self.kids = v, []
    def __deepcopy__(self, memo):
        print('deep')
        new = Node.__new__(Node)
        memo[id(self)] = new
        new.v, new.kids = copy.deepcopy(self.v, memo), copy.deepcopy(self.kids, memo)
        return new
a = Node([1]); a.kids.append(a)
b = copy.deepcopy(a)
print(b.kids[0] is b, b.v, b.v is a.v)
class Own:
    def __copy__(self): return 'copied'
class Kind(enum.Enum):
    A = 1
print(copy.copy(Own()), copy.deepcopy([Kind.A])[0] is Kind.A, copy.copy(Kind.A) is Kind.A)
class Bad(ValueError):
    def __init__(self, a):
        super().__init__(a)
        self.a = a
e = Bad([1])
f, g = copy.deepcopy(e), copy.copy(e)
print(repr(f), f.a, f.a is e.a, f.args[0] is f.a, g.a is e.a)
class Slots:
    __slots__ = ('x',)
s = Slots(); s.x = [1]
t, u = copy.deepcopy(s), copy.copy(s)
print(t.x, t.x is s.x, u.x is s.x)
p = partial(print, [1]); q = copy.deepcopy(p)
print(q.args, q.args[0] is p.args[0], copy.copy(p).args[0] is p.args[0])
class Plain: pass
o = Plain(); o.me = o; o.bound = [o].append
c = copy.copy(o)
print(c.me is o, c is o, c.__dict__.keys() == o.__dict__.keys())
""",
    "an order that follows from one comparison": """
from functools import total_ordering
def made(name):
    def compare(self, other):
        if not isinstance(other, type(self)): return NotImplemented
        return eval_of(name, self.v, other.v)
    return compare
def eval_of(name, a, b):
    return {'__lt__': a < b, '__le__': a <= b, '__gt__': a > b, '__ge__': a >= b}[name]
for name in ('__lt__', '__le__', '__gt__', '__ge__'):
    class V:
        def __init__(self, v): self.v = v
        def __eq__(self, other): return self.v == other.v
        def __repr__(self): return f'V({self.v})'
    setattr(V, name, made(name))
    V = total_ordering(V)
    one, two = V(1), V(2)
    pairs = [(a, b) for a in (one, two) for b in (one, two)]
    print([a < b for a, b in pairs], [a <= b for a, b in pairs])
    print([a > b for a, b in pairs], [a >= b for a, b in pairs])
    print(sorted([two, one]), max(one, two), V.__ge__(one, 3), V.__le__(one, 3))
class N: pass
try: total_ordering(N)
except ValueError as e: print(e)
""",
    "objects that only have items": """
class Row:
    def __len__(self): return 3
    def __getitem__(self, k):
        if k >= 3: raise IndexError
        return k * 1.5
r = Row()
print(list(r), {*r}, sorted(r, reverse=True), [*r], tuple(r), max(r), list(map(int, r)), sum(r))
print(list(reversed(r)), 3.0 in r, type(iter(r)).__name__, type(reversed(r)).__name__)
a, b, c = r
def f(*values): return values
print(a, b, c, f(*r), list(zip(r, 'abc')), list(enumerate(r)))
class Short:
    def __len__(self): return 4
    def __getitem__(self, k):
        if k == 2: raise IndexError
        return k
print(list(reversed(Short())))
""",
    "a named tuple knows its type": """
from collections import namedtuple
Batch = namedtuple('Batch', ['x', 'y'], defaults=[None])
b = Batch(1)
print(type(b), type(b) is Batch, type(b).__name__, b._fields, Batch._make([1, 2]))
print(isinstance(b, Batch), isinstance(b, tuple), issubclass(Batch, tuple))
print(isinstance((1, 2), Batch), Batch, [Batch].index(type(b)))
for wrong in ([1], [1, 2, 3]):
    try: Batch._make(wrong)
    except TypeError as e: print(e)
""",
    "classes that are told, in their order": """
class Base: pass
class Zebra(Base): pass
class Ape(Base): pass
class Foal(Zebra): pass
print(Base.__subclasses__(), Zebra.__subclasses__(), Foal.__subclasses__())
Base.x = 3
print(Foal.x, Ape().x)
""",
    "a class that is told of those derived from it": """
known = []
class Base:
    def __init_subclass__(cls, tag='none', **named):
        super().__init_subclass__(**named)
        known.append((cls.__name__, tag))
class A(Base): pass
class B(A, tag='b'): pass
print(known, Base.__subclasses__())
""",
}


@pytest.mark.parametrize("text", PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_prints_what_python_prints(text: str) -> None:
    theirs = by_python(text)
    assert not re.match(r"\w+Error: ", theirs.splitlines()[-1])
    assert by_machine(text) == theirs


def printed(text: str, **options: Any) -> str:
    """What a program prints."""
    shown: list[str] = []
    Machine(write=shown.append, **options).run(compile_text(text, "program"))
    return "".join(shown)


SOME = """\
class A:
    def __init__(self, v): self.v = v
    def f(self, x, y=2): return x
    @property
    def p(self): return 1
"""


ERRORS = """\
A(1).x | AttributeError: 'A' object has no attribute 'x'
A.x | AttributeError: type object 'A' has no attribute 'x'
A() | TypeError: A.__init__() missing 1 required positional argument: 'v'
A(1).f() | TypeError: A.f() missing 1 required positional argument: 'x'
A(1).f(1, 2, 3) | TypeError: A.f() takes from 2 to 3 positional arguments but 4 were given
A(1).f(1, z=2) | TypeError: A.f() got an unexpected keyword argument 'z'
A(1).p = 2 | AttributeError: property 'p' of 'A' object has no setter
A(1) + 1 | TypeError: unsupported operand type(s) for +: 'A' and 'int'
2 ** A(1) | TypeError: unsupported operand type(s) for ** or pow(): 'int' and 'A'
torch.ones(2) * A(1) | TypeError: unsupported operand type(s) for *: 'Tensor' and 'A'
sorted([A(1), A(2)]) | TypeError: '<' not supported between instances of 'A' and 'A'
len(A(1)) | TypeError: object of type 'A' has no len()
for x in A(1): pass | TypeError: 'A' object is not iterable
A(1)[0] | TypeError: 'A' object is not subscriptable
A(1)() | TypeError: 'A' object is not callable
torch.sin(A(1)) | TypeError: sin(): argument 'input' (position 1) must be Tensor, not A
class B(A, A): pass | TypeError: duplicate base class A
class B(complex): pass | TypeError: deriving a class from 'complex' is not part of the language
class B(metaclass=A): pass | TypeError: a metaclass is not part of the language
object.x = 1 | TypeError: cannot set 'x' attribute of immutable type 'object'
super() | RuntimeError: super(): no arguments
"""


@pytest.mark.parametrize("row", ERRORS.splitlines())
def test_an_error_is_pythons_and_has_its_line(row: str) -> None:
    line, _, message = row.partition(" | ")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the type is looked at below
        Machine().run(compile_text(SOME + line, "program"))
    shown = diagnose(caught.value)
    assert (f"{shown.type}: {shown.message}", shown.line) == (message, 6)


KINDS = """\
from dataclasses import dataclass
from enum import Enum
class A: pass
class E(Enum): ONE = 1
class Mine(ValueError): pass
@dataclass
class D: x: int = 1
class B: f = Mine.__str__
"""


MISTAKEN = """\
object.__getattribute__(1, 'real') | descriptor '__getattribute__' requires a 'object' object but \
received a 'int'
object.__setattr__(math, 'pi', 3) | descriptor '__setattr__' requires a 'object' object but \
received a 'module'
E.__str__(Mine('x')) | descriptor '__str__' requires a 'Enum' object but received a 'Mine'
Mine.__init__(E.ONE) | descriptor '__init__' requires a 'BaseException' object but received a 'E'
B().f() | descriptor '__str__' requires a 'BaseException' object but received a 'B'
A.mro.__func__(5) | descriptor 'mro' for 'type' objects doesn't apply to a 'int' object
D.__repr__(5) | a method of a dataclass takes its object, not 'int'
object.__new__(Mine) | object.__new__(Mine) is not safe, use BaseException.__new__()
object.__new__(E) | object.__new__(E) is not safe, use Enum.__new__()
Mine.__new__(A) | BaseException.__new__(X): X is not a subtype of BaseException
A.__mro__ = () | attribute '__mro__' of 'type' objects is not writable
"""


@pytest.mark.parametrize("row", MISTAKEN.splitlines())
def test_methods_of_ours_take_objects_of_their_class(row: str) -> None:
    line, _, message = row.partition(" | ")
    with pytest.raises((TypeError, AttributeError)) as caught:
        Machine().run(compile_text(KINDS + line, "program"))
    assert diagnose(caught.value).message == message


def test_members_are_found_by_their_value() -> None:
    assert printed(KINDS + "print(E.__new__(E, 1), Enum.__new__(E, 1) is E.ONE)") == "E.ONE True\n"


def test_objects_hold_parameters_and_train() -> None:
    text = """
class Linear:
    def __init__(self, n):
        self.weight = torch.zeros(n, requires_grad=True)
        self.bias = torch.zeros(1, requires_grad=True)
    def parameters(self): return [self.weight, self.bias]
    def __call__(self, x): return x @ self.weight + self.bias
model = Linear(2)
x, y = torch.tensor([[1., 2.], [3., 4.], [5., 7.]]), torch.tensor([1., 2., 4.])
for _ in range(2):
    loss = ((model(x) - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        for p in model.parameters():
            p -= 0.01 * p.grad
            p.grad = None
print(model.weight, model.bias)
"""
    torch = pytest.importorskip("torch")
    assert printed(text) == by_python(text.replace("torch.", "__import__('torch').")), torch


def test_an_operator_of_a_programs_own_has_its_backward_pass() -> None:
    text = """
class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k=2.0, *, sign=1):
        ctx.save_for_backward(x)
        ctx.k = k
        return x * k
    @staticmethod
    def backward(ctx, g):
        print(ctx.needs_input_grad, type(ctx).__name__, ctx.saved_tensors)
        return g * ctx.k, None
x = torch.tensor([1., 2.], requires_grad=True)
y = Scale.apply(x, 3.0)
print(y)
y.sum().backward()
print(x.grad, Scale, issubclass(Scale, torch.autograd.Function))
class Short(Scale):
    @staticmethod
    def backward(ctx, g): return g
try: Short.apply(x, 1.0).sum().backward()
except RuntimeError as error: print(error)
class Empty(torch.autograd.Function): pass
try: Empty.apply(x)
except NotImplementedError as error: print(error)
"""
    assert printed(text).splitlines() == [
        "tensor([3., 6.], grad_fn=<ScaleBackward>)",
        "(True, False) ScaleBackward (tensor([1., 2.], requires_grad=True),)",
        "tensor([3., 3.]) <class '__main__.Scale'> True",
        "function ShortBackward returned an incorrect number of gradients (expected 2, got 1)",
        "You must implement the forward function for custom autograd.Function.",
    ]


ENDLESS = {
    "an operator": "class A:\n    def __add__(self, o):\n        while True: pass\nA() + 1",
    "a comparison in sorted": (
        "class A:\n    def __lt__(self, o):\n        while True: pass\nsorted([A(), A()])"
    ),
    "a hash": "class A:\n    def __hash__(self):\n        while True: pass\n{A(): 1}",
    "iterating": (
        "class A:\n    def __iter__(self): return self\n    def __next__(self): return 1\nlist(A())"
    ),
    "what handles errors": (
        "class A:\n    def __repr__(self):\n        while True:\n            try: 1 / 0\n"
        "            except Exception: pass\nprint(A())"
    ),
    "a property": (
        "class A:\n    @property\n    def p(self):\n        while True: pass\nhasattr(A(), 'p')"
    ),
    "comparing what doubles": (
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: object\n    y: object\n"
        "a = b = 1\nfor _ in range(60):\n    a, b = A(a, a), A(b, b)\na == b"
    ),
    "showing what doubles": (
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: object\n    y: object\n"
        "a = 1\nfor _ in range(60):\n    a = A(a, a)\nrepr(a)"
    ),
}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_steps_are_counted_inside_methods(text: str) -> None:
    with pytest.raises((LimitError, OverflowError)):
        Machine(max_steps=20_000).run(compile_text(text))


def test_the_clock_is_looked_at_inside_methods() -> None:
    with pytest.raises(LimitError):
        Machine(timeout=0.2).run(compile_text(ENDLESS["a hash"]))


def test_an_interrupt_ends_a_method() -> None:
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            Machine().run(compile_text(ENDLESS["a comparison in sorted"]))
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "body",
    [
        "def f(self): return self.f()\nA().f()",
        "def __repr__(self): return repr(self)\nrepr(A())",
        "def __eq__(self, o): return self == o\nA() == A()",
        "def __hash__(self): return hash(self)\n{A()}",
        "def __getattr__(self, name): return self.other\nA().x",
        "def __init__(self): A()\nA()",
        "def __add__(self, o): return self + o\nA() + 1",
        "def __call__(self): return self()\nA()()",
        "def __iter__(self): return iter(self)\nlist(A())",
        "def __bool__(self): return not self\nnot A()",
    ],
)
def test_recursion_ends_in_its_error(body: str) -> None:
    first, last = body.split("\n")
    with pytest.raises(RecursionError, match="maximum recursion depth exceeded"):
        Machine().run(compile_text(f"class A:\n    {first}\n{last}"))


def test_methods_call_each_other_as_deep_as_in_python() -> None:
    text = "class A:\n    def f(self, n): return n and 1 + self.f(n - 1)\nprint(A().f(900))"
    assert printed(text) == "900\n"


def test_no_class_of_python_is_made_of_a_text() -> None:
    text = "class A:\n    __slots__ = ('x',)\nclass B(A, ValueError): pass\n(A(), B(), A, B)"
    one, two, first, second = Machine().run(compile_text(text))
    assert type(one) is type(two) is Instance
    assert type(first) is type(second) is ProgramClass
    assert not Instance.__subclasses__()


@pytest.mark.parametrize(
    "name",
    ["_class", "_values", "_native", "__reduce_ex__", "__slots__", "__weakref__", "__func__"],
)
def test_what_the_machine_keeps_of_an_object_is_closed(name: str) -> None:
    for of in ("A()", "A"):
        with pytest.raises(AttributeError):
            Machine().run(compile_text(f"class A: pass\n{of}.{name}"))
    made = Machine().run(compile_text(f"class A: pass\na = A()\na.{name} = 3\na"))
    assert made._values == {name: 3}  # a name as any other


def test_no_address_is_shown() -> None:
    text = """
class A:
    def f(self): return super().__repr__()
a = A()
print(a, [a], f'{a!r}', a.f(), a.f, A.f, object.__repr__(a), str(a.__str__()), '%s' % a, {a: 1})
print(hash(a), hash((a,)), a.__hash__(), object.__hash__(a))
"""
    shown: list[str] = []
    machine = Machine(write=shown.append)
    machine.run(compile_text(text))
    address = id(machine.globals["a"])
    for number in re.findall(r"0x[0-9a-f]+|\d{6,}", "".join(shown)):
        assert int(number, 0) not in (address, address >> 4)


def test_a_class_of_ours_is_a_row_of_methods() -> None:
    seen = []

    def keep(self: Instance, name: str, value: Any) -> None:
        self._native.append(name)
        write(self, name, value)

    def initialise(self: Instance) -> None:
        self._native = []

    base = native(
        "Module",
        {
            "__init__": initialise,
            "__setattr__": keep,
            "__call__": lambda self, *given: read(self, "forward")(*given),
            "__init_subclass__": ClassMethod(Builtin(seen.append, "__init_subclass__", "Module")),
            "kept": GetSet("kept", lambda self: list(self._native)),
        },
        module="torch.nn",
    )
    text = """
class Net(Module):
    def __init__(self, k):
        super().__init__()
        self.k = k
    def forward(self, x): return x * self.k
net = Net(3)
print(net(4), net.kept, isinstance(net, Module), Module)
"""
    shown: list[str] = []
    Machine({"Module": base}, shown.append).run(compile_text(text))
    assert shown == ["12 ['k'] True <class 'torch.nn.Module'>\n"]
    assert [each.__name__ for each in seen] == ["Net"]


UNWRITABLE = {
    "an error's own": "class A(Exception):\n    def __str__(self): raise A()\nraise A()",
    "an argument's": (
        "class A:\n    def __str__(self): raise ValueError(self)\n"
        "    __repr__ = __str__\nraise ValueError(A())"
    ),
    "a key's": "class A:\n    def __repr__(self): raise KeyError(self)\nraise KeyError(A())",
}


@pytest.mark.parametrize("text", UNWRITABLE.values(), ids=UNWRITABLE)
def test_a_message_that_cannot_be_written_is_why(text: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its words are looked at below
        Machine().run(compile_text(text, "program"))
    shown = diagnose(caught.value)
    assert shown.message == f"its message cannot be written: {shown.type}"
    assert shown.line == len(text.splitlines())


def test_an_unwritable_message_shows_no_address() -> None:
    text = "class A:\n    def __str__(self): raise KeyError(self)\n"
    text += "a = A()\nprint(repr(a))\nassert 0, a"
    shown: list[str] = []
    with pytest.raises(AssertionError) as caught:
        Machine(write=shown.append).run(compile_text(text, "program"))
    assert diagnose(caught.value).message.endswith(f"KeyError: {shown[0].strip()}")


@pytest.mark.parametrize("answer", ["raise KeyError(self)", "return [A(), 3]", "return 1 / 0"])
def test_a_suggestion_runs_nothing_of_the_program(answer: str) -> None:
    text = f"class A:\n    near = 1\n    def __dir__(self): {answer}\nA().neat"
    with pytest.raises(AttributeError) as caught:
        Machine().run(compile_text(text, "program"))
    shown = diagnose(caught.value)
    assert shown.message == "'A' object has no attribute 'neat'"
    assert shown.hint == "did you mean 'near'?"


def test_dir_asks_the_class() -> None:
    assert printed("class A:\n    def __dir__(self): return ['b', 'a']\nprint(dir(A()))") == (
        "['a', 'b']\n"
    )


@pytest.mark.parametrize("base", ["object", "enum.Enum", "torch.autograd.Function"])
def test_no_record_sees_the_classes_of_another(base: str) -> None:
    make = f"import enum\nclass A({base}):\n    def f(self): pass\nA.me = A"
    ask = f"import enum\nprint({base}.__subclasses__())"
    records = [json.dumps({"program": text}).encode() for text in (make, ask)]
    answers = [reply(record, 1) for record in records]
    assert json.loads(answers[1].text)["stdout"] == "[]\n"  # type: ignore[union-attr]


def test_what_only_has_items_is_no_way_to_giants() -> None:
    text = """
class Row:
    def __len__(self): return 10**12
    def __getitem__(self, k): return k
"""
    for call in ("list(Row())", "tuple(Row())", "sorted(Row())"):
        with pytest.raises(OverflowError, match=r"a (list|tuple) of 1000000000000 elements"):
            Machine().run(compile_text(text + call, "program"))


def test_the_class_of_contexts_is_known() -> None:
    text = """
from torch.autograd.function import FunctionCtx
class A(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x):
        print(isinstance(ctx, FunctionCtx), isinstance(x, FunctionCtx), FunctionCtx)
        return x * 1
y = A.apply(torch.ones(1, requires_grad=True))
print(type(y.grad_fn))
"""
    assert printed(text) == (
        "True False <class 'torch.autograd.function.FunctionCtx'>\n"
        "<class 'torch.autograd.function.ABackward'>\n"
    )


@pytest.mark.parametrize("name", ["enum.IntFlag", "torch.nn.Conv2d"])
def test_a_base_that_is_left_out_is_named(name: str) -> None:
    with pytest.raises((ImportError, AttributeError), match=re.escape(name.rpartition(".")[2])):
        Machine().run(compile_text(f"import enum\nclass A({name}): pass", "program"))


SETUP = """
import copy, functools, torch
class Whole:
    def __init__(self, v): self.v = v
    def __index__(self): return self.v
class Reflected:
    def __eq__(self, other): return 'eq'
    def __ne__(self, other): return 'ne'
    def __rpow__(self, other): return 'rpow'
    def __lt__(self, other): return 'lt'
class Plain: pass
class Row:
    def __init__(self, n): self.n = n
    def __len__(self): return self.n
    def __getitem__(self, k):
        if k >= self.n: raise IndexError(k)
        return float(k)
x = torch.arange(6.).reshape(2, 3)
def attempt(f):
    try: print(f())
    except Exception as e: print(type(e).__name__ + ":", e)
"""
OBJECTS = {
    "as positions": """
print(x[Whole(1)], x[0, Whole(2)], x[Whole(-1), 1:], x[:, Whole(0)])
attempt(lambda: x[Whole(7)]); attempt(lambda: x[Whole(10**30)]); attempt(lambda: x[Plain()])
x[Whole(0)] = 5.0; print(x)
""",
    "compared": """
print(x[0] == Reflected(), x[0] != Reflected(), Reflected() == x, x ** Reflected(), x > Reflected())
print(x[0] == Plain(), x[0] != Plain(), x[0] == 'a', x[0] != None)
""",
    "as data": """
print(torch.tensor(Row(3)), torch.Tensor(Row(2)))
print(torch.tensor([Row(2), Row(2)]), torch.as_tensor(Row(1)))
attempt(lambda: torch.tensor(Plain()))
attempt(lambda: torch.tensor([Whole(1), 2]))
attempt(lambda: torch.tensor(Whole(1)))
""",
    "methods that are wrapped": """
w = torch.ones(2, requires_grad=True)
class Model:
    act = torch.tanh
    @torch.no_grad()
    def frozen(self, x): return (x * w).requires_grad
    @torch.enable_grad()
    def thawed(self, x): return (x * w).requires_grad
    @torch.inference_mode()
    def inferred(self): return torch.is_inference_mode_enabled()
    @staticmethod
    @torch.no_grad()
    def alone(x): return x * 2
    @classmethod
    @torch.no_grad()
    def of(cls): return cls.__name__
    @functools.lru_cache(maxsize=None)
    def cached(self, k): print('once'); return k * 2
m = Model()
print(m.frozen(w), m.inferred(), m.alone(w), m.of(), m.act(torch.zeros(1)))
print(m.cached(2), m.cached(2))
with torch.no_grad(): print(m.thawed(w))
print(Model.frozen.__name__, type(Model.frozen).__name__, type(m.frozen).__name__)
""",
    "copies": """
class Net:
    def __init__(self):
        self.w = torch.ones(2, requires_grad=True)
        self.me = self
        self.again = self.run
    def run(self): return self.w * 2
n = Net()
m = copy.deepcopy(n)
with torch.no_grad(): m.w += 1
print(n.w, m.w, m.me is m, m.again.__self__ is m, m.run(), copy.copy(n).w is n.w)
n.out = n.run()
attempt(lambda: copy.deepcopy(n))
""",
}
"""What PyTorch does with objects of a program's classes."""


@pytest.mark.parametrize("text", OBJECTS.values(), ids=OBJECTS)
def test_objects_in_the_hands_of_the_engine(text: str) -> None:
    pytest.importorskip("torch")
    assert printed(SETUP + text) == by_python(SETUP + text)


def test_a_class_to_derive_from_has_its_names_before_any_class_is_written() -> None:
    text = "print(torch.autograd.Function.__subclasses__(), torch.autograd.Function)"
    command = [sys.executable, "-m", "gradcli", "run", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    assert done.stdout == "[] <class 'torch.autograd.function.Function'>\n"
