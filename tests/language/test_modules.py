"""Modules that programs import: what Python's offer, what is left out, and what bounds it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest

import gradcli.wiring  # noqa: F401 - methods of tensors
from gradcli.batch.worker import reply
from gradcli.language import LimitError, Machine, compile_text, diagnose
from gradcli.language.allowed.absent import REASONS
from gradcli.language.allowed.listed import OTHERS
from tests.language.test_python import in_gradcli, in_python, programs


def run(text: str, **options: Any) -> Any:
    return Machine(**options).run(compile_text(text))


@pytest.mark.parametrize("text", programs("python_modules.txt"))
def test_modules_do_what_they_do_in_python(text: str) -> None:
    want, failure = in_python(text)
    got, error = in_gradcli(text)
    assert got == want
    assert (type(error), str(error)) == (type(failure), str(failure))


DRAWS = """\
import random
import subprocess
import sys
random.seed({seed!r})
print(random.random(), random.uniform(-2, 3), random.gauss(1, 2), random.normalvariate(0, 1))
print(random.randint(-5, 5), random.randrange(0, 100, 7), random.choice("abcdef"))
print(random.sample(range(1000), 12), random.choices([1, 2, 3], [3, 2, 1], k=6))
print(random.getrandbits(99), random.triangular(0, 3, 1), random.gammavariate(2, 1))
values = list(range(30))
random.shuffle(values)
print(values, random.Random({seed!r}).random(), random.expovariate(3), random.vonmisesvariate(1, 2))
"""


@pytest.mark.parametrize("seed", [0, 1, -3, 42, 2**70, 0.5, "note", *range(100, 110)])
def test_random_streams_are_those_of_cpython(seed: Any) -> None:
    text = DRAWS.format(seed=seed)
    state = random.getstate()
    try:
        assert in_gradcli(text)[0] == in_python(text)[0]
    finally:
        random.setstate(state)


def test_a_program_draws_from_a_stream_of_its_own() -> None:
    state = random.getstate()
    run("import random\nrandom.seed(5)\nrandom.random()\nrandom.shuffle([1, 2, 3])")
    assert random.getstate() == state


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("itertools.product(range(10**9))", OverflowError, "a tuple of 1000000000 elements"),
        ("itertools.product([1], repeat=10**12)", OverflowError, "a tuple of"),
        ("itertools.permutations(range(10**9))", OverflowError, "a tuple of"),
        ("itertools.tee([1], 10**9)", OverflowError, "1000000000 iterators"),
        ("x = [1]\nfor i in range(5000): x = itertools.chain(x)\nlist(x)", RecursionError, "depth"),
        ("Counter(range(10**9))", OverflowError, "a dict of 1000000000 elements"),
        ("deque([1]) * 10**10", OverflowError, "a deque of 10000000000 elements"),
        ("deque(range(10**10))", OverflowError, "a deque of"),
        (
            "x = ()\nfor i in range(20000): x = (x,)\ndefaultdict(list)[x]",
            RecursionError,
            "hashing an object",
        ),
        ("x = ()\nfor i in range(20000): x = (x,)\nCounter()[x] = 1", RecursionError, "hashing"),
        (
            "x = deque()\nfor i in range(40): x = deque([x, x])\nprint(x)",
            OverflowError,
            "the text of a collection",
        ),
        (
            "x = defaultdict(list)\n"
            "for i in range(40): x = defaultdict(list, {0: x, 1: x})\nprint(x)",
            OverflowError,
            "the text of a collection",
        ),
        (
            "P = collections.namedtuple('P', 'a b')\nx = y = 1\n"
            "for i in range(40): x, y = P(x, x), P(y, y)\nx == y",
            OverflowError,
            "a comparison of nested collections",
        ),
        (
            "x = []\nfor i in range(5000): x = [x]\ncopy.deepcopy(x)",
            RecursionError,
            "maximum recursion depth",
        ),
        ("copy.deepcopy(copy)", TypeError, "cannot pickle 'module' object"),
        ("random.sample(range(10**12), 10**9)", OverflowError, "a list of 1000000000 elements"),
        ("random.choices([1], k=10**12)", OverflowError, "a list of"),
        ("random.getrandbits(10**12)", OverflowError, "an integer of"),
        ("re.compile('a' * 2000)", OverflowError, "a regular expression of 2000 characters"),
        ("re.findall('a', 'a' * 10**6)", OverflowError, "a search in a text of 1000000"),
        ("re.sub('(.*)', r'\\1' * 400, 'a' * 10**5)", OverflowError, "a string of"),
        ("re.sub('', 'x' * 10**5, 'a' * 10**5)", OverflowError, "a string of"),
        ("operator.mul('a', 10**9)", OverflowError, "a string of"),
        ("operator.attrgetter('__class__.__mro__')(1)", AttributeError, "not part of"),
        ("operator.itemgetter(0)(3)", TypeError, "not subscriptable"),
    ],
)
def test_no_module_makes_giants(text: str, error: type[Exception], words: str) -> None:
    imports = "import collections, copy, itertools, operator, random, re\n"
    imports += "from collections import Counter, defaultdict, deque\n"
    with pytest.raises(error, match=words.replace("*", ".")):
        run(imports + text)


@pytest.mark.parametrize(
    "text",
    [
        "import itertools\nfor value in itertools.count(): pass",
        "import itertools\nnext(filter(None, itertools.repeat(0)))",
        "import itertools\nnext(itertools.compress(itertools.cycle([1]), itertools.repeat(0)))",
        "import time\ntime.sleep(1000)",
    ],
)
def test_the_clock_stops_what_does_not_end(text: str) -> None:
    with pytest.raises(LimitError, match=r"stopped after 0\.05 s"):
        run(text, timeout=0.05)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "import matplotlib.pyplot as plt\nplt.plot([1])",
            "matplotlib.pyplot.plot is not part of the language: gradcli draws no pictures",
            "print the numbers, and draw them from the output",
        ),
        (
            "from torchvision import datasets\ndatasets.MNIST()",
            "torchvision.datasets.MNIST is not part of the language: gradcli brings no data sets",
            "make the data with torch, or give them: gradcli run FILE --x @numbers.csv",
        ),
        (
            "from sklearn.svm import SVC as C\nC()",
            "sklearn.svm.SVC() is not part of the language: gradcli brings no data sets",
            "make the data with torch, or give them: gradcli run FILE --x @numbers.csv",
        ),
        (
            "import os\nos.environ['HOME']",
            "os.environ is not part of the language: a program reads and writes no files",
            "numbers come from the command line: gradcli run FILE --x @numbers.csv",
        ),
        (
            "import torch\ntorch.optim.SGD([])",
            "torch.optim.SGD is not part of the language: gradcli has no optimizers",
            "make the step: with torch.no_grad(): w -= rate * w.grad",
        ),
        (
            "import torch\ntorch.save(torch.ones(2), 'x.pt')",
            "torch.save() is not part of the language: a program reads and writes no files",
            "numbers come from the command line: gradcli run FILE --x @numbers.csv",
        ),
        (
            "from torch import compile as quick\nquick(abs)",
            "torch.compile() is not part of the language: gradcli has no compiler",
            "leave it out: what the function computes is the same",
        ),
        (
            "import torch\ntorch.utils.checkpoint.checkpoint(abs, 3)",
            "torch.utils.checkpoint.checkpoint is not part of the language: gradcli keeps what "
            "backward needs",
            "call the function itself: its gradients are the same",
        ),
        (
            "from torch.utils import checkpoint\ncheckpoint.checkpoint(abs, 3)",
            "torch.utils.checkpoint.checkpoint is not part of the language: gradcli keeps what "
            "backward needs",
            "call the function itself: its gradients are the same",
        ),
        (
            "from random import SystemRandom\nSystemRandom()",
            "random.SystemRandom() is not part of the language",
            "",
        ),
    ],
)
def test_what_is_left_out_fails_when_it_is_used(text: str, message: str, hint: str) -> None:
    first, last = text.split("\n")
    assert run(first) is None
    with pytest.raises(ImportError) as caught:
        run(text)
    told = diagnose(caught.value)
    assert (told.message, told.hint, told.line, told.source) == (message, hint, 2, last)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("torch.nn.Sequential()", "of layers gradcli has Linear only"),
        ("nn.MSELoss()", "of layers gradcli has Linear only"),
        ("import json\njson.dumps([1])", "gradcli has none of it"),
    ],
)
def test_a_name_that_is_left_out_says_why(text: str, words: str) -> None:
    with pytest.raises(ImportError, match=f"is not part of the language: {words}"):
        run(text)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("open", "a program reads and writes no files; numbers come from the command line: "),
        ("input", "a program asks nobody; "),
        ("eval", "a program runs no texts; def and lambda make functions"),
    ],
)
def test_a_built_in_name_that_is_left_out_says_why(name: str, hint: str) -> None:
    with pytest.raises(NameError, match=f"'{name}' is not part of the language") as caught:
        run(f"{name}('x')")
    assert (diagnose(caught.value).hint or "").startswith(hint)


@pytest.mark.parametrize("name", sorted({name for row in REASONS for name in row.modules.split()}))
def test_every_module_that_is_left_out_binds(name: str) -> None:
    run(f"import {name}")
    run(f"import {name} as one, math\nfrom {name} import other as another")


@pytest.mark.parametrize("name", sorted({*OTHERS} - {"__future__"}))
def test_every_module_binds_in_every_way(name: str) -> None:
    run(f"import {name} as one\nfrom {name} import *\none")


def test_a_name_that_python_lacks_too_is_no_import() -> None:
    for text in ("from random import foo", "from torch import foo"):
        with pytest.raises(ImportError, match="cannot import name 'foo' from"):
            run(text)
    with pytest.raises(AttributeError, match="module 'random' has no attribute 'foo'"):
        run("import random\nrandom.foo")
    with pytest.raises(AttributeError, match=r"random\.SystemRandom is not part of the language"):
        run("import random\nrandom.SystemRandom")


def answers(*texts: str) -> list[str]:
    """What programs print, each a record of one batch."""
    records = [reply(json.dumps({"program": text}).encode(), 1) for text in texts]
    return [json.loads(record.text)["stdout"] for record in records if record is not None]


def test_no_record_changes_the_modules_of_the_next() -> None:
    draw = "import random\nprint(random.random())"
    first, _, again = answers(draw, "import random\nrandom.seed(9)\nrandom.gauss(0, 1)", draw)
    assert first == again


@pytest.mark.parametrize("action", ["ignore", "error"])
def test_no_record_changes_which_warnings_the_next_shows(action: str) -> None:
    warn = "import warnings\nwarnings.warn('careful')\nprint(1)"
    first, _, again = answers(warn, f"import warnings\nwarnings.simplefilter('{action}')", warn)
    assert first == again


def test_copies_of_tensors() -> None:
    text = """
