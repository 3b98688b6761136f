"""`gradcli help`: pages about what no single command's help can tell."""

import sys
from typing import Annotated, Final

from gradcli.cli.declarations import COMMANDS, Argument
from gradcli.cli.report import UsageError

LANGUAGE: Final = """\
What names mean

  name                     in programs (run,         in expressions (eval and
                           repl, batch programs)     its flags, batch records)
  your variables           come first: --x 3, let, const, assignments
  torch.sin  F.relu        PyTorch's, errors included; so are math.sqrt and names
                           that were imported: from torch import sqrt
  sin  exp  relu  ...      mathematics: of tensors PyTorch's function, of numbers a
                           number in double precision, nan or inf outside the domain
  ln cbrt gamma cot sec    the same, with derivatives; PyTorch has no function
  csc degrees radians      of these names
  fabs log(x, base)
  max  min                 Python's: max(x, 0)       max(x, 0) of each element,
                           is x or 0                 max(x) of all
  sum  any  all            Python's: sum(rows)       of all elements; dim= and
                           adds the rows             keepdim= as in PyTorch
  round  pow  abs          Python's                  round(x, 2) has 2 decimals
  factorial  comb  ...     math's, of numbers; there is no derivative
  t * x                    a function times x:       t is a variable: --t 3
                           an error
  x ^ 2                    no power: write x ** 2

Constants: pi e tau inf nan, True False None, and the types float32 float64 int64 bool ...

Variables

  let x = 3                requires grad, of the default type (--dtype)
  let w: float64 = [1, 2]  of this type
  const c = [1, 2]         needs no gradient; the type that torch.tensor infers
  y = x**2; y * c          statements are separated by ; or stand on lines of their own

Matrices

  [[1, 2], [3, 4]]         two rows, as the value of a variable
  [1, 2, 3] * x            beside a tensor a list of numbers is a constant
  stack([x, y])            a tensor of tensors; [x, y] is a list
  A @ x, A.T, A[0, 1]      product, transpose, element; A * B is element by element

Modules

  import torch             PyTorch's names, as far as gradcli has them
  import numpy as np       arrays of numbers that share memory with tensors
  import random            CPython's streams; math, time, copy, itertools, functools,
                           collections, operator, contextlib, typing, re, warnings,
                           dataclasses, abc, enum, sys too
  import matplotlib        binds, as do os, torchvision, sklearn and others that draw or
                           read files; a line that uses them says what to do instead

Programs

  def  lambda  return      functions, with decorators; yield makes generators
  if  for  while  with     as in Python; contextlib.contextmanager makes contexts
  match  case              every pattern of Python's
  try  except  finally     Python's exceptions, and PyTorch's by their types; not
  raise ... from           limits, Ctrl-C, or what is not part of the language

Classes

  class A(B, C):           as in Python: methods, properties, super(), operators,
                           contexts, dataclasses, abstract methods, Enum, exceptions
                           of your own; derived from int, list, dict and their
                           like, too, but without metaclasses
"""

TOPICS: Final = {
    "language": ("What names mean, constants, variables, matrices, modules, programs.", LANGUAGE)
}
"""Name -> (one line about it, the page)."""


def command(
    topic: Annotated[str | None, Argument("[TOPIC]", "What to read about: language.")] = None,
) -> None:
    """Read about the language; without a topic, list what there is to read."""
    if topic is None:
        lines = [f"gradcli help {name:<10} {about}" for name, (about, _) in TOPICS.items()]
        lines.append("gradcli --help          The commands; each has a --help of its own.")
        lines.append("gradcli functions       What can be called, with derivative formulas.")
        print("\n".join(lines))
    elif topic in TOPICS:
        print(TOPICS[topic][1], end="")
    else:
        raise UsageError(f"there is no help about {topic}", _where(topic))
    sys.stdout.flush()


def _where(topic: str) -> str:
    if topic in COMMANDS:
        return f"gradcli {topic} --help"
    return f"topics: {', '.join(TOPICS)}; of functions tells `gradcli functions {topic}`"
