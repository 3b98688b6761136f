"""Giants are refused before memory is taken, and long programs stopped."""

from __future__ import annotations

import pytest

import gradcli.wiring  # noqa: F401 - the operators of tensors
from gradcli.language import LimitError, Machine, compile_text
from gradcli.tensor.clock import clock

GIANTS = [
    "10 ** 10 ** 10",
    "x = 10; x **= 10 ** 10",
    "(-3) ** 10 ** 9",
    "1 << 10 ** 12",
    "x = 1; x <<= 10 ** 12",
    "x = 3\nwhile True: x *= x",
    "x = 3\nwhile True: x = x * x",
    "[0] * 10 ** 12",
    "10 ** 12 * [0]",
    "(1,) * 10 ** 12",
    "'ab' * 10 ** 12",
    "x = [0]; x *= 10 ** 12",
    "x = 'a'\nwhile True: x += x",
    "x = [1]\nwhile True: x = x + x",
    "x = [1]\nwhile True: x += x",
    "x = [1]\nwhile True: x.extend(x)",
    "x = [1]\nwhile True: x = [*x, *x]",
    "x = [1]\nwhile True: x[:0] = x",
    "x = [1, 2]\nwhile True: x[0:] = [x, *x] + x",
    "x = 'a'\nwhile True: x = f'{x}{x}'",
    "x = 'a'\nwhile True: x = '%s%s' % (x, x)",
    "x = 'a'\nwhile True: x = '{0}{0}'.format(x)",
    "x = 'a'\nwhile True: x = x.replace('a', 'aa')",
    "x = 'a'\nwhile True: x = x.join([x, x, x])",
    "list(range(10 ** 18))",
    "list(range(10 ** 30))",
    "list(range(0, -10 ** 18, -1))",
    "tuple(range(10 ** 18))",
    "set(range(10 ** 18))",
    "dict.fromkeys(range(10 ** 18))",
    "sorted(range(10 ** 18))",
    "sum(range(10 ** 18))",
    "max(range(10 ** 18))",
    "any(range(0, 10 ** 18))",
    "[*range(10 ** 18)]",
    "print(*range(10 ** 18))",
    "a, *b = range(10 ** 18)",
    "x = []; x.extend(range(10 ** 18))",
    "x = []; x += range(10 ** 18)",
    "x = []; x[:] = range(10 ** 18)",
    "set().union(range(10 ** 18))",
    "''.join(range(10 ** 18))",
    "0.5 in range(10 ** 18)",
    "list(map(list, [range(10 ** 18)]))",
    "'%1000000000d' % 1",
    "'%.1000000000f' % 1",
    "'%*d' % (10 ** 9, 1)",
    "f'{1:1000000000}'",
    "f'{1:.{10 ** 9}f}'",
    "'{:1000000000}'.format(1)",
    "'{:{}}'.format(1, 10 ** 9)",
    "format(1, '1000000000')",
    "'a'.ljust(10 ** 9)",
    "'a'.rjust(10 ** 9)",
    "'a'.center(10 ** 9)",
    "'1'.zfill(10 ** 9)",
    "'\\t'.expandtabs(10 ** 9)",
    "('a' * 10 ** 6).translate({97: 'b' * 10 ** 6})",
    "str.ljust('a', 10 ** 9)",
    "pow(10, 10 ** 10)",
    "sum([[0] * 10 ** 6] * 10 ** 4, [])",
    "sum([[0] * 10 ** 6] * 10 ** 4, start=[])",
    *(
        f"x = [1, 'a']\nfor i in range(60): x = {grown}\n{written}"
        for grown, written in [
            ("[x, x]", "print(x)"),
            ("(x, x)", "str(x)"),
            ("{0: x, 1: x}", "repr(x)"),
            ("[x, x]", "f'{x}'"),
            ("[x, x]", "f'{x!r:>5}'"),
            ("[x, x]", "'%s' % x"),
            ("[x, x]", "'%s %s' % (1, x)"),
            ("[x, x]", "'{}'.format(x)"),
            ("[x, x]", "'{!r}'.format(x)"),
            ("[x, x]", "list(map(str, [x]))"),
            ("[x, x]", "format(x)"),
            ("[x, x]", "ascii(x)"),
        ]
    ),
    "pow(3 ** 1000000, 3 ** 1000000, 5 ** 100000)",
    "math.factorial(10 ** 9)",
    "math.comb(10 ** 9, 10 ** 8)",
    "math.perm(10 ** 9, 10 ** 8)",
    "math.prod([10 ** 100000] * 10)",
    "math.lcm(*[10 ** 100000 + i for i in range(20)])",
]


@pytest.mark.parametrize("text", GIANTS)
def test_giants_are_refused(text: str) -> None:
    with pytest.raises(OverflowError, match=r"^result too large: "):
        Machine(max_steps=100_000).run(compile_text(text))


