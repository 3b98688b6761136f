"""Random programs of exceptions, contexts and generators, run by Python and by the machine.

python -m tests.language.flows 7 5000
python -m tests.language.flows --show 7 4711
"""

from __future__ import annotations

import io
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import NamedTuple

from gradcli.language import Machine, compile_text
from gradcli.language.allowed.exceptions import told
from gradcli.language.telling.diagnostics import words_of

PRELUDE = """\
import contextlib
trace = []
def log(*words):
    print(*words)
    return words[-1]
def show(e):
    print(type(e).__name__, e, e.args, repr(e.__cause__), repr(e.__context__), \
e.__suppress_context__)
@contextlib.contextmanager
def calm(name):
    print('in', name)
    try:
        yield name
    finally:
        print('out', name)
@contextlib.contextmanager
def hush(*kinds):
    try:
        yield kinds
    except kinds as e:
        print('hushed', repr(e))
@contextlib.contextmanager
def sour(name):
    yield name
    raise KeyError(name)
@contextlib.contextmanager
def turned(name):
    try:
        yield
    except ValueError as e:
        raise LookupError(name) from e
def count(n):
    try:
        for i in range(n):
            got = yield i
            if got is not None:
                print('got', got)
    except ValueError as e:
        print('count caught', repr(e))
        yield -1
    finally:
        print('count ends')
    return n * 10
def plain(n):
    while n:
        n -= 1
        yield n
def chain(*parts):
    total = 0
    for part in parts:
        total += (yield from part) or 0
    return total
"""
KINDS = [
    *("ValueError", "KeyError", "IndexError", "TypeError", "RuntimeError", "ZeroDivisionError"),
    *("StopIteration", "LookupError", "ArithmeticError", "Exception", "AssertionError", "OSError"),
    *("BaseException", "GeneratorExit", "KeyboardInterrupt", "NotImplementedError"),
]
MORE_CAUGHT = ["Exception"] * 6 + ["LookupError", "ArithmeticError"] * 2 + ["BaseException"]
FAILURES = [
    *("1 / 0", "[][1]", "{}['k']", "int('x')", "None + 1", "missing_name", "next(iter([]))"),
    *("assert 0, 'no'", "assert 0", "(1).nothing", "a, b = 1, 2, 3", "a, b = [1]", "f_undefined()"),
    *("len(3)", "'a' + 1", "[1][None]", "x_unset", "float('y')", "plain()", "count(1, 2)", "3()"),
]


