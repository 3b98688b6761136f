"""Random programs with classes, and what CPython and the language's machine print for them.

    python -m tests.language.class_programs 5000 [SEED]

Every program defines some classes, with bases, methods and operators, and uses their objects; many
end in an error, whose words are compared, too.
"""

from __future__ import annotations

import contextlib
import io
import random
import re
import sys
import warnings
from collections import Counter
from collections.abc import Callable

from gradcli.language import Machine, compile_text
from gradcli.language.allowed.exceptions import told
from gradcli.tensor.public import word_of

ADDRESS = re.compile(r"0x[0-9a-f]+")
SYMBOLS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "matmul": "@",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "and": "&",
    "or": "|",
    "xor": "^",
    "lshift": "<<",
    "rshift": ">>",
}
COMPARED = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
PREAMBLE = "from dataclasses import dataclass, field\nfrom abc import ABC, abstractmethod\n"
ERRORS = """\
class E0(ValueError):
    def __init__(self, text='none', code=3):
        super().__init__(text)
        self.code = code
class E1(E0, KeyError):
    def __str__(self): return f'E1 {self.args}'
"""


class Writer:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.classes: list[str] = []
        self.fields: dict[str, int] = {}
        """Names of dataclasses, each with the number of its fields."""
        self.objects: list[str] = []

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def program(self) -> str:
        self.lines.append(PREAMBLE + ERRORS)
        for name in "ABCDE"[: self.random.randint(1, 5)]:
            if self.chance(0.2):
                self.dataclass(name)
            else:
                self.define(name)
        for number in range(self.random.randint(1, 4)):
            name = f"o{number}"
            self.lines.append(f"{name} = {self.make()}")
            self.objects.append(name)
        for _ in range(self.random.randint(2, 9)):
            before = len(self.lines)
            self.statement()
            if self.chance(0.35):
                self.handle(before)
        return "\n".join(self.lines) + "\n"

    def number(self) -> str:
        return self.pick("0", "1", "2", "3", "-1", "2.5", "7")

    def make(self) -> str:
        name = self.random.choice(self.classes)
        if name in self.fields:
            given = [self.number() for _ in range(self.fields[name])]
            if self.chance(0.03):
                given = given[1:]
            return f"{name}({', '.join(given)})"
        if self.chance(0.03):
            return f"{name}({self.number()}, {self.number()}, {self.number()})"
        return f"{name}()" if self.chance(0.3) else f"{name}({self.number()})"

    def operand(self) -> str:
        if self.chance(0.65):
            return self.random.choice(self.objects)
        return self.pick("2", "3", "1.5", "'s'", "[1]", "None", "(1, 2)")

    def dataclass(self, name: str) -> None:
        options = [
            option
            for option in ("order=True", "frozen=True", "eq=False", "repr=False", "kw_only=True")
            if self.chance(0.12)
        ]
        if "order=True" in options and "eq=False" in options:
            options.remove("eq=False")
        plain = "kw_only=True" not in options
        base = self.pick(*self.classes) if self.classes and self.chance(0.25) else ""
        head = f"@dataclass({', '.join(options)})" if options else "@dataclass"
        count = self.random.randint(1, 3)
        lines = [head, f"class {name}({base}):" if base else f"class {name}:"]
        for place in range(count):
            default = ""
            if place == count - 1 and self.chance(0.4):
                default = self.pick(
                    " = 5", " = field(default_factory=list)", " = field(default=2, repr=False)"
                )
            lines.append(f"    f{place}: {self.pick('int', 'float', 'list', 'str')}{default}")
        if self.chance(0.3):
            lines += ["    def __post_init__(self):", "        print('post', self.f0)"]
        if self.chance(0.4):
            lines += ["    def m0(self, k=1):", "        return self.f0, k"]
        lines += ["    @property", "    def v(self):", "        return self.f0"]
        self.lines += lines
        self.classes.append(name)
        inherited = self.fields.get(base, 0)
        if plain and (not base or inherited):
            self.fields[name] = max(count, inherited)
        else:
            self.fields[name] = 0 if not plain else count

    def define(self, name: str) -> None:
        others = [other for other in self.classes if other not in self.fields]
        bases: list[str] = []
        if others and self.chance(0.6):
            bases = self.random.sample(others, min(len(others), self.random.choice([1, 1, 1, 2])))
        elif self.chance(0.1):
            bases = [self.pick("object", "ABC")]
        self.lines.append(f"class {name}({', '.join(bases)}):" if bases else f"class {name}:")
        body: list[str] = []
        if self.chance(0.15):
            body.append(f"'''The class {name}.'''")
        body.append(f"kind = '{name.lower()}'")
        if not bases or self.chance(0.5):
            body += self.initialiser(bases)
        parts: list[Callable[[], list[str]]] = [
            self.method,
            self.method,
            self.method,
            self.binary,
            self.binary,
            self.comparison,
            self.shown,
            self.container,
            self.attributes,
            self.other,
            self.prefix,
        ]
        for _ in range(self.random.randint(1, 7)):
            body += self.random.choice(parts)()
        self.lines += ["    " + line for line in body]
        self.classes.append(name)

    def initialiser(self, bases: list[str]) -> list[str]:
        lines = [f"def __init__(self, v={self.number()}):"]
        if bases and bases[0] not in ("object", "ABC") and self.chance(0.7):
            lines.append("    " + self.pick("super().__init__(v)", "super().__init__()"))
        lines.append("    self.v = v")
        if self.chance(0.4):
            lines.append(f"    self.w = {self.pick('[v, v]', 'v', 'str(v)', 'self.kind')}")
        if self.chance(0.2):
            lines.append("    self.__secret = v")
        return lines

    def method(self) -> list[str]:
        name = self.pick("m0", "m1", "m2")
        shape = self.random.randint(0, 9)
        if shape == 0:
            return ["@staticmethod", f"def {name}(k=2):", "    return k * 2"]
        if shape == 1:
            return [
                "@classmethod",
                f"def {name}(cls, k=2):",
                f"    return {self.pick('cls.__name__, k', 'cls(k)', 'cls.kind', 'k')}",
            ]
        if shape == 2:
            lines = ["@property", f"def {name}(self):", "    return self.v, 'p'"]
            if self.chance(0.5):
                lines += [f"@{name}.setter", f"def {name}(self, k):", "    self.v = k"]
            return lines
        if shape == 3:
            return [
                f"def {name}(self, k=1):",
                f"    return '{self.pick('x', 'y')}', super().{name}()",
            ]
        if shape == 4:
            return [
                f"def {name}(self, a, b=2, *rest, c=3, **more):",
                "    return a, b, rest, c, more",
            ]
        if shape == 5:
            return [
                f"def {name}(self):",
                "    def inner():",
                f"        return {self.pick('self.v', '__class__.__name__', 'super().kind')}",
                "    return inner()",
            ]
        body = self.pick(
            "return self.v",
            "return self.kind, k",
            "self.v = k; return self",
            "return [self.v for _ in range(2)], type(self).__name__",
            "return self.w",
            "return self.__class__.__name__ + str(k)",
            "print('called', k)",
            "return self.__secret",
            "return isinstance(self, A), k",
        )
        return [f"def {name}(self, k=1):", f"    {body}"]

    def binary(self) -> list[str]:
        name = self.pick(*SYMBOLS)
        prefix = self.pick("", "", "r", "i")
        body = self.pick(
            "return self.v, getattr(o, 'v', o)",
            f"return ('{prefix}{name}', self.kind)",
            "return NotImplemented",
            "self.v = o; return self",
            f"return self.v {SYMBOLS[name]} o",
        )
        return [f"def __{prefix}{name}__(self, o):", f"    {body}"]

    def comparison(self) -> list[str]:
        name = self.pick("eq", "eq", *COMPARED)
        body = self.pick(
            f"return self.v {COMPARED[name]} getattr(o, 'v', o)",
            "return NotImplemented",
            f"return '{name}'",
            f"return isinstance(o, A) and self.v {COMPARED[name]} o.v",
        )
        lines = [f"def __{name}__(self, o):", f"    {body}"]
        if name == "eq" and self.chance(0.4):
            lines += ["def __hash__(self):", f"    return {self.pick('hash(self.v)', '7')}"]
        return lines

    def shown(self) -> list[str]:
        name = self.pick("__repr__", "__repr__", "__str__", "__format__")
        if name == "__format__":
            return [f"def {name}(self, spec):", "    return f'<{self.kind}:{spec}>'"]
        body = self.pick(
            "f'{self.kind}({self.v})'", "'text'", "str(self.v)", "f'{type(self)}'", "5"
        )
        return [f"def {name}(self):", f"    return {body}"]

    def container(self) -> list[str]:
        shape = self.random.randint(0, 8)
        if shape == 0:
            return [
                "def __len__(self):",
                f"    return {self.pick('3', '0', '-1', 'self.v', '2.0')}",
            ]
        if shape == 1:
            held = self.pick("['a', 'b', 'c']", "{0: 4, 1: 5}", "'xyz'")
            return ["def __getitem__(self, k):", f"    return {held}[k]"]
        if shape == 2:
            return ["def __setitem__(self, k, x):", "    print('set', k, x)"]
        if shape == 3:
            return ["def __delitem__(self, k):", "    print('del', k)"]
        if shape == 4:
            return ["def __contains__(self, x):", f"    return {self.pick('x == 2', 'x', 'True')}"]
        if shape == 5:
            return [
                "def __iter__(self):",
                f"    return {self.pick('iter([1, 2, 3])', 'self', '3')}",
            ]
        if shape == 6:
            return [
                "def __next__(self):",
                "    self.turn = getattr(self, 'turn', 0) + 1",
                "    return next(iter([self.turn][: 4 - self.turn]))",
            ]
        if shape == 7:
            return ["def __reversed__(self):", "    return iter([9, 8])"]
        return [
            "def __bool__(self):",
            f"    return {self.pick('True', 'False', 'self.v > 1', '1')}",
        ]

    def attributes(self) -> list[str]:
        shape = self.random.randint(0, 4)
        if shape == 0:
            return ["def __getattr__(self, name):", "    return f'no {name}'"]
        if shape == 1:
            return [
                "def __setattr__(self, name, x):",
                "    print('setting', name)",
                "    super().__setattr__(name, x)",
            ]
        if shape == 2:
            return ["def __delattr__(self, name):", "    print('deleting', name)"]
        if shape == 3:
            return [
                "def __init_subclass__(cls, **named):",
                "    super().__init_subclass__(**named)",
                "    print('derived', cls.__name__)",
            ]
        return ["__slots__ = ('v', 'w')"] if self.chance(0.3) else ["items = []"]

    def other(self) -> list[str]:
        shape = self.random.randint(0, 5)
        if shape == 0:
            return ["def __call__(self, *a, **k):", "    return a, k, self.kind"]
        if shape == 1:
            return [
                "def __enter__(self):",
                "    print('in')",
                "    return self.v",
                "def __exit__(self, kind, error, trace):",
                "    print('out', kind)",
            ]
        if shape == 2:
            return ["class Inner:", "    z = 3", "    def get(self): return self.z"]
        if shape == 3:
            return ["@abstractmethod", "def todo(self): pass"]
        if shape == 4:
            return [
                "count = 0",
                "def bump(self):",
                "    type(self).count += 1",
                "    return self.count",
            ]
        return [
            "def __new__(cls, *a, **k):",
            "    made = super().__new__(cls)",
            "    made.tag = cls.__name__",
            "    return made",
        ]

    def prefix(self) -> list[str]:
        name = self.pick("neg", "pos", "invert", "abs", "int", "float", "index", "round", "hash")
        body = self.pick("3", "self.v", "'q'", "1.5")
        more = ", n=0" if name == "round" else ""
        return [f"def __{name}__(self{more}):", f"    return {body}"]

    def handle(self, first: int) -> None:
        """Put the lines from the first one on into a `try`."""
        inside = self.lines[first:]
        kind = self.pick(
            "Exception", "TypeError", "AttributeError", "(ValueError, TypeError)", "E0"
        )
        raised = self.pick("E0('raised')", "E1", "E1(1, 2)", "E0()", "KeyError('k')")
        if self.chance(0.3):
            inside.append(f"raise {raised}{self.pick('', '', ' from ValueError(1)')}")
        self.lines[first:] = [
            "try:",
            *("    " + line for line in inside),
            f"except {kind} as error:",
            "    print(type(error).__name__, error, repr(error), error.args, error.__cause__)",
            *(["else:", "    print('fine')"] if self.chance(0.3) else []),
            *(["finally:", "    print('at last')"] if self.chance(0.3) else []),
        ]

    def statement(self) -> None:
        one, two = self.random.choice(self.objects), self.operand()
        shape = self.random.randint(0, 24)
        if shape < 6:
            symbol = self.pick(*SYMBOLS.values(), *COMPARED.values(), "in", "and", "is")
            left, right = (one, two) if self.chance(0.6) else (two, one)
            self.lines.append(f"print({left} {symbol} {right})")
        elif shape < 11:
            call = self.pick(
                "m0()", "m1()", "m2()", "m0(4)", "m1(4, 5, c=6, d=7)", "m2(k=3)", "m0", "v", "w",
                "kind", "zz", "bump()", "Inner().get()", "__class__.__name__", "__dict__",
                "__doc__", "__secret", "tag", "f0", "__init__(3)", "m0(k=1, k2=2)", "__eq__(3)",
                "__repr__()", "__len__()", "__add__(2)", "__module__",
            )  # fmt: skip
            self.lines.append(f"print({one}.{call})")
        elif shape < 14:
            name = self.random.choice(self.classes)
            member = self.pick(
                "kind", "__name__", "m0", "m1(3)", f"m0({one})", "__mro__", "__doc__", "zz",
                "count", "__bases__", "m2", "mro()", "__qualname__", "__subclasses__()",
            )  # fmt: skip
            self.lines.append(f"print({name}.{member})")
        elif shape < 19:
            self.lines.append(f"print({self.call(one, two)})")
        elif shape < 21:
            self.lines.append(
                self.pick(
                    f"{one}.v = {two}",
                    f"{one}.new = 4; print({one}.new, sorted({one}.__dict__))",
                    f"del {one}.v",
                    f"{one}[1] = {two}",
                    f"del {one}[0]",
                    f"{one}.m0 = 3; print({one}.m0)",
                    f"{self.random.choice(self.classes)}.kind = 'changed'",
                    f"{one} {self.pick(*SYMBOLS.values())}= {two}; print({one})",
                    f"setattr({one}, 'v', 9); print({one}.v)",
                    f"delattr({one}, 'w')",
                )
            )
        elif shape < 23:
            self.lines.append(
                self.pick(
                    f"for i, x in zip(range(4), {one}): print(i, x)",
                    f"with {one} as x: print('inside', x)",
                    f"a, b, *c = {one}; print(a, b, c)",
                    f"print('yes' if {one} else 'no', not {one})",
                    f"print([x for x in [{one}, {two}] if x])",
                    f"print({{{one}: 1, {two}: 2}}.get({one}))",
                    f"while {one}.v and len([1]): print('turn'); break",
                    f"assert {one}, 'empty'",
                    f"print(*[{one}], sep='-'); print(*{one})",
                )
            )
        else:
            self.lines.append(
                self.pick(
                    f"print(f'{{{one}}} {{{one}!r}} {{{one}:>8}}')",
                    f"print('{{0.v}} {{0}} {{1}}'.format({one}, {two}))",
                    f"print('%s %r' % ({one}, {two}))",
                    f"print(f'{{{one}.v!s:>5}}|')",
                )
            )

    def call(self, one: str, two: str) -> str:
        name = self.random.choice(self.classes)
        return self.pick(
            f"len({one})",
            f"bool({one})",
            f"repr({one})",
            f"str({one})",
            f"abs({one})",
            f"-{one}",
            f"int({one})",
            f"float({one})",
            f"round({one})",
            f"{one}(1, z=2)",
            f"{one}()",
            f"{one}[0]",
            f"{one}[1]",
            f"{one}['k']",
            f"list({one})[:5]" if self.chance(0.2) else "0",
            f"sorted([{one}, {two}])",
            f"max({one}, {two})",
            f"sum([{one}, {two}])",
            f"isinstance({one}, {name})",
            f"issubclass(type({one}), {name})",
            f"hash({one}) == 7",
            f"type({one})",
            f"type({one}).__name__",
            f"hasattr({one}, 'v')",
            f"callable({one})",
            f"getattr({one}, 'zz', 5)",
            f"getattr({one}, 'v')",
            f"divmod({one}, {two})",
            f"[{one}, {two}] == [{one}, {two}]",
            f"{one} in [{two}, {one}]",
            f"{name}",
            f"{{{one}}} == {{{one}}}",
            f"({one}, 1) < ({two}, 2)",
            f"type({name})",
            f"+{one}",
            f"~{one}",
            f"[10, 20, 30, 40][{one}]",
            f"isinstance({one}, (int, {name}))",
            f"list(map({name}, [1, 2])) != 3",
            f"any([{one}])",
            f"pow({one}, {two})",
            f"vars({one})",
            f"min([{one}, {two}], key=lambda x: 1)",
            f"next({one})",
            f"reversed({one}) != 3",
            f"{one}.__class__ is {name}",
            f"issubclass({name}, object)",
            f"isinstance({one}, object)",
            f"'ab' * {one}",
            f"{one}.m0 == {one}.m0",
            f"'v' in dir({one})",
            f"id({one}) == id({one})",
        )


