"""NumPy as programs find it: guarded arrays that share memory with tensors, and no giants."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcli.wiring  # noqa: F401 - methods of tensors
from gradcli.language import Machine, compile_text
from gradcli.language.allowed.listed import members
from tests.language.test_python import in_gradcli, in_python


def run(text: str) -> Any:
    return Machine().run(compile_text("import numpy as np\n" + text))


DRAWS = """\
import numpy as np
np.random.seed({seed})
print(np.random.rand(3), np.random.randn(2, 2), np.random.randint(-3, 9, 5), np.random.random())
print(np.random.permutation(7), np.random.choice(9, 4, replace=False), np.random.normal(2, 3, (2,)))
print(np.random.uniform(0, 5, size=3), np.random.poisson(3, 4), np.random.exponential(2))
r = np.random.RandomState({seed})
print(r.standard_normal(3), r.binomial(9, 0.4, 3), r.beta(1, 2), r.gamma(2, size=2))
g = np.random.default_rng({seed})
print(g.random(2), g.normal(size=3), g.integers(0, 99, 4), g.choice(20, 5), g.permutation(5))
"""


@pytest.mark.parametrize("seed", [0, 1, 42, 2**32 - 1, *range(200, 206)])
def test_random_streams_are_those_of_numpy(seed: int) -> None:
    state = np.random.get_state()
    try:
        want, failure = in_python(DRAWS.format(seed=seed))
        assert failure is None
        assert in_gradcli(DRAWS.format(seed=seed)) == (want, None)
    finally:
        np.random.set_state(state)


@pytest.mark.parametrize(
    "text",
    [
        "np.zeros(10**12)",
        "np.zeros(np.int64(10**12))",
        "np.ones((10**6, 10**6))",
        "np.ones(np.array([10**6, 10**6]))",
        "np.eye(N=10**6)",
        "np.arange(0, 1, 1e-13)",
        "np.linspace(0, 1, 10**12)",
        "np.linspace(0, 1, num=10**12)",
        "np.full(shape=10**12, fill_value=1)",
        "np.tile([1], (10**6, 10**6))",
        "np.repeat(1, repeats=10**12)",
        "np.outer(np.ones(10**6), np.ones(10**6))",
        "np.diag(np.ones(10**6))",
        "np.meshgrid(np.ones(10**6), np.ones(10**6))",
        "np.matmul(np.ones((10**6, 1)), np.ones((1, 10**6)))",
        "np.exp(np.broadcast_to(1.0, (10**6, 10**6)))",
        "np.zeros_like(np.broadcast_to(1.0, (10**6, 10**6)))",
        "np.add(np.ones((10**6, 1)), np.ones((1, 10**6)))",
        "np.polyfit([1, 2], [1, 2], 10**12)",
        "np.bincount([10**12])",
        "np.bincount([1], minlength=10**12)",
        "np.triu_indices(10**6)",
        "np.fft.fft([1], 10**12)",
        "np.fft.ifft2([[1]], s=(10**6, 10**6))",
        "np.fft.irfft([1], n=10**12)",
        "np.fft.fftfreq(10**12)",
        "np.random.rand(10**6, 10**6)",
        "np.random.normal(size=10**12)",
        "np.random.normal(0, 1, (10**6, 10**6))",
        "np.random.randint(0, 10, 10**12)",
        "np.random.permutation(10**12)",
        "np.random.choice(10**12, 3, False)",
        "np.random.default_rng(0).random((10**6, 10**6))",
        "np.random.RandomState(0).multinomial(3, [0.5, 0.5], 10**12)",
    ],
)
def test_giants_are_refused_before_memory_is_taken(text: str) -> None:
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        run(text)


@pytest.mark.parametrize(
    "text",
    [
        "np.array(['a'])",
        "np.array([None])",
        "np.array([len])",
        "np.array({})",
        "np.zeros(2, dtype='O')",
        "np.zeros(2, dtype='U3')",
        "np.zeros(2, dtype=str)",
        "np.load('x')",
        "np.ndarray((2,))",
        "np.lib",
        "np.random.bit_generator",
        "np.sin.reduce",
        "np.random.RandomState(0).inner",
        "np.random.seed('x')",
        "from numpy import fromfile\nfromfile('x')",
        "np.floor_divide(torch.zeros(0), None)",
    ],
)
def test_only_numbers_pass(text: str) -> None:
    with pytest.raises((TypeError, AttributeError, ImportError)):
        run(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a = np.zeros(2); t = torch.from_numpy(a); t += 1; a", "array([1., 1.])"),
        ("x = torch.ones(2); x.numpy()[0] = 5; np.asarray(x)[1] = 6; x", "tensor([5., 6.])"),
        ("torch.tensor(np.arange(3)).dtype", "torch.int64"),
        ("torch.ones(2) * np.float64(2)", "tensor([2., 2.])"),
        ("np.sin(torch.zeros(2)), np.exp(torch.tensor(0.))", "(tensor([0., 0.]), tensor(1.))"),
        ("np.add(np.ones(2), torch.ones(2))", "tensor([2., 2.], dtype=torch.float64)"),
        ("np.divmod(torch.tensor([5.]), 2)", "(tensor([2.]), tensor([1.]))"),
        ("np.isnan(torch.tensor([nan, 1.]))", "tensor([1, 0], dtype=torch.uint8)"),
        ("np.array([torch.tensor(1.), torch.tensor(2.)])", "array([1., 2.], dtype=float32)"),
        ("a = np.zeros(2); a.fill(3); a", "array([3., 3.])"),
        ("list(np.ndindex(1, 2)), list(np.ndindex((2,)))", "([(0, 0), (0, 1)], [(0,), (1,)])"),
        (
            "np.fft.rfft([1, 0, 0]), np.fft.fftfreq(2)",
            "(array([1.+0.j, 1.+0.j]), array([ 0. , -0.5]))",
        ),
        ("np.ones(2) / torch.full((2,), 2.0)", "tensor([0.5000, 0.5000], dtype=torch.float64)"),
        (
            "x = torch.ones(2, dtype=torch.float64).numpy().sum()\n"
            "isinstance(x, float), isinstance(x, (int, complex)), isinstance(x, np.float64)",
            "(True, False, True)",
        ),
        (
            "isinstance(np.complex128(1), complex), isinstance(np.float32(1), float), "
            "isinstance(np.int64(1), int), isinstance(1.0, np.float64)",
            "(True, False, False, False)",
        ),
        (
            "issubclass(np.float64, float), issubclass(np.float32, float), "
            "type(np.float64(1)) is float",
            "(True, False, False)",
        ),
        ("type(np.float32(1)) is np.float32, isinstance(np.ones(1), np.ndarray)", "(True, True)"),
        ("np.ones(1).dtype == np.float64, np.ones(1).dtype == float", "(True, True)"),
        ("np.ones(1).dtype == 'float64', np.ones(1).dtype == 'x'", "(True, False)"),
        ("np.set_printoptions(threshold=10**9)\nlen(repr(np.zeros(10**6))) < 10**4", "True"),
    ],
)
def test_arrays_beside_tensors(text: str, shown: str) -> None:
    try:
        assert repr(run(text)) == shown
    finally:
        np.set_printoptions(threshold=1000)


@pytest.mark.parametrize("call", ["x.numpy()", "np.sin(x)", "np.array(x)", "np.mean([x, x])"])
def test_a_tensor_that_requires_grad_is_no_array(call: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        run("x = torch.ones(2, requires_grad=True)\n" + call)
    assert str(caught.value) == (
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
    )


def test_print_options_of_a_block_end_with_its_error() -> None:
    text = """