class Drawer:
    """Draws one program, with values of its own and `values`."""

    def __init__(self, seed: str, values: list[str] | None = None) -> None:
        self.r = random.Random(seed)
        self.values = values or []
        self.lines: list[str] = []
        self.names = 0
        self.left = 45
        """Statements that may still be drawn."""

    def fresh(self, stem: str) -> str:
        """A new name."""
        self.names += 1
        return f"{stem}{self.names}"

    def put(self, level: int, text: str) -> None:
        self.lines.append("    " * level + text)
        self.left -= 1

    def kind(self) -> str:
        return self.r.choice(KINDS[:12] * 4 + KINDS[12:])

    def caught(self) -> str:
        """What stands after `except`."""
        r = self.r.random()
        if r < 0.25:
            return f"({', '.join(self.r.choice(KINDS + MORE_CAUGHT) for _ in range(2))})"
        return self.r.choice(KINDS[:12] + MORE_CAUGHT)

    def error(self) -> str:
        """An expression that makes an exception, or a class."""
        r = self.r.random()
        kind = self.kind()
        if r < 0.15:
            return kind
        return f"{kind}({self.r.choice(['', repr(self.fresh('m')), '1, 2', repr('x')])})"

    def value(self, inside: str) -> str:
        """A harmless expression."""
        choices = ["1", "'s'", f"log('v{self.left}')", "len(trace)", "[i * i for i in range(3)]"]
        if "g" in inside:
            choices += ["(yield 7)", "(yield)", f"log((yield {self.left}))"]
        if self.values:
            choices += self.r.choices(self.values, k=4)
        return self.r.choice(choices)

    def generator(self, depth: int = 0) -> str:
        """An expression that makes an iterator."""
        choices = [
            f"count({self.r.randrange(4)})",
            f"plain({self.r.randrange(4)})",
            "(log(i) for i in range(3))",
            "(1 // (2 - i) for i in range(4))",
            "iter([1, 2, 3])",
            "map(lambda i: 6 // (i - 1), range(3))",
        ]
        if depth < 2:
            inner = ", ".join(self.generator(depth + 1) for _ in range(self.r.randrange(1, 3)))
            choices += [f"chain({inner})"] * 2
        return self.r.choice(choices + [f"{name}()" for name in self.made] * 2)

    def body(self, level: int, inside: str, most: int = 3) -> None:
        """A block; `inside` says what is around it: l a loop, f a function, g a generator, e an
        `except`.
        """
        for _ in range(self.r.randrange(1, most + 1)):
            self.statement(level, inside)

    made: list[str]
    """Generator functions of the program."""

    def statement(self, level: int, inside: str) -> None:
        """One statement."""
        r = self.r
        if self.left <= 0 or level > 6:
            self.put(level, r.choice(["pass", "log('end')"]))
            return
        compound = [self.try_] * 6 + [self.with_] * 3 + [self.for_] * 3 + [self.if_] * 2
        simple = [self.simple] * 12 + [self.drive] * 3
        r.choice(compound + simple if level < 5 else simple)(level, inside)

    def simple(self, level: int, inside: str) -> None:
        """A statement of one line."""
        r = self.r
        choices = [f"log({self.value(inside)})"] * 3
        choices += [f"raise {self.error()}"] * 2
        choices += [r.choice(FAILURES), f"x = {self.value(inside)}", "trace.append(1)"]
        if "e" in inside:
            choices += [
                "raise",
                "raise err",
                "show(err)",
                f"raise {self.error()} from err",
                "del err",
            ]
            choices += [f"raise {self.error()} from None", "show(err)", "held = err"]
        choices += [f"raise {self.error()} from {self.error()}"]
        if r.random() < 0.1:
            choices += ["raise", "raise 3", "raise ValueError from 3", "raise held"]
        if "l" in inside:
            choices += ["break", "continue"] * 2
        if "f" in inside or "g" in inside:
            choices += [f"return {self.value(inside)}"] * 2
        if "g" in inside:
            choices += [f"yield {self.value(inside)}"] * 5
            choices += [f"x = yield from {self.generator()}"] * 2
            choices += [f"log((yield from {self.generator()}))"]
        self.put(level, r.choice(choices))

    def try_(self, level: int, inside: str) -> None:
        r = self.r
        self.put(level, "try:")
        self.body(level + 1, inside.replace("e", ""))
        clauses = r.choice([0, 1, 1, 1, 2])
        for _ in range(clauses):
            named = r.random() < 0.7
            self.put(level, f"except {self.caught()}{' as err' if named else ''}:")
            self.body(level + 1, inside.replace("e", "") + ("e" if named else ""), 2)
        if clauses and r.random() < 0.15:
            self.put(level, "except:")
            self.body(level + 1, inside.replace("e", ""), 2)
        if clauses and r.random() < 0.3:
            self.put(level, "else:")
            self.body(level + 1, inside, 2)
        if not clauses or r.random() < 0.4:
            self.put(level, "finally:")
            self.body(level + 1, inside, 2)

    def with_(self, level: int, inside: str) -> None:
        r = self.r

        def item() -> str:
            made = r.choice(
                [
                    f"calm({self.fresh('c')!r})",
                    f"calm({self.fresh('c')!r})",
                    f"hush({self.caught().strip('()')})",
                    f"sour({self.fresh('s')!r})",
                    f"turned({self.fresh('t')!r})",
                    f"contextlib.suppress({self.kind()})",
                    "contextlib.nullcontext(5)",
                    f"contextlib.closing({self.generator()})",
                ]
            )
            return made + r.choice(["", "", " as w", " as (w, u)" if r.random() < 0.1 else " as w"])

        self.put(level, f"with {', '.join(item() for _ in range(r.choice([1, 1, 1, 2])))}:")
        self.body(level + 1, inside)

    def for_(self, level: int, inside: str) -> None:
        r = self.r
        if r.random() < 0.3:
            name = self.fresh("n")
            self.put(level, f"{name} = {r.randrange(1, 4)}")
            self.put(level, f"while {name} > 0:")
            self.put(level + 1, f"{name} -= 1")
        else:
            self.put(level, f"for i in {r.choice(['range(3)', self.generator()])}:")
        self.body(level + 1, inside + "l")
        if r.random() < 0.2:
            self.put(level, "else:")
            self.body(level + 1, inside, 1)

    def if_(self, level: int, inside: str) -> None:
        tests = ["len(trace) % 2", "trace.append(2)", "len(trace) > 3", "True"]
        self.put(level, f"if {self.r.choice(tests)}:")
        self.body(level + 1, inside, 2)

    def drive(self, level: int, inside: str) -> None:
        """Use a generator in some way."""
        made = self.generator()
        name = self.r.choice(["it", "jt"])
        uses = [
            f"log(list({made}))",
            f"log(sum({made}))",
            f"log(sorted({made}, key=lambda k: -1 if k is None else 0))",
            f"log(next({made}))",
            f"log(next({made}, 'none'))",
            f"{name} = {made}; log(next({name})); {name} = None; log('gone')",
            f"log(dict(zip({made}, {self.generator()})))",
            f"first, *rest = {made}; log(first, rest)",
            f"log(*{made})",
            f"log(any(v == 1 for v in {made}))",
        ]
        if "iter(" not in made and "map(" not in made:
            steps = [f"{name} = {made}", f"log(next({name}))"]
            for _ in range(self.r.randrange(1, 4)):
                steps.append(
                    self.r.choice(
                        [
                            f"log({name}.send({self.left}))",
                            f"log({name}.send(None))",
                            f"log(next({name}, 'end'))",
                            f"log({name}.throw({self.error()}))",
                            f"{name}.close()",
                        ]
                    )
                )
            uses += ["; ".join(steps)] * 8
        self.put(level, self.r.choice(uses))

    def program(self) -> str:
        """The program."""
        r = self.r
        self.made = []
        functions = []
        for _ in range(r.randrange(3)):
            name = self.fresh("gen")
            self.put(0, f"def {name}():")
            self.put(1, r.choice(["yield 1", "x = yield 2", "log((yield 3))"]))
            self.body(1, "g")
            self.made.append(name)
        for _ in range(r.randrange(3)):
            name = self.fresh("f")
            self.put(0, f"def {name}():")
            self.body(1, "f")
            functions.append(name)
        self.left = max(self.left, 12)
        for name in functions:
            if r.random() < 0.7:
                self.put(0, "try:")
                self.put(1, f"log({name}())")
                self.put(0, "except Exception as err:")
                self.put(1, "show(err)")
        while self.left > 0:
            if r.random() < 0.6:
                self.try_(0, "")
            else:
                self.statement(0, "")
        return PRELUDE + "\n".join(self.lines) + "\n"


