"""What names mean: variables, built-ins, then the engine's tables (here, a small engine)."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest

from gradcli.language import Machine, Namespace, compile_text, diagnose, render
from gradcli.language.allowed.attributes import attribute
from gradcli.language.allowed.builtins import CLASSES
from gradcli.tensor.public import public


class Type:
    """A tensor's type."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"


TYPES = {name: Type(name) for name in ("float32", "float64", "int64", "bool", "complex64")}
TYPES |= {"float": TYPES["float32"], "double": TYPES["float64"]}


@public("data detach dtype from_detach item requires_grad shape to")
class Tensor:
    """As much of a tensor as the language touches."""

    def __init__(self, data: Any, dtype: Any = None, requires_grad: bool = False) -> None:
        self.data = data
        numbers = data if isinstance(data, list) else [data]
        inferred = "float32" if any(isinstance(n, float) for n in numbers) else "int64"
        if any(isinstance(n, complex) for n in numbers):
            inferred = "complex64"
        self.dtype = dtype or TYPES[inferred]
        self.requires_grad = requires_grad
        self.shape = (len(data),) if isinstance(data, list) else ()
        self.from_detach = False

    def detach(self) -> Tensor:
        other = Tensor(self.data, self.dtype)
        other.from_detach = True
        return other

    def to(self, dtype: Type) -> Tensor:
        return Tensor(self.data, dtype)

    def requires_grad_(self) -> Tensor:
        self.requires_grad = True
        return self

    def is_floating_point(self) -> bool:
        return self.dtype.name.startswith("float")

    def is_complex(self) -> bool:
        return self.dtype.name.startswith("complex")

    def __matmul__(self, other: Tensor) -> Tensor:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)")

    def item(self) -> float:
        raise RuntimeError("a Tensor with 3 elements cannot be converted to Scalar")


FUNCTIONS = {
    "tensor": Tensor,
    "sin": lambda x: ("torch.sin", x),
    "sum": lambda x, *a: ("torch.sum", x),
    "max": lambda x, *a: ("torch.max", x),
    "abs": lambda x: ("torch.abs", x),
    "nn.functional.relu": lambda x: ("F.relu", x),
    "nn.functional.sin": lambda x: ("F.sin", x),
    "linalg.inv": lambda x: ("inv", x),
    "autograd.grad": lambda x: ("grad", x),
    "autograd.functional.jacobian": lambda f, x: ("jacobian", f(x)),
}


class Engine:
    """An engine with a handful of functions."""

    tensor = Tensor
    dtypes = TYPES
    types: dict[str, type] = {"Tensor": Tensor, "dtype": Type}  # noqa: RUF012
    default_dtype = TYPES["float32"]

    def lookup(self, name: str) -> Any:
        return FUNCTIONS.get(name)

    def bare(self, function: Any) -> Any:
        return function

    def lists(self, name: str) -> bool:
        return name in FUNCTIONS

    def names(self) -> list[str]:
        return list(FUNCTIONS)

    def bare_names(self) -> list[str]:
        return []

    def methods(self) -> list[str]:
        return ["detach", "item"]


NAMESPACE = Namespace(Engine())


