"""Sizes are known before memory is taken, and nested values end in an error."""

from __future__ import annotations

import pytest

import gradcli.wiring  # noqa: F401 - the operators of tensors
from gradcli.language import Machine, compile_text
from gradcli.language.allowed import limits
from gradcli.tensor.memory import budget, capacity

ALLOCATOR = r"DefaultCPUAllocator: can't allocate memory: you tried to allocate {} bytes"


def run(text: str) -> None:
    Machine(write=lambda _: None, max_steps=1_000_000).run(compile_text(text))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("torch.zeros(10**12)", 4 * 10**12),
        ("torch.eye(10**9)", 4 * 10**18),
        ("torch.rand(10**12)", 4 * 10**12),
        ("torch.randn(10**12)", 4 * 10**12),
        ("torch.randint(3, (10**12,))", 8 * 10**12),
        ("torch.normal(0., 1., (10**12,))", 4 * 10**12),
        ("torch.multinomial(torch.ones(3), 10**12, True)", 8 * 10**12),
        ("torch.arange(10**13)", 8 * 10**13),
        ("torch.linspace(0, 1, 10**13)", 4 * 10**13),
        ("torch.hann_window(10**13)", 4 * 10**13 + 4),
        ("torch.ones(1).expand(10**12) + 1", 4 * 10**12),
        ("torch.ones(10**6, 1) * torch.ones(1, 10**6)", 4 * 10**12),
        ("torch.ones(10**6, 1) @ torch.ones(1, 10**6)", 4 * 10**12),
        ("torch.bincount(torch.tensor([10**12]))", 8 * 10**12 + 8),
        ("F.pad(torch.ones(3), (10**12, 0))", 4 * 10**12 + 12),
        ("torch.rand_like(torch.ones(1).expand(10**12))", 4 * 10**12),
    ],
)
def test_large_tensors_get_the_words_of_pytorchs_allocator(text: str, count: int) -> None:
    with pytest.raises(RuntimeError, match=ALLOCATOR.format(count)):
        run(text)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("torch.rand(10**20)", TypeError, r"rand\(\): argument 'size' failed to unpack the object"),
        ("torch.ones(3).repeat(10**20)", TypeError, r"repeat\(\): argument 'repeats' failed"),
        ("torch.eye(2**63)", ValueError, "^Overflow when unpacking long long$"),
        ("torch.randperm(2**63)", ValueError, "^Overflow when unpacking long long$"),
        ("torch.empty(2**40, 2**40)", RuntimeError, "^Storage size calculation overflowed"),
        ("torch.ones(*[1] * 70)", RuntimeError, "^a tensor of 70 dimensions: there may be 64"),
        ("torch.ones([1] * 65)", RuntimeError, "^a tensor of 65 dimensions: there may be 64"),
        ("torch.ones(1).reshape([1] * 70)", RuntimeError, "^a tensor of 70 dimensions"),
        ("torch.ones([1] * 64).unfold(0, 1, 1)", RuntimeError, "^a tensor of 65 dimensions"),
    ],
)
def test_lengths_that_no_integer_holds(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        run(text)


def test_the_budget_is_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    assert budget.allows(1)
    assert not budget.allows(2 * capacity())
    monkeypatch.setattr(budget, "limit", 1)
    with pytest.raises(RuntimeError, match=ALLOCATOR.format(1 << 28)):
        run("torch.zeros(2**26)")
    run("torch.zeros(1000) + 1")


@pytest.mark.parametrize("text", ["[0] * 10**5", "'a' * 10**6", "torch.zeros(10**5)"])
def test_small_requests_add_up(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "limit", 1)
    with pytest.raises((RuntimeError, OverflowError), match=r"allocate memory|result too large"):
        run(f"x = []\nfor i in range(1000): x.append({text})")


@pytest.mark.parametrize(
    "text",
    [
        "pow(2, 10**11, None)",
        "pow(base=2, exp=10**11)",
        "True << 10**10",
        "x = True; x <<= 10**10",
        "[range(10**10)].sort(key=list)",
        "range(10**12).index(1.5)",
        "range(10**12).count(1.5)",
        "torch.Size(range(10**10))",
        "('%1000000d' * 1000) % tuple(range(1000))",
        "('{:1000000}' * 1000).format(*range(1000))",
    ],
)
def test_giants_are_refused_whatever_makes_them(text: str) -> None:
    with pytest.raises(OverflowError, match=r"^result too large: "):
        run(text)


GROWN = "x = [1, 2]\nfor i in range(60): x = [x, x]\n"


@pytest.mark.parametrize(
    "text",
    [
        GROWN + "print({1: x}.values())",
        GROWN + "print({1: x}.items())",
        GROWN + "print(slice(x))",
        GROWN + "str(ValueError(x))",
        GROWN + "assert False, x",
        "x = (1,)\nfor i in range(60): x = (x, x)\nhash(x)",
        "x = (1,)\nfor i in range(60): x = (x, x)\n{x: 1}",
        "x = frozenset([1])\nfor i in range(60): x = frozenset([x, (x,)])\nhash(x)",
    ],
)
def test_small_values_of_giant_texts_and_hashes_are_refused(text: str) -> None:
    with pytest.raises(OverflowError, match=r"^result too large: "):
        run(text)


DEEP = "x = (1,)\nfor i in range(6000): x = (x,)\n"


@pytest.mark.parametrize(
    "text",
    [
        *(
            DEEP + use
            for use in [
                "hash(x)",
                "{x}",
                "{x: 1}",
                "{1: 2}[x]",
                "x in {1: 2}",
                "{}.get(x)",
                "set([x])",
                "dict.fromkeys([x])",
                "set().add(x)",
                "y = {}; y[x] = 1",
                "{v for v in [x]}",
            ]
        ),
        "x = iter([1])\nfor i in range(6000): x = map(abs, x)",
        "x = iter([1])\nfor i in range(6000): x = filter(None, x)",
        "x = iter([1])\nfor i in range(6000): x = zip(x)",
        "x = iter([1])\nfor i in range(6000): x = enumerate(x)",
        "x = 1\nfor i in range(6000): x = slice(x)",
    ],
)
def test_nested_values_end_in_an_error(text: str) -> None:
    with pytest.raises(RecursionError):
        run(text)


@pytest.mark.parametrize(
    "text",
    [
        "list(map(abs, map(abs, [-1]))) == [1]",
        "list(zip(enumerate([5]), filter(None, [3]))) == [((0, 5), 3)]",
        "isinstance(map(abs, []), map)",
        "hash((1, (2, 3))) == hash((1, (2, 3)))",
        "pow(2, 3, None) == 8 and pow(2, 3, 5) == 3 and pow(base=2, exp=3) == 8",
        "range(10**12).index(5) == 5 and range(3).count(1.0) == 1",
        "True << 3 == 8",
        DEEP.replace("6000", "4900") + "{x: 1}[x] == 1 and x in {x}",
        "x = iter([-1])\nfor i in range(4900): x = map(abs, x)\nnext(x) == 1",
    ],
)
def test_what_is_not_giant_works(text: str) -> None:
    assert Machine().run(compile_text(text)) is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("linalg.ldl_solve(eye(3), p([1, 2, 9]), ones(3, 1))", r"\|pivot\| <= LD.size\(-2\)"),
        ("linalg.ldl_solve(eye(3), p([0, 2, 3]), ones(3, 1))", r"\|pivot\| >= 1"),
        ("linalg.lu_solve(eye(3), p([1, 2, 9]), ones(3, 1))", "all be smaller or equal to LU.size"),
        ("linalg.lu_solve(eye(3), p([0, 2, 3]), ones(3, 1))", "all be greater or equal to 1"),
    ],
)
def test_pivots_are_checked_before_lapack_sees_them(text: str, message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        run(f"def p(values):\n    return torch.tensor(values, dtype=torch.int32)\ntorch.{text}")


@pytest.mark.parametrize(
    "text",
    [
        "{1: 2}.keys() | range(10**12)",
        "range(10**12) - {1: 2}.keys()",
        "range(10**12) ^ {1: 2}.items()",
        "v = {}.keys(); v |= range(10**12)",
        "{1: 2}.items() & enumerate(range(10**12))",
        "d = {}; d |= zip(range(10**12), range(10**12))",
    ],
)
def test_views_of_a_dict_take_no_giants(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ITEMS", 1000)
    with pytest.raises(OverflowError, match="result too large"):
        run(text)


@pytest.mark.parametrize(
    "text",
    [
        "torch.Size([1]) * 10**11",
        "10**11 * torch.Size([1])",
        "s = torch.Size([1])\nfor i in range(40): s = s + tuple(s)",
        "s = ()\nfor i in range(40): s = s + torch.Size([1]) + s",
        "torch.ones(3).max(0) * 10**10",
        "t = torch.ones(3).max(0)\nt *= 10**10",
        "x = 'a' * 10**6\nprint(*[x] * 20)",
        "print(*['a'] * 10**4, sep='b' * 10**4)",
        "list(torch.ones(1).expand(10**9).numpy())",
        "set(torch.ones(1).expand(10**9).numpy())",
        "sorted(torch.ones(1).expand(10**9).numpy())",
    ],
)
def test_giants_of_other_sequences_are_refused(text: str) -> None:
    with pytest.raises(OverflowError, match="result too large"):
        run(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("torch.ones(1).expand(10**12).numpy().tolist()", 8 * 10**12),
        ("torch.ones(1).expand(10**12).numpy().copy()", 8 * 10**12),
        ("torch.ones(1).expand(10**12).numpy().nonzero()", 8 * 10**12),
        ("torch.ones(1).expand(10**12).numpy() + 1", 8 * 10**12),
        ("[1] == torch.ones(1).expand(10**12).numpy()", 8 * 10**12),
    ],
)
def test_large_arrays_get_the_words_of_pytorchs_allocator(text: str, count: int) -> None:
    with pytest.raises(RuntimeError, match=ALLOCATOR.format(count)):
        run(text)


def test_an_array_is_read_item_by_item() -> None:
    found: list[str] = []
    text = "for item in torch.ones(1).expand(10**12).numpy():\n  print(item)\n  break"
    Machine(write=found.append).run(compile_text(text))
    assert found == ["1.0\n"]


@pytest.mark.parametrize(
    "text",
    [
        *[f"a {sign} b" for sign in ("==", "!=", "<", ">", "<=", ">=")],
        "1 != a != b",
        "a in [b]",
        "a not in (b,)",
        "a in {1: b}.values()",
        "(1, a) in {1: b}.items()",
        *[f"[b].{name}(a)" for name in ("index", "count", "remove")],
        *[f"(b,).{name}(a)" for name in ("index", "count")],
        "[a] == [b]",
        "{1: a} == {1: b}",
        "{1: a}.items() == {1: b}.items()",
        "slice(a) == slice(b)",
        *[f"{name}(a, b)" for name in ("min", "max")],
        *[f"{name}([a, b])" for name in ("min", "max", "sorted")],
        "sorted(x for x in (a, b))",
        "sorted(range(2), key=lambda i: (a, b)[i])",
        "max(range(2), key=lambda i: (a, b)[i])",
        "[a, b].sort()",
        "[0, 1].sort(key=lambda i: (a, b)[i])",
        "next(iter(lambda: a, b))",
    ],
)
@pytest.mark.parametrize("kind", ["(%s, %s)", "[%s, %s]"])
def test_comparisons_of_nested_collections_are_counted(text: str, kind: str) -> None:
    before = "a = b = 1\nfor _ in range(40):\n    a = %s; b = %s\n"
    with pytest.raises(OverflowError, match="a comparison of nested collections"):
        run(before % (kind % ("a", "a"), kind % ("b", "b")) + text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("torch.tensor(a)", "Storage size calculation overflowed"),
        ("torch.tensor([0, a])", "a tensor of nested lists"),
        ("torch.tensor(range(10**12))", "can't allocate memory"),
        ("torch.ones(1).numpy() + a", "an array of nested lists"),
        ("isinstance(1, (str, tuple(a)))", "a tuple of types"),
    ],
)
def test_nested_collections_are_counted_before_they_are_gone_through(
    text: str, message: str
) -> None:
    with pytest.raises((OverflowError, RuntimeError), match=message):
        run(f"a = 1\nfor _ in range(60):\n    a = [a, a]\n{text}")