import copy, torch
x = torch.ones(3, requires_grad=True)
(x * x).sum().backward()
y = copy.deepcopy(x)
z = copy.copy(x)
print(y, y.grad, y.grad is x.grad, z.grad)
a = torch.zeros(4)
both = copy.deepcopy([a, a[1:], a])
both[1][0] = 7
print(both, both[0] is both[2], a)
print(copy.deepcopy({"w": torch.nn.Parameter(a)})["w"])
g = torch.Generator().manual_seed(3)
h = copy.deepcopy(g)
print(torch.rand(1, generator=g) == torch.rand(1, generator=h))
t = torch.arange(6.).reshape(2, 3).t()
print(copy.deepcopy(t).stride(), copy.deepcopy(t))
"""
    got, error = in_gradcli(text)
    assert error is None
    assert got == (
        "tensor([1., 1., 1.], requires_grad=True) tensor([2., 2., 2.]) False None\n"
        "[tensor([0., 7., 0., 0.]), tensor([7., 0., 0.]), tensor([0., 7., 0., 0.])] True "
        "tensor([0., 0., 0., 0.])\n"
        "Parameter containing:\ntensor([0., 0., 0., 0.], requires_grad=True)\n"
        "tensor([True])\n"
        "(1, 3) tensor([[0., 3.],\n        [1., 4.],\n        [2., 5.]])\n"
    )
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        run("import copy, torch\ncopy.deepcopy([torch.ones(1, requires_grad=True) * 2])")
    with pytest.raises(TypeError, match="cannot pickle 'MulBackward0' object"):
        run("import copy, torch\ncopy.deepcopy((torch.ones(1, requires_grad=True) * 2).grad_fn)")


def test_a_wrapper_takes_the_name_of_what_it_wraps() -> None:
    text = "import functools\n@functools.wraps(GIVEN)\ndef wrapper(x): return x\nwrapper.__name__"
    assert run("def f(x): return x\n" + text.replace("GIVEN", "f")) == "f"
    assert run("import functools\nfunctools.wraps(len)(torch.sin).__name__") == "sin"


def test_the_first_record_draws_what_others_draw() -> None:
    # In a process of its own: there the record imports the modules first.
    program = "import random, numpy\nprint(random.random(), numpy.random.rand())"
    probe = (
        "from gradcli.batch.worker import reply\n"
        f"line = {json.dumps({'program': program}).encode()!r}\n"
        "print(reply(line, 1).text == reply(line, 1).text)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True)
    assert done.stdout == b"True\n"
