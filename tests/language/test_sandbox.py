"""A program computes and does nothing else."""

from __future__ import annotations

import io
from typing import Any

import pytest

import gradcli.wiring  # noqa: F401 - methods of tensors
from gradcli.language import Machine, ParseError, compile_text, diagnose, render
from gradcli.language.allowed.builtins import REFUSED
from gradcli.tensor.classes import Class
from gradcli.tensor.dtypes import float32
from gradcli.tensor.formats import Device, strided
from gradcli.tensor.public import public

CLOSED_ATTRIBUTES = [
    "'a'.__class__.__mro__",
    "().__class__.__bases__[0].__subclasses__()",
    "(1).__add__(2)",
    "(lambda: 0).__globals__",
    "(lambda: 0).__code__",
    "(lambda: 0).machine",
    "(lambda: 0).code",
    "(i for i in [1]).gi_frame",
    "(i for i in [1]).machine",
    "print.__self__",
    "print.__globals__",
    "len.__self__",
    "'a'.upper.__self__",
    "'a'.join.__func__",
    "str.__mro__",
    "str.mro()",
    "type(1).__subclasses__()",
    "int.from_bytes",
    "'a'.format_map({})",
    "'a'.encode()",
    "'{0.__class__.__bases__}'.format(1)",
    "'{0.machine}'.format(lambda: 0)",
    "'{a.b.__class__}'.format(a=1)",
    "'{0:{0.__class__.__dict__}}'.format(1)",
    "ValueError('x').__traceback__.tb_frame",
    "ValueError('x').__traceback__.tb_next",
    "(lambda: 0).__wrapped__",
    "torch.__dict__",
    "torch.namespace",
    "torch.member",
    "math.__loader__",
    "[].__len__()",
    "{}.__init__",
    "None.__class__.__subclasses__",
    "True.__class__.__base__",
    "(1.5).__reduce__",
    "slice(1).__class__.__new__",
    "range(3).__iter__",
    "int.__name__.__class__.__init__",
    "f'{1 .__class__.__module__}'",
    "map(str, []).__class__.__call__",
]


@pytest.mark.parametrize("text", CLOSED_ATTRIBUTES)
def test_attributes_are_closed(text: str) -> None:
    with pytest.raises(AttributeError) as caught:
        Machine().run(compile_text(text))
    message = str(caught.value)
    assert message.endswith("is not part of the language") or "has no attribute" in message


@pytest.mark.parametrize(
    "text", ["'a'", "None", "slice(1)", "map(str, [])", "int", "len", "torch", "x", "x.numpy()"]
)
def test_the_class_of_a_value_is_a_token(text: str) -> None:
    text = f"x = torch.ones(1); {text}.__class__, type({text})"
    found, same = Machine().run(compile_text(text))
    assert type(found) is Class
    assert found is same


@pytest.mark.parametrize(
    "text",
    [
        "x = 'a'; x.foo = 1",
        "(lambda: 0).__code__ = 1",
        "torch.sin = 1",
        "int.real = 1",
        "x = ValueError('a'); x.__traceback__ = None",
        "x = ValueError('a'); x.__class__ = TypeError",
        "del print.__name__",
        "del torch.sin",
        "x = 1; x.real = 2",
    ],
)
def test_attributes_cannot_be_set(text: str) -> None:
    with pytest.raises(AttributeError):
        Machine().run(compile_text(text))


CLOSED_NAMES = sorted(REFUSED)


@pytest.mark.parametrize("name", CLOSED_NAMES)
def test_names_are_closed(name: str) -> None:
    with pytest.raises(NameError) as caught:
        Machine().run(compile_text(f"x = 1\n{name}('x')"))
    assert str(caught.value) == f"'{name}' is not part of the language"
    assert diagnose(caught.value).line == 2


@pytest.mark.parametrize("name", ["__loader__", "__spec__", "__file__", "sys", "os", "gradcli"])
def test_other_names_are_unknown(name: str) -> None:
    with pytest.raises(NameError, match="is not defined"):
        Machine().run(compile_text(name))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("async def f(): pass", "async"),
        ("await f()", "await"),
        ("x = await f()", "await"),
        ("x.async", "async"),
        ("f(async=1)", "async"),
    ],
)
def test_statements_are_closed(text: str, word: str) -> None:
    with pytest.raises(ParseError) as caught:
        compile_text("a = 1\n" + text)
    shown = caught.value.diagnostic
    assert shown.type == "SyntaxError"
    assert shown.message == f"'{word}' is not part of the language"
    assert shown.line >= 2
    assert shown.source[shown.column - 1 : shown.end_column - 1] == word


@pytest.mark.parametrize(
    "module",
    ["builtins", "posix", "site", "gradcli", "gradcli.language", "torch.nowhere", "ctypes_", "_io"],
)
def test_imports_only_bind(module: str) -> None:
    for text in (f"import {module}", f"import {module} as m", f"from {module} import x"):
        with pytest.raises(ModuleNotFoundError) as caught:
            Machine().run(compile_text(text))
        assert "an import only binds" in render(diagnose(caught.value))


@pytest.mark.parametrize(
    "text",
    [
        "type('X', (), {})",
        "list(map(type, ['X'], [()], [{}]))",
        "type(lambda: 0)()",
        "type(print)()",
        "type(torch)('x', None)",
        "type(i for i in [1])()",
        "type(type)('X', (), {})",
        "list[int](range(3))",
        "sorted([1], key=type(lambda: 0))",
        "list(map(type(torch), [1]))",
        "type(iter([]))()",
    ],
)
def test_types_make_only_listed_values(text: str) -> None:
    with pytest.raises(TypeError):
        Machine().run(compile_text(text))


