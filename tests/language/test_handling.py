"""Exceptions, contexts and generators of programs, and what none of them may hold up."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

import gradcli.wiring  # noqa: F401 - methods of tensors
from gradcli.language import LimitError, Machine, ParseError, compile_text, diagnose
from gradcli.tensor.graph import mode
from gradcli.tensor.memory import budget
from tests.language.flows import differences


def printed(text: str, **options: Any) -> str:
    lines: list[str] = []
    Machine(write=lines.append, **options).run(compile_text(text, "program"))
    return "".join(lines)


def failure(text: str, **options: Any) -> tuple[str, Exception]:
    """What a program printed before it failed, and the error."""
    lines: list[str] = []
    try:
        Machine(write=lines.append, **options).run(compile_text(text, "program"))
    except Exception as error:
        return "".join(lines), error
    raise AssertionError("it went well")


def test_random_programs_do_as_in_python() -> None:
    count = 400
    assert len(list(differences(2, range(count)))) <= count // 50


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "(torch.ones(3, requires_grad=True) * 2).backward()",
            "RuntimeError grad can be implicitly created only for scalar outputs",
        ),
        ("torch.ones(2) @ torch.ones(3)", None),
        ("torch.ones(2)[5]", "IndexError index 5 is out of bounds for dimension 0 with size 2"),
        ("torch.ones(2, requires_grad=True).numpy()", None),
        ("torch.linalg.inv(torch.zeros(2, 2))", None),
        ("torch.ones(2).nothing", "AttributeError 'Tensor' object has no attribute 'nothing'"),
        ("torch.tensor(['a'])", None),
        (
            "torch.ones(2, requires_grad=True).grad = torch.ones(3, 1)",
            "RuntimeError attempting to assign a gradient of size '[3, 1]' to a tensor of size "
            "'[2]'. Please ensure that the gradient and the tensor are the same size",
        ),
    ],
)
def test_errors_of_pytorch_are_caught_by_their_type(text: str, shown: str | None) -> None:
    _, error = failure(text)
    if shown is None:
        diagnostic = diagnose(error)
        shown = f"{diagnostic.type} {diagnostic.message}"
    program = f"try:\n    {text}\nexcept Exception as err:\n    print(type(err).__name__, err)"
    assert printed(program) == f"{shown}\n"
    if type(error) is RuntimeError:
        assert printed(program.replace("Exception", "RuntimeError")) == f"{shown}\n"


CAUGHT = "try:\n    {}\nexcept BaseException:\n    print('caught')\nexcept:\n    print('caught')\n"
GUARDED = CAUGHT + "finally:\n    print('finally')\nprint('after')"


@pytest.mark.parametrize(
    "text",
    [
        "().__class__.__mro__",
        "open('x')",
        "print(1, file=2)",
        "torch.ones(1)._array = 3",
        "[0] * 10 ** 9",
        "10 ** 10 ** 9",
        "'x' * 10 ** 9",
    ],
)
def test_no_program_catches_a_refusal(text: str) -> None:
    shown, error = failure(GUARDED.format(text))
    assert shown == ""
    assert "not part of the language" in str(error) or "too large" in str(error)


ENDLESS = [
    "while True: pass",
    "while True:\n        try: 1 / 0\n        except: continue",
    "while True:\n        try: 1 / 0\n        finally: continue",
    "def g():\n        while True: yield 1\n    sum(g())",
    "def g():\n        try: yield 1\n        finally:\n            while True: pass\n"
    "    it = g(); next(it); it.close()",
    "def g():\n        try: yield 1\n        finally:\n            while True: pass\n"
    "    it = g(); next(it); it = None\n    while True: pass",
    "def g():\n        while True:\n            try: yield 1\n            except: pass\n"
    "    it = g(); next(it)\n    while True: it.throw(ValueError)",
    "import contextlib\n    @contextlib.contextmanager\n    def c():\n        try: yield\n"
    "        finally: print('left')\n    with c():\n        while True: pass",
    "import contextlib\n    with contextlib.suppress(BaseException):\n        while True: pass",
    "def g():\n        yield from g()\n    try: next(g())\n    except RecursionError: pass\n"
    "    while True: pass",
]


@pytest.mark.parametrize("text", ENDLESS)
@pytest.mark.parametrize("limit", [{"max_steps": 5000}, {"timeout": 0.3}])
def test_no_program_outruns_its_limits(text: str, limit: dict[str, Any]) -> None:
    shown, error = failure(GUARDED.format(text), **limit)
    assert type(error) is LimitError
    assert shown == ""


def test_what_the_engine_set_is_put_back_when_a_program_is_stopped() -> None:
    for text in (
        "with torch.no_grad():\n    while True: pass",
        "def g():\n    with torch.no_grad(): yield\nit = g(); next(it)\nwhile True: pass",
        "import contextlib\n@contextlib.contextmanager\ndef c():\n    with torch.no_grad(): yield\n"
        "with c():\n    while True: pass",
    ):
        _, error = failure(text, max_steps=1000)
        assert type(error) is LimitError
        del error
        gc.collect()
        assert mode.enabled


@pytest.mark.parametrize("text", ENDLESS[:4])
def test_ctrl_c_ends_a_program_that_catches_everything(text: str) -> None:
    import _thread

    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    lines: list[str] = []
    try:
        with pytest.raises(KeyboardInterrupt):
            Machine(write=lines.append).run(compile_text(GUARDED.format(text), "program"))
    finally:
        timer.join()
    assert lines == []


def test_memory_that_is_limited_is_no_matter_for_programs() -> None:
    text = GUARDED.format("torch.ones(10 ** 14)")
    assert printed(text) == "caught\nfinally\nafter\n"  # as PyTorch's allocator says
    budget.is_set = True
    try:
        shown, error = failure(text)
    finally:
        budget.is_set = False
    assert (shown, type(error)) == ("", RuntimeError)


def test_too_deep_recursion_is_caught_as_in_python() -> None:
    text = """
