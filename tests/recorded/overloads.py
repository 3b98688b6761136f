"""Writes `table/overloads.txt`: `python -m tests.recorded.overloads`; needs PyTorch.

The signatures of what PyTorch generates are asked from its own generator, which is installed with
it; the few that it writes by hand stand here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
import torchgen
from torchgen.gen import parse_native_yaml
from torchgen.packaged.autograd import gen_python_functions as generator

from gradcli.table import registry
from gradcli.table.calls import functional, general, wrong
from gradcli.table.calls import layers as layers_written
from gradcli.table.calls.overloads import FACTORY, PATH, as_method
from gradcli.tensor.public import REGISTRY
from gradcli.tensor.tensor import Tensor

FUNCTIONS = """
as_tensor(object data, *, ScalarType dtype=None, Device? device=None)
asarray(object obj, *, ScalarType? dtype=None, Device? device=None, bool? copy=None, \
bool requires_grad=False)
finfo(ScalarType type)
finfo()
from_numpy(/)
get_default_dtype()
iinfo(ScalarType type)
nonzero(Tensor input, *, bool as_tuple=False, Tensor out=None)
numel(Tensor input)
range(Scalar start, Scalar end, Scalar step=1, *, Tensor out=None, ScalarType dtype=None, \
Layout layout=torch.strided, Device device=None, bool requires_grad=False)
set_grad_enabled(bool enabled)
tensor(object data, *, ScalarType dtype=None, Device? device=None, bool pin_memory=False, \
bool requires_grad=False, DimnameList? names=None)
"""
METHODS = """
apply_(/)
contiguous(*, MemoryFormat memory_format=contiguous_format)
copy_(Tensor other, bool non_blocking=False)
copy_(Tensor other, bool async=False)|deprecated
cpu(*, MemoryFormat? memory_format=None)
cuda(Device? device=None, bool non_blocking=False, *, MemoryFormat? memory_format=None)
cuda(Device? device=None, bool async=False, *, MemoryFormat? memory_format=None)|deprecated
data_ptr()
dim()
element_size()
get_device()
is_contiguous(*, MemoryFormat memory_format=contiguous_format)
item()
map_(Tensor other, object callable)
ndimension()
nelement()
new_tensor(object data, *, ScalarType dtype=None, Device? device=None, bool requires_grad=False)
nonzero()
nonzero(*, bool as_tuple)
numel()
numpy(*, bool force=False)
requires_grad_(bool requires_grad=True)
retain_grad()
size(int64_t? dim=None)
storage_offset()
stride(int64_t? dim=None)
to(Device device=None, ScalarType dtype=None, bool non_blocking=False, bool copy=False, *, \
MemoryFormat? memory_format=None)
to(ScalarType dtype, bool non_blocking=False, bool copy=False, *, \
MemoryFormat? memory_format=None)
to(Tensor tensor, bool non_blocking=False, bool copy=False, *, MemoryFormat? memory_format=None)
tolist()
type(object dtype=None, bool non_blocking=False, *, MemoryFormat? memory_format=None)
type(object dtype=None, bool async=False, *, MemoryFormat? memory_format=None)|deprecated
"""
CASTS = "bfloat16 bool byte cdouble cfloat char double float half int long short"
"""Methods that take a memory format and nothing else."""
TYPES = [
    (r"\bc10::List<::std::optional<Tensor>>", "Tensor?[]"),
    (r"\bc10::string_view\b", "str"),
    (r"\bSymIntArrayRef\b", "SymInt[]"),
    (r"\bIntArrayRef\b", "int[]"),
    (r"\bTensorList\b", "Tensor[]"),
    (r"\bScalarList\b", "Scalar[]"),
    (r"\bArrayRef<double>", "float[]"),
    (r"\bdouble\b", "float"),
    (r"\bint64_t\b", "int"),
    (r"\bScalarType\b", "dtype"),
    (r"\bDevice\b", "device"),
    (r"\bLayout\b", "layout"),
    (r"\[\]\[(\d)\]", r"[\1]"),
]
"""C++'s names of types in the table's words."""

Signatures = dict[str, list[str]]


def reworded(text: str) -> str:
    """A signature of PyTorch's parser in the words of the table, without the name."""
    for pattern, word in TYPES:
        text = re.sub(pattern, word, text)
    return text[text.index("(") :].replace(FACTORY, "$factory")


