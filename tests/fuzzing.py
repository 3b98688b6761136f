"""Inputs that nobody would write, and whether each is answered as it should be.

Six kinds, made from a seed: calls of every function with odd arguments, the
same with objects of a program's classes, recorded programs and drawn ones with classes with pieces
changed, recorded operators' records with arguments changed, and rubble. Each goes through a
worker process under limits. An answer is one line of JSON with the record's id, and either went
well or has an error that somebody foresaw: no crash, no time used up, no `accidents`, no fault.

    python -m tests.fuzzing 7 100000
    python -m tests.fuzzing --show 7 4711
"""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from gradcli.batch.executors import Worker
from gradcli.language.allowed.listed import OTHERS, members
from gradcli.language.allowed.namespace import default_namespace
from gradcli.process import Limits
from tests.language.class_programs import Writer
from tests.language.flows import Drawer
from tests.language.walk import PRELUDE

LIMITS = Limits(max_steps=20_000, timeout=3, max_memory=2 << 30)
RECORDED = Path(__file__).parent / "recorded" / "conformance"


def words(text: str, mark: str | None = None) -> list[str]:
    """The words of a text, or what stands between marks."""
    return [word.strip() for word in text.split(mark) if word.strip()]


MODULES = [name for name in OTHERS if name != "__future__"]
PREPARED = (
    f"import {', '.join(MODULES)}\n"
    + """\
a = torch.tensor([[1.5, -2., 0.], [3., 0.5, -1.]], requires_grad=True)
d = torch.tensor([2., -0.5, 1.], dtype=torch.float64, requires_grad=True)
p = torch.tensor([[3., 1.], [1., 2.]], requires_grad=True)
k = torch.tensor([2, 0, 1])
m = torch.tensor([[True, False, True], [False, False, True]])
q = torch.tensor([1 - 1j, 2 + 0.5j], requires_grad=True)
n = torch.zeros(0, 2)
s = torch.tensor(4)
h = a * 2
"""
)
TENSORS = words("a d p k m q n s h")
ODD = words(
    """\
None | True | False | 0 | 1 | -1 | 2 | 3 | -7 | 0.25 | -1.5 | 1e30 | 1e-30 | nan | inf | -inf
2**31 | 2**63 | -2**63 - 1 | 2**64 | 10**25 | 10**9 | 2j | '' | 'x' | 'mean' | 'none' | 'reflect'
'same' | 'valid' | 'floor' | 'fro' | 'U' | 'i,j->ij' | 'ii' | 'bicubic' | 'cpu' | b'x' | ... | []
() | {} | [0] | [-1] | [1, 0] | (0, 1) | (2, 2) | [2, -1] | [0, 0, 0] | (1, 2, 3, 4) | [[1], [2, 3]]
[[0, 1], [1, 0]] | [a] | (a, d) | [a, None] | [a, 1] | ['x', 2] | [None] | range(3) | {'a': 1} | {2}
slice(None) | slice(1, None, -1) | torch.float64 | torch.float16 | torch.int32 | torch.uint8
torch.bool | torch.complex64 | torch.Size([2, 3]) | a.shape | torch.Tensor | int | float | type(a)
torch.cos | len | lambda t: t * 2 | lambda *t: t | lambda: a | a.grad_fn | h.grad_fn | a.sin
a.sum() | a > 0 | k == 1 | a.t() | a[:, ::2] | a.expand(2, 2, 3) | a.detach() | a.double()
torch.tensor(2.5) | torch.tensor([]) | torch.eye(3) | torch.ones(1) | torch.ones(2, 3, 2, 2)
torch.empty(0, 0) | torch.ones(2, 0, 1) | torch.tensor([nan, inf, -inf]) | torch.arange(4)
torch.tensor([[120, -3]], dtype=torch.int8) | torch.ones(2, 3, dtype=torch.float16) | torch
torch.Generator() | a.numpy | d.detach().numpy() | torch.no_grad() | ValueError('x') | print | math
(i for i in [1]) | numpy.ones(3) | numpy.float32 | numpy.arange(4) | 'a+' | itertools.count()
collections.Counter('ab') | collections.deque([1]) | re.compile('a') | random.Random(1)
numpy.random.RandomState(0) | collections.namedtuple('P', 'a b')(1, a)
collections.defaultdict(list)
""".replace("\n", " | "),
    " | ",
)
OBJECTS = words(
    "Some() | Every() | Every(a) | Every | Some().method | Every().answer | Data() | Color.RED "
    "| Mine('x') | [Every()] | (Some(), a) | [Every(), Every()] | {'x': Every()} | Every(3) "
    "| object()",
    "|",
)
NAMED = words("""
dim dims keepdim dtype out input other self size shape n k p mode value reduction weight bias stride
padding dilation groups eps alpha beta min max correction descending index src generator diagonal
offset kernel_size output_size scale_factor ceil_mode align_corners requires_grad device axis inputs
""")
RUBBLE = [
    *words("""
( ) [ ] { } , : ; . = == != < > + - * ** / // % @ & | ^ ~ << := -> ... if else elif for in while
def return lambda with as not and or is None True False let const global del assert import from
break try class except finally raise yield await x _ __x__ 0 1 .5 1e999 1j 0x 1__0 'a' b'' f'{x'
f'{x!r:>{1}}' ''' \\
# ² é 𝒙 \N{LINE SEPARATOR} \x00 \x0c \ufeff
"""),
    *("\n", "\n    ", "\t", " "),
]
WORD = re.compile(r"\w+|\*\*|[<>=!]=|->|'[^'\n]*'|\s+|.", re.DOTALL)
SMALL = re.compile(r"\d|'|(True|False|None|[a-z])$")