@pytest.mark.parametrize(
    "text",
    [
        "len([i for i in range(1000000)]) == 1000000",
        "sum(range(1000000)) == 499999500000",
        "10 ** 18 - 1 in range(10 ** 18)",
        "len(range(10 ** 18)) == 10 ** 18",
        "round(5, -10 ** 9) == 0",
        "len(str(2 ** 10000)) == 3011",
        "(1 << 100000).bit_length() == 100001",
        "0 ** 10 ** 9 == 0 and 1 ** 10 ** 12 == 1 and (-1) ** 10 ** 12 == 1",
        "[] * 10 ** 12 == [] and '' * 10 ** 12 == '' and [1] * -5 == []",
        "0 << 10 ** 12 == 0",
        "len('a' * 1000000) == 1000000",
        "sum([[1], [2]], [0]) == [0, 1, 2] and sum([(1,)], start=()) == (1,)",
        "print([[1, 'a'] * 3] * 3) is None",
        "len(f'{1:1000}') == 1000",
        "math.factorial(20) == 2432902008176640000",
        "pow(3, 10 ** 18, 7) == 4",
    ],
)
def test_what_is_not_giant_works(text: str) -> None:
    assert Machine().run(compile_text(text)) is True


@pytest.mark.parametrize(
    "text",
    [
        "while True: pass",
        "for i in range(10 ** 18): pass",
        "def f(): pass\nwhile True: f()",
        "[0 for i in range(10 ** 18) if 0]",
        "sum(0 for i in range(10 ** 18))",
        "any(map(lambda i: 0, range(10 ** 18)))",
        "def f(n): return f(n - 1) + f(n - 1) if n else 0\nf(60)",
        "max(range(1000), key=lambda v: [0 for i in range(1000)])",
    ],
)
def test_long_programs_are_stopped(text: str) -> None:
    with pytest.raises(LimitError, match=r"^stopped after 10000 steps$"):
        Machine(max_steps=10_000).run(compile_text(text))
    with pytest.raises(LimitError, match=r"^stopped after 0\.05 s$"):
        Machine(timeout=0.05).run(compile_text(text))


def test_a_nested_tuple_of_types_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []
    monkeypatch.setattr(
        "gradcli.language.allowed.builtins.check_unfolded", lambda *given: measured.append(given)
    )
    assert Machine().run(compile_text("isinstance(1, (str, (float, (bool, (int,)))))"))
    assert len(measured) == 1


def test_steps_are_counted_exactly() -> None:
    code = compile_text("for i in range(100): pass")
    Machine(max_steps=100).run(code)
    with pytest.raises(LimitError):
        Machine(max_steps=99).run(code)


def test_limits_start_afresh_with_every_run() -> None:
    machine = Machine(max_steps=10)
    for _ in range(5):
        machine.run(compile_text("for i in range(8): pass"))


def test_an_interrupt_passes_at_once() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    machine = Machine({"interrupt": interrupt})
    with pytest.raises(KeyboardInterrupt) as caught:
        machine.run(compile_text("def f():\n    interrupt()\nf()\nx = 1"))
    assert not hasattr(caught.value, "place")
    assert "x" not in machine.globals
    assert machine.depth == 0


NATIVE = [
    "x = torch.ones(1).expand(10 ** 12)\nx.sum()",
    "torch.tensor_split(torch.ones(3), 10 ** 6)",
    "torch.rand(5 * 10**8)",
    "torch.mvlgamma(torch.ones(1) * 1e9, 10**7)",
    "x = torch.ones(1)\nfor k in range(100): x = torch.stack([x.sum()] * 1000)",
]


@pytest.mark.parametrize("text", NATIVE)
def test_time_is_looked_at_before_native_work(text: str) -> None:
    with pytest.raises(LimitError):
        Machine(timeout=0.05).run(compile_text(text))


def test_a_time_limit_ends_with_its_evaluation() -> None:
    machine = Machine(timeout=0.05)
    machine.run(compile_text("1"))
    assert clock.deadline is None


DEEP = "x = ()\nfor k in range(10 ** 5): x = (x,)\n"


@pytest.mark.parametrize(
    "call",
    [
        "dict([(x, 1)])",
        "dict([[x, 1]])",
        "dict(iter([[x, 1]]))",
        "dict([iter([x, 1])])",
        "set([x])",
        "set(iter([x]))",
        "frozenset(map(lambda t: t, [x]))",
        "set().union(iter([x]))",
        "{}.update([[x, 1]])",
        "dict.fromkeys(iter([x]))",
    ],
)
def test_hashing_ends_in_recursion_errors_wherever_elements_come_from(call: str) -> None:
    with pytest.raises(RecursionError):
        Machine().run(compile_text(DEEP + call))