def f(n):
    try:
        return f(n + 1)
    finally:
        seen.append(n)
seen = []
try:
    f(0)
except RecursionError as err:
    print(type(err).__name__, err, len(seen) > 900)
print(sum(i for i in range(4)))
"""
    assert printed(text) == "RecursionError maximum recursion depth exceeded True\n6\n"


@pytest.mark.parametrize("name", ["KeyboardInterrupt", "SystemExit", "GeneratorExit"])
def test_what_ends_pythons_process_ends_a_program_only(name: str) -> None:
    text = f"try:\n    raise {name}('x')\nexcept Exception:\n    print('caught')"
    shown, error = failure(text)
    told = diagnose(error)
    assert (shown, told.type, told.message, told.line) == ("", name, "x", 2)
    assert printed(text.replace("Exception", name)) == "caught\n"


def test_a_program_may_end_itself() -> None:
    assert printed("print(1)\nraise SystemExit\nprint(2)") == "1\n"
    assert printed("import sys\nprint(1)\nsys.exit()\nprint(2)") == "1\n"
    assert printed("print(1)\nexit()\nprint(2)") == "1\n"
    assert printed("print(1)\nquit()\nprint(2)") == "1\n"
    caught = "try:\n    exit(3)\nexcept SystemExit as error:\n    print(repr(error), error.code)"
    assert printed(f"from sys import exit\n{caught}") == "SystemExit(3) 3\n"


def test_the_engines_own_causes_are_none_of_a_program() -> None:
    text = """
try:
    torch.ones(2).sum(dim='x', keepdim=3j)
except Exception as err:
    print(err.__cause__, err.__context__, err.__suppress_context__)