def test_print_writes_nowhere_else() -> None:
    output = io.StringIO()
    machine = Machine(write=output.write)
    with pytest.raises(TypeError, match="printing to a file"):
        machine.run(compile_text("print('a', file=print)"))
    machine.run(compile_text("print('b', flush=True, end='')"))
    assert output.getvalue() == "b"


def test_streams_write_where_print_does(capsys: pytest.CaptureFixture[str]) -> None:
    outer, inner = io.StringIO(), io.StringIO()
    within = Machine(write=inner.write)
    text = "import sys\nsys.stdout.write('a')\nprint('b', file=sys.stderr)"
    held = compile_text(f"f()\n{text}")
    machine = Machine({"f": lambda: within.run(compile_text(text))}, write=outer.write)
    machine.run(held)
    assert (outer.getvalue(), inner.getvalue()) == ("a", "a")
    assert tuple(capsys.readouterr()) == ("", "b\nb\n")


def test_streams_take_text_only() -> None:
    with pytest.raises(TypeError, match=r"write\(\) argument must be str, not int"):
        Machine().run(compile_text("import sys\nsys.stdout.write(3)"))


@pytest.mark.parametrize("name", ["buffer", "fileno", "close", "reconfigure", "writes", "_own"])
def test_streams_give_no_file(name: str) -> None:
    with pytest.raises(AttributeError):
        Machine().run(compile_text(f"import sys\nsys.stdout.{name}"))


def test_what_a_class_does_not_list_is_closed() -> None:
    @public("public fixed _version", writes="public")
    class Thing:
        secret = 1
        public = 2
        fixed = 3
        _version = 4
        _hidden = 5

    variables: dict[str, Any] = {"t": Thing()}
    run = lambda text: Machine(dict(variables)).run(compile_text(text))
    assert run("t.public, t.fixed, t._version") == (2, 3, 4)
    run("t.public = 7")
    for name in ("secret", "_hidden"):
        with pytest.raises(AttributeError):
            run(f"t.{name}")
    for name in ("secret", "fixed", "_version", "_hidden", "__class__"):
        with pytest.raises(AttributeError):
            run(f"t.{name} = 1")
    for name in ("public", "secret"):
        with pytest.raises(AttributeError):
            run(f"del t.{name}")


LEAF = "x = torch.ones(2, requires_grad=True); "
SINK = LEAF + "n = x.sum().grad_fn.next_functions[0][0]; "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("torch.float32.np = torch.float64.np", "'torch.dtype' object has no attribute 'np'"),
        ("del torch.int64.np", "'torch.dtype' object has no attribute 'np'"),
        ("torch.float32.name", "'torch.dtype' object has no attribute 'name'"),
        (
            "torch.float32.itemsize = 3",
            "attribute 'itemsize' of 'torch.dtype' objects is not writable",
        ),
        (
            "torch.device('cpu').type = 'a'",
            "attribute 'type' of 'torch.device' objects is not writable",
        ),
        ("torch.strided.name = 'a'", "'torch.layout' object has no attribute 'name'"),
        (
            "torch.finfo(torch.float32).max = 3",
            "attribute 'max' of 'torch.finfo' objects is not writable",
        ),
        (
            "torch.manual_seed(0).rand",
            "'torch._C.Generator' object has no attribute 'rand'",
        ),
        (
            LEAF + "x.shape = 3",
            "attribute 'shape' of 'torch._C.TensorBase' objects is not writable",
        ),
        (LEAF + "x.sum().grad_fn.variable", "'SumBackward0' object has no attribute 'variable'"),
        (
            SINK + "n.variable = 3",
            "attribute 'variable' of 'AccumulateGrad' objects is not writable",
        ),
        (SINK + "n.post_accumulate", "'AccumulateGrad' object has no attribute 'post_accumulate'"),
        (
            "torch.max(torch.ones(1, 1), 0).value",
            "'torch.return_types.max' object has no attribute 'value'",
        ),
    ],
)
def test_engine_objects_answer_as_pytorchs(text: str, message: str) -> None:
    with pytest.raises(AttributeError) as caught:
        Machine().run(compile_text(text))
    assert str(caught.value) == message


def test_gradients_can_be_deleted() -> None:
    text = LEAF + "x.sum().backward(); a = x.grad; del x.grad; a is None, x.grad"
    assert Machine().run(compile_text(text)) == (False, None)


def test_shared_values_are_fixed() -> None:
    for value, name in ((float32, "np"), (strided, "name"), (Device("cpu"), "type")):
        with pytest.raises(AttributeError):
            setattr(value, name, None)
        with pytest.raises(AttributeError):
            delattr(value, name)


def test_classes_are_known_by_identity() -> None:
    @public("shown")
    class Known:
        shown = hidden = 1

    impostor = type("Known", (Known,), {"__module__": "gradcli.tensor.tensor"})
    for text in ("x.shown", "x.hidden", "x.shown = 2"):
        with pytest.raises(AttributeError):
            Machine({"x": impostor()}).run(compile_text(text))


def test_foreign_objects_are_closed() -> None:
    class Foreign:
        public = 1

    with pytest.raises(AttributeError, match="not part of the language"):
        Machine({"x": Foreign()}).run(compile_text("x.public"))
