"""The random streams: how they are cut and continued, what is refused, rounding."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradcli
from gradcli.random.fma import fma32, fma64
from gradcli.random.generator import Generator, default_generator, manual_seed


def test_the_bits_are_those_of_mt19937() -> None:
    # The 10000th output for the seed 5489 is fixed by the C++ standard ([rand.predef]).
    assert Generator().manual_seed(5489).random32(10000)[-1] == 4123659995


def test_64_bits_are_two_words_high_one_first() -> None:
    words = Generator().manual_seed(7).random32(4).tolist()
    assert Generator().manual_seed(7).random64(2).tolist() == [
        words[0] << 32 | words[1],
        words[2] << 32 | words[3],
    ]


@pytest.mark.parametrize("sizes", [[1] * 2000, [623, 1, 1, 1375], [2000], [0, 625, 0, 1375]])
def test_the_stream_does_not_depend_on_how_it_is_cut(sizes: list[int]) -> None:
    whole = Generator().manual_seed(11).random32(2000)
    generator = Generator().manual_seed(11)
    np.testing.assert_array_equal(np.concatenate([generator.random32(n) for n in sizes]), whole)


def test_a_long_draw_is_one_stream() -> None:
    # Longer than what the engine hands over at a time.
    whole = Generator().manual_seed(1).rand((100_000,))
    generator = Generator().manual_seed(1)
    np.testing.assert_array_equal(whole[:7], generator.rand((7,)))
    np.testing.assert_array_equal(whole[7:], generator.rand((99_993,)))


def test_a_long_normal_fill_is_that_of_its_blocks() -> None:
    # Longer than what the Box-Muller transform works on at a time.
    whole = Generator().manual_seed(1).randn((160_000,))
    generator = Generator().manual_seed(1)
    parts = [generator.randn((16_000,)) for _ in range(10)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_a_kept_normal_comes_next_and_seeding_drops_it() -> None:
    generator = Generator().manual_seed(5)
    pair = generator.randn((2,), np.float64)
    generator.manual_seed(5)
    first = generator.randn((), np.float64)
    generator.rand((3,))
    assert [first, generator.randn((), np.float64)] == pair.tolist()
    generator.manual_seed(5)
    generator.randn((1,))
    generator.manual_seed(5)
    assert generator.randn((), np.float64) == pair[0]


@pytest.mark.parametrize("drawn", [0, 1, 623, 624, 625, 3000])
@pytest.mark.parametrize("normals", [0, 1])
def test_a_state_continues_the_stream(drawn: int, normals: int) -> None:
    generator = Generator().manual_seed(99999)
    generator.random32(drawn)
    generator.randn((normals,))
    state = generator.get_state()
    expected = generator.rand((700,)), generator.randn((3,))
    other = Generator().set_state(state)
    assert other.get_state().tobytes() == state.tobytes()
    assert other.initial_seed() == 99999
    np.testing.assert_array_equal(other.rand((700,)), expected[0])
    np.testing.assert_array_equal(other.randn((3,)), expected[1])


def test_the_state_is_a_copy() -> None:
    generator = Generator().manual_seed(0)
    state = generator.get_state()
    before = state.tobytes()
    generator.rand((5,))
    assert state.tobytes() == before


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        (
            np.zeros(3, np.uint8),
            RuntimeError,
            "Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to "
            "be 3",
        ),
        (np.zeros(5056, np.uint8), RuntimeError, "Invalid mt19937 state"),
        (np.zeros(5056, np.float32), TypeError, "RNG state must be a torch.ByteTensor"),
    ],
)
def test_what_is_no_state(state: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        Generator().set_state(state)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("seed", "initial"),
    [(0, 0), (-1, 2**64 - 1), (-(2**63), 2**63), (2**64 - 1, 2**64 - 1), (np.int64(3), 3)],
)
def test_seeds(seed: int, initial: int) -> None:
    assert Generator().manual_seed(seed).initial_seed() == initial


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        (2**64, ValueError, "Overflow when unpacking long long"),
        (-(2**63) - 1, ValueError, "Overflow when unpacking long long"),
        (3.7, RuntimeError, "manual_seed expected a long, but got float"),
        ("5", RuntimeError, "manual_seed expected a long, but got str"),
        (True, RuntimeError, "manual_seed expected a long, but got bool"),
    ],
)
def test_what_is_no_seed(seed: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        Generator().manual_seed(seed)
    assert str(caught.value) == message


def test_the_module_s_seed_takes_what_int_takes() -> None:
    state = default_generator.get_state()
    try:
        assert manual_seed(3.7) is default_generator
        assert default_generator.initial_seed() == 3
        assert manual_seed("5").initial_seed() == 5
        assert manual_seed(True).initial_seed() == 1
    finally:
        default_generator.set_state(state)


def test_seeds_that_nobody_chose() -> None:
    assert Generator().initial_seed() == 67280421310721
    one, other = Generator(), Generator()
    assert one.seed() != other.seed()
    assert one.rand((8,)).tolist() != other.rand((8,)).tolist()


ERRORS: list[tuple[Callable[[Generator], object], type[Exception], str]] = [
    (
        lambda g: g.rand((3,), np.int64),
        NotImplementedError,
        "\"check_uniform_bounds\" not implemented for 'Long'",
    ),
    (
        lambda g: g.uniform((3,), 3, 2),
        RuntimeError,
        "uniform_ expects to return a [from, to) range, but found from=3 > to=2",
    ),
    (
        lambda g: g.uniform((3,), -3e38, 3e38),
        RuntimeError,
        "uniform_ expects to-from <= std::numeric_limits<Float>::max(), but found to=3e+38 and "
        "from=-3e+38 which result in to-from to exceed the limit",
    ),
    (
        lambda g: g.uniform((3,), 0, 1e5, np.float16),
        RuntimeError,
        "to is out of bounds for c10::Half",
    ),
    (
        lambda g: g.randn((3,), bool),
        NotImplementedError,
        "\"normal_kernel_cpu\" not implemented for 'Bool'",
    ),
    (
        lambda g: g.normal((0,), 0, -1.123456789),
        RuntimeError,
        "normal expects std >= 0.0, but found std -1.12346",
    ),
    (
        lambda g: g.normal_like(np.zeros(3), np.array([1.0, -1.0, 1.0])),
        RuntimeError,
        "normal expects all elements of std >= 0.0",
    ),
    (
        lambda g: g.normal_like(np.zeros(3), np.ones(3, np.complex64)),
        RuntimeError,
        "normal expects standard deviation to be non-complex",
    ),
    (
        lambda g: g.randint(5, 5, (0,)),
        RuntimeError,
        "random_ expects 'from' to be less than 'to', but got from=5 >= to=5",
    ),
    (
        lambda g: g.randint(0, 300, (2,), np.uint8),
        RuntimeError,
        "to - 1 is out of bounds for unsigned char",
    ),
    (
        lambda g: g.randint(-1, 300, (2,), np.uint8),
        RuntimeError,
        "from is out of bounds for unsigned char",
    ),
    (lambda g: g.randint(0, 3, (2,), bool), RuntimeError, "to - 1 is out of bounds for bool"),
    (
        lambda g: g.randint(65503, 65504, (2,), np.float16),
        RuntimeError,
        "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got "
        "from=65503 >= to=65472",
    ),
    (
        lambda g: g.randint(2**25, None, (2,), np.float32),
        RuntimeError,
        "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to "
        "dtype, but got from=33554432 > to_inc=16777216",
    ),
    (
        lambda g: g.randint(0, 3, (2,), np.complex64),
        RuntimeError,
        "check_random_bounds handles only integral, floating-point and boolean types",
    ),
    (
        lambda g: g.randint(-(2**63), None, (2,), np.int32),
        RuntimeError,
        "random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16",
    ),
    (
        lambda g: g.randint(-(2**63), None, (2,), bool),
        NotImplementedError,
        "\"random_full_64_bits_range_kernel_cpu\" not implemented for 'Bool'",
    ),
    (
        lambda g: g.random((2,), np.complex128),
        NotImplementedError,
        "\"random_kernel_cpu\" not implemented for 'ComplexDouble'",
    ),
    (
        lambda g: g.randperm(-1),
        RuntimeError,
        "Trying to create tensor with negative dimension -1: [-1]",
    ),
    (
        lambda g: g.randperm(257, np.uint8),
        RuntimeError,
        "value cannot be converted to type uint8_t without overflow",
    ),
    (
        lambda g: g.randperm(2050, np.float16),
        RuntimeError,
        "n cannot be greater than 2049 for Half type.",
    ),
    (lambda g: g.randperm(2, bool), NotImplementedError, "\"randperm\" not implemented for 'Bool'"),
    (
        lambda g: g.bernoulli((0,), 1.5),
        RuntimeError,
        "bernoulli_ expects p to be in [0, 1], but got p=1.5",
    ),
    (
        lambda g: g.bernoulli((3,), np.array([0.5, 1.5, 0.5])),
        RuntimeError,
        "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be "
        "improved?  If so, please report an enhancement request to PyTorch.)",
    ),
    (
        lambda g: g.bernoulli((2,), np.array([0, 1])),
        NotImplementedError,
        "\"bernoulli_tensor_cpu_p_\" not implemented for 'Long'",
    ),
    (
        lambda g: g.bernoulli((2,), 0.5, np.complex64),
        NotImplementedError,
        "\"bernoulli_scalar_cpu_\" not implemented for 'ComplexFloat'",
    ),
    (
        lambda g: g.geometric((3,), 1),
        RuntimeError,
        "geometric_ expects p to be in (0, 1), but got p=1",
    ),
    (
        lambda g: g.geometric((3,), 0.5, bool),
        NotImplementedError,
        "\"geometric_cpu\" not implemented for 'Bool'",
    ),
    (
        lambda g: g.exponential((3,), 0),
        RuntimeError,
        "exponential_ expects lambda > 0.0, but found lambda=0",
    ),
    (
        lambda g: g.exponential((3,), 1, np.int64),
        RuntimeError,
        "Exponential distribution is a continuous probability distribution. dtype must be a "
        "floating point but you specified Long",
    ),
    (
        lambda g: g.cauchy((3,), 0, -1.123456789),
        RuntimeError,
        "cauchy_ expects sigma > 0.0, but found sigma=-1.12346",
    ),
    (
        lambda g: g.cauchy((3,), 0, 1, np.int64),
        RuntimeError,
        "Cauchy distribution is a continuous probability distribution. dtype must be a floating "
        "point but you specified long int",
    ),
    (
        lambda g: g.log_normal((3,), 0, 0),
        RuntimeError,
        "log_normal_ expects std > 0.0, but found std=0",
    ),
    (
        lambda g: g.log_normal((3,), 0, 1, np.int8),
        NotImplementedError,
        "\"log_normal_cpu\" not implemented for 'Char'",
    ),
    (
        lambda g: g.poisson(np.array([1.0, -1.0])),
        RuntimeError,
        "invalid Poisson rate, expected rate to be non-negative",
    ),
    (
        lambda g: g.poisson(np.array([1])),
        NotImplementedError,
        "\"poisson_cpu\" not implemented for 'Long'",
    ),
    (
        lambda g: g.rrelu_slopes(np.zeros(2, np.float16), 0.1, 0.3),
        NotImplementedError,
        "\"rrelu_with_noise_out_cpu\" not implemented for 'Half'",
    ),
    (
        lambda g: g.multinomial(np.ones((1, 1, 1)), 1),
        RuntimeError,
        "prob_dist must be 1 or 2 dim",
    ),
    (
        lambda g: g.multinomial(np.ones(3, np.int64), 1),
        RuntimeError,
        "multinomial only supports floating-point dtypes for input, got: Long",
    ),
    (
        lambda g: g.multinomial(np.ones(3), 0),
        RuntimeError,
        "cannot sample n_sample <= 0 samples",
    ),
    (
        lambda g: g.multinomial(np.ones(3), 4),
        RuntimeError,
        "cannot sample n_sample > prob_dist.size(-1) samples without replacement",
    ),
    (
        lambda g: g.multinomial(np.array([1.0, np.nan]), 1),
        RuntimeError,
        "probability tensor contains either `inf`, `nan` or element < 0",
    ),
    (
        lambda g: g.multinomial(np.array([1.0, np.nan]), 2, True),
        RuntimeError,
        "invalid multinomial distribution (encountering probability entry < 0)",
    ),
    (
        lambda g: g.multinomial(np.array([1.0, np.inf]), 2, True),
        RuntimeError,
        "invalid multinomial distribution (encountering probability entry = infinity or NaN)",
    ),
    (
        lambda g: g.multinomial(np.array([[1.0, 1.0], [0.0, 0.0]]), 2),
        RuntimeError,
        "invalid multinomial distribution (sum of probabilities <= 0)",
    ),
    (
        lambda g: g.multinomial(np.zeros(3), 2, True),
        RuntimeError,
        "invalid multinomial distribution (sum of probabilities <= 0)",
    ),
    (
        lambda g: g.multinomial(np.ones(0), 1, True),
        RuntimeError,
        "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
        "identity.",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS, ids=[m for _, _, m in ERRORS])
def test_errors(call: Callable[[Generator], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call(Generator())
    assert str(caught.value) == message


def test_bad_probabilities_stop_the_stream_where_they_stand() -> None:
    generator = Generator().manual_seed(0)
    with pytest.raises(RuntimeError):
        generator.bernoulli((3,), np.array([0.5, 0.5, 2.0], np.float32))
    other = Generator().manual_seed(0)
    other.random32(2)
    assert generator.get_state().tobytes() == other.get_state().tobytes()


def test_uniforms_never_reach_the_upper_end() -> None:
    # In half precision one value in 4096 is rounded up to 1.
    values = Generator().manual_seed(0).rand((100_000,), np.float16)
    assert values.max() < 1
    assert (values == 0).sum() > 10


def test_a_permutation_is_one() -> None:
    assert sorted(Generator().manual_seed(2).randperm(1000).tolist()) == list(range(1000))


def test_all_weight_is_drawn_before_none() -> None:
    weights = np.array([0, 3, 0, 1, 0, 2], np.float32)
    drawn = Generator().manual_seed(0).multinomial(weights, 4).tolist()
    assert sorted(drawn[:3]) == [1, 3, 5]
    assert len(set(drawn)) == 4


def test_poisson_of_any_rate() -> None:
    rates = np.array([0.0, 1e-3, 9.99, 10.0, 1e6, np.inf])
    counts = Generator().manual_seed(4).poisson(rates)
    assert counts[0] == 0
    assert counts[-1] == -(2.0**63)
    assert abs(counts[-2] - 1e6) < 1e4


def test_rrelu_draws_where_it_needs_to() -> None:
    generator = Generator().manual_seed(0)
    slopes = generator.rrelu_slopes(np.array([1.0, -1.0, 0.0, 2.0]), 0.25, 0.75)
    assert slopes[[0, 3]].tolist() == [1.0, 1.0]
    uniforms = Generator().manual_seed(0).rand((2,), np.float64)
    assert slopes[[1, 2]].tolist() == (0.25 + 0.5 * uniforms).tolist()


def test_an_infinite_deviation_makes_infinities() -> None:
    assert np.isinf(Generator().manual_seed(0).normal((64,), 1.0, math.inf)).all()


def test_the_random_module_of_numpy_is_not_needed() -> None:
    program = (
        "import sys; from gradcli.random import generator as r; r.default_generator.randn((20,)); "
        "assert 'numpy.random' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


reals = st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100)
reals32 = st.floats(-(2.0**60), 2.0**60, width=32).filter(lambda x: x == 0 or abs(x) > 2.0**-60)


@given(st.lists(reals, min_size=1, max_size=8), reals, reals)
def test_fma64_rounds_once(factors: list[float], scale: float, offset: float) -> None:
    expected = [float(Fraction(a) * Fraction(scale) + Fraction(offset)) for a in factors]
    assert fma64(np.array(factors), scale, offset).tolist() == expected


@given(st.lists(reals32, min_size=1, max_size=8), reals32, reals32)
def test_fma32_rounds_once(factors: list[float], scale: float, offset: float) -> None:
    result = fma32(np.array(factors, np.float32), np.float32(scale), np.float32(offset))
    for factor, value in zip(factors, result, strict=True):
        exact = Fraction(factor) * Fraction(scale) + Fraction(offset)
        error = abs(Fraction(float(value)) - exact)
        for neighbour in (np.nextafter(value, np.float32(-np.inf)), np.nextafter(value, np.inf)):
            assert error <= abs(Fraction(float(np.float32(neighbour))) - exact)


def test_fma32_where_rounding_twice_goes_wrong() -> None:
    # The exact result lies just above the middle of two singles, and rounds to it in double.
    a, b = np.float32(1 + 2.0**-12), np.float32(1 + 2.0**-12)  # product 1 + 2**-11 + 2**-24
    result = fma32(np.array([a]), b, np.float32(2.0**-60))
    assert result[0] == np.float32(1 + 2.0**-11 + 2.0**-23)


def test_drawing_with_one_probability_has_no_derivative() -> None:
    drawn = gradcli.bernoulli(gradcli.ones(3, requires_grad=True), 0.5)
    assert drawn.grad_fn.name() == "torch::autograd::NotImplemented"
    with pytest.raises(RuntimeError, match="derivative for aten::bernoulli is not implemented"):
        drawn.sum().backward()
