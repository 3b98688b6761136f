"""`gradcli eval`: values, gradients, flags and forms of output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import run
from tests.workdir import fill


def lines(*arguments: str, stdin: str = "") -> list[str]:
    """The lines that a command prints when all is well."""
    done = run("eval", *arguments, stdin=stdin)
    assert (done.code, done.err) == (0, "")
    return done.out.splitlines()


def got(what: str, *arguments: str) -> str:
    """One thing of an answer."""
    (line,) = lines("--get", what, *arguments)
    return line


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fill(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_sum() -> None:
    assert lines("x+y", "--x", "3", "--y", "7") == [
        "tensor(10., grad_fn=<AddBackward0>)",
        "x.grad = tensor(1.)",
        "y.grad = tensor(1.)",
    ]


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["x", "--x", "3"], "3.0"),
        (["x", "--x=3"], "3.0"),
        (["x", "--x", "-3"], "-3.0"),
        (["x", "--x=-3"], "-3.0"),
        (["--x", "-3", "x"], "-3.0"),
        (["--x=-3", "--", "x"], "-3.0"),
        (["x", "--x", "1e-3"], "0.001"),
        (["x", "--x", "2**3 - 1"], "7.0"),
        (["x", "--x", "[1, [2, 3][0]]"], "[1.0, 2.0]"),
        (["x", "--x", "[[1,2],[3,4]]"], "[[1.0, 2.0], [3.0, 4.0]]"),
        (["x", "--x", "True"], "1.0"),
        (["x*y", "--x", "3", "--y", "x + 1"], "12.0"),
        (["x*y", "--const", "n=2", "--x", "n", "--y", "n + 1"], None),
        (["größe*2", "--größe", "3"], "6.0"),
        (["x_1*2", "--x_1", "3"], "6.0"),
        (["e*pi", "--e", "2", "--pi", "3"], "6.0"),
        (["order*json", "--let", "order=2", "--let", "json=4"], "8.0"),
    ],
)
def test_variable(arguments: list[str], value: str | None) -> None:
    if value is None:
        assert lines(*arguments)[1:] == ["x.grad = tensor(3.)", "y.grad = tensor(2.)"]
    else:
        assert got("value", *arguments) == value


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["-x**2", "--x", "3"], "-9.0"),
        (["-x**2", "--x=3"], "-9.0"),
        (["--x", "3", "-x**2"], "-9.0"),
        (["-x", "--x", "3"], "-3.0"),
        (["-g", "--g", "3"], "-3.0"),
        (["-h", "--h", "3"], "-3.0"),
        (["-g*2", "--g=3"], "-6.0"),
        (["--x", "--x", "3"], "3.0"),
        (["--x**2", "--x", "3"], "9.0"),
        (["--x-y", "--x", "3", "--y", "1"], "2.0"),
        (["-1"], "-1"),
        (["--x==3", "--x", "3"], "true"),
    ],
)
def test_expression_that_begins_with_minus(arguments: list[str], value: str) -> None:
    assert got("value", *arguments) == value


def test_const_needs_no_gradient_and_keeps_the_inferred_type() -> None:
    assert lines("c*x", "--const", "c=[1,2]", "--x", "[3,4]", "-g", "ones") == [
        "tensor([3., 8.], grad_fn=<MulBackward0>)",
        "x.grad = tensor([1., 2.])",
    ]
    assert got("dtype", "c", "--const", "c=[1,2]") == "int64"


@pytest.mark.parametrize(
    ("file", "dtype", "value"),
    [
        ("matrix.npy", "float64", "[[1.0, 2.0], [3.0, 4.0]]"),
        ("fortran.npy", "float32", "[[1.0, 2.0], [3.0, 4.0]]"),
        ("counts.npy", "float32", "[1.0, 2.0, 3.0]"),
        ("pair.npz:bias", "float32", "[1.0, -1.0]"),
        ("single.npz", "float64", "2.5"),
        ("row.csv", "float32", "[1.0, 2.0, 3.0]"),
        ("column.csv", "float32", "[1.0, 2.0, 3.0]"),
        ("table.csv", "float32", "[[0.0, 1.5], [1.0, -2000.0]]"),
        ("matrix.json", "float32", '[[1.0, 2.5], ["NaN", "-Infinity"]]'),
    ],
)
@pytest.mark.usefixtures("files")
def test_file(file: str, dtype: str, value: str) -> None:
    assert got("value", "x", "--x", f"@{file}") == value
    assert got("dtype", "x", "--x", f"@{file}") == dtype
    assert got("requires_grad", "x", "--x", f"@{file}") == "true"


@pytest.mark.usefixtures("files")
def test_file_of_integers_stays_integer_as_a_constant() -> None:
    assert got("dtype", "x", "--const", "x=@counts.npy") == "int64"


def test_standard_input() -> None:
    assert lines("-", "--x", "3", stdin="x * 2\n")[0] == "tensor(6., grad_fn=<MulBackward0>)"
    assert lines("-", stdin="let x = 3\ny = x * x\ny * y\n")[1] == "x.grad = tensor(108.)"


def test_declarations_in_the_text() -> None:
    assert lines("let x = 3; const c = 2; x*c") == [
        "tensor(6., grad_fn=<MulBackward0>)",
        "x.grad = tensor(2.)",
    ]


def test_leaves_that_the_text_makes_itself_are_shown() -> None:
    text = "x = torch.tensor(3., requires_grad=True); alias = x; y = x*x; y"
    assert lines(text) == ["tensor(9., grad_fn=<MulBackward0>)", "x.grad = tensor(6.)"]


def test_plain_values_have_no_gradient_lines() -> None:
    assert lines("1 + 2") == ["3"]
    assert lines("c*2", "--const", "c=3") == ["tensor(6)"]
    assert lines("'a' + 'b'") == ["ab"]
    assert lines("x.detach()*2", "--x", "3") == ["tensor(6.)"]
    assert lines("x*2", "--x", "3", "--no-backward") == ["tensor(6., grad_fn=<MulBackward0>)"]


def test_unused_leaf_has_no_gradient() -> None:
    assert lines("x + 0*x.detach() if True else y", "--x", "3", "--y", "4")[1:] == [
        "x.grad = tensor(1.)",
        "y.grad = None",
    ]


def test_tuple_has_a_line_per_tensor_and_a_seed_per_output() -> None:
    arguments = ["x*2, x.detach(), x*x", "--x", "[1, 2]"]
    assert lines(*arguments, "-g", "[1, 10]", "-g", "ones") == [
        "tensor([2., 4.], grad_fn=<MulBackward0>)",
        "tensor([1., 2.])",
        "tensor([1., 4.], grad_fn=<MulBackward0>)",
        "x.grad = tensor([ 4., 24.])",
    ]


@pytest.mark.parametrize(
    ("seed", "gradient"),
    [
        ("ones", "[2.0, 2.0]"),
        ("[1, 2.5]", "[2.0, 5.0]"),
        ("ones_like(x)", "[2.0, 2.0]"),
        ("x", "[6.0, 8.0]"),
        ("-x", "[-6.0, -8.0]"),
        ("torch.zeros", "[0.0, 0.0]"),
    ],
)
def test_seed(seed: str, gradient: str) -> None:
    assert got("x.grad", "x*2", "--x", "[3,4]", "--grad-tensors", seed) == gradient


def test_seed_takes_the_type_of_the_output() -> None:
    arguments = ["x*2", "--x", "[3]", "--dtype", "float64", "-g", "[0.1]"]
    assert got("x.grad", *arguments) == "[0.2]"


def test_repeated_backward_accumulates() -> None:
    assert got("x.grad", "x + 1", "--x", "3", "--backward", "3") == "3.0"
    arguments = ["x*x", "--x", "3", "--backward", "2", "--retain-graph"]
    assert got("x.grad", *arguments) == "12.0"


def test_create_graph_leaves_the_grad_fn_in_view() -> None:
    assert lines("x**3", "--x", "2", "--create-graph") == [
        "tensor(8., grad_fn=<PowBackward0>)",
        "x.grad = tensor(12., grad_fn=<CopyBackwards>)",
    ]


def test_wrt_restricts_the_leaves() -> None:
    assert lines("x*y", "--x", "2", "--y", "3", "--wrt", "y")[1:] == ["y.grad = tensor(2.)"]


def test_wrt_given_twice_is_collected() -> None:
    arguments = ["x*y*z", "--x", "2", "--y", "3", "--z", "4"]
    both = ["x.grad = tensor(12.)", "z.grad = tensor(6.)"]
    assert lines(*arguments, "--wrt", "x", "--wrt", "z")[1:] == both
    assert lines(*arguments, "--wrt", "x,z")[1:] == both


def test_orders() -> None:
    assert lines("x**3 + y", "--x", "2", "--y", "1", "--order", "4") == [
        "tensor(9., grad_fn=<AddBackward0>)",
        "x.grad = tensor(12.)",
        "d2/dx2 = tensor(12.)",
        "d3/dx3 = tensor(6.)",
        "d4/dx4 = tensor(0.)",
        "y.grad = tensor(1.)",
        "d2/dy2 = tensor(0.)",
        "d3/dy3 = tensor(0.)",
        "d4/dy4 = tensor(0.)",
    ]


def test_order_of_a_leaf_that_is_not_used() -> None:
    assert lines("x*1 if True else y", "--x", "2", "--y", "[1, 1]", "--order", "2")[2:] == [
        "d2/dx2 = tensor(0.)",
        "y.grad = None",
        "d2/dy2 = tensor([0., 0.])",
    ]


def test_first_order_is_seeded_and_later_ones_by_ones() -> None:
    arguments = ["x**3", "--x", "[1, 2]", "-g", "[1, 10]", "--order", "3"]
    assert got("x.grad", *arguments) == "[3.0, 120.0]"
    assert got("d1/dx1", *arguments) == "[3.0, 120.0]"
    assert got("d2/dx2", *arguments) == "[6.0, 120.0]"
    assert got("d3/dx3", *arguments) == "[6.0, 60.0]"


def test_orders_of_several_variables_are_each_of_one_alone() -> None:
    arguments = ["x**2 * y**2", "--x", "2", "--y", "3", "--order", "2"]
    assert (got("d2/dx2", *arguments), got("d2/dy2", *arguments)) == ("18.0", "8.0")


def test_json() -> None:
    (line,) = lines("x+y", "--x", "3", "--y", "7", "--json")
    assert json.loads(line) == {
        "ok": True,
        "value": 10.0,
        "dtype": "float32",
        "shape": [],
        "grad_fn": "AddBackward0",
        "requires_grad": True,
        "grads": {"x": 1.0, "y": 1.0},
    }


def test_json_of_a_tuple_and_of_orders() -> None:
    (line,) = lines("x**2, x > 1", "--x", "[1, 2]", "-g", "ones", "--order", "2", "--json")
    answer = json.loads(line)
    assert [output["dtype"] for output in answer["outputs"]] == ["float32", "bool"]
    assert answer["outputs"][1]["value"] == [False, True]
    assert answer["derivatives"] == {"x": [[2.0, 4.0], [2.0, 2.0]]}


def test_json_is_strict() -> None:
    (line,) = lines("x/0", "--x", "[1,-1,0]", "--json", "--no-backward")
    assert json.loads(line, parse_constant=pytest.fail)["value"] == ["Infinity", "-Infinity", "NaN"]


@pytest.mark.parametrize(
    ("what", "expression", "shown"),
    [
        ("value", "x*0.1", "0.3"),
        ("value", "x/0", "Infinity"),
        ("value", "[1,2]", "[1, 2]"),
        ("value", "'text'", "text"),
        ("value", "x, x", "[3.0, 3.0]"),
        ("grad_fn", "x*2", "MulBackward0"),
        ("grad_fn", "x", "None"),
        ("dtype", "x", "float32"),
        ("shape", "x", "[]"),
        ("requires_grad", "x", "true"),
        ("x.grad", "x**2", "6.0"),
        ("x.grad", "x + 0*x", "1.0"),
    ],
)
def test_get(what: str, expression: str, shown: str) -> None:
    given = ["--x", "3"] if "x" in expression.replace("text", "") else []
    assert got(what, expression, *given) == shown


def test_precision() -> None:
    assert lines("x/3", "--x", "1", "--precision", "8")[0] == (
        "tensor(0.33333334, grad_fn=<DivBackward0>)"
    )
    assert lines("x/3", "--x", "1")[0] == "tensor(0.3333, grad_fn=<DivBackward0>)"


def test_dtype() -> None:
    assert lines("x/3", "--x", "1", "--dtype", "double")[0] == (
        "tensor(0.3333, grad_fn=<DivBackward0>)"
    )
    assert got("dtype", "x", "--x", "1", "--dtype", "torch.float16") == "float16"


def test_print_goes_where_it_does_not_spoil_the_answer() -> None:
    assert lines("print('a'); x*2", "--x", "3")[0] == "a"
    assert lines("print('only this')") == ["only this"]
    done = run("eval", "print('a'); 3", "--json")
    assert (json.loads(done.out)["value"], done.err) == (3, "a\n")


def test_warning_is_one_line_on_the_error_stream() -> None:
    done = run("eval", "y = x*x; y.grad; y", "--x", "3")
    assert done.out.splitlines()[1] == "x.grad = tensor(6.)"
    assert done.err.startswith("warning: UserWarning: The .grad attribute of a Tensor that is not")
    assert done.err.count("\n") == 1


def test_debug_shows_the_traceback_before_the_error() -> None:
    done = run("eval", "1/0", "--debug")
    assert done.code == 1
    assert done.err.startswith("Traceback (most recent call last):")
    assert done.err.splitlines()[-4] == "error: ZeroDivisionError: division by zero"


def test_settings_of_one_call_do_not_reach_the_next() -> None:
    assert got("dtype", "x", "--x", "1", "--dtype", "float64") == "float64"
    assert got("dtype", "x", "--x", "1") == "float32"


def test_a_tangent_gives_the_jacobian_vector_product() -> None:
    assert lines("sin(x)*y", "--x", "[1, 2]", "--y", "2", "--tangent", "x=[1, 0]") == [
        "tensor([1.6829, 1.8186], grad_fn=<MulBackward0>)",
        "jvp = tensor([1.0806, -0.0000])",
    ]
    both = ["--tangent", "x=ones", "--tangent", "y=3"]
    assert lines("x*y", "--x", "[1, 2]", "--y", "2", *both, "--get", "jvp") == ["[5.0, 8.0]"]
    (line,) = lines("x, x*y", "--x", "1", "--y", "2", "--tangent", "y=2", "--json")
    assert json.loads(line)["jvp"] == [0.0, 2.0]


def test_a_tangent_does_not_hinder_a_backward_pass() -> None:
    found = lines("x*x", "--x", "3", "--tangent", "x=2", "--order", "2")
    assert found[1:] == ["jvp = tensor(12.)", "x.grad = tensor(6.)", "d2/dx2 = tensor(2.)"]


def test_an_operator_without_series_has_a_product_all_the_same() -> None:
    arguments = ["matrix_exp(x).sum()", "--x", "[[0, 1], [0, 0]]", "--tangent", "x=ones"]
    assert lines(*arguments)[1] == "jvp = tensor(6.1667)"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--tangent", "x=1"], 1, "the tangent of x has invalid size: should be torch.Size([2])"),
        (["--tangent", "z=1"], 2, "--tangent: z is no variable of the expression"),
        (["--tangent", "x"], 2, "--tangent needs NAME=VALUE"),
        (["--tangent", "x=ones", "--tangent", "x=2"], 2, "x is given more than once"),
    ],
)
def test_tangents_that_make_no_sense(arguments: list[str], code: int, said: str) -> None:
    result = run("eval", "x*2", "--x", "[1, 2]", *arguments)
    assert result.code == code
    assert said in result.err


def test_any_order_at_once() -> None:
    assert lines("exp(sin(x))", "--x", "0.5", "--order", "40", "--get", "d40/dx40") == [
        "1.042205e+31"
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["(x.sum())**2", "--x", "[1, 2]", "--order", "2"],
            "note: x has elements that the output mixes, so that d2/dx2 is the Hessian times ones,"
            " not its diagonal: see gradcli hessian\n",
        ),
        (["(x**2).sum()", "--x", "[1, 2]", "--order", "3"], ""),
        (
            ["sqrt(x)", "--x", "0", "--order", "3"],
            "note: x: sqrt has a derivative of order 1 that is not finite here\n",
        ),
        (["relu(x)", "--x", "0", "--order", "2"], "note: x: relu has a kink here: 0 at 0\n"),
        (
            ["let a = 2; b = a*1; b.add_(1); b*a", "--order", "3", "--debug"],
            "note: a: nested backward passes, since a tensor is changed in place\n",
        ),
    ],
)
def test_what_is_said_about_higher_orders(arguments: list[str], said: str) -> None:
    result = run("eval", *arguments)
    assert (result.code, result.err) == (0, said)
