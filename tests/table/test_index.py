"""The index of names: complete, and no more than a short cut."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gradcli.table import index
from gradcli.table.registry import declared


def test_the_index_lists_what_the_table_declares() -> None:
    text = index.written(*declared())
    assert Path(index.PATH).read_text(encoding="utf-8") == text, "run: python -m gradcli.table"


def loaded_by(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(*[m for m in sys.modules if 'gradcli.ops' in m])"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


def test_a_name_loads_the_module_that_declares_it() -> None:
    loaded = loaded_by("from gradcli.table.registry import lookup; assert lookup('fft.fft')")
    assert "gradcli.ops.measuring.fft" in loaded
    assert "gradcli.ops.images.convolution" not in loaded


def test_a_backward_pass_loads_no_operator_that_it_does_not_use() -> None:
    """`backward` is a method of tensors that no operator declares."""
    loaded = loaded_by(
        "import gradcli; x = gradcli.tensor(3.0, requires_grad=True); (x * x).backward()"
    )
    assert "gradcli.ops.algebra.arithmetic" in loaded
    assert not {"gradcli.ops.algebra.elementary", "gradcli.ops.images.convolution"} & loaded


def test_a_name_that_the_index_lacks_is_found_all_the_same() -> None:
    loaded = loaded_by(
        "from gradcli.table import index; index.read = lambda: ({}, {})\n"
        "from gradcli.table.registry import lookup, lookup_method\n"
        "assert lookup('fft.fft') and lookup_method('view')"
    )
    assert "gradcli.ops.images.convolution" in loaded
