"""What is asked of whole matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

import gradcli.wiring  # noqa: F401 - methods of tensors
from gradcli.evaluation import Variable, bindings_of, compile_expression
from gradcli.language.running.machine import Machine
from gradcli.matrices import Matrix, hessian, jacobian
from gradcli.tensor.memory import budget


def matrix(ask: Callable[..., Matrix], text: str, wrt: Sequence[str] = (), **values: str) -> Matrix:
    given = [Variable(name, value) for name, value in values.items()]
    return ask(Machine(), bindings_of(compile_expression(text), given), wrt)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(x**2).sum()", "positive definite"),
        ("-(x**2).sum()", "negative definite"),
        ("x[0]**2 - x[1]**2 + x[2]**2", "indefinite"),
        ("x[0]**2 - x[1]**2", "indefinite, and singular"),
        ("x.sum()**2", "singular, positive semidefinite"),
        ("-x.sum()**2", "singular, negative semidefinite"),
        ("x.sum()", "singular, zero"),
    ],
)
def test_definiteness_in_words(text: str, words: str) -> None:
    found = matrix(hessian, text, x="[1.0, 2.0, 3.0]")
    assert found.definiteness(found.eigenvalues()) == words


def test_nothing_is_said_of_what_is_not_finite() -> None:
    found = matrix(hessian, "(x * 0).log().sum()", x="ones(2)")
    with pytest.raises(RuntimeError, match="not finite"):
        found.eigenvalues()


@pytest.mark.parametrize(
    ("text", "rank", "size"),
    [
        ("x * 2", 3, (3, 3)),
        ("x.sum() * x.detach()", 1, (3, 3)),
        ("stack([x.sum(), x.sum() * 2])", 1, (2, 3)),
        ("x * 0", 0, (3, 3)),
        ("(x, x.sum())", 3, (4, 3)),
    ],
)
def test_the_rank_counts_what_is_independent(text: str, rank: int, size: tuple[int, int]) -> None:
    found = matrix(jacobian, text, x="[1.0, 2.0, 3.0]")
    assert (found.rank(), found.size()) == (rank, size)


def test_blocks_have_the_shapes_of_output_and_variable() -> None:
    found = matrix(jacobian, "A @ x", A="ones(2, 3)", x="ones(3)")
    shapes = [[tuple(block.shape) for block in line] for line in found.blocks]
    assert shapes == [[(2, 2, 3), (2, 3)]]
    assert found.whole().shape == (2, 9)


def test_wrt_chooses_variables() -> None:
    found = matrix(jacobian, "x * y", ["y"], x="[1.0, 2.0]", y="[3.0, 4.0]")
    assert list(found.points) == ["y"]
    assert found.blocks[0][0].tolist() == [[1.0, 0.0], [0.0, 2.0]]


def test_a_matrix_without_room_says_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(budget), "left", lambda self: 1000)
    with pytest.raises(RuntimeError, match=r"the Jacobian has 20 x 20 elements, 3.2 kB: .*--wrt"):
        matrix(jacobian, "x * 2", x="ones(20)")


def test_a_hessian_is_of_one_element() -> None:
    with pytest.raises(RuntimeError, match=r"one element, not one of shape \[2\]"):
        matrix(hessian, "x * 2", x="ones(2)")