class Finding(NamedTuple):
    """What is wrong with an answer, and what it said."""

    number: int
    kind: str
    words: str


@cache
def recorded(name: str) -> list[dict[str, Any]]:
    """The recorded cases of a file, without the giants."""
    with gzip.open(RECORDED / f"{name}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file if len(line) < 10_000]


@cache
def callables() -> list[str]:
    """The names of the functions, of modules too, and of the methods."""
    engine = default_namespace().engine
    functions = [f"torch.{name}" for name in engine.names()]
    methods = [f".{name}" for name in engine.methods() if not name.startswith("_")]
    python = [f"{module}.{name}" for module in MODULES for name in members(module)]
    return sorted({*functions, *methods, *python} - {"time.sleep"})


def call(r: random.Random, depth: int = 0) -> str:
    """A call with odd arguments, some of them calls."""
    name = r.choice(callables())

    def argument() -> str:
        return call(r, depth + 1) if depth < 2 and r.random() < 0.1 else r.choice(ODD + TENSORS)

    given = [argument() for _ in range(r.choice([0, 1, 1, 2, 2, 3, 4]))]
    if name.startswith("."):
        name = r.choice(TENSORS) + name
    elif given and r.random() < 0.7:
        given[0] = r.choice(TENSORS)
    given += [f"{r.choice(NAMED)}={argument()}" for _ in range(r.choice([0, 0, 1, 1, 2]))]
    return f"{name}({', '.join(given)})"


def of_calls(r: random.Random) -> dict[str, Any]:
    """A program that calls and uses what comes out."""
    made = "".join(f"t = {call(r)}\n" for _ in range(r.choice([1, 1, 2])))
    uses = [
        "print(t)\n",
        "print(t)\nt.sum().backward()\nprint(a.grad, d.grad, q.grad)\n",
        "print(t)\nt.backward(t)\nprint(a.grad)\n",
        "g = torch.autograd.grad(t.sum(), a, create_graph=True)\ng[0].sum().backward()\n",
        "t *= 2\nt[0] = t\nprint(t[None, ..., 1:], t.shape, t.tolist())\n",
        f"print(t[{r.choice(ODD)}])\nt[{r.choice(ODD)}] = {r.choice(ODD)}\n",
    ]
    return {"program": PREPARED + made + r.choice(uses)}


def of_objects(r: random.Random) -> dict[str, Any]:
    """The same with objects of a program's own classes among the arguments."""
    record = of_calls(r)
    text = record["program"].removeprefix(PREPARED)
    pieces = WORD.findall(text)
    values = [place for place, piece in enumerate(pieces) if SMALL.match(piece) and piece != "t"]
    for place in r.sample(values, min(len(values), r.choice([1, 1, 2]))):
        pieces[place] = r.choice(OBJECTS)
    return {"program": PRELUDE + PREPARED + "".join(pieces)}


def of_classes(r: random.Random) -> dict[str, Any]:
    """A drawn program with classes, changed."""
    return {"program": changed(r, Writer(r.randrange(10**6)).program())}


def of_programs(r: random.Random) -> dict[str, Any]:
    """A recorded program, changed."""
    return {"program": changed(r, r.choice(recorded("programs"))["program"])}


def of_flows(r: random.Random) -> dict[str, Any]:
    """A program of exceptions, contexts and generators with odd values, changed or not."""
    text = Drawer(str(r.random()), [*ODD, *TENSORS]).program()
    return {"program": PREPARED + (changed(r, text) if r.random() < 0.5 else text)}


def changed(r: random.Random, text: str) -> str:
    """A text with pieces dropped, doubled, exchanged and replaced."""
    pieces = WORD.findall(text)
    for _ in range(r.choice([1, 1, 2, 4])):
        if not pieces:
            break
        at = r.randrange(len(pieces))
        values = [place for place, piece in enumerate(pieces) if SMALL.match(piece)]
        change = r.randrange(6)
        if change == 0:
            del pieces[at]
        elif change == 1:
            pieces.insert(at, r.choice(pieces))
        elif change == 2:
            pieces[at] = r.choice(RUBBLE)
        elif change == 3 and pieces[at].isidentifier():
            pieces[at] = r.choice(callables()).rpartition(".")[2]
        elif values:
            pieces[r.choice(values)] = r.choice(ODD)
    return "".join(pieces)


def of_operators(r: random.Random) -> dict[str, Any]:
    """A recorded operator's expression with other arguments and other variables."""
    case = r.choice(recorded("operators"))
    pieces = WORD.findall(case["expr"])
    values = [place for place, piece in enumerate(pieces) if SMALL.match(piece)]
    for _ in range(r.choice([0, 1, 1, 2])):
        pieces[r.choice(values)] = r.choice([*ODD[:48], *case["vars"]])
    expr = "".join(pieces)
    made = {"expr": r.choice([expr, expr, f"({expr}).sum()"]), "vars": dict(case["vars"])}
    for name, value in case["vars"].items():
        if r.random() < 0.2:
            made["vars"][name] = r.choice([*ODD_JSON, [value, value]])
        elif isinstance(value, dict) and r.random() < 0.2:
            made["vars"][name] = {**value, "dtype": r.choice(["int64", "bool", "float16", "x"])}
    for key in ("order", "grad_tensors", "wrt", "retain_graph", "create_graph", "backward"):
        if r.random() < 0.15:
            made[key] = r.choice(ODD_JSON)
    return made


ODD_JSON: list[Any] = [
    *(0, 1, 2, -1, 1.5, 1e308, 10**30, True, None, "x", "NaN", "Infinity", [], [[]], {}, [1, [2]]),
    *([1, 2], [[1, 2], [3, 4]], {"re": 1, "im": 2}, {"data": [1, 2], "dtype": "uint8"}, ["x"]),
    *({"data": [], "shape": [0, 3]}, {"data": [1], "shape": [10**30]}, {"data": [True]}, [[1, 1]]),
    *({"data": [1, 2], "requires_grad": 3}, {"data": ["NaN"], "dtype": "int64"}, {"data": 1}),
]


def of_rubble(r: random.Random) -> bytes:
    """Bytes, tokens in any order, or a damaged record."""
    chosen = r.randrange(3)
    if chosen == 0:
        return bytes(r.randrange(256) for _ in range(r.randrange(1, 60))).replace(b"\n", b" ")
    text = "".join(r.choice(RUBBLE) + r.choice(["", " "]) for _ in range(r.randrange(1, 40)))
    if chosen == 1:
        return json.dumps({"program": text}).encode()
    line = json.dumps(of_operators(r))
    at = r.randrange(len(line))
    return (line[:at] + r.choice(['"', "}", "{", ",", "\\", "1e999", ""]) + line[at + 1 :]).encode()


KINDS: list[Callable[[random.Random], Any]] = (
    [of_calls] * 5 + [of_programs] * 3 + [of_flows] * 2 + [of_operators] * 4 + [of_rubble]
)
KINDS += [of_classes] * 2 + [of_objects] * 2


def made(seed: int, number: int) -> bytes:
    """The input of a number: always the same one for a seed."""
    r = random.Random(f"{seed} {number}")
    record = r.choice(KINDS)(r)
    return record if isinstance(record, bytes) else json.dumps({"id": number, **record}).encode()


def wrong(text: str, number: int, named: bool) -> tuple[str, str] | None:
    """What is wrong with an answer: the kind, and its words."""
    try:
        answer = json.loads(text, parse_constant=float)
    except ValueError:
        return "no JSON", text
    if "\n" in text or type(answer.get("ok")) is not bool or ("error" in answer) == answer["ok"]:
        return "no answer", text
    if named and answer["id"] != number:
        return "another's id", text
    if answer["ok"]:
        return None
    error = answer["error"]
    words = f"{error['type']}: {error['message']}"
    # Where a limit is looked at, the place is told; otherwise the system ended the process.
    if error["type"] == "CrashError" or (error["type"] == "LimitError" and "line" not in error):
        return "ended", words
    if " does not take (" in error["message"]:
        return "accident", words
    return None


def findings(seed: int, numbers: range, limits: Limits = LIMITS) -> Iterator[Finding]:
    """What is wrong with the answers to some inputs."""
    worker = Worker(limits)
    try:
        for number in numbers:
            line = made(seed, number)
            if line.strip() and not line.lstrip().startswith(b"#"):
                found = wrong(worker.ask(line, number).text, number, b'"id"' in line[:5])
                if found is not None:
                    yield Finding(number, *found)
    finally:
        worker.stop()


def main() -> int:
    """Counts what a seed finds, kind by kind, or shows an input."""
    if sys.argv[1] == "--show":
        print(made(int(sys.argv[2]), int(sys.argv[3])).decode(errors="backslashreplace"))
        return 0
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    counted: dict[str, int] = {}
    for number, kind, words in findings(seed, range(count)):
        counted[kind] = counted.get(kind, 0) + 1
        print(f"{kind} {number}: {words[:200]}", flush=True)
    print(f"{count} inputs of seed {seed}: {counted or 'nothing found'}")
    return 1 if counted else 0


if __name__ == "__main__":
    raise SystemExit(main())
