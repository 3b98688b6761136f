"""Programs that read and write subscripts, and that call the operators of indices and masks."""

from __future__ import annotations

from pathlib import Path

_DATA = Path(__file__).parent / "data"

_TENSORS = """
x = torch.arange(24.).view(2, 3, 4).requires_grad_()
m = torch.tensor([[True, False, True], [False, True, False]])
i = torch.tensor([1, 0]); j = torch.tensor([[0, 1], [1, 0]]); k = torch.tensor([True, False])
u = torch.tensor([1, 0], dtype=torch.uint8); e = torch.tensor(1); b0 = torch.tensor(True)
u0 = torch.tensor(1, dtype=torch.uint8); v = torch.tensor([5., 6., 7.], requires_grad=True)
"""
_FORMS = (
    "y = x[{0}]\nprint(y, y.shape, name(y), y._is_view(), y._base is x)\n"
    "y.pow(2).sum().backward()\nprint(x.grad)",
    "z = x * 1\nz[{0}] = 2.5\nprint(z, name(z), z._version)\nz.pow(2).sum().backward()\n"
    "print(x.grad)",
    "z = x * 1\ny = z[{0}]\nw = torch.ones(y.shape, requires_grad=True)\nz[{0}] = w * 3\n"
    "print(z, name(z), z._version)\nz.pow(2).sum().backward()\nprint(x.grad, w.grad)",
    "y = x[{0}]\ng, = torch.autograd.grad((y * y).sum(), x, create_graph=True)\n"
    "print(g, name(g))\ng.pow(2).sum().backward()\nprint(x.grad)",
)
_VALUES = """v[0] | v | v[:2] | v[None] | v[None, None, :, None] | torch.ones(4) | torch.ones(3, 4)
torch.ones(1, 3, 4) | torch.ones(2, 3, 4) | torch.ones(5) | torch.ones(1, 1, 1, 1)
torch.ones(2, 1) | 1 | True | 1j | None | [1, 2] | 'a' | torch.tensor(2)
torch.tensor([1, 2, 3, 4]) | torch.tensor(1j) | torch.tensor([1.], dtype=torch.float64)
torch.ones(4, dtype=torch.float64) | torch.tensor(2., dtype=torch.float64)"""
_PLACES = ("0", "0, 0, 0", "0, 1:", "...", "i", "m", "i, i", "k", "None", "True", "e", "m, 0", ":")
_SMALL = """
x = torch.arange(12.).reshape(3, 4); xi = torch.arange(12).reshape(3, 4)
i = torch.tensor([0, 2]); j = torch.tensor([[0, 1], [1, 0]]); m = xi > 5
s = torch.tensor(3.); z = torch.tensor(5.)
"""


def _lines(file: str) -> list[str]:
    return (_DATA / file).read_text(encoding="utf-8").splitlines()


def subscript_programs() -> list[str]:
    """Every subscript read, written and differentiated twice; every value written everywhere."""
    programs = [
        _TENSORS + form.format(subscript)
        for subscript in _lines("subscripts.txt")
        for form in _FORMS
    ]
    values = [value.strip() for line in _VALUES.split("\n") for value in line.split("|")]
    programs += [
        f"{_TENSORS}z = x * 1\nz[{place}] = {value}\nprint(z, name(z), z._version)\n"
        "z.pow(2).sum().backward()\nprint(x.grad, v.grad)"
        for place in _PLACES
        for value in values
    ]
    for place in _PLACES:
        programs += [
            f"{_TENSORS}x[{place}] = 1.",
            f"{_TENSORS}with torch.no_grad(): x[{place}] = 1.\nprint(x, x._version)",
            f"{_TENSORS}z = x * 1\nz[{place}] += 1\nprint(z, name(z), z._version)\n"
            "z.sum().backward()\nprint(x.grad)",
            f"{_TENSORS}z = x * 1\ny = z[{place}]\ny.mul_(2)\nprint(z, name(z), y, name(y))\n"
            "z.sum().backward()\nprint(x.grad)",
            f"{_TENSORS}z = x * 1\ndel z[{place}]",
        ]
    return programs


def call_programs() -> list[str]:
    """Calls of the operators, most of them with arguments that PyTorch refuses."""
    return [
        f"{_SMALL}r = {call}\nprint(r)\n"
        "print([(t.shape, t.dtype) for t in (r if type(r) is tuple else [r])])"
        for call in _lines("index_calls.txt")
    ]
