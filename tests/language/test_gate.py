"""One gate for calls, tokens for classes, wrapped arrays, numbers in the place of addresses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcli.wiring  # noqa: F401 - methods of tensors
from gradcli.language import Machine, compile_text, diagnose
from gradcli.tensor.arrays import Array
from gradcli.tensor.public import admit


def run(text: str, **variables: Any) -> Any:
    return Machine(dict(variables)).run(compile_text(text))


@pytest.mark.parametrize(
    "given",
    ["type(int)", "type(torch.ones(1).numpy())", "type(torch)", "type(torch.float32)", "torch"],
)
@pytest.mark.parametrize(
    "call",
    [
        "GIVEN('A', (type(torch.ones(1).numpy()),), {})",
        "torch.no_grad()(GIVEN)('A', (), {})",
        "torch.no_grad(GIVEN)('A', (), {})",
        "torch.set_grad_enabled(True)(GIVEN)('A', (), {})",
        "torch.inference_mode()(GIVEN)((3,), 'u1')",
        "list(map(GIVEN, ['A'], [()], [{}]))",
        "sorted([1, 2], key=torch.enable_grad()(GIVEN))[0].a",
        "iter(GIVEN, 1).a",
        "torch.ones(1).apply_(GIVEN)",
        "torch.ones(1).map_(torch.ones(1), GIVEN)",
        "torch.autograd.functional.jacobian(GIVEN, torch.ones(1))",
        "torch.autograd.functional.hvp(GIVEN, torch.ones(1), torch.ones(1))",
        "torch.func.grad(GIVEN)('A', (), {})",
        "torch.func.vjp(GIVEN, torch.ones(1))",
        "torch.func.jvp(GIVEN, (torch.ones(1),), (torch.ones(1),))",
        "torch.func.linearize(GIVEN, torch.ones(1))[0].a",
        "torch.func.jacrev(GIVEN)(torch.ones(1))",
        "torch.func.functionalize(GIVEN)('A', (), {})",
        "torch.autograd.forward_ad.dual_level()(GIVEN)('A', (), {})",
        "import functools\nfunctools.partial(GIVEN, 'A', ())({}).a",
        "import functools\nfunctools.reduce(GIVEN, ['A', ()]).a",
        "torch.testing.assert_close(torch.ones(1), torch.zeros(1), msg=GIVEN).a",
    ],
)
def test_no_call_makes_a_class_or_an_array(given: str, call: str) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError, AssertionError, RuntimeError)):
        run(call.replace("GIVEN", given))


@pytest.mark.parametrize(
    "text",
    [
        "[3].sort(key=f)",
        "sorted([3], key=f)",
        "max([3, 1], key=f)",
        "list(map(f, [1]))",
        "list(filter(f, [1]))",
        "next(iter(f, 1))",
        "torch.no_grad()(f)()",
        "torch.set_grad_enabled(True)(f)()",
        "torch.ones(1).apply_(f)",
        "torch.ones(1).map_(torch.ones(1), f)",
        "torch.autograd.functional.vjp(f, torch.ones(1))",
        "x = torch.ones(1, requires_grad=True); x.register_hook(f); x.sum().backward()",
        "x = torch.ones(1, requires_grad=True); y = x * 2; y.register_hook(f); y.sum().backward()",
        "x = torch.ones(1, requires_grad=True); x.register_post_accumulate_grad_hook(f); "
        "x.sum().backward()",
        "x = torch.ones(1, requires_grad=True).sum(); x.grad_fn.register_hook(f); x.backward()",
        "x = torch.ones(1, requires_grad=True).sum(); x.grad_fn.register_prehook(f); x.backward()",
        "f(1)",
        "f(*[1])",
    ],
)
def test_whatever_calls_for_a_program_asks_the_gate(text: str) -> None:
    for stranger in (
        np.ndarray,
        np.add,
        type("Meta", (type,), {"__call__": lambda *_: 1})("A", (), {}),
    ):
        with pytest.raises(TypeError, match="object is not callable"):
            run(text, f=stranger)


def test_the_gate_admits_what_python_programs_define() -> None:
    class Double:
        def __call__(self, value: Any) -> Any:
            return 2 * value

    assert admit(Double())(2) == 4
    assert admit(len)("ab") == 2
    for refused in (int, type, np.ndarray, np.add, 3, None):
        with pytest.raises(TypeError):
            admit(refused)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("type(torch.ones(1))", "<class 'torch.Tensor'>"),
        ("torch.Tensor", "<class 'torch.Tensor'>"),
        ("type((torch.ones(1, requires_grad=True) * 2).grad_fn)", "<class 'MulBackward0'>"),
        ("type(1), type('a'), type(None)", "(<class 'int'>, <class 'str'>, <class 'NoneType'>)"),
        ("type(int), type(type(int))", "(<class 'type'>, <class 'type'>)"),
        ("type(print), type(len)", "(<class 'builtin_function_or_method'>,) * 2"),
        ("type(torch.sin), type(torch.ones(1).sin)", "(<class 'builtin_function_or_method'>,) * 2"),
        ("type(F.softmax), type(lambda: 0)", "(<class 'function'>,) * 2"),
        ("type(torch.float32)", "<class 'torch.dtype'>"),
        ("type(torch.ones(1).shape)", "<class 'torch.Size'>"),
        ("type(torch.device('cpu'))", "<class 'torch.device'>"),
        ("type(torch.max(torch.ones(1, 1), 0))", "<class 'torch.return_types.max'>"),
        ("type(torch.no_grad())", "<class 'torch.autograd.grad_mode.no_grad'>"),
        (
            "type(torch.ones(1, requires_grad=True).register_hook(print))",
            "<class 'torch.utils.hooks.RemovableHandle'>",
        ),
        ("type(torch.Generator())", "<class 'torch._C.Generator'>"),
        ("type(torch.FloatTensor)", "<class 'torch.tensortype'>"),
        ("type(ValueError('x'))", "<class 'ValueError'>"),
        ("type(torch.ones(1).numpy())", "<class 'numpy.ndarray'>"),
        ("type(torch.ones(1).numpy()[0])", "<class 'numpy.float32'>"),
        ("type(torch.ones(1).numpy().dtype)", "<class 'numpy.dtypes.Float32DType'>"),
    ],
)
def test_classes_print_as_pytorchs(text: str, shown: str) -> None:
    if shown.endswith(",) * 2"):
        one = shown[1 : -len(",) * 2")]
        shown = f"({one}, {one})"
    assert repr(run(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "type(3) is int and type(3) == int and type(3) != float",
        "{int: 1}[type(3)] == 1",
        "type(torch.ones(1)) is torch.Tensor",
        "isinstance(torch.ones(1), torch.Tensor) and isinstance(3, (int, torch.Tensor))",
        "isinstance(True, int) and not isinstance(1, bool) and isinstance(int, type)",
        "isinstance(torch.ones(1), type(torch.ones(2)))",
        "isinstance(KeyError('a'), LookupError)",
        "type(3)('4') == 4 and type([])((1,)) == [1] and type(torch.Size([1]))([2])[0] == 2",
        "type(3).__name__ == 'int' and type(torch.ones(1)).__name__ == 'Tensor'",
        "isinstance(torch.FloatTensor([1]), torch.FloatTensor)",
        "torch.ones(1, dtype=float).dtype == torch.float64",
        "list(map(int, ['3'])) == [3] and sorted(['2', '10'], key=int) == ['2', '10']",
    ],
)
def test_tokens_serve_as_classes(text: str) -> None:
    assert run(text) is True


def test_nodes_are_told_apart_by_their_names() -> None:
    text = "x = torch.ones(1, requires_grad=True); a, b = (x * 2).grad_fn, (x / 2).grad_fn; "
    assert run(text + "type(a) == type((x * 3).grad_fn)") is True
    assert run(text + "type(a) == type(b), isinstance(a, type(b))") == (False, False)


@pytest.mark.parametrize(
    "text",
    [
        "torch.dtype('O', '', '', 2)",
        "type(torch.float32)()",
        "type(lambda: 0)()",
        "type(torch.ones(1).numpy())((3,), 'u1')",
        "type((torch.ones(1, requires_grad=True) * 2).grad_fn)()",
    ],
)
def test_tokens_make_only_what_is_listed(text: str) -> None:
    with pytest.raises(TypeError, match="cannot create"):
        run(text)


@pytest.mark.parametrize("text", ["int.real", "torch.Tensor.grad", "torch.Size.numel.__code__"])
def test_descriptors_stay_in_classes(text: str) -> None:
    with pytest.raises(AttributeError):
        run(text)


ARRAY = "a = torch.arange(4.).numpy(); "


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a", "array([0., 1., 2., 3.], dtype=float32)"),
        ("str(a)", "'[0. 1. 2. 3.]'"),
        ("a.sum()", "np.float32(6.0)"),
        ("f'{a.mean():.2f} {a.max()}'", "'1.50 3.0'"),
        ("a.shape, a.ndim, a.size", "((4,), 1, 4)"),
        ("a.dtype, str(a.dtype)", "(dtype('float32'), 'float32')"),
        ("a.reshape(2, 2).T", "array([[0., 2.],\n       [1., 3.]], dtype=float32)"),
        ("a.reshape(2, 2).sum(axis=0, keepdims=True)", "array([[2., 4.]], dtype=float32)"),
        ("a[a > 1]", "array([2., 3.], dtype=float32)"),
        ("a[1], a[-1].item(), a[1:3].tolist()", "(np.float32(1.0), 3.0, [1.0, 2.0])"),
        ("2 * a + [1, 2, 3, 4]", "array([ 1.,  4.,  7., 10.])"),
        ("a.astype(int)", "array([0, 1, 2, 3])"),
        ("len(a), list(a)[:1], float(a[1]), bool(a[0])", "(4, [np.float32(0.0)], 1.0, False)"),
        ("torch.tensor(a), torch.tensor([a[0], a[1]])", None),
        ("torch.ones(4) * a, torch.ones(4)[a.astype(int) > 1]", None),
    ],
)
def test_arrays_answer_as_numpys(text: str, shown: str | None) -> None:
    found = run(ARRAY + text)
    if shown is None:
        assert "tensor" in repr(found[0])
        assert "tensor" in repr(found[1])
    else:
        assert repr(found) == shown


def test_arrays_share_memory_with_tensors() -> None:
    text = (
        "x = torch.zeros(3); a = x.numpy(); a[0] = 5; a += 1; y = torch.from_numpy(a); y[1] = 7; "
    )
    assert run(text + "x.tolist(), a.tolist()") == ([6.0, 7.0, 1.0], [6.0, 7.0, 1.0])
    assert run(text + "torch.as_tensor(a)[2] = 9; x[2].item()") == 9.0
    assert run(text + "torch.tensor(a)[2] = 9; x[2].item()") == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "a + [10**30]",
        "a + [None]",
        "a + 'b'",
        "a == ['b']",
        "a.astype('O')",
        "a.astype('S3')",
        "a.astype(str)",
        "a.sum(dtype='O')",
        "a.clip([None], 3)",
        "a.fill('b')",
        "a.sum(axis='b')",
        "a.sum(0, None, True, 1)",
        "a[0] + 'b'",
        "a @ [[None]] * 4",
    ],
)
def test_arrays_hold_numbers_only(text: str) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        run(ARRAY + text)


@pytest.mark.parametrize(
    "name",
    [
        "tofile",
        "dump",
        "dumps",
        "data",
        "ctypes",
        "base",
        "view",
        "setflags",
        "__array_interface__",
        "__array_struct__",
        "__reduce__",
        "getfield",
        "tobytes",
        "byteswap",
        "newbyteorder",
        "resize",
    ],
)
def test_arrays_list_their_methods(name: str) -> None:
    for value in ("a", "a[0]", "a.dtype", "a.sum"):
        with pytest.raises(AttributeError):
            run(f"{ARRAY}{value}.{name}")


def test_bare_arrays_stay_inside() -> None:
    assert type(run("torch.ones(1).numpy()")) is Array
    assert type(run("torch.Tensor.numpy(torch.ones(1))")) is Array
    assert run("g = torch.Generator(); isinstance(g.get_state(), torch.Tensor)") is True
    with pytest.raises(TypeError, match="invalid combination"):
        run("torch.bitwise_and(2, 1)")


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        ("manual_seed()", "takes exactly one argument (0 given)"),
        ("manual_seed('a')", "manual_seed expected a long, but got str"),
        ("manual_seed(torch.ones(2))", "manual_seed expected a long, but got Tensor"),
        ("manual_seed(2**64)", "Overflow when unpacking long long"),
        ("set_state(3)", "expected a torch.ByteTensor, but got int"),
        ("set_state()", "Generator.set_state() takes exactly one argument (0 given)"),
        ("get_state(1)", "Generator.get_state() takes no arguments (1 given)"),
        ("seed(3)", "Generator.seed() takes no arguments (1 given)"),
        ("initial_seed(3, 4)", "Generator.initial_seed() takes no arguments (2 given)"),
    ],
)
def test_methods_of_streams_check_their_arguments(call: str, complaint: str) -> None:
    with pytest.raises((TypeError, RuntimeError, ValueError), match=re.escape(complaint)):
        run(f"torch.Generator().{call}")


def test_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with pytest.raises((TypeError, AttributeError)):
        run(
            "T = torch.no_grad()(type(int)); "
            "A = T('A', (type(torch.ones(1).numpy()),), {'__module__': 'torch.'}); "
            f"a = torch.no_grad()(A)((3,), 'u1'); a.tofile({str(path)!r})"
        )
    assert not path.exists()


def test_numbers_of_objects_are_no_addresses() -> None:
    thing = run("lambda: 0")
    assert run("id(f)", f=thing) != id(thing)
    assert run("id(f) == id(f) and id(f) != id(g)", f=thing, g=run("lambda: 0")) is True
    number = run("hex(id(f))", f=thing)
    for text in ("str(f)", "repr([f])", "f'{f}'", "f'{f!r:}'", "'{}'.format(f)", "'%s' % f"):
        assert f"at {number}>" in run(text, f=thing), text
    printed: list[str] = []
    Machine({"f": thing}, write=printed.append).run(compile_text("print(f, [f])"))
    assert re.findall(r"0x[0-9a-f]+", printed[0]) == [number, number]


def test_hashes_tell_no_address() -> None:
    thing = run("torch.ones(1)")
    guesses = {hash(thing), hash((thing,)), hash(frozenset([thing])), id(thing)}
    for text in ("hash(x)", "hash((x,))", "hash(frozenset([x]))"):
        assert run(text, x=thing) not in guesses
        assert run(f"{text} == {text}", x=thing) is True
    assert run("hash((1, 2.5)), hash(3)") == (hash((1, 2.5)), 3)
    assert run("hash(torch.device('cpu')) == hash(torch.device('cpu'))") is True


def test_errors_show_no_address() -> None:
    thing = run("lambda: 0")
    with pytest.raises(KeyError) as caught:
        run("{}[f]", f=thing)
    assert f"{id(thing):x}" not in diagnose(caught.value).message


def test_words_of_a_program_stay_as_they_are() -> None:
    assert run("str('<a at 0x10>') + f'{\"<a at 0x10>\"}'") == "<a at 0x10><a at 0x10>"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "torch.float32 + 1",
            TypeError,
            "unsupported operand type(s) for +: 'torch.dtype' and 'int'",
        ),
        ("torch[0]", TypeError, "'module' object is not subscriptable"),
        ("torch.device('cpu')[0]", TypeError, "'torch.device' object is not subscriptable"),
        (
            "f'{torch.float32:5}'",
            TypeError,
            "unsupported format string passed to torch.dtype.__format__",
        ),
        (
            "f'{torch.ones(3):5}'",
            TypeError,
            "unsupported format string passed to Tensor.__format__",
        ),
        (
            "torch.Size(['a'])",
            TypeError,
            "torch.Size() takes an iterable of 'int' (item 0 is 'str')",
        ),
        (
            "torch.Size([1.5])",
            TypeError,
            "torch.Size() takes an iterable of 'int' (item 0 is 'float')",
        ),
        ("torch.Size([1]) + [2]", TypeError, "can only concatenate tuple (not list) to torch.Size"),
        ("x = torch.ones(1); x.requires_grad = 3", RuntimeError, "requires_grad must be a bool"),
        (
            "x = torch.ones(1); x.data = 'a'",
            TypeError,
            "Variable data has to be a tensor, but got str",
        ),
        ("del a[0]", ValueError, "cannot delete array elements"),
        ("a[5]", IndexError, "index 5 is out of bounds for axis 0 with size 3"),
        ("a[5] = 1", IndexError, "index 5 is out of bounds for axis 0 with size 3"),
        ("a.sum(axis=(0, 0))", ValueError, "duplicate value in 'axis'"),
        ("a.reshape(2)", ValueError, "cannot reshape array of size 3 into shape (2,)"),
        ("f'{a.sum():d}'", ValueError, "Unknown format code 'd' for object of type 'float'"),
        (
            "bool(a)",
            ValueError,
            "The truth value of an array with more than one element is ambiguous. "
            "Use a.any() or a.all()",
        ),
    ],
)
def test_messages_name_what_programs_know(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        run(f"a = torch.ones(3).numpy()\n{text}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("torch.no_grad()", "torch.autograd.grad_mode.no_grad"),
        ("torch.inference_mode()", "torch.autograd.grad_mode.inference_mode"),
        ("torch.Generator()", "torch._C.Generator"),
        (
            "torch.ones(1, requires_grad=True).register_hook(abs)",
            "torch.utils.hooks.RemovableHandle",
        ),
    ],
)
def test_objects_print_under_pytorchs_names(text: str, name: str) -> None:
    shown: list[str] = []
    Machine(write=shown.append).run(compile_text(f"print({text})"))
    assert re.fullmatch(rf"<{re.escape(name)} object at 0x[0-9a-f]+>\n", shown[0])


def test_decorated_values_without_a_name_print_as_pytorchs() -> None:
    shown: list[str] = []
    Machine(write=shown.append).run(
        compile_text("print(torch.enable_grad(5), torch.no_grad()(abs))")
    )
    name = r"context_decorator\.<locals>\.decorate_context"
    pattern = rf"<function {name} at 0x[0-9a-f]+> <function abs at 0x[0-9a-f]+>\n"
    assert re.fullmatch(pattern, "".join(shown))


def test_numpy_warns_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    run("torch.ones(1).numpy().std(ddof=2); torch.ones(0).numpy().mean()")
    assert not recwarn.list