def words(error: BaseException) -> str:
    """An error as the last line that Python prints of it."""
    held = told(error)
    text, name = str(held), word_of(held)
    return f"{name}: {text}" if text else name


def by_python(text: str) -> str:
    """What CPython prints, and its error."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(text, "program", "exec", dont_inherit=True), {"__name__": "__main__"})
        except Exception as error:
            print(words(error))
    return ADDRESS.sub("0x", printed.getvalue())


def by_machine(text: str) -> str:
    """The same of the language's machine."""
    printed: list[str] = []
    try:
        Machine(write=printed.append, max_steps=100_000).run(compile_text(text, "program"))
    except Exception as error:
        printed.append(words(error) + "\n")
    return ADDRESS.sub("0x", "".join(printed))


def different(seeds: range) -> list[tuple[int, str, str, str]]:
    """The programs that differ: seed, text, what CPython prints, what the machine does."""
    found = []
    for seed in seeds:
        text = Writer(seed).program()
        ours, theirs = by_machine(text), by_python(text)
        if ours != theirs:
            found.append((seed, text, theirs, ours))
    return found


def first_difference(theirs: str, ours: str) -> str:
    """The first lines that differ, as one text."""
    for one, other in zip(theirs.splitlines(), ours.splitlines(), strict=False):
        if one != other:
            return f"{one}  ///  {other}"
    return f"lengths: {theirs[-60:]!r} /// {ours[-60:]!r}"


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    start = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    wrong = different(range(start, start + count))
    kinds = Counter(
        re.sub(r"\d+|\b[A-E]\b", "#", first_difference(theirs, ours))
        for _, _, theirs, ours in wrong
    )
    for kind, times in kinds.most_common(40):
        print(times, kind)
    print(f"same: {count - len(wrong)} of {count}")
    if wrong and len(sys.argv) > 3:
        print(*wrong[int(sys.argv[3])][1:], sep="\n----\n")
