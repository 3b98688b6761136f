"""Modules that notes import and the language leaves out: they bind, and fail when they are used."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, NoReturn

from gradcli.tensor.guard import final
from gradcli.tensor.public import public


class Reason(NamedTuple):
    """Why modules are left out.

    Attributes:
        words: what gradcli does not do, for the message.
        hint: the way out.
        modules: the modules, separated by blanks; what lies inside of them is left out, too.
    """

    words: str
    hint: str
    modules: str


LAYERS: Final = (
    "AvgPool2d BCELoss BCEWithLogitsLoss BatchNorm1d BatchNorm2d Conv1d Conv2d CrossEntropyLoss "
    "Dropout ELU Embedding Flatten GELU GRU HuberLoss Identity L1Loss LSTM LayerNorm LeakyReLU "
    "MSELoss MaxPool2d ModuleDict ModuleList MultiheadAttention NLLLoss ParameterList RNN ReLU "
    "Sequential SiLU Sigmoid SmoothL1Loss Softmax Softplus Tanh"
)
"""Modules of `torch.nn` that notes use."""

REASONS: Final = (
    Reason(
        "gradcli draws no pictures",
        "print the numbers, and draw them from the output",
        "IPython bokeh graphviz matplotlib mpl_toolkits networkx plotly pylab seaborn "
        "tensorboard tensorboardX torch.utils.tensorboard torchviz visdom wandb",
    ),
    Reason(
        "a program reads and writes no files",
        "numbers come from the command line: gradcli run FILE --x @numbers.csv",
        "PIL csv cv2 fileinput glob gzip h5py imageio io os pathlib pickle shutil skimage "
        "tempfile torch.load torch.save yaml zipfile",
    ),
    Reason(
        "gradcli brings no data sets",
        "make the data with torch, or give them: gradcli run FILE --x @numbers.csv",
        "datasets pandas sklearn torch.utils.data torchaudio torchtext torchvision",
    ),
    Reason(
        "a program opens no connections",
        "fetch the numbers before, and give them: gradcli run FILE --x @numbers.csv",
        "http requests socket ssl urllib urllib3",
    ),
    Reason(
        "a program starts no processes and no threads",
        "many programs at once: gradcli batch",
        "asyncio concurrent ctypes joblib multiprocessing ray signal subprocess threading "
        "torch.distributed torch.multiprocessing",
    ),
    Reason(
        "a program sees no command line",
        "what it reads and does not set is an option: gradcli run FILE --x 3",
        "argparse click fire getopt hydra",
    ),
    Reason(
        "gradcli has none of it",
        "print(...) writes out lists and dictionaries, {value:.6f} in an f-string numbers",
        "json",
    ),
    Reason(
        "of layers gradcli has Linear only",
        "torch.nn.functional has what they compute: relu(x), mse_loss(y, target)",
        " ".join(f"torch.nn.{name}" for name in LAYERS.split()),
    ),
    Reason(
        "gradcli has no optimizers",
        "make the step: with torch.no_grad(): w -= rate * w.grad",
        "torch.optim",
    ),
    Reason(
        "gradcli has none of it",
        "torch.special, torch.linalg, torch.fft and numpy have some of the same functions",
        "scipy",
    ),
    Reason(
        "gradcli has none of it",
        "torch.autograd and torch.func differentiate here",
        "autograd jax jaxlib keras mxnet sympy tensorflow theano",
    ),
    Reason(
        "gradcli has no dates",
        "time.time() and time.perf_counter() measure",
        "calendar datetime",
    ),
    Reason(
        "gradcli keeps no time and no traces of operators",
        "leave it out: --debug tells what was done",
        "cProfile timeit torch.autograd.profiler torch.profiler",
    ),
    Reason(
        "memory is freed when nothing holds it",
        "leave it out",
        "gc weakref",
    ),
    Reason(
        "gradcli prints, and nothing else",
        "print(...)",
        "logging pprint",
    ),
    Reason(
        "a program adds no operators",
        "derive a class from torch.autograd.Function",
        "torch._C torch.library torch.overrides torch.utils._python_dispatch",
    ),
    Reason(
        "gradcli rounds only as it is told",
        "convert by hand: x.to(torch.bfloat16)",
        "torch.amp torch.autocast torch.cuda.amp",
    ),
    Reason(
        "gradcli has no compiler",
        "leave it out: what the function computes is the same",
        "torch.compile torch.compiler torch.jit numba",
    ),
    Reason(
        "gradcli has no distributions",
        "draw and scale by hand: mean + std * torch.randn(n)",
        "torch.distributions",
    ),
    Reason(
        "gradcli has few modules",
        "torch.nn.functional has what they compute",
        "torch.nn.init torch.nn.modules torch.nn.utils",
    ),
    Reason(
        "gradcli keeps what backward needs",
        "call the function itself: its gradients are the same",
        "torch.utils.checkpoint",
    ),
    Reason(
        "gradcli has none of it",
        "sorted(), min() and max() order",
        "bisect heapq queue",
    ),
    Reason(
        "gradcli has none of it",
        "int and float are the types of numbers",
        "decimal fractions numbers",
    ),
    Reason(
        "gradcli has none of it",
        "torch.mean, torch.std and torch.median have the same",
        "statistics",
    ),
    Reason(
        "gradcli has none of it",
        "a class of its own, or a dict, holds values",
        "types",
    ),
    Reason(
        "gradcli has none of it",
        "",
        "abc array ast atexit base64 codecs einops enum hashlib importlib inspect ipdb "
        "lightning locale mpmath packaging pdb platform pytest pytorch_lightning secrets string "
        "struct textwrap torch.export torch.fx torch.hub torch.nested torch.onnx "
        "torch.quantization torch.sparse torch.utils torchinfo torchmetrics torchsummary "
        "traceback transformers unittest uuid",
    ),
)

_REASONS: Final = {module: reason for reason in REASONS for module in reason.modules.split()}

LEFT_OUT: Final = Reason("", "", "")
"""The reason for a name of a module that has others here."""


@public(reader=lambda absent, name: absent.inside(name), name="module", calls=True)
class Absent:
    """Something that a program imported and may not use.

    Attributes:
        name: with its module.
        reason: why not.
    """

    __slots__ = ("name", "reason")

    def __init__(self, name: str, reason: Reason) -> None:
        self.name = name
        self.reason = reason

    def used(self, name: str) -> NoReturn:
        """Refuses what a program does with it, or with a name inside of it.

        Raises:
            ImportError: always.
        """
        words = f": {self.reason.words}" if self.reason.words else ""
        error = ImportError(f"{name} is not part of the language{words}", name=name)
        error.hint = self.reason.hint  # type: ignore[attr-defined]
        raise final(error)

    def inside(self, name: str) -> Absent:
        """A module inside of it that is left out for a reason of its own.

        Raises:
            ImportError: there is none, so a name of it is used.
        """
        whole = f"{self.name}.{name}"
        if whole not in _REASONS:
            self.used(whole)
        return Absent(whole, _REASONS[whole])

    def __call__(self, /, *arguments: Any, **named: Any) -> NoReturn:
        self.used(f"{self.name}()")

    def __getitem__(self, index: Any) -> NoReturn:
        self.used(self.name)

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        self.used(self.name)

    def __enter__(self) -> NoReturn:
        self.used(self.name)

    def __exit__(self, *_: object) -> None:
        """Nothing was entered."""

    def __repr__(self) -> str:
        return f"<module '{self.name}', which is not part of the language>"


def absent(name: str) -> Absent | None:
    """What stands for a module, or for something inside of one, that is left out; None for others.

    What lies inside a module is left out with it, unless a row names it for another reason.
    """
    outer = name
    while outer:
        if outer in _REASONS:
            return Absent(name, _REASONS[outer])
        outer = outer.rpartition(".")[0]
    return None
