"""The short ways through rows answer what the general ways do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcli as torch
from gradcli import manual_seed
from gradcli.autograd.passes import grad
from gradcli.table.node import RowNode
from gradcli.table.registry import entries
from gradcli.table.row import Row
from gradcli.table.samples import Sampler
from gradcli.tensor.tensor import Tensor, wrap

ROWS = [e for e in entries() if isinstance(e, Row) and e.arity and e.samples is not None]
KINDS = (np.float32, np.float64)


def calls_on_numbers(row: Row) -> list[tuple[Any, ...]]:
    """The operands of the row's samples, arrays cut down to one of their numbers."""
    found = []
    for sample in row.samples(Sampler()):
        operands = sample[: row.arity]
        if len(operands) == row.arity and isinstance(operands[0], np.ndarray) and operands[0].size:
            found.append(tuple(o.flat[0] if isinstance(o, np.ndarray) else o for o in operands))
    return found


def tensors(operands: tuple[Any, ...], kind: type, numbers: bool) -> list[Any]:
    """Leaves of the operands; with `numbers` the second one stays a Python number."""
    made: list[Any] = []
    for position, operand in enumerate(operands):
        if isinstance(operand, np.generic):
            plain = kind(operand.real)
            made.append(float(plain) if numbers and position else wrap(plain, True))
        else:
            made.append(operand)
    return made


def told(run: Any, operands: list[Any]) -> Any:
    """What is known of a call: result, node, what it saved, gradients and theirs."""
    manual_seed(0)
    try:
        result = run(operands)
    except Exception as error:
        return type(error), str(error)
    if not isinstance(result, Tensor):
        return [told(lambda _, part=part: part, operands) for part in result]
    facts = [result.dtype, result.shape, str(result.item()), result.requires_grad]
    node = result.grad_fn
    if not isinstance(node, RowNode):
        return facts
    leaves = [o for o in operands if isinstance(o, Tensor)]
    facts += [node.name(), [(n and n.name(), k) for n, k in node.next_functions]]
    facts += [str(getattr(node, f"_saved_{name}", None)) for name in node.plan.names]
    return [*facts, *told_of_gradients(result, leaves)]


def told_of_gradients(result: Tensor, leaves: list[Tensor]) -> list[Any]:
    facts: list[Any] = []
    try:
        for first in grad(result, leaves, create_graph=True, allow_unused=True):
            facts.append(str(first))
            if first is not None and first.grad_fn is not None:
                seconds = grad(first, leaves, retain_graph=True, allow_unused=True)
                facts.append([str(second) for second in seconds])
        result.backward()
    except Exception as error:
        facts.append((type(error), str(error)))
    return [*facts, [str(leaf.grad) for leaf in leaves]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.names[0])
def test_a_call_on_numbers_is_answered_as_any_other(row: Row) -> None:
    calls = calls_on_numbers(row)
    for operands in calls:
        for kind in KINDS:
            for numbers in (False, True):
                short, long = (tensors(operands, kind, numbers) for _ in range(2))
                assert row.short is not None
                found = told(lambda given: row.short(*given), short)
                assert found == told(lambda given: row.record(tuple(given)), long), operands


def test_there_are_such_rows() -> None:
    assert sum(bool(calls_on_numbers(row)) for row in ROWS) > 80


def test_a_saved_result_that_changed_is_noticed() -> None:
    x = torch.tensor(0.5, requires_grad=True)
    y = (x * 1).exp()
    y.mul_(2)
    with pytest.raises(RuntimeError, match=r"output 0 of .*is at version 1; expected version 0"):
        y.backward()


def test_a_result_and_its_second_tensor_share_a_counter() -> None:
    x = torch.tensor(0.5, requires_grad=True)
    y = (x * 1).exp()
    (slope,) = torch.autograd.grad(y, x, create_graph=True)
    y.mul_(2)
    with pytest.raises(RuntimeError, match=r"is at version 1; expected version 0"):
        slope.backward()


def test_numbers_changed_in_place_are_not_remembered() -> None:
    x = torch.tensor(0.5, requires_grad=True)
    y = x * 4
    y.add_(1)
    assert (y * 1).item() == 3.0
    y.data = torch.tensor(7.0)
    assert (y + 0).item() == 7.0
    z = x * 1
    z.detach().fill_(9.0)
    assert (z * 1).item() == 9.0
    z.numpy(force=True)[...] = 8.0
    assert (z * 1).item() == 8.0


def test_what_a_node_saved_lies_in_its_result() -> None:
    # PyTorch 2.13 goes on with the memory as it is where no counter tells of changes.
    x = torch.tensor(2.0, requires_grad=True)
    changed = torch.exp(x)
    changed.data.fill_(5.0)
    changed.backward()
    assert x.grad.item() == 5.0
    result = torch.exp(x)
    saved = result.grad_fn._saved_result
    result.detach().fill_(9.0)
    assert saved.item() == 9.0


def test_a_parameter_shares_the_memory_of_a_number() -> None:
    number = torch.tensor(2.0)
    parameter = torch.nn.Parameter(number)
    with torch.no_grad():
        parameter.mul_(4.0)
    assert number.item() == parameter.item() == 8.0
