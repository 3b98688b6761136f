"""`gradcli functions`: what the table knows, told; every example that it gives runs."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from gradcli.random.generator import default_generator, manual_seed
from gradcli.table import index
from gradcli.table.registry import names
from gradcli.views import catalogue
from tests.commands import run


def examples() -> list[tuple[str, str]]:
    found = []
    for members in catalogue.groups().values():
        for name in members:
            found += [
                (name, overload["example"])
                for overload in catalogue.describe(name)["overloads"]
                if overload["example"]
            ]
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "example"), examples())
def test_examples_run(name: str, example: str) -> None:
    program, *arguments = shlex.split(example)
    assert program == "gradcli"
    code, _, err = run(*arguments, "--no-backward")
    assert code == 0, err


def test_every_public_name_is_listed_once() -> None:
    listed = [name for members in catalogue.groups().values() for name in members]
    assert len(listed) == len(set(listed))
    assert set(names()) <= set(listed)


def page(name: str) -> dict[str, Any]:
    return catalogue.describe(name)


def test_a_formula_is_the_text_of_its_row() -> None:
    (sin,) = page("sin")["overloads"]
    assert sin["derivatives"] == {"input": "grad * conj(cos(input))"}
    assert sin["saves"] == ["input"]
    assert sin["grad_fn"] == "SinBackward0"


def test_a_row_that_saves_nothing_says_so() -> None:
    code, out, _ = run("functions", "neg")
    assert code == 0
    assert "saves        no tensor: backward may run again" in out


@pytest.mark.parametrize(
    ("name", "nodes"),
    [
        ("max", [None, ["MaxBackward0"], ["MaximumBackward0"]]),
        ("softmax", [["SoftmaxBackward0"]]),
        ("pow", [["PowBackward1", "PowBackward0"]]),
    ],
)
def test_a_composition_shows_what_it_records(name: str, nodes: list[list[str] | None]) -> None:
    for overload, wanted in zip(page(name)["overloads"], nodes, strict=True):
        if wanted is not None:
            shown = [row["grad_fn"] for row in overload["composed_of"]]
            assert set(wanted) <= set(shown)


def test_a_formula_names_arguments_as_the_signature_does() -> None:
    code, out, _ = run("functions", "conv2d")
    assert code == 0
    assert "d/d input, weight, bias" in out
    assert "self" not in out.replace("self_shape", "")


def test_examples_are_small() -> None:
    for name in ("softmax", "conv2d", "max"):
        for overload in page(name)["overloads"]:
            assert len(overload["example"]) < 180


def test_showing_a_page_leaves_the_random_stream_alone() -> None:
    drawn = []
    for asked in (False, True):
        manual_seed(3)
        if asked:
            page("nn.functional.dropout")
        drawn.append(default_generator.rand((5,)).tolist())
    assert drawn[0] == drawn[1]


def test_conventions_at_kinks_are_told() -> None:
    code, out, _ = run("functions", "amax")
    assert code == 0
    assert "share the gradient evenly" in out


@pytest.mark.parametrize("spelling", ["torch.relu", "relu", "F.relu", "nn.functional.relu"])
def test_the_ways_to_name_a_function(spelling: str) -> None:
    assert catalogue.full_name(spelling) in ("relu", "nn.functional.relu")


def test_rows_that_only_formulas_call_have_pages() -> None:
    code, out, _ = run("functions", "tanh_backward")
    assert code == 0
    assert out.startswith("tanh_backward (used in formulas only, elementary functions)")
    assert "gradcli eval" not in out


def test_a_word_is_looked_for_in_names_and_descriptions() -> None:
    code, out, _ = run("functions", "hyperbolic")
    assert code == 0
    assert "tanh  The hyperbolic tangent." in out


def test_titles_and_nodes_are_looked_for() -> None:
    code, out, _ = run("functions", "activations")
    assert code == 0
    assert "  softmax  exp(input), divided by its sum along a dimension." in out
    code, out, err = run("functions", "AddBackward0")
    assert (code, err) == (0, "")
    assert "  add  " in out
    assert "  tanh  " not in out


def test_json() -> None:
    code, out, _ = run("functions", "tanh", "--json")
    assert code == 0
    assert json.loads(out)["overloads"][0]["derivatives"] == {
        "input": "tanh_backward(grad, result)"
    }
    code, out, _ = run("functions", "--json")
    assert code == 0
    assert {"name", "group", "computes"} == set(json.loads(out)[0])


def test_an_unknown_name_gets_the_nearest() -> None:
    code, out, err = run("functions", "sinhh")
    assert (code, out) == (2, "")
    assert err.startswith("error: no function is called 'sinhh'\nhint: did you mean")


def test_groups_are_called_what_users_call_them() -> None:
    files = {module.rpartition(".")[2] for module in index.modules()}
    # Few file names are a user's words as well.
    assert files & {*catalogue.groups()} == {"arithmetic", "losses", "statistics"} & files