"""
    assert printed(text) == "None None False\n"


@pytest.mark.parametrize(
    "text",
    ["err.__traceback__.tb_frame", "err.place", "err.own"],
)
def test_exceptions_show_what_is_listed(text: str) -> None:
    program = f"try:\n    1 / 0\nexcept ZeroDivisionError as err:\n    {text}"
    _, error = failure(program)
    assert isinstance(error, AttributeError)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("try:\n    x", 2, "expected"),
        ("try: pass\nexcept: pass\nexcept ValueError: pass", 2, "default 'except:' must be last"),
        ("except: pass", 1, "'except' has no `try` before it"),
        ("finally: pass", 1, "'finally' has no `try` before it"),
        ("x = yield", 1, "'yield' outside function"),
        ("def f():\n    return [(yield i) for i in x]", 2, "'yield' inside a comprehension"),
        ("def f():\n    return [i for i in x if (yield)]", 2, "'yield' inside a comprehension"),
        ("def f():\n    return ((yield i) for i in x)", 2, "'yield' inside a comprehension"),
        ("try:\n    break\nfinally: pass", 2, "'break' outside loop"),
        ("with a:\n    continue", 2, "'continue' not properly in loop"),
        ("try:\n    return\nfinally: pass", 2, "'return' outside function"),
        ("def f():\n    (yield) = 3", 2, "cannot assign to yield expression"),
    ],
)
def test_what_is_wrong_with_a_block_is_told(text: str, line: int, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        compile_text(text, "program")
    assert caught.value.diagnostic.message.startswith(message) or message == "expected"
    assert caught.value.diagnostic.line == line


def test_places_are_those_of_the_first_raise() -> None:
    _, error = failure("try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise")
    assert diagnose(error).line == 2
    _, error = failure("try:\n    1 / 0\nexcept ZeroDivisionError as err:\n    raise ValueError")
    assert diagnose(error).line == 4


def test_pythons_own_code_goes_through_generators() -> None:
    text = """
def g():
    for i in range(3):
        yield i * 1.5
print(torch.tensor(list(g())), sum(g()), max(g()), sorted(g(), reverse=True))
print(torch.stack([torch.tensor(v) for v in g()]).sum(), list(map(lambda v: v + 1, g())))
print(dict(enumerate(g())), {*g()} == {0.0, 1.5, 3.0}, [*zip(g(), g())][1], ' '.join(map(str, g())))
"""
    assert printed(text) == (
        "tensor([0.0000, 1.5000, 3.0000]) 4.5 3.0 [3.0, 1.5, 0.0]\n"
        "tensor(4.5000) [1.0, 2.5, 4.0]\n"
        "{0: 0.0, 1: 1.5, 2: 3.0} True (1.5, 1.5) 0.0 1.5 3.0\n"
    )


def test_no_grad_around_a_yield_ends_with_the_generator() -> None:
    text = """
def g():
    with torch.no_grad():
        yield 1
        yield 2
for i in g():
    break
print(torch.is_grad_enabled())
"""
    assert printed(text) == "True\n"


def test_hooks_are_taken_off_at_the_end_of_a_block() -> None:
    text = """
x = torch.ones((), requires_grad=True)
with x.register_hook(lambda g: print("one", g)):
    (x * 2).backward()
with torch.autograd.graph.register_multi_grad_hook((x,), lambda g: print("all", g)) as handle:
    (x * 3).backward()
(x * 4).backward()
print(type(handle).__name__)
"""
    assert printed(text) == "one tensor(2.)\nall [tensor(3.)]\n_MultiHandle\n"


def test_generators_that_hold_each_other_end_one_after_the_other() -> None:
    text = """
def within(inner, k):
    try:
        yield 1
        yield from inner
    finally:
        ended.append(k)
ended = []
it = iter([1])
for k in range(COUNT):
    it = within(it, k)
    next(it)
it = None
print(ended[:3], len(ended))
"""
    assert printed(text.replace("COUNT", "3")) == "[2, 1, 0] 3\n"
    assert printed(text.replace("COUNT", "20000")) == "[19999, 19998, 19997] 20000\n"


def test_an_error_that_was_handled_keeps_no_frames() -> None:
    text = """
def f():
    held = torch.ones(10)
    raise ValueError
def g():
    try:
        yield 1
    finally:
        print('ended')
for _ in range(2):
    it = g()
    next(it)
    try:
        f()
    except ValueError as err:
        pass
    it = None
    print('next')
"""
    gc.disable()
    try:
        assert printed(text) == "ended\nnext\n" * 2
    finally:
        gc.enable()