def by_hand(text: str) -> Signatures:
    found: Signatures = {}
    for line in text.split("\n"):
        if line:
            found.setdefault(line.partition("(")[0], []).append(line)
    return found


def generated(method: bool, kind: Callable[[Any], bool]) -> Signatures:
    """The signatures that PyTorch's generator writes, by name, in the order of the parser."""
    packaged = Path(torchgen.__file__).parent / "packaged"
    native = packaged / "ATen" / "native"
    every = parse_native_yaml(str(native / "native_functions.yaml"), str(native / "tags.yaml"))
    chosen = [f for f in every.native_functions if generator.should_generate_py_binding(f)]
    deprecated = str(packaged / "autograd" / "deprecated.yaml")
    pairs = generator.load_signatures(chosen, deprecated, method=method)
    return {
        str(name): [
            overload.signature.signature_str(symint=True)
            for overload in generator.group_overloads(overloads, symint=True)
        ]
        for name, overloads in generator.group_filter_overloads(pairs, kind).items()
    }


def called() -> Iterable[tuple[str, str]]:
    """What the functions that PyTorch writes in Python call: `torch` or `nn`, and a name."""
    for module in (functional, general, layers_written):
        yield from re.findall(r"\b(torch|nn)\.(\w+)(?=[(), ])", inspect.getsource(module))
    yield from (("nn", f"upsample_nearest{count}d") for count in (1, 2, 3))
    yield "torch", "set_grad_enabled"


def ordered(signatures: Iterable[str]) -> list[str]:
    """The signatures in the table's words; deprecated ones are tried last, as by the parser."""
    return sorted(map(reworded, signatures), key=lambda text: text.endswith("|deprecated"))


def functions() -> Signatures:
    """Every function of PyTorch's that the table has, and those that Python ones call."""
    plain = generated(False, lambda f: f.python_module != "nn") | by_hand(FUNCTIONS)
    layers = generated(False, generator.is_py_nn_function)
    found: Signatures = {}
    for name in registry.names():
        function: Any = torch
        for part in name.split("."):
            function = getattr(function, part)
        if inspect.isfunction(function):
            check_head(name, function)
            continue
        title = getattr(function, "__name__", "")
        if name.startswith("nn.functional.") and title in layers:
            found[f"nn.{title}"] = ordered(layers[title])
        elif title in plain:
            found[title] = ordered(plain[title])
    for prefix, name in called():
        known = layers if prefix == "nn" else plain
        found[f"nn.{name}" if prefix == "nn" else name] = ordered(known[name])
    return found


def check_head(name: str, function: Any) -> None:
    """Compares the head of what PyTorch writes in Python with what stands here for it."""
    if name.startswith(("masked.", "testing.")):
        return
    written = wrong.written_in_python(name, False)
    if written is None:
        raise SystemExit(f"{name} is written in Python and has no head")
    dispatched = inspect.getclosurevars(function).nonlocals.get("if_false", function)
    dispatched = inspect.getclosurevars(dispatched).nonlocals.get("if_false", dispatched)
    heads = [
        [
            (part.name, part.kind, part.default)
            for part in inspect.signature(each).parameters.values()
        ]
        for each in (written, dispatched)
    ]
    if heads[0] != heads[1]:
        raise SystemExit(f"{name} differs:\n{heads[0]}\n{heads[1]}")


def methods() -> Signatures:
    """Every method that a tensor has here, in place and not."""
    casts = "".join(f"{name}(*, MemoryFormat? memory_format=None)\n" for name in CASTS.split())
    plain = generated(True, generator.is_py_variable_method) | by_hand(METHODS + casts)
    known = {*registry.method_names(), *REGISTRY[Tensor].reads, *REGISTRY[Tensor].guards}
    return {
        name: ordered(signatures)
        for name, signatures in plain.items()
        if name in known or registry.lookup_method(name)
    }


def written() -> str:
    """The text of the file."""
    known = functions()
    lines = [f"{name}{text}" for name, texts in known.items() for text in texts]
    known_methods = methods()
    for name, texts in known_methods.items():
        base = known_methods.get(name.removesuffix("_")) if name.endswith("_") else None
        if (base or as_method(known.get(name, []))) != texts:
            lines += [f".{name}{text}" for text in texts]
    lines.sort(key=lambda line: line.partition("(")[0])  # overloads stay in their order
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    PATH.write_text(written(), "utf-8")
