"""PyTorch's own signatures, which say what is wrong with a call that fits none of the table's.

They stand in a text beside this file, as PyTorch's parser of arguments reads them, one a line and
overloads below each other in the order in which they are tried::

    add(Tensor input, Tensor other, *, Scalar alpha=1, Tensor out=None)
    add(Tensor input, Scalar alpha, Tensor other, *, Tensor out=None)|deprecated
    .to(dtype dtype, bool non_blocking=False, bool copy=False, *, MemoryFormat? memory_format=None)

`nn.` are functions of `torch._C._nn`. A method has lines of its own where its signatures are not
those of the function without the first tensor and `out`, and one that changes its tensor where
they are not those of the method without the underscore. `(/)` is a function of one argument that
has no name. The text is written from PyTorch by `python -m tests.recorded.overloads`, and read
when the first error is told.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

PATH: Final = Path(__file__).with_name("overloads.txt")
FACTORY: Final = (
    "dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, "
    "bool? requires_grad=False"
)
"""What `$factory` stands for."""
_SELF: Final = "(Tensor input"


@cache
def _read() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in PATH.read_text(encoding="utf-8").splitlines():
        name, bracket, rest = line.partition("(")
        found.setdefault(name, []).append(f"{bracket}{rest}")
    return found


def as_method(signatures: list[str]) -> list[str]:
    """The signatures of a method, given those of the function that it stands for."""
    found: list[str] = []
    for text in signatures:
        if text.startswith(_SELF):
            text = "(" + text.removeprefix(_SELF).removeprefix(", ")
            text = text.replace(", *, Tensor out=None)", ")").replace("*, Tensor out=None)", ")")
            text = text.replace(", Tensor out=None)", ")")
            if text not in found:
                found.append(text)
    return found


def signatures_of(name: str, method: bool) -> list[str]:
    """The overloads of a function by the name that messages call it, or of a method; [] of what
    PyTorch does not have.
    """
    known = _read()
    if not method:
        return known.get(name, [])
    found = known.get(f".{name}")
    if found is None and name.endswith("_"):
        found = signatures_of(name[:-1], True)
    return found or as_method(known.get(name, []))