def run(text: str, **variables: Any) -> Any:
    return Machine(variables, namespace=NAMESPACE).run(compile_text(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sin(1)", ("torch.sin", 1)),
        ("torch.sin(1)", ("torch.sin", 1)),
        ("relu(1)", ("F.relu", 1)),
        ("F.relu(1)", ("F.relu", 1)),
        ("F.sin(1)", ("F.sin", 1)),
        ("torch.nn.functional.relu(1)", ("F.relu", 1)),
        ("nn.functional.relu(1)", ("F.relu", 1)),
        ("torch.linalg.inv(1)", ("inv", 1)),
        ("linalg.inv(1)", ("inv", 1)),
        ("torch.autograd.grad(1)", ("grad", 1)),
        ("autograd.grad(1)", ("grad", 1)),
        ("cosh(0)", 1.0),
        ("math.sin(0)", 0.0),
        ("torch.pi, pi, inf", (math.pi, math.pi, math.inf)),
        ("torch.newaxis, newaxis", (None, None)),
        ("torch.float64, float64, torch.double", (TYPES["float64"],) * 3),
        ("float, int", (CLASSES["float"], CLASSES["int"])),
        ("sum([1, 2]), max(1, 2), abs(-1)", (3, 2, 1)),
        ("max([1, 2], key=lambda v: -v)", 1),
        ("isinstance(x, torch.Tensor), isinstance(1, torch.Tensor)", (True, False)),
        ("isinstance(x, Tensor), type(x) is torch.Tensor", (True, True)),
        ("import torch as t; t.sin(1)", ("torch.sin", 1)),
        ("import torch; torch.sin(1)", ("torch.sin", 1)),
        ("import torch.nn.functional; torch.nn.functional.relu(1)", ("F.relu", 1)),
        ("import torch.nn.functional as G; G.relu(1)", ("F.relu", 1)),
        ("import torch.nn as n, math as m; n.functional.relu(m.floor(1.5))", ("F.relu", 1)),
        ("from torch import sin as s, linalg; s(1), linalg.inv(2)", (("torch.sin", 1), ("inv", 2))),
        (
            "from torch.autograd.functional import jacobian\njacobian(lambda v: v + 1, 2)",
            ("jacobian", 3),
        ),
        ("from torch import *; sin(1)", ("torch.sin", 1)),
        ("from math import *; sin(0), pi", (0.0, math.pi)),
        ("from torch import float64; float64", TYPES["float64"]),
        ("sin = 5; sin", 5),
        ("torch", NAMESPACE.modules["torch"]),
    ],
)
def test_names(text: str, value: Any) -> None:
    assert run(text, x=Tensor([1, 2])) == value


@pytest.mark.parametrize("star", ["from torch import *; ", "max = 5\nfrom torch import *\n"])
def test_all_names_of_torch_stand_before_those_of_python(star: str) -> None:
    x = Tensor([1])
    assert run(f"{star}sum(x), max(x, 0), abs(x)", x=x) == (
        ("torch.sum", x),
        ("torch.max", x),
        ("torch.abs", x),
    )
    assert run(f"{star}len([1]), float", x=x) == (1, TYPES["float32"])
    assert run(f"{star}max = 3; max") == 3


def test_the_last_star_wins_and_spares_what_came_after_the_first() -> None:
    assert run("from torch import *; relu = 5; from math import *; sin(0), relu") == (0.0, 5)
    assert run("from math import *; from torch import *; sin(0)") == ("torch.sin", 0)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("sinn(1)", "NameError: name 'sinn' is not defined", ""),
        ("torch.foo", "AttributeError: module 'torch' has no attribute 'foo'", ""),
        ("F.foo", "AttributeError: module 'torch.nn.functional' has no attribute 'foo'", ""),
        ("import torch.foo", "ModuleNotFoundError: No module named 'torch.foo'", "only binds"),
        ("from torch import foo", "ImportError: cannot import name 'foo' from 'torch'", ""),
        ("np.sin(1)", "NameError: name 'np' is not defined", ""),
        ("x.inside", "AttributeError: 'Tensor' object has no attribute 'inside'", ""),
        (
            "None._saved_self",
            "AttributeError: 'NoneType' object has no attribute '_saved_self'",
            "",
        ),
    ],
)
def test_unknown_names(text: str, message: str, hint: str) -> None:
    with pytest.raises((NameError, AttributeError, ImportError)) as caught:
        run(text, x=Tensor(1))
    shown = render(diagnose(caught.value))
    assert message in shown
    assert hint in shown