shown = []
try:
    with np.printoptions(precision=1):
        shown.append(str(np.array([1 / 3])))
        1 / 0
except ZeroDivisionError:
    shown.append(str(np.array([1 / 3])))
shown"""
    assert run(text) == ["[0.3]", "[0.33333333]"]


@pytest.mark.parametrize("call", ["x.numpy()", "np.array(x)", "(x * 2).numpy() / 2"])
def test_nothing_recorded_leaves_the_array_to_read(call: str) -> None:
    start = "x = torch.ones(2, requires_grad=True)\nwith torch.no_grad(): a = "
    assert repr(run(f"{start}{call}\na")) == "array([1., 1.], dtype=float32)"


def test_no_record_changes_how_the_next_prints() -> None:
    from gradcli.language.allowed.afresh import start_afresh

    run("np.set_printoptions(precision=2)\nnp.random.seed(3)")
    assert repr(run("np.array([1.23456])")) == "array([1.23])"
    start_afresh()
    assert repr(run("np.array([1.23456])")) == "array([1.23456])"


def test_every_function_is_a_guard() -> None:
    for module in ("numpy", "numpy.fft", "numpy.linalg", "numpy.random", "numpy.testing"):
        for name, member in members(module).items():
            assert not isinstance(member, type), name
            assert getattr(type(member), "__module__", "").partition(".")[0] != "numpy", name
