"""The calls that stand in files, `calls/*.txt` and `calls/programs/*.txt`, and how to make them.

A line is a call: an expression of PyTorch's and of named tensors. In a file of programs, blocks of
lines are, which lines of dashes separate; a block that begins with `setup:` stands before those
after it. A line `== NAME` begins a group. Before the first one may stand comments (`#`), tensors
(`name = ARRAY`; floating ones want gradients, unless viewed as `Fixed`) and lists of alternatives
(`NAME: a | b`, also on further, indented lines). `{a | b}` and `{NAME}` in a call stand for each
alternative in turn. Behind a `#` in a call stand the shapes of its tensors `a`, `b`, ...: `2x3`,
`scalar`; `definite` makes square matrices positive definite, `complex` what it says.
"""

from __future__ import annotations

import gzip
import platform
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from gradcli.table.samples import Fixed
from tests.recorded import drawn_programs, drawn_streams, drawn_transforms, store
from tests.recorded.answers import (
    Answer,
    Array,
    Detail,
    Engine,
    describe,
    differences,
    printed,
)
from tests.recorded.library import LIBRARY

T = TypeVar("T")
FOLDER = Path(__file__).parent / "calls"
SAME_LIBRARY = platform.libc_ver()[0] == "glibc" and platform.machine() in ("x86_64", "AMD64")
TOLERANCES = {
    "corners": (2e-6, 1e-7),
    "linalg": (1e-6, 1e-7),
    "tensors": (1e-5, 1e-7),
    "promotion": (2e-3, 1e-8),
    "programs": (1e-3, 1.01e-4),
    "programs.functional": (0.0, 0.0),
    "programs.streams": (0.0, 0.0) if SAME_LIBRARY else (1e-5, 1e-6),
}
"""How far numbers may be apart, by a group or its file: relatively and absolutely. Texts of
programs have few digits. Random numbers are the same to the last bit where logarithms and the like
are, which come from the C library."""
CLOSE = (1e-7, 1e-8)
DETAILS = {
    "tensors": Detail(gradients=5, weights=True),
    "corners": Detail(weights=True),
    "corners.orders": Detail(outputs=0, facts=(), weights=True),
    "corners.scans": Detail(outputs=0, facts=(), weights=True, second=False),
    "corners.statistics": Detail(outputs=1, weights=True),
    "corners.pointwise": Detail(outputs=0, weights=True),
    "layers.distance": Detail(outputs=0),
    "linalg.products": Detail(facts=("requires_grad", "is_contiguous")),
}
"""What groups, or those of their files, tell beside the usual."""
_LIST = re.compile(r"^([A-Z]+):((?:.*\n)(?: +.*\n)*)", re.MULTILINE)
_TENSOR = re.compile(r"^([a-z]\w*) = (.*(?:\n +.*)*)", re.MULTILINE)
_CHOICE = re.compile(r"\{([A-Z]+|[^{}\n]* \| [^{}\n]*)\}")
_NAME = re.compile(r"(?<![\w.])([a-z]\w*)(?![\w(=])")


class Group(NamedTuple):
    """Calls of one kind."""

    name: str
    calls: list[str]
    tensors: dict[str, Any]
    """What the calls may name."""

    @property
    def programs(self) -> bool:
        return self.name.startswith("programs.")

    @property
    def tolerance(self) -> tuple[float, float]:
        """How far numbers of answers may be apart."""
        return _setting(TOLERANCES, self.name, CLOSE)

    @property
    def detail(self) -> Detail:
        return _setting(DETAILS, self.name, Detail())


def _setting(settings: Mapping[str, T], name: str, usual: T) -> T:
    """What stands for a group, or else its file."""
    return settings.get(name, settings.get(name.partition(".")[0], usual))


@cache
def groups() -> dict[str, Group]:
    """All groups, by names like `corners.scans`."""
    found = [
        Group("programs.random", drawn_programs.programs(range(400)), {}),
        Group("programs.streams", drawn_streams.programs(), {}),
        Group("programs.transforms", drawn_transforms.programs(range(250)), {}),
    ]
    for path in sorted(FOLDER.rglob("*.txt*")):
        programs = path.parent != FOLDER
        prefix = "programs" if programs else path.name.partition(".")[0]
        found += [Group(f"{prefix}.{name}", *rest) for name, *rest in _read(path, programs)]
    return {group.name: group for group in found}