def test_shapes_of_operands_are_shown() -> None:
    variables = {"x": Tensor([1, 2, 3]), "y": Tensor([1, 2])}
    with pytest.raises(RuntimeError) as caught:
        run("1 + (x @ y)", **variables)
    shown = render(diagnose(caught.value)).splitlines()
    assert shown[3] == "  |      ^^^^^ shape [3] @ shape [2]"
    with pytest.raises(RuntimeError) as caught:
        run("x.item()", **variables)
    shown = render(diagnose(caught.value)).splitlines()
    assert shown[3] == "  | ^^^^^^^^ shape [3]"
    assert shown[4] == "hint: reduce it first (sum(), mean()), or use tolist()"


@pytest.mark.parametrize(
    ("text", "dtype", "grad"),
    [
        ("let a = 3", "float32", True),
        ("let a = [1, 2]", "float32", True),
        ("let a = True", "float32", True),
        ("let a = 1 + 2j", "complex64", True),
        ("let a: float64 = 3", "float64", True),
        ("let a: torch.float64 = 3", "float64", True),
        ("let a: float = 3", "float32", True),
        ("let a: double = 3", "float64", True),
        ("w = float64; let a: w = 3", "float64", True),
        ("let a = torch.tensor([1, 2])", "float32", True),
        ("let a = torch.tensor([1.0], dtype=torch.float64)", "float64", True),
        ("let a: float64 = torch.tensor([1.0])", "float64", True),
        ("const a = 3", "int64", False),
        ("const a = [1.0, 2]", "float32", False),
        ("const a: float64 = [1, 2]", "float64", False),
        ("const a = torch.tensor([1.0], requires_grad=True)", "float32", False),
    ],
)
def test_declarations(text: str, dtype: str, grad: bool) -> None:
    machine = Machine(namespace=NAMESPACE)
    code = compile_text(text)
    assert machine.run(code) is None
    declared = machine.declared["a"]
    assert declared is machine.globals["a"]
    assert (declared.dtype.name, declared.requires_grad) == (dtype, grad)
    assert list(code.declared) == ["a"]


def test_a_declared_tensor_is_detached() -> None:
    machine = Machine({"x": Tensor([1.0])}, namespace=NAMESPACE)
    machine.run(compile_text("let y = x; let z = y"))
    assert list(machine.declared) == ["y", "z"]
    assert machine.globals["y"].from_detach
    assert machine.globals["y"] is not machine.globals["x"]


@pytest.mark.parametrize("text", ["let a: nothing = 3", "let a: 5 = 3", "let a: str = 3"])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(TypeError):
        run(text)


@pytest.mark.parametrize(
    ("text", "free"),
    [
        ("x + y", ["x", "y"]),
        ("y + x * y", ["y", "x"]),
        ("let x = 3; x + y", ["y"]),
        ("[i + z for i in range(3)]", ["z"]),
        ("lambda a: a + b", ["b"]),
        ("def f(a):\n    return a + c\nf(d)", ["d", "c"]),
        ("x = 1\ndel x\nx", []),
        ("math.pi + print(len('a'))", []),
        ("open('x')", []),
        ("for k in v: k", ["v"]),
        ("f'{u}'", ["u"]),
    ],
)
def test_free_names(text: str, free: list[str]) -> None:
    code = compile_text(text)
    assert [name for name in code.read_names if not NAMESPACE.knows(name)] == free


def test_calls_back_from_python() -> None:
    machine = Machine(namespace=NAMESPACE)
    machine.run(compile_text("def f(a, *b, c=1):\n    return a, b, c"))
    function = machine.globals["f"]
    assert function(1, 2, c=3) == (1, (2,), 3)
    assert machine.call(function, 5) == (5, (), 1)
    assert machine.call(len, "abc") == 3
    assert (function.__name__, function.__qualname__) == ("f", "f")
    with pytest.raises(TypeError, match=r"^f\(\) missing 1 required positional argument: 'a'$"):
        function()


