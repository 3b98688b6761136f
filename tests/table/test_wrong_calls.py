"""What is told about calls that fit no signature."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcli.language import Machine, compile_text
from gradcli.table import registry
from gradcli.table.calls import overloads, parser, wrong
from gradcli.table.entry import name_in_messages
from gradcli.table.registry import lookup, lookup_method
from gradcli.tensor.tensor import Tensor, wrap


def _tensor(*shape: int, dtype: str = "float32") -> Tensor:
    return wrap(np.ones(shape, dtype))


def _message(name: str, *args: Any, **kwargs: Any) -> str:
    function = lookup(name)
    assert function is not None
    with pytest.raises(Exception) as failure:  # noqa: PT011 - its words are looked at
        function(*args, **kwargs)
    return f"{type(failure.value).__name__}: {str(failure.value).splitlines()[0]}"


def test_every_function_has_signatures_of_pytorch_or_stands_here_in_python() -> None:
    untold = [
        name
        for name in registry.names()
        if not name.startswith(("masked.", "testing."))
        and not name.endswith("Tensor")
        and name not in ("Generator", "nn.Parameter", "nn.functional.logsigmoid")
        and not wrong.written_in_python(name, False)
        and not wrong.known_signatures(name, name_in_messages(name), False)
    ]
    assert untold == []


def test_every_signature_is_readable() -> None:
    lines = overloads.PATH.read_text(encoding="utf-8").splitlines()
    for line in lines:
        name, bracket, rest = line.partition("(")
        if rest != "/)":
            parser.Overload(name, bracket + rest)
    assert len(lines) > 900


def test_a_method_has_the_signatures_of_its_function() -> None:
    assert overloads.signatures_of("add_", True) == [
        "(Tensor other, *, Scalar alpha=1)",
        "(Scalar alpha, Tensor other)|deprecated",
    ]
    assert overloads.signatures_of("zero_", True) == ["()"]
    assert overloads.signatures_of("mm", True) == ["(Tensor mat2)"]
    assert overloads.signatures_of("nothing_of_the_kind", False) == []


def test_the_only_overload_that_takes_so_many_arguments_is_explained() -> None:
    x = _tensor(2, 3)
    assert _message("tril", x, "a") == (
        "TypeError: tril(): argument 'diagonal' (position 2) must be int, not str"
    )
    assert _message("tril") == 'TypeError: tril() missing 1 required positional arguments: "input"'
    assert _message("tril", x, 1, 2) == (
        "TypeError: tril() takes from 1 to 2 positional arguments but 3 were given"
    )
    assert _message("tril", x, foo=1) == (
        "TypeError: tril() got an unexpected keyword argument 'foo'"
    )
    assert _message("tril", x, input=x) == (
        "TypeError: tril() got multiple values for argument 'input'"
    )
    assert _message("tril", x, self=x) == (
        "TypeError: tril() got an unexpected keyword argument 'self'"
    )


def test_several_overloads_are_listed() -> None:
    function = lookup("any")
    assert function is not None
    with pytest.raises(TypeError) as failure:
        function(_tensor(2), "a")
    assert str(failure.value).splitlines() == [
        "any() received an invalid combination of arguments - got (Tensor, str), but expected one "
        "of:",
        " * (Tensor input, *, Tensor out = None)",
        " * (Tensor input, tuple of ints dim = None, bool keepdim = False, *, Tensor out = None)",
        " * (Tensor input, int dim, bool keepdim = False, *, Tensor out = None)",
    ]


def _words_of(method: str, *args: Any, **kwargs: Any) -> list[str]:
    function = lookup_method(method)
    assert function is not None
    with pytest.raises(TypeError) as failure:
        function.call((_tensor(2), *args), kwargs, True)
    return str(failure.value).splitlines()[1:]


def test_overloads_that_take_so_many_arguments_say_which_do_not_fit() -> None:
    because = "      didn't match because some of the"
    assert _words_of("max", other=3) == [
        " * ()",
        f"{because} keywords were incorrect: other",
        " * (Tensor other)",
        f"{because} arguments have invalid types: (!other=int!, )",
        " * (int dim, bool keepdim = False)",
    ]
    assert _words_of("index_fill", 0, _tensor(2), ("a", 1)) == [
        " * (int dim, Tensor index, Tensor value)",
        f"{because} arguments have invalid types: (int, Tensor, !tuple of (str, int)!)",
        " * (int dim, Tensor index, Number value)",
        f"{because} arguments have invalid types: (int, Tensor, !tuple of (str, int)!)",
    ]
    assert _message("sub", 1, 2, 3, 4, 5) == (
        "TypeError: sub() received an invalid combination of arguments - got (!int!, !int!, "
        "!int!, !int!, !int!), but expected (Tensor input, Tensor other, *, Number alpha = 1, "
        "Tensor out = None)"
    )
    with pytest.raises(TypeError, match=r"\(Number self, Tensor exponent, \*, Tensor out = None\)"):
        lookup("pow")("a", 2)  # type: ignore[misc]


def test_keywords_come_in_the_order_of_a_hash_table() -> None:
    keywords = dict.fromkeys(["dim", "keepdim", "foo", "unbiased"], 1)
    assert _message("any", _tensor(2), **keywords) == (
        "TypeError: any() received an invalid combination of arguments - got (Tensor, "
        "unbiased=int, foo=int, keepdim=int, dim=int), but expected one of:"
    )


def test_what_pytorch_writes_in_python_fails_like_python() -> None:
    x = _tensor(2, 3)
    assert _message("nn.functional.l1_loss", x) == (
        "TypeError: l1_loss() missing 1 required positional argument: 'target'"
    )
    assert _message("nn.functional.l1_loss", x, 3) == (
        "AttributeError: 'int' object has no attribute 'size'"
    )
    assert _message("nn.functional.max_pool1d", x) == (
        "TypeError: _max_pool1d() missing 1 required positional argument: 'kernel_size'"
    )
    assert _message("nn.functional.softmax", x, "a") == (
        "TypeError: softmax(): argument 'dim' (position 1) must be int, not str"
    )
    assert _message("nn.functional.mse_loss", x, x, reduction=[]) == (
        "ValueError: [] is not a valid value for reduction"
    )


def test_what_pytorch_writes_in_python_takes_anything_for_a_flag() -> None:
    relu = lookup("nn.functional.relu")
    assert relu is not None
    assert relu(_tensor(2), None).tolist() == [1.0, 1.0]
    changed = _tensor(2)
    assert relu(changed, "yes") is changed


def test_integers_of_operands_have_64_bits() -> None:
    x = _tensor(2)
    assert (x * 2**63).tolist() == [2.0**63] * 2
    for call in (lambda: x * 10**20, lambda: 10**20 - x, lambda: x == 10**20, lambda: x**10**20):
        with pytest.raises(OverflowError, match="int too big to convert"):
            call()
    assert _message("add", x, 10**20) == "OverflowError: int too big to convert"
    assert _message("add", x, -(10**20)) == "OverflowError: can't convert negative int to unsigned"
    assert _message("sum", x, 10**20) == "ValueError: Overflow when unpacking long long"


def test_flags_stand_for_integers_behind_the_first() -> None:
    view = lookup_method("view")
    assert view is not None
    assert view.call((_tensor(3), 3, True), {}, True).shape == (3, 1)


def test_overloads_with_the_factor_first_warn() -> None:
    message = (
        "This overload of add_ is deprecated:\n\tadd_(Number alpha, Tensor other)\nConsider using "
        "one of the following signatures instead:\n\tadd_(Tensor other, *, Number alpha = 1)"
    )
    with pytest.warns(UserWarning, match="deprecated") as caught:
        Machine().run(compile_text("x = torch.ones(2)\nx.add_(-0.5, torch.ones(2))"))
    assert [str(warning.message) for warning in caught] == [message]


def test_functions_with_one_head_are_told_under_their_own_names() -> None:
    shown = {
        "max_pool2d": "_max_pool2d",
        "max_pool2d_with_indices": "max_pool2d_with_indices",
        "adaptive_max_pool1d": "_adaptive_max_pool1d",
        "adaptive_avg_pool3d": "adaptive_avg_pool3d",
        "lp_pool3d": "lp_pool3d",
        "max_unpool1d": "max_unpool1d",
        "relu6": "relu6",
        "softmin": "softmin",
        "threshold": "_threshold",
        "dropout2d": "dropout2d",
        "feature_alpha_dropout": "feature_alpha_dropout",
        "mse_loss": "mse_loss",
        "margin_ranking_loss": "margin_ranking_loss",
    }
    for name, told in shown.items():
        assert _message(f"nn.functional.{name}").startswith(f"TypeError: {told}() missing ")


@pytest.mark.parametrize(
    ("text", "message", "asked"),
    [
        ("torch.ones(2, 3).reshape(7)", "shape '.7.' is invalid for input of size 6", False),
        ("torch.cat([])", "expected a non-empty list of Tensors", False),
        (
            "F.gaussian_nll_loss(x, x, torch.full((3,), -1.0))",
            "var has negative entry/entries",
            False,
        ),
        ("F.gaussian_nll_loss(x, x, 'a')", "str", True),
    ],
)
def test_only_what_is_not_about_values_is_asked_for_pytorchs_words(
    text: str, message: str, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions: list[object] = []
    monkeypatch.setattr("gradcli.table.calls.wrong.refuse_call", lambda *a: questions.append(a))
    with pytest.raises(Exception, match=message):
        Machine().run(compile_text(f"x = torch.ones(3)\n{text}"))
    assert bool(questions) is asked