def _read(path: Path, programs: bool) -> Iterator[tuple[str, list[str], dict[str, Any]]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    head, *sections = re.split(r"^== (\w+)\n", text, flags=re.MULTILINE)
    lists = {name: _alternatives(found) for name, found in _LIST.findall(head)}
    known = {"array": np.array, "zeros": np.zeros, "inf": np.inf, "nan": np.nan, "Fixed": Fixed}
    known |= {"np": np, "spread": spread}
    tensors = {name: eval(found, known) for name, found in _TENSOR.findall(_LIST.sub("", head))}
    for name, body in zip(sections[::2], sections[1::2], strict=True):
        calls, setup = [], ""
        for call in body.rstrip().split("\n---\n" if programs else "\n"):
            if programs and call.startswith("setup:\n"):
                setup = call.removeprefix("setup:\n") + "\n"
            elif call:
                calls += [setup + one for one in _expanded(call, lists)]
        yield name, list(dict.fromkeys(calls)), tensors


def _alternatives(text: str) -> list[str]:
    return [item.strip() for line in text.splitlines() for item in line.split(" | ") if line]


def _expanded(call: str, lists: dict[str, list[str]]) -> Iterator[str]:
    """A call with every choice of alternatives; the same choice twice is one."""
    choices = {
        text: lists[text] if text in lists else _alternatives(text)
        for text in _CHOICE.findall(call)
    }
    for chosen in product(*choices.values()):
        now = dict(zip(choices, chosen, strict=True))
        yield _CHOICE.sub(lambda found, now=now: now[found[1]], call)


def spread(*shape: int, low: float = -2.0, high: float = 2.0) -> Array:
    """Numbers between the limits, in an order without structure, to two decimals."""
    places = np.arange(1, np.prod(shape) + 1) * 0.6180339887 % 1
    return np.round(low + (high - low) * places, 2).reshape(shape)


def operands(words: list[str]) -> Iterator[tuple[str, Array]]:
    """Tensors of no special structure, with the shapes that stand behind a call."""
    shapes = [word for word in words if word not in ("definite", "complex")]
    for number, (name, text) in enumerate(zip("abcdef", shapes, strict=False)):
        shape = () if text == "scalar" else tuple(map(int, text.split("x")))
        steps = np.arange(np.prod(shape, dtype=int)) + 1.3 * number
        array = (1.5 * np.cos(1.9 * steps + 0.02 * steps**2) + 0.1).reshape(shape)
        if "complex" in words:
            array = array + 1j * np.sin(2.3 * steps + 0.4).reshape(shape)
        if "definite" in words and len(shape) > 1 and shape[-1] == shape[-2]:
            array = array @ array.conj().swapaxes(-1, -2) + np.eye(shape[-1])
        yield name, array


def answer(engine: Engine, group: Group, call: str) -> Answer:
    """What an engine answers to a call of a group."""
    if group.programs:
        return printed(engine, call)
    expression, _, words = call.rpartition(" # ") if " # " in call else (call, "", "")
    tensors = dict(operands(words.split()))
    for name in _NAME.findall(expression):
        if name in group.tensors:
            tensors[name] = group.tensors[name]
    names = {"torch": engine.torch, "F": engine.torch.nn.functional, "inf": np.inf}
    names["shown"] = engine.shown

    def call_it(**made: Any) -> Any:
        return eval(expression, names | made)

    return describe(engine, call_it, [], tensors, digits=9, order=2, detail=group.detail)


def recordable(group: Group, answer: Answer) -> Answer | None:
    """An answer, if others can give it.

    NumPy has no complex halves, tiny numbers are rounding errors, and PyTorch has faults.
    """
    text = str(answer.get("error")) + str(answer.get("outputs"))
    if any(word in text for word in ("complex32", "ComplexHalf", "INTERNAL ASSERT")):
        return None
    return None if group.tolerance[1] and "e-1" in answer.get("printed", "") else answer


def faults(group: Group) -> list[str]:
    """The calls of a group whose answers differ from the recorded ones."""
    known = store.read(store.CALLS).get(group.name, {})
    found = []
    for call in group.calls:
        if call not in known:
            found.append(f"PyTorch was not asked for {call}: run `{store.COMMAND} {group.name}`")
        elif (theirs := known[call]) is not None:
            ours = _portable(answer(LIBRARY, group, call))
            told = list(differences(ours, _portable(theirs), *group.tolerance))
            if f"{group.name} {call}" in store.known_differences():
                told = [] if told else [store.AGREES]
            found += ["\n    ".join([call, *told])] if told else []
    return found


def _portable(answer: Answer) -> Answer:
    """An answer without sums of bits, where another C library may have rounded otherwise."""
    if SAME_LIBRARY or "printed" not in answer:
        return answer
    return answer | {"printed": re.sub("sha256 .*", "", answer["printed"])}
