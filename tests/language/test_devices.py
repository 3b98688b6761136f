"""Devices, versions and what a process is told, as PyTorch's build for the CPU answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

import gradcli.wiring  # noqa: F401 - methods of tensors
from gradcli.batch.worker import reply
from gradcli.language import Machine, compile_text

NO_CUDA = "Torch not compiled with CUDA enabled"


def run(text: str) -> Any:
    return Machine().run(compile_text(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("torch.device('cpu')", "device(type='cpu')"),
        (
            "torch.device('cuda:1'), torch.device('cuda', 0)",
            "(device(type='cuda', index=1), device(type='cuda', index=0))",
        ),
        ("str(torch.device('cuda:1')), f\"{torch.device('cpu')}\"", "('cuda:1', 'cpu')"),
        ("torch.device('cuda:1').index, torch.device('cpu').index", "(1, None)"),
        ("torch.device(torch.device('mps')).type", "'mps'"),
        ("torch.device('cpu') == torch.device('cpu:0')", "False"),
        ("torch.device('cpu') == 'cpu'", "False"),
        ("{torch.device('cpu'): 1}[torch.ones(1).device]", "1"),
        (
            "torch.ones(1).to('cpu:0').device, torch.ones(1).cpu().device",
            "(device(type='cpu'), device(type='cpu'))",
        ),
        (
            "torch.ones(2, device='cuda' if torch.cuda.is_available() else 'cpu')",
            "tensor([1., 1.])",
        ),
        ("torch.cuda.device_count(), torch.cuda.empty_cache()", "(0, None)"),
        ("torch.accelerator.is_available(), torch.accelerator.device_count()", "(False, 0)"),
        ("torch.backends.mps.is_available(), torch.backends.cudnn.version()", "(False, None)"),
        ("torch.__version__", "'2.13.0+cpu'"),
        (
            "torch.__version__ >= '1.0', torch.__version__ > '2.4', '2.14' > torch.__version__",
            "(True, True, True)",
        ),
        ("torch.__version__ < '10', torch.__version__ == '2.13.0'", "(True, False)"),
        ("torch.__version__.split('+')[0], torch.version.cuda", "('2.13.0', None)"),
        ("type(torch.__version__)", "<class 'torch.torch_version.TorchVersion'>"),
        ("from torch import __version__ as v; v", "'2.13.0+cpu'"),
        ("torch.set_num_threads(3); torch.get_num_threads()", "3"),
        (
            "torch.use_deterministic_algorithms(True)\ntorch.get_float32_matmul_precision()",
            "'highest'",
        ),
        (
            "import torch.backends.cudnn as c; c.benchmark = True; torch.backends.cudnn.benchmark",
            "True",
        ),
        ("with torch.device('cpu'): x = torch.ones(1)\nx", "tensor([1.])"),
    ],
)
def test_answers(text: str, shown: str) -> None:
    assert repr(run(text)) == shown


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("torch.ones(1).cuda()", AssertionError, NO_CUDA),
        ("torch.ones(1).to('cuda:0')", AssertionError, NO_CUDA),
        ("torch.ones(1, device=torch.device('cuda'))", AssertionError, NO_CUDA),
        ("torch.cuda.get_device_name(0)", AssertionError, NO_CUDA),
        ("torch.set_default_device('cuda')", AssertionError, NO_CUDA),
        ("with torch.device('cuda'): pass", AssertionError, NO_CUDA),
        (
            "torch.ones(1).to('mps')",
            RuntimeError,
            "PyTorch is not linked with support for mps devices",
        ),
        ("torch.device('cuda:01')", RuntimeError, "Invalid device string: 'cuda:01'"),
        ("torch.device('')", RuntimeError, "Device string must not be empty"),
        ("torch.device('cuda', -1)", RuntimeError, "Device index must not be negative"),
        (
            "torch.device(0)",
            RuntimeError,
            "Cannot access accelerator device when none is available.",
        ),
        (
            "torch.device('cpu', 'x')",
            TypeError,
            "device(): argument 'index' (position 2) must be int, not str",
        ),
        (
            "torch.device(1.5)",
            TypeError,
            "device() received an invalid combination of arguments - got (float), but expected one "
            "of:\n * (torch.device device)\n      didn't match because some of the arguments have "
            "invalid types: (!float!)\n * (str type, int index = -1)\n",
        ),
        ("torch.set_num_threads(0)", RuntimeError, "set_num_threads expects a positive integer"),
        ("torch.set_num_threads('a')", RuntimeError, "set_num_threads expects an int, but got str"),
    ],
)
def test_refusals(text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        run(text)
    assert str(caught.value) == words


def test_no_record_changes_what_the_next_is_told() -> None:
    ask = "print(torch.get_num_threads(), torch.backends.cudnn.benchmark)"
    change = "torch.set_num_threads(7)\ntorch.backends.cudnn.benchmark = True"
    told = [reply(json.dumps({"program": text}).encode(), 1) for text in (change, ask)]
    assert json.loads(told[1].text)["stdout"] == "1 False\n"  # type: ignore[union-attr]