def drawn(seed: int, number: int) -> str:
    """The program of a number: always the same one for a seed."""
    return Drawer(f"{seed} {number}").program()


class Outcome(NamedTuple):
    """What a program printed, and the error in which it ended."""

    printed: str
    error: str


def in_python(text: str) -> Outcome | None:
    """What Python does; None where it does not compile."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(text, "program", "exec")
    except SyntaxError:
        return None
    output = io.StringIO()
    ended = ""
    with redirect_stdout(output):
        try:
            exec(code, {"__name__": "__main__"})
        except BaseException as error:
            ended = f"{type(error).__name__}: {error}"
            error.__traceback__ = None
            del error
    return Outcome(output.getvalue(), ended)


def in_gradcli(text: str) -> Outcome:
    """What the machine does."""
    output = io.StringIO()
    ended = ""
    try:
        Machine(write=output.write, max_steps=100_000).run(compile_text(text, "program"))
    except Exception as error:
        name, message = words_of(error)
        ended = f"{name}: {message}" if str(told(error)) == message else f"{name}: {error}"
    return Outcome(output.getvalue(), ended)


def differences(seed: int, numbers: range) -> Iterator[tuple[int, Outcome, Outcome]]:
    """The programs in which the two do not agree: the number, Python's outcome, the machine's."""
    ignored = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        for number in numbers:
            text = drawn(seed, number)
            want = in_python(text)
            if want is None:
                continue
            got = in_gradcli(text)
            if got != want:
                yield number, want, got
    finally:
        sys.unraisablehook = ignored


def main() -> int:
    """Counts the differences of a seed, or shows one."""
    if sys.argv[1] == "--show":
        seed, number = int(sys.argv[2]), int(sys.argv[3])
        text = drawn(seed, number)
        lines = text.splitlines()
        print("\n".join(f"{n:3} {line}" for n, line in enumerate(lines, 1)))
        print("----", in_python(text), in_gradcli(text), sep="\n")
        return 0
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    found = 0
    for number, want, got in differences(seed, range(count)):
        found += 1
        pairs = zip(
            [*want.printed.splitlines(), want.error],
            [*got.printed.splitlines(), got.error],
            strict=False,
        )
        first = next(((a, b) for a, b in pairs if a != b), ("", ""))
        print(f"{number}: {first[0][:110]!r} here {first[1][:110]!r}", flush=True)
    print(f"{found} of {count} programs of seed {seed} differ")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