def test_print_goes_to_write() -> None:
    output = io.StringIO()
    Machine(write=output.write).run(compile_text("print(1, 'a', sep='-'); print()"))
    assert output.getvalue() == "1-a\n\n"


class Context:
    """A context manager that notes what happens."""

    def __init__(self, log: list[str], name: str, swallow: bool = False) -> None:
        self.log, self.name, self.swallow = log, name, swallow

    def __enter__(self) -> str:
        self.log.append(f"enter {self.name}")
        return self.name

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        self.log.append(f"leave {self.name} {kind.__name__ if kind else None}")
        return self.swallow


@pytest.mark.parametrize(
    ("text", "log"),
    [
        ("with a as n, b: n", ["enter a", "enter b", "leave b None", "leave a None"]),
        (
            "with a:\n    with b: 1 / 0",
            ["enter a", "enter b", "leave b ZeroDivisionError", "leave a ZeroDivisionError"],
        ),
        (
            "def f():\n    with b: return 1\nwith a: f()",
            ["enter a", "enter b", "leave b None", "leave a None"],
        ),
        (
            "def f():\n    with b: 1 / 0\nwith a: f()",
            ["enter a", "enter b", "leave b ZeroDivisionError", "leave a ZeroDivisionError"],
        ),
        (
            "for i in range(2):\n    with a:\n        if i: break\n        continue",
            ["enter a", "leave a None"] * 2,
        ),
        (
            "while True:\n    with a, b:\n        break",
            ["enter a", "enter b", "leave b None", "leave a None"],
        ),
        ("with s: 1 / 0\nprint('on')", ["enter s", "leave s ZeroDivisionError", "on\n"]),
        (
            "def f():\n    with b: 1 / 0\nwith s: f()\nprint('on')",
            [
                "enter s",
                "enter b",
                "leave b ZeroDivisionError",
                "leave s ZeroDivisionError",
                "on\n",
            ],
        ),
        (
            "def f():\n    with s: [1 / 0]\n    return 5\nprint(f() + 1)",
            ["enter s", "leave s ZeroDivisionError", "6\n"],
        ),
    ],
)
def test_contexts_are_left(text: str, log: list[str]) -> None:
    seen: list[str] = []
    variables = {name: Context(seen, name) for name in "ab"}
    variables["s"] = Context(seen, "s", swallow=True)
    machine = Machine(variables, write=seen.append)
    if "ZeroDivisionError" in " ".join(log) and "leave s" not in " ".join(log):
        with pytest.raises(ZeroDivisionError):
            machine.run(compile_text(text))
    else:
        machine.run(compile_text(text))
    assert seen == log
    assert machine.depth == 0


def test_an_error_while_leaving_replaces_the_first() -> None:
    class Broken(Context):
        def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
            super().__exit__(kind, error, trace)
            raise ValueError("broken")

    seen: list[str] = []
    variables = {"a": Context(seen, "a"), "b": Broken(seen, "b")}
    with pytest.raises(ValueError, match="broken"):
        Machine(variables).run(compile_text("with a, b: 1 / 0"))
    assert seen == [
        "enter a",
        "enter b",
        "leave b ZeroDivisionError",
        "leave a ValueError",
    ]


def test_value_of_the_last_statement() -> None:
    machine = Machine()
    for text, value, is_expression in [
        ("1; 2", 2, True),
        ("x = 1", None, False),
        ("x = 1; x", 1, True),
        ("if True: 5", None, False),
        ("", None, False),
        ("# nothing", None, False),
        ("1, 2", (1, 2), True),
    ]:
        code = compile_text(text, "program")
        assert machine.run(code) == value
        assert code.ends_in_expression is is_expression


def test_one_policy_decides() -> None:
    assert attribute("abc", "upper")() == "ABC"
    assert attribute(Tensor(1), "shape") == ()
    with pytest.raises(AttributeError):
        attribute("abc", "__dict__")
